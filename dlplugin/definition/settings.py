"""Frozen, validated settings classes whose fields carry their own help sentence."""

import json
from collections.abc import Callable
from dataclasses import fields
from functools import wraps
from typing import Any, TypeVar, cast, dataclass_transform

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
    config = ConfigDict(extra="forbid", arbitrary_types_allowed=False)
    made = dataclass(cls, frozen=True, config=config)
    validate: Callable[..., None] = made.__init__

    @wraps(validate)
    def construct(self: Any, *args: Any, **values: Any) -> None:
        known = [field.name for field in fields(made)]
        for name in values:
            if name not in known:
                hint = did_you_mean(name, known) or f"; there are: {', '.join(known)}"
                raise DefinitionError(f"{made.__name__} has no field {name!r}{hint}")
        try:
            validate(self, *args, **values)
        except ValidationError as error:
            raise DefinitionError(f"{made.__name__}: {_first(error)}") from None

    made.__init__ = construct  # type: ignore[method-assign]  # pydantic's own, with our one-line errors
    return cast(type[C], made)


def _first(error: ValidationError) -> str:
    """The first thing that is wrong, with its value."""
    detail = error.errors(include_url=False)[0]
    place = ".".join(str(part) for part in detail["loc"] if isinstance(part, str) and part.isidentifier())
    message = detail["msg"].removeprefix("Input ").removeprefix("Value error, ")
    message = message[:1].lower() + message[1:]
    if detail["type"] == "missing":
        return f"{place} is missing"
    if detail["type"].startswith("unexpected"):
        return f"takes fewer values; {place or detail['loc'][0]} has no field to go to"
    return f"{place} is {detail['input']!r}, but {message}"


def help_sentences(cls: type) -> dict[str, str]:
    """Field name to its help sentence, in the order of the fields."""
    properties = TypeAdapter(cls).json_schema(mode="serialization").get("properties", {})
    return {field.name: properties[field.name].get("description", "") for field in fields(cls)}


def to_plain(value: object) -> Any:
    """A settings object as what JSON and YAML hold: dicts, lists, strings, numbers, None."""
    return json.loads(TypeAdapter(type(value)).dump_json(value))
