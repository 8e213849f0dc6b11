"""The lower-case built-in functions: elementwise, over the last n bars, and of the calendar."""

# ruff: noqa: D102 (what a step's methods give is documented once, on Node)

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, reduce
from types import MappingProxyType
from typing import Any, final

import numpy as np
import talib

from dlplugin.errors import BarsError
from dlplugin.indicators.calls import TalibCall
from dlplugin.indicators.nodes import NAN, BarsView, FloatArray, Live, LiveBar, Node, Stateless
from dlplugin.indicators.windows import by_stretch

__all__ = ["CALENDAR", "ELEMENTWISE", "WINDOWED", "Calendar", "Elementwise", "Windowed", "ZScore"]


def _log(value: float) -> float:
    # numpy's vector code differs from the C library's log in the last bit: TA-Lib's loop serves both
    return float(talib.LN(np.array([value]))[0])


def _signs(values: FloatArray) -> FloatArray:
    signs = (values > 0).astype(np.float64) - (values < 0)
    return np.where(np.isnan(values), NAN, signs)


def _sign(value: float) -> float:
    return value if value != value else float((value > 0) - (value < 0))


def _least(left: FloatArray, right: FloatArray) -> FloatArray:
    return np.where((left <= right) | np.isnan(left), left, right)


def _greatest(left: FloatArray, right: FloatArray) -> FloatArray:
    return np.where((left >= right) | np.isnan(left), left, right)


def _lesser(left: float, right: float) -> float:
    return left if left <= right or left != left else right


def _greater(left: float, right: float) -> float:
    return left if left >= right or left != left else right


@dataclass(frozen=True)
class _Kernel:
    arrays: Callable[..., FloatArray]
    floats: Callable[..., float]


ELEMENTWISE: Mapping[str, _Kernel] = MappingProxyType(
    {
        "log": _Kernel(talib.LN, _log),
        "abs": _Kernel(np.abs, abs),
        "sign": _Kernel(_signs, _sign),
        "min": _Kernel(lambda *values: reduce(_least, values), lambda *values: reduce(_lesser, values)),
        "max": _Kernel(lambda *values: reduce(_greatest, values), lambda *values: reduce(_greater, values)),
    }
)


@final
@dataclass(frozen=True)
class Elementwise(Node):
    """A function of the values of one bar; NaN where one of them is.

    Attributes:
        name: A key of `ELEMENTWISE`.
        inputs: One step, or several for min and max.
    """

    name: str
    inputs: tuple[Node, ...]

    @cached_property
    def text(self) -> str:
        return f"{self.name}({', '.join(step.text for step in self.inputs)})"

    def operands(self) -> tuple[Node, ...]:
        return self.inputs

    def batch(self, bars: BarsView, *inputs: FloatArray) -> FloatArray:
        return ELEMENTWISE[self.name].arrays(*inputs)

    def live(self) -> Live:
        function = ELEMENTWISE[self.name].floats
        return Stateless(lambda bar, *values: function(*values))


def _lagged(values: FloatArray, n: int) -> FloatArray:
    return np.concatenate((np.full(n, NAN), values[:-n]))


def _ranked(values: FloatArray, n: int) -> FloatArray:
    below, equal = np.zeros(len(values)), np.zeros(len(values))
    for back in range(1, n):
        earlier, now = values[:-back], values[back:]
        below[back:] += earlier < now
        equal[back:] += earlier == now
    return (below + 0.5 * equal) / (n - 1)


@dataclass(frozen=True)
class _Windowed:
    bars_back: int  # of n, how many bars the first value comes later: 0 for n itself, 1 for n - 1
    arrays: Callable[[FloatArray, int], FloatArray]
    floats: Callable[[float, "deque[float]", int], float]


def _ratio(now: float, before: float) -> float:
    return now / before - 1.0 if before else NAN


def _rank(now: float, earlier: "deque[float]", n: int) -> float:
    others = np.array(earlier)
    below, equal = np.count_nonzero(others < now), np.count_nonzero(others == now)
    return float((below + 0.5 * equal) / (n - 1))


