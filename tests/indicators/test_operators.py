import math

import numpy as np
import pandas as pd
import pytest

from dlplugin.indicators import Indicator

LEFT, RIGHT = [3.0, -2.0, 0.0, 7.5, 0.0], [2.0, 3.0, 0.0, -0.5, -1.0]


def values(text):
    bars = pd.DataFrame({"open": LEFT, "close": RIGHT}, index=pd.date_range("2024-01-01", periods=5))
    return Indicator(text).compute(bars)


@pytest.mark.parametrize("symbol", ["+", "-", "*", "/", "**", "<", "<=", ">", ">=", "==", "!="])
def test_operators_are_pythons_with_nan_for_what_python_refuses(symbol):
    def python(left, right):
        try:
            value = eval(f"({left!r}) {symbol} ({right!r})")
        except ZeroDivisionError:
            return math.nan
        return math.nan if isinstance(value, complex) else float(value)

    np.testing.assert_array_equal(values(f"open {symbol} close"), list(map(python, LEFT, RIGHT)))


def test_a_minus_sign_changes_the_sign():
    np.testing.assert_array_equal(values("-close"), [-value for value in RIGHT])


def test_comparisons_of_nan_are_nan():
    for symbol in ("<", "<=", ">", ">=", "==", "!="):
        computed = values(f"close / close {symbol} 1")
        assert np.isnan(computed).tolist() == [False, False, True, False, False], symbol


def test_what_overflows_is_nan_and_costs_nothing():
    assert np.isnan(values("9 ** 9 ** 9 ** 9 * close")).all()
    assert np.isnan(values("(close + 1e60) ** 2")).all()
    assert np.isnan(values("EXP((close + 3) * 1e9)")).sum() == 5
    assert not np.isnan(values("(close + 1e60) / 1e60")).any()
