"""Residual and gated layers of the MLP against slow ones in NumPy; plain ones are what they were."""

from itertools import pairwise

import numpy as np
import pytest

import dlplugin as dl
from dlplugin.definition import Definition
from dlplugin.engines import build_network, seed_networks
from dlplugin.errors import DefinitionError
from tests.engines.checking import (
    ACTIVATIONS,
    FloatArray,
    assert_near,
    check_network,
    linear,
    normalised,
    rows_of,
    stirred,
    weights_of,
)


def slow(weights: dict[str, FloatArray], row: FloatArray, options: dl.MLP) -> FloatArray:
    """One row (D,), one layer after another."""
    active = ACTIVATIONS[options.activation]
    each = 1 + (options.normalisation == "layer")  # modules that a gated layer is made of
    for index, (inputs, neurons) in enumerate(pairwise((len(row), *options.hidden))):
        if options.blocks == "residual":
            name = f"hidden.{index}"
            mapped = linear(weights, f"{name}.layers.0", row)
            if options.normalisation == "layer":
                mapped = normalised(weights, f"{name}.layers.1", mapped)
            skipped = row if inputs == neurons else linear(weights, f"{name}.skip", row)
            row = skipped + active(mapped)
        else:
            both = linear(weights, f"hidden.{each * index}.both", row)
            row = both[:neurons] * active(both[neurons:])
            if options.normalisation == "layer":
                row = normalised(weights, f"hidden.{each * index + 1}", row)
    return linear(weights, "output", row)


@pytest.mark.parametrize("blocks", ["residual", "gated"])
@pytest.mark.parametrize("normalisation", ["none", "layer"])
@pytest.mark.parametrize("activation", ["tanh", "gelu"])
def test_each_network_equals_a_slow_one_in_numpy(describe, blocks, normalisation, activation) -> None:
    options = dl.MLP([6, 4, 4, 5], activation, normalisation=normalisation, blocks=blocks)
    definition = describe(".", engine=options).definition  # 6 inputs: two layers keep the size, two do not
    network = stirred(build_network(definition, 3))
    check_network(network, definition.shapes(3), definition.weights)
    rows = rows_of(3, 7, 6)
    given = network(rows).detach().numpy()
    for k in range(3):
        wanted = np.array([slow(weights_of(network, k), row, options) for row in rows[k].double().numpy()])
        assert_near(given[k], wanted)


def test_a_residual_layer_skips_without_biases_and_only_where_sizes_differ(describe) -> None:
    network = build_network(describe(".", engine=dl.MLP([6, 4], blocks="residual")).definition, 2)
    assert [name for name in network.state_dict() if "skip" in name] == ["hidden.1.skip.weight"]


@pytest.mark.parametrize("blocks", ["residual", "gated"])
def test_dropout_is_the_last_step_and_leaves_what_is_skipped(describe, blocks) -> None:
    options = dl.MLP([6], "sigmoid", 0.5, "layer", blocks)
    network = build_network(describe(".", engine=options).definition, 1)
    seed_networks(network, 0, 1, 50)
    rows = rows_of(1, 500, 6)
    hidden = network.train().hidden(rows)
    unchanged = hidden == (rows if blocks == "residual" else 0)
    assert float(unchanged.float().mean()) == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize("blocks", ["plain", "residual", "gated"])
def test_without_hidden_layers_all_three_are_one_linear_map(describe, blocks) -> None:
    definition = describe(".", engine=dl.MLP([], blocks=blocks)).definition
    assert list(build_network(definition, 1).state_dict()) == ["output.weight", "output.bias"]
    assert definition.weights == (6 + 1) * 2


def test_plain_layers_have_the_names_and_the_order_of_stored_models(describe) -> None:
    options = dl.MLP([5, 4], dropout=0.1, normalisation="layer")
    network = build_network(describe(".", engine=options).definition, 2)
    assert {name: tuple(value.shape) for name, value in network.state_dict().items()} == {
        "hidden.0.weight": (2, 6, 5),
        "hidden.0.bias": (2, 1, 5),
        "hidden.1.gain": (2, 1, 5),
        "hidden.1.bias": (2, 1, 5),
        "hidden.4.weight": (2, 5, 4),
        "hidden.4.bias": (2, 1, 4),
        "hidden.5.gain": (2, 1, 4),
        "hidden.5.bias": (2, 1, 4),
        "output.weight": (2, 4, 2),
        "output.bias": (2, 1, 2),
    }
    assert [type(layer).__name__ for layer in network.hidden] == 2 * [
        "Linear",
        "LayerNorm",
        "ReLU",
        "Dropout",
    ]


BEFORE = "8b6737a74e25c367889fabe12934b55fc96d89f3f37bb9e4f8c7d5e8246edb04"  # of the code without `blocks`


def test_a_definition_from_before_there_were_blocks_keeps_its_hash_and_its_text() -> None:
    outputs = [dl.Output("ROC(5)", look_ahead=5)]
    old = Definition("a", ["RSI(14)"], outputs)
    assert old.hash == BEFORE
    assert Definition("a", ["RSI(14)"], outputs, dl.MLP(blocks="plain")).hash == BEFORE
    assert set(old.to_dict()["engine"]) == {"name", "hidden", "activation", "dropout", "normalisation"}


@pytest.mark.parametrize("blocks", ["plain", "residual", "gated"])
def test_a_text_with_blocks_reads_back(blocks) -> None:
    made = Definition("a", ["RSI(14)"], [dl.Output("ROC(5)", look_ahead=5)], dl.MLP([8], blocks=blocks))
    for read in (Definition.from_json(made.to_json()), Definition.from_yaml(made.to_yaml())):
        assert read == made
        assert read.hash == made.hash
        assert read.engine == dl.MLP([8], blocks=blocks)
    assert (made.hash == Definition("a", made.inputs, made.outputs, dl.MLP([8])).hash) == (blocks == "plain")
    plain = made.to_dict()
    plain["engine"]["blocks"] = blocks  # spelled out by hand
    assert Definition.from_dict(plain) == made


def test_other_blocks_are_refused() -> None:
    with pytest.raises(DefinitionError) as error:
        dl.MLP(blocks="dense")  # type: ignore[arg-type]
    assert str(error.value) == "MLP: blocks is 'dense', but should be 'plain', 'residual' or 'gated'"
