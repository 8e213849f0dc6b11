"""Trivial rules for classes, against scikit-learn's and against one sample at a time."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import Ridge, RidgeClassifier
from threadpoolctl import threadpool_limits

from dlplugin.evaluation.rules import CLASS_RULES, boosting, class_rule_predictions, fit_ridge

EDGES = [-0.8, 0.9]


@pytest.fixture
def made(panel):
    """Three classes of the next return."""
    made = panel(2, look_ahead=1, days=(200, 60), symbols=4, r_squared=0.3, model="truth")

    def classed(span):
        classes = np.searchsorted(EDGES, span.actual).astype(float)
        now = np.where(np.isnan(span.current), np.nan, np.searchsorted(EDGES, span.current))
        return replace(span, actual=classes, predicted=classes, current=now)

    return classed(made.in_sample), classed(made.out_of_sample)


def named(made, classes=3, **options):
    return class_rule_predictions(classes, made[0], made, 1, **options)


def test_the_rules_are_in_their_order_and_fitted_on_in_sample_rows_only(made):
    found = named(made, boosting=True)
    alone = class_rule_predictions(3, made[0], made[:1], 1, boosting=True)[0]
    assert set(found[1]) == set(CLASS_RULES)
    for rule in CLASS_RULES:
        np.testing.assert_array_equal(alone[rule], found[0][rule])
        assert set(found[1][rule]) <= {0, 1, 2}


def test_the_most_frequent_class_is_scikit_learns(made):
    dummy = DummyClassifier(strategy="most_frequent").fit(made[0].inputs, made[0].actual[:, 0])
    np.testing.assert_array_equal(named(made)[1]["most frequent class"], dummy.predict(made[1].inputs))


def test_ridge_is_the_largest_of_scikit_learns_of_who_is_in_a_class(made):
    inside, outside = made
    wanted = np.eye(3)[inside.actual[:, 0].astype(int)]
    alphas = fit_ridge(inside.inputs, wanted, inside.times, 1).alpha
    fitted = [
        Ridge(alpha=alpha, solver="cholesky").fit(inside.inputs.astype(float), column)
        for alpha, column in zip(alphas, wanted.T, strict=True)
    ]
    expected = np.stack([one.predict(outside.inputs.astype(float)) for one in fitted]).argmax(axis=0)
    found = named(made)[1]["ridge"]
    np.testing.assert_array_equal(found, expected)
    assert (found == outside.actual[:, 0]).mean() > 0.4


def test_of_two_classes_ridge_is_scikit_learns_classifier(made):
    two = [replace(span, actual=(span.actual > 0).astype(float)) for span in made]
    alpha = fit_ridge(two[0].inputs, np.eye(2)[two[0].actual[:, 0].astype(int)], two[0].times, 1).alpha[0]
    fitted = RidgeClassifier(alpha=alpha, solver="cholesky").fit(
        two[0].inputs.astype(float), two[0].actual[:, 0]
    )
    found = named(two, classes=2)[1]["ridge"]
    np.testing.assert_array_equal(found, fitted.predict(two[1].inputs.astype(float)))
    assert set(found) == {0, 1}


def test_gradient_boosting_is_scikit_learns(made, monkeypatch):
    with threadpool_limits(1):
        fitted = HistGradientBoostingClassifier(**boosting.SETTINGS).fit(made[0].inputs, made[0].actual[:, 0])
        expected = fitted.predict(made[1].inputs)
    np.testing.assert_array_equal(named(made, boosting=True)[1]["gradient boosting"], expected)
    assert "gradient boosting" not in named(made)[1]
    same = [replace(span, actual=np.full_like(span.actual, 2.0)) for span in made]
    assert set(named(same, boosting=True)[1]["gradient boosting"]) == {2.0}


def test_up_is_the_highest_class_and_down_the_lowest_sample_by_sample(made):
    inside, outside = made
    outside.side[:2], outside.last_return[:2], outside.current[:2] = [0.0, np.nan], [np.nan, 0.0], np.nan
    found = named(made)[1]
    frequent = float(np.bincount(inside.actual[:, 0].astype(int)).argmax())
    for i in range(len(outside)):
        for rule, value in (
            ("last return's sign", outside.last_return[i]),
            ("last return reversed", -outside.last_return[i]),
            ("above 10-day mean", outside.side[i]),
            ("below 10-day mean", -outside.side[i]),
        ):
            expected = 2.0 if value > 0 else 0.0 if value < 0 else frequent
            assert found[rule][i] == expected
        now = outside.current[i, 0]
        assert found["last value"][i] == (frequent if np.isnan(now) else now)


def test_without_prices_and_without_samples_there_are_fewer_rules(made):
    bare = [replace(span, last_return=None, side=None, current=None) for span in made]
    assert set(named(bare)[1]) == {"most frequent class", "ridge"}
    nothing = replace(
        made[0],
        **{
            name: getattr(made[0], name)[:0]
            for name in (
                "times",
                "symbols",
                "inputs",
                "predicted",
                "actual",
                "last_return",
                "side",
                "current",
            )
        },
    )
    assert named((nothing, made[1])) == [{}, {}]
    found = named((made[0], nothing), boosting=True)[1]
    assert set(found) == set(CLASS_RULES)
    assert all(len(values) == 0 for values in found.values())
