"""Five kinds of cheat, each in two ways, and fifty honest definitions on real prices and on random walks."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from rich.console import Console

import dlplugin as dl

QUICK = dl.AuditOptions(symbols=2, cuts=3, seconds=4.0, training_samples=800, epochs=3, training_seconds=4.0)


def shifted(bars: pd.DataFrame) -> pd.Series:
    """The return of the bar to come."""
    return bars["close"].pct_change().shift(-1)


def standardised(bars: pd.DataFrame) -> pd.Series:
    """A z-score with mean and deviation of the whole series."""
    level = np.log(bars["volume"])
    return (level - level.mean()) / level.std()


def centred(bars: pd.DataFrame) -> pd.Series:
    """The close beside an average of the bars around it."""
    return bars["close"] / bars["close"].rolling(11, center=True, min_periods=1).mean() - 1


def filled(bars: pd.DataFrame) -> pd.Series:
    """A ratio whose warm-up is filled with what came after it."""
    return (bars["close"] / bars["close"].rolling(20).mean() - 1).bfill()


CHEATS = {
    "a shifted column": shifted,
    "a whole-series z-score": standardised,
    "a centred window": centred,
    "back-filling": filled,
}


@dataclass(frozen=True)
class Case:
    """A definition, and the data that it is trained and audited on."""

    data: str
    inputs: list[dl.Input | str]
    outputs: list[dl.Output]
    engine: dl.MLP | str = "mlp"

    def trained(self, dataset: dl.DataSet, store: Path, **options: object) -> dl.Model:
        """The model after a few epochs."""
        model = dl.Model("case", self.inputs, self.outputs, self.engine, store=store)
        settings: dict[str, object] = {"epochs": 3, "learning_rate": 0.01, "device": "cpu"}
        with open("/dev/null", "w") as nowhere:
            model.train(
                dataset,
                options=dl.TrainingOptions(**(settings | options)),  # type: ignore[arg-type]
                console=Console(file=nowhere),
            )
        return model


def three_stocks(bars: int = 1000) -> dict[str, pd.DataFrame]:
    us = dl.DataSet.bundled("us-stocks")
    return {symbol: us[symbol].iloc[-bars:] for symbol in ("AAPL", "IBM", "MSFT")}


def with_column(
    frames: Mapping[str, pd.DataFrame], compute: Callable[[pd.DataFrame], pd.Series]
) -> dl.DataSet:
    """The frames with one column more, `extra`, that came with the bars."""
    return dl.DataSet.from_frames(
        "extra", {symbol: bars.assign(extra=compute(bars)) for symbol, bars in frames.items()}
    )


def walks(seed: int, bars: int = 900) -> dict[str, pd.DataFrame]:
    """Two prices that walk at random, the second called SPY."""
    frames = {}
    for number, symbol in enumerate(("ONE", "SPY")):
        rng = np.random.default_rng([seed, number])
        close = 100 * np.exp(np.cumsum(0.012 * rng.standard_normal(bars)))
        first = np.r_[100.0, close[:-1]] * np.exp(0.003 * rng.standard_normal(bars))
        frames[symbol] = pd.DataFrame(
            {
                "open": first,
                "high": np.maximum(first, close) * np.exp(0.004 * np.abs(rng.standard_normal(bars))),
                "low": np.minimum(first, close) * np.exp(-0.004 * np.abs(rng.standard_normal(bars))),
                "close": close,
                "volume": 1e6 * np.exp(0.4 * rng.standard_normal(bars)),
            },
            index=pd.bdate_range("2015-01-05", periods=bars),
        )
    return frames


def _with_honest_columns(frames: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Noise, earnings known a month late and constant for months, a mood, a volatility, and an old price."""
    made = {}
    for number, (symbol, bars) in enumerate(frames.items()):
        rng, moves = np.random.default_rng([7, number]), bars["close"].pct_change()
        earnings = pd.Series(np.nan, index=bars.index)
        earnings.iloc[20::63] = rng.normal(5.0, 1.0, len(earnings.iloc[20::63]))
        made[symbol] = bars.assign(
            noise=rng.standard_normal(len(bars)),
            earnings=earnings.ffill().fillna(5.0),
            mood=moves.ewm(span=5).mean().fillna(0.0) + 0.01 * rng.standard_normal(len(bars)),
            calm=moves.rolling(20).std(),
            old=bars["close"].shift(5),
            share=bars["close"].expanding().rank(pct=True),
        )
    return made


