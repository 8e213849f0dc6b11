"""Brier score, F1, reliability and the errors of classes, against scikit-learn and derivatives."""

import math

import numpy as np
import pytest
from sklearn import metrics
from sklearn.calibration import calibration_curve

from dlplugin.evaluation.class_errors import brier_values, class_errors, reliability
from dlplugin.evaluation.classes import DroppedValues, evaluate_classes, score_classes
from dlplugin.evaluation.plain import from_plain, to_plain
from dlplugin.evaluation.uncertainty import mean_with_error
from tests.evaluation.conftest import days_from
from tests.evaluation.test_classes import random_values, values
from tests.evaluation.test_influences import derivative

NAN = math.nan


@pytest.mark.parametrize("classes", [2, 3, 7])
@pytest.mark.parametrize("seed", range(3))
def test_f1_brier_score_and_shares_are_scikit_learns(seed: int, classes: int) -> None:
    given = random_values(seed, classes=classes)
    found = score_classes("in-sample", classes, given)
    came, named, every = given.actual, given.predicted.astype(int), list(range(classes))
    f1 = metrics.precision_recall_fscore_support(came, named, labels=every, zero_division=np.nan)[2]
    assert found.f1 == pytest.approx(f1, nan_ok=True)
    np.testing.assert_allclose(
        found.shares, metrics.confusion_matrix(came, named, labels=every, normalize="true")
    )
    one_hot = np.eye(classes)[came]
    assert found.brier == pytest.approx(((given.probabilities - one_hot) ** 2).sum(axis=1).mean())
    if classes == 2:
        assert found.brier == pytest.approx(2 * metrics.brier_score_loss(came, given.probabilities[:, 1]))


def test_brier_scores_go_from_zero_to_two() -> None:
    certain = np.array([[1.0, 0.0], [1.0, 0.0]])
    np.testing.assert_array_equal(brier_values(certain, np.array([0, 1])), [0.0, 2.0])


@pytest.mark.parametrize(("classes", "overlap"), [(2, 1), (3, 3)])
def test_each_error_is_that_of_the_mean_of_the_derivatives_of_scikit_learns_figure(
    classes: int, overlap: int
) -> None:
    given = random_values(7, samples=60, classes=classes, symbols=2, overlap=overlap)
    came, named, every = given.actual, given.predicted.astype(int), list(range(classes))
    squares = ((given.probabilities - np.eye(classes)[came]) ** 2).sum(axis=1)

    def figures(weights: np.ndarray) -> np.ndarray:
        of = {"sample_weight": weights}
        alone = [
            metrics.accuracy_score(came, named, **of),
            metrics.matthews_corrcoef(came, named, **of),
            metrics.log_loss(came, given.probabilities, labels=every, **of),
            weights @ squares,
        ]
        by_class = metrics.precision_recall_fscore_support(came, named, labels=every, **of)[:3]
        return np.hstack([alone, *by_class])

    is_class = [np.array([came == each, named == each]) for each in every]
    counted = [np.ones(len(came), dtype=bool)] * 4  # a share counts the days of its own samples
    counted += [each[1] for each in is_class] + [each[0] for each in is_class]
    counted += [each.any(axis=0) for each in is_class]
    expected = [
        mean_with_error(values[own] * own.mean(), given.times[own], overlap, fitted=2 * (figure == 1))[1]
        for figure, (values, own) in enumerate(zip(derivative(figures, len(came)).T, counted, strict=True))
    ]
    found = score_classes("in-sample", classes, given).errors
    assert np.hstack([*vars(found).values()]) == pytest.approx(expected, rel=1e-4)
    assert list(vars(found)) == ["accuracy", "correlation", "log_loss", "brier", "precision", "recall", "f1"]


