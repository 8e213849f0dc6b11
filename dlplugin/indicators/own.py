"""Functions of a user's own as steps of an expression: of whole histories, or of the last n bars.

With a lookback of n bars the value of a bar is the function's last value on the n bars up to it, in
batch as bar by bar. The batch takes one pass over the whole history where that gives the same bits,
which is tried out on made-up bars, and else asks the function bar by bar. Without a lookback its
value is its last value on all bars up to then; a stream has to compute them all again at each bar.
"""

# ruff: noqa: D102 (what a step's methods give is documented once, on Node)

import warnings
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, final

import numpy as np

from dlplugin.errors import DLPluginWarning, ExpressionError
from dlplugin.indicators.nodes import LIMIT, NAN, BarsView, FloatArray, Live, LiveBar, Node
from dlplugin.indicators.signature import Parameter
from dlplugin.indicators.slow import remembered

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["OwnCall", "OwnFunction", "Trial"]

Lookback = int | Callable[..., int] | None


@dataclass(frozen=True)
class Trial:
    """What was found by trying a function with one set of parameters.

    Attributes:
        window: The n of its lookback; None without one.
        warm_up: Leading bars without a value.
        settling: Bars after that until an earlier first bar no longer matters.
        one_pass: Whether one pass over the whole history has the bits of each bar's own n bars.
    """

    window: int | None
    warm_up: int
    settling: int
    one_pass: bool


@final
@dataclass(frozen=True)
class OwnFunction:
    """A registered function.

    Attributes:
        name: What expressions call it.
        function: From a frame of bars and its parameters to one value a bar.
        columns: The columns of the frame it is given, in order.
        parameters: Its keyword parameters.
        lookback: How many bars it needs, or a function of its parameters that says so, or None.
        check: Whether it was tried before it was let in.
        sha256: Of its source.
        module: Where it is defined.
        description: One sentence.
        trial: Tries it with parameters; raises what is wrong with it.
    """

    name: str
    function: Callable[..., Any]
    columns: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    lookback: Lookback
    check: bool
    sha256: str
    module: str
    description: str
    trial: "Callable[[OwnFunction, tuple[float, ...]], Trial]" = field(compare=False, repr=False)

    def arguments(self, values: Sequence[float]) -> dict[str, float]:
        """Parameter values by name: ints for whole numbers."""
        pairs = zip(self.parameters, values, strict=True)
        return {each.name: int(value) if each.kind == "whole" else float(value) for each, value in pairs}

    def values(self, frame: "pd.DataFrame", parameters: Sequence[float]) -> FloatArray:
        """(T,) values over a frame, which the function may spoil.

        Raises:
            ExpressionError: It fails, or does not give one number for each bar.
        """
        bars = len(frame)
        try:
            given = self.function(frame, **self.arguments(parameters))
        except KeyError as error:
            raise ExpressionError(
                f"indicator {self.name!r} finds no {error}; it is given the columns {', '.join(self.columns)}, "
                "others must be declared: @dl.indicator(columns=[...])"
            ) from error
        except Exception as error:  # whatever a user's function raises
            reason = " ".join(str(error).split()) or "no reason given"
            raise ExpressionError(
                f"indicator {self.name!r} fails on {bars} bars: {type(error).__name__}: {reason}"
            ) from error
        return self._checked(given, bars)

    def _checked(self, given: Any, bars: int) -> FloatArray:
        values = np.asarray(given)
        if values.shape != (bars,):
            shape = " x ".join(map(str, values.shape)) or "one"
            raise ExpressionError(
                f"indicator {self.name!r} gives {shape} values for {bars} bars; it must give one a bar"
            )
        if values.dtype.kind not in "fiub":
            raise ExpressionError(
                f"indicator {self.name!r} gives values of type {values.dtype}; it must give numbers"
            )
        return values.astype(np.float64)

    def last_value(self, frame: "pd.DataFrame", parameters: Sequence[float]) -> float:
        """The value of the last bar of a frame."""
        value = float(self.values(frame, parameters)[-1])
        return value if -LIMIT <= value <= LIMIT else NAN


