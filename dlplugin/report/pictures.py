"""The charts that say how good a model is: against rules, against the diagonal, and across symbols."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

import numpy as np

from dlplugin.report.agreement import Agreement, Place, agreement_figure
from dlplugin.report.blocks import Chart, Column, Table, row
from dlplugin.report.charts import FULL, HALF
from dlplugin.report.dots import Line, Mark, dot_plot
from dlplugin.report.words import (
    CONFIDENT,
    MOST,
    count,
    decimals_of_error,
    figure,
    finite,
    number,
    plus_minus,
    sentences,
)

if TYPE_CHECKING:
    from dlplugin.evaluation import (
        ClassResult,
        ClassScores,
        Comparison,
        Evaluation,
        OutputResult,
        SpanScores,
    )

__all__ = ["calibration_chart", "forest_charts", "is_faint", "order_chart"]

_OUTCOMES = {
    "beaten": ("gain", "beats it"),
    "worse": ("loss", "is beaten"),
    "inside the error": ("model", "inside the error"),
    "unknown": ("model", "too few days to tell"),
}


_CREDIT = {
    "loss": (
        "the verdict credits only a model that beats all three constants; the model's average is what it predicts on "
        "average on these days, so that to beat it takes more than a good level"
    ),
    "hit rate": "the verdict goes by the losses, not by these",
    "accuracy": "the verdict credits only a model that is right more often than always naming one class",
}


def forest_charts(result: "OutputResult | ClassResult", name: str) -> list[Chart]:
    """How much better than each rule the model is, with 95 % intervals; a chart for losses, one for hits."""
    charts = []
    for kind, title, axis in (
        (
            "loss",
            "How much less it loses than rules that cost nothing",
            "less loss than the rule, % of its loss",
        ),
        ("hit rate", "How much more often its sign is right", "points of the hit rate above the rule's"),
        ("accuracy", "How much more often it is right", "points of the accuracy above the rule's"),
    ):
        found = [each for each in result.comparisons if each.figure == kind]
        if found:
            charts.append(_forest(result, found, f"forest-{name}-{kind.replace(' ', '-')}", title, axis))
    return charts


def _forest(
    result: "OutputResult | ClassResult", found: "Sequence[Comparison]", name: str, title: str, axis: str
) -> Chart:
    span = result.spans[-1]
    units = [_unit(result, each) for each in found]
    values = [
        (100 * each.difference / unit, 100 * each.error / unit)
        for each, unit in zip(found, units, strict=True)
    ]
    decimals = decimals_of_error([error for _, error in values])
    lines, rows = [], []
    for each, (value, error) in zip(found, values, strict=True):
        class_, words = _OUTCOMES[each.outcome]
        faint = class_ == "model"
        both = f"{number(value, decimals, signed=True)} ± {number(error, decimals)}"
        both = plus_minus(value, error) if max(abs(value), error) >= MOST else both
        said = ((both, "faint" if faint else ""), (words, "faint" if faint else f"{class_}-words"))
        mark = Mark(value, error, class_, faint, f"{each.rule}: {both}, {words}")
        lines.append(Line(each.rule, [mark], said))
        rows.append(row(each.rule, both, words))
    held = sentences(f"{span.span}, {count(span.samples, 'sample')} on {count(span.days, 'day')}")
    reading = sentences(
        "right of zero the model is better than the rule; it beats it when the whole whisker lies there",
        "what is hollow is inside its error: chance explains it",
        _CREDIT[found[0].figure],
        held,
    )
    heads = ("95 % interval", "the model")
    columns = [Column("rule", "name"), Column(f"{axis}"), Column("the model", "name")]
    plot = dot_plot(lines, title, axis, FULL, heads=heads)
    return Chart(name, title, plot, reading, table=Table(name, title, columns, rows, held))


def _unit(result: "OutputResult | ClassResult", each: "Comparison") -> float:
    """What a difference is a share of: the rule's loss; hit rates and accuracies are shares already."""
    if each.figure != "loss":
        return 1.0
    scores = cast("SpanScores", result.spans[-1])  # only numbers have losses
    loss = scores.by_rule["model"].loss + each.difference
    return loss if loss > 0 else math.nan


