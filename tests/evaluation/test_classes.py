"""Figures of classes against scikit-learn, and sentences that claim no more than there is."""

import json
import math
import re

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics

from dlplugin.errors import UnknownNameError
from dlplugin.evaluation import ClassResult, ClassTable, EvaluatedOutput, Evaluation
from dlplugin.evaluation.classes import ClassValues, evaluate_classes, score_classes
from dlplugin.evaluation.rules import FREQUENT
from dlplugin.evaluation.uncertainty import mean_with_error
from tests.evaluation.conftest import days_from

LABELS = ("≤ -0.5", "-0.5 … 0.55", "≥ 0.55")


def values(
    predicted: object,
    actual: object,
    probabilities: np.ndarray | None = None,
    start: str = "2001-01-01",
    symbols: int = 1,
    overlap: int = 1,
) -> ClassValues:
    actual = np.asarray(actual, dtype=np.int64)
    times = np.repeat(days_from(start, -(-len(actual) // symbols)), symbols)[: len(actual)]
    ends = (pd.Timestamp(times[0]), pd.Timestamp(times[-1])) if len(times) else (pd.Timestamp(start),) * 2
    return ClassValues(*ends, times, actual, np.asarray(predicted, dtype=float), probabilities, overlap)


def random_values(seed: int, samples: int = 600, classes: int = 3, **changes: object) -> ClassValues:
    rng = np.random.default_rng(seed)
    shares = rng.dirichlet(np.full(classes, 0.7), samples)
    actual = (shares.cumsum(axis=1) < rng.random((samples, 1))).sum(axis=1)
    return values(shares.argmax(axis=1), actual, shares, **changes)  # type: ignore[arg-type]


def evaluation(result: ClassResult, labels: tuple[str, ...] = LABELS, look_ahead: int = 1) -> Evaluation:
    return Evaluation((EvaluatedOutput("ROC(1)", look_ahead, 1.0, labels),), (result,))


@pytest.mark.parametrize("classes", [2, 3, 7])
@pytest.mark.parametrize("seed", range(3))
def test_each_figure_is_scikit_learns(seed: int, classes: int) -> None:
    given = random_values(seed, classes=classes)
    found = score_classes("in-sample", classes, given)
    came, named, every = given.actual, given.predicted.astype(int), list(range(classes))
    np.testing.assert_array_equal(found.counts, metrics.confusion_matrix(came, named, labels=every))
    assert found.accuracy == pytest.approx(metrics.accuracy_score(came, named))
    assert found.correlation == pytest.approx(metrics.matthews_corrcoef(came, named))
    assert found.log_loss == pytest.approx(metrics.log_loss(came, given.probabilities, labels=every))
    precision, recall, _, support = metrics.precision_recall_fscore_support(
        came, named, labels=every, zero_division=np.nan
    )
    assert found.precision == pytest.approx(precision, nan_ok=True)
    assert found.recall == pytest.approx(recall, nan_ok=True)
    assert found.came == tuple(support)
    assert found.most_frequent == pytest.approx(support.max() / 600)
    assert (found.samples, found.days) == (600, 600)


def test_what_is_not_defined_is_nan() -> None:
    constant = score_classes("in-sample", 3, values([1, 1, 1], [0, 1, 1]))
    assert math.isnan(constant.correlation)
    assert math.isnan(constant.log_loss)  # hinge: no probabilities
    np.testing.assert_array_equal(constant.precision, [np.nan, 2 / 3, np.nan])
    np.testing.assert_array_equal(constant.recall, [0, 1, np.nan])
    certain = values([0, 1], [0, 1], np.array([[1.0, 0.0], [1.0, 0.0]]))
    assert math.isnan(score_classes("in-sample", 2, certain).log_loss)
    nothing = score_classes("out-of-sample", 2, values([], []))
    assert math.isnan(nothing.accuracy)
    assert (nothing.samples, nothing.days) == (0, 0)


def test_a_failed_prediction_is_counted_and_never_left_out_of_a_mean() -> None:
    inside = values([0, 1, np.nan, 1], [0, 1, 1, 0])
    found = evaluate_classes(2, inside, inside)
    assert (found.spans[0].failed, found.spans[0].samples) == (1, 4)
    assert math.isnan(found.spans[0].accuracy)
    assert math.isnan(found.comparisons[0].difference)
    assert not found.comparisons[0].beaten
    assert "1 of its predictions out of sample are not a class" in evaluation(found, LABELS[:2]).verdict


def test_the_rule_names_the_class_that_was_the_most_frequent_in_sample() -> None:
    found = evaluate_classes(3, values([0] * 10, [2] * 5 + [0] * 4 + [1]), values([0] * 8, [0] * 6 + [2, 1]))
    assert found.named_always == 2
    assert (found.rule_accuracy(0), found.rule_accuracy(1)) == (0.5, 1 / 8)
    assert found.spans[1].most_frequent == 6 / 8
    shares = np.tile([0.4, 0.1, 0.5], (8, 1))
    assert found.rule_log_loss(1) == pytest.approx(
        metrics.log_loss([0] * 6 + [2, 1], shares, labels=[0, 1, 2])
    )


def test_the_comparison_is_of_accuracies_with_an_error_that_counts_days_and_overlap() -> None:
    inside, outside = random_values(1), random_values(2, symbols=3, overlap=5)
    found = evaluate_classes(3, inside, outside)
    (comparison,) = found.comparisons
    assert comparison.rule == FREQUENT
    assert comparison.difference == pytest.approx(found.spans[1].accuracy - found.rule_accuracy(1))
    hits = (outside.predicted == outside.actual).astype(float) - (outside.actual == found.named_always)
    assert comparison.standard_error == mean_with_error(hits, outside.times, 5)[1]
    assert comparison.standard_error != mean_with_error(hits, outside.times, 1)[1]
    assert comparison.standard_error != mean_with_error(hits, days_from("2001-01-01", 600), 5)[1]
    assert evaluate_classes(3, inside, None).comparisons == ()


def test_a_model_that_knows_something_beats_the_rule_and_the_verdict_says_by_how_much() -> None:
    found = evaluation(evaluate_classes(3, random_values(1), random_values(2, start="2004-01-01")))
    (comparison,) = found.comparisons()
    assert found.beats() == (FREQUENT,)
    scores = found.scores()[1]
    assert found.verdict.startswith(
        f"The model beats always naming {LABELS[found.results[0].named_always]!r}, the most frequent class in sample: "
        f"out of sample it is right in {100 * scores.accuracy:.1f} % of the samples and not in "
    )
    assert f"a gain of {100 * comparison.difference:.1f} percentage points (±" in found.verdict
    assert found.verdict.endswith("flatter the model; only the holdout is unseen.")


def test_a_model_that_guesses_beats_nothing() -> None:
    rng = np.random.default_rng(5)
    beaten = 0
    for _ in range(40):
        came, named = rng.integers(0, 2, (2, 500))
        found = evaluation(evaluate_classes(2, values(named, came), values(named, came)), LABELS[:2])
        beaten += bool(found.beats())
    assert beaten <= 3
    assert "The model beats nothing: out of sample it is right in " in found.verdict


def test_naming_another_class_always_is_no_feat_where_that_one_became_frequent() -> None:
    inside = values([0] * 200, [1] * 120 + [0] * 80)
    came = np.random.default_rng(0).permutation([0] * 160 + [1] * 40)
    always = evaluation(evaluate_classes(2, inside, values([0] * 200, came)), LABELS[:2])
    assert always.comparisons()[0].beaten
    assert always.beats() == ()
    assert always.verdict.startswith(
        "The model beats nothing: out of sample it names '≤ -0.5' in every sample, which is right in 80.0 %; "
        "always naming '-0.5 … 0.55', the most frequent class in sample, is right in 20.0 %."
    )
    nearly = evaluation(evaluate_classes(2, inside, values([1] + [0] * 199, came)), LABELS[:2])
    assert nearly.beats() == ()
    assert "but always naming '≤ -0.5' would have been in 80.0 %" in nearly.verdict


def test_a_hit_more_than_the_other_class_had_is_no_feat_either() -> None:
    inside = values([0] * 200, [1] * 120 + [0] * 80)
    came = np.random.default_rng(0).permutation([0] * 160 + [1] * 40)
    named = np.where(np.arange(200) == np.flatnonzero(came == 1)[0], 1, 0)
    lucky = evaluation(evaluate_classes(2, inside, values(named, came)), LABELS[:2])
    assert lucky.scores()[1].accuracy > lucky.scores()[1].most_frequent
    assert lucky.comparisons()[0].beaten
    assert lucky.beats() == ()
    assert "right in 80.5 % of the samples" in lucky.verdict
    assert "but always naming '≤ -0.5' would have been in 80.0 % (±" in lucky.verdict


def test_a_model_that_is_worse_is_told_so_and_few_days_tell_nothing() -> None:
    came = np.random.default_rng(0).permutation([1] * 300 + [0] * 100)
    worse = evaluation(evaluate_classes(2, values(came, came), values(1 - came, came)), LABELS[:2])
    assert "0.0 % of the samples, less often than always naming '-0.5 … 0.55', the most" in worse.verdict
    assert "in sample (75.0 %), by more than the error (±" in worse.verdict
    few = evaluation(
        evaluate_classes(2, values(came, came), values(came[:8], came[:8])), LABELS[:2], look_ahead=5
    )
    assert few.verdict.startswith(
        "The model beats nothing: out of sample 8 days are too few to tell at a look ahead of 5 bars."
    )
    inside = evaluation(evaluate_classes(2, values(came, came), None), LABELS[:2])
    assert inside.verdict.startswith("There is no out-of-sample span")


def test_an_evaluation_of_classes_goes_into_json_and_back() -> None:
    found = evaluation(evaluate_classes(3, random_values(1), values([2, 2], [2, 1])))
    text = found.to_json()
    back = Evaluation.from_json(text)
    assert back.to_json() == text
    assert str(back) == str(found)
    assert back.outputs == found.outputs
    assert isinstance(back.results[0], ClassResult)
    plain = json.loads(text)
    assert plain["outputs"][0]["labels"] == list(LABELS)
    assert plain["results"][0]["spans"][1]["log_loss"] is None


def test_the_summary_is_verdict_figures_and_classes_in_100_columns() -> None:
    found = evaluation(evaluate_classes(3, random_values(1), random_values(2, start="2004-01-01")))
    lines = str(found).splitlines()
    assert max(map(len, lines)) <= 100
    row = next(line for line in lines if line.startswith("model"))
    assert row.split()[-4] == f"{100 * found.scores()[1].accuracy:.1f}"
    assert [line.split("  ")[0] for line in lines if line.startswith(("most", "in-sample shares"))] == (
        ["most frequent class", "in-sample shares"]
    )
    assert f"\n\n{found.table()}\n\n" in str(found)
    html = found._repr_html_()
    assert html.count("<table") == html.count("</table>") == 6
    assert "≤ -0.5" in html


def test_the_table_has_a_row_a_class_and_the_counts_of_each_against_each() -> None:
    inside, outside = random_values(1), random_values(2)
    table = evaluation(evaluate_classes(3, inside, outside)).table()
    assert isinstance(table, ClassTable)
    assert list(table.frame.index) == list(LABELS)
    assert table.frame["out_of_sample_came"].sum() == 600
    expected = metrics.confusion_matrix(outside.actual, outside.predicted.astype(int))
    np.testing.assert_array_equal(table.confusion(), expected)
    np.testing.assert_array_equal(
        table.confusion("in-sample").sum(axis=1), table.frame["in_sample_came"].to_numpy()
    )
    for label, row in zip(LABELS, expected, strict=True):
        assert re.search(rf"^{re.escape(label)} +{' +'.join(map(str, row))}$", str(table), re.MULTILINE)
    with pytest.raises(UnknownNameError) as error:
        table.confusion("holdout")
    assert str(error.value) == "there is no span 'holdout'; there are: in-sample, out-of-sample"


def test_many_classes_and_long_labels_still_fit() -> None:
    labels = tuple(f"{i}.123456789 … {i + 1}.123456789" for i in range(12))
    for count in (7, 12):
        table = evaluation(
            evaluate_classes(count, random_values(1, classes=count), random_values(2, classes=count)),
            labels[:count],
        ).table()
        assert max(map(len, str(table).splitlines())) <= 100
        assert ("what came (rows)" in str(table)) == (count == 7)


def test_a_loss_is_only_of_outputs_that_are_not_in_classes() -> None:
    found = evaluation(evaluate_classes(3, random_values(1), random_values(2)))
    assert math.isnan(found.loss())
