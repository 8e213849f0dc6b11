"""The charts of the same figure part by part: by year, by volatility and by symbol."""

import math
from typing import TYPE_CHECKING

import numpy as np

from dlplugin.report.blocks import Chart, Column, Table, row
from dlplugin.report.charts import FULL, HALF
from dlplugin.report.dots import Line, Mark, dot_plot
from dlplugin.report.pictures import is_faint
from dlplugin.report.words import CONFIDENT, count, listed, number, plus_minus, sentences

if TYPE_CHECKING:
    from dlplugin.evaluation import ClassResult, OutputResult
    from dlplugin.evaluation.groups import GroupScores

    Spans = dict[str, list[GroupScores]]

__all__ = ["group_charts"]

MOST_SYMBOLS = 120
_KINDS = {"year": "year", "volatility": "volatility when predicted", "symbol": "symbol"}
_AXES = {"gain": "squared error of the in-sample mean that is gone, %", "accuracy": "right predictions, %"}
_READINGS = {
    "gain": "right of zero it does better than always predicting the in-sample mean; the hollow is inside its error",
    "accuracy": "the share of predictions that were right, with its 95 % interval",
}
_SHAPES = {
    "in-sample": "round in-sample",
    "out-of-sample": "square out-of-sample",
    "holdout": "square holdout",
}


def group_charts(result: "OutputResult | ClassResult", name: str) -> list[Chart]:
    """The gain, or the accuracy, by year, by volatility and by symbol.

    Args:
        result: What was found for an output.
        name: What the charts' names begin with.
    """
    charts = []
    for kind in _KINDS:
        spans = {
            scores.span: [each for each in scores.groups if each.kind == kind] for scores in result.spans
        }
        spans = {span: groups for span, groups in spans.items() if groups}
        if spans:
            charts.append(_chart(spans, kind, f"{name}-{kind}"))
    return charts


def _chart(spans: "Spans", kind: str, name: str) -> Chart:
    figure = "gain" if "gain" in next(iter(spans.values()))[0].figures else "accuracy"
    spans, few = _told(spans, figure)
    note = f"left out for too few days: {listed(few)}" if few else ""
    if kind == "symbol":
        spans, said = _ordered(spans, figure)
    else:
        shapes = " and ".join(_SHAPES.get(span, span) for span in spans)
        said = f"dots are {shapes}" if len(spans) > 1 else next(iter(spans))
    lines, rows = [], []
    for each in dict.fromkeys(group.name for groups in spans.values() for group in groups):
        own = [(span, group) for span, groups in spans.items() for group in groups if group.name == each]
        lines.append(Line(each, [_mark(span, group, figure) for span, group in own]))
        rows += [row(each, span, _words(group, figure), number(group.samples, 0)) for span, group in own]
    title = f"{figure.capitalize()} by {_KINDS[kind]}"
    wide, columns = _form(kind, len(lines))
    plot = dot_plot(lines, title, _AXES[figure], FULL if wide else HALF, columns, zero=figure == "gain")
    heads = [Column(_KINDS[kind], "name"), Column("span", "name"), Column(figure), Column("samples")]
    table = Table(name, title, heads, rows, sentences(f"{figure}: {_AXES[figure]}", note))
    return Chart(name, title, plot, sentences(_READINGS[figure], said, note), wide=wide, table=table)


def _values(group: "GroupScores", figure: str) -> tuple[float, float]:
    """Percent, and half of its 95 % interval."""
    return 100 * group.figures[figure], 100 * CONFIDENT * group.errors[figure]


def _words(group: "GroupScores", figure: str) -> str:
    return plus_minus(*_values(group, figure), signed=figure == "gain", unit="%")


def _mark(span: str, group: "GroupScores", figure: str) -> Mark:
    value, error = _values(group, figure)
    words = f"{group.name}, {span}: {_words(group, figure)}, {count(group.samples, 'sample')}"
    return Mark(value, error, span, figure == "gain" and is_faint(value, error), words)


def _told(spans: "Spans", figure: str) -> "tuple[Spans, list[str]]":
    """Without the groups of too few days for an error, if any has one; and the names of those."""
    told = {
        span: [each for each in groups if math.isfinite(each.errors[figure])]
        for span, groups in spans.items()
    }
    told = {span: groups for span, groups in told.items() if groups}
    if not told:
        return spans, []
    shown = {each.name for groups in told.values() for each in groups}
    names = dict.fromkeys(each.name for groups in spans.values() for each in groups)
    return told, [name for name in names if name not in shown]


def _ordered(spans: "Spans", figure: str) -> "tuple[Spans, str]":
    """The judged span's symbols, the best first; the best and the worst where there are very many."""
    judged = list(spans)[-1]
    own = sorted(spans[judged], key=lambda each: -np.nan_to_num(each.figures[figure], nan=-np.inf))
    if len(own) <= MOST_SYMBOLS:
        return {judged: own}, f"{judged} only, the best first"
    half = MOST_SYMBOLS // 2
    return {judged: own[:half] + own[-half:]}, f"{judged} only, the best and the worst {half} of {len(own)}"


def _form(kind: str, lines: int) -> tuple[bool, int]:
    """Whether a chart of so many lines takes the page's width, and in how many columns."""
    if kind != "symbol":
        return lines > 16, 1 + (lines > 16)
    return lines > 14, min(4, 1 + lines // 15)
