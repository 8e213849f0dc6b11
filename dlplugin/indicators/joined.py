"""Values joined by time: another symbol's as of the bar, and columns known only after a delay.

Another symbol's expression is computed on that symbol's own bars, with its own holidays and first
bar, and read as of the bar: its last bar that is not after it. Where the other exchange closes later
on the same date (closes="later"), only bars of earlier dates count. A value older than max_age days
of the calendar is NaN. What the other bar says counts as it is: NaN there is NaN here.
"""

# ruff: noqa: D102 (what a step's methods give is documented once, on Node)

from collections import deque
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, final

import numpy as np

from dlplugin.errors import BarsError
from dlplugin.indicators.nodes import NAN, BarsView, FloatArray, Live, LiveBar, Node, number_text
from dlplugin.indicators.spacing import FirstBars, coarser, interval_text, usual_spacing
from dlplugin.indicators.stream import Root, StreamSet
from dlplugin.indicators.times import DAY, IntArray, clocks, read_delay
from dlplugin.indicators.view import refuse_mixed_zones

__all__ = ["MAX_AGE", "Closes", "Delayed", "Of"]

MAX_AGE = 7.0  # days: a long holiday of the other exchange, and no more
Closes = Literal["same", "later"]


@final
@dataclass(frozen=True)
class Of(Node):
    """An expression of another symbol, joined as of the bar.

    Attributes:
        symbol: The other symbol.
        step: The expression, computed on its bars.
        max_age: Days of the calendar after which its last value no longer counts.
        closes: "later" where the other exchange closes later on the same date: then only its bars of
            earlier dates count.
    """

    symbol: str
    step: Node
    max_age: float = MAX_AGE
    closes: Closes = "same"

    @cached_property
    def text(self) -> str:
        age = number_text(self.max_age)
        return f'of("{self.symbol}", {self.step.text}, max_age={age}, closes="{self.closes}")'

    def elsewhere(self) -> tuple[Node, ...]:
        return (self.step,)

    @property
    def timed(self) -> bool:
        return True

    @property
    def lookback(self) -> int:
        return self.step.warm_up + (self.closes == "later")

    @property
    def settling(self) -> int:
        return self.step.steady - self.step.warm_up

    @property
    def age_limit(self) -> int:
        """`max_age` in nanoseconds."""
        return round(self.max_age * DAY)

    def batch(self, bars: BarsView, *inputs: FloatArray) -> FloatArray:
        other = bars.other(self.symbol)
        self.refuse_coarser(usual_spacing(other.instants), usual_spacing(bars.instants))
        if self.closes == "later":
            found = np.searchsorted(other.walls // DAY, bars.walls // DAY, side="left") - 1
        else:
            found = np.searchsorted(other.instants, bars.instants, side="right") - 1
        return _as_of(other.values(self.step), other.instants, found, bars.instants - self.age_limit)

    def live(self) -> Live:
        return _LiveOf(self)

    def refuse_coarser(self, theirs: int | None, own: int | None) -> None:
        """Refuses bars that say at their time what is known only later.

        Raises:
            BarsError: The other's bars are further apart than the own ones.
        """
        if not coarser(theirs, own) or theirs is None or own is None:
            return
        if theirs <= DAY and self.closes == "later":
            return
        right = (
            'write closes="later"' if theirs == DAY else f"give {self.symbol} bars as fine as the own ones"
        )
        raise BarsError(
            f"the bars of {self.symbol!r} are {interval_text(theirs)} apart, the own ones {interval_text(own)}: "
            f"at their time they are not known yet; {right}"
        )


def _as_of(values: FloatArray, instants: IntArray, found: IntArray, oldest: IntArray) -> FloatArray:
    joined = np.full(len(found), NAN)
    known = found >= 0
    known[known] = instants[found[known]] >= oldest[known]
    joined[known] = values[found[known]]
    return joined


class _LiveOf:
    """The other symbol's stream, and its values that are not yet known at the own bar."""

    def __init__(self, step: Of) -> None:
        self.symbol = step.symbol
        self._step = step
        self._stream = StreamSet((Root(step.step),))
        self._waiting: deque[tuple[int, int, float]] = deque()  # instant, date, value
        self._last: tuple[int, float] | None = None
        self._newest: int | None = None
        self._theirs, self._own, self._judged = FirstBars(), FirstBars(), False
        self._zone: tuple[object] | None = None

    def take(self, bar: LiveBar) -> None:
        if bar.time is None:
            raise BarsError(f"a bar of {self.symbol!r} needs its time, but none was given")
        instant, wall = clocks(bar.time)
        if self._newest is not None and instant <= self._newest:
            raise BarsError(f"the bar of {self.symbol!r} at {bar.time} is not after the one before it")
        value = float(self._stream.update(bar.values, bar.time)[0])
        self._newest, self._zone = instant, (bar.time.tzinfo,)
        self._theirs.take(instant)
        self._waiting.append((instant, wall // DAY, value))

    def update(self, bar: LiveBar) -> float:
        instant, date = self._clock(bar)
        if not self._judged:
            self._own.take(instant)
            if self._own.full and self._theirs.full:
                self._judged = True
                self._step.refuse_coarser(self._theirs.spacing, self._own.spacing)
        while self._waiting and self._known(self._waiting[0], instant, date):
            there, _, value = self._waiting.popleft()
            self._last = there, value
        return self._young(self._last, instant)

    def peek(self, bar: LiveBar) -> float:
        instant, date = self._clock(bar)
        last = self._last
        for waiting in self._waiting:
            if not self._known(waiting, instant, date):
                break
            last = waiting[0], waiting[2]
        return self._young(last, instant)

    def copy(self) -> "_LiveOf":
        twin = _LiveOf(self._step)
        twin._stream, twin._waiting = self._stream.copy(), self._waiting.copy()
        twin._last, twin._newest, twin._zone = self._last, self._newest, self._zone
        twin._theirs, twin._own, twin._judged = self._theirs.copy(), self._own.copy(), self._judged
        return twin

    def _clock(self, bar: LiveBar) -> tuple[int, int]:
        assert bar.time is not None  # StreamSet refuses it before
        if self._zone is not None:
            refuse_mixed_zones(self.symbol, self._zone[0], bar.time.tzinfo)
        instant, wall = clocks(bar.time)
        return instant, wall // DAY

    def _known(self, waiting: tuple[int, int, float], instant: int, date: int) -> bool:
        return waiting[1] < date if self._step.closes == "later" else waiting[0] <= instant

    def _young(self, last: tuple[int, float] | None, instant: int) -> float:
        return NAN if last is None or last[0] < instant - self._step.age_limit else last[1]


@final
@dataclass(frozen=True)
class Delayed(Node):
    """What is known of a step only some time after its bar: its last value that old.

    Attributes:
        step: The step, such as a column of earnings.
        delay: Calendar time as text, such as "2d".
    """

    step: Node
    delay: str

    @cached_property
    def text(self) -> str:
        return f'delayed({self.step.text}, "{self.delay}")'

    @cached_property
    def nanoseconds(self) -> int:
        """The delay."""
        return read_delay(self.delay)

    def operands(self) -> tuple[Node, ...]:
        return (self.step,)

    @property
    def timed(self) -> bool:
        return True

    @property
    def lookback(self) -> int:
        return 1

    def batch(self, bars: BarsView, *inputs: FloatArray) -> FloatArray:
        known = bars.instants - self.nanoseconds
        found = np.searchsorted(bars.instants, known, side="right") - 1
        return _as_of(inputs[0], bars.instants, found, np.full_like(known, np.iinfo(np.int64).min))

    def live(self) -> Live:
        return _LiveDelayed(self.nanoseconds)


class _LiveDelayed:
    """The values whose delay is not over."""

    def __init__(self, delay: int) -> None:
        self._delay = delay
        self._waiting: deque[tuple[int, float]] = deque()
        self._last = NAN

    def update(self, bar: LiveBar, value: float) -> float:
        known = self._known(bar)
        while self._waiting and self._waiting[0][0] <= known:
            self._last = self._waiting.popleft()[1]
        self._waiting.append((known + self._delay, value))
        return self._last

    def peek(self, bar: LiveBar, value: float) -> float:
        known, last = self._known(bar), self._last
        for instant, waiting in self._waiting:
            if instant > known:
                break
            last = waiting
        return last

    def copy(self) -> "_LiveDelayed":
        twin = _LiveDelayed(self._delay)
        twin._waiting, twin._last = self._waiting.copy(), self._last
        return twin

    def _known(self, bar: LiveBar) -> int:
        assert bar.time is not None  # StreamSet refuses it before
        return clocks(bar.time)[0] - self._delay
