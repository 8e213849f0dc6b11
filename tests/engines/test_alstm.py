"""The LSTM with attention against loops in NumPy."""

import numpy as np
import pytest
import torch
from torch import nn

import dlplugin as dl
from dlplugin.engines import Dropout
from tests.engines.slow_recurrent import network_of, slow_lstm, slow_states, weights_of, windows


def slow_alstm(network: nn.Module, k: int, window: np.ndarray) -> np.ndarray:
    own = weights_of(network, k)
    features = np.tanh(window.astype(np.float64) @ own["features.weight"] + own["features.bias"][0])
    states = slow_states(network, k, features, slow_lstm)
    scores = []
    for state in states:
        seen = np.tanh(state @ own["attention.weight"] + own["attention.bias"][0])
        scores.append(float(seen @ own["score.weight"][:, 0]))
    shares = np.exp(scores) / np.exp(scores).sum()
    looked_back = sum(share * state for share, state in zip(shares, states, strict=True))
    return np.concatenate([states[-1], looked_back]) @ own["output.weight"] + own["output.bias"][0]


@pytest.mark.parametrize("layers", [1, 2])
def test_each_network_equals_a_slow_one_in_numpy(layers: int) -> None:
    network = network_of(dl.ALSTM(features=4, hidden=7, layers=layers))
    rows = windows()
    with torch.inference_mode():
        given = network(rows).numpy()
    assert given.shape == (3, 5, 2)
    for k in range(3):
        np.testing.assert_allclose(
            given[k], [slow_alstm(network, k, row) for row in rows[k].numpy()], atol=2e-6
        )


def test_dropout_is_between_the_layers_and_before_the_output() -> None:
    network = network_of(dl.ALSTM(features=4, hidden=7, layers=3, dropout=0.2))
    seen: list[tuple[int, ...]] = []
    for layer in network.modules():
        if isinstance(layer, Dropout):
            layer.register_forward_hook(lambda layer, given, made: seen.append(tuple(made.shape)))
    network(windows())
    assert seen == [(3, 5, 6, 7), (3, 5, 6, 7), (3, 5, 14)]
