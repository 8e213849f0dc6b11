"""What is wrong at one bar, in words with its value and date: a function for each kind of trouble."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from dlplugin.bars import jumps, patterns, spacing
from dlplugin.bars.dates import day_text

__all__ = [
    "Spot",
    "any_value",
    "crowded_spot",
    "different_spot",
    "gap_spot",
    "high_below_low_spot",
    "jump_spot",
    "mixed_spot",
    "no_prices_spot",
    "outside_spot",
    "split_spot",
    "stale_spot",
    "twice_spot",
    "unsorted_spot",
    "value_spot",
]

BoolArray = npt.NDArray[np.bool_]


class Spot(NamedTuple):
    """What is wrong at one bar: in words with value and date, and the value alone."""

    says: str
    value: float | str | None


def _date(bars: pd.DataFrame, row: int) -> str:
    return day_text(bars.index[row])


def value_spot(columns: tuple[str, ...] | None, offends: Callable[..., BoolArray]) -> Callable[..., Spot]:
    """The first column's value that offends at a row."""

    def spot(bars: pd.DataFrame, row: int) -> Spot:
        for name in columns or bars.columns:
            value = bars[name].to_numpy()[row : row + 1]
            if offends(value).any():
                return Spot(f"{name} {float(value[0])!r} at {_date(bars, row)}", float(value[0]))
        raise LookupError(f"no value of row {row} offends")

    return spot


def any_value(
    columns: tuple[str, ...] | None, offends: Callable[..., BoolArray]
) -> Callable[[pd.DataFrame], BoolArray]:
    """(T, columns) to (T,) whether a value of some columns offends, or of all (None)."""

    def rows(bars: pd.DataFrame) -> BoolArray:
        found = np.zeros(len(bars), dtype=bool)
        for name in columns or bars.columns:
            found |= offends(bars[name].to_numpy())
        return found

    return rows


def outside_spot(bars: pd.DataFrame, row: int) -> Spot:
    """The one of open and close that lies further outside high and low."""
    one = bars.iloc[row : row + 1]
    name = "open" if patterns.beyond(one, "open")[0] >= patterns.beyond(one, "close")[0] else "close"
    value, low, high = (float(bars[column].iloc[row]) for column in (name, "low", "high"))
    return Spot(f"{name} {value!r} outside low {low!r} and high {high!r} at {_date(bars, row)}", value)


def high_below_low_spot(bars: pd.DataFrame, row: int) -> Spot:
    """A high and the low above it."""
    high, low = float(bars["high"].iloc[row]), float(bars["low"].iloc[row])
    return Spot(f"high {high!r} below low {low!r} at {_date(bars, row)}", high)


def different_spot(bars: pd.DataFrame, row: int) -> Spot:
    """The first column in which a bar differs from the one before, of the same date."""
    for name in bars.columns:
        one, other = (float(value) for value in bars[name].iloc[row - 1 : row + 1])
        if one != other and not (np.isnan(one) and np.isnan(other)):
            return Spot(f"two different bars at {_date(bars, row)} ({name} {one!r} and {other!r})", other)
    raise LookupError(f"row {row} has no other values than the row before")


def split_spot(bars: pd.DataFrame, row: int) -> Spot:
    """The close before over the open, and the split that it is like."""
    ratio = jumps.split_ratio(bars, row)
    known = jumps.split_text(ratio)
    way = "down" if ratio > 1 else "up"
    size = f"{max(ratio, 1 / ratio):.3g}"
    return Spot(f"a jump {way} by {size} at {_date(bars, row)}, like an unadjusted split of {known}", ratio)


def jump_spot(bars: pd.DataFrame, row: int) -> Spot:
    """The largest jump at a bar, as a factor."""
    ratio = jumps.jump_ratio(bars, row)
    size = f"{max(ratio, 1 / ratio):.3g}"
    return Spot(f"a jump {'up' if ratio > 1 else 'down'} by {size} at {_date(bars, row)}", ratio)


def gap_spot(bars: pd.DataFrame, row: int) -> Spot:
    """A hole's two ends; its length in days."""
    days = float((bars.index[row] - bars.index[row - 1]) / pd.Timedelta(days=1))
    return Spot(f"no bars between {_date(bars, row - 1)} and {_date(bars, row)}", days)


def stale_spot(bars: pd.DataFrame, row: int) -> Spot:
    """How many bars have the same prices."""
    count = patterns.stale_length(bars, row)
    return Spot(f"the same prices in {count} bars from {_date(bars, row)} on", float(count))


def mixed_spot(bars: pd.DataFrame, row: int) -> Spot:
    """The interval of a stretch and that of all bars."""
    dates = patterns.nanoseconds_of(bars)
    stretch = spacing.spacing_text(spacing.median_spacing(dates[row - spacing.MIXED_BARS : row + 1]))
    whole = spacing.spacing_text(spacing.median_spacing(dates))
    return Spot(f"bars of {stretch} up to {_date(bars, row)} among bars of {whole}", stretch)


def crowded_spot(bars: pd.DataFrame, row: int) -> Spot:
    """How far apart two bars are; the seconds."""
    apart = bars.index[row] - bars.index[row - 1]
    return Spot(
        f"a bar at {_date(bars, row)} only {apart} after the one before", apart / pd.Timedelta(seconds=1)
    )


def unsorted_spot(bars: pd.DataFrame, row: int) -> Spot:
    """A date and the later one before it."""
    return Spot(f"{_date(bars, row)} after {_date(bars, row - 1)}", _date(bars, row))


def twice_spot(bars: pd.DataFrame, row: int) -> Spot:
    """The date of two equal bars."""
    return Spot(f"two bars at {_date(bars, row)}", float(bars["close"].iloc[row]))


def no_prices_spot(bars: pd.DataFrame, row: int) -> Spot:
    """The date of a bar without prices."""
    return Spot(f"no prices at {_date(bars, row)}", float("nan"))
