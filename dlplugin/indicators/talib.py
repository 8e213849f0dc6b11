"""What TA-Lib says about its functions, and their values on whole histories."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any

import numpy as np
import talib
import talib.stream
from talib import abstract

from dlplugin.indicators.descriptions import parameter_meaning
from dlplugin.indicators.nodes import NAN, Column, FloatArray
from dlplugin.indicators.signature import AVERAGES, LONGEST, Parameter, Signature

__all__ = ["FUNCTIONS", "TalibFunction", "talib_function"]

_Abstract: Any = abstract.Function  # type: ignore[attr-defined]  # TA-Lib's stub leaves it out
_LARGEST = 3e37  # TA-Lib's bound of a real parameter
_REAL_RANGES: Mapping[str, tuple[float, float]] = MappingProxyType(
    {
        "fastlimit": (0.01, 0.99),
        "nbdev": (-_LARGEST, _LARGEST),
        "nbdevdn": (-_LARGEST, _LARGEST),
        "nbdevup": (-_LARGEST, _LARGEST),
        "percentile": (0.0, 100.0),
        "slowlimit": (0.01, 0.99),
        "startvalue": (-_LARGEST, _LARGEST),
        "vfactor": (0.0, 1.0),
    }
)


@dataclass(frozen=True)
class TalibFunction:
    """One function of TA-Lib.

    Attributes:
        name: Its upper-case name.
        group: TA-Lib's group of functions.
        signature: Its inputs and parameters.
        outputs: The names of its outputs; ("real",) or ("integer",) where there is one.
        flagged: Whether TA-Lib itself flags it as having an unstable period.
        whole: Whether any output is of whole numbers, for which TA-Lib writes 0 in the warm-up.
        compute: Values of whole histories.
        handle: The class of its handles.
    """

    name: str
    group: str
    signature: Signature
    outputs: tuple[str, ...]
    flagged: bool
    whole: bool
    compute: Callable[..., Any]
    handle: Any

    def arguments(self, parameters: Sequence[float]) -> tuple[float, ...]:
        """Parameter values as TA-Lib wants them: ints for periods, floats for the rest."""
        kinds = (parameter.kind for parameter in self.signature.parameters)
        return tuple(
            float(value) if kind == "real" else int(value)
            for kind, value in zip(kinds, parameters, strict=True)
        )

    def lookback(self, parameters: Sequence[float]) -> int:
        """Bars before the first value; -1 where TA-Lib refuses the parameters."""
        function = _Abstract(self.name)
        names = (parameter.name for parameter in self.signature.parameters)
        function.parameters = dict(zip(names, self.arguments(parameters), strict=True))
        return int(function.lookback)

    def values(self, parameters: Sequence[float], inputs: Sequence[FloatArray], skip: int) -> FloatArray:
        """(L,) or (outputs, L) values of (L,) inputs that are finite but for leading NaN.

        Args:
            parameters: One value each.
            inputs: One array each.
            skip: Leading bars without a value.
        """
        computed = self.compute(*inputs, *self.arguments(parameters))
        values: FloatArray = np.asarray(computed, dtype=np.float64)
        if self.whole:
            values[..., :skip] = NAN
        return values


FUNCTIONS: tuple[str, ...] = tuple(talib.get_functions())  # type: ignore[no-untyped-call]


@cache
def talib_function(name: str) -> TalibFunction:
    """TA-Lib's function of that name, which must be one of `FUNCTIONS`."""
    function = _Abstract(name)
    info = function.info
    inputs = [column for value in info["input_names"].values() for column in _listed(value)]
    given = all(column in ("open", "high", "low", "close", "volume") for column in inputs)
    wrapped = getattr(talib, name)
    return TalibFunction(
        name=name,
        group=info["group"],
        signature=Signature(
            name=name,
            inputs=tuple(inputs),
            defaults=tuple(map(Column, inputs)) if given else (),
            parameters=tuple(_parameter(name, key, value) for key, value in info["parameters"].items()),
        ),
        outputs=tuple(info["output_names"]),
        flagged="Function has an unstable period" in info["function_flags"],
        whole=_writes_whole_numbers(name, info["output_names"]),
        compute=getattr(wrapped, "__wrapped__", wrapped),  # without the layer that looks for pandas
        handle=getattr(talib.stream, name),
    )


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def _writes_whole_numbers(name: str, outputs: Sequence[str]) -> bool:
    return "integer" in outputs or name in ("FRACTAL", "MINMAXINDEX", "SUPERTREND")


def _parameter(function: str, name: str, default: Any) -> Parameter:
    meaning = parameter_meaning(function, name)
    if "matype" in name:
        return Parameter(name, "average", default, 0, len(AVERAGES) - 1, meaning)
    if isinstance(default, float):
        least, most = _REAL_RANGES.get(name, (0.0, _LARGEST))
        return Parameter(name, "real", default, least, most, meaning)
    single = _Abstract(function)
    single.parameters = {name: 1}
    return Parameter(name, "whole", default, 1 if single.lookback >= 0 else 2, LONGEST, meaning)
