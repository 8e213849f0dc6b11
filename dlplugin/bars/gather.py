"""Many symbols examined together: those that can be used, those left out, and why."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from dlplugin.bars.bundled import BUNDLED, bundled_folder
from dlplugin.bars.checks import Examined, examine_bars, refused
from dlplugin.bars.findings import Finding
from dlplugin.bars.folder import folder_sources
from dlplugin.bars.grades import OTHER_INTERVAL, UNREADABLE
from dlplugin.bars.spacing import interval_of
from dlplugin.errors import BarsError
from dlplugin.registry import did_you_mean

__all__ = ["Gathered", "Source", "examine_folder", "gather", "joined"]

Source = pd.DataFrame | Callable[[], pd.DataFrame]
"""A symbol's bars, or what reads them and raises BarsError where they cannot be read."""


class Gathered(NamedTuple):
    """What came of a DataSet's symbols.

    Attributes:
        bars: Symbol to mended bars, of one interval.
        interval: Theirs; empty where no symbol can be used.
        findings: Of all symbols, those left out too.
        left_out: Symbol to reason.
    """

    bars: dict[str, pd.DataFrame]
    interval: str
    findings: tuple[Finding, ...]
    left_out: dict[str, str]


def gather(
    name: str, sources: Mapping[str, Source], date_format: str | None = None, strict: bool = False
) -> Gathered:
    """Examines each symbol, in alphabetical order, and keeps those of the interval that most have.

    Args:
        name: The DataSet's, for messages.
        sources: Symbol to bars.
        date_format: As in `check_bars`.
        strict: Leave out what would have to be mended.

    Raises:
        BarsError: There are no symbols, or one that is no text.
    """
    if not isinstance(sources, Mapping):
        raise BarsError(
            f"DataSet {name!r} is made of a {type(sources).__name__}; give a dict of symbols to DataFrames"
        )
    if not sources:
        raise BarsError(f"DataSet {name!r} has no symbols; give it one or more")
    for symbol in sources:
        if not isinstance(symbol, str) or not symbol.strip():
            raise BarsError(f"DataSet {name!r} has the symbol {symbol!r}; a symbol is a text such as 'AAPL'")
    bars: dict[str, pd.DataFrame] = {}
    findings: list[Finding] = []
    for symbol in sorted(sources):
        examined = _examined(symbol, sources[symbol], date_format, strict)
        findings += examined.findings
        if examined.bars is not None:
            bars[symbol] = examined.bars
    intervals = {symbol: interval_of(pd.DatetimeIndex(frame.index)) for symbol, frame in bars.items()}
    interval, others = _other_intervals(name, intervals)
    findings += [refused(OTHER_INTERVAL, symbol, text, intervals[symbol]) for symbol, text in others.items()]
    left_out: dict[str, str] = {}
    for finding in findings:
        if finding.grade == "refused":
            left_out.setdefault(finding.symbol, finding.text)
    kept = {symbol: frame for symbol, frame in bars.items() if symbol not in left_out}
    return Gathered(kept, interval, tuple(findings), dict(sorted(left_out.items())))


def examine_folder(data: str, date_format: str | None = None, strict: bool = False) -> tuple[str, Gathered]:
    """The name of a bundled set or a folder, and what came of its symbols.

    Raises:
        BarsError: There is no such set or folder, or no file of bars in it.
    """
    folder = Path(data).expanduser()
    if data in BUNDLED:
        folder = bundled_folder(data)
    elif not folder.exists() and folder.name == data:
        hint = did_you_mean(data, BUNDLED) or ";"
        raise BarsError(
            f"there is no folder {data!r} and no bundled DataSet of that name{hint} there are: "
            f"{', '.join(BUNDLED)}"
        )
    name = folder.resolve().name
    return name, gather(name, folder_sources(folder), date_format, strict)


def joined(parts: Sequence[tuple[str, Gathered, Mapping[str, str]]]) -> Gathered:
    """All symbols of several DataSets; one that several have is taken from the first of them.

    Args:
        parts: Each DataSet's name, what it holds, and the fingerprint of each of its symbols.

    Raises:
        BarsError: Different intervals, or different bars of one symbol.
    """
    first, whole, _ = parts[0]
    owners: dict[str, int] = {}
    for number, (name, part, prints) in enumerate(parts):
        if part.interval != whole.interval:
            raise BarsError(
                f"{first!r} has bars of {whole.interval} and {name!r} of {part.interval}; a DataSet has one interval"
            )
        for symbol in part.bars:
            owner, _, owned = parts[owners.setdefault(symbol, number)]
            if owned[symbol] != prints[symbol]:
                raise BarsError(
                    f"{owner!r} and {name!r} have different bars of {symbol}; leave it out of one with subset"
                )
    bars = {symbol: parts[owners[symbol]][1].bars[symbol] for symbol in sorted(owners)}
    findings = tuple(
        finding
        for number, (_, part, _) in enumerate(parts)
        for finding in part.findings
        if owners.get(finding.symbol, number) == number
    )
    left_out = {
        symbol: reason
        for _, part, _ in parts
        for symbol, reason in part.left_out.items()
        if symbol not in owners
    }
    return Gathered(bars, whole.interval, findings, left_out)


def _examined(symbol: str, source: Source, date_format: str | None, strict: bool) -> Examined:
    if callable(source):
        try:
            source = source()
        except BarsError as error:
            return Examined(None, (refused(UNREADABLE, symbol, str(error)),))
    return examine_bars(source, symbol, date_format, strict)


def _other_intervals(name: str, intervals: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """The interval of more than half of the symbols, and what is wrong with each symbol of another.

    Where no interval has so many, something is wrong with all of them.
    """
    counts = Counter(intervals.values()).most_common()
    if not counts:
        return "", {}
    interval, most = counts[0]
    others = [symbol for symbol in intervals if intervals[symbol] != interval]
    if 2 * most > len(intervals):
        texts = {
            symbol: f"{symbol} has bars of {intervals[symbol]} where most have bars of {interval}; "
            "a DataSet has one interval"
            for symbol in others
        }
        return interval, texts
    first = next(iter(intervals))
    other = next(symbol for symbol in intervals if intervals[symbol] != intervals[first])
    text = (
        f"DataSet {name!r} has bars of {intervals[first]} ({first}) and of {intervals[other]} ({other}); "
        "a DataSet has one interval"
    )
    return "", dict.fromkeys(intervals, text)
