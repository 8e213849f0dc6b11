"""Influence values against the derivative of a weighted figure, and errors against deleting days."""

import math

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics as sklearn_metrics
from statsmodels.stats.weightstats import DescrStatsW

from dlplugin.evaluation.influences import (
    correlation_influence,
    matthews_influence,
    r_squared_influence,
    rank_correlation_influence,
    standardised,
)
from dlplugin.evaluation.metrics import score, score_errors
from dlplugin.evaluation.uncertainty import mean_with_error
from tests.evaluation.conftest import days_from

STEP = 1e-5


def sides(kind, samples=60):
    random = np.random.default_rng(1)
    actual = random.standard_normal(samples)
    predicted = 0.5 * actual + random.standard_normal(samples)
    return {
        "plain": (predicted, actual),
        "ties": (np.round(predicted), np.round(actual)),
        "two values": (np.sign(predicted), np.sign(actual)),
        "against": (-actual + 0.1 * predicted, actual),
        "large": (predicted * 1e140, actual * 1e140),
        "offset": (predicted + 1e3, actual - 1e3),
        "outlier": (np.r_[50.0, predicted[1:]], np.r_[-80.0, actual[1:]]),
        "three samples": (predicted[:3], actual[:3]),
    }[kind]


KINDS = ["plain", "ties", "two values", "against", "large", "offset", "outlier", "three samples"]


def derivative(figure, samples):
    """(S,) of figure((1 - ε) weights + ε of one sample) by ε, from both sides."""
    equal = np.full(samples, 1 / samples)
    found = []
    for sample in range(samples):
        own = (np.arange(samples) == sample).astype(float)
        ends = [figure((1 - step) * equal + step * own) for step in (STEP, -STEP)]
        found.append((ends[0] - ends[1]) / (2 * STEP))
    return np.array(found)


def weighted_correlation(left, right, weights):
    size = [np.abs(side).max() for side in (left, right)]
    return DescrStatsW(np.c_[left / size[0], right / size[1]], weights=weights).corrcoef[0, 1]


def weighted_places(values, weights):
    """The slow way: the weight of all below, and half of that of all equal."""
    below = values[None, :] < values[:, None]
    equal = values[None, :] == values[:, None]
    return (below + equal / 2) @ weights


def weighted_rank_correlation(left, right, weights):
    return weighted_correlation(weighted_places(left, weights), weighted_places(right, weights), weights)


@pytest.mark.parametrize("kind", KINDS)
def test_those_of_both_correlations_are_the_derivatives(kind):
    predicted, actual = sides(kind)
    S = len(actual)
    equal = np.full(S, 1 / S)
    assert weighted_rank_correlation(predicted, actual, equal) == pytest.approx(
        stats.spearmanr(predicted, actual).statistic
    )
    expected = derivative(lambda weights: weighted_correlation(predicted, actual, weights), S)
    size = max(1.0, np.abs(expected).max())
    found = correlation_influence(predicted, actual)
    np.testing.assert_allclose(found / size, expected / size, atol=1e-6)
    assert found.mean() == pytest.approx(0, abs=1e-9)
    expected = derivative(lambda weights: weighted_rank_correlation(predicted, actual, weights), S)
    found = rank_correlation_influence(predicted, actual)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert found.mean() == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_that_of_r_squared_is_the_derivative(kind):
    predicted, actual = sides(kind)
    squares, reference = (predicted - actual) ** 2, (0.1 - actual) ** 2
    expected = derivative(lambda w: 1 - (w @ squares) / (w @ reference), len(actual))
    size = max(1.0, np.abs(expected).max())
    np.testing.assert_allclose(r_squared_influence(squares, reference) / size, expected / size, atol=1e-6)


@pytest.mark.parametrize("classes", [2, 4])
def test_that_of_the_matthews_correlation_is_the_derivative(classes):
    random = np.random.default_rng(classes)
    actual = random.integers(0, classes, 40)
    predicted = np.where(random.random(40) < 0.4, actual, random.integers(0, max(2, classes - 1), 40))
    counts = sklearn_metrics.confusion_matrix(actual, predicted, labels=range(classes))
    expected = derivative(
        lambda weights: sklearn_metrics.matthews_corrcoef(actual, predicted, sample_weight=weights), 40
    )
    np.testing.assert_allclose(matthews_influence(counts)[actual, predicted], expected, atol=1e-6)


def test_standardised_values_are_those_of_scipy():
    values = np.random.default_rng(2).standard_normal(30) + 3
    for size in (1.0, 1e-200, 1e200):
        np.testing.assert_allclose(standardised(values * size), stats.zscore(values), atol=1e-12)


