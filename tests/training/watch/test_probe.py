"""What a network does on its samples: dead units, collapsed outputs and classes, made by hand."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

import dlplugin as dl
from dlplugin.definition import Definition, EngineSpec, Shapes, engines, to_plain
from dlplugin.definition import settings as settings_class
from dlplugin.engines import Linear, RowReader, build_network
from dlplugin.registry import Entry
from dlplugin.samples import Samples, build_samples
from dlplugin.training.watch import probe as probe_module
from dlplugin.training.watch.behaviour import Layer, Probe, behaviour_findings
from dlplugin.training.watch.probe import probe

Weights = dict[str, NDArray[np.float32]]


@pytest.fixture(scope="module")
def samples(two_stocks: dl.DataSet) -> Samples:
    model = dl.Model(
        "m",
        inputs=[dl.Input("RSI(14)", depth=3), dl.Input("ROC(5)", depth=2)],
        outputs=[dl.Output("ROC(5)", look_ahead=5), dl.Output("RSI(14)", look_ahead=1)],
        engine=dl.MLP(hidden=[8, 4], dropout=0.5),
        store=Path("unused"),
    )
    return build_samples(model.definition, two_stocks, dl.resolve_split(two_stocks, dl.Split()))


def weights_of(definition: Definition, networks: int = 1) -> Weights:
    network = build_network(definition, networks, seed=3)
    return {name: value.numpy().copy() for name, value in network.state_dict().items()}


def changed(definition: Definition, **changes: Any) -> Definition:
    same = {name: getattr(definition, name) for name in ("name", "inputs", "outputs", "engine")}
    return Definition(**(same | changes))


def troubles(found: Probe) -> list[str]:
    return [finding.trouble for finding in behaviour_findings(found)]


def test_layers_and_predictions_are_those_of_the_network_itself(samples: Samples) -> None:
    definition = samples.definition
    weights = weights_of(definition)
    found = probe(definition, weights, samples)
    network = build_network(definition, 1, seed=3).eval()
    read = RowReader(samples.layout, samples.matrix.shape[1])(
        torch.from_numpy(samples.matrix), torch.from_numpy(samples.rows["in-sample"])
    )
    with torch.inference_mode():
        predicted = network(read.unsqueeze(0))[0].numpy()
    assert found.rows == len(samples.rows["in-sample"]) < probe_module.ROWS
    assert [(layer.name, layer.units) for layer in found.layers] == [("1", 8), ("2", 4)]
    assert [one.name for one in found.numbers] == ["ROC(5)", "RSI(14)"]
    np.testing.assert_allclose([one.mean for one in found.numbers], predicted.mean(axis=0), atol=1e-6)
    np.testing.assert_allclose([one.spread for one in found.numbers], predicted.std(axis=0), atol=1e-6)
    np.testing.assert_allclose([one.target_spread for one in found.numbers], 1, atol=1e-5)
    assert found.plain_loss == pytest.approx(1, abs=1e-4)
    assert troubles(found) == []


WINDOW = [dl.Input("RSI(14)", depth=4), dl.Input("ROC(5)", depth=4), dl.Input("ROC(9)", depth=4)]


def of_windows(two_stocks: dl.DataSet, engine: Any) -> Samples:
    definition = Definition("w", WINDOW, [dl.Output("ROC(5)", look_ahead=5)], engine)
    return build_samples(definition, two_stocks, dl.resolve_split(two_stocks, dl.Split()))


def test_a_recurrent_network_is_judged_by_the_states_that_reach_its_output(two_stocks: dl.DataSet) -> None:
    read = of_windows(two_stocks, dl.LSTM(hidden=8))
    weights = weights_of(read.definition, 2)
    (layer,) = probe(read.definition, weights, read).layers
    assert (layer.name, layer.units, layer.dead) == ("before the output", 8, 0)
    for name in (
        "hidden.0.weight",
        "hidden.0.recurrent",
    ):  # three states know the bar, but nothing of the row
        gates = weights[name][1].reshape(4, 8, -1)
        gates[:, :3] = 0
    found = probe(read.definition, weights, read)
    assert found.layers[0].dead == 3 / 8
    assert behaviour_findings(found)[0].evidence.endswith(": 3 of 8 in the layer before the output")
    for name in ("hidden.0.weight", "hidden.0.recurrent"):
        weights[name][:] = 0
    found = probe(read.definition, weights, read)
    assert troubles(found) == ["hidden units are dead"]
    assert behaviour_findings(found)[0].evidence.endswith("the output; so every prediction is the same")


def test_no_advice_is_of_an_option_that_the_engine_lacks() -> None:
    found = Probe(99, (Layer("before the output", 8, 0.5),), (), ())

    def advice(engine: Any) -> str:
        return behaviour_findings(found, dl.TrainingOptions().__dict__ | to_plain(engine))[0].advice

    assert "activation=" in advice(dl.MLP())
    assert "normalisation='layer'" in advice(dl.MLP())
    assert "initialisation='he'" in advice(dl.MLP())
    assert "activation=" not in advice(dl.MLP(activation="gelu"))
    assert "normalisation='layer'" in advice(dl.LSTM())
    assert "activation" not in advice(dl.LSTM())
    assert "initialisation" not in advice(dl.LSTM())
    assert "normalisation" not in advice(dl.ALSTM())


@pytest.mark.parametrize("engine", ["linear", "nlinear", dl.MLP(hidden=[])])
def test_linear_networks_hide_nothing(engine: Any, two_stocks: dl.DataSet) -> None:
    read = of_windows(two_stocks, engine)
    assert probe(read.definition, weights_of(read.definition), read).layers == ()


@settings_class
class Folding:
    """Adds each bar's place to inputs of which the first is left out, and hands them on in some shape."""

    shape: str = "as they are"

    def weights(self, shapes: Shapes) -> int:
        return shapes.row[0] + shapes.row[1] + 1


