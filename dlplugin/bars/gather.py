"""Many symbols examined together: those that can be used, those left out, and why."""

from collections import Counter
from collections.abc import Callable, Mapping
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

__all__ = ["Gathered", "Source", "examine_folder", "gather"]

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
    """
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