@pytest.mark.parametrize("overlap", [1, 4])
@pytest.mark.parametrize("kind", KINDS[:-1])
def test_each_error_is_that_of_the_mean_of_the_derivatives(kind, overlap):
    predicted, actual = sides(kind)
    times = np.repeat(days_from("2001-01-01", 20), 3)
    scale, mean = 2.0, 0.1
    figures = score(predicted, actual, scale, mean)
    found = score_errors(predicted, actual, scale, mean, times, overlap)
    squares, reference = ((predicted - actual) / scale) ** 2, ((mean - actual) / scale) ** 2
    hits = np.sign(predicted) == np.sign(actual)
    weighted = {
        "loss": lambda w: w @ squares,
        "r_squared": lambda w: 1 - (w @ squares) / (w @ reference),
        "correlation": lambda w: weighted_correlation(predicted, actual, w),
        "rank_correlation": lambda w: weighted_rank_correlation(predicted, actual, w),
        "hit_rate": lambda w: w @ hits,
    }
    for name, figure in weighted.items():
        fitted = 2 if "correlation" in name else 0
        expected = mean_with_error(derivative(figure, len(actual)), times, overlap, fitted)[1]
        if math.isnan(getattr(figures, name)):
            assert kind == "offset"
            expected = math.nan
        assert getattr(found, name) == pytest.approx(expected, rel=1e-4, nan_ok=True), name
    known = score_errors(predicted, actual, scale, mean, times, overlap, scores=figures)
    assert vars(known) == pytest.approx(vars(found), nan_ok=True)


def test_each_error_is_that_of_deleting_one_day_after_the_other():
    random = np.random.default_rng(3)
    T, symbols = 400, 3
    common = random.standard_normal((T, 1))
    actual = (common + random.standard_normal((T, symbols))).ravel()
    predicted = (0.3 * common + random.standard_t(5, (T, symbols))).ravel()
    times = np.repeat(days_from("2001-01-01", T), symbols)
    found = score_errors(predicted, actual, 1.0, 0.1, times, 1)

    def figures(kept):
        p, a = predicted[kept], actual[kept]
        return [
            np.mean((p - a) ** 2),
            1 - np.mean((p - a) ** 2) / np.mean((0.1 - a) ** 2),
            np.corrcoef(p, a)[0, 1],
            stats.spearmanr(p, a).statistic,
            np.mean(np.sign(p) == np.sign(a)),
        ]

    every = np.ones(T * symbols, dtype=bool)
    without = np.array([figures(np.repeat(np.arange(T) != day, symbols)) for day in range(T)])
    pseudo = T * np.array(figures(every)) - (T - 1) * without
    for (name, error), values in zip(vars(found).items(), pseudo.T, strict=True):
        expected = mean_with_error(values, days_from("2001-01-01", T), 1)[1]
        assert error == pytest.approx(expected, rel=0.02), name


@pytest.mark.slow
@pytest.mark.parametrize("look_ahead", [1, 5])
def test_a_correlation_of_nothing_is_rarely_beyond_its_error(look_ahead):
    random = np.random.default_rng(4)
    beyond = dict.fromkeys(("correlation", "rank_correlation"), 0)
    times = days_from("2001-01-01", 300)
    for _ in range(1000):
        walks = np.cumsum(random.standard_t(5, (2, 300 + look_ahead)), axis=1)
        predicted, actual = walks[:, look_ahead:] - walks[:, :-look_ahead]
        figures = score(predicted, actual, 1.0, 0.0)
        errors = score_errors(predicted, actual, 1.0, 0.0, times, look_ahead, scores=figures)
        for name in beyond:
            beyond[name] += abs(getattr(figures, name)) > 1.96 * getattr(errors, name)
    assert all(20 < count < 100 for count in beyond.values()), beyond  # 50 nominal


def test_where_a_figure_is_nan_so_is_its_error():
    times = days_from("2001-01-01", 60)
    predicted, actual = sides("plain")
    constant = score_errors(np.full(60, 0.3), actual, 1.0, 0.1, times, 1)
    assert math.isnan(constant.correlation)
    assert math.isnan(constant.rank_correlation)
    assert constant.loss > 0
    assert constant.hit_rate > 0
    failed = score_errors(np.r_[math.nan, predicted[1:]], actual, 1.0, 0.1, times, 1)
    assert all(math.isnan(error) for error in vars(failed).values())
    overflowing = score_errors(predicted * 1e200, actual * 1e200, 1.0, 0.1, times, 1)
    assert math.isnan(overflowing.loss)
    assert overflowing.correlation == pytest.approx(
        score_errors(predicted, actual, 1.0, 0.1, times, 1).correlation
    )


@pytest.mark.parametrize("samples", [0, 1, 2, 9])
def test_too_few_days_have_no_errors(samples):
    predicted, actual = (side[:samples] for side in sides("plain"))
    found = score_errors(predicted, actual, 1.0, 0.1, days_from("2001-01-01", samples), 1)
    assert all(math.isnan(error) for error in vars(found).values())
    one_day = np.datetime64("2001-01-01T09", "ns") + np.arange(60) * np.timedelta64(1, "m")
    found = score_errors(*sides("plain"), 1.0, 0.1, one_day, 1)
    assert all(math.isnan(error) for error in vars(found).values())


def test_predictions_that_are_all_right_leave_nothing_to_err_but_the_hit_rate():
    actual = sides("plain")[1]
    found = score_errors(actual, actual, 1.0, 0.1, days_from("2001-01-01", 60), 1)
    assert (found.loss, found.r_squared) == (0.0, 0.0)
    assert (found.correlation, found.rank_correlation) == pytest.approx((0.0, 0.0), abs=1e-9)
    assert math.isnan(found.hit_rate)
