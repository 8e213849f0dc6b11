"""The GRU against loops in NumPy, against PyTorch's own module, and its two ways against each other."""

import numpy as np
import pytest
import torch
from torch import nn

import dlplugin as dl
from dlplugin.engines.gru import GRULayer
from tests.engines.slow_recurrent import network_of, slow_gru, slow_recurrent, windows


@pytest.mark.parametrize("normalisation", ["none", "layer"])
@pytest.mark.parametrize(("hidden", "layers"), [(7, 1), (7, 3), (13, 2)])
def test_each_network_equals_a_slow_one_in_numpy(hidden: int, layers: int, normalisation: str) -> None:
    network = network_of(dl.GRU(hidden=hidden, layers=layers, normalisation=normalisation))  # type: ignore[arg-type]
    rows = windows()
    with torch.inference_mode():
        given = network(rows).numpy()
    assert given.shape == (3, 5, 2)
    for k in range(3):
        wanted = [slow_recurrent(network, k, row, slow_gru) for row in rows[k].numpy()]
        np.testing.assert_allclose(given[k], wanted, atol=2e-6)


def test_layers_equal_pytorchs_own_with_their_gradients() -> None:
    network = network_of(dl.GRU(hidden=7, layers=2))
    layers = [layer for layer in network.modules() if isinstance(layer, GRULayer)]
    rows = windows()
    given = layers[1](layers[0](rows))
    given.square().sum().backward()
    for k in range(3):
        own = nn.GRU(3, 7, num_layers=2, batch_first=True)
        for n, layer in enumerate(layers):
            own.get_parameter(f"weight_ih_l{n}").data = layer.weight.data[k].T.clone()
            own.get_parameter(f"weight_hh_l{n}").data = layer.recurrent.data[k].T.clone()
            own.get_parameter(f"bias_ih_l{n}").data = layer.bias.data[k, 0].clone()
            own.get_parameter(f"bias_hh_l{n}").data = torch.cat(
                [torch.zeros(14), layer.recurrent_bias.data[k, 0]]
            )
        states = own(rows[k])[0]
        torch.testing.assert_close(given[k], states, atol=1e-6, rtol=0)
        states.square().sum().backward()
        for n, layer in enumerate(layers):
            grads = {
                name: own.get_parameter(f"{name}_l{n}").grad for name in ("weight_ih", "weight_hh", "bias_ih")
            }
            last = own.get_parameter(f"bias_hh_l{n}").grad
            assert last is not None
            for mine, wanted in (
                (layer.weight, grads["weight_ih"].T),
                (layer.recurrent, grads["weight_hh"].T),
                (layer.bias, grads["bias_ih"][None]),
                (layer.recurrent_bias, last[None, 14:]),
            ):
                assert mine.grad is not None
                torch.testing.assert_close(mine.grad[k], wanted, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("hidden", [5, 20])
def test_networks_in_turn_and_side_by_side_give_the_same_states_and_gradients(hidden: int) -> None:
    layer = next(each for each in network_of(dl.GRU(hidden=hidden)).modules() if isinstance(each, GRULayer))
    found = []
    for way in (layer.in_turn, layer.side_by_side):
        rows = windows().requires_grad_()
        states = way(rows)
        assert states.shape == (3, 5, 6, hidden)
        states.square().sum().backward()
        found.append([states.detach(), rows.grad, *(parameter.grad for parameter in layer.parameters())])
        layer.zero_grad()
    for in_turn, side_by_side in zip(*found, strict=True):
        torch.testing.assert_close(in_turn, side_by_side, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(found[0][0], found[1][0], atol=1e-6, rtol=0)
