"""The tables of outputs that are numbers."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from dlplugin.evaluation.rules import in_order
from dlplugin.report.blocks import Cell, Column, Group, Row, Table, row
from dlplugin.report.cells import bar_axis, range_bar
from dlplugin.report.scales import tick_decimals
from dlplugin.report.svg import FloatArray
from dlplugin.report.words import CONFIDENT, MISSING, count, decimals_of_error, finite, number, percent, span

if TYPE_CHECKING:
    from dlplugin.evaluation import ClassScores, EvaluatedOutput, OutputResult, Scores, SpanScores
    from dlplugin.evaluation.ranges import RangeRow

__all__ = ["output_tables", "score_cells", "span_groups", "span_title"]

FIGURES = ("loss", "R²", "correlation", "rank corr.", "hit rate")
_WEIGHTY = 0.01
"""Share of a span's samples that a row must hold for its bar to set the scale."""


def output_tables(described: "EvaluatedOutput", result: "OutputResult", symbols: str) -> list[Table]:
    """Predicted ranges, rules, and the shares below quantiles where these are predicted.

    Args:
        described: The output.
        result: What was found for it.
        symbols: Whose samples these are, in words.
    """
    tables = [_ranges(described, result, symbols), _scores(described, result, symbols)]
    return [*tables, _below(described, result, symbols)] if described.quantiles else tables


def span_groups(
    spans: "Sequence[SpanScores] | Sequence[ClassScores]", columns: int, before: Group
) -> list[Group]:
    """What stands above the columns of each span, after those of the rows' names."""
    return [before, *(Group(scores.span, columns, span_title(scores), scores.span) for scores in spans)]


def span_title(scores: "SpanScores | ClassScores") -> str:
    """Its dates and samples."""
    return (
        f"{span(scores.start, scores.end)} · {count(scores.samples, 'sample')} on {count(scores.days, 'day')}"
    )


def _ranges(described: "EvaluatedOutput", result: "OutputResult", symbols: str) -> Table:
    rows, spans = result.ranges["width"], result.spans
    counts = [np.array([each.cells[i].count for each in rows], np.float64) for i in range(len(spans))]
    averages = [np.array([each.cells[i].average for each in rows], np.float64) for i in range(len(spans))]
    full = _full(counts, averages)
    decimals = int(np.clip(2 - np.floor(np.log10(full)), 0, 8)) if full > 0 else 2
    edges = tick_decimals(finite([each.start for each in rows]).tolist())
    cells = [Column("samples", "first"), Column("average that came"), Column("below 0 · above 0", "bars")]
    foot = [Cell(""), Cell("")]
    for _ in spans:
        foot += [Cell(""), Cell(""), Cell("", class_="bars", picture=bar_axis(full, decimals))]
    return Table(
        name="ranges",
        title="What came after each range of predictions",
        columns=[Column("from, inclusive", "name"), Column("to, exclusive"), *(cells * len(spans))],
        rows=[Row(_range_cells(each, edges, full, decimals)) for each in rows],
        caption=(
            f"{described.name}; {symbols}. An average that is inside its error, ± half a 95 % interval, is fainter: "
            "it is not told from zero. All bars share one scale; a pointed one, of few samples, goes beyond it."
        ),
        groups=span_groups(spans, 3, Group("predicted", 2)),
        foot=foot if rows else (),
        nothing="There are no samples to put into ranges.",
    )


def _range_cells(each: "RangeRow", edges: int, full: float, decimals: int) -> list[Cell]:
    # a range of NaN holds the predictions that are not finite
    known = not np.isnan(each.start)
    cells = [
        Cell(number(each.start, edges) if known else "not finite"),
        Cell(number(each.end, edges) if known else MISSING),
    ]
    for cell in each.cells:
        error = CONFIDENT * cell.error
        faint = bool(np.isfinite(cell.average)) and not abs(cell.average) > error
        small = f"± {number(error, decimals)}" if np.isfinite(error) else ""
        cells += [
            Cell(number(cell.count, 0)),
            Cell(number(cell.average, decimals, signed=True), small, "beside faint" if faint else "beside"),
            Cell("", class_="bars", picture=range_bar(cell.average, full, faint=faint)),
        ]
    return cells


def _full(counts: Sequence[FloatArray], averages: Sequence[FloatArray]) -> float:
    """The average that fills a bar: the largest of the rows that hold a hundredth of their span."""
    weighty = [
        np.abs(average[(held > 0) & (held >= _WEIGHTY * held.sum())])
        for held, average in zip(counts, averages, strict=True)
    ]
    return float(finite(np.concatenate(weighty)).max(initial=0.0)) if weighty else 0.0


def _scores(described: "EvaluatedOutput", result: "OutputResult", symbols: str) -> Table:
    spans = result.spans
    rules = ["model", *in_order(spans[0].by_rule)]
    rows = []
    for rule in rules:
        cells = [Cell(rule)]
        for scores in spans:
            cells += score_cells(scores.by_rule[rule], scores.errors.get(rule))
        rows.append(Row(cells, "model-row" if rule == "model" else ""))
    heads = [Column(title, "first" if i == 0 else "") for i, title in enumerate(FIGURES)]
    return Table(
        name="scores",
        title="The model beside rules that cost nothing",
        columns=[Column("rule", "name"), *(heads * len(spans))],
        rows=rows,
        caption=(
            f"{described.name}; {symbols}; the rules are fitted in sample, on the same samples and inputs as the "
            "model. The loss is the mean squared error in units of the output's scale in training; R² is against the "
            "in-sample mean. Below each figure half of its 95 % interval. A dash: not defined, as the correlation of a "
            "constant."
        ),
        groups=span_groups(spans, len(FIGURES), Group("", 1)),
    )


def score_cells(scores: "Scores", errors: "Scores | None") -> list[Cell]:
    """The figures of one rule, each with its error below."""
    cells = []
    for name, decimals, share in (
        ("loss", 4, False),
        ("r_squared", 4, False),
        ("correlation", 3, False),
        ("rank_correlation", 3, False),
        ("hit_rate", 1, True),
    ):
        value = float(getattr(scores, name))
        error = CONFIDENT * float(getattr(errors, name)) if errors is not None else float("nan")
        text = percent(value, decimals) if share else number(value, decimals)
        shown = max(decimals, decimals_of_error([error], 4)) if not share else decimals
        below = f"± {number(error * 100 if share else error, shown)}" if np.isfinite(error) else ""
        cells.append(Cell(text, below))
    return cells


def _below(described: "EvaluatedOutput", result: "OutputResult", symbols: str) -> Table:
    return Table(
        name="quantiles",
        title="The share of what came below each quantile",
        columns=[Column("quantile", "name"), *(Column(scores.span) for scores in result.spans)],
        rows=[
            row(f"{level:g}", *(percent(scores.below[i]) for scores in result.spans))
            for i, level in enumerate(described.quantiles)
        ],
        caption=f"{described.name}; {symbols}; a quantile of 0.1 should have 10 % of what came below it.",
        wide=False,
    )
