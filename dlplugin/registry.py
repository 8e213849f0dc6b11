"""Named, described entries that are imported only when they are used."""

import difflib
import importlib
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib import metadata
from typing import Generic, TypeVar

from dlplugin.errors import DLPluginWarning, RegistryError, UnknownNameError, users_level

__all__ = ["Entry", "Registry", "did_you_mean"]


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The closest known name as an error message's clause.

    Returns:
        `"; did you mean 'RSI'?"`, or an empty string when nothing is close.

    >>> did_you_mean("RSJ", ["RSI", "ROC"])
    "; did you mean 'RSI'?"
    """
    by_folded = {candidate.casefold(): candidate for candidate in known}
    close = difflib.get_close_matches(name.casefold(), by_folded, n=1, cutoff=0.6)
    return f"; did you mean {by_folded[close[0]]!r}?" if close else ""


@dataclass(frozen=True)
class Entry:
    """One registered thing.

    Attributes:
        name: What users call it.
        target: Where it is, as "module:attribute"; imported when `Registry.load` is called.
        description: One sentence for lists and screens.
        package: The installed package that brings it; empty for a built-in one.
    """

    name: str
    target: str
    description: str
    package: str = ""


T = TypeVar("T")


class Registry(Generic[T]):
    """Names to described entries of one kind, built in or from installed packages.

    Args:
        kind: What an entry is, for messages: "engine", "model type".
        entries: The built-in ones.
        entry_points: Group in which other packages announce theirs; the description of a foreign
            entry is the name of the package that brings it. One whose name is taken is left out, with a
            DLPluginWarning.
        holds: What every entry must be an instance of, where there is such a class.
    """

    def __init__(
        self, kind: str, entries: Iterable[Entry], entry_points: str, holds: type[object] = object
    ) -> None:
        self._kind = kind
        self._holds = holds
        self._entries = {entry.name: entry for entry in entries}
        self._group = entry_points
        self._foreign_read = False

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._all()))

    def __contains__(self, name: object) -> bool:
        return name in self._all()

    def __len__(self) -> int:
        return len(self._all())

    def entry(self, name: str) -> Entry:
        """The entry of that name.

        Raises:
            UnknownNameError: Nothing is registered under the name.
        """
        entries = self._all()
        if name not in entries:
            known = ", ".join(sorted(entries))
            raise UnknownNameError(
                f"unknown {self._kind} {name!r}{did_you_mean(name, entries)} there are: {known}"
                if did_you_mean(name, entries)
                else f"unknown {self._kind} {name!r}; there are: {known}"
            )
        return entries[name]

    def load(self, name: str) -> T:
        """Imports and returns what the entry points to.

        Raises:
            UnknownNameError: Nothing is registered under the name.
            RegistryError: What it points to cannot be imported, or is something else.
        """
        target = self.entry(name).target
        module, _, attribute = target.partition(":")
        try:
            loaded: T = getattr(importlib.import_module(module), attribute)
        except Exception as error:  # a foreign module can fail in any way while it is imported
            said = " ".join(str(error).split())
            known = isinstance(error, ImportError | AttributeError)
            reason = said if known else f"{type(error).__name__}: {said}"
            raise RegistryError(f"{self._kind} {name!r} cannot be loaded: {reason}") from error
        if not isinstance(loaded, self._holds):
            raise RegistryError(
                f"{self._kind} {name!r} cannot be loaded: {target} is {loaded!r}, but must be an instance of "
                f"{self._holds.__name__}"
            )
        return loaded

    def __getitem__(self, name: str) -> T:
        return self.load(name)

    def _all(self) -> dict[str, Entry]:
        if not self._foreign_read:
            self._foreign_read = True
            for point in metadata.entry_points(group=self._group):
                package = point.dist.name if point.dist else "an installed package"
                entry = Entry(point.name, point.value, f"from the package {package}", package)
                if self._entries.setdefault(point.name, entry).target != point.value:
                    self._tell_taken(entry)
        return self._entries

    def _tell_taken(self, entry: Entry) -> None:
        owner = self._entries[entry.name].package or "dlplugin"
        warnings.warn(
            f"{self._kind} {entry.name!r} of the package {entry.package} is left out: {owner} has one of that name; "
            "announce it under another",
            DLPluginWarning,
            stacklevel=users_level(),
        )
