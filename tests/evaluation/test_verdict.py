"""Sentences that claim no more than there is."""

import math
from dataclasses import replace

import pandas as pd
import pytest

from dlplugin.evaluation import EvaluatedOutput, SpanScores
from dlplugin.evaluation.claims import beaten_rules
from dlplugin.evaluation.comparison import Comparison
from dlplugin.evaluation.metrics import Scores
from dlplugin.evaluation.results import OutputResult
from dlplugin.evaluation.verdict import verdict

CAVEAT = (
    " The out-of-sample span chose the save point, so these figures flatter the model; "
    "only the holdout is unseen."
)
MEAN, ZERO, OWN = "in-sample mean", "zero", "model's average"
OUTPUT = EvaluatedOutput("ROC(5)", 5, 1.0)
DAY = pd.Timestamp("2001-01-01")


def result(model=1.0, hits=0.5, by_hits=(), judged="out-of-sample", **losses):
    """Losses of the rules with half the widths of the comparisons' intervals; underscores are spaces.

    `by_hits` are rules with their hit rates, whose intervals are 0.01 to each side.
    """
    named = {"mean": MEAN, "own": OWN}
    losses = {"mean": (1.0, 0.01), "zero": (1.01, 0.01), "own": (1.0, 0.01)} | losses
    compared = []
    scores = {"model": Scores(model, math.nan, math.nan, math.nan, hits)}
    for short, (loss, error) in losses.items():
        rule = named.get(short, short.replace("_", " "))
        compared.append(Comparison.of(rule, loss - model, error / 1.96))
        if rule != OWN:
            scores[rule] = Scores(loss, math.nan, math.nan, math.nan, math.nan)
    for rule, rate in by_hits:
        compared.append(Comparison.of(rule, hits - rate, 0.01 / 1.96, "hit rate"))
        scores[rule] = replace(
            scores.get(rule, Scores(*[math.nan] * 5)),
            hit_rate=rate,
        )
    inside = SpanScores("in-sample", DAY, DAY, 100, 20, scores)
    spans = (inside, replace(inside, span=judged)) if judged else (inside,)
    return OutputResult(spans, tuple(compared) if judged else (), {})


def said(*results):
    outputs = (
        [OUTPUT] if len(results) == 1 else [EvaluatedOutput(f"y{i}", 1, 1.0) for i in range(len(results))]
    )
    text = verdict(outputs, results)
    assert text.endswith(CAVEAT)
    return text.removesuffix(CAVEAT)


def test_a_model_inside_the_error_of_a_constant_beats_nothing():
    found = result(1.012, mean=(1.001, 0.012), zero=(1.010, 0.010), own=(1.009, 0.021), ridge=(1.009, 0.021))
    assert beaten_rules(found) == ()
    assert said(found) == (
        "The model beats nothing: out of sample its loss 1.012 is inside the error of the in-sample mean's "
        "(1.001 ± 0.012) and zero's (1.010 ± 0.010)."
    )


def test_a_model_that_beats_all_is_told_by_how_much_and_against_what_error():
    found = result(0.95, mean=(1.0, 0.01), zero=(1.01, 0.01), last_value=(1.9, 0.1), ridge=(0.97, 0.01))
    assert beaten_rules(found) == (MEAN, ZERO, "last value", "ridge")
    assert said(found) == (
        "The model beats the constants out of sample, the in-sample mean by 5.0 % of its loss (±1.0 %) and "
        "zero by 5.9 % (±0.99 %); it also beats last value and ridge, the nearest, by 2.1 % (±1.0 %)."
    )
    alone = result(0.95, ridge=(0.97, 0.01))
    assert said(alone).endswith("(±0.99 %); it also beats ridge by 2.1 % (±1.0 %).")
    assert said(result(0.95)).endswith(" and zero by 5.9 % (±0.99 %).")


def test_a_model_that_beats_constants_but_not_ridge_is_told_so():
    found = result(0.95, last_value=(1.9, 0.1), ridge=(0.955, 0.01))
    assert beaten_rules(found) == (MEAN, ZERO, "last value")
    assert said(found) == (
        "The model beats the constants out of sample, the in-sample mean by 5.0 % of its loss (±1.0 %) and "
        "zero by 5.9 % (±0.99 %); it also beats last value by 50 % (±5.3 %), but not ridge "
        "(0.52 % ± 1.0 %, inside the error)."
    )


def test_rules_that_do_better_are_named():
    found = result(0.95, ridge=(0.90, 0.01), gradient_boosting=(0.95, 0.01))
    assert said(found).endswith(
        "; it does not beat ridge (-5.6 % ± 1.1 %, which does better) nor gradient boosting "
        "(0.0 % ± 1.1 %, inside the error)."
    )
    worse = result(1.05, ridge=(1.03, 0.01))
    assert said(worse) == (
        "The model beats nothing: out of sample its loss 1.050 is above the in-sample mean's (1.000 ± 0.010) "
        "and zero's (1.010 ± 0.010) by more than the error; ridge (1.030 ± 0.010) does better by more than "
        "the error."
    )
    mixed = result(1.015, zero=(1.01, 0.01), ridge=(0.9, 0.01), gradient_boosting=(0.8, 0.01))
    assert said(mixed) == (
        "The model beats nothing: out of sample its loss 1.015 is above the in-sample mean's (1.000 ± 0.010) "
        "by more than the error, and inside the error of zero's (1.010 ± 0.010); ridge (0.900 ± 0.010) and "
        "gradient boosting (0.800 ± 0.010) do better by more than the error."
    )