class FoldingNetwork(nn.Module):
    def __init__(self, options: Folding, shapes: Shapes) -> None:
        super().__init__()
        self.shape = options.shape
        self.places = nn.Parameter(torch.empty(shapes.networks, 1, shapes.row[0], 1))
        self.relu = nn.ReLU()
        self.output = Linear(shapes.networks, shapes.row[1], shapes.outputs)

    def initialise(self, generators: list[torch.Generator]) -> None:
        with torch.no_grad():
            self.places.copy_(torch.arange(1.0, 5.0).view(1, 1, 4, 1))

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        values = rows * torch.tensor([0.0, 1.0, 1.0]) + self.places  # (K, B, W, F)
        K, B, W, F = values.shape
        if self.shape == "patches":  # (K, B, F, P, E)
            self.relu(values.transpose(2, 3).reshape(K, B, F, 2, 2))
        elif self.shape == "inputs folded":
            self.relu(values.transpose(2, 3).reshape(K, B * F, W))
        elif self.shape == "networks folded":
            self.relu(values.reshape(K * B, W, F))
        elif self.shape == "bar by bar":
            for bar in values.unbind(2):
                self.relu(bar)
        elif self.shape == "bars first":
            self.relu(values.permute(2, 0, 1, 3))
        else:
            self.relu(values)
        predicted: torch.Tensor = self.output(values[:, :, -1])
        return predicted


def build_folding(options: Folding, shapes: Shapes) -> nn.Module:
    return FoldingNetwork(options, shapes)


FOLDING = EngineSpec("folding", Folding, f"{__name__}:build_folding", layout="window", chunk=8)


