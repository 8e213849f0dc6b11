"""Standard errors against statsmodels, against the obvious way, and against what truly happens by chance."""

import math

import numpy as np
import pytest
from statsmodels.regression.linear_model import OLS

from dlplugin.evaluation.uncertainty import CONFIDENT, mean_with_error, share_with_error


def days(count, symbols=1, bars=1):
    """Each symbol has `bars` bars a day."""
    moments = np.datetime64("2001-01-01", "ns") + np.arange(count * bars) * np.timedelta64(24 // bars, "h")
    return np.repeat(moments, symbols)


def bandwidth_of(count, overlap):
    return min(count, max(3 * overlap, math.ceil(1.3 * math.sqrt(count))))


def widening(count, overlap, alike=None):
    """Of days that tell as much as `alike` ones of one number of samples."""
    b = min(1, bandwidth_of(count, overlap) / (alike or count))
    count = alike or count
    return (1.96 + 2.9694 * b + 0.416 * b**2 - 0.5324 * b**3) / 1.96 * count / (count - overlap + 1)


def obvious_error(values, times, overlap):
    """Over all pairs of samples, one by one."""
    dates = [str(time)[:10] for time in times]
    unique = sorted(set(dates))
    T, S = len(unique), len(values)
    position = [unique.index(date) for date in dates]
    mean = sum(values) / S
    variance = 0.0
    for i in range(S):
        for j in range(S):
            weight = max(0.0, 1 - abs(position[i] - position[j]) / bandwidth_of(T, overlap))
            variance += weight * (values[i] - mean) * (values[j] - mean)
    alike = S**2 / sum(position.count(day) ** 2 for day in range(T))
    return mean, widening(T, overlap, alike) * math.sqrt(variance) / S


@pytest.mark.parametrize("bars", [1, 4])
@pytest.mark.parametrize("overlap", [1, 5, 10])
def test_mean_and_error_are_those_of_the_obvious_way(overlap, bars):
    random = np.random.default_rng(1)
    times = days(40, symbols=2, bars=bars)
    keep = random.random(len(times)) < 0.8  # unequal clusters
    times = times[keep]
    values = random.standard_normal(len(times))
    shuffled = random.permutation(len(values))
    expected = obvious_error(values, times, overlap)
    assert mean_with_error(values, times, overlap) == pytest.approx(expected, rel=1e-10)
    assert mean_with_error(values[shuffled], times[shuffled], overlap) == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("bars", [1, 6])
@pytest.mark.parametrize(("count", "overlap"), [(10, 1), (10, 3), (300, 1), (300, 20)])
def test_before_it_is_widened_the_error_is_that_of_statsmodels(count, overlap, bars):
    random = np.random.default_rng(count)
    times = days(count, symbols=3, bars=bars)
    values = random.standard_t(4, len(times)) + np.sin(np.arange(len(times)) / 50)
    options = {
        "time": times.astype("datetime64[D]").astype(int),
        "maxlags": bandwidth_of(count, overlap) - 1,
        "use_correction": False,
    }
    fitted = OLS(values, np.ones(len(values))).fit(cov_type="hac-groupsum", cov_kwds=options)
    mean, error = mean_with_error(values, times, overlap)
    assert mean == pytest.approx(fitted.params[0], rel=1e-12)
    assert error / widening(count, overlap) == pytest.approx(fitted.bse[0], rel=1e-9)


def test_bars_of_one_day_are_one_cluster_and_the_overlap_counts_days():
    random = np.random.default_rng(8)
    by_day = random.standard_normal(60)
    daily = mean_with_error(by_day, days(60), 2)
    hourly = mean_with_error(np.repeat(by_day, 24), days(60, bars=24), 2)
    assert hourly == pytest.approx(daily)
    assert mean_with_error(np.repeat(by_day, 24), days(60, bars=24), 4) != pytest.approx(daily)
    one_day = mean_with_error(random.standard_normal(24), days(1, bars=24), 1)
    assert math.isnan(one_day[1])


def test_copies_of_a_symbol_make_nothing_more_certain():
    values = np.random.default_rng(2).standard_normal(100)
    alone = mean_with_error(values, days(100), 1)
    copied = mean_with_error(np.repeat(values, 50), days(100, symbols=50), 1)
    assert copied == pytest.approx(alone)


def test_independent_days_have_about_the_textbook_error():
    values = np.random.default_rng(3).standard_normal(4_000)
    assert mean_with_error(values, days(4_000), 1)[1] == pytest.approx(1 / math.sqrt(4_000), rel=0.15)


@pytest.mark.parametrize("size", [1e-300, 1e-160, 1e160, 1e300])
def test_no_square_overflows_or_vanishes(size):
    values = np.random.default_rng(9).standard_normal(50)
    expected = mean_with_error(values, days(50), 1)
    found = mean_with_error(values * size, days(50), 1)
    assert np.array(found) / size == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(
    ("count", "overlap", "enough"), [(9, 1, False), (10, 1, True), (29, 10, False), (30, 10, True)]
)
def test_too_few_days_have_no_error(count, overlap, enough):
    mean, error = mean_with_error(np.arange(float(count)), days(count), overlap)
    assert mean == (count - 1) / 2
    assert math.isnan(error) is not enough


@pytest.mark.parametrize(
    "values", [np.empty(0), np.array([1.0, math.nan]), np.array([1.0, math.inf]), np.full(20, 1.7e308)]
)
def test_values_that_are_missing_or_overflow_make_both_nan(values):
    assert all(math.isnan(each) for each in mean_with_error(values, days(len(values)), 1))


def test_what_never_varies_has_no_error():
    assert mean_with_error(np.full(50, 0.5), days(50), 1) == (0.5, 0.0)


def alarms(look_ahead, count, runs, seed):
    """How often a mean that is truly 0, of overlapping sums, seems above it: in percent."""
    random = np.random.default_rng(seed)
    found = 0
    for _ in range(runs):
        walk = np.cumsum(random.standard_t(5, count + look_ahead))
        mean, error = mean_with_error(walk[look_ahead:] - walk[:-look_ahead], days(count), look_ahead)
        found += mean > CONFIDENT * error
    return 100 * found / runs


@pytest.mark.parametrize(("look_ahead", "count"), [(1, 20), (1, 200), (5, 25), (5, 200), (20, 400)])
def test_false_alarms_are_rare_even_with_few_and_overlapping_days(look_ahead, count):
    assert alarms(look_ahead, count, runs=500, seed=4) < 5.5  # 2.5 nominal; 4.6 is three errors above it


def test_days_with_most_of_the_samples_are_those_that_count():
    """A list of symbols that came late: 190 days of one symbol, 10 of fifty; 2.5 % of alarms are nominal."""
    random = np.random.default_rng(11)
    counts = np.where(np.arange(200) < 190, 1, 50)
    times, position = np.repeat(days(200), counts), np.repeat(np.arange(200), counts)
    found = 0
    for _ in range(300):
        walk = np.cumsum(random.standard_normal(205))
        mean, error = mean_with_error((walk[5:] - walk[:-5])[position], times, 5)
        found += mean > CONFIDENT * error
    assert found <= 15
    one = np.where(np.arange(200) == 100, 100, 1)
    assert math.isnan(mean_with_error(random.standard_normal(299), np.repeat(days(200), one), 1)[1])


@pytest.mark.parametrize("overlap", [1, 5])
def test_shares_of_few_samples_hold_the_truth_nineteen_times_of_twenty(overlap):
    random = np.random.default_rng(12)
    missed = 0
    for _ in range(400):
        walk = np.cumsum(random.standard_normal(200 + overlap))
        kind = np.cumsum(random.standard_normal(208))
        kind = kind[8:] - kind[:-8]  # what is chosen comes in stretches of days
        chosen = (kind > np.quantile(kind, 0.9)).astype(float)
        share, error = share_with_error(
            chosen * (walk[overlap:] > walk[:-overlap]), chosen, days(200), overlap
        )
        missed += abs(share - 0.5) > CONFIDENT * error
    assert missed <= 32  # of 20 nominal; with the days of the others counted 46 and 68


@pytest.mark.parametrize(("count", "overlap"), [(15, 5), (60, 20)])
def test_a_fitted_line_costs_look_aheads(count, overlap):
    plain, wider = (
        mean_with_error(np.sin(np.arange(count)), days(count), overlap, fitted)[1] for fitted in (0, 2)
    )
    assert wider == pytest.approx(plain * math.sqrt(3))  # of three look aheads one is left


@pytest.mark.slow
@pytest.mark.parametrize("look_ahead", [1, 2, 5, 20])
@pytest.mark.parametrize("look_aheads", [3, 6, 12, 40])
def test_false_alarms_are_near_nominal(look_ahead, look_aheads):
    count = max(10, look_ahead * look_aheads)
    assert 0.5 < alarms(look_ahead, count, runs=4000, seed=5) < 5.0


def test_a_share_of_all_is_a_mean():
    hits = (np.random.default_rng(1).random(60) < 0.3).astype(float)
    found = share_with_error(hits, np.ones(60), days(60), 2)
    assert found == pytest.approx(mean_with_error(hits, days(60), 2), rel=1e-12)


def test_a_share_of_some_has_the_error_that_deleting_a_day_shows():
    random = np.random.default_rng(2)
    times = days(400, symbols=5)
    whole = (random.random(2000) < np.repeat(random.random(400), 5)).astype(float)
    part = whole * (random.random(2000) < np.repeat(random.random(400), 5))
    share, error = share_with_error(part, whole, times, 1)
    assert share == part.sum() / whole.sum()
    without = [
        (part.sum() - part[5 * day : 5 * day + 5].sum()) / (whole.sum() - whole[5 * day : 5 * day + 5].sum())
        for day in range(400)
    ]
    pseudo = 400 * share - 399 * np.array(without)
    expected = mean_with_error(pseudo, days(400), 1)[1]
    assert 1 <= error / expected < 1.03  # what is chosen lies on fewer days, and not equally many a day


def test_a_share_without_a_choice_is_nan_and_one_that_does_not_vary_has_no_error():
    none, every = np.zeros(60), np.ones(60)
    assert all(math.isnan(each) for each in share_with_error(none, none, days(60), 1))
    assert all(math.isnan(each) for each in share_with_error(np.empty(0), np.empty(0), days(0), 1))
    for part, share in ((none, 0.0), (every, 1.0)):
        found = share_with_error(part, every, days(60), 1)
        assert found[0] == share
        assert math.isnan(found[1])


@pytest.mark.parametrize(("chosen", "enough"), [(9, False), (10, True)])
def test_a_share_of_what_lies_on_few_days_has_no_error(chosen, enough):
    whole = (np.arange(60) < chosen).astype(float)
    part = whole * (np.arange(60) % 2)
    assert math.isnan(share_with_error(part, whole, days(60), 1)[1]) is not enough
    assert math.isnan(share_with_error(part, whole, days(60), 4)[1])  # of 10 days, two look aheads
