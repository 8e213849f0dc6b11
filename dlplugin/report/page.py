"""The report as one HTML file that needs nothing else and asks nothing of the network."""

import base64
import functools
import hashlib
import os
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from dlplugin.evaluation import ClassResult, Evaluation
from dlplugin.report.account import account_figure
from dlplugin.report.candles import candles_figure
from dlplugin.report.charts import Figure
from dlplugin.report.class_tables import ClassTables, class_tables
from dlplugin.report.data import ReportData
from dlplugin.report.overview import captions, key_figures
from dlplugin.report.tables import OutputTables, output_tables, span_rows, trades_table
from dlplugin.report.training import loss_figures, span_strip
from dlplugin.report.words import clean, plain_index, split_sentence

__all__ = ["render_report", "write_report"]


def write_report(data: ReportData, path: Path) -> Path:
    """Writes the report; whoever opens `path` finds the old file or the whole new one, never a part.

    Args:
        data: What to show.
        path: The file; its folder is created.

    Returns:
        `path`.
    """
    page = render_report(data).encode("utf-8")
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with beside.open("wb") as file:
            file.write(page)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
    return path


def render_report(data: ReportData) -> str:
    """The report as text; the same data give the same text."""
    style, script = _shipped("report.css"), _shipped("report.js")
    headline, more = split_sentence(data.verdict)
    figures = _figures(data)
    # the verdict on the scores stands beside them, unless it has been read at the top already
    said = data.evaluation.verdict
    return (
        _environment()
        .get_template("report.html.jinja")
        .render(
            data=data,
            policy=_policy(style, script),
            style=Markup(style),
            script=Markup(script),
            headline=headline,
            more=more,
            said="" if said in data.verdict else said,
            key_figures=key_figures(data),
            figures=figures,
            readings=_readings(figures),
            outputs=[_tables(data.evaluation, i) for i in range(len(data.evaluation.outputs))],
            trades=trades_table(data.backtest),
            spans=span_rows(data.spans),
            captions=captions(data),
        )
    )


def _tables(evaluation: Evaluation, output: int) -> OutputTables | ClassTables:
    result = evaluation.results[output]
    if isinstance(result, ClassResult):
        return class_tables(evaluation.outputs[output], result)
    return output_tables(evaluation, output)


def _figures(data: ReportData) -> dict[str, Figure]:
    inside, outside = loss_figures(data.history, data.best_epoch)
    same_dates = data.backtest is not None and plain_index(data.backtest.equity.index).equals(
        plain_index(data.chart_bars.index)
    )
    return {
        "in-sample-loss": inside,
        "out-of-sample-loss": outside,
        "candles": candles_figure(data.chart_bars, data.prediction, data.prediction_label, data.backtest),
        "account": account_figure(data.backtest, "bars" if same_dates else "account"),
        "spans": span_strip(data.spans),
    }


def _readings(figures: dict[str, Figure]) -> dict[str, Any]:
    """What hovering reads out: per group its positions and labels, per figure its columns; NaN is null."""
    groups: dict[str, Any] = {}
    for name, figure in figures.items():
        if not figure.group:
            continue
        x = [round(float(x), 1) for x in figure.x]
        group = groups.setdefault(figure.group, {"x": x, "labels": list(figure.labels), "figures": {}})
        group["figures"][name] = [
            {
                "name": column.name,
                "decimals": column.decimals,
                "unit": column.unit,
                "values": [
                    round(v, column.decimals) if np.isfinite(v) else None for v in column.values.tolist()
                ],
            }
            for column in figure.columns
        ]
    return groups


def _policy(style: str, script: str) -> str:
    """Allows this style and this script and nothing else: no request, no frame, no other code."""
    return (
        f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode('utf-8')).digest()).decode('ascii')}"


def _shipped(name: str) -> str:
    return resources.files("dlplugin.report").joinpath(name).read_text(encoding="utf-8")


@functools.cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("dlplugin.report", ""),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=lambda value: clean(value) if type(value) is str else value,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.policies["json.dumps_kwargs"] = {"separators": (",", ":"), "allow_nan": False}
    return environment