WINDOWED: Mapping[str, _Windowed] = MappingProxyType(
    {
        "lag": _Windowed(0, _lagged, lambda now, earlier, n: earlier[0]),
        "diff": _Windowed(0, lambda x, n: x - _lagged(x, n), lambda now, earlier, n: now - earlier[0]),
        "pct_change": _Windowed(
            0, lambda x, n: x / _lagged(x, n) - 1.0, lambda now, earlier, n: _ratio(now, earlier[0])
        ),
        "rank": _Windowed(1, _ranked, _rank),
    }
)


@final
@dataclass(frozen=True)
class Windowed(Node):
    """A function of the value now and the values of the bars before.

    Attributes:
        name: A key of `WINDOWED`.
        operand: The step.
        n: Bars.
    """

    name: str
    operand: Node
    n: int

    @cached_property
    def text(self) -> str:
        return f"{self.name}({self.operand.text}, n={self.n})"

    def operands(self) -> tuple[Node, ...]:
        return (self.operand,)

    @property
    def lookback(self) -> int:
        return self.n - WINDOWED[self.name].bars_back

    def batch(self, bars: BarsView, *inputs: FloatArray) -> FloatArray:
        function = WINDOWED[self.name].arrays
        return by_stretch(lambda values: function(values, self.n), inputs, self.lookback)

    def live(self) -> Live:
        return _Window(WINDOWED[self.name].floats, self.lookback, self.n)


class _Window:
    """The values of the last bars, forgotten at a NaN."""

    def __init__(
        self, function: Callable[[float, "deque[float]", int], float], lookback: int, n: int
    ) -> None:
        self._function, self._lookback, self._n = function, lookback, n
        self._earlier: deque[float] = deque(maxlen=lookback)

    def update(self, bar: LiveBar, value: float) -> float:
        reading = self.peek(bar, value)
        if value != value:
            self._earlier.clear()
        else:
            self._earlier.append(value)
        return reading

    def peek(self, bar: LiveBar, value: float) -> float:
        if value != value or len(self._earlier) < self._lookback:
            return NAN
        return self._function(value, self._earlier, self._n)

    def copy(self) -> "_Window":
        twin = _Window(self._function, self._lookback, self._n)
        twin._earlier.extend(self._earlier)
        return twin


@final
@dataclass(frozen=True)
class ZScore(Node):
    """How many standard deviations a value lies from the mean of the last n, itself included.

    Computed from TA-Lib's SMA and STDDEV, whose variance divides by n; NaN where the last n values
    are all equal.

    Attributes:
        operand: The step.
        n: Bars.
    """

    operand: Node
    n: int

    @cached_property
    def text(self) -> str:
        return f"zscore({self.operand.text}, n={self.n})"

    @cached_property
    def _steps(self) -> tuple[Node, ...]:
        one = (self.operand,)
        return (self.operand, TalibCall("SMA", one, (self.n,)), TalibCall("STDDEV", one, (self.n, 1.0)))

    def operands(self) -> tuple[Node, ...]:
        return self._steps

    def batch(self, bars: BarsView, *inputs: FloatArray) -> FloatArray:
        values, mean, deviation = inputs
        return (values - mean) / deviation

    def live(self) -> Live:
        return Stateless(lambda bar, value, mean, deviation: (value - mean) / deviation if deviation else NAN)


@dataclass(frozen=True)
class _CalendarField:
    indexes: Callable[[Any], Any]
    times: Callable[[datetime], int]


CALENDAR: Mapping[str, _CalendarField] = MappingProxyType(
    {
        "day_of_week": _CalendarField(lambda index: index.day_of_week, lambda time: time.weekday()),
        "month": _CalendarField(lambda index: index.month, lambda time: time.month),
    }
)


@final
@dataclass(frozen=True)
class Calendar(Node):
    """A number of the bar's own time.

    Attributes:
        name: day_of_week (Monday is 0) or month (January is 1).
    """

    name: str

    @property
    def text(self) -> str:
        return self.name

    def batch(self, bars: BarsView, *inputs: FloatArray) -> FloatArray:
        return np.asarray(CALENDAR[self.name].indexes(bars.times()), dtype=np.float64)

    def live(self) -> Live:
        field, name = CALENDAR[self.name].times, self.name

        def read(bar: LiveBar) -> float:
            if bar.time is None:
                raise BarsError(f"{name} needs the time of the bar, but none was given")
            return float(field(bar.time))

        return Stateless(read)
