"""The verbs, as plain functions with plain results; the command line and other faces only call them."""

import importlib.util
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, cast

from dlplugin.errors import BarsError, UnknownNameError
from dlplugin.resources import shipped_folder

if TYPE_CHECKING:
    import pandas as pd

    from dlplugin.bars import Finding, Moment
    from dlplugin.evaluation import Evaluation
    from dlplugin.indicators import Entry
    from dlplugin.model import Model
    from dlplugin.trading import Backtest

__all__ = [
    "CacheResult",
    "CheckResult",
    "DemoResult",
    "FetchedPrices",
    "cache",
    "check_data",
    "clear_cache",
    "demo",
    "fetch_prices",
    "indicator",
    "indicator_chart",
    "indicators",
    "models",
    "unlock",
]


@dataclass(frozen=True)
class DemoResult:
    """What the demo did.

    Attributes:
        model: The locked model.
        trained: Whether it was trained just now; otherwise it was locked already.
        evaluation: In and out of sample, beside trivial rules.
        backtest: On the holdout.
        report: The page it wrote.
    """

    model: "Model"
    trained: bool
    evaluation: "Evaluation"
    backtest: "Backtest"
    report: Path

    def __str__(self) -> str:
        return f"{self.evaluation}\n\n{self.backtest}\n\nreport: {self.report}"

    def to_dict(self) -> dict[str, Any]:
        """Spans, counts, epochs, losses, metrics and backtest, as JSON holds them; NaN is None."""
        record, history = self.model.record, self.model.history.to_dict("records")
        best = history[self.model.best_epoch - 1]
        plain = {
            "model": self.model.reference,
            "trained_now": self.trained,
            "spans": {
                span.name: {
                    "start": span.start.isoformat(),
                    "end": span.end.isoformat(),
                    **record["counts"][span.name],
                }
                for span in self.model.spans.spans
            },
            "epochs": record["epochs"],
            "best_epoch": self.model.best_epoch,
            "stop_reason": record["stop_reason"],
            "losses": {
                "in_sample": float(best["in_sample_loss"]),
                "out_of_sample": float(best["out_of_sample_loss"]),
            },
            "verdict": self.evaluation.verdict,
            "metrics": {
                scores.span: {rule: vars(values) for rule, values in scores.by_rule.items()}
                for scores in self.evaluation.scores()
            },
            "backtest": {
                "strategy": self.backtest.strategy,
                "symbol": self.backtest.symbol,
                "start": self.backtest.start.isoformat(),
                "end": self.backtest.end.isoformat(),
                "commission": self.backtest.commission,
                **self.backtest.figures,
            },
            "report": str(self.report),
        }
        return cast(dict[str, Any], _without_nan(plain))


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
        return vars(self) | {
            "passed": self.passed,
            "findings": [_without_nan(finding.to_dict()) for finding in self.findings],
        }


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


def demo(out: Path, symbol: str = "AAPL") -> DemoResult:
    """Defines, trains, judges, locks and trades a model on bundled real stocks, and writes a report.

    Args:
        out: Folder for report.html and the demo's store.
        symbol: The stock to trade on the holdout.

    Raises:
        BarsError: The bundled set has no such symbol.
    """
    from dlplugin.bars import DataSet
    from dlplugin.report import report_data, write_report

    script = _script("buy_predicted_gain")
    dataset = DataSet.bundled("us-stocks")
    bars = dataset[symbol]
    model, trained = script.trained(dataset, str(out / "models"))
    backtest = script.trade(model, bars, symbol)
    report = write_report(report_data(model, dataset, backtest), out / "report.html")
    return DemoResult(model, trained, model.evaluation, backtest, report)


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


def indicators(group: str | None = None) -> "list[Entry]":
    """The indicators that can be written in expressions: all, or those of groups with that word in their name.

    Raises:
        UnknownNameError: There is no such group.
    """
    from dlplugin.indicators import catalogue

    entries = list(catalogue().values())
    if group is None:
        return entries
    groups = sorted({entry.group for entry in entries})
    chosen = [name for name in groups if group.casefold() in name.casefold()]
    if not chosen:
        raise UnknownNameError(f"unknown group {group!r}; there are: {', '.join(groups)}")
    return [entry for entry in entries if entry.group in chosen]


def indicator(name: str) -> "Entry":
    """One indicator: its parameters, outputs and warm-up.

    Raises:
        UnknownNameError: There is no such indicator.
    """
    from dlplugin.indicators import describe

    return describe(name)


def indicator_chart(entry: "Entry", bars: int = 60) -> list[str]:
    """A small chart for a terminal: the indicator on the last bundled bars of AAPL.

    Args:
        entry: The indicator.
        bars: How many bars.

    Returns:
        A heading and the chart's lines; empty for an indicator that cannot stand alone.
    """
    from dlplugin.bars import DataSet
    from dlplugin.indicators import Indicator
    from dlplugin.indicators.chart import terminal_chart

    if not entry.example:
        return []
    dataset = DataSet.bundled("us-stocks")
    shown = Indicator(entry.example.replace('"SPY"', '"IBM"'))
    history = dataset["AAPL"]
    lines = terminal_chart(shown.compute(history, {"IBM": dataset["IBM"]})[-bars:])
    first, last = history.index[-bars:][[0, -1]]
    return [f"{shown} on AAPL, {first:%Y-%m-%d} … {last:%Y-%m-%d}", *lines] if lines else []


def models(store: Path | None = None) -> "pd.DataFrame":
    """All stored models, a row each."""
    from dlplugin.model import models

    return models(store)


def unlock(name: str, store: Path | None = None) -> str:
    """Makes a locked model a draft again; says what stays.

    Raises:
        StoreError: It is not locked.
    """
    from dlplugin.model import load

    model = load(name, store)
    model.unlock()
    return f"{model.name} is a draft again; its locked versions stay and can be loaded"


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


def _script(name: str) -> ModuleType:
    """A strategy script that ships with dlplugin."""
    path = shipped_folder("strategies") / f"{name}.py"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise FileNotFoundError(path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
