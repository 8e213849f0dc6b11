"""TA-Lib's functions as steps of an expression, and their handles bar by bar."""

# ruff: noqa: D102 (what a step's methods give is documented once, on Node)

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, final

import numpy as np

from dlplugin.errors import ExpressionError
from dlplugin.indicators.nodes import (
    NAN,
    BarsView,
    FloatArray,
    Live,
    LiveBar,
    Node,
    Reading,
    Stateless,
)
from dlplugin.indicators.settling import measured_settling
from dlplugin.indicators.signature import AVERAGES
from dlplugin.indicators.talib import TalibFunction, talib_function
from dlplugin.indicators.windows import finite_stretches

__all__ = ["FADING", "Pick", "TalibCall"]

FADING = frozenset(
    [
        *("ADOSC", "ADX", "ADXR", "ATR", "CMO", "CVI", "DEMA", "DX", "EFI", "EMA", "ERI", "HA"),
        *("HT_DCPERIOD", "HT_DCPHASE", "HT_PHASOR", "HT_SINE", "HT_TRENDLINE", "HT_TRENDMODE"),
        *("KAMA", "KC", "MACD", "MACDFIX", "MAMA", "MASSI", "MINUS_DI", "MINUS_DM", "NATR", "PLUS_DI"),
        *("PLUS_DM", "RMA", "RSI", "RVI", "SAR", "SAREXT", "SMI", "STOCHRSI", "SUPERTREND", "T3", "TEMA"),
        *("TRIX", "TSI", "ZLEMA"),
    ]
)
"""Functions whose first bar fades without ever being forgotten; TA-Lib flags about half of them."""

_WINDOWED_AVERAGES = frozenset(AVERAGES[name] for name in ("SMA", "WMA", "TRIMA", "HMA", "DISABLED"))


@lru_cache(maxsize=4096)
def _settling(name: str, parameters: tuple[float, ...]) -> int:
    function = talib_function(name)
    lookback = function.lookback(parameters)
    return measured_settling(
        lambda *inputs: function.values(parameters, inputs, lookback), function.signature.inputs, lookback
    )


@final
@dataclass(frozen=True)
class TalibCall(Node):
    """A function of TA-Lib on its inputs; where it has several outputs, `Pick` takes one.

    Attributes:
        name: The function's name.
        inputs: The steps it is computed from.
        parameters: One value each, in the signature's order.

    Raises:
        ExpressionError: TA-Lib cannot compute it with these parameters together.
    """

    name: str
    inputs: tuple[Node, ...]
    parameters: tuple[float, ...]

    def __post_init__(self) -> None:
        if self.lookback < 0:
            written = ", ".join(self._parameter_texts())
            raise ExpressionError(f"TA-Lib cannot compute {self.name} with {written}")

    @cached_property
    def function(self) -> TalibFunction:
        """What TA-Lib says about the function."""
        return talib_function(self.name)

    @cached_property
    def text(self) -> str:
        parts = [step.text for step in self.inputs] + self._parameter_texts()
        return f"{self.name}({', '.join(parts)})"

    def _parameter_texts(self) -> list[str]:
        pairs = zip(self.function.signature.parameters, self.parameters, strict=True)
        return [f"{parameter.name}={parameter.value_text(value)}" for parameter, value in pairs]

    def operands(self) -> tuple[Node, ...]:
        return self.inputs

    @cached_property
    def lookback(self) -> int:
        return self.function.lookback(self.parameters)

    @property
    def fades(self) -> bool:
        """Whether its past fades without ever being forgotten, by itself or by its averages."""
        pairs = zip(self.function.signature.parameters, self.parameters, strict=True)
        averages = (value for parameter, value in pairs if parameter.kind == "average")
        return self.name in FADING or any(value not in _WINDOWED_AVERAGES for value in averages)

    @cached_property
    def settling(self) -> int:
        return _settling(self.name, self.parameters) if self.fades else 0

    def batch(self, bars: BarsView, *inputs: FloatArray) -> FloatArray:
        function, lookback, length = self.function, self.lookback, len(inputs[0])
        stretches = finite_stretches(inputs)
        if len(stretches) == 1 and stretches[0][1] == length > stretches[0][0] + lookback:
            # TA-Lib skips leading NaN itself
            return function.values(self.parameters, inputs, stretches[0][0] + lookback)
        outputs = len(function.outputs)
        values = np.full((outputs, length) if outputs > 1 else length, NAN)
        for start, stop in stretches:
            if stop - start > lookback:
                part = [array[start:stop] for array in inputs]
                values[..., start:stop] = function.values(self.parameters, part, lookback)
        return values

    def live(self) -> Live:
        return _Handle(self.function, self.function.arguments(self.parameters), self.lookback)


class _Handle:
    """TA-Lib's own handle, opened once its lookback is filled, dropped at a NaN."""

    def __init__(self, function: TalibFunction, arguments: tuple[float, ...], lookback: int) -> None:
        self._function, self._arguments, self._lookback = function, arguments, lookback
        self._handle: Any = None
        self._history: list[tuple[float, ...]] = []
        outputs = len(function.outputs)
        self._missing: Reading = (NAN,) * outputs if outputs > 1 else NAN

    def update(self, bar: LiveBar, *inputs: float) -> Reading:
        total = sum(inputs)
        if total != total:  # a NaN among them: values are too small for their sum to overflow
            self._handle = None
            self._history.clear()
            return self._missing
        if self._handle is not None:
            return self._reading(self._handle.update(*inputs))
        self._history.append(inputs)
        if len(self._history) <= self._lookback:
            return self._missing
        self._handle = self._opened(self._history)
        self._history.clear()
        return self._reading(self._handle.value)

    def peek(self, bar: LiveBar, *inputs: float) -> Reading:
        total = sum(inputs)
        if total != total:
            return self._missing
        if self._handle is not None:
            return self._reading(self._handle.peek(*inputs))
        if len(self._history) < self._lookback:
            return self._missing
        return self._reading(self._opened([*self._history, inputs]).value)

    def copy(self) -> "_Handle":
        twin = _Handle(self._function, self._arguments, self._lookback)
        twin._handle = None if self._handle is None else self._handle.copy()
        twin._history = list(self._history)
        return twin

    def _opened(self, history: Sequence[tuple[float, ...]]) -> Any:
        columns = np.array(history, dtype=np.float64).T
        return self._function.handle(*map(np.ascontiguousarray, columns), *self._arguments)

    def _reading(self, value: Reading) -> Reading:
        if not self._function.whole:
            return value
        return tuple(map(float, value)) if isinstance(value, tuple) else float(value)


@final
@dataclass(frozen=True)
class Pick(Node):
    """One output of a function that has several.

    Attributes:
        call: The function on its inputs.
        output: TA-Lib's name of the output.
    """

    call: TalibCall
    output: str

    @cached_property
    def text(self) -> str:
        return f"{self.call.text}.{self.output}"

    def operands(self) -> tuple[Node, ...]:
        return (self.call,)

    @property
    def _index(self) -> int:
        return self.call.function.outputs.index(self.output)

    def batch(self, bars: BarsView, *inputs: FloatArray) -> FloatArray:
        return inputs[0][self._index]  # type: ignore[no-any-return]

    def live(self) -> Live:
        index = self._index
        return Stateless(lambda bar, outputs: outputs[index])
