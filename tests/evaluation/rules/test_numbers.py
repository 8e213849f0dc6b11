"""Trivial rules for numbers, against scikit-learn's and against one sample at a time."""

import math
from dataclasses import replace

import numpy as np
import pytest
from sklearn.dummy import DummyRegressor
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import Ridge
from threadpoolctl import threadpool_limits

from dlplugin.evaluation.rules import RULES, boosting, fit_ridge, rule_predictions
from dlplugin.evaluation.rules.names import in_order


@pytest.fixture
def made(panel):
    return panel(1, look_ahead=5, days=(200, 60), symbols=4)


def predicted(made, boosting=False, **changes):
    spans = [replace(span, **changes) for span in (made.in_sample, made.out_of_sample)]
    return rule_predictions(spans[0], spans, 5, made.scale, boosting)


def test_rules_are_fitted_on_in_sample_rows_only(made):
    alone = rule_predictions(made.in_sample, [made.in_sample], 5, made.scale, boosting=True)[0]
    both = predicted(made, boosting=True)
    reverses = {"last return reversed", "below 10-day mean"}
    assert set(both[1]) == set(alone) == set(RULES) - reverses
    for rule in both[1]:
        np.testing.assert_array_equal(alone[rule], both[0][rule])
        assert both[1][rule].shape == made.out_of_sample.actual.shape


def test_mean_and_ridge_are_scikit_learns(made):
    inside, outside = made.in_sample, made.out_of_sample
    found = predicted(made)[1]
    mean = DummyRegressor().fit(inside.inputs, inside.actual)
    np.testing.assert_allclose(found["in-sample mean"][:, 0], mean.predict(outside.inputs), rtol=1e-12)
    assert (found["zero"] == 0).all()
    alpha = fit_ridge(inside.inputs, inside.actual / made.scale, inside.times, 5).alpha[0]
    ridge = Ridge(alpha=alpha, solver="cholesky").fit(inside.inputs.astype(float), inside.actual[:, 0])
    np.testing.assert_allclose(found["ridge"][:, 0], ridge.predict(outside.inputs.astype(float)), rtol=1e-8)


def test_gradient_boosting_is_scikit_learns_and_only_there_where_it_is_asked_for(made, monkeypatch):
    inside, outside = made.in_sample, made.out_of_sample
    found = predicted(made, boosting=True)[1]["gradient boosting"]
    with threadpool_limits(1):
        fitted = HistGradientBoostingRegressor(**boosting.SETTINGS)
        fitted.fit(inside.inputs, (inside.actual / made.scale)[:, 0])
        expected = fitted.predict(outside.inputs) * made.scale
    np.testing.assert_array_equal(found[:, 0], expected)
    assert np.std(found) > 0
    assert "gradient boosting" not in predicted(made)[1]
    monkeypatch.setattr(boosting, "find_spec", lambda name: None)
    assert "gradient boosting" not in predicted(made, boosting=True)[1]


def test_of_very_many_samples_boosting_sees_some_evenly_over_time(made, monkeypatch):
    monkeypatch.setattr(boosting, "MOST_ROWS", 100)
    rows = boosting._spaced(780)
    assert (len(rows), rows[0], rows[-1]) == (100, 0, 779)
    assert set(np.diff(rows)) == {7, 8}
    monkeypatch.setattr(boosting, "MOST_ROWS", 1000)
    np.testing.assert_array_equal(boosting._spaced(780), np.arange(780))


def test_last_value_is_the_outputs_own_and_the_mean_where_that_is_unknown(made):
    found, mean = predicted(made)[0]["last value"][:, 0], made.in_sample.actual.mean()
    expected = [mean if math.isnan(now) else now for now in made.in_sample.current[:, 0]]
    assert sum(math.isnan(now) for now in made.in_sample.current[:, 0]) == 5 * 4
    np.testing.assert_allclose(found, expected, rtol=1e-14)


def slow_average(span, sides, side):
    came = [float(a) for a, s in zip(span.actual[:, 0], sides, strict=True) if s == side]
    return sum(came) / len(came)


@pytest.mark.parametrize(
    ("rule", "known"), [("last return's sign", "last_return"), ("above 10-day mean", "side")]
)
def test_a_rule_of_direction_predicts_what_came_on_its_side_in_sample(made, rule, known):
    inside, outside = made.in_sample, made.out_of_sample
    getattr(outside, known)[:3] = [0.0, math.nan, -0.0]
    found = predicted(made)[1][rule][:, 0]
    sides = [0 if math.isnan(v) or v == 0 else math.copysign(1, v) for v in getattr(inside, known)]
    up, down = (slow_average(inside, sides, side) for side in (1, -1))
    mean = inside.actual.mean()
    for one, value in zip(found, getattr(outside, known), strict=True):
        expected = mean if not abs(value) > 0 else up if value > 0 else down
        assert one == pytest.approx(expected, rel=1e-12)
    assert up != pytest.approx(down)


def test_where_only_one_side_was_ever_taken_the_other_gets_the_mean(made):
    found = predicted(made, side=None, last_return=None)[1]
    assert set(found) == {"in-sample mean", "zero", "last value", "ridge"}
    inside = replace(made.in_sample, side=np.ones(len(made.in_sample)))
    down = replace(made.out_of_sample, side=-np.ones(len(made.out_of_sample)))
    found = rule_predictions(inside, [inside, down], 5, made.scale)
    for each in found:
        np.testing.assert_allclose(each["above 10-day mean"], inside.actual.mean())


def test_rules_that_need_prices_are_left_out_where_there_are_none(made):
    unknown = {
        name: np.full_like(getattr(made.in_sample, name), np.nan)
        for name in ("last_return", "side", "current")
    }
    inside = replace(made.in_sample, **unknown)
    assert set(rule_predictions(inside, [inside], 5, made.scale)[0]) == {"in-sample mean", "zero", "ridge"}


def test_where_outputs_are_scaled_by_symbol_so_are_the_rules(made):
    spans = []
    for span in (made.in_sample, made.out_of_sample):
        level = (span.symbols == "S00").astype(float)[:, None] * 50
        spans.append(replace(span, actual=span.actual + level, center=level, scale=np.full(level.shape, 2.0)))
    plain = predicted(made, boosting=True)
    found = rule_predictions(spans[0], spans, 5, np.array([1.0]), boosting=True)
    for rule in set(found[1]) - {"zero", "last value", "gradient boosting"}:
        np.testing.assert_allclose(found[1][rule] - spans[1].center, plain[1][rule], atol=1e-9)
    moved = found[1]["gradient boosting"] - spans[1].center
    np.testing.assert_allclose(moved, plain[1]["gradient boosting"], atol=0.2)


def test_names_come_in_one_order():
    assert in_order({"ridge": 1, "zero": 1, "model": 1, "last value": 1}) == ("zero", "last value", "ridge")
    assert in_order(set(RULES)) == RULES
