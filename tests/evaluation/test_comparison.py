import math

import numpy as np
import pytest

from dlplugin.evaluation.comparison import Comparison, compare, compare_hits, comparisons_of
from dlplugin.evaluation.metrics import hit_rate
from dlplugin.evaluation.rules import RULES
from dlplugin.evaluation.uncertainty import mean_with_error
from dlplugin.evaluation.values import OutputSamples


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


def test_hits_are_compared_sample_by_sample():
    random = np.random.default_rng(8)
    actual, by_rule, by_model = np.round(random.standard_normal((3, 60)), 1)
    actual[:3], by_rule[1:4], by_model[2:5] = 0.0, 0.0, 0.0
    found = compare_hits("last value", by_rule, by_model, actual, times=days(60), overlap=3)

    def sign(value):
        return 1 if value > 0 else -1 if value < 0 else 0

    hits = [
        float(sign(m) == sign(a)) - float(sign(r) == sign(a))
        for m, r, a in zip(by_model, by_rule, actual, strict=True)
    ]
    mean, error = mean_with_error(np.array(hits), days(60), 3)
    assert (found.rule, found.figure) == ("last value", "hit rate")
    assert (found.difference, found.standard_error) == (mean, error)
    assert mean == pytest.approx(hit_rate(by_model, actual) - hit_rate(by_rule, actual))
    failed = compare_hits("zero", by_rule, np.r_[math.nan, by_model[1:]], actual, times=days(60), overlap=1)
    assert failed.outcome == "unknown"


@pytest.mark.parametrize(
    ("difference", "error", "outcome"),
    [
        (1.97, 1.0, "beaten"),
        (1.96, 1.0, "inside the error"),
        (-1.96, 1.0, "inside the error"),
        (-1.97, 1.0, "worse"),
        (0.0, 0.0, "inside the error"),
        (1.0, math.nan, "unknown"),
        (math.nan, 1.0, "unknown"),
    ],
)
def test_a_difference_inside_its_error_is_called_so(difference, error, outcome):
    found = Comparison.of("ridge", difference, error)
    assert found.outcome == outcome
    assert found.beaten == (outcome == "beaten")


def judged(predicted, actual, **by_rule):
    named = {rule.replace("_", " "): values for rule, values in by_rule.items()}
    side = np.sign(np.random.default_rng(9).standard_normal(len(actual)))
    return OutputSamples(
        span="out-of-sample",
        times=days(len(actual)),
        symbols=np.full(len(actual), "A"),
        predicted=predicted,
        actual=actual,
        by_rule={"in-sample mean": np.full(len(actual), 0.1), "zero": np.zeros(len(actual)), **named},
        volatility=np.full(len(actual), math.nan),
        overlap=1,
        sides={"last return's sign": side, "last return reversed": -side},
    )


def test_there_is_one_of_each_loss_the_constants_first_and_one_of_each_side():
    predicted, actual, other = np.random.default_rng(10).standard_normal((3, 40))
    span = judged(predicted, actual, ridge=other, last_value=other)
    found = comparisons_of(span, np.full(40, predicted.mean()), 2.0)
    losses = ["in-sample mean", "zero", "model's average", "last value", "ridge"]
    sides = ["in-sample mean", "last value", "last return's sign", "last return reversed", "ridge"]
    assert [(each.rule, each.figure) for each in found] == (
        [(rule, "loss") for rule in losses] + [(rule, "hit rate") for rule in sides]
    )
    assert [rule for rule in RULES if rule in sides] == sides
    own = found[2]
    assert own.difference == pytest.approx(
        (np.mean((actual - predicted.mean()) ** 2) - np.mean((actual - predicted) ** 2)) / 4
    )
    assert found[7].difference == pytest.approx(
        hit_rate(predicted, actual) - hit_rate(span.sides["last return's sign"], actual)
    )


def test_where_no_side_is_taken_or_there_is_none_to_take_hits_are_not_compared():
    actual = np.random.default_rng(11).standard_normal(40)
    silent = comparisons_of(judged(np.zeros(40), actual), np.zeros(40), 1.0)
    assert {each.figure for each in silent} == {"loss"}
    volatile = comparisons_of(judged(np.ones(40), np.abs(actual)), np.ones(40), 1.0)
    assert {each.figure for each in volatile} == {"loss"}
    failed = comparisons_of(judged(np.full(40, math.nan), actual), np.full(40, math.nan), 1.0)
    assert {each.outcome for each in failed} == {"unknown"}
    assert {each.figure for each in failed} == {"loss", "hit rate"}
