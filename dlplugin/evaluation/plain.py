"""Result dataclasses as plain values that JSON holds, and back: NaN is null, dates are ISO."""

import math
from dataclasses import fields, is_dataclass
from typing import Annotated, Any, TypeVar

import pandas as pd
from pydantic import BeforeValidator, ConfigDict, TypeAdapter

__all__ = ["PLAIN", "Moment", "Number", "from_plain", "to_plain"]

R = TypeVar("R")

PLAIN = ConfigDict(arbitrary_types_allowed=True)  # for dataclasses with a Moment
Number = Annotated[float, BeforeValidator(lambda value: math.nan if value is None else value)]
Moment = Annotated[pd.Timestamp, BeforeValidator(pd.Timestamp)]


def to_plain(value: Any) -> Any:
    """A result with all in it as dicts, lists, texts and numbers; NaN is None, infinity is "inf"."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: to_plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, dict):
        return {key: to_plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [to_plain(each) for each in value]
    if isinstance(value, pd.Timestamp):
        return value.isoformat()
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else str(value)
    return value


def from_plain(kind: type[R], plain: Any) -> R:
    """The result of a kind that `to_plain` was given.

    Raises:
        ValueError: It is not one.
    """
    adapter = _adapters.get(kind)
    if adapter is None:
        adapter = _adapters.setdefault(kind, TypeAdapter(kind))
    result: R = adapter.validate_python(plain)
    return result


_adapters: dict[type, TypeAdapter[Any]] = {}  # a type's is made once: that takes milliseconds
