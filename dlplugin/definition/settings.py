"""Frozen, validated settings classes whose fields carry their own help sentence."""

import inspect
import json
import textwrap
from collections.abc import Callable
from dataclasses import MISSING, fields
from functools import reduce, wraps
from operator import or_
from types import UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, cast, dataclass_transform, get_args, get_origin

import numpy as np
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from dlplugin.errors import DefinitionError
from dlplugin.registry import did_you_mean

__all__ = ["Later", "help_sentences", "settings", "to_plain"]

WIDTH = 100  # characters of a docstring's line
WRONG_TYPES = ("int_type", "float_type", "bool_type", "string_type")

C = TypeVar("C")


class Later:
    """Marks a field that came later: at its default it is not written.

    So what was written before the field was there keeps its text and its hash.
    """


@dataclass_transform(frozen_default=True, field_specifiers=(Field,))
def settings(cls: type[C]) -> type[C]:
    """Makes a class of annotated fields a frozen dataclass that refuses wrong values in one line.

    Each field is written `name: Annotated[type, Field(..., description="One sentence.")] = default`.
    A wrong value, an unknown or a missing field raises `DefinitionError`. None means "none" to a field
    that takes that word, and nothing to one whose default is an empty list. The docstring gets an
    `Args:` section of the fields' sentences.
    """
    about = inspect.cleandoc(cls.__doc__ or f"{cls.__name__}.")
    # strict: True is no number of bars, and "no" no yes or no
    made = dataclass(cls, frozen=True, config=ConfigDict(extra="forbid", strict=True, allow_inf_nan=False))
    validate: Callable[..., None] = made.__init__
    known = [field.name for field in fields(made)]
    nothing = _nothing(made)

    def meant(name: str, value: object) -> object:
        return nothing.get(name) if value is None else _from_numpy(value)

    @wraps(validate)
    def construct(self: Any, /, *args: Any, **values: Any) -> None:
        for name in values:
            if name not in known:
                hint = did_you_mean(name, known) or (
                    f"; there are: {', '.join(known)}" if known else "; it has none"
                )
                raise DefinitionError(f"{made.__name__} has no field {name!r}{hint}")
        try:
            given = [meant(name, value) for name, value in zip(known, args, strict=False)]
            validate(
                self, *given, *args[len(known) :], **{name: meant(name, values[name]) for name in values}
            )
        except ValidationError as error:
            raise DefinitionError(f"{made.__name__}: {_first(error, known)}") from None

    made.__init__ = construct  # type: ignore[method-assign, assignment]  # pydantic's own, with our one-line errors
    made.__signature__ = _readable(inspect.signature(made))  # type: ignore[attr-defined]
    made.__doc__ = f"{about}\n\nArgs:\n{_arguments(made)}" if known else about
    return cast(type[C], made)


def _from_numpy(value: object) -> object:
    """A NumPy number as Python's own."""
    return value.item() if isinstance(value, np.generic) else value


def _nothing(made: Any) -> dict[str, object]:
    """Field name to what None means to it, where that is not None."""
    empty = {field.name: () for field in fields(made) if field.default == ()}
    return empty | {field.name: "none" for field in fields(made) if "none" in _words(_bare(field.type))}


def _words(hint: Any) -> tuple[object, ...]:
    """The words that a type takes as they stand."""
    if get_origin(hint) is Literal:
        return get_args(hint)
    return tuple(word for each in get_args(hint) for word in _words(each))


def _arguments(made: Any) -> str:
    """The fields with their sentences and defaults, as a docstring has them."""
    lines: list[str] = []
    for field in fields(made):
        sentence = made.__pydantic_fields__[field.name].description or ""
        default = "" if field.default is MISSING else f" By default {_written(field.default)}."
        lines += textwrap.wrap(
            f"{field.name}: {sentence}{default}",
            WIDTH,
            initial_indent=" " * 4,
            subsequent_indent=" " * 8,
            break_on_hyphens=False,
        )
    return "\n".join(lines) + "\n"


def _written(default: object) -> str:
    return repr(list(default)) if isinstance(default, tuple) else repr(default)


def _readable(signature: inspect.Signature) -> inspect.Signature:
    """The signature that help() shows, without the fields' sentences and bounds."""
    parameters = [each.replace(annotation=_bare(each.annotation)) for each in signature.parameters.values()]
    return signature.replace(parameters=parameters)


def _bare(hint: Any) -> Any:
    """A type without what is annotated at any depth."""
    origin, parts = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _bare(parts[0])
    if origin in (Union, UnionType):
        return reduce(or_, map(_bare, parts))
    if origin is None or origin is Literal:
        return hint
    return origin[tuple(_bare(part) for part in parts)]


def _first(error: ValidationError, known: list[str]) -> str:
    """The first thing that is wrong, with its value."""
    detail, *others = error.errors(include_url=False)
    first = detail["loc"][0]
    others = [each for each in others if each["loc"][0] == first]
    if detail["type"] == "literal_error" and others and not isinstance(detail["input"], str):
        # it takes words, too, but none was meant
        detail = others[0] if others[0]["type"] != "is_instance_of" else detail
    place = known[first] if isinstance(first, int) and first < len(known) else str(first)
    message = detail["msg"].removeprefix("Input ").removeprefix("Value error, ")
    message = message[:1].lower() + message[1:]
    if detail["type"] in (*WRONG_TYPES, "literal_error") and (both := _words_or_number([detail, *others])):
        message = both
    if detail["type"] == "is_instance_of" and detail["ctx"]["class"] == "Sequence":
        message = "must be a list"
    if detail["type"] == "missing":
        return f"{place} is missing"
    if detail["type"].startswith("unexpected"):
        return f"takes {len(known)} values at most: {', '.join(known)}"
    return f"{place} is {detail['input']!r}, but {message}"


def _words_or_number(errors: list[Any]) -> str:
    """What is right where words and numbers are taken, and it is neither; empty where it is otherwise."""
    words = [each["ctx"]["expected"] for each in errors if each["type"] == "literal_error"]
    numbers = [each["msg"].removeprefix("Input should be ") for each in errors if each["type"] in WRONG_TYPES]
    return f"should be {words[0]} or {numbers[0]}" if words and numbers else ""


def help_sentences(cls: type) -> dict[str, str]:
    """Field name to its help sentence, in the order of the fields."""
    properties = TypeAdapter(cls).json_schema(mode="serialization").get("properties", {})
    return {field.name: properties[field.name].get("description", "") for field in fields(cls)}


def to_plain(value: object) -> Any:
    """A settings object as what JSON and YAML hold: dicts, lists, strings, numbers, None."""
    plain = json.loads(TypeAdapter(type(value)).dump_json(value))
    for name, field in cast(Any, value).__pydantic_fields__.items():
        if any(isinstance(mark, Later) for mark in field.metadata) and getattr(value, name) == field.default:
            del plain[name]
    return plain
