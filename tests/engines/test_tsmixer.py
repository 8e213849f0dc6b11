"""The mixer against a slow one in NumPy."""

import numpy as np
import pytest
import torch

import dlplugin as dl
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


def definition_of(describe, options: dl.TSMixer, depth: int = 5):
    inputs = [dl.Input(text, depth=depth) for text in ("RSI(14)", "ROC(5)", "close / SMA(20) - 1")]
    return describe(".", inputs=inputs, engine=options).definition


def slow(weights: dict[str, FloatArray], window: FloatArray, options: dl.TSMixer) -> FloatArray:
    """One window (W, F), one input and one bar after another."""
    W, F = window.shape
    active = ACTIVATIONS[options.activation]

    def norm(name: str, values: FloatArray) -> FloatArray:
        if options.normalisation == "none":
            return values
        return normalised(weights, f"{name}.norm", values.ravel()).reshape(W, F)

    for block in range(options.blocks):
        name = f"blocks.{block}.across_bars"
        seen, added = norm(f"{name}.0", window), np.zeros((W, F))
        for f in range(F):
            added[:, f] = active(linear(weights, f"{name}.1.layer", seen[:, f]))
        window = window + added
        name = f"blocks.{block}.across_inputs"
        seen, added = norm(f"{name}.0", window), np.zeros((W, F))
        for t in range(W):
            added[t] = linear(weights, f"{name}.4", active(linear(weights, f"{name}.1", seen[t])))
        window = window + added
    return linear(weights, "output", window.ravel())


@pytest.mark.parametrize("normalisation", ["none", "layer"])
@pytest.mark.parametrize(("blocks", "activation"), [(1, "gelu"), (2, "tanh"), (3, "silu")])
def test_each_network_equals_a_slow_one_in_numpy(describe, normalisation, blocks: int, activation) -> None:
    options = dl.TSMixer(blocks=blocks, hidden=4, activation=activation, normalisation=normalisation)
    definition = definition_of(describe, options)
    network = stirred(build_network(definition, 3))
    check_network(network, definition.shapes(3), definition.weights)
    rows = rows_of(3, 7, 5, 3)
    given = network(rows).detach().numpy()
    for k in range(3):
        wanted = np.array([slow(weights_of(network, k), row, options) for row in rows[k].double().numpy()])
        assert_near(given[k], wanted)


def test_it_knows_which_bar_comes_first(describe) -> None:
    network = build_network(definition_of(describe, dl.TSMixer()), 1)
    rows = rows_of(1, 20, 5, 3)
    assert not torch.allclose(network(rows), network(rows.flip(2)), atol=1e-3)


def test_dropout_is_drawn_after_both_maps_from_each_networks_own_stream(describe) -> None:
    networks = [build_network(definition_of(describe, dl.TSMixer(dropout=0.4)), K, 9) for K in (1, 3)]
    assert sum(type(layer).__name__ == "Dropout" for layer in networks[0].modules()) == 2 * 3
    rows = rows_of(1, 20, 5, 3)
    for network in networks:
        seed_networks(network, 9, epoch=4, samples=50)
    one, three = (
        network.train()(rows.expand(len(network.output.weight), -1, -1, -1)) for network in networks
    )
    torch.testing.assert_close(one[0], three[0])
    assert not torch.allclose(one[0], networks[0].eval()(rows)[0], atol=1e-3)


def test_one_bar_is_refused(describe) -> None:
    with pytest.raises(DefinitionError) as error:
        definition_of(describe, dl.TSMixer(), 1)
    assert str(error.value) == (
        "engine 'tsmixer' reads windows of 2 bars or more, but the inputs have a depth of 1 bar; "
        "give each a greater depth, such as dl.Input('RSI(14)', depth=16)"
    )


def test_wrong_options_are_refused() -> None:
    for options, message in (
        ({"blocks": 0}, "blocks is 0, but should be greater than or equal to 1"),
        ({"hidden": 0}, "hidden is 0, but should be greater than or equal to 1"),
        ({"normalisation": "batch"}, "normalisation is 'batch', but should be 'none' or 'layer'"),
    ):
        with pytest.raises(DefinitionError) as error:
            dl.TSMixer(**options)
        assert str(error.value) == f"TSMixer: {message}"
