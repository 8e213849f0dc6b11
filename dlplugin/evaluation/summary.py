"""The page that an evaluation prints: verdict, scores and range tables."""

import textwrap
from collections.abc import Sequence
from html import escape

from dlplugin.evaluation.metrics import Scores
from dlplugin.evaluation.results import EvaluatedOutput, OutputResult, SpanScores
from dlplugin.evaluation.table import RangeTable
from dlplugin.evaluation.text import UNDEFINED, Line, dates, fixed, html_table

__all__ = ["summary_html", "summary_lines"]

WIDTH = 100
RULE, FIGURE = 14, 8
FIGURES = ("loss", "R²", "corr.", "rank c.", "hits")


def summary_lines(
    verdict: str,
    outputs: Sequence[EvaluatedOutput],
    results: Sequence[OutputResult],
    tables: Sequence[RangeTable],
) -> list[Line]:
    """The page as lines of styled pieces, at most 100 columns wide."""
    lines: list[Line] = [[(line, "bold")] for line in textwrap.wrap(verdict, WIDTH, break_on_hyphens=False)]
    for output, result, table in zip(outputs, results, tables, strict=True):
        lines += [[], [(_title(output), "bold")], *_score_lines(result.spans), [], *table.lines()]
    return lines


def summary_html(
    verdict: str,
    outputs: Sequence[EvaluatedOutput],
    results: Sequence[OutputResult],
    tables: Sequence[RangeTable],
) -> str:
    """The page for a notebook, without scripts and style sheets."""
    parts = [f"<p>{escape(verdict)}</p>"]
    for output, result, table in zip(outputs, results, tables, strict=True):
        head = [
            [("", 1), *((f"{span.span} {_extent(span)}", len(FIGURES)) for span in result.spans)],
            [("", 1), *[(figure, 1) for figure in FIGURES] * len(result.spans)],
        ]
        rows = [
            [escape(rule), *(figure for span in result.spans for figure in _figures(span.by_rule[rule]))]
            for rule in result.spans[0].by_rule
        ]
        parts += [html_table(_title(output), head, rows), table._repr_html_()]
    return "<div>" + "".join(parts) + "</div>"


def _title(output: EvaluatedOutput) -> str:
    return f"{output.name}, {output.look_ahead} bar{'s' if output.look_ahead != 1 else ''} ahead"


def _extent(span: SpanScores) -> str:
    return f"{dates(span.start, span.end)}, {span.samples:,} samples, {span.days:,} days"


def _score_lines(spans: Sequence[SpanScores]) -> list[Line]:
    panel = FIGURE * len(FIGURES) + 2
    names = "".join(f"  {span.span:<{panel - 2}}" for span in spans)
    extents = "".join(f"  {dates(span.start, span.end):<{panel - 2}}" for span in spans)
    counts = "".join(f"  {f'{span.samples:,} samples, {span.days:,} days':<{panel - 2}}" for span in spans)
    head = "".join("  " + "".join(f"{figure:>{FIGURE}}" for figure in FIGURES) for _ in spans)
    lines: list[Line] = [[(" " * RULE + part, "bold")] for part in (names, extents, counts, head)]
    for rule in spans[0].by_rule:
        figures = "".join(
            "  " + "".join(f"{figure:>{FIGURE}}" for figure in _figures(span.by_rule[rule])) for span in spans
        )
        lines.append([(f"{rule:<{RULE}}{figures}", "bold" if rule == "model" else "")])
    return lines


def _figures(scores: Scores) -> list[str]:
    hits = f"{100 * scores.hit_rate:.1f} %" if scores.hit_rate == scores.hit_rate else UNDEFINED
    return [
        fixed(scores.loss, 4, FIGURE - 1).strip(),
        fixed(scores.r_squared, 4, FIGURE - 1).strip(),
        fixed(scores.correlation, 3),
        fixed(scores.rank_correlation, 3),
        hits,
    ]
