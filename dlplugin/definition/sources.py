"""Which functions of a user's own a definition uses, and whether they are still what they were."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from dlplugin.errors import DefinitionError, PredictionError
from dlplugin.indicators import Indicator, own_function

__all__ = ["Source", "refuse_edited", "sources_from_plain", "sources_of", "sources_to_plain"]


@dataclass(frozen=True)
class Source:
    """A function as it was when the definition was made.

    Attributes:
        name: What expressions call it.
        sha256: Of its source.
        module: Where it was defined.
        checked: Whether it was tried for looking ahead before it was let in.
    """

    name: str
    sha256: str
    module: str
    checked: bool


def sources_of(texts: Iterable[str]) -> tuple[Source, ...]:
    """The functions that expressions use, by name, as they are now."""
    found = {each.name: each for text in texts for each in Indicator(text).own_functions}
    return tuple(Source(each.name, each.sha256, each.module, each.check) for _, each in sorted(found.items()))


def sources_to_plain(sources: Iterable[Source]) -> dict[str, Any]:
    """Sources as JSON and YAML hold them."""
    return {
        each.name: {"sha256": each.sha256, "module": each.module, "checked": each.checked} for each in sources
    }


def sources_from_plain(plain: object, owner: object) -> tuple[Source, ...]:
    """The sources that `sources_to_plain` wrote.

    Args:
        plain: What was written.
        owner: The model's name, for messages.

    Raises:
        DefinitionError: It is no such thing.
        PredictionError: A function is not registered here.
    """
    try:
        if not isinstance(plain, dict):
            raise TypeError
        sources = tuple(
            Source(str(name), str(each["sha256"]), str(each["module"]), bool(each["checked"]))
            for name, each in plain.items()
        )
    except (KeyError, TypeError):
        raise DefinitionError(
            f"sources is {plain!r}, but must be a mapping of indicators to their sha256, module and checked"
        ) from None
    for each in sources:
        _registered(each, owner)
    return sources


def refuse_edited(sources: Iterable[Source], owner: str) -> None:
    """Refuses to predict with functions that are not what the model was trained with.

    Raises:
        PredictionError: One was edited, or is not registered any more.
    """
    for each in sources:
        if _registered(each, owner) != each.sha256:
            raise PredictionError(
                f"indicator {each.name!r} of {each.module} was edited since model {owner!r} was defined; bring its "
                "source back, or train again under a new name"
            )


def _registered(source: Source, owner: object) -> str:
    function = own_function(source.name)
    if function is None:
        needed = f"model {owner!r} needs the indicator {source.name!r}, which is not known here"
        if source.module == "__main__":
            raise PredictionError(
                f"{needed}; it was defined in a script: put it into a module that others can import"
            )
        raise PredictionError(f"{needed}; import {source.module}, or install the package that brings it")
    return function.sha256
