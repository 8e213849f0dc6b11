"""A trained model and a backtest to what a report is made of."""

from typing import TYPE_CHECKING, Any

import pandas as pd

from dlplugin.definition import Input, Output
from dlplugin.report.data import ReportData, SpanRecord

if TYPE_CHECKING:
    from dlplugin.bars import DataSet
    from dlplugin.evaluation import Backtest
    from dlplugin.model import Model

__all__ = ["report_data"]


def report_data(model: "Model", dataset: "DataSet", backtest: "Backtest") -> ReportData:
    """All that the report of a trained model and one of its backtests shows.

    Args:
        model: Trained or locked.
        dataset: What it was trained on.
        backtest: Of one of its symbols.

    Raises:
        PredictionError: The model is not trained.
    """
    record = model.record
    evaluation = model.evaluation
    bars = dataset[backtest.symbol]
    predicted = model.predict(bars, backtest.symbol, dataset).iloc[:, 0]
    output = model.definition.outputs[0]
    return ReportData(
        model=model.reference,
        subtitle=_subtitle(model, record),
        verdict=evaluation.verdict,
        evaluation=evaluation,
        history=model.history,
        best_epoch=model.best_epoch,
        stop_reason=str(record["stop_reason"]),
        spans=tuple(
            SpanRecord(span.name, span.start, span.end, counts["samples"], counts["purged"])  # type: ignore[arg-type]
            for span in model.spans.spans
            for counts in [record["counts"][span.name]]
        ),
        chart_bars=bars.loc[backtest.start : backtest.end],
        prediction=predicted.loc[backtest.start : backtest.end],
        prediction_label=f"{output.name}, look ahead {output.look_ahead}{', class' if output.labels else ''}",
        backtest=backtest,
        record=_facts(model, record),
        symbols=tuple(record["dataset"]["symbols"]),
        note=model.spans.note,
    )


def _subtitle(model: "Model", record: dict[str, Any]) -> str:
    definition = model.definition
    inputs = ", ".join(
        f"{item.name} × {item.depth}" if item.depth > 1 else item.name for item in definition.inputs
    )
    outputs = ", ".join(f"{item.name} in {item.look_ahead} bars" for item in definition.outputs)
    return f"{definition.spec.name.upper()} · {record['weights']:,} weights · {inputs} → {outputs}"


def _input(item: Input) -> str:
    text = item.indicator if item.is_symbol else f"{item.indicator}, depth {item.depth}"
    if item.categories is None:
        return text
    text += f", {len(item.categories)} categories"
    return text if item.embedding is None else f"{text} in vectors of {item.embedding}"


def _output(item: Output) -> str:
    text = f"{item.indicator}, look ahead {item.look_ahead}"
    if item.labels:
        text += f", classes {' | '.join(item.labels)}"
    if item.quantiles is not None:
        text += f", quantiles {' | '.join(f'{level:g}' for level in item.quantiles)}"
    return text


def _facts(model: "Model", record: dict[str, Any]) -> dict[str, str]:
    options, data = record["options"], record["dataset"]
    symbols = data["symbols"]
    bars = sum(symbol["bars"] for symbol in symbols.values())
    first = min(pd.Timestamp(symbol["first"]) for symbol in symbols.values())
    last = max(pd.Timestamp(symbol["last"]) for symbol in symbols.values())
    return {
        "model": f"{model.reference}, {model.status}",
        "definition": model.definition.hash[:16],
        "inputs": "; ".join(map(_input, model.definition.inputs)),
        "outputs": "; ".join(map(_output, model.definition.outputs)),
        "engine": ", ".join(
            f"{name} {value}" for name, value in model.definition.to_dict()["engine"].items()
        ),
        "data": f"{data['name']}, {data['interval']}: {len(symbols)} symbols, {bars:,} bars, "
        f"{first:%Y-%m-%d} … {last:%Y-%m-%d}",
        "symbols": ", ".join(symbols),
        "validation": str(model.spans.validation),
        "samples": record["samples_fingerprint"][:16],
        "options": ", ".join(f"{name} {value}" for name, value in options.items()),
        "trained": f"{record['started']} … {record['ended']} on {record['device']}, "
        f"{record['epochs']} epochs",
        "versions": ", ".join(f"{name} {version}" for name, version in record["versions"].items()),
    }
