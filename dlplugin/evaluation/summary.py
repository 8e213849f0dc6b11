"""The page that an evaluation prints: verdict, scores and range tables."""

import textwrap
from collections.abc import Mapping, Sequence
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
RULE = 20  # characters, as the longest name of a rule has
FIGURES = {"loss": 8, "R²": 8, "corr.": 7, "rank": 7, "hits": 8}  # characters of each column
CLASS_FIGURES = {"accuracy": 12, "Matthews": 12, "log loss": 12}


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
    spans: Sequence[SpanScores] | Sequence[ClassScores], figures: Mapping[str, int]
) -> list[Line]:
    panel = sum(figures.values())
    names = "".join(f"  {span.span:<{panel}}" for span in spans)
    extents = "".join(f"  {dates(span.start, span.end):<{panel}}" for span in spans)
    counts = "".join(f"  {f'{span.samples:,} samples, {span.days:,} days':<{panel}}" for span in spans)
    head = _row([list(figures)] * len(spans), figures)
    return [[(" " * RULE + part, "bold")] for part in (names, extents, counts, head)]


def _row(by_span: Sequence[Sequence[str]], figures: Mapping[str, int]) -> str:
    """The cells of each span, right-aligned in their columns."""
    return "".join(
        "  " + "".join(f"{cell:>{width}}" for cell, width in zip(cells, figures.values(), strict=True))
        for cells in by_span
    )


def _class_lines(result: ClassResult) -> list[Line]:
    by_span = [_class_figures(result, span) for span in range(len(result.spans))]
    lines = _head_lines(result.spans, CLASS_FIGURES)
    for rule in by_span[0]:
        cells = _row([each[rule] for each in by_span], CLASS_FIGURES)
        lines.append([(f"{rule:<{RULE}}{cells}", "bold" if rule == "model" else "")])
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
    lines = _head_lines(spans, FIGURES)
    for rule in ("model", *in_order(spans[0].by_rule)):
        cells = _row([_figures(span.by_rule[rule]) for span in spans], FIGURES)
        lines.append([(f"{rule:<{RULE}}{cells}", "bold" if rule == "model" else "")])
    return lines


def _figures(scores: Scores) -> list[str]:
    hits = f"{100 * scores.hit_rate:.1f} %" if scores.hit_rate == scores.hit_rate else UNDEFINED
    return [
        fixed(scores.loss, 4, 7).strip(),
        fixed(scores.r_squared, 4, 7).strip(),
        fixed(scores.correlation, 3),
        fixed(scores.rank_correlation, 3),
        hits,
    ]
