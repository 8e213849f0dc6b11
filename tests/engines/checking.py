"""What holds for every network, and slow versions of its parts in NumPy, float64, for one network."""

import math

import numpy as np
import torch
from torch import nn

from dlplugin.definition import Shapes

FloatArray = np.ndarray[tuple[int, ...], np.dtype[np.float64]]

ACTIVATIONS = {
    "relu": lambda x: np.maximum(x, 0),
    "tanh": np.tanh,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "silu": lambda x: x / (1 + np.exp(-x)),
    "elu": lambda x: np.where(x > 0, x, np.exp(np.minimum(x, 0)) - 1),
    "leaky_relu": lambda x: np.where(x > 0, x, 0.01 * x),
    "gelu": lambda x: x * 0.5 * (1 + np.vectorize(math.erf)(x / np.sqrt(2))),
}


def stirred(network: nn.Module) -> nn.Module:
    """Random weights in every parameter, the gains and biases of normalisations too."""
    generator = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.normal_(generator=generator).mul_(0.5)
    return network.eval()


def weights_of(network: nn.Module, k: int) -> dict[str, FloatArray]:
    """Network k's own numbers."""
    return {name: value[k].double().numpy() for name, value in network.state_dict().items()}


def rows_of(*shape: int) -> torch.Tensor:
    """Standard normal rows, the same each time."""
    return torch.randn(*shape, generator=torch.Generator().manual_seed(7))


def assert_near(given: FloatArray, wanted: FloatArray) -> None:
    """Alike but for the rounding of float32, at the scale of the values."""
    assert given.shape == wanted.shape
    np.testing.assert_allclose(given, wanted, rtol=0, atol=2e-6 * max(1.0, float(np.abs(wanted).max())))


def linear(weights: dict[str, FloatArray], name: str, rows: FloatArray) -> FloatArray:
    """(..., inputs) to (..., outputs)."""
    mapped = rows @ weights[f"{name}.weight"]
    return mapped + weights[f"{name}.bias"][0] if f"{name}.bias" in weights else mapped


def normalised(weights: dict[str, FloatArray], name: str, values: FloatArray) -> FloatArray:
    """(n,) of one place."""
    scaled = (values - values.mean()) / np.sqrt(values.var() + 1e-5)
    return scaled * weights[f"{name}.gain"][0] + weights[f"{name}.bias"][0]


def check_network(network: nn.Module, shapes: Shapes, weights: int) -> None:
    """Its weight, a gradient for each of its numbers, and rows that do not know of each other."""
    for parameter in network.parameters():
        assert parameter.shape[0] == shapes.networks
    assert sum(parameter.numel() for parameter in network.parameters()) == shapes.networks * weights
    rows = rows_of(shapes.networks, 64, *shapes.row)
    given = network(rows)
    assert given.shape == (shapes.networks, 64, shapes.outputs)
    given.square().sum().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert (parameter.grad != 0).all(), name
    others = -3 * rows
    others[:, 3] = rows[:, 40]
    with torch.inference_mode():
        alone, among = network(others)[:, 3], network(rows)[:, 40]
    assert torch.equal(alone, among)