def datasets() -> dict[str, dl.DataSet]:
    """What the honest definitions read."""
    index, currency = dl.DataSet.bundled("sp500"), dl.DataSet.bundled("eurusd-1h")
    return {
        "stocks": dl.DataSet.from_frames("stocks", _with_honest_columns(three_stocks())),
        "index": dl.DataSet.from_frames("index", {"SP500": index["SP500"].iloc[-1500:]}),
        "hours": dl.DataSet.from_frames(
            "hours", {symbol: currency[symbol].iloc[-2000:] for symbol in currency.symbols}
        ),
        "walk": dl.DataSet.from_frames("walk", _with_honest_columns(walks(1))),
        "other walk": dl.DataSet.from_frames("other walk", walks(2)),
    }


def _ahead(expression: str, bars: int, **more: object) -> list[dl.Output]:
    return [dl.Output(expression, look_ahead=bars, **more)]  # type: ignore[arg-type]


def _window(*expressions: str, depth: int = 8) -> list[dl.Input | str]:
    return [dl.Input(expression, depth=depth) for expression in expressions]


MOMENTUM: list[dl.Input | str] = ["RSI(14)", "ROC(5)", "close / SMA(20) - 1"]
VOLATILITY: list[dl.Input | str] = ["ATR(14) / close", "STDDEV(ROC(1), 20)", "high / low - 1"]

