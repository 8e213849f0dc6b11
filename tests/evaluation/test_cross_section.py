"""Information coefficients against scipy, one timestamp after the other."""

import math
import time

import numpy as np
import pytest
from scipy import stats

from dlplugin.evaluation import evaluate
from dlplugin.evaluation.cross_section import CrossSection, cross_section, information_coefficients
from dlplugin.evaluation.uncertainty import mean_with_error
from tests.evaluation.conftest import days_from


def stocks(kind, days=60, symbols=7):
    random = np.random.default_rng(5)
    actual = random.standard_normal((days, symbols))
    predicted = 0.3 * actual + random.standard_normal((days, symbols))
    times = np.repeat(days_from("2001-01-01", days), symbols)
    names = np.tile([f"S{i}" for i in range(symbols)], days)
    keep = np.ones(days * symbols, dtype=bool)
    if kind == "ties":
        predicted, actual = np.round(predicted), np.round(actual, 1)
    elif kind == "constants":
        predicted[::3], actual[::4] = 0.1 + 0.2, -7.0
    elif kind == "two sizes":
        predicted[::2] *= 1e200
        actual[::3] *= 1e-200
    elif kind == "offset":
        predicted += 1e6 * np.arange(days)[:, None]
    elif kind == "few symbols":
        keep = random.random(days * symbols) < 0.45
    elif kind == "intraday":
        times = np.repeat(
            np.datetime64("2001-01-01", "ns") + np.arange(days) * np.timedelta64(6, "h"), symbols
        )
    order = random.permutation(days * symbols) if kind == "shuffled" else np.arange(days * symbols)
    order = order[keep[order]]
    return tuple(each[order] for each in (predicted.ravel(), actual.ravel(), times, names))


def slow(predicted, actual, times):
    """One after the other, by scipy; a timestamp is left out that has too few symbols or a constant side."""
    moments, ic, rank_ic = [], [], []
    for moment in sorted(set(times)):
        left, right = (side[times == moment] for side in (predicted, actual))
        if len(left) < 3 or len(set(left)) == 1 or len(set(right)) == 1:
            continue
        left, right = left / np.abs(left).max(), right / np.abs(right).max()
        moments.append(moment)
        ic.append(stats.pearsonr(left, right).statistic)
        rank_ic.append(stats.spearmanr(left, right).statistic)
    return np.array(moments), np.array(ic), np.array(rank_ic)


KINDS = ["plain", "ties", "constants", "two sizes", "offset", "few symbols", "intraday", "shuffled"]


@pytest.mark.parametrize("kind", KINDS)
def test_each_timestamps_coefficient_is_scipys(kind):
    predicted, actual, times, _ = stocks(kind)
    expected = slow(predicted, actual, times)
    found = information_coefficients(predicted, actual, times)
    np.testing.assert_array_equal(found[0], expected[0])
    np.testing.assert_allclose(found[1], expected[1], atol=1e-8)
    np.testing.assert_allclose(found[2], expected[2], atol=1e-12)
    assert (len(found[0]) < 60) == (kind in ("constants", "few symbols"))


