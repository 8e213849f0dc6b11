import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlplugin.errors import BarsError
from dlplugin.indicators import Indicator


def bars_of(close, **columns):
    index = pd.date_range("2024-01-01", periods=len(close), name="date")
    return pd.DataFrame({"close": np.array(close, dtype=float), **columns}, index=index)


def values(text, close, **columns):
    return Indicator(text).compute(bars_of(close, **columns)).tolist()


def assert_equal(text, bars, expected):
    np.testing.assert_allclose(Indicator(text).compute(bars), expected, rtol=1e-9, atol=1e-9, err_msg=text)


def test_functions_of_earlier_bars_agree_with_pandas(stock):
    close = stock["close"]
    assert_equal("lag(close, 3)", stock, close.shift(3))
    assert_equal("diff(close)", stock, close.diff())
    assert_equal("diff(close, 5)", stock, close.diff(5))
    assert_equal("pct_change(close)", stock, close.pct_change(fill_method=None))
    assert_equal("pct_change(close, 5)", stock, close.pct_change(5, fill_method=None))
    assert_equal("100 * pct_change(close, 5)", stock, Indicator("ROC(5)").compute(stock))
    rolling = close.rolling(20)
    assert_equal("zscore(close, 20)", stock, (close - rolling.mean()) / rolling.std(ddof=0))
    assert_equal("rank(close, 20)", stock, (rolling.rank(method="average") - 1) / 19)


def test_rank_is_zero_for_the_lowest_one_for_the_highest_and_between_for_ties():
    assert values("rank(close, 3)", [1, 2, 3, 0, 3, 3])[2:] == [1.0, 0.0, 0.75, 0.75]
    assert values("rank(close, 3)", [5, 5, 5])[2:] == [0.5]


def test_zscore_of_equal_values_is_nan():
    assert np.isnan(values("zscore(close, 3)", [5, 5, 5, 5])).all()


def test_elementwise_functions_take_each_bar_by_itself():
    assert values("abs(close)", [-2, 0, 3]) == [2.0, 0.0, 3.0]
    assert values("sign(close)", [-2, 0, 3]) == [-1.0, 0.0, 1.0]
    assert values("min(close, 1)", [-2, 0, 3]) == [-2.0, 0.0, 1.0]
    assert values("max(close, 1, 2 - close)", [-2, 0, 3]) == [4.0, 2.0, 3.0]
    np.testing.assert_allclose(values("log(close)", [1, np.e, 10]), [0.0, 1.0, np.log(10)], rtol=1e-15)
    assert np.isnan(values("log(close)", [0, -1])).all()


def test_elementwise_functions_of_nan_are_nan_and_nothing_else_is_lost():
    for text in ("abs({})", "sign({})", "log({})", "min({}, 2)", "min(2, {})", "max({}, 2)", "max(2, {})"):
        computed = values(text.format("(close / close)"), [0, 3])
        assert np.isnan(computed[0]), text
        assert not np.isnan(computed[1]), text


def test_the_calendar_is_that_of_the_bars_own_time():
    assert values("day_of_week", [1.0] * 8) == [0, 1, 2, 3, 4, 5, 6, 0]  # 2024-01-01 was a Monday
    assert values("month", [1.0] * 32)[-2:] == [1, 2]


def test_the_calendar_needs_bars_with_times():
    with pytest.raises(BarsError) as refusal:
        Indicator("month").compute(pd.DataFrame({"close": [1.0]}))
    assert str(refusal.value) == "bars are indexed by a RangeIndex; they need a DatetimeIndex"
    with pytest.raises(BarsError) as refusal:
        Indicator("month + close").stream().update({"close": 1.0})
    assert str(refusal.value) == "month needs the time of the bar, but none was given"


def test_a_nan_restarts_what_looks_back():
    close = [1, 2, 0, 4, 8, 16]  # 1 / close is infinite at the zero, so NaN
    nan = np.nan
    np.testing.assert_array_equal(values("lag(1 / close, 1)", close), [nan, 1, nan, nan, 0.25, 0.125])
    np.testing.assert_array_equal(values("diff(1 / close)", close), [nan, -0.5, nan, nan, -0.125, -0.0625])
    np.testing.assert_array_equal(values("SMA(1 / close, 2)", close), [nan, 0.75, nan, nan, 0.1875, 0.09375])
    np.testing.assert_array_equal(values("rank(1 / close, 2)", close), [nan, 0, nan, nan, 0, 0])
    np.testing.assert_array_equal(
        values("diff(CUMSUM(1 / close), 1)", close), [nan, 0.5, nan, nan, 0.125, 0.0625]
    )


@settings(deadline=None, derandomize=True)
@given(st.lists(st.floats(-1e3, 1e3), max_size=40), st.integers(2, 12))
def test_rank_agrees_with_counting_one_by_one(close, n):
    expected = [np.nan] * min(n - 1, len(close))
    for bar in range(n - 1, len(close)):
        others = close[bar - n + 1 : bar]
        below = sum(other < close[bar] for other in others)
        equal = sum(other == close[bar] for other in others)
        expected.append((below + 0.5 * equal) / (n - 1))
    np.testing.assert_array_equal(values(f"rank(close, {n})", close), expected)
