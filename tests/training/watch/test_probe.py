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

import dlplugin as dl
from dlplugin.definition import Definition
from dlplugin.engines import RowReader, build_network
from dlplugin.samples import Samples, build_samples
from dlplugin.training.watch import probe as probe_module
from dlplugin.training.watch.behaviour import Probe, behaviour_findings
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
