"""The MLP and what all engines stand on: rows alone, networks side by side, seeds."""

import numpy as np
import pytest
import torch

import dlplugin as dl
from dlplugin.engines import RowReader, build_network, seed_networks
from dlplugin.samples import row_layout

ACTIVATIONS = {
    "relu": lambda x: np.maximum(x, 0),
    "tanh": np.tanh,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "silu": lambda x: x / (1 + np.exp(-x)),
    "elu": lambda x: np.where(x > 0, x, np.exp(np.minimum(x, 0)) - 1),
    "leaky_relu": lambda x: np.where(x > 0, x, 0.01 * x),
    "gelu": lambda x: x * 0.5 * (1 + np.vectorize(__import__("math").erf)(x / np.sqrt(2))),
}


def slow_mlp(
    weights: dict[str, np.ndarray], k: int, rows: np.ndarray, activation: str, normalised: bool
) -> np.ndarray:
    """One network, one layer after another, in float64."""
    values = rows.astype(np.float64)
    layers = sorted(
        {int(name.split(".")[1]) for name in weights if name.endswith(".weight") and "hidden" in name}
    )
    for index in layers:
        values = values @ weights[f"hidden.{index}.weight"][k] + weights[f"hidden.{index}.bias"][k]
        if normalised:
            mean, variance = values.mean(axis=1, keepdims=True), values.var(axis=1, keepdims=True)
            values = (values - mean) / np.sqrt(variance + 1e-5)
        values = ACTIVATIONS[activation](values)
    return values @ weights["output.weight"][k] + weights["output.bias"][k]


@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
@pytest.mark.parametrize("normalisation", ["none", "layer"])
def test_each_network_equals_a_slow_one_in_numpy(describe, activation: str, normalisation: str) -> None:
    options = dl.MLP(hidden=[7, 5], activation=activation, normalisation=normalisation)  # type: ignore[arg-type]
    network = build_network(describe(".", engine=options).definition, networks=3, seed=5).eval()
    rows = torch.randn(3, 11, 6, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        given = network(rows).numpy()
    weights = {name: value.numpy() for name, value in network.state_dict().items()}
    assert given.shape == (3, 11, 2)
    for k in range(3):
        wanted = slow_mlp(weights, k, rows[k].numpy(), activation, normalisation == "layer")
        np.testing.assert_allclose(given[k], wanted, atol=2e-6)


def test_network_k_starts_and_shuffles_alike_whatever_the_number_of_networks(describe) -> None:
    definition = describe(".").definition
    one, three = build_network(definition, 1, seed=9), build_network(definition, 3, seed=9)
    for name, value in one.state_dict().items():
        assert torch.equal(three.state_dict()[name][0], value[0])
        assert not torch.equal(three.state_dict()[name][1], value[0])
    orders = [seed_networks(network, 9, epoch=4, samples=50) for network in (one, three)]
    assert torch.equal(orders[0][0], orders[1][0])
    assert not torch.equal(orders[1][0], orders[1][1])
    assert sorted(orders[1][2].tolist()) == list(range(50))
    rows = torch.ones(1, 4, 6)
    assert torch.equal(one.train()(rows)[0], three.train()(rows.expand(3, 4, 6))[0])


def test_each_epoch_has_an_order_and_dropout_of_its_own(describe) -> None:
    network = build_network(describe(".").definition, 1)
    orders, outputs = [], []
    for epoch in (1, 2, 1):
        orders.append(seed_networks(network, 0, epoch, 50))
        outputs.append(network.train()(torch.ones(1, 64, 6)))
    assert torch.equal(orders[0], orders[2])
    assert torch.equal(outputs[0], outputs[2])
    assert not torch.equal(orders[0], orders[1])
    assert not torch.equal(outputs[0], outputs[1])


def test_dropout_keeps_the_mean_and_is_off_when_predicting(describe) -> None:
    layer = next(m for m in build_network(describe(".", engine=dl.MLP([4], dropout=0.25)).definition, 1).modules()
                 if type(m).__name__ == "Dropout")  # fmt: skip
    layer.generators = [torch.Generator().manual_seed(0)]
    values = torch.ones(1, 4000, 4)
    dropped = layer.train()(values)
    assert float((dropped == 0).float().mean()) == pytest.approx(0.25, abs=0.02)
    assert float(dropped.mean()) == pytest.approx(1.0, abs=0.03)
    assert torch.equal(layer.eval()(values), values)


def test_no_hidden_layers_is_a_linear_model(describe) -> None:
    network = build_network(describe(".", engine=dl.MLP(hidden=[])).definition, 1)
    assert [tuple(value.shape) for value in network.parameters()] == [(1, 6, 2), (1, 1, 2)]


def test_rows_are_read_by_index_arithmetic(describe) -> None:
    layout = row_layout(describe(".").definition)
    matrix = torch.arange(30.0).reshape(10, 3)
    read = RowReader(layout, 3)(matrix, torch.tensor([[4, 9]]))
    wanted = [[12, 9, 6, 13, 4, 14], [27, 24, 21, 28, 19, 29]]
    assert read.tolist() == [wanted]