def test_each_error_is_that_of_deleting_one_day_after_the_other() -> None:
    given = random_values(8, samples=360, symbols=2)
    found = score_classes("in-sample", 3, given)
    T, day = 180, np.repeat(np.arange(180), 2)
    without = []
    for left_out in range(T):
        kept = day != left_out
        came, named = given.actual[kept], given.predicted[kept]
        counts = metrics.confusion_matrix(came, named)
        f1 = 2 * np.diag(counts) / (counts.sum(axis=0) + counts.sum(axis=1))
        without.append([metrics.matthews_corrcoef(came, named), *f1])
    pseudo = T * np.array([found.correlation, *found.f1]) - (T - 1) * np.array(without)
    whole = [mean_with_error(own, days_from("2001-01-01", T), 1)[1] for own in pseudo.T]
    assert found.errors.correlation == pytest.approx(whole[0], rel=0.02)
    for error, expected in zip(found.errors.f1, whole[1:], strict=True):
        assert 1 <= error / expected < 1.1  # a class is on fewer days, and not equally often on each


@pytest.mark.parametrize("classes", [2, 3])
def test_reliability_is_scikit_learns_calibration_curve(classes: int) -> None:
    given = random_values(9, samples=900, classes=classes)
    rows = score_classes("in-sample", classes, given).reliability
    for number in range(classes):
        own = [row for row in rows if row.number == number]
        share, mean = calibration_curve(given.actual == number, given.probabilities[:, number], n_bins=10)
        assert [row.share for row in own] == pytest.approx(share)
        assert [row.probability for row in own] == pytest.approx(mean)
        assert sum(row.count for row in own) == 900
        assert all(row.start <= row.probability <= row.end == pytest.approx(row.start + 0.1) for row in own)


def test_ranges_of_probability_hold_their_start_and_the_last_holds_1() -> None:
    up = np.array([0.0, 0.1, 0.3, 0.7, 0.9, 1.0])
    rows = reliability(np.c_[up, 1 - up], np.array([0, 1, 0, 0, 0, 1]), days_from("2001-01-01", 6), 1)
    assert [(row.start, row.count) for row in rows if row.number == 0] == [
        (0.0, 1), (0.1, 1), (0.3, 1), (0.7, 1), (0.9, 2)
    ]  # fmt: skip
    assert rows[4].share == 0.5
    assert all(math.isnan(row.error) for row in rows)


def test_the_error_of_a_range_is_that_of_the_share_on_its_own_days() -> None:
    given = random_values(10, samples=900, classes=2, symbols=3)
    rows = score_classes("in-sample", 2, given).reliability
    row = next(row for row in rows if row.number == 1 and row.start == 0.4)
    inside = (given.probabilities[:, 1] >= 0.4) & (given.probabilities[:, 1] < 0.5)

    def share(w: np.ndarray) -> float:
        return float(w[inside] @ (given.actual[inside] == 1) / w[inside].sum())

    influence = derivative(share, 900)[inside] * inside.mean()
    expected = mean_with_error(influence, given.times[inside], 1)[1]
    assert row.error == pytest.approx(expected, rel=1e-5)


def test_scores_without_probabilities_have_neither_brier_score_nor_reliability() -> None:
    given = random_values(1)
    bare = score_classes("in-sample", 3, values(given.predicted, given.actual))
    assert math.isnan(bare.brier)
    assert math.isnan(bare.errors.brier)
    assert math.isnan(bare.errors.log_loss)
    assert bare.reliability == ()
    assert bare.errors.accuracy == score_classes("in-sample", 3, given).errors.accuracy


def test_a_failed_prediction_makes_all_errors_nan() -> None:
    given = random_values(1)
    given.predicted[3], given.probabilities[3] = NAN, NAN
    found = score_classes("in-sample", 3, given)
    assert math.isnan(found.brier)
    assert found.reliability == ()
    assert all(math.isnan(each) for each in found.f1)
    flat = [*vars(found.errors).values()]
    assert all(math.isnan(each) for each in np.hstack(flat))


