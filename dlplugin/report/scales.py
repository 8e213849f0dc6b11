"""From values to pixels, and where an axis has its ticks."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np
import numpy.typing as npt
import pandas as pd

from dlplugin.report.svg import FloatArray
from dlplugin.report.words import is_intraday

__all__ = ["DateTick", "Scale", "date_ticks", "padded", "spread", "tick_decimals", "ticks"]


@dataclass(frozen=True)
class Scale:
    """A linear scale.

    Attributes:
        low: The value at pixel `start`.
        high: The value at pixel `stop`.
        start: Pixels.
        stop: Pixels; below `start` for an axis that points up.
    """

    low: float
    high: float
    start: float
    stop: float

    @overload
    def __call__(self, value: float) -> float: ...
    @overload
    def __call__(self, value: FloatArray) -> FloatArray: ...
    def __call__(self, value: float | FloatArray) -> float | FloatArray:
        """Pixels of a value or of (N,) values."""
        return self.start + (value - self.low) * ((self.stop - self.start) / (self.high - self.low))


def padded(low: float, high: float, share: float = 0.06) -> tuple[float, float]:
    """The range with some air at both ends; a range of one value gets room around it."""
    if high > low:
        return low - share * (high - low), high + share * (high - low)
    room = abs(low) * 0.1 or 1.0
    return low - room, high + room


def ticks(low: float, high: float, most: int) -> list[float]:
    """Round values between two others, at most `most`.

    >>> ticks(0.0, 1.0, 5), ticks(-3.2, 4.1, 4)
    ([0.0, 0.25, 0.5, 0.75, 1.0], [-2.0, 0.0, 2.0, 4.0])
    """
    rough = (high - low) / max(most, 1)
    size = 10.0 ** math.floor(math.log10(rough))
    for step in (factor * size for factor in (1, 2, 2.5, 5, 10, 20, 25)):
        first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
        if last - first + 1 <= most:
            return [float(f"{i * step:.12g}") + 0.0 for i in range(first, last + 1)]
    return []


def tick_decimals(values: Sequence[float]) -> int:
    """Decimals that tell neighbouring ticks apart and show each in full.

    >>> tick_decimals([0.25, 0.5]), tick_decimals([10.0, 20.0])
    (2, 0)
    """
    size = max(map(abs, values), default=0.0)
    for decimals in range(16):
        if all(math.isclose(round(value, decimals), value, abs_tol=1e-9 * size) for value in values):
            return decimals
    return 16


@dataclass(frozen=True)
class DateTick:
    """A tick between bars: the bar it stands at, its label, and the year or day that begins there."""

    position: int
    label: str
    under: str


_LEVELS = (
    ("h", "%H:%M", "%Y-%m-%d"),
    ("6h", "%H:%M", "%Y-%m-%d"),
    ("D", "%d %b", "%Y"),
    ("W", "%d %b", "%Y"),
    ("M", "%b", "%Y"),
    ("Q", "%b", "%Y"),
    ("Y", "%Y", ""),
    ("2Y", "%Y", ""),
    ("5Y", "%Y", ""),
    ("10Y", "%Y", ""),
)


def date_ticks(index: pd.DatetimeIndex, most: int) -> list[DateTick]:
    """Ticks where an hour, day, week, month, quarter or year begins: the finest that leaves at most `most`.

    Args:
        index: (T,) dates of the bars without a time zone, oldest first.
        most: Ticks there is room for.
    """
    if not len(index):
        return []
    intraday = is_intraday(index)
    for frequency, label, under in _LEVELS:
        if frequency in ("h", "6h") and not intraday:
            continue
        periods = _periods(index, frequency)
        starts = np.flatnonzero(periods[1:] != periods[:-1]) + 1
        if len(starts) + 1 <= most and (len(starts) >= 2 or frequency in ("h", "D")):
            return _labelled(index, [0, *starts.tolist()], label, under, most)
    return _labelled(index, [0], "%Y-%m-%d", "", most)


def _periods(index: pd.DatetimeIndex, frequency: str) -> npt.NDArray[np.int64]:
    years = np.asarray(index.year, dtype=np.int64)
    if frequency.endswith("Y"):
        return np.asarray(years // int(frequency[:-1] or 1))
    months = years * 12 + np.asarray(index.month, dtype=np.int64)
    if frequency in ("M", "Q"):
        return months if frequency == "M" else (months - 1) // 3
    hours = index.to_numpy().astype("datetime64[h]").astype(np.int64)
    days = hours // 24
    # the epoch's first day was a Thursday: three days on, weeks begin on Mondays
    return {"h": hours, "6h": hours // 6, "D": days, "W": (days + 3) // 7}[frequency]


def _labelled(
    index: pd.DatetimeIndex, positions: list[int], label: str, under: str, most: int
) -> list[DateTick]:
    # the first bar seldom begins a period: it is named exactly, or gives way when the next tick is too near
    room = len(index) / (most * 1.2)
    if len(positions) > 1 and positions[1] < room:
        positions = positions[1:]
    first = {"%b": "%d %b", "%Y": "%b %Y"}.get(label, label)
    found: list[DateTick] = []
    said = ""
    for position in positions:
        below = index[position].strftime(under) if under else ""
        name = index[position].strftime(label if position else first)
        found.append(DateTick(position, name, below if below != said else ""))
        said = below
    return found


def spread(wanted: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Positions as near as may be to the wanted ones, at least `gap` apart, between `low` and `high`.

    >>> spread([10.0, 12.0, 50.0], 10.0, 0.0, 100.0)
    [6.0, 16.0, 50.0]
    """
    order = sorted(range(len(wanted)), key=lambda i: wanted[i])
    groups: list[tuple[float, int]] = []
    for i in order:
        groups.append((wanted[i], 1))
        while len(groups) > 1 and _overlap(groups[-2], groups[-1], gap):
            (a, n), (b, m) = groups[-2:]
            groups[-2:] = [((a * n + b * m) / (n + m), n + m)]
    placed = [middle + gap * (k - (size - 1) / 2) for middle, size in groups for k in range(size)]
    for k in range(len(placed)):
        placed[k] = max(placed[k], low if k == 0 else placed[k - 1] + gap)
    for k in reversed(range(len(placed))):
        placed[k] = min(placed[k], high if k == len(placed) - 1 else placed[k + 1] - gap)
    found = [0.0] * len(wanted)
    for position, i in zip(placed, order, strict=True):
        found[i] = position
    return found


def _overlap(before: tuple[float, int], after: tuple[float, int], gap: float) -> bool:
    return after[0] - before[0] < gap * (before[1] + after[1]) / 2
