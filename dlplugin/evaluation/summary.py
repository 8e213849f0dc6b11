"""The page that an evaluation prints: verdict, scores and range tables."""

import math
import textwrap
from collections.abc import Mapping, Sequence
from html import escape

from dlplugin.evaluation.class_table import ClassTable
from dlplugin.evaluation.classes import ClassResult, ClassScores
from dlplugin.evaluation.metrics import Scores
from dlplugin.evaluation.results import EvaluatedOutput, OutputResult, SpanScores
from dlplugin.evaluation.rules import in_order
from dlplugin.evaluation.table import RangeTable
from dlplugin.evaluation.text import (
    UNDEFINED,
    WIDTH,
    Line,
    dates,
    fixed,
    html_table,
    percent,
    with_error,
    wrapped,
)
from dlplugin.evaluation.uncertainty import CONFIDENT

__all__ = ["Table", "summary_html", "summary_lines"]

Table = RangeTable | ClassTable
_Told = tuple[str, list[tuple[str, str]]]  # a title, and what is said of each span

RULE = 20  # characters, as the longest name of a rule has
FIGURES = {"loss": 8, "R²": 8, "corr.": 7, "rank": 7, "hits": 8}  # characters of each column
MODEL, ERRORS = "model", "± (95 %)"
MORE = 'more: .by("symbol"), .by("year"), .by("volatility"), .frame()'
MORE_RANGES = ', .table(rows=20, by="count")'
CLASS_FIGURES = {"accuracy": 12, "Matthews": 12, "log loss": 12}


def summary_lines(
    verdict: str,
    outputs: Sequence[EvaluatedOutput],
    results: Sequence[OutputResult | ClassResult],
    tables: Sequence[Table],
) -> list[Line]:
    """The page as lines of styled pieces, at most 100 columns wide."""
    lines = wrapped(verdict, "bold")
    for output, result, table in zip(outputs, results, tables, strict=True):
        scores = _class_lines(result) if isinstance(result, ClassResult) else _score_lines(result.spans)
        lines += [[], [(_title(output), "bold")], *scores]
        if isinstance(result, OutputResult) and output.quantiles:
            told = [wrapped(text) for text in _below_texts(output, result.spans)]
            lines += [[], *(line for each in told for line in each)]
        lines += [[], *table.lines()]
        if isinstance(result, OutputResult):
            for title, by_span in (*_calibration_texts(result.spans), *_order_texts(result.spans)):
                texts = [f"  {span:<15}{text}" for span, text in by_span]
                parts = [textwrap.wrap(text, WIDTH, subsequent_indent=" " * 17) for text in texts]
                lines += [[], [(title, "bold")], *([(line, "")] for each in parts for line in each)]
    ranges = any(isinstance(result, OutputResult) for result in results)
    return [*lines, [], [(MORE + MORE_RANGES if ranges else MORE, "dim")]]


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
        if isinstance(result, OutputResult):
            told = (*_calibration_texts(result.spans), *_order_texts(result.spans))
            parts += [
                f"<p>{escape(title)}: {escape('; '.join(f'{span} {text}' for span, text in by_span))}</p>"
                for title, by_span in told
            ]
    return "<div>" + "".join(parts) + "</div>"


def _title(output: EvaluatedOutput) -> str:
    return f"{output.name}, {output.look_ahead} bar{'s' if output.look_ahead != 1 else ''} ahead"


def _html_rows(result: OutputResult | ClassResult) -> list[list[str]]:
    if isinstance(result, ClassResult):
        by_span = [_class_figures(result, span) for span in range(len(result.spans))]
    else:
        by_span = [_all_figures(span) for span in result.spans]
    return [[escape(rule), *(figure for each in by_span for figure in each[rule])] for rule in by_span[0]]


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
    return _head_lines(result.spans, CLASS_FIGURES) + _rule_lines(by_span, CLASS_FIGURES)


