"""Frozen, validated settings classes whose fields carry their own help sentence."""

import inspect
import json
from collections.abc import Callable
from dataclasses import fields
from functools import wraps
from typing import Annotated, Any, TypeVar, cast, dataclass_transform, get_args, get_origin

import numpy as np
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from dlplugin.errors import DefinitionError
from dlplugin.registry import did_you_mean

__all__ = ["help_sentences", "settings", "to_plain"]

C = TypeVar("C")


@dataclass_transform(frozen_default=True, field_specifiers=(Field,))
def settings(cls: type[C]) -> type[C]:
    """Makes a class of annotated fields a frozen dataclass that refuses wrong values in one line.

    Each field is written `name: Annotated[type, Field(..., description="One sentence.")] = default`.
    A wrong value, an unknown or a missing field raises `DefinitionError`.
    """
    # strict: True is no number of bars, and "no" no yes or no
    made = dataclass(cls, frozen=True, config=ConfigDict(extra="forbid", strict=True, allow_inf_nan=False))
    validate: Callable[..., None] = made.__init__
    known = [field.name for field in fields(made)]

    @wraps(validate)
    def construct(self: Any, *args: Any, **values: Any) -> None:
        for name in values:
            if name not in known:
                hint = did_you_mean(name, known) or f"; there are: {', '.join(known)}"
                raise DefinitionError(f"{made.__name__} has no field {name!r}{hint}")
        try:
            validate(self, *map(_from_numpy, args), **{name: _from_numpy(values[name]) for name in values})
        except ValidationError as error:
            raise DefinitionError(f"{made.__name__}: {_first(error, known)}") from None

    made.__init__ = construct  # type: ignore[method-assign]  # pydantic's own, with our one-line errors
    made.__signature__ = _readable(inspect.signature(made))  # type: ignore[attr-defined]
    return cast(type[C], made)


def _from_numpy(value: object) -> object:
    """A NumPy number as Python's own."""
    return value.item() if isinstance(value, np.generic) else value


def _readable(signature: inspect.Signature) -> inspect.Signature:
    """The signature that help() shows, without the fields' sentences."""
    parameters = [
        parameter.replace(annotation=get_args(parameter.annotation)[0])
        if get_origin(parameter.annotation) is Annotated
        else parameter
        for parameter in signature.parameters.values()
    ]
    return signature.replace(parameters=parameters)


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
    if detail["type"] == "missing":
        return f"{place} is missing"
    if detail["type"].startswith("unexpected"):
        return f"takes {len(known)} values at most: {', '.join(known)}"
    return f"{place} is {detail['input']!r}, but {message}"


def help_sentences(cls: type) -> dict[str, str]:
    """Field name to its help sentence, in the order of the fields."""
    properties = TypeAdapter(cls).json_schema(mode="serialization").get("properties", {})
    return {field.name: properties[field.name].get("description", "") for field in fields(cls)}


def to_plain(value: object) -> Any:
    """A settings object as what JSON and YAML hold: dicts, lists, strings, numbers, None."""
    return json.loads(TypeAdapter(type(value)).dump_json(value))
