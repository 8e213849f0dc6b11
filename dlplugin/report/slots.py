"""Places on a time axis of bars: every bar has one, and when there are very many, neighbours share one."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from dlplugin.report.charts import FULL
from dlplugin.report.svg import FloatArray
from dlplugin.report.words import date, is_intraday, plain_index

__all__ = ["LEFT", "MOST_SLOTS", "RIGHT", "Slots", "bars_per_slot"]

MOST_SLOTS = 600
LEFT, RIGHT = 56.0, FULL - 144.0
"""Pixels between which bars are drawn; beyond `RIGHT` stand the names of the lines."""


def bars_per_slot(bars: int) -> int:
    """How many bars share a slot, so that a candle is never thinner than a pixel.

    >>> bars_per_slot(450), bars_per_slot(601)
    (1, 2)
    """
    return max(1, -(-bars // MOST_SLOTS))


@dataclass(frozen=True, eq=False)
class Slots:
    """The N slots of T bars.

    Attributes:
        index: (T,) dates of the bars without a time zone.
        width: Bars in one slot; the last may hold fewer.
        x: (N,) pixels of the slots' middles.
        last: (N,) position of the last bar in each slot.
    """

    index: pd.DatetimeIndex
    width: int
    x: FloatArray
    last: npt.NDArray[np.intp]

    @classmethod
    def of(cls, index: pd.Index) -> "Slots":
        """The slots for (T,) bars, T at least 1."""
        dates = plain_index(index)
        width = bars_per_slot(len(dates))
        last = np.append(np.arange(width - 1, len(dates) - 1, width, dtype=np.intp), len(dates) - 1)
        step = (RIGHT - LEFT) / len(last)
        middles = LEFT + step * (np.arange(len(last), dtype=np.float64) + 0.5)
        return cls(dates, width, middles, last)

    @property
    def step(self) -> float:
        """Pixels from one slot to the next."""
        return (RIGHT - LEFT) / len(self.x)

    @property
    def dates(self) -> pd.DatetimeIndex:
        """(N,) the date of each slot: that of its last bar."""
        return self.index[self.last]

    @property
    def labels(self) -> list[str]:
        """(N,) the dates as hovering names them, with hours where any bar has them."""
        intraday = is_intraday(self.index)
        return [date(moment, intraday=intraday) for moment in self.dates]

    def firsts(self, values: Any) -> FloatArray:
        """(N,) the value at each slot's first bar from (T,) values."""
        return np.asarray(values, np.float64)[:: self.width]

    def lasts(self, values: Any) -> FloatArray:
        """(N,) the value at each slot's last bar from (T,) values."""
        return np.asarray(values, np.float64)[self.last]

    def reduce(self, values: Any, how: np.ufunc) -> FloatArray:
        """(N,) the values of each slot's bars made one, from (T,) values."""
        starts = np.arange(0, len(self.index), self.width)
        return np.asarray(how.reduceat(np.asarray(values, np.float64), starts))

    def at(self, moment: Any) -> int | None:
        """The slot of a date; None for no date and for one outside the bars."""
        stamp = plain_index(pd.DatetimeIndex([moment]))[0]
        if pd.isna(stamp) or stamp.normalize() > self.index[-1]:
            return None
        position = int(self.index.searchsorted(stamp, side="right")) - 1
        return None if position < 0 else position // self.width