def calibration_chart(evaluation: "Evaluation", output: int, name: str) -> Chart:
    """What came on average in each tenth of the predictions of a number."""
    result = cast("OutputResult", evaluation.results[output])
    described = evaluation.outputs[output]
    rows = result.ranges["count"]
    spans = []
    for position, name_of in enumerate([scores.span for scores in result.spans]):
        middles = _middles(evaluation, output, position)
        places = [
            Place(
                middle,
                each.cells[position].average,
                CONFIDENT * each.cells[position].error,
                each.cells[position].count,
            )
            for each, middle in zip(rows, middles, strict=True)
            if math.isfinite(middle) and each.cells[position].count
        ]
        spans.append(Agreement(name_of, places))
    title = "Whether a prediction of one means one"
    drawn = agreement_figure(
        spans, title, f"predicted {described.name}, average of a tenth", f"average {described.name} that came"
    )
    slopes = sentences(*(_slope(scores) for scores in result.spans))
    reading = sentences(
        "on the dashed line what came is what was predicted; flat dots say that predictions tell nothing",
        slopes,
    )
    table = [
        row(
            each.span,
            figure(place.predicted, 4),
            plus_minus(place.came, place.error),
            number(place.samples, 0),
        )
        for each in spans
        for place in each.places
    ]
    columns = [Column("span", "name"), Column("predicted"), Column("average that came"), Column("samples")]
    return Chart(name, title, drawn, reading, wide=False, table=Table(name, title, columns, table, slopes))


def _middles(evaluation: "Evaluation", output: int, position: int) -> list[float]:
    """The mean prediction of each tenth; of a stored evaluation the middle of its range, or its one edge."""
    rows = cast("OutputResult", evaluation.results[output]).ranges["count"]
    if evaluation.samples is None:
        return [
            float(np.mean(finite([each.start, each.end])))
            if finite([each.start, each.end]).size
            else math.nan
            for each in rows
        ]
    predicted = evaluation.samples[output][position].predicted
    found = []
    for each in rows:
        chosen = predicted[(predicted >= each.start) & (predicted < each.end)]
        found.append(float(chosen.mean()) if len(chosen) else math.nan)
    return found


def _slope(scores: "SpanScores | ClassScores") -> str:
    line = getattr(scores, "calibration", None)
    if line is None or math.isnan(line.slope):
        return ""
    slope = plus_minus(line.slope, CONFIDENT * line.slope_error)
    return f"{scores.span} the slope is {slope}, {line.meaning}"


def order_chart(result: "OutputResult", name: str) -> Chart | None:
    """How well predictions order the symbols of a day; None where there are too few symbols."""
    spans = [scores for scores in result.spans if scores.cross_section is not None]
    if not spans:
        return None
    lines, rows = [], []
    for words, name_of in (("IC", "ic"), ("rank IC", "rank_ic")):
        marks = []
        for scores in spans:
            value = float(getattr(scores.cross_section, name_of))
            error = CONFIDENT * float(getattr(scores.cross_section, f"{name_of}_error"))
            ratio = float(getattr(scores.cross_section, f"{name_of}_ratio"))
            marks.append(
                Mark(
                    value,
                    error,
                    scores.span,
                    is_faint(value, error),
                    f"{scores.span}: {plus_minus(value, error)}",
                )
            )
            rows.append(row(words, scores.span, plus_minus(value, error), number(ratio, 3)))
        lines.append(Line(words, marks))
    title = "Whether it orders the symbols of a day"
    ratios = "; ".join(f"{each.cells[0].text} {each.cells[1].text} {each.cells[3].text}" for each in rows)
    reading = sentences(
        "the mean of each day's correlation, across symbols, of predicted and came: above zero it picks better ones",
        f"mean over spread from day to day (ICIR): {ratios}",
        "the hollow is inside its error",
    )
    columns = [Column("figure", "name"), Column("span", "name"), Column("mean ± 95 %"), Column("ICIR")]
    plot = dot_plot(lines, title, "information coefficient", HALF)
    return Chart(name, title, plot, reading, wide=False, table=Table(name, title, columns, rows))


def is_faint(value: float, error: float) -> bool:
    """Whether a figure is inside its error, or that is not known."""
    return not abs(value) > error
