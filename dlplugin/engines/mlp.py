"""The multi-layer perceptron."""

from itertools import pairwise

import torch
from torch import Tensor, nn

from dlplugin.definition import MLP, Shapes
from dlplugin.engines.layers import ACTIVATIONS, Dropout, LayerNorm, Linear

__all__ = ["MLPNetwork", "build"]


class MLPNetwork(nn.Module):
    """Hidden layers, plain, residual or gated; then a linear output."""

    def __init__(self, options: MLP, shapes: Shapes) -> None:
        super().__init__()
        sizes = (*shapes.row, *options.hidden)
        layers: list[nn.Module] = []
        for inputs, neurons in pairwise(sizes):
            layers += _hidden_layer(options, shapes.networks, inputs, neurons)
        self.hidden = nn.Sequential(*layers)
        self.output = Linear(shapes.networks, sizes[-1], shapes.outputs)

    def forward(self, rows: Tensor) -> Tensor:
        """Scaled inputs to scaled outputs."""
        values: Tensor = self.hidden(rows)  # (K, B, D) -> (K, B, H)
        predicted: Tensor = self.output(values)  # (K, B, N)
        return predicted


def _hidden_layer(options: MLP, networks: int, inputs: int, neurons: int) -> list[nn.Module]:
    """What stands one after another between (K, B, inputs) and (K, B, neurons)."""
    activation = ACTIVATIONS[options.activation]()
    norm = [LayerNorm(networks, neurons)] if options.normalisation == "layer" else []
    dropout = [Dropout(options.dropout)] if options.dropout else []
    if options.blocks == "gated":
        return [_Gated(networks, inputs, neurons, activation), *norm, *dropout]
    plain = [Linear(networks, inputs, neurons), *norm, activation, *dropout]
    if options.blocks == "residual":
        return [_Residual(networks, inputs, neurons, plain)]
    return plain


class _Residual(nn.Module):
    """Adds what its layers make of a row to the row itself, mapped where sizes differ (He et al., 2016)."""

    def __init__(self, networks: int, inputs: int, neurons: int, layers: list[nn.Module]) -> None:
        super().__init__()
        same = inputs == neurons
        self.layers = nn.Sequential(*layers)
        self.skip = nn.Identity() if same else Linear(networks, inputs, neurons, biases=False)

    def forward(self, rows: Tensor) -> Tensor:
        """(K, B, inputs) to (K, B, neurons)."""
        total: Tensor = self.skip(rows) + self.layers(rows)
        return total


class _Gated(nn.Module):
    """The product of one map and the activation of another (Dauphin et al., 2017; Shazeer, 2020)."""

    def __init__(self, networks: int, inputs: int, neurons: int, activation: nn.Module) -> None:
        super().__init__()
        self.both = Linear(networks, inputs, 2 * neurons)
        self.activation = activation

    def forward(self, rows: Tensor) -> Tensor:
        """(K, B, inputs) to (K, B, neurons)."""
        value, gate = torch.chunk(self.both(rows), 2, dim=-1)
        product: Tensor = value * self.activation(gate)
        return product


def build(options: MLP, shapes: Shapes) -> MLPNetwork:
    """K perceptrons of these options; weights are not initialised yet."""
    return MLPNetwork(options, shapes)
