import pickle

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings

from dlplugin.errors import ExpressionError, UnknownNameError
from dlplugin.indicators import Indicator, compute_columns


def test_indicators_are_equal_when_their_canonical_texts_are():
    assert Indicator("RSI()") == Indicator.parse("RSI( timeperiod = 14 )") == Indicator("RSI(close, 14)")
    assert Indicator("RSI(14)") != Indicator("RSI(15)")
    assert len({Indicator("RSI()"), Indicator("RSI(14)"), Indicator("ROC(5)")}) == 2
    assert str(Indicator("ROC(5)")) == "ROC(close, timeperiod=5)"
    assert repr(Indicator("ROC(5)")) == "Indicator(text='ROC(close, timeperiod=5)')"


def test_indicators_cannot_be_changed_and_survive_pickling():
    indicator = Indicator("BBANDS(20).upper")
    with pytest.raises(AttributeError):
        indicator.text = "close"
    assert pickle.loads(pickle.dumps(indicator)) == indicator
    assert pickle.loads(pickle.dumps(indicator)).tree == indicator.tree


def test_columns_are_all_that_is_read_from_the_bars(stock):
    texts = {
        "RSI(14)": {"close"},
        "ATR(14)": {"high", "low", "close"},
        "month": set(),
        "raw_close - 1": {"raw_close"},
    }
    for text, columns in texts.items():
        indicator = Indicator(text)
        assert indicator.columns == columns
        np.testing.assert_array_equal(indicator.compute(stock[sorted(columns)]), indicator.compute(stock))


def test_a_column_the_bars_lack_is_refused_with_the_nearest(stock):
    with pytest.raises(UnknownNameError) as refusal:
        Indicator("SMA(clsoe, 5)").compute(stock)
    assert str(refusal.value) == (
        "the bars have no column 'clsoe'; did you mean 'close'? "
        "there are: open, high, low, close, volume, raw_close"
    )


def test_warm_up_of_nested_functions_adds_up():
    warm_ups = {
        "close": 0,
        "RSI(14)": 14,
        "SMA(RSI(14), 5)": 18,
        "SMA(5) - SMA(20)": 19,
        "lag(SMA(5), 3)": 7,
        "rank(diff(close, 2), 10)": 11,
        "zscore(RSI(14), 20)": 33,
        "max(SMA(5), ROC(10))": 10,
        "CORREL(RSI(14), SMA(3), 5)": 18,
        "(SMA(5) > SMA(9)) * 2 ** -close": 8,
    }
    assert {text: Indicator(text).warm_up for text in warm_ups} == warm_ups


def test_random_expressions_have_no_value_before_their_warm_up(currency, random_trees):
    @settings(max_examples=80, deadline=None, derandomize=True)
    @given(random_trees(15, 3))
    def check(tree):
        values = Indicator(tree.text).compute(currency.iloc[:120])
        assert np.isnan(values[: tree.warm_up]).all()
        assert values.shape == (120,)

    check()


def test_histories_shorter_than_the_warm_up_are_nan_throughout(stock, usages):
    indicators = [Indicator(text) for texts in usages.values() for text in texts]
    warm_ups = np.array([indicator.warm_up for indicator in indicators])
    for length in (0, 1, 2, 5, 13, 30):
        matrix = compute_columns(indicators, stock.iloc[:length])
        assert matrix.shape == (length, len(indicators))
        assert matrix.dtype == np.float64
        np.testing.assert_array_equal(np.isnan(matrix).sum(axis=0), np.minimum(warm_ups, length))


def test_the_longest_periods_neither_crash_nor_give_values(stock):
    for text in ("RSI(100000)", "TEMA(100000)", "T3(100000)", "lag(close, 100000)", "rank(close, 100000)"):
        assert np.isnan(Indicator(text).compute(stock)).all(), text
        assert np.isnan(Indicator(text).stream().replay(stock.iloc[:3])).all(), text


