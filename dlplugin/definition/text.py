"""Values written as text: the flags of commands, and words such as none in files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

__all__ = ["NONE", "Kind", "from_text", "kinds"]

NONE = "none"


@dataclass(frozen=True)
class Kind:
    """What values a field takes, as far as text must know.

    Attributes:
        number: int or float where it takes numbers; None where it does not.
        words: Those that it takes as they stand, such as "full".
        optional: Whether it can be None, written none.
        many: Whether it takes several values.
        yes_or_no: Whether it is True or False.
        date: Whether it is a date.
    """

    number: type[int] | type[float] | None = None
    words: tuple[str, ...] = ()
    optional: bool = False
    many: bool = False
    yes_or_no: bool = False
    date: bool = False

    def read(self, text: str) -> Any:
        """The value that a text means; the text itself where it means none, for the field to refuse."""
        if text in self.words:
            return text
        if self.optional and text.casefold() == NONE:
            return None
        for number in (int, self.number) if self.number else ():
            try:
                return number(text)
            except ValueError:
                continue
        return text


def kinds(cls: type) -> dict[str, Kind]:
    """Field of a settings class to the kind of its values, in the order of the fields."""
    hints = get_type_hints(cls, include_extras=True)
    return {name: _kind(hints[name]) for name in cls.__dataclass_fields__}  # type: ignore[attr-defined]


def from_text(cls: type, values: Mapping[str, Any]) -> dict[str, Any]:
    """Values for a settings class, those that are text read as the field means them.

    >>> from dlplugin.definition import TrainingOptions
    >>> from_text(TrainingOptions, {"learning_rate": "1e-3", "auto_stop": "none", "class_weights": ["1", "2"]})
    {'learning_rate': 0.001, 'auto_stop': None, 'class_weights': [1, 2]}
    >>> from_text(TrainingOptions, {"freeze": ["none"], "class_weights": ["none"]})
    {'freeze': None, 'class_weights': 'none'}
    """
    known = kinds(cls)
    return {name: _read(known[name], value) if name in known else value for name, value in values.items()}


def _read(kind: Kind, value: Any) -> Any:
    if isinstance(value, str):
        return kind.read(value)
    if isinstance(value, list) and kind.many:
        if len(value) == 1 and value[0] in kind.words:
            return value[0]
        if value == [NONE]:
            return None  # an empty list, or what the field means by it
        return [kind.read(each) if isinstance(each, str) else each for each in value]
    return value


def _kind(hint: Any) -> Kind:
    origin = get_origin(hint)
    if origin is Annotated:
        return _kind(get_args(hint)[0])
    if origin is Literal:
        return Kind(words=tuple(word for word in get_args(hint) if isinstance(word, str)))
    if origin in (Union, UnionType):
        return _either([_kind(each) for each in get_args(hint)])
    if origin in (Sequence, tuple, list):
        return _either([Kind(many=True), _kind(get_args(hint)[0])])
    if hint is bool:
        return Kind(yes_or_no=True)
    if hint in (int, float):
        return Kind(number=hint)
    return Kind(optional=hint is NoneType, date=getattr(hint, "__name__", "") == "datetime")


def _either(kinds: Sequence[Kind]) -> Kind:
    """What takes the values of each of them."""
    numbers = {kind.number for kind in kinds if kind.number}
    return Kind(
        number=float if float in numbers else int if numbers else None,
        words=tuple(word for kind in kinds for word in kind.words),
        optional=any(kind.optional for kind in kinds),
        many=any(kind.many for kind in kinds),
        yes_or_no=any(kind.yes_or_no for kind in kinds),
        date=any(kind.date for kind in kinds),
    )
