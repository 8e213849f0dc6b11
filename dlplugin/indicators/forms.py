"""The forms of the language that take text: other symbols, other timeframes and delays."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeAlias, cast

from dlplugin.errors import ExpressionError, UnknownNameError
from dlplugin.indicators.joined import MAX_AGE, Closes, Delayed, Of
from dlplugin.indicators.nodes import Node, Number, is_constant, steps_of
from dlplugin.indicators.periods import On
from dlplugin.indicators.signature import blamed
from dlplugin.indicators.times import Timeframe, read_delay
from dlplugin.registry import did_you_mean

__all__ = ["FORMS", "Argument", "Form", "Text"]

_SYMBOL = re.compile(r"[A-Za-z0-9^=.:/_&+ -]{1,40}")
_LONGEST_AGE = 36_525  # days: a hundred years


@dataclass(frozen=True)
class Text:
    """Text in quotes, written as an argument."""

    text: str


Argument: TypeAlias = Node | Text


@dataclass(frozen=True)
class Form:
    """One form.

    Attributes:
        name: What expressions call it.
        usage: How it is written, every default spelled out.
        arguments: The names of its arguments, in order.
        needed: How many of them have no default.
        description: One sentence.
        build: The step from the arguments by name.
    """

    name: str
    usage: str
    arguments: tuple[str, ...]
    needed: int
    description: str
    build: Callable[[Mapping[str, Argument]], Node]

    def read(self, written: Sequence[Argument], keywords: Mapping[str, Argument]) -> Node:
        """The step that was written.

        Raises:
            ExpressionError: The arguments do not fit; the message shows what would.
        """
        if len(written) > len(self.arguments):
            raise ExpressionError(
                f"{self.name} takes {len(self.arguments)} arguments, not {len(written)}; write {self.usage}"
            )
        given = dict(zip(self.arguments, written, strict=False))
        for name, argument in keywords.items():
            if name not in self.arguments:
                hint = did_you_mean(name, self.arguments) or ";"
                error = UnknownNameError(f"{self.name} has no parameter {name!r}{hint} write {self.usage}")
                raise blamed(error, argument)
            if name in given:
                raise blamed(ExpressionError(f"{name} of {self.name} is given twice"), argument)
            given[name] = argument
        for name in self.arguments[: self.needed]:
            if name not in given:
                raise ExpressionError(f"{self.name} needs {name}; write {self.usage}")
        return self.build(given)


def _of(given: Mapping[str, Argument]) -> Node:
    symbol = _text("of", "symbol", 'a symbol in quotes, such as of("SPY", close)', given["symbol"])
    if not _SYMBOL.fullmatch(symbol) or symbol != symbol.strip():
        raise blamed(
            ExpressionError(f"{symbol!r} is no symbol; write it in letters, digits and ^ = . : / _ & + -"),
            given["symbol"],
        )
    step = _step("of", 'of("SPY", close)', given["x"])
    _refuse_inside(step, given["x"], "of", (Of,), 'join each symbol by itself, such as of("SPY", close)')
    age, closes = given.get("max_age", Number(MAX_AGE)), given.get("closes", Text("same"))
    if not isinstance(age, Number) or not 0 < age.value <= _LONGEST_AGE:
        raise blamed(
            ExpressionError(
                f"max_age of of must be a number of days above 0 and up to {_LONGEST_AGE}, not {age.text}"
            ),
            age,
        )
    if not isinstance(closes, Text) or closes.text not in ("same", "later"):
        raise blamed(
            ExpressionError(
                'closes of of must be "same", or "later" where the other exchange closes later on the same '
                f"date, not {_shown(closes)}"
            ),
            closes,
        )
    return Of(symbol, step, age.value, cast(Closes, closes.text))


def _on(given: Mapping[str, Argument]) -> Node:
    text = _text("on", "timeframe", 'a timeframe in quotes, such as on("1w", RSI(14))', given["timeframe"])
    try:
        timeframe = Timeframe.read(text)
    except ExpressionError as error:
        raise blamed(error, given["timeframe"]) from None
    step = _step("on", 'on("1w", RSI(14))', given["x"])
    _refuse_inside(step, given["x"], "on", (On,), "write each timeframe by itself")
    _refuse_inside(step, given["x"], "on", (Of,), f'write of("SPY", on("{text}", ...)) instead')
    return On(timeframe, step)


def _delayed(given: Mapping[str, Argument]) -> Node:
    step = _step("delayed", 'delayed(close, "2d")', given["x"])
    text = _text("delayed", "delay", 'a length of time in quotes, such as "2d"', given["delay"])
    try:
        read_delay(text)
    except ExpressionError as error:
        raise blamed(error, given["delay"]) from None
    return Delayed(step, text)


def _text(owner: str, name: str, wanted: str, given: Argument) -> str:
    if not isinstance(given, Text):
        raise blamed(ExpressionError(f"{name} of {owner} must be {wanted}, not {given.text}"), given)
    return given.text


def _step(owner: str, right: str, given: Argument) -> Node:
    if isinstance(given, Text):
        raise blamed(
            ExpressionError(f"x of {owner} must be an expression, not {_shown(given)}; write {right}"), given
        )
    if is_constant(given):
        raise blamed(
            ExpressionError(
                f"{owner} is given {given.text}, which uses no column of the bars; write {right}"
            ),
            given,
        )
    return given


def _refuse_inside(step: Node, given: Argument, owner: str, kinds: tuple[type, ...], instead: str) -> None:
    for inner in steps_of(step):
        if isinstance(inner, kinds):
            name = "of" if isinstance(inner, Of) else "on"
            raise blamed(ExpressionError(f"{name} cannot stand inside {owner}; {instead}"), given)


def _shown(given: Argument) -> str:
    return f'"{given.text}"' if isinstance(given, Text) else given.text


FORMS: Mapping[str, Form] = MappingProxyType(
    {
        form.name: form
        for form in (
            Form(
                "of",
                'of("SPY", x, max_age=7, closes="same")',
                ("symbol", "x", "max_age", "closes"),
                2,
                "An expression of another symbol, as of the bar: its last bar not after this one and at most "
                'max_age days old; of earlier dates only where the other exchange closes="later".',
                _of,
            ),
            Form(
                "on",
                'on("1w", x)',
                ("timeframe", "x"),
                2,
                "An expression on weeks, months, days or hours made of the symbol's own bars; only periods that "
                "are over count.",
                _on,
            ),
            Form(
                "delayed",
                'delayed(x, "2d")',
                ("x", "delay"),
                2,
                "What is known of an expression only some time after its bar, such as published earnings.",
                _delayed,
            ),
        )
    }
)
