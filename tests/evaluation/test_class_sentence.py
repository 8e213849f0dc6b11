"""The verdict on classes beside the other rules, and on the holdout."""

import numpy as np

from dlplugin.evaluation import ClassResult, EvaluatedOutput, Evaluation
from dlplugin.evaluation.classes import evaluate_classes
from tests.evaluation.test_classes import values

LABELS = ("down", "up")
CAME = np.random.default_rng(0).permutation([1] * 220 + [0] * 180)


def named(wrong: int, seed: int = 1) -> np.ndarray:
    """What came, but for some samples."""
    missed = np.random.default_rng(seed).permutation(400)[:wrong]
    changed = CAME.copy()
    changed[missed] = 1 - changed[missed]
    return changed.astype(float)


def found(wrong: int, span: str = "out-of-sample", **by_rule: int) -> Evaluation:
    """A model, and rules, that are wrong in as many samples; underscores are spaces."""
    said = {
        rule.replace("_", " "): named(count, seed) for seed, (rule, count) in enumerate(by_rule.items(), 2)
    }
    spans = [values(named(wrong), CAME), values(named(wrong), CAME, start="2004-01-01")]
    for each in spans:
        each.by_rule.update(said)
    result = evaluate_classes(2, *spans, span)
    assert isinstance(result, ClassResult)
    return Evaluation((EvaluatedOutput("ROC(1)", 1, 1.0, LABELS),), (result,))


def test_rules_that_are_beaten_and_those_that_are_not_are_named() -> None:
    one = found(40, last_value=200, ridge=41, gradient_boosting=4)
    assert one.beats() == ("most frequent class", "last value")
    assert {each.figure for each in one.comparisons()} == {"accuracy"}
    by = {
        each.rule: (f"{100 * each.difference:.1f}", f"{100 * each.error:.1f}") for each in one.comparisons()
    }
    always, last, ridge, boosting = by.values()
    assert one.verdict.startswith(
        "The model beats always naming 'up', the most frequent class in sample: out of sample it is right in "
        f"90.0 % of the samples and not in 55.0 %, a gain of 35.0 percentage points (±{always[1]}); it also beats "
        f"last value by 40.0 (±{last[1]}), but not ridge (0.2 ± {ridge[1]}, inside the error) nor gradient boosting "
        f"(-9.0 ± {boosting[1]}, which does better). "
    )


def test_a_rule_that_does_better_is_named_where_the_model_beats_nothing() -> None:
    one = found(185, last_value=190, ridge=60)
    assert one.beats() == ()
    assert one.verdict.startswith(
        "The model beats nothing: out of sample it is right in 53.8 % of the samples, which "
    )
    assert (
        "is inside the error of the 55.0 % of always naming 'up', the most frequent class in sample (±"
        in (one.verdict)
    )
    assert "; ridge (85.0 %) does better by more than the error. The out-of-sample span" in one.verdict


def test_of_the_holdout_it_is_said_so() -> None:
    for wrong in (40, 185):
        verdict = found(wrong, "holdout", ridge=60).verdict
        assert "on the holdout it is right in " in verdict
        assert "out of sample" not in verdict
        assert "out-of-sample" not in verdict
    assert found(40, "holdout").scores()[1].span == "holdout"
