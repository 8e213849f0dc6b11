"""The report's tables as rows of finished text, for the template to lay out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from markupsafe import Markup

from dlplugin.evaluation import RULES
from dlplugin.evaluation.uncertainty import CONFIDENT
from dlplugin.report.cells import bar_axis, difference_bar, range_bar
from dlplugin.report.data import SpanRecord
from dlplugin.report.scales import tick_decimals
from dlplugin.report.svg import FloatArray
from dlplugin.report.words import (
    MISSING,
    count,
    date,
    decimals_for,
    finite,
    is_intraday,
    number,
    percent,
    sentences,
    span,
)

if TYPE_CHECKING:
    import pandas as pd

    from dlplugin.evaluation import ClassScores, Comparison, Evaluation, Scores, SpanScores
    from dlplugin.evaluation.account import Backtest

__all__ = [
    "OutputTables",
    "SpanHead",
    "TradesTable",
    "comparison_rows",
    "output_tables",
    "score_texts",
    "span_head",
    "span_rows",
    "trades_table",
]

OUTCOMES = {
    "beaten": "beaten",
    "inside the error": "inside the error",
    "worse": "does better",
    "unknown": "too few days to tell",
}
MOST_TRADES = 1000
_WEIGHTY = 0.01
"""Share of a span's samples that a row must hold for its bar to set the scale."""


@dataclass(frozen=True)
class SpanHead:
    """What stands above the columns of one span."""

    name: str
    span: str
    held: str


@dataclass(frozen=True)
class OutputTables:
    """The tables of one output.

    Attributes:
        name: The output.
        spans: The spans that the tables have columns for.
        ranges: Rows of range start, range end, and for each span its samples, average and bar.
        axis: The scale below the bars.
        scores: Rows of a rule, and for each span its loss, R², correlation, rank correlation and hit rate.
        comparisons: Rows of a rule, the difference of loss, its 95 % interval, both as a picture, and what
            follows; empty without an out-of-sample span.
        below: Rows of a quantile, and for each span the share of actual values below it; empty where no
            quantiles are predicted.
    """

    name: str
    spans: Sequence[SpanHead]
    ranges: Sequence[Sequence[Any]]
    axis: Markup
    scores: Sequence[Sequence[Any]]
    comparisons: Sequence[Sequence[Any]]
    below: Sequence[Sequence[str]] = ()
    in_classes: bool = False


@dataclass(frozen=True)
class TradesTable:
    """Trades in one line, then each in a row; without rows the line says why there are none."""

    summary: str
    rows: Sequence[dict[str, str]] = ()
    note: str = ""


def output_tables(evaluation: "Evaluation", output: int) -> OutputTables:
    """The tables of one output that is a number or quantiles, by position."""
    spans = cast("tuple[SpanScores, ...]", evaluation.scores(output))
    described = evaluation.outputs[output]
    ranges, axis = _ranges(evaluation.table(output).frame, [scores.span for scores in spans])
    return OutputTables(
        name=described.name,
        spans=[span_head(scores) for scores in spans],
        ranges=ranges,
        axis=axis,
        scores=[
            [rule, *(score_texts(scores.by_rule[rule]) for scores in spans)]
            for rule in ("model", *RULES)
            if rule in spans[0].by_rule
        ],
        comparisons=comparison_rows(
            [each for each in evaluation.comparisons(output) if each.figure == "loss"]
        ),
        below=[
            [f"{level:g}", *(percent(scores.below[row]) for scores in spans)]
            for row, level in enumerate(described.quantiles)
        ],
    )


def span_head(scores: "SpanScores | ClassScores") -> SpanHead:
    """What stands above the columns of these scores."""
    held = f"{count(scores.samples, 'sample')} on {count(scores.days, 'day')}"
    return SpanHead(scores.span, span(scores.start, scores.end), held)


def _ranges(frame: "pd.DataFrame", spans: Sequence[str]) -> tuple[list[list[Any]], Markup]:
    sides = [name.replace("-", "_") for name in spans]
    counts = [frame[f"{side}_count"].to_numpy(np.float64) for side in sides]
    averages = [frame[f"{side}_average"].to_numpy(np.float64) for side in sides]
    full = _full(counts, averages)
    decimals = int(np.clip(2 - np.floor(np.log10(full)), 0, 8)) if full > 0 else 2
    starts, ends = frame["range_start"].to_numpy(np.float64), frame["range_end"].to_numpy(np.float64)
    edge_decimals = tick_decimals(finite(starts).tolist())
    rows: list[list[Any]] = []
    for i in range(len(frame)):
        # a range of NaN holds the predictions that are not finite
        known = not np.isnan(starts[i])
        edges = (
            (number(starts[i], edge_decimals), number(ends[i], edge_decimals))
            if known
            else ("not finite", MISSING)
        )
        cells = [
            (
                number(held[i], 0),
                number(average[i], decimals, signed=True),
                range_bar(float(average[i]), full),
            )
            for held, average in zip(counts, averages, strict=True)
        ]
        rows.append([*edges, *cells])
    return rows, bar_axis(full, decimals)


