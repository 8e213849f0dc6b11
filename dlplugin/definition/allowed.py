"""Which values the fields of a settings class take, in words."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from pydantic import TypeAdapter

__all__ = ["allowed_values"]

_PLAIN = {"null": "none", "boolean": "true or false", "string": "a text"}
_NUMBERS = {"integer": "whole number", "number": "number"}


def allowed_values(cls: type) -> dict[str, str]:
    """Field name to what it takes, in the order of the fields.

    >>> from dlplugin.definition import MLP
    >>> for name, values in allowed_values(MLP).items():
    ...     print(name, "-", values)
    hidden - a list of whole numbers from 1 to 65,536
    activation - relu, leaky_relu, gelu, silu, tanh, sigmoid or elu
    dropout - a number from 0 to below 1
    normalisation - none or layer
    blocks - plain, residual or gated
    """
    schema = TypeAdapter(cls).json_schema(mode="serialization")
    properties = schema.get("properties", {})
    return {field.name: _words(properties[field.name], schema.get("$defs", {})) for field in fields(cls)}


def _words(schema: Mapping[str, Any], named: Mapping[str, Any]) -> str:
    if "$ref" in schema:
        return _words(named[schema["$ref"].rpartition("/")[2]], named)
    if "anyOf" in schema:
        return _either([_words(each, named) for each in schema["anyOf"]])
    if "const" in schema:
        return str(schema["const"])
    if "enum" in schema:
        return _either(list(map(str, schema["enum"])))
    kind = schema.get("type", "")
    if kind in _NUMBERS:
        return f"a {_NUMBERS[kind]}{_bounds(schema)}"
    if kind == "array":
        items = schema.get("items", {})
        number = _NUMBERS.get(items.get("type", ""))
        many = f"{number}s{_bounds(items)}" if number else _words(items, named)
        return f"a list of {many}{_length(schema)}"
    return _PLAIN.get(kind, "a value")


def _bounds(schema: Mapping[str, Any]) -> str:
    """What follows "a number" where there are bounds: " from 0 to below 1"."""
    low = f" from {schema['minimum']:,}" if "minimum" in schema else ""
    if "exclusiveMinimum" in schema:
        low = f" above {schema['exclusiveMinimum']:,}"
    high = f"{schema['maximum']:,}" if "maximum" in schema else ""
    if "exclusiveMaximum" in schema:
        high = f"below {schema['exclusiveMaximum']:,}"
    if not high:
        return f"{low} on" if low.startswith(" from") else low
    return f"{low} to {high}" if low else f" {'' if high.startswith('below') else 'up to '}{high}"


def _length(schema: Mapping[str, Any]) -> str:
    least, most = schema.get("minItems", 0), schema.get("maxItems")
    if most is not None:
        return f", {least} to {most} of them"
    return f", {least} or more" if least else ""


def _either(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"
