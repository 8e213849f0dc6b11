import math

import numpy as np
import pytest

from dlplugin.evaluation.comparison import Comparison, compare
from dlplugin.evaluation.uncertainty import mean_with_error


def days(count, symbols=1):
    return np.repeat(np.datetime64("2001-01-01", "ns") + np.arange(count) * np.timedelta64(1, "D"), symbols)


def test_a_comparison_is_the_rules_loss_less_the_models():
    random = np.random.default_rng(6)
    actual, by_rule = random.standard_normal(50), random.standard_normal(50)
    by_model = 0.5 * actual
    found = compare("ridge", by_rule, by_model, actual, scale=2.0, times=days(50), overlap=1)
    gain = ((actual - by_rule) ** 2 - (actual - by_model) ** 2) / 4
    mean, error = mean_with_error(gain, days(50), 1)
    assert (found.rule, found.beaten) == ("ridge", True)
    assert (found.difference, found.standard_error) == pytest.approx((mean, error))
    assert found.error == 1.96 * found.standard_error


def test_tiny_differences_between_large_losses_are_not_rounded_away():
    actual = 1e8 + np.arange(20.0)
    found = compare("zero", np.zeros(20), np.full(20, 1e-9), actual, scale=1.0, times=days(20), overlap=1)
    assert found.difference == pytest.approx(2e-9 * actual.mean())


def test_the_same_predictions_are_not_beaten():
    actual = np.random.default_rng(7).standard_normal(50)
    found = compare("zero", np.zeros(50), np.zeros(50), actual, scale=1.0, times=days(50), overlap=1)
    assert found == Comparison("zero", 0.0, 0.0, beaten=False)


@pytest.mark.parametrize("failed", [math.nan, math.inf, 1e200])
def test_a_failed_prediction_beats_nothing(failed):
    actual = np.zeros(50)
    by_model = np.r_[failed, np.zeros(49)]
    found = compare("zero", np.ones(50), by_model, actual, scale=1.0, times=days(50), overlap=1)
    assert math.isnan(found.difference)
    assert not found.beaten