def _full(counts: Sequence[FloatArray], averages: Sequence[FloatArray]) -> float:
    """The average that fills a bar: the largest of the rows that hold a hundredth of their span."""
    weighty = [
        np.abs(average[(held > 0) & (held >= _WEIGHTY * held.sum())])
        for held, average in zip(counts, averages, strict=True)
    ]
    return float(finite(np.concatenate(weighty)).max(initial=0.0)) if weighty else 0.0


def score_texts(scores: "Scores") -> dict[str, str]:
    """The figures of one rule as text, by what they are called."""
    return {
        "loss": number(scores.loss, 4),
        "R²": number(scores.r_squared, 4),
        "correlation": number(scores.correlation, 3),
        "rank correlation": number(scores.rank_correlation, 3),
        "hit rate": percent(scores.hit_rate),
    }


def comparison_rows(found: Sequence["Comparison"]) -> list[list[Any]]:
    """Rule, difference, its interval, both as a picture, and what follows."""
    errors = [CONFIDENT * each.standard_error for each in found]
    reach = [abs(each.difference) + np.nan_to_num(error) for each, error in zip(found, errors, strict=True)]
    extreme = float(finite(reach).max(initial=0.0))
    smallest = finite(errors)[finite(errors) > 0].min(initial=1e-2)
    decimals = int(np.clip(1 - np.floor(np.log10(smallest)), 4, 10))
    return [
        [
            each.rule,
            number(each.difference, decimals, signed=True),
            f"± {number(error, decimals)}",
            difference_bar(each.difference, error, extreme),
            OUTCOMES[each.outcome],
        ]
        for each, error in zip(found, errors, strict=True)
    ]


def trades_table(backtest: "Backtest | None") -> TradesTable:
    """All trades, or the first and the last when there are very many."""
    if backtest is None:
        return TradesTable("No trades: there is no backtest of this model.")
    trades = backtest.trades
    if trades.empty:
        dates = span(backtest.start, backtest.end)
        return TradesTable(f"No trades: the strategy stayed out of the market, {dates}.")
    decimals = decimals_for([*trades["entry_price"], *trades["exit_price"]])
    intraday = is_intraday([*trades["entry_date"], *trades["exit_date"]])
    rows = [
        _trade(i, trade, decimals, intraday=intraday)
        for i, trade in enumerate(trades.to_dict("records"), start=1)
    ]
    note, half = "", MOST_TRADES // 2
    if len(rows) > MOST_TRADES:
        note = sentences(f"the first and the last {half} of {number(len(rows), 0)} trades are shown")
        rows = rows[:half] + rows[-half:]
    return TradesTable(_tally(trades), rows, note)


def _tally(trades: "pd.DataFrame") -> str:
    profits = trades["profit"].to_numpy(np.float64)
    closed = trades["exit_date"].notna().to_numpy()
    counts = {
        "won": closed & (profits > 0),
        "lost": closed & (profits < 0),
        "came out even": closed & (profits == 0),
        "still open": ~closed,
    }
    parts = [f"{number(int(chosen.sum()), 0)} {name}" for name, chosen in counts.items() if chosen.any()]
    return f"{count(len(trades), 'trade')}: {', '.join(parts)}"


def _trade(i: int, trade: Any, decimals: int, *, intraday: bool) -> dict[str, str]:
    profit, size, price = trade["profit"], trade["size"], trade["entry_price"]
    cost = abs(size * price)
    return {
        "no": str(i),
        "entry": date(trade["entry_date"], intraday=intraday),
        "entry_price": number(price, decimals),
        "exit": date(trade["exit_date"], intraday=intraday),
        "exit_price": number(trade["exit_price"], decimals),
        "size": number(size, 0 if float(size).is_integer() else 4),
        "profit": number(profit, 2, signed=True),
        "share": number(profit / cost * 100 if cost else float("nan"), 1, signed=True, unit="%"),
        "side": "gain" if profit > 0 else "loss" if profit < 0 else "even",
    }


def span_rows(spans: Sequence[SpanRecord]) -> list[list[str]]:
    """Name, first and last bar, samples and purged samples of every span."""
    intraday = is_intraday([moment for each in spans for moment in (each.start, each.end)])
    return [
        [
            each.name,
            date(each.start, intraday=intraday),
            date(each.end, intraday=intraday),
            number(each.samples, 0),
            number(each.purged, 0),
        ]
        for each in spans
    ]
