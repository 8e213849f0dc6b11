"""Permutation importance against scikit-learn and a slow loop, and of signals that were planted."""

import json

import numpy as np
import pytest
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.inspection import permutation_importance
from sklearn.metrics import log_loss, mean_pinball_loss

import dlplugin as dl
from dlplugin.definition import Definition
from dlplugin.errors import DefinitionError, SamplesError
from dlplugin.evaluation.inputs import Importance, importance_of, permutation
from dlplugin.evaluation.inputs.blocks import judged, predict_changed
from dlplugin.evaluation.inputs.importance import OutputImportance, Rise
from dlplugin.evaluation.plain import from_plain
from dlplugin.prediction import Predictor
from dlplugin.samples import Samples
from tests.evaluation.inputs.planted import (
    linear,
    linear_predictor,
    planted_data,
    random_predictor,
    samples_of,
)

FLAT = Definition(
    "flat", [dl.Input("a", depth=3), dl.Input("b", depth=2, increment=4), "c"], [dl.Output("y", look_ahead=1)]
)
WINDOW = Definition(
    "window",
    [dl.Input(name, depth=3, increment=2) for name in "abc"],
    [dl.Output("y", look_ahead=1), dl.Output("close", look_ahead=2, pooled=False)],
    "lstm",
)


def row_of(samples: Samples, bar_of_input: list[int]) -> list[float]:
    """The row of a sample in which each input's history is that of some bar, read cell by cell."""
    definition = samples.definition
    if definition.spec.layout == "flat":
        return [
            samples.matrix[bar - step * item.increment, column]
            for column, (item, bar) in enumerate(zip(definition.inputs, bar_of_input, strict=True))
            for step in range(item.depth)
        ]
    depth, increment = definition.window
    return [
        samples.matrix[bar - step * increment, column]
        for step in reversed(range(depth))
        for column, bar in enumerate(bar_of_input)
    ]


def slow_losses(samples: Samples, predictor: Predictor, bars: list[list[int]], output: int) -> np.ndarray:
    """(S,) squared scaled errors of samples whose inputs are read at `bars` (S, I); the first is the own one."""
    rows = np.array([row_of(samples, each[1:]) for each in bars], dtype=np.float32)
    given = predictor.predict_given(rows.reshape(-1, *samples.layout.shape))[:, predictor.first[output]]
    scaling = samples.output_scaling
    losses = []
    for predicted, (own, *_) in zip(given, bars, strict=True):
        group = samples.owner[own] if scaling.symbols else 0
        came = (samples.actual[own, output] - scaling.center[group, output]) / scaling.scale[group, output]
        losses.append((predicted - came) ** 2)
    return np.array(losses)


@pytest.mark.parametrize("definition", [FLAT, WINDOW], ids=["flat", "window"])
@pytest.mark.parametrize("span", ["out-of-sample", "in-sample"])
def test_rises_are_those_of_a_slow_loop_over_samples(definition: Definition, span: str) -> None:
    samples = samples_of(definition, planted_data({"a": 1.0, "b": 0.3, "c": 0.0}, bars=60))
    predictor = random_predictor(samples, networks=2)
    found = importance_of(samples, predictor, span, repeats=3, seed=5)
    rows = judged(samples, span).rows.tolist()
    assert found.samples == len(rows) > 20
    for output in range(len(definition.outputs)):
        plain = slow_losses(samples, predictor, [[row] * 4 for row in rows], output)
        assert found.outputs[output].loss == pytest.approx(plain.mean(), rel=1e-5)
        for permuted in range(3):
            rises = []
            for repeat in range(3):
                donors = np.random.default_rng([5, repeat]).permutation(len(rows))
                bars = [
                    [row, *(rows[donor] if index == permuted else row for index in range(3))]
                    for row, donor in zip(rows, donors, strict=True)
                ]
                rises.append(slow_losses(samples, predictor, bars, output) - plain)
            one = found.outputs[output].single[permuted]
            assert one.rise == pytest.approx(np.mean(rises), rel=1e-4, abs=1e-7)


def test_rises_are_those_of_scikit_learn() -> None:
    samples = samples_of(linear(["a", "b", "c"]), planted_data({"a": 1.0, "b": 0.5, "c": 0.0}, bars=500))
    predictor = linear_predictor(samples, [[0.7], [0.3], [0.1]])
    found = importance_of(samples, predictor, repeats=60)
    rows = judged(samples, "out-of-sample").rows

    class Estimator(RegressorMixin, BaseEstimator):
        def fit(self) -> None: ...

        def predict(self, given: np.ndarray) -> np.ndarray:
            return given @ np.array([0.7, 0.3, 0.1])

    theirs = permutation_importance(
        Estimator(),
        samples.matrix[rows].astype(np.float64),
        samples.targets[rows, 0],
        scoring="neg_mean_squared_error",
        n_repeats=60,
        random_state=1,
    )
    ours = [one.rise for one in found.outputs[0].single]
    near = 4 * theirs.importances_std / np.sqrt(30)  # of a difference of two means of 60
    assert (np.abs(theirs.importances_mean - ours) < near).all()
    assert ours[0] > 2 * ours[1] > 0


