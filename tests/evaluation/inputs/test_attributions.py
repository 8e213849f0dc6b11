"""Integrated gradients against the closed form of a linear network, and against a slow Riemann sum."""

import json
import sys

import numpy as np
import pandas as pd
import pytest
import torch

import dlplugin as dl
from dlplugin.definition import Definition
from dlplugin.engines import build_network
from dlplugin.engines.decoding import decode
from dlplugin.errors import DefinitionError, DLPluginError, UnknownNameError
from dlplugin.evaluation.inputs import Attributions, attributions_of
from dlplugin.evaluation.inputs.blocks import judged, read_cells
from dlplugin.evaluation.plain import from_plain
from dlplugin.samples import Samples
from tests.engines.every import DEPTH, SMALL
from tests.evaluation.inputs.planted import (
    linear,
    linear_predictor,
    planted_data,
    random_predictor,
    samples_of,
)

Y = dl.Output("y", look_ahead=1)


def data(bars: int = 60) -> dl.DataSet:
    return planted_data({"a": 1.0, "b": 0.3}, bars=bars)


def test_those_of_a_linear_network_have_a_closed_form_in_the_unit_of_the_output() -> None:
    inputs = [dl.Input("a", depth=2, increment=3, scaling="min-max"), "b"]
    outputs = [dl.Output("y", look_ahead=1), dl.Output("y", look_ahead=1, pooled=False, name="own")]
    samples = samples_of(linear(inputs, outputs), data())
    weights = np.array([[[0.5, 1.0], [0.2, -1.0], [-0.3, 2.0]], [[0.1, 0.0], [0.2, 0.0], [0.5, 1.0]]])
    predictor = linear_predictor(samples, *weights)
    rows = judged(samples, "out-of-sample").rows
    read = read_cells(samples, rows).astype(np.float64)
    baseline = samples.matrix[samples.rows["in-sample"]].astype(np.float64).mean(axis=0)[[0, 0, 1]]
    for output, scale in enumerate(
        (samples.output_scaling.scale[0, 0], samples.output_scaling.scale[samples.owner[rows], 1][:, None])
    ):
        exact = weights.mean(axis=0)[:, output] * (read - baseline) * scale
        found = attributions_of(samples, predictor, output, steps=3)
        frame = found.frame
        assert frame["input"].tolist() == ["a", "a", "b"]
        assert frame["bars_back"].tolist() == [0, 3, 0]
        np.testing.assert_allclose(frame["mean_absolute"], np.abs(exact).mean(axis=0), rtol=1e-4)
        np.testing.assert_allclose(frame["mean"], exact.mean(axis=0), rtol=1e-4, atol=1e-6)
        assert found.complete
        assert found.gap < 1e-5


def answer(
    samples: Samples, network: torch.nn.Module, given: torch.Tensor, kind: str, label: int
) -> torch.Tensor:
    """The scaled number that is attributed, by `decode` itself in all but its gradient."""
    columns = network(given.expand(2, *given.shape))
    if kind == "number":
        return (columns[0, :, 0] + columns[1, :, 0]) / 2
    if kind == "quantiles":
        return ((columns[0] + columns[1]) / 2).median(dim=-1).values
    if kind == "hinge":
        return columns[..., label].mean(dim=0)
    if columns.shape[-1] == 1:
        upper = torch.sigmoid(columns[..., 0])
        return (upper if label else 1 - upper).mean(dim=0)
    return torch.exp(columns[..., label] - torch.logsumexp(columns, dim=-1)).mean(dim=0)


CASES = {
    "number": (Y, None, 0),
    "quantiles": (dl.Output("y", look_ahead=1, quantiles=[0.2, 0.5, 0.7]), None, 0),
    "two classes": (dl.Output("y", look_ahead=1, classes=[0.1]), 0, 0),
    "classes": (dl.Output("y", look_ahead=1, classes=[-0.5, 0.55]), None, 2),
    "hinge": (dl.Output("y", look_ahead=1, classes=[-0.5, 0.55]), "≤ -0.5", 0),
}


