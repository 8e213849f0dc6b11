"""The LSTM against loops in NumPy and against PyTorch's own module."""

import numpy as np
import pytest
import torch
from torch import nn

import dlplugin as dl
from dlplugin.engines.lstm import LSTMLayer
from tests.engines.slow_recurrent import network_of, slow_lstm, slow_recurrent, windows


@pytest.mark.parametrize("normalisation", ["none", "layer"])
@pytest.mark.parametrize("layers", [1, 3])
def test_each_network_equals_a_slow_one_in_numpy(layers: int, normalisation: str) -> None:
    network = network_of(dl.LSTM(hidden=7, layers=layers, normalisation=normalisation))  # type: ignore[arg-type]
    rows = windows()
    with torch.inference_mode():
        given = network(rows).numpy()
    assert given.shape == (3, 5, 2)
    for k in range(3):
        wanted = [slow_recurrent(network, k, row, slow_lstm) for row in rows[k].numpy()]
        np.testing.assert_allclose(given[k], wanted, atol=2e-6)


def test_layers_equal_pytorchs_own_with_their_gradients() -> None:
    network = network_of(dl.LSTM(hidden=7, layers=2))
    layers = [layer for layer in network.modules() if isinstance(layer, LSTMLayer)]
    rows = windows()
    layers[1](layers[0](rows)).square().sum().backward()
    for k in range(3):
        own = nn.LSTM(3, 7, num_layers=2, batch_first=True)
        for n, layer in enumerate(layers):
            own.get_parameter(f"weight_ih_l{n}").data = layer.weight.data[k].clone()
            own.get_parameter(f"weight_hh_l{n}").data = layer.recurrent.data[k].clone()
            own.get_parameter(f"bias_ih_l{n}").data = layer.bias.data[k].clone()
            nn.init.zeros_(own.get_parameter(f"bias_hh_l{n}"))
        states = own(rows[k])[0]
        torch.testing.assert_close(layers[1](layers[0](rows))[k], states, atol=1e-6, rtol=0)
        states.square().sum().backward()
        for n, layer in enumerate(layers):
            for mine, name in (
                (layer.weight, "weight_ih"),
                (layer.recurrent, "weight_hh"),
                (layer.bias, "bias_ih"),
            ):
                assert mine.grad is not None
                wanted = own.get_parameter(f"{name}_l{n}").grad
                torch.testing.assert_close(mine.grad[k], wanted, atol=1e-5, rtol=1e-5)