@pytest.mark.parametrize("overlap", [1, 4])
@pytest.mark.parametrize("kind", KINDS)
def test_means_errors_and_ratios_are_those_of_the_timestamps(kind, overlap):
    predicted, actual, times, names = stocks(kind)
    found = cross_section(predicted, actual, times, names, overlap)
    moments, ic, rank_ic = slow(predicted, actual, times)
    assert found.times == len(moments)
    for values, figures in (
        (ic, (found.ic, found.ic_error, found.ic_ratio)),
        (rank_ic, (found.rank_ic, found.rank_ic_error, found.rank_ic_ratio)),
    ):
        ratio = values.mean() / values.std(ddof=1)
        assert figures == pytest.approx(
            (*mean_with_error(values, moments, overlap), ratio), rel=1e-5, nan_ok=True
        )
    assert math.isnan(found.ic_error) == (kind == "intraday" and overlap > 1 and 15 // overlap < 3)


def test_two_symbols_are_no_cross_section():
    predicted, actual, times, names = stocks("plain", symbols=2)
    assert cross_section(predicted, actual, times, names, 1) is None
    assert cross_section(np.empty(0), np.empty(0), np.empty(0, "M8[ns]"), np.empty(0, "U1"), 1) is None


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_failed_prediction_is_never_left_out_of_a_mean(bad):
    predicted, actual, times, names = stocks("constants")
    predicted[predicted == 0.1 + 0.2] = 5.0
    expected = slow(predicted, actual, times)
    predicted[np.flatnonzero(times == expected[0][10])[0]] = bad
    moments, ic, rank_ic = information_coefficients(predicted, actual, times)
    np.testing.assert_array_equal(moments, expected[0])
    assert np.flatnonzero(np.isnan(ic)).tolist() == np.flatnonzero(np.isnan(rank_ic)).tolist() == [10]
    np.testing.assert_allclose(np.delete(ic, 10), np.delete(expected[1], 10), atol=1e-9)
    found = cross_section(predicted, actual, times, names, 1)
    assert found.times == len(moments)
    assert all(math.isnan(figure) for name, figure in vars(found).items() if name != "times")


def test_where_no_timestamp_has_three_symbols_all_is_nan():
    times = days_from("2001-01-01", 30)
    values = np.random.default_rng(0).standard_normal((2, 30))
    found = cross_section(*values, times, np.tile(["A", "B", "C"], 10), 1)
    assert found.times == 0
    assert all(math.isnan(figure) for name, figure in vars(found).items() if name != "times")


def test_one_timestamp_and_equal_coefficients_have_no_ratio():
    one = [side[:7] for side in stocks("plain")]
    found = cross_section(*one, 1)
    assert found.times == 1
    assert np.isfinite([found.ic, found.rank_ic]).all()
    assert all(math.isnan(each) for each in (found.ic_error, found.ic_ratio, found.rank_ic_ratio))
    _, actual, times, names = stocks("plain")
    perfect = cross_section(3 * actual + 1, actual, times, names, 1)
    assert (perfect.ic, perfect.rank_ic) == pytest.approx((1.0, 1.0))
    assert math.isnan(perfect.ic_ratio)
    assert math.isnan(perfect.rank_ic_ratio)


def test_a_hundred_thousand_timestamps_take_no_loop():
    random = np.random.default_rng(6)
    times = np.repeat(np.datetime64("2001-01-01", "ns") + np.arange(100_000) * np.timedelta64(1, "h"), 3)
    values = random.standard_normal((2, 300_000))
    start = time.perf_counter()
    found = information_coefficients(*values, times)
    assert time.perf_counter() - start < 3  # 0.15 s; scipy in a loop takes a minute
    assert len(found[0]) == 100_000
    some = times <= times[60]
    np.testing.assert_allclose(found[2][:21], slow(*values[:, some], times[some])[2], atol=1e-12)


def test_an_evaluation_has_it_for_each_span_of_three_symbols_or_more(panel):
    made = panel(seed=1, r_squared=0.1, model="truth")
    inside, outside = evaluate(made.outputs, made.scale, made.in_sample, made.out_of_sample).scores()
    for scores, span in ((inside, made.in_sample), (outside, made.out_of_sample)):
        assert isinstance(scores.cross_section, CrossSection)
        expected = cross_section(span.predicted[:, 0], span.actual[:, 0], span.times, span.symbols, 1)
        assert scores.cross_section == expected
        assert expected.ic > 1.96 * expected.ic_error > 0
        assert set(scores.errors) == set(scores.by_rule)
    alone = panel(seed=1, symbols=1)
    found = evaluate(alone.outputs, alone.scale, alone.in_sample, alone.out_of_sample)
    assert all(scores.cross_section is None for scores in found.scores())
