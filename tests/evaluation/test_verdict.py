import math

import pandas as pd
import pytest

from dlplugin.evaluation import EvaluatedOutput, SpanScores
from dlplugin.evaluation.comparison import Comparison
from dlplugin.evaluation.metrics import Scores
from dlplugin.evaluation.ranges import Cells
from dlplugin.evaluation.results import OutputResult
from dlplugin.evaluation.verdict import beaten_rules, verdict

CAVEAT = (
    " The out-of-sample span chose the save point, so these figures flatter the model; "
    "only the holdout is unseen."
)
RULES = ("in-sample mean", "zero", "ridge")
OUTPUT = EvaluatedOutput("ROC(5)", 5, 1.0)


def result(model, *rules, errors=(0.01, 0.01, 0.01), out_of_sample=True):
    """The losses of the model and of the three rules, and half the widths of the comparisons' intervals."""
    losses = dict(zip(("model", *RULES), (model, *rules), strict=True))
    by_rule = {rule: Scores(loss, math.nan, math.nan, math.nan, math.nan) for rule, loss in losses.items()}
    day = pd.Timestamp("2001-01-01")
    span = SpanScores("out-of-sample", day, day, 100, 20, by_rule)
    comparisons = tuple(
        Comparison(rule, losses[rule] - model, error / 1.96, losses[rule] - model > error)
        for rule, error in zip(RULES, errors, strict=True)
    )
    cells = Cells(0, 0, 0, ((0, 0), (0, 0)), ((0.0, 0.0), (0.0, 0.0)))
    return OutputResult((span, span), comparisons if out_of_sample else (), cells)


def said(*results):
    outputs = (
        [OUTPUT] if len(results) == 1 else [EvaluatedOutput(f"y{i}", 1, 1.0) for i in range(len(results))]
    )
    text = verdict(outputs, results)
    assert text.endswith(CAVEAT)
    return text.removesuffix(CAVEAT)


def test_a_model_that_beats_nothing_is_said_to_beat_nothing():
    found = result(1.012, 1.001, 1.010, 1.009, errors=(0.012, 0.010, 0.021))
    assert beaten_rules(found) == ()
    assert said(found) == (
        "The model beats nothing: out of sample its loss 1.012 is not below the in-sample mean's (1.001) "
        "by more than the error (±0.012), zero's (1.010 ± 0.010) nor ridge's (1.009 ± 0.021)."
    )


def test_a_model_that_beats_all_three_is_told_by_how_much_and_against_what_error():
    found = result(0.95, 1.0, 1.01, 0.97)
    assert beaten_rules(found) == RULES
    assert said(found) == (
        "The model beats all three rules out of sample, where its loss is 0.950: the in-sample mean by 5.0 % "
        "of its loss (±1.0 %), zero by 5.9 % (±0.99 %) and ridge by 2.1 % (±1.0 %)."
    )


def test_a_model_that_beats_constants_but_not_ridge_is_told_so():
    found = result(0.95, 1.0, 1.01, 0.955)
    assert beaten_rules(found) == ("in-sample mean", "zero")
    assert said(found) == (
        "Out of sample the model (loss 0.950) beats the in-sample mean by 5.0 % of its loss (±1.0 %) and "
        "zero by 5.9 % (±0.99 %), but not ridge (0.955 ± 0.010)."
    )


def test_a_rule_that_beats_the_model_is_named():
    assert said(result(0.95, 1.0, 1.01, 0.90)).endswith("but not ridge (0.900 ± 0.010, which beats it).")
    assert said(result(1.05, 1.0, 1.01, 1.049)).endswith(
        "nor ridge's (1.049 ± 0.010); the in-sample mean and zero do better by more than the error."
    )


def test_to_lose_less_than_an_overfitted_ridge_is_nothing():
    found = result(1.0, 1.001, 0.999, 1.2)
    assert [each.beaten for each in found.comparisons] == [False, False, True]
    assert beaten_rules(found) == ()
    assert said(found) == (
        "The model beats nothing: out of sample its loss 1.000 is not below the in-sample mean's (1.001) "
        "by more than the error (±0.010) nor zero's (0.999 ± 0.010); it loses less than ridge, "
        "but so does a constant."
    )


def test_to_lose_less_than_zero_where_prices_drift_is_nothing():
    found = result(1.0, 1.0, 1.1, 1.0)
    assert beaten_rules(found) == ()
    assert said(found).endswith("; it loses less than zero, but so does a constant.")


def test_a_rule_beaten_beside_a_credited_one_is_listed_with_it():
    found = result(0.95, 1.0, 1.005, 1.1, errors=(0.01, 0.2, 0.01))
    assert beaten_rules(found) == ("in-sample mean", "ridge")
    assert said(found) == (
        "Out of sample the model (loss 0.950) beats the in-sample mean by 5.0 % of its loss (±1.0 %) and "
        "ridge by 14 % (±0.91 %), but not zero (1.005 ± 0.200)."
    )


def test_small_losses_are_shown_with_the_decimals_that_their_errors_need():
    found = result(0.00012, 0.000123, 0.000124, 0.000125, errors=(5e-6, 5e-6, 6e-6))
    assert "its loss 0.0001200 is not below the in-sample mean's (0.0001230)" in said(found)


@pytest.mark.parametrize(("look_ahead", "words"), [(1, "1 bar"), (5, "5 bars")])
def test_too_few_days_are_said_to_be_too_few(look_ahead, words):
    found = result(0.5, 1.0, 1.0, 1.0, errors=(math.nan,) * 3)
    text = verdict([EvaluatedOutput("y", look_ahead, 1.0)], [found])
    assert text == (
        f"The model beats nothing: 20 days out of sample are too few to tell at a look ahead of {words}."
        + CAVEAT
    )


def test_a_failed_model_is_said_to_have_failed():
    found = result(math.nan, 1.0, 1.0, 1.0, errors=(math.nan,) * 3)
    assert said(found) == "The model beats nothing: its out-of-sample loss is not a number."


def test_without_an_out_of_sample_span_nothing_is_claimed():
    assert verdict([OUTPUT], [result(0.5, 1.0, 1.0, 1.0, out_of_sample=False)]) == (
        "There is no out-of-sample span, so whether the model beats anything is not known: "
        "in-sample figures only say how well it remembers."
    )


def test_each_of_several_outputs_has_its_sentence():
    text = said(result(0.95, 1.0, 1.01, 0.97), result(1.0, 1.0, 1.0, 1.0))
    assert text.startswith("For y0: the model beats all three rules")
    assert " For y1: the model beats nothing: out of sample" in text


def test_where_the_out_of_sample_span_chose_nothing_nothing_is_said_of_it() -> None:
    found = [result(0.5, 1.0, 1.0, 1.0)]
    assert verdict([OUTPUT], found, selected=False) + CAVEAT == verdict([OUTPUT], found)
