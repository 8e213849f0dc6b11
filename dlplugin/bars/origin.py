"""Where a DataSet comes from, as a file or a command names it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from dlplugin.bars.bundled import BUNDLED, bundled_folder
from dlplugin.bars.dataset import DataSet
from dlplugin.errors import BarsError
from dlplugin.registry import did_you_mean

__all__ = ["DataOrigin"]

_KEYS = {
    "bundled": ("symbols", "name"),
    "folder": ("symbols", "name", "date_format"),
    "yahoo": ("name", "start", "end", "interval"),
    "union": ("symbols", "name"),
}


@dataclass(frozen=True)
class DataOrigin:
    """A bundled set, a folder, symbols of Yahoo or a union of such; nothing is read until `load`.

    Attributes:
        kind: Which of them.
        place: The bundled set's name, or the folder; empty for others.
        symbols: Which ones; all where there are none.
        given: What else was given: name, date_format, start, end, interval.
        parts: Of a union.

    >>> DataOrigin.of({"bundled": "us-stocks", "symbols": ["AAPL", "IBM"]}).load()
    DataSet('us-stocks (2 of 11)', 2 symbols, 1d)
    """

    kind: Literal["bundled", "folder", "yahoo", "union"]
    place: str
    symbols: tuple[str, ...]
    given: Mapping[str, str]
    parts: "tuple[DataOrigin, ...]" = ()

    @classmethod
    def of(cls, plain: object, base: Path | None = None) -> "DataOrigin":
        """The origin that a text or a mapping names.

        Args:
            plain: A bundled set's name; a folder; {"bundled": name, "symbols": [...]},
                {"folder": path, "symbols": [...], "date_format": ...}, {"yahoo": [symbols], "start": ...,
                "end": ..., "interval": ...} or {"union": [two or more of these], "symbols": [...]}, each with
                a "name" of its own where one is wanted. Write ./us-stocks for a folder with a set's name.
            base: The folder that relative ones are seen from; the current one otherwise.

        Raises:
            BarsError: It is none of these, or there is no such set.
        """
        base = base or Path()
        if isinstance(plain, str):
            return cls("bundled", plain, (), {}) if plain in BUNDLED else cls._folder(plain, base, (), {})
        if not isinstance(plain, dict):
            raise BarsError(
                f"a dataset is {plain!r}; name a bundled set such as us-stocks or a folder, or write bundled:, "
                "folder:, yahoo: or union:"
            )
        kinds = [kind for kind in _KEYS if kind in plain]
        if len(kinds) != 1:
            found = " and ".join(kinds) or ", ".join(map(repr, plain)) or "nothing"
            raise BarsError(f"a dataset has {found}; give it one of bundled, folder, yahoo and union")
        return cls._of_kind(kinds[0], dict(plain), base)

    @classmethod
    def _of_kind(cls, kind: str, plain: dict[Any, Any], base: Path) -> "DataOrigin":
        for key, value in plain.items():
            if key not in (kind, *_KEYS[kind]):
                hint = did_you_mean(str(key), _KEYS[kind]) or f"; there are: {', '.join(_KEYS[kind])}"
                raise BarsError(f"a dataset from {kind} has no {key!r}{hint}")
            if key not in (kind, "symbols") and not isinstance(value, str):
                raise BarsError(f"a dataset's {key} is {value!r}, but must be text; put it in quotes")
        named = plain.pop(kind)
        symbols = _symbols(plain.pop("symbols", [])) if kind != "yahoo" else _symbols(named)
        if kind == "yahoo":
            if not symbols:
                raise BarsError("a dataset from yahoo has no symbols; write yahoo: [AAPL, MSFT]")
            return cls("yahoo", "", symbols, plain)
        if kind == "union":
            return cls("union", "", symbols, plain, cls._parts(named, base))
        if not isinstance(named, str) or not named:
            raise BarsError(f"a dataset's {kind} is {named!r}, but must be text")
        if kind == "folder":
            return cls._folder(named, base, symbols, plain, named_so=True)
        bundled_folder(named)  # refuses a set that there is not
        return cls("bundled", named, symbols, plain)

    @classmethod
    def _parts(cls, named: object, base: Path) -> "tuple[DataOrigin, ...]":
        if not isinstance(named, list | tuple) or len(named) < 2:
            raise BarsError(
                f"a dataset's union is {named!r}, but must be a list of two or more, such as [us-stocks, ./mine]"
            )
        return tuple(cls.of(each, base) for each in named)

    @classmethod
    def _folder(
        cls, text: str, base: Path, symbols: tuple[str, ...], given: Mapping[str, str], named_so: bool = False
    ) -> "DataOrigin":
        folder = base / Path(text).expanduser()
        if not folder.is_dir():
            if named_so or Path(text).name != text:
                raise BarsError(
                    f"there is no folder {str(folder)!r}; name one with a CSV or Parquet file a symbol"
                )
            hint = did_you_mean(text, BUNDLED) or ";"
            raise BarsError(
                f"there is no folder {str(folder)!r} and no bundled DataSet of that name{hint} there are: "
                f"{', '.join(BUNDLED)}"
            )
        return cls("folder", str(folder), symbols, given)

    def load(self) -> DataSet:
        """Reads the bars.

        Raises:
            BarsError: They cannot be had, or a symbol is not among them.
        """
        given = dict(self.given)
        if self.kind == "yahoo":
            return DataSet.from_yahoo(given.pop("name", "yahoo"), self.symbols, **given)
        name = given.pop("name", None)
        if self.kind == "union":
            dataset = DataSet.union(name or "union", *(part.load() for part in self.parts))
        elif self.kind == "bundled":
            dataset = DataSet.bundled(self.place)
        else:
            dataset = DataSet.from_folder(
                self.place, None if self.symbols else name, given.get("date_format")
            )
        if not self.symbols and name in (None, dataset.name):
            return dataset
        return dataset.subset(self.symbols or dataset.symbols, name)


def _symbols(given: object) -> tuple[str, ...]:
    symbols = [given] if isinstance(given, str) else given
    if not isinstance(symbols, list | tuple):
        raise BarsError(f"symbols are {given!r}, but must be a list such as [AAPL, MSFT]")
    for symbol in symbols:
        if not isinstance(symbol, str) or not symbol:
            raise BarsError(f"a symbol is {symbol!r}, but must be text; put it in quotes")
    return tuple(symbols)
