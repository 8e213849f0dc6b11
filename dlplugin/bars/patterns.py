"""Which bars have what: the finders of the table of grades that are a few lines each."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from dlplugin.bars.form import COLUMNS, PRICES
from dlplugin.bars.spacing import Dates, nanoseconds

__all__ = [
    "MOST_INCOMPLETE",
    "OUTSIDE",
    "ROUNDING",
    "STALE_BARS",
    "beyond",
    "incomplete",
    "nanoseconds_of",
    "no_prices",
    "outside",
    "repeated",
    "stale",
    "stale_length",
    "steps",
]

MOST_INCOMPLETE = 0.01
"""Share of the bars that may be dropped because one of their values is missing; one always may."""

ROUNDING = 1e-3
"""Share of the price by which open and close may lie outside high and low: what rounding of
adjusted prices does to cheap stocks. The bundled sets need none of it."""
OUTSIDE = 0.01
"""Share of the price above which an open or close outside high and low is no small fault."""

STALE_BARS = 10
"""Bars in a row with the same prices that are stale."""

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]


def nanoseconds_of(bars: pd.DataFrame) -> Dates:
    """(T,) the bars' dates as nanoseconds."""
    return nanoseconds(pd.DatetimeIndex(bars.index))


def steps(bars: pd.DataFrame) -> Dates:
    """(T,) nanoseconds from the bar before; 1 at the first."""
    dates = nanoseconds_of(bars)
    since: Dates = np.diff(dates, prepend=dates[:1] - 1)
    return since


def no_prices(bars: pd.DataFrame) -> BoolArray:
    """(T,) whether all four prices are missing."""
    without: BoolArray = _missing(bars, PRICES) == len(PRICES)
    return without


def incomplete(bars: pd.DataFrame, many: bool) -> BoolArray:
    """(T,) whether a value is missing, where that is in more bars than may be dropped (`many`) or not."""
    found = _missing(bars, COLUMNS) > 0
    too_many = np.count_nonzero(found) > max(1, MOST_INCOMPLETE * len(bars))
    return found if too_many == many else np.zeros(len(bars), dtype=bool)


def repeated(bars: pd.DataFrame, same: bool) -> BoolArray:
    """(T,) whether a bar has the date of the one before and the same values, or else other values."""
    found: BoolArray = steps(bars) == 0
    if not found.any():
        return found
    rows = np.flatnonzero(found)
    equal = np.ones(len(rows), dtype=bool)
    for name in bars.columns:
        one, other = bars[name].to_numpy()[rows - 1], bars[name].to_numpy()[rows]
        equal &= (one == other) | (np.isnan(one) & np.isnan(other))
    found[rows] = equal == same
    return found


def beyond(bars: pd.DataFrame, name: str) -> FloatArray:
    """(T,) how far a price lies above high or below low, as a share of them; 0 inside."""
    price, high, low = (bars[column].to_numpy() for column in (name, "high", "low"))
    with np.errstate(all="ignore"):
        share: FloatArray = np.maximum(np.maximum(price / high, 1.0) - 1, 1 - np.minimum(price / low, 1.0))
    return share


def outside(bars: pd.DataFrame, share: float) -> BoolArray:
    """(T,) whether open or close lies outside high and low by more than a share of them.

    Not where a price is not above 0 or high is below low, which says it already.
    """
    open_, high, low, close = (bars[column].to_numpy() for column in PRICES)
    most, least = np.maximum(open_, close), np.minimum(open_, close)
    found: BoolArray = (most > high * (1 + share)) | (least < low * (1 - share))
    found &= (least > 0) & (low > 0) & (high >= low)
    return found


def stale(bars: pd.DataFrame) -> BoolArray:
    """(T,) whether a bar is the first of a run of bars with the same prices that is too long."""
    found = np.zeros(len(bars), dtype=bool)
    starts, lengths = _runs(bars)
    found[starts[lengths >= STALE_BARS]] = True
    return found


def stale_length(bars: pd.DataFrame, row: int) -> int:
    """How many bars have the same prices from a run's first bar on."""
    starts, lengths = _runs(bars)
    return int(lengths[starts == row][0])


def _missing(bars: pd.DataFrame, columns: tuple[str, ...]) -> npt.NDArray[np.int64]:
    missing: npt.NDArray[np.int64] = sum(
        (np.isnan(bars[name].to_numpy()).astype(np.int64) for name in columns),
        np.zeros(len(bars), dtype=np.int64),
    )
    return missing


def _runs(bars: pd.DataFrame) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """First rows and lengths of the runs of bars with the same prices."""
    changes = np.ones(len(bars), dtype=bool)
    changes[1:] = False
    for name in PRICES:
        changes[1:] |= np.diff(bars[name].to_numpy()) != 0
    starts = np.flatnonzero(changes)
    return starts, np.diff(starts, append=len(bars))
