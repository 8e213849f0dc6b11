"""How far apart bars are: their interval, and which bars are missing."""

import numpy as np
import numpy.typing as npt
import pandas as pd

__all__ = ["interval_of", "missing_from_calendar", "missing_from_timetable"]

SECOND = 1_000_000_000
MINUTE, HOUR, DAY = 60 * SECOND, 3_600 * SECOND, 86_400 * SECOND
WEEK = 7 * DAY

# Days between bars of one calendar month, quarter or year, dated on first or last days (of trading).
MONTHS = (("1mo", 27, 34), ("3mo", 88, 95), ("1y", 360, 370))
UNITS = (("w", WEEK), ("d", DAY), ("h", HOUR), ("m", MINUTE), ("s", SECOND))

Dates = npt.NDArray[np.int64]


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
    spacing = _median_spacing(_nanoseconds(index))
    for name, fewest, most in MONTHS:
        if fewest * DAY <= spacing <= most * DAY:
            return name
    for unit, length in UNITS:
        if spacing % length == 0:
            return f"{spacing // length}{unit}"
    return f"{spacing / SECOND:g}s"


def missing_from_calendar(index: pd.DatetimeIndex, calendar: pd.DatetimeIndex) -> int:
    """How many of a calendar's dates from the first bar to the last have no bar.

    Args:
        index: (T,) sorted dates of the bars, all in the calendar.
        calendar: Sorted dates on which a bar is expected.
    """
    expected = calendar[(calendar >= index[0]) & (calendar <= index[-1])]
    return int(np.isin(expected.to_numpy(), index.to_numpy(), invert=True).sum())


def missing_from_timetable(index: pd.DatetimeIndex) -> int:
    """How many bars are missing from the bars' own weekly timetable.

    Up to one day apart: a weekday and time of day that has a bar in at least half of the weeks is
    expected to have one in every week from the first bar to the last. So an exchange's holidays count
    as missing, since nothing in one symbol's bars tells them from missing data. Further apart: the
    spacings that the median one fits into more than once (rounded).

    Args:
        index: (T,) sorted dates, T at least 2.
    """
    dates = _nanoseconds(index)
    spacing = _median_spacing(dates)
    if spacing > DAY:
        return int(np.maximum(np.rint(np.diff(dates) / spacing) - 1, 0).sum())
    monday = pd.Timestamp("1969-12-29").value
    weeks, times = np.divmod(dates - monday, WEEK)
    slots, filled = np.unique(times, return_counts=True)
    kept = slots[2 * filled >= np.unique(weeks).size]
    every = np.arange(weeks[0], weeks[-1] + 1) * WEEK + monday
    expected = (every[:, None] + kept).ravel()
    expected = expected[(expected >= dates[0]) & (expected <= dates[-1])]
    return int(np.isin(expected, dates, invert=True).sum())


def _nanoseconds(index: pd.DatetimeIndex) -> Dates:
    dates: Dates = index.to_numpy().astype("datetime64[ns]").astype(np.int64)
    return dates


def _median_spacing(dates: Dates) -> int:
    spacings = np.sort(np.diff(dates))
    return int(spacings[(len(spacings) - 1) // 2])