def test_a_planted_input_is_found_with_its_error_and_noise_is_inside_its_own() -> None:
    samples = samples_of(linear(["a", "b", "c"]), planted_data({"a": 1.0, "b": 0.0, "c": 0.0}, bars=600))
    found = importance_of(samples, linear_predictor(samples, [[0.7], [0.2], [-0.2]])).outputs[0]
    planted, *noise = found.single
    expected = 2 * 0.7**2 + 2 * 0.7 * (
        np.sqrt(0.5) - 0.7
    )  # 2w² and what covaries with the error; y is scaled
    assert planted.beyond_error
    assert abs(planted.rise - expected) < planted.error < 0.2
    assert [one.finding for one in noise] == ["not told from nothing"] * 2
    assert found.groups == ()


def test_two_copies_of_a_signal_share_what_their_group_has() -> None:
    dataset = planted_data({"a": 1.0, "c": 0.0}, copies={"b": ("a", 0.2)}, bars=600)
    samples = samples_of(linear(["a", "c", "b"]), dataset)
    found = importance_of(samples, linear_predictor(samples, [[0.35], [0.1], [0.35]]))
    one, noise, other = found.outputs[0].single
    (group,) = found.outputs[0].groups
    alone = importance_of(samples, linear_predictor(samples, [[0.7], [0.1], [0.0]])).outputs[0].single[0]
    assert group.inputs == ("a", "b")
    assert one.rise + other.rise < 0.8 * group.rise
    assert group.rise == pytest.approx(alone.rise, rel=0.1)
    assert group.beyond_error
    assert not noise.beyond_error
    frame = found.frame
    assert frame["group"].tolist() == ["a + b", "c", "a + b"]
    assert frame["group_rise"].tolist() == [group.rise, noise.rise, group.rise]
    assert frame["rise"].tolist() == [one.rise, noise.rise, other.rise]
    assert "permuted together, for they move together: a + b" in str(found)


def test_the_error_counts_days_the_look_ahead_and_what_values_did_elsewhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[tuple[np.ndarray, np.ndarray, int]] = []

    def caught(values: np.ndarray, times: np.ndarray, overlap: int) -> tuple[float, float]:
        seen.append((values, times, overlap))
        return 0.0, 0.25

    monkeypatch.setattr(permutation, "mean_with_error", caught)
    outputs = [dl.Output("y", look_ahead=1), dl.Output("y", look_ahead=4, name="later")]
    samples = samples_of(linear(["a"], outputs), planted_data({"a": 1.0}, bars=80))
    found = importance_of(samples, linear_predictor(samples, [[0.7, 0.1]]), repeats=40)
    assert [overlap for *_, overlap in seen] == [1, 4]
    values, times, _ = seen[0]
    np.testing.assert_array_equal(times, judged(samples, "out-of-sample").times)
    assert found.outputs[0].single[0].error == pytest.approx(1.96 * 0.25)
    # E over donors of (w(x' - x) - e)² - e², and over receivers, for a linear network
    rows = judged(samples, "out-of-sample").rows
    x = samples.matrix[rows, 0].astype(np.float64)
    e = samples.targets[rows, 0] - 0.7 * x
    pairs = (0.7 * (x[None, :] - x[:, None]) - e[:, None]) ** 2  # [who receives, who gives]
    received, gave = pairs.mean(axis=1) - e**2, pairs.mean(axis=0)
    exact = received - received.mean() + gave - gave.mean()
    assert np.corrcoef(values, exact)[0, 1] > 0.95
    assert values.mean() == pytest.approx(0.0, abs=1e-9)


@pytest.mark.slow
def test_nineteen_of_twenty_errors_hold_the_true_rise() -> None:
    outputs = [dl.Output("y", look_ahead=1, scaling="none")]
    inputs = [dl.Input(name, scaling="none") for name in "ab"]
    held = np.zeros(2)
    for seed in range(300):
        dataset = planted_data({"a": 1.0, "b": 0.0}, noise=0.5, bars=300, symbols=1, seed=seed)
        samples = samples_of(linear(inputs, outputs), dataset, dl.Split(0.3, 0.7))
        found = importance_of(samples, linear_predictor(samples, [[1.0], [0.3]]), seed=seed).outputs[0]
        held += [
            abs(one.rise - true) <= one.error for one, true in zip(found.single, (2.0, 0.0), strict=True)
        ]
    assert (held / 300 > 0.93).all()
    assert (held / 300 < 0.985).all()