HONEST: list[Case] = [
    # returns, with TA-Lib, operators, depths and engines
    Case("stocks", [dl.Input("RSI(14)", depth=3), dl.Input("ROC(5)", depth=3)], _ahead("ROC(5)", 5)),
    Case("stocks", MOMENTUM, _ahead("ROC(1)", 1)),
    Case("index", MOMENTUM, _ahead("ROC(20)", 20)),
    Case("hours", MOMENTUM, _ahead("ROC(3)", 3)),
    Case("walk", MOMENTUM, _ahead("ROC(5)", 5)),
    Case("other walk", ["MACD(12, 26, 9).macd", "ADX(14)", "CCI(14)"], _ahead("ROC(10)", 10)),
    Case("stocks", ["BBANDS(20).upper / close", "WILLR(14)", "MFI(14)"], _ahead("ROC(2)", 2)),
    Case("stocks", ["diff(OBV(), 5) / volume", "pct_change(close, 3)"], _ahead("ROC(5)", 5)),
    Case("index", _window("ROC(1)", "RSI(5)"), _ahead("ROC(1)", 1), "gru"),
    Case("stocks", _window("ROC(1)", "high / close"), _ahead("ROC(5)", 5), "lstm"),
    Case("hours", _window("ROC(1)", depth=16), _ahead("ROC(1)", 1), "tcn"),
    Case("walk", _window("ROC(1)", "volume / SMA(volume, 20)"), _ahead("ROC(5)", 5), "alstm"),
    Case("other walk", MOMENTUM, _ahead("ROC(5)", 5), "linear"),
    Case("stocks", _window("ROC(1)", "RSI(14)"), _ahead("ROC(3)", 3), "transformer"),
    # outputs that persist: a volatility, averages, an oscillator, a level
    Case("stocks", VOLATILITY, _ahead("STDDEV(ROC(1), 20)", 1)),
    Case("index", VOLATILITY, _ahead("STDDEV(ROC(1), 20)", 5)),
    Case("stocks", VOLATILITY, _ahead("ATR(14) / close", 10)),
    Case("walk", VOLATILITY, _ahead("ATR(14) / close", 3)),
    Case("hours", ["high / low - 1", "day_of_week"], _ahead("high / low - 1", 1)),
    Case("stocks", MOMENTUM, _ahead("RSI(14)", 1)),
    Case("index", MOMENTUM, _ahead("RSI(14)", 3)),
    Case("other walk", MOMENTUM, _ahead("RSI(7)", 1)),
    Case("stocks", MOMENTUM, _ahead("close / SMA(50) - 1", 5)),
    Case("walk", ["SMA(5) / SMA(20)"], _ahead("SMA(5) / SMA(20)", 2)),
    Case("index", ["ROC(20)", "ROC(60)"], _ahead("ROC(60)", 5)),
    Case("stocks", ["log(volume / SMA(volume, 20))"], _ahead("log(volume / SMA(volume, 20))", 1)),
    Case("hours", ["ADX(14)"], _ahead("ADX(14)", 2)),
    # classes and quantiles
    Case("stocks", MOMENTUM, _ahead("ROC(1)", 1, classes=[-0.5, 0.55], drop="middle")),
    Case("stocks", MOMENTUM, _ahead("ROC(5)", 5, classes=[0])),
    Case("index", VOLATILITY, _ahead("abs(ROC(1))", 1, classes=[0.3, 0.9])),
    Case("walk", MOMENTUM, _ahead("RSI(14)", 1, classes=[50])),
    Case("other walk", MOMENTUM, _ahead("ROC(5)", 5, classes=[-1, 1])),
    Case("stocks", MOMENTUM, _ahead("ROC(5)", 5, quantiles=[0.1, 0.5, 0.9])),
    Case("index", VOLATILITY, _ahead("abs(ROC(1))", 2, quantiles=[0.25, 0.75])),
    # other timeframes, other symbols, calendars, the symbol itself, two outputs
    Case("stocks", ['on("1w", RSI(5))', "ROC(5)"], _ahead("ROC(5)", 5)),
    Case("index", ['on("1mo", ROC(1))', "RSI(14)"], _ahead("ROC(10)", 10)),
    Case("hours", ['on("1d", ROC(1))', "RSI(14)"], _ahead("ROC(4)", 4)),
    Case("walk", ['of("SPY", ROC(5))', "ROC(5)"], _ahead("ROC(5)", 5)),
    Case("stocks", ['of("IBM", RSI(14))', 'ROC(1) - of("IBM", ROC(1))'], _ahead("ROC(1)", 1)),
    Case("stocks", ["RSI(14)", dl.Input("day_of_week", categories=[0, 1, 2, 3, 4])], _ahead("ROC(1)", 1)),
    Case(
        "stocks",
        ["RSI(14)", dl.Input("symbol", categories=["AAPL", "IBM", "MSFT"], embedding=2)],
        _ahead("STDDEV(ROC(1), 10)", 5),
    ),
    Case("stocks", MOMENTUM, [*_ahead("ROC(5)", 5), *_ahead("STDDEV(ROC(1), 10)", 10)]),
    Case("other walk", MOMENTUM, [*_ahead("ROC(1)", 1), *_ahead("ROC(20)", 20)]),
    # honest columns that came with the bars
    Case("stocks", ["noise", "ROC(5)"], _ahead("ROC(5)", 5)),
    Case("stocks", ["earnings / close", "RSI(14)"], _ahead("ROC(20)", 20)),
    Case("stocks", ["mood", "calm", "old / close"], _ahead("ROC(5)", 5)),
    Case("walk", ["noise", "mood", "earnings"], _ahead("ROC(1)", 1)),
    Case("walk", ["calm", "share"], _ahead("STDDEV(ROC(1), 20)", 5)),
    Case("stocks", ["raw_close / SMA(raw_close, 20)", "mood"], _ahead("ROC(5)", 5)),
    Case(
        "stocks", [dl.Input("calm", pooled=False), dl.Input("noise", scaling="robust")], _ahead("ROC(10)", 10)
    ),
]
