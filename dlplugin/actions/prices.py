"""What can be done with prices: fetch them, check them, and see what is cached."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlplugin.errors import BarsError, UnknownNameError

if TYPE_CHECKING:
    import pandas as pd

    from dlplugin.bars import Finding, Moment

__all__ = [
    "CacheResult",
    "CheckResult",
    "FetchedPrices",
    "cache",
    "check_data",
    "clear_cache",
    "fetch_prices",
]


@dataclass(frozen=True)
class CheckResult:
    """What the check of a DataSet found.

    Attributes:
        name: The set's.
        interval: Of the symbols that can be used; empty where there is none.
        bars: Usable symbol to its number of bars, mended.
        left_out: Symbol that cannot be used to the reason.
        findings: Everything found, symbol by symbol.
    """

    name: str
    interval: str
    bars: dict[str, int]
    left_out: dict[str, str]
    findings: "tuple[Finding, ...]"

    @property
    def passed(self) -> bool:
        """Whether nothing was refused."""
        return not self.left_out

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it; NaN is None."""
        from dlplugin.evaluation.plain import to_plain

        return vars(self) | {
            "passed": self.passed,
            "findings": [to_plain(finding.to_dict()) for finding in self.findings],
        }


def check_data(data: str, strict: bool = False, date_format: str | None = None) -> CheckResult:
    """Holds every symbol of a folder or a bundled DataSet against the table of grades.

    Args:
        data: A bundled set's name, or a folder; write ./us-stocks for a folder with a set's name.
        strict: Refuse what would be mended.
        date_format: As in `DataSet.from_folder`.

    Raises:
        BarsError: There is no such folder or set, or no file of bars in it.
    """
    from dlplugin.bars import examine_folder

    name, gathered = examine_folder(data, date_format, strict)
    counts = {symbol: len(bars) for symbol, bars in gathered.bars.items()}
    return CheckResult(name, gathered.interval, counts, gathered.left_out, gathered.findings)


@dataclass(frozen=True)
class FetchedPrices:
    """What a fetch of prices wrote.

    Attributes:
        folder: Where; `DataSet.from_folder` reads it.
        written: Each symbol's bars, first date, last date and file.
        failures: The symbols that could not be had, and why.
        stale: Symbols that are not up to date, from the cache: to when, and why.
        notes: What else there is to know of a symbol.
    """

    folder: Path
    written: dict[str, dict[str, Any]]
    failures: dict[str, str]
    stale: dict[str, str]
    notes: dict[str, str]

    def __str__(self) -> str:
        width = max(len(symbol) for symbol in self.written)
        lines = [
            f"{symbol:{width}}  {file['bars']} bars from {file['first']} to {file['last']}  {file['file']}"
            for symbol, file in self.written.items()
        ]
        lines += [f"not up to date: {symbol} {reason}" for symbol, reason in self.stale.items()]
        lines += [f"left out: {symbol}: {reason}" for symbol, reason in self.failures.items()]
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """The same, as JSON holds it."""
        return {**vars(self), "folder": str(self.folder)}


def fetch_prices(
    symbols: Sequence[str],
    out: Path,
    start: "Moment | None" = None,
    end: "Moment | None" = None,
    interval: str = "1d",
) -> FetchedPrices:
    """Fetches prices from Yahoo, adjusted for splits and dividends, and writes one CSV a symbol.

    Args:
        symbols: As Yahoo writes them.
        out: Folder for the files; a symbol's older file there is replaced.
        start: Date of the first bar; None is the first that there is.
        end: Date of the last bar, included; None is the latest.
        interval: "1d", "1w", "1mo", "3mo", or within a day "1m" to "90m" and "1h" in UTC.

    Raises:
        BarsError: None could be had, or the folder cannot be written.
    """
    from dlplugin.bars.dates import day_text
    from dlplugin.bars.yahoo import fetch, refuse_nothing

    fetched = fetch(symbols, start, end, interval)
    refuse_nothing(fetched, out.name)
    written = {}
    for symbol, bars in fetched.bars.items():
        path = out / f"{symbol}.csv"
        _write_csv(bars, path)
        first, last = day_text(bars.index[0]), day_text(bars.index[-1])
        written[symbol] = {"bars": len(bars), "first": first, "last": last, "file": str(path)}
    return FetchedPrices(out, written, fetched.failures, fetched.stale, fetched.notes)


@dataclass(frozen=True)
class CacheResult:
    """What is cached, or was.

    Attributes:
        folder: Where.
        entries: Kind to number of files: bars (parsed files), inputs (slow indicators), yahoo (prices).
        bytes: Kind to bytes on disk.
    """

    folder: Path
    entries: dict[str, int]
    bytes: dict[str, int]

    def __str__(self) -> str:
        rows = [
            f"  {kind:6}  {count:>6} entries  {self.bytes[kind]:>13,} bytes"
            for kind, count in self.entries.items()
        ]
        return "\n".join([str(self.folder), *rows])

    def to_dict(self) -> dict[str, Any]:
        """The same, as JSON holds it."""
        return {**vars(self), "folder": str(self.folder)}


def cache() -> CacheResult:
    """What is cached on disk, by kind."""
    from dlplugin.bars.cache import cache_folder, contents

    found = contents()
    return CacheResult(
        cache_folder(),
        {kind: each.entries for kind, each in found.items()},
        {kind: each.bytes for kind, each in found.items()},
    )


def clear_cache(kinds: Sequence[str] = ("bars", "inputs")) -> CacheResult:
    """Removes what is cached; gives what was removed.

    Prices from Yahoo are removed only when they are named, as bars within a day cannot be had again
    after some weeks.

    Args:
        kinds: Of bars, inputs and yahoo.

    Raises:
        UnknownNameError: There is no such kind.
    """
    from dlplugin.bars.cache import KINDS, cache_folder, clear

    for kind in kinds:
        if kind not in KINDS:
            raise UnknownNameError(f"nothing of kind {kind!r} is cached; there are: {', '.join(KINDS)}")
    removed = {kind: clear(kind) for kind in kinds}
    return CacheResult(
        cache_folder(),
        {kind: each.entries for kind, each in removed.items()},
        {kind: each.bytes for kind, each in removed.items()},
    )


def _write_csv(bars: "pd.DataFrame", path: Path) -> None:
    """Writes beside, then renames."""
    beside = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            bars.to_csv(beside)
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)
    except OSError as error:
        raise BarsError(f"cannot write {path}: {error.strerror or error}") from None