@pytest.mark.parametrize("engine", ["mlp", "lstm"])
def test_the_symbol_is_one_input_in_flat_rows_and_in_windows(engine: str) -> None:
    inputs = [dl.Input("a", depth=2), dl.Input("symbol", categories=["S0", "S1", "S2"])]
    definition = Definition("own", inputs, [dl.Output("y", look_ahead=1)], engine)
    samples = samples_of(definition, planted_data({"a": 1.0}, bars=60))
    predictor = random_predictor(samples)
    found = importance_of(samples, predictor, repeats=1)
    rows = judged(samples, "out-of-sample").rows
    donors = np.random.default_rng([0, 0]).permutation(len(rows))
    swapped = (
        samples.matrix.copy()
    )  # nothing but the samples' symbols differs, so whole bars can be given other ones
    losses = []
    for row, donor in zip(rows, rows[donors], strict=True):
        swapped[:, 1:] = samples.matrix[donor, 1:]
        came = samples.targets[row, 0]
        losses.append((predictor.predict_scaled(swapped, np.array([row]))[0, 0, 0] - came) ** 2)
    plain = predictor.predict_scaled(samples.matrix, rows)[0, :, 0] - samples.targets[rows, 0]
    assert found.outputs[0].single[1].rise == pytest.approx(
        np.mean(losses) - np.mean(plain**2), rel=1e-4, abs=1e-6
    )
    assert len(found.outputs[0].single) == 2


def test_losses_are_those_of_the_evaluation_for_every_kind_of_output(
    kinds: dict[str, dl.Model], two_stocks: dl.DataSet
) -> None:
    found = {name: model.importance(two_stocks, repeats=1).outputs for name, model in kinds.items()}
    assert [each.loss_name for each in found["networks"]] == ["squared error", "squared error"]
    for output, each in enumerate(found["networks"]):
        scores = kinds["networks"].evaluation.scores(output)[1]
        assert each.loss == pytest.approx(scores.by_rule["model"].loss, rel=1e-5)
    assert found["classes"][0].loss_name == "log loss"
    assert found["classes"][0].loss == pytest.approx(
        kinds["classes"].evaluation.scores()[1].log_loss, rel=1e-5
    )
    assert found["scores"][0].loss_name == "share of wrong classes"
    assert found["scores"][0].loss == pytest.approx(1 - kinds["scores"].evaluation.scores()[1].accuracy)
    assert found["quantiles"][0].loss_name == "pinball loss"


def test_the_pinball_loss_is_scikit_learns() -> None:
    outputs = [dl.Output("y", look_ahead=1, quantiles=[0.1, 0.5, 0.8])]
    samples = samples_of(linear(["a"], outputs), planted_data({"a": 1.0}, bars=60))
    predictor = random_predictor(samples)
    rows = judged(samples, "out-of-sample").rows
    given = predict_changed(predictor, samples, rows)
    losses = [
        mean_pinball_loss(samples.targets[rows, 0], given[:, 1 + index], alpha=level)
        for index, level in enumerate([0.1, 0.5, 0.8])
    ]
    assert importance_of(samples, predictor, repeats=1).outputs[0].loss == pytest.approx(
        np.mean(losses), rel=1e-5
    )


@pytest.mark.parametrize("loss", ["cross-entropy", "hinge"])
def test_samples_of_a_dropped_class_lose_nothing_but_give_their_values(loss: str) -> None:
    ways = dl.Output("y", look_ahead=1, classes=[-0.3, 0.3], drop="middle", name="way")
    samples = samples_of(
        linear(["a", "b"], [dl.Output("y", look_ahead=1), ways]), planted_data({"a": 1.0, "b": 0.5})
    )
    predictor = random_predictor(samples, seed=1, class_loss=loss)
    found = importance_of(samples, predictor, repeats=2).outputs[1]
    rows = judged(samples, "out-of-sample").rows
    known = ~np.isnan(samples.targets[rows, 1])
    assert 0.5 < known.mean() < 0.95

    def mean_loss(given: np.ndarray) -> float:
        predicted = predictor.predict_given(given)[known]
        came = samples.targets[rows[known], 1].astype(int)
        if loss == "hinge":
            return float(np.mean(predicted[:, 1] != came))
        return log_loss(came, predicted[:, 2:4], labels=[0, 1])

    read = samples.matrix[rows]
    plain, permuted = mean_loss(read), []
    for repeat in range(2):
        other = read.copy()
        other[:, 0] = read[np.random.default_rng([0, repeat]).permutation(len(rows)), 0]
        permuted.append(mean_loss(other))
    assert found.loss == pytest.approx(plain, rel=1e-6)
    assert found.single[0].rise == pytest.approx(np.mean(permuted) - plain, rel=1e-5)
    assert 0 < found.single[0].standard_error < 0.2


