"""The report as JSON, for programs: everything that the page shows, and everything that is recorded.

format        1; another number when keys change their meaning
model         name and version
subtitle      one line on what it is
verdict       plain sentences, the first of which is the headline
left_out      what is not in this report, and how to get it; empty for nothing
evaluation    as `Evaluation.to_json` writes it: outputs, and for each output spans, comparisons and ranges
importance    for each output and input: the rise of the loss when it is permuted, and half its 95 % interval; null
              when it was not looked at
dependence    for each input looked at: its name, what is predicted, and points with value, mean, low and high
training      history (a list for each column), best_epoch, stop_reason, effective_samples
spans         for each span: name, start, end, samples, purged, embargoed, dropped
backtest      strategy, symbol, start, end, cash, commission, figures, trades, equity and buy_and_hold by date; null
openings      every opening of the holdout that counts for the model; null when not recorded
trials        every run that counts for the model; null when not recorded
record        what the training recorded: data, options, versions, hashes

Dates are ISO texts, NaN is null.
"""

import json
from typing import TYPE_CHECKING, Any

import pandas as pd

from dlplugin.evaluation.plain import to_plain
from dlplugin.report.data import ReportData

if TYPE_CHECKING:
    from dlplugin.evaluation.account import Backtest

__all__ = ["FORMAT", "render_json"]

FORMAT = 1


def render_json(data: ReportData) -> str:
    """The report as JSON text; the same data give the same text."""
    document = {
        "format": FORMAT,
        "model": data.model,
        "subtitle": data.subtitle,
        "verdict": data.verdict,
        "left_out": data.left_out,
        "evaluation": json.loads(data.evaluation.to_json()),
        "importance": None if data.importance is None else _rows(data.importance.frame),
        "dependence": [
            {"input": each.input, "predicted": each.unit, "points": _rows(each.frame)}
            for each in data.dependence
        ],
        "training": {
            "history": {str(name): column.tolist() for name, column in data.history.items()},
            "best_epoch": int(data.best_epoch),
            "stop_reason": data.stop_reason,
            "effective_samples": float(data.effective_samples),
        },
        "spans": list(data.spans),
        "backtest": None if data.backtest is None else _backtest(data.backtest),
        "openings": None if data.openings is None else _rows(data.openings),
        "trials": None if data.trials is None else _rows(data.trials),
        "record": dict(data.facts),
    }
    return json.dumps(to_plain(document), allow_nan=False, indent=1, ensure_ascii=False) + "\n"


def _backtest(backtest: "Backtest") -> dict[str, Any]:
    return {
        "strategy": backtest.strategy,
        "symbol": backtest.symbol,
        "start": backtest.start,
        "end": backtest.end,
        "cash": float(backtest.cash),
        "commission": float(backtest.commission),
        "figures": {name: float(value) for name, value in backtest.figures.items()},
        "trades": _rows(backtest.trades),
        "equity": _series(backtest.equity),
        "buy_and_hold": _series(backtest.buy_and_hold),
    }


def _series(values: "pd.Series[float]") -> dict[str, float]:
    return {pd.Timestamp(str(moment)).isoformat(): float(value) for moment, value in values.items()}


def _rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): _value(value) for name, value in each.items()} for each in frame.to_dict("records")]


def _value(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_value(each) for each in value]
    if value is None or pd.isna(value):
        return None
    if isinstance(value, pd.Timestamp):
        return value.isoformat()
    return value.item() if hasattr(value, "item") else value
