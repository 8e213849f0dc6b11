"""The page that an evaluation prints: verdict, scores and range tables."""

import textwrap
from collections.abc import Sequence
from html import escape

from dlplugin.evaluation.class_table import ClassTable
from dlplugin.evaluation.classes import ClassResult, ClassScores
from dlplugin.evaluation.metrics import Scores
from dlplugin.evaluation.results import EvaluatedOutput, OutputResult, SpanScores
from dlplugin.evaluation.rules import in_order
from dlplugin.evaluation.table import RangeTable
from dlplugin.evaluation.text import UNDEFINED, Line, dates, fixed, html_table, percent

__all__ = ["Table", "summary_html", "summary_lines"]

Table = RangeTable | ClassTable

WIDTH = 100
RULE, FIGURE = 14, 8
FIGURES = ("loss", "R²", "corr.", "rank c.", "hits")
CLASS_FIGURES = ("accuracy", "Matthews", "log loss")
CLASS_NAME, CLASS_FIGURE = 20, 12


def summary_lines(
    verdict: str,
    outputs: Sequence[EvaluatedOutput],
    results: Sequence[OutputResult | ClassResult],
    tables: Sequence[Table],
) -> list[Line]:
    """The page as lines of styled pieces, at most 100 columns wide."""
    lines: list[Line] = [[(line, "bold")] for line in textwrap.wrap(verdict, WIDTH, break_on_hyphens=False)]
    for output, result, table in zip(outputs, results, tables, strict=True):
        scores = _class_lines(result) if isinstance(result, ClassResult) else _score_lines(result.spans)
        lines += [[], [(_title(output), "bold")], *scores]
        if isinstance(result, OutputResult) and output.quantiles:
            told = [textwrap.wrap(text, WIDTH) for text in _below_texts(output, result.spans)]
            lines += [[], *([(line, "")] for wrapped in told for line in wrapped)]
        lines += [[], *table.lines()]
    return lines


def summary_html(
    verdict: str,
    outputs: Sequence[EvaluatedOutput],
    results: Sequence[OutputResult | ClassResult],
    tables: Sequence[Table],
) -> str:
    """The page for a notebook, without scripts and style sheets."""
    parts = [f"<p>{escape(verdict)}</p>"]
    for output, result, table in zip(outputs, results, tables, strict=True):
        figures = CLASS_FIGURES if isinstance(result, ClassResult) else FIGURES
        head = [
            [("", 1), *((f"{span.span} {_extent(span)}", len(figures)) for span in result.spans)],
            [("", 1), *[(figure, 1) for figure in figures] * len(result.spans)],
        ]
        parts += [html_table(_title(output), head, _html_rows(result))]
        if isinstance(result, OutputResult):
            parts += [f"<p>{escape(text)}</p>" for text in _below_texts(output, result.spans)]
        parts += [table._repr_html_()]
    return "<div>" + "".join(parts) + "</div>"


def _title(output: EvaluatedOutput) -> str:
    return f"{output.name}, {output.look_ahead} bar{'s' if output.look_ahead != 1 else ''} ahead"


def _html_rows(result: OutputResult | ClassResult) -> list[list[str]]:
    if isinstance(result, ClassResult):
        by_span = [_class_figures(result, span) for span in range(len(result.spans))]
        return [[escape(rule), *(figure for each in by_span for figure in each[rule])] for rule in by_span[0]]
    return [
        [escape(rule), *(figure for span in result.spans for figure in _figures(span.by_rule[rule]))]
        for rule in ("model", *in_order(result.spans[0].by_rule))
    ]


def _extent(span: SpanScores | ClassScores) -> str:
    return f"{dates(span.start, span.end)}, {span.samples:,} samples, {span.days:,} days"


def _head_lines(
    spans: Sequence[SpanScores] | Sequence[ClassScores], margin: int, figures: Sequence[str], width: int
) -> list[Line]:
    panel = width * len(figures) + 2
    names = "".join(f"  {span.span:<{panel - 2}}" for span in spans)
    extents = "".join(f"  {dates(span.start, span.end):<{panel - 2}}" for span in spans)
    counts = "".join(f"  {f'{span.samples:,} samples, {span.days:,} days':<{panel - 2}}" for span in spans)
    head = "".join("  " + "".join(f"{figure:>{width}}" for figure in figures) for _ in spans)
    return [[(" " * margin + part, "bold")] for part in (names, extents, counts, head)]


def _class_lines(result: ClassResult) -> list[Line]:
    lines = _head_lines(result.spans, CLASS_NAME, CLASS_FIGURES, CLASS_FIGURE)
    by_span = [_class_figures(result, span) for span in range(len(result.spans))]
    for rule in by_span[0]:
        figures = "".join(
            "  " + "".join(f"{figure:>{CLASS_FIGURE}}" for figure in each[rule]) for each in by_span
        )
        lines.append([(f"{rule:<{CLASS_NAME}}{figures}", "bold" if rule == "model" else "")])
    return lines


def _class_figures(result: ClassResult, span: int) -> dict[str, list[str]]:
    """The `CLASS_FIGURES` of the model, of each rule and of the shares; what is not given is a dash."""
    scores = result.spans[span]
    rows = {"model": [percent(scores.accuracy), fixed(scores.correlation, 3), fixed(scores.log_loss, 4)]}
    for rule in in_order(scores.by_rule):
        hits = scores.by_rule[rule]
        rows[rule] = [percent(hits.accuracy), fixed(hits.correlation, 3), UNDEFINED]
    return rows | {"in-sample shares": [UNDEFINED, UNDEFINED, fixed(result.rule_log_loss(span), 4)]}


def _below_texts(output: EvaluatedOutput, spans: Sequence[SpanScores]) -> list[str]:
    """For each span what share of the actual values lies below each quantile; none without quantiles."""
    if not output.quantiles:
        return []
    texts = []
    for span in spans:
        pairs = zip(output.quantiles, span.below, strict=True)
        parts = [f"{percent(share)} below q {level:g}" for level, share in pairs]
        texts.append(f"actual values, {span.span}: {', '.join(parts)}")
    return texts


def _score_lines(spans: Sequence[SpanScores]) -> list[Line]:
    lines = _head_lines(spans, RULE, FIGURES, FIGURE)
    for rule in ("model", *in_order(spans[0].by_rule)):
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
