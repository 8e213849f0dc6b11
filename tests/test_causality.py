"""Nothing looks ahead: not the matrix of inputs, not the scaled row, not the prediction."""

import numpy as np
import pandas as pd
import pytest

import dlplugin as dl
from dlplugin.indicators import first_leak
from dlplugin.samples import input_matrix

WIDE = [
    dl.Input("RSI(14)", depth=5),
    dl.Input("BBANDS(20).upper / close - 1", depth=3, increment=2),
    dl.Input("MACD(12, 26, 9).hist / close"),
    dl.Input("STOCH(14, 3, 0, 3, 0).k"),
    dl.Input("zscore(volume, 20)"),
    dl.Input("rank(close, 50)"),
    dl.Input("ATR(14) / close"),
    dl.Input("CDLENGULFING()"),
    dl.Input("HT_TRENDMODE()"),
    dl.Input("diff(OBV(), 5) / SMA(volume, 20)"),
    dl.Input("pct_change(close, 5)"),
    dl.Input("day_of_week"),
]


@pytest.fixture(scope="module")
def wide(describe, tmp_path_factory: pytest.TempPathFactory, two_stocks: dl.DataSet) -> dl.Model:
    model = describe(tmp_path_factory.mktemp("wide") / "models", "wide", inputs=WIDE)
    model.train(two_stocks, options=dl.TrainingOptions(epochs=1))
    return model.lock()


@pytest.mark.parametrize("symbol", ["MSFT", "GOOG"])
def test_the_matrix_of_inputs_does_not_look_ahead(wide: dl.Model, us_stocks: dl.DataSet, symbol: str) -> None:
    bars = us_stocks[symbol].iloc[:900]
    assert (
        first_leak(lambda part: input_matrix(wide.definition, part), bars, np.random.default_rng(1), cuts=12)
        is None
    )


@pytest.mark.parametrize("symbol", ["MSFT", "GOOG"])
@pytest.mark.filterwarnings("ignore:.*too short a history:dlplugin.DLPluginWarning")
@pytest.mark.filterwarnings("ignore:.*(unadjusted split|a jump):dlplugin.DLPluginWarning")
def test_the_prediction_does_not_look_ahead(wide: dl.Model, us_stocks: dl.DataSet, symbol: str) -> None:
    bars = us_stocks[symbol].iloc[:900]
    assert (
        first_leak(lambda part: wide.predict(part, symbol).to_numpy(), bars, np.random.default_rng(2), 12)
        is None
    )


@pytest.mark.parametrize(
    "cheat",
    [
        lambda bars: bars["close"].shift(-1),
        lambda bars: (bars["close"] - bars["close"].mean()) / bars["close"].std(),
        lambda bars: bars["close"].rolling(5, center=True).mean(),
        lambda bars: bars["close"].where(bars.index.day_of_year % 5 != 0).bfill(),
    ],
    ids=["shifted", "whole-series z-score", "centred window", "back-filled"],
)
def test_a_cheat_among_honest_inputs_is_caught_by_the_same_check(
    wide: dl.Model, us_stocks: dl.DataSet, cheat
) -> None:
    bars = us_stocks["MSFT"].iloc[:900]

    def with_cheat(part: pd.DataFrame) -> np.ndarray:
        return np.column_stack([input_matrix(wide.definition, part), cheat(part)])

    leak = first_leak(with_cheat, bars, np.random.default_rng(3), cuts=12)
    assert leak is not None
    assert leak.column == len(WIDE)


@pytest.mark.filterwarnings("ignore:.*too short a history:dlplugin.DLPluginWarning")
def test_predictions_of_days_to_come_do_not_move_those_of_the_past_to_the_bit_when_bars_arrive_one_by_one(
    wide: dl.Model, us_stocks: dl.DataSet
) -> None:
    bars = us_stocks["MSFT"].iloc[:400]
    whole = wide.predict(bars).to_numpy()
    for end in (60, 61, 255, 256, 257, 399):
        np.testing.assert_array_equal(wide.predict(bars.iloc[:end]).to_numpy(), whole[:end])