def test_the_holdout_is_neither_named_nor_read() -> None:
    samples = samples_of(linear(["a", "b"]), planted_data({"a": 1.0, "b": 0.0}, bars=100))
    predictor = linear_predictor(samples, [[0.7], [0.1]])
    found = importance_of(samples, predictor, repeats=2)
    for array in (samples.matrix, samples.actual, samples.targets):
        array[samples.rows["holdout"]] = np.nan
    assert importance_of(samples, predictor, repeats=2) == found
    with pytest.raises(DefinitionError) as error:
        importance_of(samples, predictor, "holdout")
    assert str(error.value) == (
        "span is 'holdout', which stays closed until it is opened by open_holdout(); use 'out-of-sample'"
    )


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"span": "test"}, "span is 'test', but must be 'out-of-sample' or 'in-sample'"),
        ({"repeats": 0}, "repeats is 0, but must be a whole number from 1"),
        ({"repeats": 2.5}, "repeats is 2.5, but must be a whole number from 1"),
        ({"seed": -1}, "seed is -1, but must be a whole number from 0"),
    ],
)
def test_wrong_values_are_named(wrong: dict[str, object], message: str) -> None:
    samples = samples_of(linear(["a"]), planted_data({"a": 1.0}, bars=60))
    with pytest.raises(DefinitionError) as error:
        importance_of(samples, linear_predictor(samples, [[0.7]]), **wrong)  # type: ignore[arg-type]
    assert str(error.value) == message


def test_no_out_of_sample_samples_is_said() -> None:
    samples = samples_of(linear(["a"]), planted_data({"a": 1.0}, bars=60), dl.Split(1.0, 0.0))
    predictor = linear_predictor(samples, [[0.7]])
    with pytest.raises(SamplesError) as error:
        importance_of(samples, predictor)
    assert str(error.value) == "there are no out-of-sample samples; use span='in-sample'"
    assert importance_of(samples, predictor, "in-sample", repeats=1).samples == 177


@pytest.fixture
def shown() -> Importance:
    import pandas as pd

    single = (Rise(("RSI(14)",), 0.25, 0.05), Rise(("<b>",), 0.5, 0.5), Rise(("c",), -0.5, 0.1))
    output = OutputImportance(
        "ROC(5)", 5, "squared error", 0.98765, single, (Rise(("RSI(14)", "c"), 0.75, 0.1),)
    )
    later = OutputImportance("up", 1, "log loss", float("nan"), (Rise(("RSI(14)",), 0.1, float("nan")),), ())
    extent = (pd.Timestamp("2010-01-04"), pd.Timestamp("2010-12-31"))
    return Importance((output, later), "out-of-sample", extent, 1234, 250, 10, 0, 0.7)


def test_the_table_has_rises_errors_bars_and_what_is_told(shown: Importance) -> None:
    assert str(shown).splitlines() == [
        "importance by 10 permutations, out-of-sample 2010-01-04 … 2010-12-31: 1,234 samples, 250 days",
        "",
        "ROC(5), 5 bars ahead: rise of the squared error, which is 0.9877",
        "input                                    rise          ±",
        "<b>                                     0.500      0.980           │██████     not told from nothing",
        "RSI(14)                                 0.250      0.098           │███",
        "c                                      -0.500      0.196     ██████│           better without it",
        "permuted together, for they move together: RSI(14) + c",
        "  2 inputs                              0.750      0.196           │█████████",
        "",
        "up, 1 bar ahead: rise of the log loss, which is –",
        "input                                    rise          ±",
        "RSI(14)                                 0.100          –           │█████████  too few days to tell",
    ]
    html = shown._repr_html_()
    assert "&lt;b&gt;" in html
    assert "<b>" not in html
    assert html.count("<tr>") == 4 + 1 + 1 + 1
    assert repr(shown) == "<Importance: 1 of 4 rises are beyond their errors>"
    assert shown.__rich__().plain.splitlines()[2] == str(shown).splitlines()[2]


def test_its_plain_form_is_json_that_holds_all_of_it(shown: Importance) -> None:
    text = json.dumps(shown.to_dict(), allow_nan=False)
    again = from_plain(Importance, json.loads(text))
    assert json.dumps(again.to_dict()) == text
    assert str(again) == str(shown)


def test_inputs_of_one_name_are_numbered() -> None:
    samples = samples_of(
        linear(["a", dl.Input("a", depth=2), "b"]), planted_data({"a": 1.0, "b": 0.0}, bars=60)
    )
    found = importance_of(samples, linear_predictor(samples, [[0.3], [0.3], [0.0], [0.1]]), repeats=1)
    assert found.frame["input"].tolist() == ["a #1", "a #2", "b"]
    assert found.outputs[0].groups[0].inputs == ("a #1", "a #2")
