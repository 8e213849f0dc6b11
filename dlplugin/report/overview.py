"""What stands at the top of the report: the figures that decide, each with its error, and what limits them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dlplugin.evaluation import ClassResult, SpanScores
from dlplugin.evaluation.rules import MEAN
from dlplugin.report.data import ReportData
from dlplugin.report.headline import traded_where
from dlplugin.report.words import (
    CONFIDENT,
    MOST,
    count,
    decimals_of_error,
    figure,
    listed,
    number,
    percent,
    span,
)

if TYPE_CHECKING:
    from dlplugin.evaluation import Evaluation
    from dlplugin.evaluation.account import Backtest

__all__ = ["Chip", "KeyFigures", "Tile", "chips", "key_figures", "symbols_of"]

INSIDE = "inside the error"


@dataclass(frozen=True)
class Tile:
    """One figure.

    Attributes:
        name: What it is.
        value: The figure.
        error: Half of its 95 % interval; empty where there is none.
        beside: What to hold it against.
        faint: Whether it is inside its error.
    """

    name: str
    value: str
    error: str = ""
    beside: str = ""
    faint: bool = False


@dataclass(frozen=True)
class KeyFigures:
    """Figures of one span.

    Attributes:
        title: What they say something about.
        span: Dates and symbols behind them.
        class_: Colours the title as the span.
        tiles: The figures.
    """

    title: str
    span: str
    class_: str
    tiles: Sequence[Tile]


@dataclass(frozen=True)
class Chip:
    """A short fact that limits how far figures are to be trusted, and what it means."""

    text: str
    meaning: str = ""


def chips(data: ReportData) -> list[Chip]:
    """The audit, openings of the holdout, trials, and how many samples there are in truth."""
    found = (_audit(data), _openings(data), _trials(data), _samples(data), _symbols(data))
    return [chip for chip in found if chip]


def _audit(data: ReportData) -> Chip | None:
    if data.audit is None:
        return Chip("not audited", "dlplugin audit looks for the future in what the model sees")
    if data.audit.passed:
        return Chip("audit passed", "no leak and no alarm")
    wrong = [check.name for check in data.audit.checks if check.passed is False]
    return Chip(f"audit: {data.audit.found}", listed(wrong, 3))


def _openings(data: ReportData) -> Chip | None:
    if not any(each.name == "holdout" for each in data.spans):
        return Chip("no holdout", "no days are unseen")
    if data.openings is None:
        return None
    times = len(data.openings)
    if not times:
        return Chip("holdout sealed", "nothing of its days was ever shown")
    seen = "those days are no longer unseen" if times == 1 else "each further look makes luck likelier"
    return Chip(f"holdout opened {count(times, 'time')}", seen)


def _trials(data: ReportData) -> Chip | None:
    if data.trials is None or not len(data.trials):
        return None
    runs = len(data.trials)
    luck = "at most one in forty that learn nothing is credited by chance"
    if runs >= 20:
        luck += f", {count(max(1, round(runs / 40)))} of {runs}"
    return Chip(f"{count(runs, 'trial')} on these days", luck)


def _samples(data: ReportData) -> Chip | None:
    inside = next((each for each in data.spans if each.name == "in-sample"), None)
    if inside is None:
        return None
    text = count(inside.samples, "in-sample sample")
    if not math.isfinite(data.effective_samples):
        return Chip(text)
    if data.effective_samples > 0.99 * inside.samples:
        return Chip(text, "look aheads do not overlap")
    return Chip(
        text, f"worth at most {number(data.effective_samples, 0)} independent ones, since look aheads overlap"
    )


def _symbols(data: ReportData) -> Chip | None:
    return Chip(count(len(data.symbols), "symbol")) if data.symbols else None


def key_figures(data: ReportData) -> list[KeyFigures]:
    """The scores of each output, on the holdout and out of sample where these are; then those of the account."""
    outputs = range(len(data.evaluation.outputs))
    found = [] if data.holdout is None else [_scores(data, data.holdout, i) for i in outputs]
    found += [_scores(data, data.evaluation, i) for i in outputs]
    if data.backtest is not None:
        found.append(_account(data.backtest, traded_where(data, data.backtest)))
    return found


def symbols_of(data: ReportData) -> str:
    """Whose samples these are, and which of them are out of sample where dates do not say it."""
    symbols = listed(data.symbols) if data.symbols else "all symbols of the data"
    return f"{symbols}; {data.note}" if data.note else symbols


def _scores(data: ReportData, evaluation: "Evaluation", output: int) -> KeyFigures:
    result = evaluation.results[output]
    inside, *others = result.spans
    shown = others[0] if others else inside
    titles = {"out-of-sample": "Out of sample", "holdout": "On the holdout"}
    return KeyFigures(
        title=titles.get(shown.span, "In sample; there is no out-of-sample span"),
        span=f"{span(shown.start, shown.end)} · {evaluation.outputs[output].name} · {symbols_of(data)}",
        class_=shown.span,
        tiles=_class_tiles(result) if isinstance(result, ClassResult) else _number_tiles(result.spans),
    )


def _number_tiles(spans: Sequence[SpanScores]) -> list[Tile]:
    tiles = []
    for name, title, decimals, zero in (
        ("r_squared", "R² against the mean", 4, True),
        ("correlation", "Correlation", 3, True),
        ("rank_correlation", "Rank correlation", 3, True),
        ("hit_rate", "Hit rate", 1, False),
        ("loss", "Loss", 4, False),
    ):
        unit, times = ("%", 100.0) if name == "hit_rate" else ("", 1.0)
        values = [times * float(getattr(scores.by_rule["model"], name)) for scores in spans]
        errors = spans[-1].errors.get("model")
        error = math.nan if errors is None else times * CONFIDENT * float(getattr(errors, name))
        tile = _tile(title, values, error, decimals, unit, zero)
        tiles.append(tile if zero else _with_rule(tile, times * _of_mean(spans[-1], name), decimals, unit))
    return tiles


def _of_mean(scores: SpanScores, name: str) -> float:
    """A figure of the rule that always predicts the in-sample mean."""
    rule = scores.by_rule.get(MEAN)
    return math.nan if rule is None else float(getattr(rule, name))


def _with_rule(tile: Tile, value: float, decimals: int, unit: str) -> Tile:
    if not math.isfinite(value):
        return tile
    text = number(value, decimals, unit=unit) if unit else figure(value, decimals)
    return replace(
        tile, beside="; ".join(part for part in (tile.beside, f"predicting the mean {text}") if part)
    )


def _tile(title: str, values: Sequence[float], error: float, decimals: int, unit: str, zero: bool) -> Tile:
    known = math.isfinite(error)
    faint = zero and known and not abs(values[-1]) > error

    def write(value: float, places: int) -> str:
        short = title == "Loss" or abs(value) >= MOST
        return figure(value, places) if short else number(value, places, unit=unit)

    shown = write(error, max(decimals, decimals_of_error([error], 4))) if known else ""
    return Tile(
        title,
        write(values[-1], decimals),
        f"± {shown}{', ' + INSIDE if faint else ''}" if known else "",
        f"in-sample {write(values[0], decimals)}" if len(values) > 1 else "",
        faint,
    )


def _class_tiles(result: ClassResult) -> list[Tile]:
    shown, several = result.spans[-1], len(result.spans) > 1

    def tile(title: str, name: str, decimals: int, zero: bool = False, unit: str = "") -> Tile:
        times = 100.0 if unit else 1.0
        values = [times * float(getattr(each, name)) for each in result.spans]
        return _tile(
            title, values, times * CONFIDENT * float(getattr(shown.errors, name)), decimals, unit, zero
        )

    rule = Tile(
        "Always the most frequent class",
        percent(result.rule_accuracy(-1)),
        beside=f"in-sample {percent(result.rule_accuracy(0))}" if several else "",
    )
    shares = f"always the in-sample shares {number(result.rule_log_loss(-1), 4)}"
    loss = tile("Log loss", "log_loss", 4)
    return [
        tile("Accuracy", "accuracy", 1, unit="%"),
        rule,
        tile("Matthews correlation", "correlation", 3, zero=True),
        Tile(loss.name, loss.value, loss.error, shares),
        tile("Brier score", "brier", 4),
    ]


def _account(backtest: "Backtest", title: str) -> KeyFigures:
    def of(name: str, decimals: int, *, signed: bool = False, unit: str = "") -> str:
        return number(backtest.figures.get(name), decimals, signed=signed, unit=unit)

    def half(name: str) -> str:
        return number(CONFIDENT * backtest.figures.get(name, math.nan), 2)

    sharpe, error = (backtest.figures.get(name, math.nan) for name in ("sharpe", "sharpe_error"))
    faint = math.isfinite(error) and not abs(sharpe) > CONFIDENT * error
    return KeyFigures(
        title=title,
        span=f"{span(backtest.start, backtest.end)} · {backtest.strategy} · {backtest.symbol}",
        class_="holdout",
        tiles=[
            Tile(
                "Return",
                of("return_percent", 1, signed=True, unit="%"),
                beside=f"buy and hold {of('buy_and_hold_percent', 1, signed=True, unit='%')}",
            ),
            Tile(
                "Largest drawdown",
                of("max_drawdown_percent", 1, unit="%"),
                beside=f"buy and hold {of('buy_and_hold_drawdown_percent', 1, unit='%')}",
            ),
            Tile(
                "Sharpe ratio, a year",
                of("sharpe", 2),
                f"± {half('sharpe_error')}{', ' + INSIDE if faint else ''}" if math.isfinite(error) else "",
                f"buy and hold {of('buy_and_hold_sharpe', 2)} ± {half('buy_and_hold_sharpe_error')}",
                faint,
            ),
            Tile("Exposure", of("exposure_percent", 1, unit="%"), beside="of the closes"),
            Tile("Trades", of("trades", 0), beside=f"commission {of('commission_paid', 2)}"),
        ],
    )
