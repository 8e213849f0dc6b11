import math

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import mean_squared_error, r2_score

from dlplugin.evaluation.metrics import (
    Scores,
    correlation,
    hit_rate,
    loss,
    r_squared,
    rank_correlation,
    score,
)


@pytest.fixture(params=["plain", "ties", "large", "tiny", "offset", "two samples"])
def values(request):
    random = np.random.default_rng(1)
    actual = random.standard_normal(500)
    predicted = 0.3 * actual + random.standard_normal(500)
    return {
        "plain": (predicted, actual),
        "ties": (np.round(predicted), np.round(actual, 1)),
        "large": (predicted * 1e150, actual * 1e150),
        "tiny": (predicted * 1e-200, actual * 1e-200),
        "offset": (predicted + 1e6, actual - 1e6),
        "two samples": (predicted[:2], actual[:2]),
    }[request.param]


def test_correlations_are_those_of_scipy(values):
    predicted, actual = values
    size = max(np.abs(predicted).max(), np.abs(actual).max())
    expected = stats.pearsonr(predicted / size, actual / size).statistic
    assert correlation(predicted, actual) == pytest.approx(expected, abs=1e-9)
    expected = stats.spearmanr(predicted, actual).statistic
    assert rank_correlation(predicted, actual) == pytest.approx(expected, abs=1e-12)


def test_loss_and_r_squared_are_those_of_scikit_learn():
    random = np.random.default_rng(2)
    actual = random.standard_normal(300) + 1
    predicted = 0.3 * actual + random.standard_normal(300)
    assert loss(predicted, actual, scale=3.0) == pytest.approx(mean_squared_error(actual, predicted) / 9)
    assert r_squared(predicted, actual, actual.mean()) == pytest.approx(r2_score(actual, predicted))


def test_r_squared_out_of_sample_is_against_the_in_sample_mean_and_not_the_spans_own():
    actual = np.array([9.0, 11.0])
    assert r_squared(np.array([10.0, 10.0]), actual, in_sample_mean=0.0) == pytest.approx(1 - 1 / 101)
    assert r_squared(np.array([0.0, 0.0]), actual, in_sample_mean=0.0) == 0.0


def test_r_squared_is_nan_when_the_in_sample_mean_is_already_perfect():
    assert math.isnan(r_squared(np.array([1.0, 2.0]), np.array([3.0, 3.0]), in_sample_mean=3.0))


def test_a_zero_prediction_hits_only_a_zero():
    predicted = np.array([1.0, -1.0, 0.0, 0.0, 1.0, -1.0])
    actual = np.array([2.0, -2.0, 0.0, 1.0, 0.0, 1.0])
    assert hit_rate(predicted, actual) == 0.5
    assert math.isnan(hit_rate(np.zeros(4), np.array([1.0, -1.0, 0.0, 2.0])))


def test_where_all_that_came_has_one_sign_there_is_nothing_to_hit():
    assert math.isnan(hit_rate(np.array([1.0, -1.0]), np.array([2.0, 3.0])))


@pytest.mark.parametrize("constant", [0.0, 1.0, -1e-7, 0.1 + 0.2])
def test_a_constant_series_has_no_correlation(constant):
    series = np.array([1.0, 2.0, 3.0])
    for sides in ((np.full(3, constant), series), (series, np.full(3, constant))):
        assert math.isnan(correlation(*sides))
        assert math.isnan(rank_correlation(*sides))


def test_what_varies_by_rounding_only_has_no_correlation():
    rounding = 0.3 + np.array([0.0, 1.0, 2.0]) * np.spacing(0.3)
    assert math.isnan(correlation(rounding, np.array([1.0, 2.0, 3.0])))
    assert math.isnan(rank_correlation(rounding, np.array([1.0, 2.0, 3.0])))


def test_without_samples_all_is_nan():
    empty = np.empty(0)
    for figure in vars(score(empty, empty, 1.0, 0.0)).values():
        assert math.isnan(figure)


def test_one_sample_has_a_loss_but_no_hit_rate_and_no_correlation():
    scores = score(np.array([1.0]), np.array([3.0]), 2.0, 0.0)
    assert scores.loss == 1.0
    assert math.isnan(scores.hit_rate)
    assert scores.r_squared == pytest.approx(1 - 4 / 9)
    assert math.isnan(scores.correlation)
    assert math.isnan(scores.rank_correlation)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_value_that_is_not_finite_is_never_dropped(bad):
    predicted, actual = np.array([1.0, bad, 2.0]), np.array([1.0, 2.0, 4.0])
    for sides in ((predicted, actual), (actual, predicted)):
        for figure in vars(score(*sides, 1.0, 0.0)).values():
            assert math.isnan(figure)


def test_an_overflowing_loss_is_nan_without_a_warning():
    assert math.isnan(loss(np.array([1e200, 0.0]), np.array([0.0, 1.0])))


def test_all_figures_come_in_one_object():
    scores = score(np.array([-1.0, 2.0, 3.0]), np.array([-1.0, 2.0, 3.0]), 1.0, 0.0)
    assert isinstance(scores, Scores)
    assert vars(scores) == pytest.approx(vars(Scores(0.0, 1.0, 1.0, 1.0, 1.0)))