def test_a_rule_that_hits_the_sign_more_often_is_named_where_the_model_beats_the_constants():
    by_hits = (("below 10-day mean", 0.56), ("above 10-day mean", 0.44), (MEAN, 0.53), ("ridge", 0.505))
    found = result(0.95, by_hits=by_hits)
    assert said(found).endswith(
        "; below 10-day mean has the sign right more often, in 56.0 % and not in 50.0 % (±1.0 percentage points)."
    )
    assert "sign" not in said(result(1.0, by_hits=by_hits))
    assert beaten_rules(found) == (MEAN, ZERO)


def test_to_lose_less_than_an_overfitted_ridge_is_nothing():
    found = result(1.0, mean=(1.001, 0.01), zero=(0.999, 0.01), ridge=(1.2, 0.01))
    assert beaten_rules(found) == ()
    assert said(found) == (
        "The model beats nothing: out of sample its loss 1.000 is inside the error of the in-sample mean's "
        "(1.001 ± 0.010) and zero's (0.999 ± 0.010); it loses less than ridge, but zero does as well."
    )


def test_to_lose_less_than_zero_where_prices_drift_is_nothing():
    found = result(1.0, mean=(1.0, 0.01), zero=(1.1, 0.01))
    assert beaten_rules(found) == ()
    assert said(found).endswith("; it loses less than zero, but the in-sample mean does as well.")


def test_to_lose_less_than_the_mean_where_the_level_drifts_is_nothing():
    found = result(0.9, own=(0.9001, 0.001), ridge=(0.95, 0.01))
    assert beaten_rules(found) == ()
    assert said(found) == (
        "The model beats nothing: out of sample its loss 0.9000 is inside the error of its own average's "
        "(0.9001 ± 0.0010); it loses less than the in-sample mean, zero and ridge, but its own average does as well."
    )


@pytest.mark.parametrize("constant", ["mean", "zero", "own"])
def test_each_constant_has_to_be_beaten(constant):
    assert beaten_rules(result(0.95)) == (MEAN, ZERO)
    assert beaten_rules(result(0.95, **{constant: (0.955, 0.01)}, ridge=(1.1, 0.01))) == ()


def test_small_losses_are_shown_with_the_decimals_that_their_errors_need():
    found = result(0.00012, mean=(0.000123, 5e-6), zero=(0.000124, 5e-6), own=(0.000125, 6e-6))
    assert "its loss 0.0001200 is inside the error of the in-sample mean's (0.0001230 ± 0.0000050)" in said(
        found
    )


@pytest.mark.parametrize(("look_ahead", "words"), [(1, "1 bar"), (5, "5 bars")])
def test_too_few_days_are_said_to_be_too_few(look_ahead, words):
    found = result(0.5, mean=(1.0, math.nan), zero=(1.0, math.nan), own=(1.0, math.nan))
    text = verdict([EvaluatedOutput("y", look_ahead, 1.0)], [found])
    assert text == (
        f"The model beats nothing: out of sample 20 days are too few to tell at a look ahead of {words}."
        + CAVEAT
    )


def test_a_failed_model_is_said_to_have_failed():
    assert said(result(math.nan)) == "The model beats nothing: its loss out of sample is not a number."


def test_without_an_out_of_sample_span_nothing_is_claimed():
    assert verdict([OUTPUT], [result(0.5, judged=None)]) == (
        "There is no out-of-sample span, so whether the model beats anything is not known: "
        "in-sample figures only say how well it remembers."
    )


def test_of_the_holdout_it_is_said_so_and_nothing_has_flattered_it():
    assert verdict([OUTPUT], [result(0.95, judged="holdout")], note="a note") == (
        "The model beats the constants on the holdout, the in-sample mean by 5.0 % of its loss (±1.0 %) and "
        "zero by 5.9 % (±0.99 %)."
    )
    found = verdict([OUTPUT], [result(1.0, judged="holdout")])
    assert found.startswith("The model beats nothing: on the holdout its loss 1.000 is inside the error of ")
    assert "out of sample" not in found
    assert "flatter" not in found
    assert verdict([OUTPUT], [result(math.nan, judged="holdout")]) == (
        "The model beats nothing: its loss on the holdout is not a number."
    )


def test_each_of_several_outputs_has_its_sentence():
    text = said(result(0.95), result(1.0))
    assert text.startswith("For y0: the model beats the constants out of sample")
    assert " For y1: the model beats nothing: out of sample" in text


def test_where_the_out_of_sample_span_chose_nothing_nothing_is_said_of_it() -> None:
    found = [result(0.5)]
    assert verdict([OUTPUT], found, selected=False) + CAVEAT == verdict([OUTPUT], found)


def test_losses_of_any_size_can_be_read():
    found = result(
        976_775_680_522.0, mean=(978_260_231_174.0, 3e9), zero=(978_260_231_174.0, 3e9), own=(978e9, 3e9)
    )
    assert said(found) == (
        "The model beats nothing: out of sample its loss 9.768e11 is inside the error of the in-sample mean's "
        "(9.783e11 ± 3.000e9) and zero's (9.783e11 ± 3.000e9)."
    )
    found = result(4.79e-13, mean=(4.80e-13, 2e-14), zero=(4.81e-13, 2e-14), own=(4.8e-13, 2e-14))
    assert "its loss 4.79e-13 is inside the error of the in-sample mean's (4.80e-13 ± 2.00e-14)" in said(
        found
    )