@final
@dataclass(frozen=True)
class OwnCall(Node):
    """A function of a user's own on the bars.

    Attributes:
        name: Its name.
        parameters: One value each, in its own order.
        function: The function as it was registered when the expression was read.

    Raises:
        ExpressionError: Tried with these parameters it looks ahead, fails or needs more bars.
    """

    name: str
    parameters: tuple[float, ...]
    function: OwnFunction = field(compare=False, repr=False)

    def __post_init__(self) -> None:
        self._trial  # noqa: B018  # what is wrong with it is told when it is written, not when it runs

    @cached_property
    def _trial(self) -> Trial:
        return self.function.trial(self.function, self.parameters)

    @cached_property
    def text(self) -> str:
        pairs = zip(self.function.parameters, self.parameters, strict=True)
        return f"{self.name}({', '.join(f'{each.name}={each.value_text(value)}' for each, value in pairs)})"

    @cached_property
    def columns(self) -> frozenset[str]:
        return frozenset(self.function.columns)

    @property
    def timed(self) -> bool:
        return True

    @property
    def lookback(self) -> int:
        return self._trial.warm_up

    @property
    def settling(self) -> int:
        return self._trial.settling

    @property
    def fades(self) -> bool:
        """Whether bars before its warm-up may matter."""
        return self._trial.window is None and self._trial.settling > 0

    def batch(self, bars: BarsView, *inputs: FloatArray) -> FloatArray:
        trial, function = self._trial, self.function
        if bars.length < (trial.window or 1):
            return np.full(bars.length, NAN)
        frame = _framed(bars.table(function.columns))
        if trial.window is not None and trial.one_pass:
            values = function.values(frame, self.parameters)
            values[: trial.window - 1] = NAN
            return values
        called = (self.text, str(trial.window), function.sha256)
        return remembered(function.function, called, frame, lambda: self._slow(frame, trial.window))

    def _slow(self, frame: "pd.DataFrame", window: int | None) -> FloatArray:
        """In one pass without a lookback, else bar by bar."""
        if window is None:
            return self.function.values(frame, self.parameters)
        values = np.full(len(frame), NAN)
        for bar in range(window - 1, len(frame)):
            part = frame.iloc[bar - window + 1 : bar + 1].copy()
            values[bar] = self.function.last_value(_framed(part), self.parameters)
        return values

    def live(self) -> Live:
        if self._trial.window is None and self.name not in _warned:
            _warned.add(self.name)
            warnings.warn(
                f"indicator {self.name!r} has no lookback: bar by bar it is computed over all bars again and gets "
                "ever slower; declare how many it needs: @dl.indicator(lookback=...)",
                DLPluginWarning,
                stacklevel=2,
            )
        return _LiveOwn(self, self._trial.window)


_warned: set[str] = set()


class _LiveOwn:
    """The last bars, or all of them, as rows."""

    def __init__(self, call: OwnCall, window: int | None) -> None:
        self._call, self._window = call, window
        self._rows: deque[tuple[float, ...]] = deque(maxlen=window)
        self._times: deque[Any] = deque(maxlen=window)

    def update(self, bar: LiveBar) -> float:
        rows, times = self._with(bar)
        reading = self._reading(rows, times)
        self._rows.append(rows[-1])
        self._times.append(times[-1])
        return reading

    def peek(self, bar: LiveBar) -> float:
        return self._reading(*self._with(bar))

    def copy(self) -> "_LiveOwn":
        twin = _LiveOwn(self._call, self._window)
        twin._rows.extend(self._rows)
        twin._times.extend(self._times)
        return twin

    def _with(self, bar: LiveBar) -> tuple[list[tuple[float, ...]], list[Any]]:
        row = tuple(_finite(bar.values, name) for name in self._call.function.columns)
        rows, times = [*self._rows, row], [*self._times, bar.time]
        first = max(len(rows) - self._window, 0) if self._window is not None else 0
        return rows[first:], times[first:]

    def _reading(self, rows: list[tuple[float, ...]], times: list[Any]) -> float:
        if self._window is not None and len(rows) < self._window:
            return NAN
        import pandas as pd

        frame = pd.DataFrame(
            np.array(rows), index=pd.DatetimeIndex(times), columns=self._call.function.columns
        )
        return self._call.function.last_value(_framed(frame), self._call.parameters)


def _finite(values: Mapping[str, float], name: str) -> float:
    value = float(values[name])
    return value if -LIMIT <= value <= LIMIT else NAN


def _framed(frame: "pd.DataFrame") -> "pd.DataFrame":
    """The frame with its times in the one form that functions are given: "date", in nanoseconds."""
    index = frame.index.as_unit("ns").rename("date")  # type: ignore[attr-defined]
    index.freq = None
    frame.index = index
    return frame