def test_certain_and_one_sided_samples_show_no_error() -> None:
    came = np.random.default_rng(0).integers(0, 2, 60)
    right = score_classes("in-sample", 2, values(came, came)).errors
    assert all(math.isnan(each) for each in np.hstack([*vars(right).values()]))
    one = score_classes("in-sample", 2, values(np.zeros(60), came)).errors
    assert math.isnan(one.correlation)
    assert one.accuracy > 0
    assert one.precision[0] == pytest.approx(one.accuracy)
    assert math.isnan(one.precision[1])
    alone = score_classes("in-sample", 2, values(came, np.ones(60))).errors
    assert math.isnan(alone.correlation)
    assert math.isnan(alone.recall[0])
    assert alone.recall[1] == pytest.approx(alone.accuracy)
    impossible = values(came, came, np.eye(2)[1 - came])
    assert math.isnan(score_classes("in-sample", 2, impossible).errors.log_loss)


@pytest.mark.parametrize("samples", [0, 1, 9])
def test_too_few_days_have_no_errors(samples: int) -> None:
    given = random_values(1, samples=samples)
    found = class_errors(3, given.actual, given.predicted, given.probabilities, given.times, 1)
    assert all(math.isnan(each) for each in np.hstack([*vars(found).values()]))
    assert len(found.f1) == 3


def with_dropped(seed: int):  # type: ignore[no-untyped-def]
    """Values of two classes and the dropped samples between them; and the same as three classes."""
    whole = random_values(seed, samples=600, symbols=2)
    named = (whole.predicted > 0).astype(float)
    kept = whole.actual != 2
    given = values(named[kept], whole.actual[kept])
    dropped = DroppedValues(whole.times[~kept], named[~kept])
    changes = {"times": whole.times[kept], "dropped": dropped}
    return type(given)(**(vars(given) | changes)), whole, named


def test_with_the_dropped_class_its_samples_are_never_right() -> None:
    given, whole, named = with_dropped(3)
    without, found = score_classes("in-sample", 2, given), score_classes("in-sample", 2, given).with_dropped
    assert found is not None
    came, every = whole.actual, [0, 1, 2]
    np.testing.assert_array_equal(found.counts, metrics.confusion_matrix(came, named, labels=every))
    assert found.accuracy == pytest.approx(metrics.accuracy_score(came, named))
    assert found.accuracy < without.accuracy
    assert found.correlation == pytest.approx(metrics.matthews_corrcoef(came, named))
    precision, recall, f1, _ = metrics.precision_recall_fscore_support(
        came, named, labels=every, zero_division=np.nan
    )
    assert found.precision == pytest.approx(precision, nan_ok=True)
    assert found.recall == pytest.approx(recall)
    assert found.f1 == pytest.approx(f1)
    assert found.recall[:2] == pytest.approx(without.recall)
    assert without.dropped == tuple(np.bincount(named[came == 2].astype(int)))
    assert found.days == 300
    hits = (named == came).astype(float)
    assert found.errors.accuracy == pytest.approx(mean_with_error(hits, whole.times, 1)[1])
    assert (found.reliability, found.with_dropped, math.isnan(found.log_loss)) == ((), None, True)


def test_without_a_dropped_class_there_are_no_figures_with_it() -> None:
    scores = score_classes("in-sample", 3, random_values(1))
    assert scores.with_dropped is None
    assert scores.dropped == (0, 0, 0)


def test_a_failed_prediction_of_a_dropped_sample_spoils_only_the_figures_with_it() -> None:
    given, _, _ = with_dropped(3)
    given.dropped.predicted[0] = NAN
    found = score_classes("in-sample", 2, given)
    assert found.failed == 0
    assert found.accuracy > 0
    assert found.with_dropped.failed == 1
    assert math.isnan(found.with_dropped.accuracy)


def test_all_goes_into_json_and_back() -> None:
    given, _, _ = with_dropped(4)
    for result in (
        evaluate_classes(2, given, given),
        evaluate_classes(3, random_values(1), random_values(2)),
    ):
        back = from_plain(type(result), to_plain(result))
        assert to_plain(back) == to_plain(result)
        assert type(back.spans[0].errors) is type(result.spans[0].errors)
        assert [type(row) for row in back.spans[1].reliability] == [
            type(row) for row in result.spans[1].reliability
        ]
        assert (back.spans[0].with_dropped is None) == (result.spans[0].with_dropped is None)