def test_columns_computed_together_are_those_computed_alone(stock):
    texts = [
        "RSI(14)",
        "SMA(RSI(14), 5)",
        "close",
        "MACD().hist",
        "MACD().signal",
        "RSI(14)",
        "month",
        "diff(OBV(), 5)",
    ]
    indicators = [Indicator(text) for text in texts]
    matrix = compute_columns(indicators, stock)
    for place, indicator in enumerate(indicators):
        np.testing.assert_array_equal(matrix[:, place], indicator.compute(stock))
    assert compute_columns([], stock).shape == (len(stock), 0)


def test_computing_leaves_the_bars_alone(stock, usages):
    before = stock.copy()
    compute_columns([Indicator(text) for texts in usages.values() for text in texts], stock)
    values = Indicator("close").compute(stock)
    values[:] = 0.0
    pd.testing.assert_frame_equal(stock, before)


def test_bars_of_other_number_types_are_taken_as_floats(stock):
    bars = stock.iloc[:50].copy()
    bars["volume"] = np.arange(50)
    bars["close"] = bars["close"].astype(np.float32)
    np.testing.assert_array_equal(Indicator("SMA(volume, 3)").compute(bars)[2:], np.arange(1.0, 49.0))
    assert Indicator("RSI(14)").compute(bars).dtype == np.float64


def test_whole_number_outputs_are_nan_in_their_warm_up(stock):
    for text in ("CDLDOJI()", "HT_TRENDMODE()", "FRACTAL().high", "SUPERTREND().trend", "diff(MAXINDEX(30))"):
        indicator = Indicator(text)
        values = indicator.compute(stock)
        assert np.isnan(values[: indicator.warm_up]).all()
        assert not np.isnan(values[indicator.warm_up :]).any()
        assert (values[indicator.warm_up :] % 1 == 0).all()


def test_unstable_tells_whether_the_past_fades():
    unstable = ["RSI(14)", "SMA(RSI(14), 5)", "MACD().hist", "BBANDS(20, matype=EMA).upper", "close - EMA(9)"]
    stable = [
        "close",
        "SMA(20)",
        "BBANDS(20).upper",
        "zscore(close, 20)",
        "diff(OBV(), 5)",
        "MA(20, matype=WMA)",
    ]
    assert all(Indicator(text).unstable for text in unstable)
    assert not any(Indicator(text).unstable for text in stable)


def test_steady_bars_of_windows_are_their_warm_up_and_one():
    for text in ("close", "SMA(20)", "zscore(close, 20)", "diff(OBV(), 5)"):
        assert Indicator(text).steady_bars == Indicator(text).warm_up + 1


@pytest.mark.parametrize(
    "text", ["RSI(14)", "EMA(30)", "ATR(14)", "MACD().hist", "ADX(14)", "TRIX(15)", "TEMA(20)"]
)
def test_after_steady_bars_an_earlier_start_no_longer_matters(text, index):
    indicator = Indicator(text)
    whole = indicator.compute(index)
    for first in (500, 1711, 3000):
        late = indicator.compute(index.iloc[first:])
        difference = np.abs(late - whole[first:]) / np.nanstd(whole)
        # prices differ from the made-up ones of the estimate, so a small factor is allowed
        assert difference[indicator.steady_bars :].max() < 20 * 2**-24
        assert difference[indicator.warm_up :].max() > 1e-4


def test_steady_bars_grow_with_the_period_and_add_up():
    assert 180 < Indicator("EMA(30)").steady_bars < 300  # 24 ln 2 / ln(31 / 29) is 249 bars of decay
    assert Indicator("EMA(60)").steady_bars > 1.7 * Indicator("EMA(30)").steady_bars
    assert Indicator("RSI(200)").steady_bars > 2000
    assert Indicator("SMA(EMA(30), 10)").steady_bars == Indicator("EMA(30)").steady_bars + 9


def test_parameters_ta_lib_refuses_never_reach_it():
    for text in ("EMA(0)", "EMA(-2147483648)", "T3(5, -4e37)", "SMA(2147483648)"):
        with pytest.raises(ExpressionError, match=" must be a "):
            Indicator(text)
