"""How far apart bars are: their interval, and bars of another interval among them."""

import numpy as np
import numpy.typing as npt
import pandas as pd

__all__ = [
    "ALIKE",
    "CROWDED",
    "DAY",
    "MIXED_BARS",
    "MIXED_FACTOR",
    "MIXED_SHARE",
    "WEEK",
    "crowded_bars",
    "interval_of",
    "median_spacing",
    "mixed_bars",
    "nanoseconds",
    "spacing_text",
]

SECOND = 1_000_000_000
MINUTE, HOUR, DAY = 60 * SECOND, 3_600 * SECOND, 86_400 * SECOND
WEEK = 7 * DAY

# Days between bars of one calendar month, quarter or year, dated on first or last days (of trading).
MONTHS = (("1mo", 27, 34), ("3mo", 88, 95), ("1y", 360, 370))
UNITS = (("w", WEEK), ("d", DAY), ("h", HOUR), ("m", MINUTE), ("s", SECOND))

CROWDED = 0.5
"""A bar nearer to the one before than this share of the interval is crowded."""

MIXED_BARS = 20
"""Spacings in a row that are looked at for an interval of their own: about a month of days."""
MIXED_FACTOR = 1.5
"""How much longer or shorter than all bars' a stretch's interval has to be."""
MIXED_SHARE = 0.7
"""Share of a stretch's spacings that have to be alike; weekends leave 0.8 of a stretch of days."""
ALIKE = 0.2
"""Share by which alike spacings may differ: months have 28 to 31 days."""

Dates = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]


def interval_of(index: pd.DatetimeIndex) -> str:
    """The bars' interval: the median of the spacings, the lower one of two.

    Args:
        index: (T,) sorted dates, T at least 2.

    Returns:
        A number and a unit: s, m (minutes), h, d, w, mo, y.

    >>> interval_of(pd.date_range("2020-01-03", periods=30, freq="B"))
    '1d'
    >>> interval_of(pd.date_range("2020-01-03", periods=30, freq="30min"))
    '30m'
    """
    return spacing_text(median_spacing(nanoseconds(index)))


def spacing_text(spacing: int) -> str:
    """A spacing in nanoseconds as an interval is written."""
    for name, fewest, most in MONTHS:
        if fewest * DAY <= spacing <= most * DAY:
            return name
    for unit, length in UNITS:
        if spacing % length == 0:
            return f"{spacing // length}{unit}"
    return f"{spacing / SECOND:g}s"


def crowded_bars(dates: Dates) -> BoolArray:
    """(T,) whether a bar is nearer to the one before than half of the interval.

    Args:
        dates: (T,) sorted nanoseconds.
    """
    crowded = np.zeros(len(dates), dtype=bool)
    if len(dates) > 2:
        crowded[1:] = np.diff(dates) < CROWDED * median_spacing(dates)
    return crowded


def mixed_bars(dates: Dates) -> BoolArray:
    """(T,) whether a bar ends a stretch of `MIXED_BARS` spacings with an interval of its own.

    A stretch has one where most of its spacings are alike, and are much longer or shorter than the
    median of all. Bars that are missing here and there leave spacings that are not alike.

    Args:
        dates: (T,) sorted nanoseconds.
    """
    mixed = np.zeros(len(dates), dtype=bool)
    spacings = np.diff(dates)
    if len(spacings) < 2 * MIXED_BARS:
        return mixed
    own = median_spacing(dates)
    other = (spacings > MIXED_FACTOR * own) | (spacings < own / MIXED_FACTOR)
    counts = np.convolve(other, np.ones(MIXED_BARS, dtype=np.int64), mode="valid")
    for start in np.flatnonzero(counts >= MIXED_SHARE * MIXED_BARS):
        stretch = spacings[start : start + MIXED_BARS]
        middle = np.sort(stretch)[(MIXED_BARS - 1) // 2]
        alike = np.abs(stretch - middle) <= ALIKE * middle
        differs = middle > MIXED_FACTOR * own or middle < own / MIXED_FACTOR
        mixed[start + MIXED_BARS] = differs and alike.mean() >= MIXED_SHARE
    return mixed


def nanoseconds(index: pd.DatetimeIndex) -> Dates:
    """(T,) nanoseconds since 1970."""
    dates: Dates = index.to_numpy().astype("datetime64[ns]").astype(np.int64)
    return dates


def median_spacing(dates: Dates) -> int:
    """The median spacing of sorted dates in nanoseconds, the lower one of two."""
    spacings = np.diff(dates)
    middle = (len(spacings) - 1) // 2
    return int(np.partition(spacings, middle)[middle])