@pytest.mark.parametrize(
    ("shape", "layers"),
    [
        ("as they are", [("1", 12, 1 / 3)]),
        ("patches", [("1", 12, 1 / 3)]),
        ("inputs folded", [("1", 12, 1 / 3)]),
        ("networks folded", [("1", 12, 1 / 3)]),
        ("bar by bar", [("1", 12, 1 / 3)]),
        ("bars first", []),  # not judged
    ],
)
@pytest.mark.parametrize("networks", [1, 4])  # as many as bars, which are no networks for that
def test_what_differs_from_bar_to_bar_and_not_from_row_to_row_is_dead_in_every_shape(
    shape: str, layers: object, networks: int, two_stocks: dl.DataSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(engines._all(), "folding", Entry("folding", f"{__name__}:FOLDING", "for these tests"))
    read = of_windows(two_stocks, Folding(shape=shape))
    found = probe(read.definition, weights_of(read.definition, networks), read)
    assert found.rows % probe_module.ROWS_AT_ONCE != 0  # the last pass has fewer rows
    assert [(layer.name, layer.units, layer.dead) for layer in found.layers] == layers


def test_a_dead_layer_that_a_residual_block_goes_round_leaves_the_predictions_alive(samples: Samples) -> None:
    definition = changed(samples.definition, engine=dl.MLP(hidden=[5, 5], blocks="residual"))
    weights = weights_of(definition)
    weights["hidden.1.layers.0.bias"][:] = -100
    found = probe(definition, weights, samples)
    assert found.layers[1].dead == 1
    assert behaviour_findings(found)[0].evidence.endswith("5 of 5 in layer 2")


@pytest.mark.parametrize("networks", [1, 3])
def test_units_with_a_bias_far_below_0_are_dead_and_a_dead_layer_collapses_the_output(
    samples: Samples, networks: int
) -> None:
    weights = weights_of(samples.definition, networks)
    biases = [name for name in weights if name.endswith("bias")]
    weights[biases[0]][-1, :, :3] = -100
    found = probe(samples.definition, weights, samples)
    assert found.layers[0].dead == 3 / 8
    assert troubles(found) == ["hidden units are dead"]
    assert "3 of 8 in layer 1" in behaviour_findings(found)[0].evidence
    weights[biases[1]][:] = -100
    found = probe(samples.definition, weights, samples)
    assert found.layers[1].dead == 1
    assert troubles(found) == ["hidden units are dead"]  # which explains that all predictions are the same
    assert behaviour_findings(found)[0].evidence.endswith(
        "4 of 4 in layer 2; so every prediction is the same"
    )


def test_a_saturated_unit_is_dead_as_well(samples: Samples) -> None:
    definition = changed(samples.definition, engine=dl.MLP(hidden=[4], activation="tanh"))
    weights = weights_of(definition)
    (bias, *_) = [name for name in weights if name.endswith("bias")]
    weights[bias][:] = 100
    assert probe(definition, weights, samples).layers[0].dead == 1


def test_many_rows_are_thinned_evenly(samples: Samples, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe_module, "ROWS", 100)
    monkeypatch.setattr(probe_module, "ROWS_AT_ONCE", 30)
    found = probe(samples.definition, weights_of(samples.definition), samples)
    rows = samples.rows["in-sample"]
    chosen = samples.targets[rows[np.linspace(0, len(rows) - 1, 100).astype(int)], 0]
    assert found.rows == 100
    assert found.numbers[0].target_mean == pytest.approx(float(chosen.mean()), abs=1e-6)


@pytest.mark.parametrize("thresholds", [[0.0], [-1.0, 1.0]])
def test_classes_are_counted_and_one_class_alone_is_found(samples: Samples, thresholds: list[float]) -> None:
    output = dl.Output("ROC(5)", look_ahead=5, classes=thresholds)
    definition = changed(samples.definition, outputs=(output,))
    classes = output.classify(samples.actual[:, :1]).astype(np.float32)
    classes[samples.rows["in-sample"][:50]] = np.nan  # as a dropped class leaves it
    classed = replace(samples, definition=definition, targets=classes)
    weights = weights_of(definition)
    found = probe(definition, weights, classed)
    assert found.numbers == ()
    assert found.plain_loss is None
    (one,) = found.classes
    known = classes[samples.rows["in-sample"][50:], 0]
    assert one.labels == output.labels
    np.testing.assert_allclose(one.target_shares, [np.mean(known == k) for k in range(len(one.labels))])
    assert sum(one.shares) == pytest.approx(1)
    weights["output.weight"][:] = 0
    weights["output.bias"][:] = 0
    weights["output.bias"][..., -1] = 1  # the highest class, whatever the row
    (one,) = probe(definition, weights, classed).classes
    assert one.shares == (*[0.0] * len(thresholds), 1.0)
    assert "nearly all predictions are of one class" in troubles(probe(definition, weights, classed))


def test_of_quantiles_the_middle_one_is_looked_at(samples: Samples) -> None:
    output = dl.Output("ROC(5)", look_ahead=5, quantiles=[0.1, 0.5, 0.9])
    definition = changed(samples.definition, outputs=(output,))
    weights = weights_of(definition)
    weights["output.weight"][..., [0, 2]] = 0  # the outer ones say the same for every row
    one = replace(samples, definition=definition, targets=samples.targets[:, :1])
    assert troubles(probe(definition, weights, one)) == []
    weights["output.weight"][..., 1] = 0
    weights["output.bias"][..., 1] = 0.25
    found = probe(definition, weights, one)
    assert troubles(found) == ["the output has collapsed to its mean"]
    assert found.numbers[0].mean == 0.25


def test_a_probe_can_be_kept_as_json(samples: Samples) -> None:
    found = probe(samples.definition, weights_of(samples.definition), samples)
    plain: Mapping[str, object] = json.loads(json.dumps(found.to_dict()))
    assert Probe.from_dict(plain) == found
    classes = {"name": "a", "labels": ["x", "y"], "shares": [0.5, 0.5], "target_shares": [0.4, 0.6]}
    kept = Probe.from_dict({**plain, "classes": [classes]})
    assert Probe.from_dict(json.loads(json.dumps(kept.to_dict()))) == kept
