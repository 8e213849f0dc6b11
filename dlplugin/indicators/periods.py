"""Other timeframes: an expression on weeks, days or months made of the symbol's own bars.

A period's bar has the open of its first bar, the highest high, the lowest low, the sum of the
volumes, and of close and all other columns the last bar's; its time is that of its last bar. A NaN
inside a period is NaN in its high, low and volume.

A period is over when a bar of a later one has arrived: at Friday's close the week does not count
yet, at Monday's it does. Which period a bar belongs to is read off its own label (weeks begin on
Monday, days at midnight). The first period counts even where the history begins in the middle of it.
"""

# ruff: noqa: D102 (what a step's methods give is documented once, on Node)

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, final

import numpy as np

from dlplugin.errors import BarsError
from dlplugin.indicators.nodes import LIMIT, NAN, BarsView, FloatArray, Live, LiveBar, Node
from dlplugin.indicators.spacing import FIRST_BARS
from dlplugin.indicators.stream import Root, StreamSet
from dlplugin.indicators.times import IntArray, Timeframe, clocks
from dlplugin.indicators.view import bounded

if TYPE_CHECKING:
    from datetime import datetime

    import pandas as pd

__all__ = ["On"]


@final
@dataclass(frozen=True)
class On(Node):
    """An expression on completed periods: its value in the last period that is over.

    Attributes:
        timeframe: The periods.
        step: The expression.
    """

    timeframe: Timeframe
    step: Node

    @cached_property
    def text(self) -> str:
        return f'on("{self.timeframe.text}", {self.step.text})'

    def elsewhere(self) -> tuple[Node, ...]:
        return (self.step,)

    @property
    def timed(self) -> bool:
        return True

    @property
    def lookback(self) -> int:
        """An estimate from usual periods: weeks of 5 bars, months of 20, days of 7."""
        return (self.step.warm_up + 1) * self.timeframe.usual_bars

    @property
    def settling(self) -> int:
        return (self.step.steady - self.step.warm_up) * self.timeframe.usual_bars

    @cached_property
    def columns(self) -> frozenset[str]:
        return self.step.columns

    def batch(self, bars: BarsView, *inputs: FloatArray) -> FloatArray:
        if not bars.length:
            return np.empty(0)
        numbers = self.timeframe.periods(bars.walls)
        begins = np.flatnonzero(np.diff(numbers, prepend=numbers[0] - 1))
        if len(begins) >= FIRST_BARS and begins[FIRST_BARS - 1] == FIRST_BARS - 1:
            raise self.not_coarser()
        over = bars.derived(f" {self.timeframe.text}", lambda: _completed(bars, begins))
        before = np.repeat(np.arange(len(begins)), np.diff(begins, append=bars.length)) - 1
        return np.concatenate((over.values(self.step), [NAN]))[before]  # -1: none is over yet

    def live(self) -> Live:
        return _LiveOn(self)

    def not_coarser(self) -> BarsError:
        """The error for bars that are as far apart as the periods."""
        name = self.timeframe.text
        return BarsError(
            f'on("{name}", ...) needs several bars in {name}, but the first {FIRST_BARS} bars lie in '
            f"{FIRST_BARS} of them; write a longer timeframe"
        )


def _completed(bars: BarsView, begins: IntArray) -> "pd.DataFrame":
    """The bars of all periods but the last, which is not over."""
    import pandas as pd

    ends = begins[1:]
    starts = begins[:-1]
    owner = np.repeat(np.arange(len(starts)), ends - starts)
    columns = {}
    for name in bars.column_names:
        values = bounded(bars.column(name))[: ends[-1] if len(ends) else 0]
        if not len(starts):
            columns[name] = values
        elif name == "open":
            columns[name] = values[starts]
        elif name == "high":
            columns[name] = np.maximum.reduceat(values, starts)
        elif name == "low":
            columns[name] = np.minimum.reduceat(values, starts)
        elif name == "volume":  # added one after the other, as a stream adds them
            columns[name] = np.bincount(owner, values, minlength=len(starts)).astype(np.float64)
        else:
            columns[name] = values[ends - 1]
    return pd.DataFrame(columns, index=bars.times()[ends - 1])


class _LiveOn:
    """The period under way, and the stream over those that are over."""

    def __init__(self, step: On) -> None:
        self._step = step
        self._names = sorted(step.columns)
        self._stream = StreamSet((Root(step.step),))
        self._period: int | None = None
        self._forming: dict[str, float] = {}
        self._time: datetime | None = None
        self._value = NAN
        self._bars, self._periods = 0, 0

    def update(self, bar: LiveBar) -> float:
        period = self._period_of(bar)
        self._bars += 1
        if period == self._period:
            self._forming = {name: _merged(name, self._forming[name], bar) for name in self._names}
        else:
            self._periods += 1
            if self._periods == self._bars == FIRST_BARS:
                raise self._step.not_coarser()
            if self._period is not None:
                self._value = float(self._stream.update(self._forming, self._time)[0])
            self._period = period
            self._forming = {name: _finite(name, bar) + 0.0 for name in self._names}
        self._time = bar.time
        return self._value

    def peek(self, bar: LiveBar) -> float:
        if self._period is None or self._period_of(bar) == self._period:
            return self._value
        return float(self._stream.peek(self._forming, self._time)[0])

    def copy(self) -> "_LiveOn":
        twin = _LiveOn(self._step)
        twin._stream = self._stream.copy()
        twin._period, twin._forming, twin._time = self._period, dict(self._forming), self._time
        twin._value, twin._bars, twin._periods = self._value, self._bars, self._periods
        return twin

    def _period_of(self, bar: LiveBar) -> int:
        assert bar.time is not None  # StreamSet refuses it before
        return self._step.timeframe.period(clocks(bar.time)[1])


def _finite(name: str, bar: LiveBar) -> float:
    value = float(bar.values[name])
    return value if -LIMIT <= value <= LIMIT else NAN


def _merged(name: str, before: float, bar: LiveBar) -> float:
    if name == "open":
        return before
    now = _finite(name, bar)
    if name == "volume":
        return before + now
    if name in ("high", "low"):
        if before != before or now != now:
            return NAN
        return max(before, now) if name == "high" else min(before, now)
    return now
