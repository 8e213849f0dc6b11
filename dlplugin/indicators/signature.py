"""What a function takes, and how written arguments become its inputs and parameters."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, TypeAlias

from dlplugin.errors import ExpressionError, UnknownNameError
from dlplugin.indicators.nodes import Node, Number, is_constant, number_text
from dlplugin.registry import did_you_mean

__all__ = ["AVERAGES", "LONGEST", "Given", "Parameter", "Signature", "Word", "bind", "blamed", "culprit"]

LONGEST = 100_000  # bars; the longest period TA-Lib accepts

AVERAGES: Mapping[str, int] = MappingProxyType(
    {
        "SMA": 0,
        "EMA": 1,
        "WMA": 2,
        "DEMA": 3,
        "TEMA": 4,
        "TRIMA": 5,
        "KAMA": 6,
        "MAMA": 7,
        "T3": 8,
        "HMA": 9,
        "DISABLED": 10,
        "DEFAULT": 11,
        "ZLEMA": 12,
        "RMA": 13,
    }
)
_AVERAGE_NAMES = {code: name for name, code in AVERAGES.items()}


@dataclass(frozen=True)
class Word:
    """A moving average's name, written where a parameter stands: `BBANDS(20, matype=EMA)`."""

    text: str


Given: TypeAlias = Node | Word


@dataclass(frozen=True)
class Parameter:
    """A number that a function takes.

    Attributes:
        name: Its keyword.
        kind: "whole" for a count of bars, "real" for any number, "average" for the kind of a moving
            average, by name or by TA-Lib's number.
        default: What it is when it is not written; None where it must be.
        least: The smallest value allowed.
        most: The largest value allowed.
        meaning: One phrase for lists and screens.
    """

    name: str
    kind: Literal["whole", "real", "average"]
    default: float | None
    least: float
    most: float
    meaning: str

    def value_text(self, value: float) -> str:
        """How a value of this parameter is written."""
        return _AVERAGE_NAMES[int(value)] if self.kind == "average" else number_text(value)

    @property
    def allowed(self) -> str:
        """The allowed values in words: "a whole number from 2 to 100000"."""
        if self.kind == "average":
            return f"one of {', '.join(AVERAGES)}"
        noun = "a whole number" if self.kind == "whole" else "a number"
        return f"{noun} from {number_text(self.least)} to {number_text(self.most)}"

    def read(self, owner: str, given: Given) -> float:
        """The value of what was written.

        Raises:
            ExpressionError: It is no allowed value; the message names `owner`, the function.
        """
        if self.kind == "average" and isinstance(given, Word):
            return AVERAGES[given.text]
        if isinstance(given, Number) and self._allows(given.value):
            return given.value if self.kind == "real" else int(given.value)
        ahead = self.name == "n" and isinstance(given, Number) and given.value < 0
        why = "; bars to come are not known" if ahead else ""
        error = ExpressionError(f"{self.name} of {owner} must be {self.allowed}, not {given.text}{why}")
        raise blamed(error, given)

    def _allows(self, value: float) -> bool:
        whole = self.kind == "real" or value == math.floor(value)
        return whole and self.least <= value <= self.most


@dataclass(frozen=True)
class Signature:
    """What a function takes: inputs first, then parameters.

    Attributes:
        name: The function's name.
        inputs: The names of its inputs.
        defaults: The inputs it has when none is written; empty where they must be written.
        parameters: Its numbers, in order.
        repeats: Whether the last input may be written any number of times.
    """

    name: str
    inputs: tuple[str, ...]
    defaults: tuple[Node, ...]
    parameters: tuple[Parameter, ...]
    repeats: bool = False

    @property
    def usage(self) -> str:
        """How it is written with every default spelled out: `RSI(close, timeperiod=14)`."""
        parts = [step.text for step in self.defaults] or list(self.inputs)
        for each in self.parameters:
            parts.append(
                each.name if each.default is None else f"{each.name}={each.value_text(each.default)}"
            )
        return f"{self.name}({', '.join(parts)})"


def bind(
    signature: Signature, written: Sequence[Given], keywords: Mapping[str, Given]
) -> tuple[tuple[Node, ...], tuple[float, ...]]:
    """Inputs and parameter values from written arguments.

    Inputs come first and are written all or not at all; a function with parameters takes a number
    as a parameter, never as an input. Parameters follow by position or keyword.

    Raises:
        ExpressionError: The arguments do not fit; the message shows what would.
    """
    inputs, rest = _split(signature, written)
    values: dict[str, Given] = {}
    if len(rest) > len(signature.parameters):
        takes = _counted(len(signature.parameters), "parameter")
        raise ExpressionError(f"{signature.name} takes {takes}, not {len(rest)}; write {signature.usage}")
    for parameter, given in zip(signature.parameters, rest, strict=False):
        values[parameter.name] = given
    known = [parameter.name for parameter in signature.parameters]
    for name, given in keywords.items():
        if name not in known:
            hint = did_you_mean(name, known) or ";"
            error = UnknownNameError(
                f"{signature.name} has no parameter {name!r}{hint} write {signature.usage}"
            )
            raise blamed(error, given)
        if name in values:
            raise blamed(ExpressionError(f"{name} of {signature.name} is given twice"), given)
        values[name] = given
    return inputs, tuple(_value(signature, parameter, values) for parameter in signature.parameters)


def _value(signature: Signature, parameter: Parameter, values: Mapping[str, Given]) -> float:
    if parameter.name in values:
        return parameter.read(signature.name, values[parameter.name])
    if parameter.default is None:
        raise ExpressionError(f"{signature.name} needs {parameter.name}; write {signature.usage}")
    return parameter.default


def _split(signature: Signature, written: Sequence[Given]) -> tuple[tuple[Node, ...], Sequence[Given]]:
    wanted = len(signature.inputs)
    if signature.parameters:
        count = next((i for i, given in enumerate(written) if isinstance(given, Number | Word)), len(written))
        count = min(count, wanted)
    else:
        count = len(written)
    if not count and signature.defaults:
        return signature.defaults, written
    inputs = tuple(_input(given) for given in written[:count])
    if count < wanted or (count > wanted and not signature.repeats):
        takes = _counted(wanted, "input") + (" or more" if signature.repeats else "")
        takes += " or none" if signature.defaults else ""
        raise ExpressionError(f"{signature.name} takes {takes}, not {count}; write {signature.usage}")
    if inputs and all(map(is_constant, inputs)):
        texts = ", ".join(step.text for step in inputs)
        raise ExpressionError(
            f"{signature.name} is given {texts}, which uses no column of the bars; write {signature.usage}"
        )
    return inputs, written[count:]


def _input(given: Given) -> Node:
    if isinstance(given, Word):
        error = ExpressionError(f"{given.text} stands where an input belongs; write {given.text}(...)")
        raise blamed(error, given)
    return given


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def blamed(error: ExpressionError, given: object) -> ExpressionError:
    """The error, with the argument at fault beside it, so that its position can be told."""
    error.__dict__["culprit"] = given
    return error


def culprit(error: ExpressionError) -> object:
    """The argument that an error blames; None where it blames the whole call."""
    return error.__dict__.get("culprit")
