"""The tables and charts of outputs in classes."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from dlplugin.evaluation.rules import in_order
from dlplugin.report.agreement import Agreement, Place, agreement_figure
from dlplugin.report.blocks import Cell, Chart, Column, Group, Row, Table, row
from dlplugin.report.tables import span_groups, span_title
from dlplugin.report.words import CONFIDENT, MISSING, number, percent, plus_minus

if TYPE_CHECKING:
    from dlplugin.evaluation import ClassResult, ClassScores, EvaluatedOutput

__all__ = ["class_tables", "confusion_tables", "reliability_charts"]

MOST_CLASSES = 6
SHADES = 10


def class_tables(described: "EvaluatedOutput", result: "ClassResult", symbols: str) -> list[Table]:
    """Each class with its figures, and the model beside rules.

    Args:
        described: The output.
        result: What was found for it.
        symbols: Whose samples these are, in words.
    """
    return [_classes(described, result, symbols), _scores(described, result, symbols)]


def _classes(described: "EvaluatedOutput", result: "ClassResult", symbols: str) -> Table:
    titles = ("came", "predicted", "precision", "recall", "F1")
    heads = [Column(title, "first" if i == 0 else "") for i, title in enumerate(titles)]
    rows = [
        Row([Cell(label), *(cell for scores in result.spans for cell in _class_cells(scores, i))])
        for i, label in enumerate(described.labels)
    ]
    return Table(
        name="classes",
        title="Each class, and how often it was predicted rightly",
        columns=[Column("class", "name"), *(heads * len(result.spans))],
        rows=rows,
        caption=(
            f"{described.name}; {symbols}. Precision: the share of the predicted that came; recall: the share of those "
            "that came that were predicted; F1: their harmonic mean. Below each half of its 95 % interval. A dash: a "
            "share of nothing."
        ),
        groups=span_groups(result.spans, len(titles), Group("", 1)),
    )


def _class_cells(scores: "ClassScores", i: int) -> list[Cell]:
    cells = [Cell(number(scores.came[i], 0)), Cell(number(scores.named[i], 0))]
    names = ("precision", "recall", "f1")
    return [*cells, *(_share(getattr(scores, name)[i], getattr(scores.errors, name)[i]) for name in names)]


def _share(value: float, error: float = math.nan) -> Cell:
    half = CONFIDENT * 100 * error
    return Cell(percent(value), f"± {number(half, 1)}" if math.isfinite(half) else "")


def _scores(described: "EvaluatedOutput", result: "ClassResult", symbols: str) -> Table:
    titles = ("accuracy", "Matthews corr.", "log loss", "Brier score")
    heads = [Column(title, "first" if i == 0 else "") for i, title in enumerate(titles)]
    spans, nothing = result.spans, [Cell(MISSING)] * 2
    rows = [Row([Cell("model"), *(cell for scores in spans for cell in _model_cells(scores))], "model-row")]
    withs = [scores.with_dropped for scores in spans]
    if all(each is not None for each in withs):
        cells = [cell for each in withs if each is not None for cell in (*_model_cells(each)[:2], *nothing)]
        rows.append(Row([Cell("model, dropped class too"), *cells]))
    for rule in in_order(spans[0].by_rule):
        found = [scores.by_rule[rule] for scores in spans]
        cells = [
            cell
            for each in found
            for cell in (
                _share(each.accuracy, each.accuracy_error),
                _figure(each.correlation, each.correlation_error, 3),
                *nothing,
            )
        ]
        rows.append(Row([Cell(rule), *cells]))
    losses = [result.rule_log_loss(position) for position in range(len(spans))]
    shares = [cell for loss in losses for cell in (*nothing, Cell(number(loss, 4)), Cell(MISSING))]
    return Table(
        name="scores",
        title="The model beside rules that cost nothing",
        columns=[Column("rule", "name"), *(heads * len(spans))],
        rows=[*rows, Row([Cell("in-sample shares"), *shares])],
        caption=(
            f"{described.name}; {symbols}; rules are fitted in sample, and the shares are those of the in-sample span. "
            "Below each figure half of its 95 % interval. A dash: not given by the rule, or not defined."
        ),
        groups=span_groups(spans, len(titles), Group("", 1)),
    )


def _model_cells(scores: "ClassScores") -> list[Cell]:
    errors = scores.errors
    return [
        _share(scores.accuracy, errors.accuracy),
        _figure(scores.correlation, errors.correlation, 3),
        _figure(scores.log_loss, errors.log_loss, 4),
        _figure(scores.brier, errors.brier, 4),
    ]


def _figure(value: float, error: float, decimals: int) -> Cell:
    half = CONFIDENT * error
    return Cell(number(value, decimals), f"± {number(half, decimals)}" if math.isfinite(half) else "")


def confusion_tables(described: "EvaluatedOutput", result: "ClassResult") -> list[Table]:
    """For each span what came against what was predicted, as shares of what came."""
    return [_confusion(described.labels, scores) for scores in result.spans]


def _confusion(labels: Sequence[str], scores: "ClassScores") -> Table:
    rows = []
    for label, held in zip(labels, scores.counts, strict=True):
        total = sum(held)
        cells = [
            Cell(
                percent(each / total if total else math.nan),
                number(each, 0),
                f"shade-{round(SHADES * each / total)}" if total else "",
            )
            for each in held
        ]
        rows.append(Row([Cell(label), *cells]))
    return Table(
        name="counts",
        title=f"What came against what was predicted, {scores.span}",
        columns=[Column("came \\ predicted", "name"), *map(Column, labels)],
        rows=rows,
        caption=(
            "Each row adds up to 100 % of what came, with samples below; the diagonal was right. "
            f"{span_title(scores)}."
        ),
        wide=len(labels) > MOST_CLASSES,
    )


def reliability_charts(described: "EvaluatedOutput", result: "ClassResult", name: str) -> list[Chart]:
    """What came where a class was given a probability; of two classes the upper one says it all."""
    numbers = range(len(described.labels)) if len(described.labels) != 2 else (1,)
    charts = []
    for i in tuple(numbers)[:MOST_CLASSES]:
        spans = []
        for scores in result.spans:
            places = [
                Place(each.probability, each.share, CONFIDENT * each.error, each.count)
                for each in scores.reliability
                if each.number == i
            ]
            spans.append(Agreement(scores.span, places))
        if not any(each.places for each in spans):
            continue
        label = described.labels[i]
        title = f"Whether a probability of '{label}' is one"
        figure = agreement_figure(
            spans, title, f"predicted probability of '{label}'", f"share in which '{label}' came", decimals=2
        )
        reading = "On the dashed line a class came as often as its probability said; each dot is a tenth of the scale."
        rows = [
            row(
                each.span,
                number(place.predicted, 3),
                plus_minus(place.came, place.error, signed=False),
                number(place.samples, 0),
            )
            for each in spans
            for place in each.places
        ]
        columns = [
            Column("span", "name"),
            Column("probability"),
            Column("share that came"),
            Column("samples"),
        ]
        table = Table(f"{name}-{i}", title, columns, rows)
        charts.append(Chart(f"{name}-{i}", title, figure, reading, wide=False, table=table))
    return charts
