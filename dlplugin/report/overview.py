"""What stands at the top of the report, and the captions that name the dates behind every figure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dlplugin.evaluation import ClassResult, SpanScores
from dlplugin.report.data import ReportData
from dlplugin.report.slots import bars_per_slot
from dlplugin.report.tables import score_texts
from dlplugin.report.words import count, listed, number, percent, sentences, span

if TYPE_CHECKING:
    from dlplugin.evaluation.account import Backtest

__all__ = ["KeyFigures", "captions", "key_figures"]

_SCORES = {
    "R²": "R² against the mean",
    "correlation": "Correlation",
    "rank correlation": "Rank correlation",
    "hit rate": "Hit rate",
    "loss": "Loss",
}


@dataclass(frozen=True)
class KeyFigures:
    """Figures of one span.

    Attributes:
        title: What they say something about.
        span: Dates and symbols behind them.
        class_: Colours the title as the span.
        tiles: Each a name, a value, and what to hold it against.
    """

    title: str
    span: str
    class_: str
    tiles: Sequence[tuple[str, str, str]]


def key_figures(data: ReportData) -> list[KeyFigures]:
    """The scores of the first output, out of sample where there is such a span; then those of the account."""
    found = [_scores(data)]
    if data.backtest is not None:
        held = any(each.name == "holdout" for each in data.spans)
        found.append(
            _account(data.backtest, "Traded on the holdout" if held else "Traded; there is no holdout")
        )
    return found


def _scores(data: ReportData) -> KeyFigures:
    result = data.evaluation.results[0]
    inside, *others = result.spans
    shown = others[0] if others else inside
    return KeyFigures(
        title="Out of sample" if others else "In sample; there is no out-of-sample span",
        span=f"{span(shown.start, shown.end)} · {data.evaluation.outputs[0].name} · {_symbols(data)}",
        class_=shown.span,
        tiles=_class_tiles(result) if isinstance(result, ClassResult) else _number_tiles(result.spans),
    )


def _number_tiles(spans: Sequence[SpanScores]) -> list[tuple[str, str, str]]:
    values, beside = (score_texts(spans[position].by_rule["model"]) for position in (-1, 0))
    return [
        (title, values[name], f"in-sample {beside[name]}" if len(spans) > 1 else "")
        for name, title in _SCORES.items()
    ]


def _class_tiles(result: ClassResult) -> list[tuple[str, str, str]]:
    shown, inside = result.spans[-1], result.spans[0]
    beside = "in-sample {}" if len(result.spans) > 1 else ""
    return [
        ("Accuracy", percent(shown.accuracy), beside.format(percent(inside.accuracy))),
        (
            "Always the most frequent class",
            percent(result.rule_accuracy(-1)),
            beside.format(percent(result.rule_accuracy(0))),
        ),
        (
            "Matthews correlation",
            number(shown.correlation, 3),
            beside.format(number(inside.correlation, 3)),
        ),
        ("Log loss", number(shown.log_loss, 4), f"in-sample shares {number(result.rule_log_loss(-1), 4)}"),
    ]


def _account(backtest: "Backtest", title: str) -> KeyFigures:
    def figure(name: str, decimals: int, *, signed: bool = False, unit: str = "") -> str:
        return number(backtest.figures.get(name), decimals, signed=signed, unit=unit)

    sharpe, held_sharpe = figure("sharpe", 2), figure("buy_and_hold_sharpe", 2)
    return KeyFigures(
        title=title,
        span=f"{span(backtest.start, backtest.end)} · {backtest.strategy} · {backtest.symbol}",
        class_="holdout",
        tiles=[
            (
                "Return",
                figure("return_percent", 1, signed=True, unit="%"),
                f"buy and hold {figure('buy_and_hold_percent', 1, signed=True, unit='%')}",
            ),
            (
                "Largest drawdown",
                figure("max_drawdown_percent", 1, unit="%"),
                f"buy and hold {figure('buy_and_hold_drawdown_percent', 1, unit='%')}",
            ),
            (
                "Sharpe ratio, a year",
                f"{sharpe} ± {figure('sharpe_error', 2)}",
                f"buy and hold {held_sharpe} ± {figure('buy_and_hold_sharpe_error', 2)}",
            ),
            ("Exposure", figure("exposure_percent", 1, unit="%"), "of the closes"),
            ("Trades", figure("trades", 0), f"commission {figure('commission_paid', 2)}"),
        ],
    )


def captions(data: ReportData) -> dict[str, str]:
    """For each part of the page the sentences below it."""
    return {
        "symbols": _symbols(data),
        "training": _training(data),
        "candles": _candles(data),
        "account": _backtest(data.backtest),
        "spans": _spans(data),
    }


def _symbols(data: ReportData) -> str:
    """Whose samples these are, and which of them are out of sample where dates do not say it."""
    symbols = listed(data.symbols) if data.symbols else "all symbols of the data"
    return f"{symbols}; {data.note}" if data.note else symbols


def _training(data: ReportData) -> str:
    spans = [
        f"{each.name} {span(each.start, each.end)}, {count(each.samples, 'sample')}"
        for each in data.spans
        if each.name != "holdout"
    ]
    ran = ""
    if not data.history.empty:
        seconds = number(float(data.history["seconds"].sum()), 1)
        best = number(data.best_epoch, 0)
        ran = f"{count(len(data.history), 'epoch')} in {seconds} s; the save point is epoch {best}"
    unit = "loss is the mean squared error, each output in units of its scale in training"
    moving = "the in-sample curve is as met while the weights moved, dropout included; each chart has its own scale"
    return sentences(ran, data.stop_reason, "; ".join([*spans, _symbols(data)]), unit, moving)


def _candles(data: ReportData) -> str:
    bars = data.chart_bars
    if bars.empty:
        return ""
    symbol = data.backtest.symbol if data.backtest is not None else _symbols(data)
    shared = bars_per_slot(len(bars))
    return sentences(
        f"{symbol}, {span(bars.index[0], bars.index[-1])}, {count(len(bars), 'bar')}",
        "the prediction is known at the close of its bar; orders are filled at the next open",
        f"each candle holds {shared} bars, and shows the prediction of the last" if shared > 1 else "",
    )


def _backtest(backtest: "Backtest | None") -> str:
    if backtest is None:
        return ""
    share = f"{backtest.commission * 100:.4g}"
    return sentences(
        f"{backtest.symbol}, {span(backtest.start, backtest.end)}, {backtest.strategy}",
        f"the account starts with {number(backtest.cash, 2)}",
        f"commission is {share} % of the traded value on each side, for buy-and-hold too",
        "the Sharpe ratio is of bar returns, without a risk-free rate, ± its standard error",
    )


def _spans(data: ReportData) -> str:
    names = {each.name for each in data.spans}
    missing = [name for name in ("out-of-sample", "holdout") if name not in names]
    return sentences(
        _symbols(data),
        "purged samples reach across the end of their span, and no span uses them",
        f"there is no {' and no '.join(missing)} span" if missing else "",
    )
