import math

import numpy as np
import pytest

from dlplugin.evaluation.comparison import Comparison, compare, mean_with_error


def days(count, symbols=1):
    return np.repeat(np.datetime64("2001-01-01", "ns") + np.arange(count) * np.timedelta64(1, "D"), symbols)


def obvious_error(values, times, overlap):
    """Over all pairs of samples, one by one."""
    unique = sorted(set(times.tolist()))
    T, S = len(unique), len(values)
    position = [unique.index(time) for time in times.tolist()]
    bandwidth = min(T, max(3 * overlap, math.ceil(1.3 * math.sqrt(T))))
    mean = sum(values) / S
    variance = 0.0
    for i in range(S):
        for j in range(S):
            weight = max(0.0, 1 - abs(position[i] - position[j]) / bandwidth)
            variance += weight * (values[i] - mean) * (values[j] - mean)
    b = bandwidth / T
    widened = (1.96 + 2.9694 * b + 0.416 * b**2 - 0.5324 * b**3) / 1.96 * T / (T - overlap + 1)
    return mean, widened * math.sqrt(variance) / S


@pytest.mark.parametrize("overlap", [1, 5, 10])
def test_mean_and_error_are_those_of_the_obvious_way(overlap):
    random = np.random.default_rng(1)
    times = days(40, symbols=3)
    keep = random.random(120) < 0.8  # unequal clusters
    values, times = random.standard_normal(120)[keep], times[keep]
    shuffled = random.permutation(len(values))
    expected = obvious_error(values, times, overlap)
    assert mean_with_error(values, times, overlap) == pytest.approx(expected, rel=1e-10)
    assert mean_with_error(values[shuffled], times[shuffled], overlap) == pytest.approx(expected, rel=1e-10)


def test_copies_of_a_symbol_make_nothing_more_certain():
    values = np.random.default_rng(2).standard_normal(100)
    alone = mean_with_error(values, days(100), 1)
    copied = mean_with_error(np.repeat(values, 50), days(100, symbols=50), 1)
    assert copied == pytest.approx(alone)


def test_independent_days_have_about_the_textbook_error():
    values = np.random.default_rng(3).standard_normal(4_000)
    assert mean_with_error(values, days(4_000), 1)[1] == pytest.approx(1 / math.sqrt(4_000), rel=0.15)


@pytest.mark.parametrize(
    ("count", "overlap", "enough"), [(9, 1, False), (10, 1, True), (29, 10, False), (30, 10, True)]
)
def test_too_few_days_have_no_error(count, overlap, enough):
    mean, error = mean_with_error(np.arange(float(count)), days(count), overlap)
    assert mean == (count - 1) / 2
    assert math.isnan(error) is not enough


@pytest.mark.parametrize("values", [np.empty(0), np.array([1.0, math.nan]), np.array([1.0, math.inf])])
def test_values_that_are_missing_make_both_nan(values):
    assert all(math.isnan(each) for each in mean_with_error(values, days(len(values)), 1))


def alarms(look_ahead, count, runs, seed):
    """How often a mean that is truly 0, of overlapping sums, seems above it: in percent."""
    random = np.random.default_rng(seed)
    found = 0
    for _ in range(runs):
        walk = np.cumsum(random.standard_t(5, count + look_ahead))
        mean, error = mean_with_error(walk[look_ahead:] - walk[:-look_ahead], days(count), look_ahead)
        found += mean > 1.96 * error
    return 100 * found / runs


@pytest.mark.parametrize(("look_ahead", "count"), [(1, 20), (1, 200), (5, 25), (5, 200), (20, 400)])
def test_false_alarms_are_rare_even_with_few_and_overlapping_days(look_ahead, count):
    assert alarms(look_ahead, count, runs=500, seed=4) < 5.5  # 2.5 nominal; 4.6 is three errors above it


@pytest.mark.slow
@pytest.mark.parametrize("look_ahead", [1, 2, 5, 20])
@pytest.mark.parametrize("look_aheads", [3, 6, 12, 40])
def test_false_alarms_are_near_nominal(look_ahead, look_aheads):
    count = max(10, look_ahead * look_aheads)
    assert 0.5 < alarms(look_ahead, count, runs=4000, seed=5) < 5.0


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