def _rule_lines(by_span: Sequence[dict[str, list[str]]], figures: Mapping[str, int]) -> list[Line]:
    lines: list[Line] = []
    for rule in by_span[0]:
        style = "bold" if rule == MODEL else "dim" if rule == ERRORS else ""
        lines.append([(f"{rule:<{RULE}}{_row([each[rule] for each in by_span], figures)}", style)])
    return lines


def _class_figures(result: ClassResult, span: int) -> dict[str, list[str]]:
    """The `CLASS_FIGURES` of the model, of each rule and of the shares; what is not given is a dash."""
    scores = result.spans[span]
    errors = scores.errors
    rows = {
        MODEL: [percent(scores.accuracy), fixed(scores.correlation, 3), fixed(scores.log_loss, 4)],
        ERRORS: [
            _beside(100 * errors.accuracy, 1, " %"),
            _beside(errors.correlation, 3),
            _beside(errors.log_loss, 4),
        ],
    }
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
    return _head_lines(spans, FIGURES) + _rule_lines([_all_figures(span) for span in spans], FIGURES)


def _all_figures(span: SpanScores) -> dict[str, list[str]]:
    """The `FIGURES` of the model, their errors, and those of each rule."""
    rows = {MODEL: _figures(span.by_rule[MODEL])}
    if MODEL in span.errors:
        errors = span.errors[MODEL]
        rows[ERRORS] = [
            _beside(errors.loss, 4),
            _beside(errors.r_squared, 4),
            _beside(errors.correlation, 3),
            _beside(errors.rank_correlation, 3),
            _beside(100 * errors.hit_rate, 1, " %"),
        ]
    return rows | {rule: _figures(span.by_rule[rule]) for rule in in_order(span.by_rule)}


def _beside(standard_error: float, decimals: int, unit: str = "") -> str:
    """Half the width of the 95 % interval; nothing where there is none."""
    if math.isnan(standard_error):
        return ""
    return f"±{fixed(CONFIDENT * standard_error, decimals, decimals + 2).strip()}{unit}"


def _calibration_texts(spans: Sequence[SpanScores]) -> list[_Told]:
    """Title, and for each span its calibration."""
    by_span = []
    for span in spans:
        line = span.calibration
        if line is not None:
            slope, intercept = (
                with_error(value, CONFIDENT * error, _decimals(CONFIDENT * error))
                for value, error in ((line.slope, line.slope_error), (line.intercept, line.intercept_error))
            )
            by_span.append(
                (
                    span.span,
                    f"slope {slope} ({line.meaning}), intercept {intercept}, "
                    f"monotonicity {fixed(line.monotonicity, 2)}",
                )
            )
    title = "calibration: what came on what was predicted; a slope of 1 is perfect, of 0 says nothing"
    return [(title, by_span)] if by_span else []


def _order_texts(spans: Sequence[SpanScores]) -> list[_Told]:
    """Title, and for each span how predictions order the symbols; nothing where there are too few."""
    by_span = []
    for span in spans:
        order = span.cross_section
        if order is not None and order.times:
            told = [
                f"{name} {with_error(value, CONFIDENT * error, 3)} (ICIR {fixed(ratio, 2)})"
                for name, value, error, ratio in (
                    ("IC", order.ic, order.ic_error, order.ic_ratio),
                    ("rank IC", order.rank_ic, order.rank_ic_error, order.rank_ic_ratio),
                )
            ]
            by_span.append((span.span, f"{', '.join(told)}, {order.times:,} timestamps"))
    return [("information coefficients: the order of the symbols at one time", by_span)] if by_span else []


def _decimals(error: float) -> int:
    """Decimals that show two digits of an error."""
    return min(max(1 - math.floor(math.log10(error)), 0), 8) if error > 0 else 2


def _figures(scores: Scores) -> list[str]:
    hits = f"{100 * scores.hit_rate:.1f} %" if scores.hit_rate == scores.hit_rate else UNDEFINED
    return [
        fixed(scores.loss, 4, 7).strip(),
        fixed(scores.r_squared, 4, 7).strip(),
        fixed(scores.correlation, 3),
        fixed(scores.rank_correlation, 3),
        hits,
    ]
