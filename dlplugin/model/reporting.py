"""A trained model, its data and a backtest to what a report is made of."""

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from dlplugin.definition import Input, Output
from dlplugin.errors import BarsError, DefinitionError
from dlplugin.evaluation import Evaluation
from dlplugin.model.data import training_data
from dlplugin.report import Importance, ReportData, SpanRecord, Traded, refuse_other_form, write_report
from dlplugin.report.words import count

if TYPE_CHECKING:
    from dlplugin.bars import DataSet
    from dlplugin.evaluation import Backtest
    from dlplugin.evaluation.audit import Audit
    from dlplugin.model import Model

__all__ = ["report_data", "write_model_report"]

MOST_DEPENDENCES = 4  # inputs whose partial dependence is drawn, of those that matter most


def write_model_report(
    model: "Model",
    path: Path,
    dataset: "DataSet | None",
    backtest: "Backtest | None",
    validation: "DataSet | None" = None,
    audit: "Audit | bool" = False,
    holdout: Evaluation | None = None,
) -> Path:
    """Writes the report of a model; see `Model.report`."""
    refuse_other_form(path)
    _refuse_other_span(holdout)
    left_out = ""
    if dataset is None:
        try:
            dataset, validation = training_data(model.record, validation)
        except BarsError as error:
            anew = "what the inputs matter, and the bars of the holdout"
            left_out = f"Left out is what is made of the data anew: {anew}. {str(error)[:1].upper()}{str(error)[1:]}."
    elif validation is None and "validation" in model.record:
        validation = training_data(model.record)[1]
    if audit is True:
        audit = model.audit(dataset, validation)
    data = report_data(model, dataset, backtest, validation, left_out)
    return write_report(replace(data, audit=audit or None, holdout=holdout), path)


def _refuse_other_span(holdout: Evaluation | None) -> None:
    span = "holdout" if holdout is None else holdout.results[0].spans[-1].span
    if span != "holdout":
        raise DefinitionError(
            f"holdout is an evaluation of the {span} days; give what model.open_holdout(reason=...) gave"
        )


def report_data(
    model: "Model",
    dataset: "DataSet | None" = None,
    backtest: "Backtest | None" = None,
    validation: "DataSet | None" = None,
    left_out: str = "",
) -> ReportData:
    """All that the report of a trained model shows.

    Args:
        model: Trained or locked.
        dataset: What it was trained on, for a fresh evaluation; None for the stored one alone.
        backtest: Of one of its symbols.
        validation: The other DataSet whose samples were out of sample, if there was one.
        left_out: Sentences on what is not shown.

    Raises:
        PredictionError: The model is not trained.
    """
    record = model.record
    evaluation = model.evaluation if dataset is None else model.evaluate(dataset, validation)
    importance, dependence = (
        (None, ()) if dataset is None else _inputs(model, dataset, validation, evaluation)
    )
    return ReportData(
        model=model.reference,
        subtitle=_subtitle(model, record),
        verdict=evaluation.verdict,
        evaluation=evaluation,
        history=model.history,
        best_epoch=model.best_epoch,
        stop_reason=str(record["stop_reason"]),
        spans=tuple(
            SpanRecord(span.name, span.start, span.end, **record["counts"][span.name])
            for span in model.spans.spans
        ),
        symbols=tuple(record["dataset"]["symbols"]),
        note=model.spans.note,
        effective_samples=float(record.get("effective_samples", math.nan)),
        traded=None if dataset is None or backtest is None else _traded(model, dataset, backtest),
        backtest=backtest,
        importance=importance,
        dependence=dependence,
        openings=model.openings,
        trials=model.trials,
        left_out=left_out,
        record=_facts(model, record),
        facts=record,
    )


def _inputs(
    model: "Model", dataset: "DataSet", validation: "DataSet | None", evaluation: Evaluation
) -> tuple[Importance, Sequence[Any]]:
    """What the inputs matter on the judged samples, and the first output's dependence on those that matter most."""
    span = evaluation.scores()[-1].span
    found = model.importance(dataset, span, validation=validation)
    frame = found.frame
    own = frame[frame["output"] == evaluation.outputs[0].name].sort_values(
        "rise", ascending=False, kind="stable"
    )
    names = [str(name) for name in own["input"].head(MOST_DEPENDENCES)]
    note = f"{found.span}, {found.samples:,} samples, {found.repeats} permutations"
    curves = [model.partial_dependence(dataset, name, span=span, validation=validation) for name in names]
    return Importance(frame, note), curves


def _traded(model: "Model", dataset: "DataSet", backtest: "Backtest") -> Traded | None:
    if backtest.symbol not in dataset:
        return None
    bars = dataset[backtest.symbol]
    predicted = model.predict(bars, backtest.symbol, dataset).iloc[:, 0]
    output = model.definition.outputs[0]
    return Traded(
        bars.loc[backtest.start : backtest.end],
        predicted.loc[backtest.start : backtest.end],
        f"{output.name}, look ahead {output.look_ahead}{', class' if output.labels else ''}",
    )


def _subtitle(model: "Model", record: dict[str, Any]) -> str:
    definition = model.definition
    inputs = ", ".join(
        f"{item.name} × {item.depth}" if item.depth > 1 else item.name for item in definition.inputs
    )
    outputs = ", ".join(f"{item.name} in {count(item.look_ahead, 'bar')}" for item in definition.outputs)
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


def _origin(data: dict[str, Any]) -> str:
    if "origin" not in data:
        return "not recorded"
    return ", ".join(f"{name} {value}" for name, value in data["origin"].items()) or "frames in memory"


def _facts(model: "Model", record: dict[str, Any]) -> dict[str, str]:
    options, data = record["options"], record["dataset"]
    symbols = data["symbols"]
    bars = sum(symbol["bars"] for symbol in symbols.values())
    first = min(pd.Timestamp(symbol["first"]) for symbol in symbols.values())
    last = max(pd.Timestamp(symbol["last"]) for symbol in symbols.values())
    return {
        "model": f"{model.reference}, {model.status}",
        "definition's hash": model.definition.hash[:16],
        "inputs": "; ".join(map(_input, model.definition.inputs)),
        "outputs": "; ".join(map(_output, model.definition.outputs)),
        "engine": ", ".join(
            f"{name} {value}" for name, value in model.definition.to_dict()["engine"].items()
        ),
        "data": f"{data['name']}, {data['interval']}: {len(symbols)} symbols, {bars:,} bars, "
        f"{first:%Y-%m-%d} … {last:%Y-%m-%d}",
        "symbols": ", ".join(symbols),
        "origin": _origin(data),
        "fingerprints": ", ".join(f"{symbol} {each['fingerprint'][:8]}" for symbol, each in symbols.items()),
        "validation": str(model.spans.validation),
        "samples' fingerprint": record["samples_fingerprint"][:16],
        "options": ", ".join(f"{name} {value}" for name, value in options.items()),
        "trained": f"{record['started']} … {record['ended']} on {record['device']}, "
        f"{record['epochs']} epochs",
        "versions": ", ".join(f"{name} {version}" for name, version in record["versions"].items()),
    }
