import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from dlplugin.evaluation import OutputSamples
from dlplugin.evaluation.calibration import Calibration, calibrate
from dlplugin.evaluation.uncertainty import mean_with_error


def samples(predicted, actual, symbols=1, overlap=1):
    predicted, actual = (np.asarray(each, dtype=np.float64) for each in (predicted, actual))
    S = len(predicted)
    times = np.datetime64("2001-01-01", "ns") + np.arange(S) // symbols * np.timedelta64(1, "D")
    return OutputSamples(
        "in-sample", times, np.full(S, "A"), predicted, actual, {}, np.full(S, np.nan), overlap
    )


def nan_of(found):
    return [math.isnan(each) for each in vars(found).values()]


@pytest.mark.parametrize("size", [1e-200, 1e-3, 1.0, 1e5, 1e200])
@pytest.mark.parametrize("shift", [0.0, 3.0, -1e4])
def test_slope_and_intercept_are_those_of_least_squares(size, shift):
    random = np.random.default_rng(1)
    x = random.standard_t(3, 300) + shift
    y = 0.3 * x + random.standard_normal(300) + 2
    found, expected = calibrate(samples(size * x, y)), stats.linregress(x, y)
    assert found.slope * size == pytest.approx(expected.slope, rel=1e-7)
    assert found.intercept == pytest.approx(expected.intercept, rel=1e-7, abs=1e-7)


@pytest.mark.parametrize("overlap", [1, 5])
def test_the_errors_are_those_of_the_samples_influence_found_by_leaving_each_out(overlap):
    random = np.random.default_rng(2)
    x = random.standard_normal(400) + 1
    y = 0.5 * x + random.standard_normal(400) * (1 + np.abs(x))
    span = samples(x, y, symbols=4, overlap=overlap)
    found, whole = calibrate(span), stats.linregress(x, y)
    left = [stats.linregress(np.delete(x, i), np.delete(y, i)) for i in range(400)]
    for name in ("slope", "intercept"):
        influence = np.array([399 * (getattr(whole, name) - getattr(each, name)) for each in left])
        error = mean_with_error(influence, span.times, overlap, fitted=2)[1]
        assert getattr(found, f"{name}_error") == pytest.approx(error, rel=0.02)


def test_without_clusters_the_errors_are_white_standard_errors_on_average():
    """Of White (1980), for residuals whose variance depends on the prediction."""
    ratios = []
    for seed in range(30):
        random = np.random.default_rng(seed)
        x = random.standard_normal(1_000)
        y = 0.2 * x + random.standard_normal(1_000) * np.exp(x / 2)
        design = np.column_stack([np.ones_like(x), x])
        bread = np.linalg.inv(design.T @ design)
        residuals = y - design @ (bread @ (design.T @ y))
        white = np.sqrt(np.diag(bread @ ((design * residuals[:, None] ** 2).T @ design) @ bread))
        found = calibrate(samples(x, y))
        ratios.append([found.intercept_error, found.slope_error] / white)
    assert np.mean(ratios, axis=0) == pytest.approx([1.03, 1.03], abs=0.07)


def test_monotonicity_is_the_rank_correlation_of_tenths():
    predicted = np.arange(100.0)
    averages = np.array([3.0, 1, 2, 5, 4, 7, 6, 9, 10, 8])
    found = calibrate(samples(predicted, np.repeat(averages, 10)))
    assert found.monotonicity == pytest.approx(stats.spearmanr(np.arange(10), averages).statistic)
    assert calibrate(samples(predicted, -predicted)).monotonicity == pytest.approx(-1.0)
    tied = np.repeat([0.0, 1.0, 2.0], [70, 20, 10])
    assert calibrate(samples(tied, tied)).monotonicity == pytest.approx(1.0)
    assert math.isnan(calibrate(samples(tied > 0, tied)).monotonicity)


@pytest.mark.parametrize("value", [0.0, 0.1, -1e300, 5e-324])
def test_constant_predictions_have_no_calibration(value):
    assert all(nan_of(calibrate(samples(np.full(50, value), np.arange(50.0)))))


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_one_failed_prediction_makes_it_nan(bad):
    assert all(nan_of(calibrate(samples(np.r_[np.arange(50.0), bad], np.arange(51.0)))))


def test_few_days_have_a_slope_without_an_error():
    found = calibrate(samples(np.arange(9.0), 2 * np.arange(9.0) + 1))
    assert (found.slope, found.intercept) == pytest.approx((2.0, 1.0))
    assert nan_of(found) == [False, True, False, True, False]
    assert found.meaning == "too few days to tell"


@given(
    st.lists(st.tuples(st.floats(), st.floats(-1e6, 1e6)), min_size=1, max_size=30),
)
def test_no_prediction_is_too_awkward(pairs):
    found = calibrate(samples(*np.array(pairs).T))
    assert not any(math.isinf(each) for each in vars(found).values())


@pytest.mark.parametrize(
    ("slope", "error", "said"),
    [
        (1.1, 0.1, "not told from 1"),
        (0.6, 0.4, "not told from 0 or 1"),
        (0.1, 0.2, "not told from 0"),
        (-0.9, 0.2, "below 0: the wrong way"),
        (0.5, 0.1, "below 1: too far out"),
        (2.0, 0.1, "above 1: too timid"),
        (math.nan, math.nan, "predictions are one value, or failed"),
    ],
)
def test_what_a_slope_means_is_said_as_far_as_its_error_lets_it(slope, error, said):
    assert Calibration(slope, error, 0.0, 0.1, 0.5).meaning == said
