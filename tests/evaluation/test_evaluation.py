import json
import math
import re

import numpy as np
import pandas as pd
import pytest

from dlplugin.errors import DamagedModelError, DefinitionError, SamplesError, UnknownNameError
from dlplugin.evaluation import RULES, Evaluation, evaluate
from dlplugin.evaluation.metrics import score
from dlplugin.evaluation.rules import BOOSTING, DIRECTIONS, directions, in_order, rule_predictions
from dlplugin.evaluation.uncertainty import mean_with_error


def evaluated(made, out_of_sample=True):
    return evaluate(made.outputs, made.scale, made.in_sample, made.out_of_sample if out_of_sample else None)


@pytest.fixture
def found(panel):
    return evaluated(panel(1, look_ahead=5))


def test_every_rule_is_scored_on_the_same_samples_of_each_span(panel):
    made = panel(2, look_ahead=5, r_squared=0.1, model="truth")
    found = evaluated(made)
    spans = (made.in_sample, made.out_of_sample)
    mean = made.in_sample.actual.mean()
    rules = rule_predictions(made.in_sample, spans, 5, made.scale)
    for scores, span, by_rule, sides in zip(found.scores(), spans, rules, directions(spans), strict=True):
        assert list(scores.by_rule) == ["model", *RULES[:-1]]
        said = {"model": span.predicted, **by_rule}
        for rule in set(said) - set(DIRECTIONS):
            expected = score(said[rule][:, 0], span.actual[:, 0], made.scale[0], mean)
            assert repr(scores.by_rule[rule]) == repr(expected)
        for rule in DIRECTIONS:
            one = scores.by_rule[rule]
            expected = score(sides[rule], span.actual[:, 0], made.scale[0], mean)
            assert one.hit_rate == expected.hit_rate
            assert one.correlation == expected.correlation
            if rule in by_rule:
                number = score(by_rule[rule][:, 0], span.actual[:, 0], made.scale[0], mean)
                assert (one.loss, one.r_squared) == (number.loss, number.r_squared)
            else:
                assert math.isnan(one.loss + one.r_squared)
        assert (scores.start, scores.end) == (pd.Timestamp(span.times[0]), pd.Timestamp(span.times[-1]))
        assert (scores.samples, scores.days) == (len(span), len(span) // 11)
    assert [scores.span for scores in found.scores()] == ["in-sample", "out-of-sample"]


def test_comparisons_are_the_differences_of_the_out_of_sample_figures(found):
    out_of_sample = found.scores()[1].by_rule
    model = out_of_sample["model"]
    losses = [each for each in found.comparisons() if each.figure == "loss"]
    hits = [each for each in found.comparisons() if each.figure == "hit rate"]
    assert [each.rule for each in losses] == [
        "in-sample mean",
        "zero",
        "model's average",
        "last value",
        "last return's sign",
        "above 10-day mean",
        "ridge",
    ]
    assert [each.rule for each in hits] == [rule for rule in RULES[:-1] if rule != "zero"]
    for each in losses[:2] + losses[3:]:
        assert each.difference == pytest.approx(out_of_sample[each.rule].loss - model.loss, abs=1e-12)
    for each in hits:
        expected = model.hit_rate - out_of_sample[each.rule].hit_rate
        assert each.difference == pytest.approx(expected, abs=1e-12)


def test_up_and_down_hit_all_that_moved_between_them(found):
    for scores in found.scores():
        up, down = (scores.by_rule[rule].hit_rate for rule in DIRECTIONS[:2])
        assert up + down == pytest.approx(1.0)
        assert up != down
        assert scores.by_rule[DIRECTIONS[0]].correlation == -scores.by_rule[DIRECTIONS[1]].correlation


def test_gradient_boosting_comes_last_where_it_is_asked_for(panel):
    made = panel(1, days=(200, 60), symbols=3)
    spans = made.in_sample, made.out_of_sample
    found = evaluate(made.outputs, made.scale, *spans, boosting=True)
    assert list(found.scores()[1].by_rule) == ["model", *RULES]
    assert BOOSTING in {each.rule for each in found.comparisons()}
    line = next(line for line in str(found).splitlines() if line.startswith("gradient boosting"))
    plain = evaluated(made)
    assert line not in str(plain)
    below = [each for each in str(found).split("\n\n", 1)[1].splitlines() if each != line]
    assert below == str(plain).split("\n\n", 1)[1].splitlines()


def test_the_rules_come_in_their_order_however_an_evaluation_was_stored(panel):
    made = panel(1, days=(200, 60), symbols=3)
    found = evaluate(made.outputs, made.scale, made.in_sample, made.out_of_sample, boosting=True)
    back = Evaluation.from_json(json.dumps(json.loads(found.to_json()), sort_keys=True))
    assert str(back) == str(found)
    assert back._repr_html_() == found._repr_html_()
    assert back.beats() == found.beats()
    lines = [line for line in str(back).splitlines() if line.startswith(tuple(in_order(set(RULES))))]
    assert [line[:20].strip() for line in lines] == list(RULES)


def test_the_error_counts_days_and_knows_the_look_ahead(panel):
    made = panel(1, look_ahead=20)
    span, scale = made.out_of_sample, made.scale[0]
    gain = (span.actual[:, 0] / scale) ** 2 - ((span.actual - span.predicted)[:, 0] / scale) ** 2
    zero = evaluated(made).comparisons()[1]
    expected = mean_with_error(gain, span.times, overlap=20)
    assert (zero.difference, zero.standard_error) == pytest.approx(expected)
    assert zero.standard_error != pytest.approx(mean_with_error(gain, span.times, overlap=19)[1])


def test_the_loss_over_all_outputs_is_that_of_the_training_curves(one_symbol, named_output):
    random = np.random.default_rng(1)
    predicted, actual = random.standard_normal((2, 60, 2))
    spans = one_symbol(predicted[:40], actual[:40]), one_symbol(predicted[40:], actual[40:], "2002-01-01")
    scale = np.array([2.0, 0.5])
    found = evaluate([named_output("a", 1), named_output("b", 2)], scale, *spans)
    expected = (((predicted - actual) / scale) ** 2).mean(axis=1)
    assert found.loss("in-sample") == pytest.approx(expected[:40].mean())
    assert found.loss() == pytest.approx(expected[40:].mean())
    assert found.loss(rule="zero") == pytest.approx(((actual[40:] / scale) ** 2).mean())
    assert found.scores("b")[0].by_rule["model"].loss == pytest.approx(
        ((predicted - actual)[:40, 1] ** 2).mean() / 0.25
    )
    assert found.table("b").output == "b"


def test_the_table_counts_every_sample_of_both_spans(found):
    for rows in (2, 10, 50):
        frame = found.table(rows=rows).frame
        assert frame["in_sample_count"].sum() == found.scores()[0].samples
        assert frame["out_of_sample_count"].sum() == found.scores()[1].samples
        assert frame["range_start"].iloc[0] == -math.inf
        assert frame["range_end"].iloc[-1] == math.inf
    assert found.table(rows=50).frame.shape[0] > found.table().frame.shape[0]


@pytest.mark.parametrize("kind", ["none", "empty"])
def test_without_an_out_of_sample_span_there_are_no_comparisons(panel, one_symbol, kind):
    made = panel(1, days=(50, 20))
    empty = (
        None
        if kind == "none"
        else type(made.in_sample)(
            *(
                getattr(made.in_sample, name)[:0]
                for name in ("times", "symbols", "inputs", "predicted", "actual")
            )
        )
    )
    found = evaluate(made.outputs, made.scale, made.in_sample, empty)
    assert len(found.scores()) == 1
    assert found.comparisons() == []
    assert found.beats() == ()
    assert math.isnan(found.loss())
    assert [name for name, _, _ in found.table().spans] == ["in-sample"]
    assert found.verdict.startswith("There is no out-of-sample span")
    assert "out-of-sample " not in str(found.table())


def test_one_in_sample_sample_is_enough_to_be_scored(one_symbol, named_output):
    found = evaluate([named_output("y", 1)], np.ones(1), one_symbol([1.0], [2.0]), one_symbol([1.0], [3.0]))
    assert found.scores()[0].by_rule["ridge"].loss == 0.0
    assert found.scores()[1].by_rule["in-sample mean"].loss == 1.0
    assert "out of sample 1 day is too few to tell at a look ahead of 1 bar." in found.verdict


def test_a_diverged_model_is_scored_as_failed_and_counted(one_symbol, named_output):
    actual = np.random.default_rng(1).standard_normal(40)
    spans = one_symbol(np.full(40, np.nan), actual), one_symbol(np.full(40, np.nan), actual, "2002-01-01")
    found = evaluate([named_output("y", 1)], np.ones(1), *spans)
    assert all(math.isnan(figure) for figure in vars(found.scores()[1].by_rule["model"]).values())
    assert found.scores()[1].by_rule["zero"].loss > 0
    assert found.table().frame["out_of_sample_count"].tolist() == [0, 40]
    assert "40 of its predictions out of sample are not finite" in found.verdict
    assert "not finite" in str(found)


def test_json_and_back_is_the_same_evaluation(found):
    back = Evaluation.from_json(found.to_json())
    assert back.to_json() == found.to_json()
    assert str(back) == str(found)
    assert back._repr_html_() == found._repr_html_()
    pd.testing.assert_frame_equal(back.table().frame, found.table().frame)
    document = json.loads(found.to_json())
    assert document["verdict"] == found.verdict
    assert document["results"][0]["spans"][1]["by_rule"]["zero"]["correlation"] is None


def test_what_is_not_a_stored_evaluation_is_refused(found):
    with pytest.raises(DamagedModelError) as refused:
        Evaluation.from_json(found.to_json()[:-20])
    assert str(refused.value) == (
        "the stored evaluation cannot be read (JSONDecodeError); make a new one with model.evaluate(dataset)"
    )
    for text in ("[]", "{}", found.to_json().replace('"samples"', '"sample"')):
        with pytest.raises(DamagedModelError, match=r"^the stored evaluation cannot be read "):
            Evaluation.from_json(text)
    with pytest.raises(DamagedModelError) as refused:
        Evaluation.from_json(found.to_json().replace('"format": 2', '"format": 3'))
    assert str(refused.value) == (
        "the stored evaluation has format 3, but this dlplugin reads 2; make a new one with model.evaluate(dataset)"
    )


@pytest.mark.parametrize(
    ("ask", "error", "message"),
    [
        (lambda found: found.table(rows=1), DefinitionError, "rows is 1; a table has 2 to 50"),
        (lambda found: found.table(rows=51), DefinitionError, "rows is 51; a table has 2 to 50"),
        (lambda found: found.scores(1), DefinitionError, "output is 1; there are 1, counted from 0"),
        (lambda found: found.scores(-1), DefinitionError, "output is -1; there are 1, counted from 0"),
        (lambda found: found.scores(None), DefinitionError, "output is None; there are 1, counted from 0"),
        (lambda found: found.table(rows="5"), DefinitionError, "rows is '5'; a table has 2 to 50"),
        (lambda found: found.table(rows=2.5), DefinitionError, "rows is 2.5; a table has 2 to 50"),
        (
            lambda found: found.table(low="a", high="b"),
            DefinitionError,
            "low is 'a' and high is 'b'; give two numbers, the lower one as low",
        ),
        (lambda found: found.table(by=None), UnknownNameError, "unknown by None; there are: width, count"),
        (
            lambda found: found.comparisons("RSI(5)"),
            UnknownNameError,
            "unknown output 'RSI(5)'; did you mean 'ROC(5)'? there are: ROC(5)",
        ),
        (
            lambda found: found.loss("later"),
            UnknownNameError,
            "unknown span 'later'; there are: in-sample, out-of-sample, holdout",
        ),
        (
            lambda found: found.loss(rule="one"),
            UnknownNameError,
            "unknown rule 'one'; there are: model, in-sample mean, zero, last value, last return's sign, "
            "last return reversed, above 10-day mean, below 10-day mean, ridge",
        ),
    ],
)
def test_what_is_not_there_is_refused(found, ask, error, message):
    with pytest.raises(error, match=f"^{re.escape(message)}$"):
        ask(found)


def test_spans_and_scales_that_do_not_fit_are_refused(panel, named_output, one_symbol):
    made = panel(1, days=(50, 20))
    y, other = named_output("y", 1), one_symbol([1.0], [1.0])
    empty = type(other)(
        *(getattr(other, n)[:0] for n in ("times", "symbols", "inputs", "predicted", "actual"))
    )
    ones = np.ones(1)
    cases = [
        (([y], ones, empty, None), "there are no in-sample samples; an evaluation needs one at least"),
        (
            ([y], ones, made.in_sample, other),
            "out-of-sample inputs have 2 columns, but the in-sample ones 6; both spans need the same inputs",
        ),
        (
            ([y, y], np.ones(2), other, None),
            "in-sample predictions have 1 columns; give one for each of the 2 outputs",
        ),
        (
            ([y], np.ones(2), other, None),
            "output_scale is of shape (2,); give one number for each of the 1 outputs",
        ),
        (([y], np.zeros(1), other, None), "the scale of y is 0.0; it must be finite and above 0"),
        (([named_output("y", 0)], ones, other, None), "the look ahead of y is 0; give 1 or more"),
    ]
    for arguments, message in cases:
        with pytest.raises(SamplesError, match=f"^{re.escape(message)}$"):
            evaluate(*arguments)


@pytest.mark.parametrize("model", ["noise", "overfit", "constant"])
def test_on_random_walks_the_verdict_is_that_the_model_beats_nothing(panel, model):
    found = [evaluated(panel(seed, 5, (120, 60), model=model, symbols=3)) for seed in range(8)]
    assert sum(not each.verdict.startswith("The model beats nothing") for each in found) <= 1


def test_a_planted_signal_of_three_percent_is_found(panel):
    found = [evaluated(panel(seed, 1, (300, 200), r_squared=0.03, model="truth")) for seed in range(8)]
    assert sum("beats the constants" in each.verdict for each in found) >= 7
