"""Recurrent networks in NumPy and float64: one row, one bar and one unit after another."""

from collections.abc import Callable
from math import exp, tanh

import numpy as np
import torch
from torch import nn

import dlplugin as dl
from dlplugin.definition import Definition, EngineOptions
from dlplugin.engines import build_network

Weights = dict[str, np.ndarray]
SlowLayer = Callable[[Weights, np.ndarray], np.ndarray]


def definition_of(engine: EngineOptions, depth: int = 6, **changes: object) -> Definition:
    """Three inputs of one depth and two outputs."""
    inputs = [dl.Input(text, depth=depth) for text in ("RSI(14)", "ROC(5)", "close / SMA(20) - 1")]
    outputs = [dl.Output("ROC(5)", look_ahead=5), dl.Output("ROC(1)", look_ahead=1)]
    return Definition("small", **({"inputs": inputs, "outputs": outputs, "engine": engine} | changes))  # type: ignore[arg-type]


def network_of(engine: EngineOptions, networks: int = 3, seed: int = 5, **changes: object) -> nn.Module:
    """Every weight is drawn anew, so that also those that begin at 0 or 1 count."""
    network = build_network(definition_of(engine, **changes), networks, seed).eval()  # type: ignore[arg-type]
    generator = torch.Generator().manual_seed(seed)
    for parameter in network.parameters():
        parameter.data.uniform_(-0.9, 0.9, generator=generator)
    return network


def windows(networks: int = 3, batch: int = 5, depth: int = 6, seed: int = 1) -> torch.Tensor:
    return torch.randn(networks, batch, depth, 3, generator=torch.Generator().manual_seed(seed))


def weights_of(network: nn.Module, k: int, below: str = "") -> Weights:
    """Network k's weights whose names begin so, by what follows."""
    return {
        name.removeprefix(below): value[k].double().numpy()
        for name, value in network.state_dict().items()
        if name.startswith(below)
    }


def sigmoid(x: float) -> float:
    return 1 / (1 + exp(-x))


def slow_lstm(own: Weights, window: np.ndarray) -> np.ndarray:
    """(W, inputs) to (W, H)."""
    size = own["recurrent"].shape[1]
    state, memory, states = np.zeros(size), np.zeros(size), []
    for bar in window:
        following = np.empty(size)
        for unit in range(size):
            gates = [
                own["weight"][row] @ bar + own["recurrent"][row] @ state + own["bias"][row]
                for row in range(unit, 4 * size, size)
            ]
            memory[unit] = sigmoid(gates[1]) * memory[unit] + sigmoid(gates[0]) * tanh(gates[2])
            following[unit] = sigmoid(gates[3]) * tanh(memory[unit])
        state = following
        states.append(state)
    return np.array(states)


def slow_gru(own: Weights, window: np.ndarray) -> np.ndarray:
    """(W, inputs) to (W, H)."""
    size = own["recurrent"].shape[0]
    state, states = np.zeros(size), []
    for bar in window:
        following = np.empty(size)
        for unit in range(size):
            reset, keep, new = (
                bar @ own["weight"][:, column] + own["bias"][0, column]
                for column in range(unit, 3 * size, size)
            )
            to_reset, to_keep, to_new = (
                state @ own["recurrent"][:, column] for column in range(unit, 3 * size, size)
            )
            reset, keep = sigmoid(reset + to_reset), sigmoid(keep + to_keep)
            new = tanh(new + reset * (to_new + own["recurrent_bias"][0, unit]))
            following[unit] = (1 - keep) * new + keep * state[unit]
        state = following
        states.append(state)
    return np.array(states)


def slow_states(network: nn.Module, k: int, window: np.ndarray, layer: SlowLayer) -> np.ndarray:
    """(W, F) to (W, H): all layers of `hidden`, every bar of each normalised."""
    values = window.astype(np.float64)
    numbers = sorted({int(name.split(".")[0]) for name in weights_of(network, k, "hidden.")})
    for number in numbers:
        own = weights_of(network, k, f"hidden.{number}.")
        if "gain" in own:
            mean, variance = values.mean(axis=1, keepdims=True), values.var(axis=1, keepdims=True)
            values = (values - mean) / np.sqrt(variance + 1e-5) * own["gain"] + own["bias"]
        else:
            values = layer(own, values)
    return values


def slow_recurrent(network: nn.Module, k: int, window: np.ndarray, layer: SlowLayer) -> np.ndarray:
    """(W, F) to (N,)."""
    output = weights_of(network, k, "output.")
    return slow_states(network, k, window, layer)[-1] @ output["weight"] + output["bias"][0]
