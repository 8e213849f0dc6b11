"""A named set of symbols with one interval."""

import warnings
from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from os import PathLike
from pathlib import Path
from typing import Any, final

import pandas as pd

from dlplugin.bars.bundled import bundled_folder
from dlplugin.bars.dates import day_text
from dlplugin.bars.findings import Finding, summary
from dlplugin.bars.fingerprint import fingerprint_bars
from dlplugin.bars.folder import folder_sources
from dlplugin.bars.gather import Gathered, Source, gather, joined
from dlplugin.bars.plain_origin import origin_of_some, union_origin, yahoo_origin
from dlplugin.bars.timetable import describe_bars
from dlplugin.bars.yahoo import Moment, fetch, usable
from dlplugin.errors import BarsError, DLPluginWarning
from dlplugin.registry import did_you_mean

__all__ = ["DataSet"]


@final
class DataSet:
    """A named set of symbols and their bars, checked when it is made and never changed after.

    Make one with `bundled`, `from_folder`, `from_yahoo`, `from_frames` or `union`. Symbols are in
    alphabetical order, whatever order they came in.

    Bars are mended, warned about or refused by the table in `dlplugin.bars.grades`
    (`dlplugin data check --grades` prints it). A symbol that is refused is left out; one
    `DLPluginWarning` names what was left out, mended or should be looked at, and `findings` and
    `left_out` hold all of it.

    Args:
        name: What reports and runs call it.
        frames: Each symbol's bars, in any form that `check_bars` accepts, or a function that reads
            them; copied.
        strict: Raise where a symbol would be left out or mended.
        date_format: How dates that are text are written, as in `from_folder`.

    Raises:
        BarsError: No symbols, none that can be used, or no interval that most of them have.

    >>> dataset = DataSet.bundled("us-stocks")
    >>> dataset
    DataSet('us-stocks', 11 symbols, 1d)
    >>> len(dataset["GOOG"]), "AAPL" in dataset
    (2148, True)
    """

    def __init__(
        self,
        name: str,
        frames: Mapping[str, Source],
        strict: bool = False,
        date_format: str | None = None,
    ) -> None:
        _refuse_name(name)
        gathered = gather(name, frames, date_format, strict)
        reasons = list(gathered.left_out.values())
        if strict and reasons:
            raise BarsError(reasons[0])
        if not gathered.bars:
            several = len(set(reasons)) > 1
            raise BarsError(
                f"no symbol of DataSet {name!r} can be used ({len(reasons)} are left out); {reasons[0]}"
                if several
                else reasons[0]
            )
        if gathered.findings:
            said = summary(gathered.findings, gathered.left_out)
            warnings.warn(f"DataSet {name!r}: {said}", DLPluginWarning, stacklevel=3)
        copies = {symbol: _copy(bars) for symbol, bars in gathered.bars.items()}
        self._hold(name, gathered._replace(bars=copies))

    def _hold(self, name: str, gathered: Gathered, origin: dict[str, Any] | None = None) -> None:
        self._name = name
        self._origin = origin
        self._bars = gathered.bars
        self._interval = gathered.interval
        self._findings = gathered.findings
        self._left_out = gathered.left_out
        self._fingerprint: dict[str, str] = {}

    @classmethod
    def _of(cls, name: str, gathered: Gathered, origin: dict[str, Any] | None) -> "DataSet":
        """A set of bars that are checked already, and belong to another set that never changes them."""
        _refuse_name(name)
        dataset = cls.__new__(cls)
        dataset._hold(name, gathered, origin)
        return dataset

    @classmethod
    def bundled(cls, name: str) -> "DataSet":
        """One of the sets that ship with dlplugin: "us-stocks", "sp500", "eurusd-1h".

        Raises:
            BarsError: There is no such set.
        """
        dataset = cls.from_folder(bundled_folder(name), name=name)
        dataset._origin = {"bundled": name}
        return dataset

    @classmethod
    def from_folder(
        cls,
        path: str | PathLike[str],
        name: str | None = None,
        date_format: str | None = None,
        strict: bool = False,
    ) -> "DataSet":
        """The bars of a folder that holds one CSV, CSV.gz or Parquet file a symbol.

        A symbol is its file's name without the suffix. Column names may be in any case; the dates are
        a column named date, datetime, timestamp, time or the like.

        Args:
            path: The folder; ~ is the home folder.
            name: What to call the set; the folder's name by default.
            date_format: How dates are written where they are not ISO dates: as in
                `datetime.strptime` ("%d/%m/%Y"), or "s", "ms", "us" or "ns" for numbers since 1970.
            strict: Raise where a symbol would be left out or mended.

        Raises:
            BarsError: No folder, or no symbol in it that can be used.
        """
        folder = Path(path).expanduser()
        name = folder.resolve().name if name is None else name
        dataset = cls(name, folder_sources(folder), strict, date_format)
        written = {} if date_format is None else {"date_format": date_format}
        dataset._origin = {"folder": str(folder.absolute()), "name": name, **written}
        return dataset

    @classmethod
    def from_frames(cls, name: str, frames: Mapping[str, pd.DataFrame], strict: bool = False) -> "DataSet":
        """Bars in memory.

        Args:
            name: What to call the set.
            frames: Each symbol's bars, in any form that `check_bars` accepts; copied.
            strict: Raise where a symbol would be left out or mended.

        Raises:
            BarsError: No symbol that can be used, or no interval that most of them have.
        """
        return cls(name, frames, strict)

    @classmethod
    def from_yahoo(
        cls,
        name: str,
        symbols: str | Iterable[str],
        start: Moment | None = None,
        end: Moment | None = None,
        interval: str = "1d",
        *,
        cache: str | PathLike[str] | None = None,
        session: Any = None,
    ) -> "DataSet":
        """Bars from Yahoo, adjusted for splits and dividends, and cached on disk (see `yahoo.fetch`).

        Symbols that cannot be had are named in a warning and left out. Without a network the cache is
        used, with a warning that says to which date.

        Args:
            name: What to call the set.
            symbols: As Yahoo writes them, such as "AAPL", "^GSPC", "SAP.DE", "EURUSD=X".
            start: Date of the first bar; None is the first that there is.
            end: Date of the last bar, included; None is the latest.
            interval: "1d", "1w", "1mo", "3mo", or within a day "1m" to "90m" and "1h" in UTC.
            cache: Folder; `DLPLUGIN_CACHE` or the user's cache folder otherwise.
            session: A curl_cffi or requests Session, such as one with a proxy.

        Raises:
            BarsError: None of the symbols can be had.
        """
        fetched = fetch(symbols, start, end, interval, cache=cache, session=session)
        dataset = cls(name, usable(fetched, name))
        dataset._origin = yahoo_origin(dataset.symbols, start, end, interval, name)
        return dataset

    @classmethod
    def union(cls, name: str, *datasets: "DataSet") -> "DataSet":
        """All symbols of two or more sets; a symbol that several have is one if its bars are the same.

        Raises:
            BarsError: Different intervals, or different bars of one symbol.
        """
        for dataset in datasets:
            if not isinstance(dataset, DataSet):
                raise BarsError(
                    f"DataSet.union is given a {type(dataset).__name__}; give it a name and DataSets"
                )
        if len(datasets) < 2:
            raise BarsError(
                f"DataSet.union is given {len(datasets)} DataSets; give it a name and two or more"
            )
        gathered = joined(
            [
                (
                    each.name,
                    Gathered(each._bars, each.interval, each.findings, each._left_out),
                    each.fingerprint,
                )
                for each in datasets
            ]
        )
        return cls._of(name, gathered, union_origin([each._origin for each in datasets], name))

    def subset(self, symbols: str | Iterable[str], name: str | None = None) -> "DataSet":
        """Some of the symbols, as a set of its own.

        Args:
            symbols: One symbol, or several.
            name: What to call it; this set's name with the number of symbols by default.

        Raises:
            BarsError: A symbol that this set has not, or none.
        """
        chosen = {
            symbol: self._frame(symbol) for symbol in ([symbols] if isinstance(symbols, str) else symbols)
        }
        name = f"{self.name} ({len(chosen)} of {len(self)})" if name is None else name
        if not chosen:
            raise BarsError(f"DataSet {name!r} has no symbols; give it one or more")
        findings = tuple(finding for finding in self.findings if finding.symbol in chosen)
        bars = {symbol: chosen[symbol] for symbol in sorted(chosen)}
        origin = origin_of_some(self._origin, bars, name)
        return DataSet._of(name, Gathered(bars, self.interval, findings, {}), origin)

    def between(self, dates: Mapping[str, tuple[pd.Timestamp, pd.Timestamp]]) -> "DataSet":
        """The same set with fewer bars; its origin is kept, which names no dates of theirs.

        Args:
            dates: For each symbol that has fewer, the dates of its first and last bar, both included.

        Raises:
            BarsError: A symbol that this set has not, or that has no bars between its dates.
        """
        bars = dict(self._bars)
        for symbol, (first, last) in dates.items():
            bars[symbol] = self._frame(symbol).loc[first:last]
            if bars[symbol].empty:
                raise BarsError(
                    f"{symbol} of {self.name!r} has no bars between {day_text(first)} and {day_text(last)}"
                )
        return DataSet._of(
            self.name, Gathered(bars, self.interval, self.findings, self._left_out), self._origin
        )

    @property
    def name(self) -> str:
        """What reports and runs call the set."""
        return self._name

    @property
    def origin(self) -> dict[str, Any] | None:
        """Where its bars can be read again, in the words of a file's `dataset:`, with a folder's whole path.

        {"bundled": ...}, {"folder": ...}, {"yahoo": [...]} or {"union": [...]}, with symbols where they are some
        of more; None for frames in memory, also where they are a part of a union.
        """
        return deepcopy(self._origin)

    @property
    def interval(self) -> str:
        """How far apart bars are, by the median: "1d", "1h", "30m", "1w", "1mo"."""
        return self._interval

    @property
    def symbols(self) -> tuple[str, ...]:
        """The symbols, in alphabetical order."""
        return tuple(self._bars)

    @property
    def fingerprint(self) -> dict[str, str]:
        """Each symbol and the hash of its bars; the same for the same bars, whatever they came from."""
        return {symbol: self._fingerprint_of(symbol) for symbol in self._bars}

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What was mended, warned about or refused when the set was made, symbol by symbol."""
        return self._findings

    @property
    def left_out(self) -> dict[str, str]:
        """The symbols that could not be used, and why."""
        return dict(self._left_out)

    def describe(self) -> pd.DataFrame:
        """What each symbol has: first and last date, bars, and gaps.

        Gaps are the bars missing between a symbol's first and last. Where the set has several
        symbols, a date on which another symbol has a bar is expected of all; a date that all of them
        miss is not seen. Bars less than a day apart are expected only inside a symbol's own sessions,
        as its weekly timetable shows them: not overnight, nor while only another exchange is open.
        A symbol alone is held against its own timetable, in which an exchange's holidays are gaps too
        (see `bars.timetable`).

        Returns:
            (symbols, 4): first, last, bars, gaps.
        """
        return describe_bars(self._bars)

    def __getitem__(self, symbol: str) -> pd.DataFrame:
        """A copy of the symbol's bars, which may be changed freely.

        Raises:
            BarsError: The set has no such symbol.
        """
        return _copy(self._frame(symbol))

    def __iter__(self) -> Iterator[str]:
        return iter(self._bars)

    def __contains__(self, symbol: object) -> bool:
        return symbol in self._bars

    def __len__(self) -> int:
        return len(self._bars)

    def __repr__(self) -> str:
        symbols = "1 symbol" if len(self) == 1 else f"{len(self)} symbols"
        return f"DataSet({self.name!r}, {symbols}, {self.interval})"

    def _frame(self, symbol: str) -> pd.DataFrame:
        if symbol not in self._bars:
            shown = ", ".join(self.symbols[:20]) + (" ..." if len(self) > 20 else "")
            if symbol in self._left_out:
                raise BarsError(f"DataSet {self.name!r} left out {symbol!r}: {self._left_out[symbol]}")
            hint = did_you_mean(str(symbol), self.symbols) or ";"
            raise BarsError(f"DataSet {self.name!r} has no symbol {symbol!r}{hint} there are: {shown}")
        return self._bars[symbol]

    def _fingerprint_of(self, symbol: str) -> str:
        if symbol not in self._fingerprint:
            self._fingerprint[symbol] = fingerprint_bars(self._bars[symbol])
        return self._fingerprint[symbol]


def _copy(bars: pd.DataFrame) -> pd.DataFrame:
    """A copy that shares nothing; pandas' own copy shares the dates."""
    return bars.copy().set_axis(bars.index.copy(deep=True), axis=0)


def _refuse_name(name: object) -> None:
    if not isinstance(name, str) or not name.strip():
        raise BarsError(f"a DataSet's name is {name!r}; give it a text such as 'tech'")
