import numpy as np
import pandas as pd
import pytest

from dlplugin.bars import DataSet, jumps
from dlplugin.bars.checks import examine_bars
from dlplugin.bars.jumps import extreme_jumps, split_jumps

PRICES = ["open", "high", "low", "close"]
SPLITS = {"AAPL": ["2005-02-28"], "CERN": ["2006-01-10", "2011-06-27"]}


def as_traded(dataset: DataSet, symbol: str) -> pd.DataFrame:
    bars = dataset[symbol]
    bars[PRICES] = bars[PRICES].mul(bars["raw_close"] / bars["close"], axis=0)
    return bars


def test_the_real_splits_of_prices_as_traded_are_found_and_nothing_else(us_stocks):
    found = {symbol: examine_bars(as_traded(us_stocks, symbol), symbol).findings for symbol in us_stocks}
    dates = {
        symbol: [str(finding.dates[0].date()) for finding in findings]
        for symbol, findings in found.items()
        if findings
    }
    assert dates == SPLITS
    assert found["AAPL"][0].text == (
        "AAPL has a jump down by 1.99 at 2005-02-28, like an unadjusted split of 2:1; "
        "adjust the bars before it if it is one"
    )
    assert found["AAPL"][0].value == pytest.approx(1.99, abs=0.01)


@pytest.mark.parametrize(
    ("ratio", "text"), [(1.5, "3:2"), (4 / 3, "4:3"), (7, "7:1"), (0.1, "1:10"), (0.04, "1:25")]
)
def test_splits_of_many_ratios_are_found_in_a_calm_price(ratio, text):
    bars = DataSet.bundled("sp500")["SP500"].iloc[:400]
    bars.iloc[200:, :4] /= ratio
    (finding,) = examine_bars(bars, "X").findings
    assert (finding.trouble, finding.dates) == ("unadjusted split", (bars.index[200],))
    assert f"like an unadjusted split of {text};" in finding.text
    assert finding.value == pytest.approx(ratio, rel=0.02)


def test_a_real_rise_by_a_quarter_is_no_split_of_three_for_four(us_stocks):
    for start in (1445, 1449, 1451, 1455):
        assert examine_bars(us_stocks["AMD"].iloc[start : start + 400], "AMD").findings == ()


def test_a_tick_that_comes_back_is_no_split_and_is_extreme(us_stocks):
    bars = us_stocks["IBM"].iloc[:400]
    bars.iloc[200, :4] /= 2
    assert not split_jumps(bars).any()
    assert np.flatnonzero(extreme_jumps(bars)).tolist() == [200, 201]


def test_a_move_that_is_usual_for_the_price_is_not_extreme():
    random = np.random.default_rng(0)
    close = 100 * np.exp(np.cumsum(random.normal(0, 0.15, 500)))
    bars = pd.DataFrame(
        {"open": close, "high": close, "low": close, "close": close, "volume": 1.0},
        index=pd.bdate_range("2020-01-01", periods=500),
    )
    assert np.abs(np.diff(np.log(close))).max() > np.log(1.5)
    assert not extreme_jumps(bars).any()
    assert not split_jumps(bars).any()


def test_a_bad_tick_of_a_calm_price_is_extreme_and_a_weekend_gap_is_not():
    bars = DataSet.bundled("eurusd-1h")["EURUSD"].iloc[:1000]
    bars.iloc[500, :4] *= 1.06
    assert np.flatnonzero(extreme_jumps(bars)).tolist() == [500, 501]
    bars = DataSet.bundled("eurusd-1h")["EURUSD"].iloc[:1000]
    monday = int(np.argmax(np.diff(bars.index) > pd.Timedelta("40h"))) + 1
    bars.iloc[monday:, :4] *= 1.06
    assert not extreme_jumps(bars).any()


def test_many_jumps_are_one_finding(us_stocks):
    bars = us_stocks["IBM"].iloc[:400]
    bars.iloc[100:340:20, :4] *= 50
    (finding,) = examine_bars(bars, "X").findings
    assert finding.count == 24
    assert "(the first of 24)" in finding.text


@pytest.mark.parametrize("symbol", ["AMD", "GOOG"])
def test_the_usual_moves_are_the_same_one_by_one_and_in_a_sweep(us_stocks, symbol, monkeypatch):
    moves = np.diff(np.log(us_stocks[symbol]["close"].to_numpy()))
    moves[300:420] = 0.0
    all_wanted = np.ones(len(moves), dtype=bool)
    swept = jumps._scales(moves, all_wanted)
    monkeypatch.setattr(jumps, "FEW_ROWS", len(moves))
    np.testing.assert_allclose(jumps._scales(moves, all_wanted), swept, rtol=1e-12)
    assert np.isinf(swept[360])