@pytest.mark.parametrize(
    "engine", [dl.MLP(hidden=[8], activation="tanh"), dl.LSTM(hidden=4)], ids=["flat", "window"]
)
@pytest.mark.parametrize("kind", list(CASES))
def test_those_of_two_networks_are_a_slow_riemann_sum(kind: str, engine: object) -> None:
    output, label, place = CASES[kind]
    inputs = [dl.Input(name, depth=2) for name in "ab"]
    definition = Definition("riemann", inputs, [output], engine)  # type: ignore[arg-type]
    samples = samples_of(definition, data())
    loss = "hinge" if kind == "hinge" else "cross-entropy"
    predictor = random_predictor(samples, networks=2, seed=3, class_loss=loss)
    found = attributions_of(samples, predictor, most=5, seed=4, label=label)

    network = build_network(definition, 2, 3).eval()
    rows = judged(samples, "out-of-sample").rows
    rows = rows[np.sort(np.random.default_rng(4).choice(len(rows), 5, replace=False))]
    read = torch.from_numpy(read_cells(samples, rows)).reshape(5, *samples.layout.shape)
    mean = samples.matrix[samples.rows["in-sample"]].astype(np.float64).mean(axis=0).astype(np.float32)
    start = torch.from_numpy(mean[samples.layout.column]).reshape(samples.layout.shape)
    shares = ((torch.arange(200) + 0.5) / 200).reshape(-1, *[1] * read.dim())
    at = (start + shares * (read - start)).flatten(0, 1).requires_grad_()  # all steps of all rows
    (slopes,) = torch.autograd.grad(answer(samples, network, at, kind, place).sum(), at)
    total = slopes.reshape(200, *read.shape).sum(dim=0)
    scale = samples.output_scaling.scale[0, 0] if not output.labels else 1.0
    exact = ((read - start) * total / 200).detach().numpy().reshape(5, -1) * scale
    near = 0.02 if kind == "quantiles" else 2e-3  # quantiles that cross have kinks
    for item in range(2):
        for back in range(2):
            own = exact[:, (samples.layout.column == item) & (samples.layout.back == back)]
            row = found.frame.query("input == @inputs[@item].name and bars_back == @back").iloc[0]
            assert row["mean_absolute"] == pytest.approx(np.abs(own).mean(), rel=near, abs=1e-5)
            assert row["mean"] == pytest.approx(own.mean(), rel=near, abs=1e-5)
    assert found.complete

    given = predictor.predict_scaled(samples.matrix, rows)  # what is attributed is what is predicted
    decoded = decode(definition, given, samples.output_scaling.of(None), loss)
    column = 1 + place if output.labels else 0
    center = 0.0 if output.labels else samples.output_scaling.center[0, 0]
    told = answer(samples, network, read, kind, place).detach().numpy() * scale + center
    np.testing.assert_allclose(decoded[:, column], told, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("engine", ["linear", "gru"])
def test_the_symbol_has_one_row_and_categories_are_added_up(engine: str) -> None:
    inputs = [dl.Input("a", depth=3), dl.Input("symbol", categories=["S0", "S1", "S2"])]
    samples = samples_of(Definition("own", inputs, [Y], engine), data())
    found = attributions_of(samples, random_predictor(samples), most=50)
    keys = list(zip(found.frame["input"], found.frame["bars_back"], strict=True))
    assert keys == [("a", 0), ("a", 1), ("a", 2), ("symbol", 0)]
    assert found.complete
    assert found.samples == 50


def test_the_sums_over_depths_come_largest_first() -> None:
    samples = samples_of(linear([dl.Input("b", depth=2), "a"]), data())
    found = attributions_of(samples, linear_predictor(samples, [[0.1], [0.1], [1.0]]))
    assert found.by_input.index.tolist() == ["a", "b"]
    own = found.frame[found.frame["input"] == "b"]
    assert found.by_input.loc["b", "mean_absolute"] == pytest.approx(own["mean_absolute"].sum())
    assert found.by_input.loc["b", "mean"] == pytest.approx(own["mean"].sum())


def test_too_few_steps_are_incomplete_and_it_is_said() -> None:
    definition = Definition("kinks", ["a", "b"], [Y], dl.MLP(hidden=[32, 32]))
    samples = samples_of(definition, data())
    predictor = random_predictor(samples)
    few, many = (attributions_of(samples, predictor, steps=steps) for steps in (1, 128))
    assert few.gap > 0.01 > many.gap
    assert not few.complete
    assert many.complete
    assert "1 steps, incomplete, give more steps (gap " in str(few).replace("\n", " ")
    assert "128 steps, complete (gap 0." in str(many).replace("\n", " ")


def test_without_captum_it_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    samples = samples_of(linear(["a"]), data())
    monkeypatch.setitem(sys.modules, "captum.attr", None)
    with pytest.raises(DLPluginError) as error:
        attributions_of(samples, linear_predictor(samples, [[1.0]]))
    assert str(error.value) == (
        "attributions need captum, which is not installed; install it with: pip install 'dlplugin[explain]'"
    )


@pytest.mark.parametrize(
    ("wrong", "kind", "message"),
    [
        ({"output": "z"}, UnknownNameError, "unknown output 'z'; there are: y, up"),
        ({"output": 2}, DefinitionError, "output is 2, but must be a name, or a number from 0 to 1"),
        ({"label": 0}, DefinitionError, "label is 0, but 'y' has no classes; leave out label="),
        ({"output": "up", "label": "low"}, UnknownNameError, "unknown label 'low'; there are: < 0, ≥ 0"),
        ({"most": 0}, DefinitionError, "samples is 0, but must be a whole number from 1"),
        ({"steps": True}, DefinitionError, "steps is True, but must be a whole number from 1"),
    ],
)
def test_wrong_values_are_named(wrong: dict[str, object], kind: type[Exception], message: str) -> None:
    outputs = [Y, dl.Output("y", look_ahead=1, classes=[0], name="up")]
    samples = samples_of(linear(["a"], outputs), data())
    with pytest.raises(kind) as error:
        attributions_of(samples, linear_predictor(samples, [[1.0, 1.0]]), **wrong)  # type: ignore[arg-type]
    assert str(error.value) == message


@pytest.fixture
def shown() -> Attributions:
    extent = (pd.Timestamp("2010-01-04"), pd.Timestamp("2010-12-31"))
    rows = (("RSI(14)", 0, 0.4, 0.1), ("RSI(14)", 1, 0.1, -0.2), ("<b>", 0, 1.0, 0.25))
    return Attributions("ROC(5)", "ROC(5)", "out-of-sample", extent, 2000, 64, 0, rows, 0.0042)


def test_the_table_has_a_row_for_each_input_and_its_depths_as_blocks(shown: Attributions) -> None:
    assert str(shown).splitlines() == [
        "attributions to predicted ROC(5), out-of-sample 2010-01-04 … 2010-12-31: 2,000 samples, 64 steps,",
        "complete (gap 0.42 %)",
        "",
        "input                                mean size        mean                   by depth, newest last",
        "<b>                                       1.00        0.25         │███████",
        "RSI(14)                                   0.50      -0.100         │███▌     ▁▄",
    ]
    html = shown._repr_html_()
    assert "&lt;b&gt;" in html
    assert "<b>" not in html
    assert "▁▄" in html
    assert repr(shown) == "<Attributions to predicted ROC(5): <b>, RSI(14) first>"
    assert " ".join(shown.__rich__().plain.splitlines()[:2]) == shown.title


def test_its_plain_form_is_json_that_holds_all_of_it(shown: Attributions) -> None:
    assert from_plain(Attributions, json.loads(json.dumps(shown.to_dict(), allow_nan=False))) == shown


@pytest.mark.parametrize("engine", list(SMALL))
def test_those_of_every_engine_add_up_also_after_it_has_predicted(engine: str) -> None:
    inputs = [dl.Input(name, depth=DEPTH) for name in "ab"]
    samples = samples_of(Definition("every", inputs, [Y], SMALL[engine]), data(70))
    predictor = random_predictor(samples, networks=2)
    rows = judged(samples, "out-of-sample").rows[:4]
    given = predictor.predict_given(read_cells(samples, rows).reshape(-1, *samples.layout.shape))
    found, gaps = predictor.attribute(
        read_cells(samples, rows).reshape(-1, *samples.layout.shape),
        np.zeros(samples.layout.shape, dtype=np.float32),
        output=0,
        label=0,
        steps=64,
    )
    start = predictor.predict_given(np.zeros((1, *samples.layout.shape), dtype=np.float32))
    added = found.reshape(4, -1).sum(axis=1)
    np.testing.assert_allclose(added, given[:, 0] - start[0, 0], atol=0.03)  # norms are steep at 0
    np.testing.assert_allclose(added - gaps, given[:, 0] - start[0, 0], atol=1e-5)
    assert np.abs(added).max() > 1e-3


def test_a_failed_prediction_is_not_complete_and_a_constant_network_is() -> None:
    samples = samples_of(linear(["a"]), data())
    assert attributions_of(samples, linear_predictor(samples, [[0.0]])).gap == 0.0
    failed = attributions_of(samples, linear_predictor(samples, [[np.nan]]))
    assert not failed.complete
    assert np.isnan(failed.gap)
    assert "incomplete" in str(failed)
