"""Flags made from the fields of settings classes: the same names, sentences and defaults."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from typing import Annotated, Any, Literal

from cyclopts import Group, Parameter, Token

from dlplugin.definition import help_sentences
from dlplugin.definition.text import NONE, Kind, kinds
from dlplugin.errors import DefinitionError

__all__ = ["in_flags", "refuse_commas", "with_flags"]


def with_flags(*classes: type) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Gives a command's function a flag for each field of the classes, instead of its `**flags`.

    The function gets those that were given, by the fields' names: text, a list of texts, or a bool.
    """

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        signature = inspect.signature(function)
        own = [each for each in signature.parameters.values() if each.kind is not each.VAR_KEYWORD]
        made = [parameter for cls in classes for parameter in _parameters(cls)]
        function.__signature__ = signature.replace(parameters=[*own, *made])  # type: ignore[attr-defined]
        function.__annotations__ = {each.name: each.annotation for each in (*own, *made)}
        return function

    return decorate


def in_flags(message: str, given: Mapping[str, Any]) -> str:
    """An error's message about a settings class, in the words of the flags that were given.

    >>> in_flags("TrainingOptions: auto_stop is 0, but should be greater", {"auto_stop": "0"})
    '--auto-stop is 0, but should be greater'
    """
    _, colon, said = message.partition(": ")
    name = said.split(" ", 1)[0]
    return f"--{_dashed(name)}{said.removeprefix(name)}" if colon and name in given else message


def refuse_commas(given: Mapping[str, Any]) -> None:
    """Several values of a flag are parted by spaces.

    Raises:
        DefinitionError: They are parted by commas.
    """
    for name, values in given.items():
        if isinstance(values, list) and any("," in value for value in values):
            flag, typed = f"--{_dashed(name)}", " ".join(values)
            parted = " ".join(typed.replace(",", " ").split())
            raise DefinitionError(f"{flag} is {typed!r}, but values are parted by spaces: {flag} {parted}")


def _parameters(cls: type) -> list[inspect.Parameter]:
    group = Group((cls.__doc__ or "").splitlines()[0].rstrip("."), sort_key=10)
    sentences, known = help_sentences(cls), kinds(cls)
    return [
        inspect.Parameter(
            each.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=None,  # never handed on: a flag that is not given leaves what the file or the class says
            annotation=_annotation(known[each.name], sentences[each.name], _typed(each.default), group),
        )
        for each in fields(cls)
    ]


def _annotation(kind: Kind, sentence: str, default: str, group: Group) -> Any:
    shown = Parameter(help=sentence, group=group, show_default=lambda _: default)
    if kind.yes_or_no:
        return Annotated[bool | None, shown]
    if kind.words and not (kind.number or kind.many or kind.optional):
        return Annotated[Literal[kind.words] | None, shown]
    if kind.many:
        several = Parameter(
            converter=_texts, consume_multiple=True, negative="", metavar=f"{_metavar(kind)}..."
        )
        return Annotated[list[str] | None, shown, several]
    return Annotated[str | None, shown, Parameter(converter=_text, metavar=_metavar(kind))]


def _metavar(kind: Kind) -> str:
    text = "DATE" if kind.date else "TEXT"
    plain = {int: "INT", float: "FLOAT"}[kind.number] if kind.number else text
    return "|".join([plain, *kind.words, *([NONE] if kind.optional else [])])


def _text(_: Any, tokens: Sequence[Token]) -> str:
    return tokens[0].value


def _texts(_: Any, tokens: Sequence[Token]) -> list[str]:
    return [token.value for token in tokens]


def _typed(default: Any) -> str:
    """A default as it would be typed."""
    if isinstance(default, bool):
        return "yes" if default else "no"
    if isinstance(default, tuple):
        return " ".join(map(str, default)) or NONE
    return NONE if default is None else str(default)


def _dashed(name: str) -> str:
    return name.replace("_", "-")
