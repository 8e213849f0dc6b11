"""What every engine builds on: shapes, rows read from the matrix, stacked layers, seeds.

A network takes (K, B, D) for flat rows or (K, B, W, F) for windows and gives (K, B, N). K networks
lie side by side in every weight; network k sees and changes only its own slice, and a row's output
depends on that row alone.
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

from dlplugin.definition import Definition, EngineOptions
from dlplugin.engines.embedding import Embedded, Embedding
from dlplugin.samples import RowLayout, row_layout

__all__ = [
    "ACTIVATIONS",
    "Dropout",
    "LayerNorm",
    "Linear",
    "RowReader",
    "Shapes",
    "build_network",
    "seed_networks",
]

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "relu": nn.ReLU,
    "leaky_relu": nn.LeakyReLU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
    "elu": nn.ELU,
}


@dataclass(frozen=True)
class Shapes:
    """The sizes a network is built for.

    Attributes:
        networks: K.
        row: (D,) or (W, F), as the engine's layout says, with embedded categories in their vectors'
            sizes.
        outputs: N, the columns that answer the outputs: one for a number, more for quantiles and
            classes; see `Definition.heads`.
    """

    networks: int
    row: tuple[int, ...]
    outputs: int


def build_network(definition: Definition, networks: int, seed: int = 0) -> nn.Module:
    """The definition's network, K of them, with the initial weights of the seed.

    Network k starts from the same weights whatever K is.
    """
    module, _, name = definition.spec.build.partition(":")
    build = cast(Callable[[EngineOptions, Shapes], nn.Module], getattr(import_module(module), name))
    row = row_layout(definition).shape

    def of_width(width: int) -> nn.Module:
        columns = sum(head.size for head in definition.heads)
        return build(definition.engine, Shapes(networks, (*row[:-1], width), columns))

    embedded = any(item.embedding is not None for item in definition.inputs)
    network = Embedded(definition, networks, of_width) if embedded else of_width(row[-1])
    generators = [_generator(seed, k, 0, 0) for k in range(networks)]
    for layer in network.modules():
        if isinstance(layer, Linear | Embedding):
            layer.initialise(generators)
    return network


def seed_networks(network: nn.Module, seed: int, epoch: int, samples: int) -> Tensor:
    """Starts the random streams of an epoch; a state between epochs needs no generator of its own.

    Args:
        network: Its dropout layers draw from the streams of this epoch.
        seed: The training's seed.
        epoch: From 1.
        samples: S, how many there are to put in order.

    Returns:
        (K, S) int64, the order of the samples for each network; network k's streams do not depend on K.
    """
    networks = next(network.parameters()).shape[0]
    device = next(network.parameters()).device
    for layer in network.modules():
        if isinstance(layer, Dropout):
            layer.generators = [_generator(seed, k, epoch, 1, device) for k in range(networks)]
    orders = [torch.randperm(samples, generator=_generator(seed, k, epoch, 0)) for k in range(networks)]
    return torch.stack(orders)


def _generator(
    seed: int, network: int, epoch: int, purpose: int, device: torch.device | str = "cpu"
) -> torch.Generator:
    state = np.random.SeedSequence([seed, network, epoch, purpose]).generate_state(2, np.uint32)
    generator = torch.Generator(device)
    generator.manual_seed(int(state[0]) << 31 | int(state[1]))
    return generator


class RowReader(nn.Module):
    """Reads rows from the (N, F) matrix: index arithmetic, and no stored copy of all windows."""

    cells: Tensor

    def __init__(self, layout: RowLayout, features: int) -> None:
        super().__init__()
        offsets = torch.from_numpy(layout.column - layout.back * features)
        self.register_buffer("cells", offsets, persistent=False)
        self._shape = layout.shape
        self._features = features

    def forward(self, matrix: Tensor, rows: Tensor) -> Tensor:
        """The rows' cells.

        Args:
            matrix: (N, F), contiguous.
            rows: (...) int64, the bars whose rows are wanted.

        Returns:
            (..., D) or (..., W, F).
        """
        index = (rows * self._features).unsqueeze(-1) + self.cells
        return torch.take(matrix, index).reshape(*rows.shape, *self._shape)


class Linear(nn.Module):
    """K linear layers side by side."""

    def __init__(self, networks: int, inputs: int, outputs: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(networks, inputs, outputs))
        self.bias = nn.Parameter(torch.empty(networks, 1, outputs))

    def initialise(self, generators: list[torch.Generator]) -> None:
        """Uniform in ± 1/√inputs, as torch.nn.Linear does."""
        bound = self.weight.shape[1] ** -0.5
        with torch.no_grad():
            for k, generator in enumerate(generators):
                self.weight[k].uniform_(-bound, bound, generator=generator)
                self.bias[k].uniform_(-bound, bound, generator=generator)

    def forward(self, rows: Tensor) -> Tensor:
        """(K, B, inputs) to (K, B, outputs)."""
        return torch.baddbmm(self.bias, rows, self.weight)


class LayerNorm(nn.Module):
    """K layer normalisations side by side (Ba, Kiros and Hinton, 2016)."""

    def __init__(self, networks: int, features: int) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(networks, 1, features))
        self.bias = nn.Parameter(torch.zeros(networks, 1, features))

    def forward(self, rows: Tensor) -> Tensor:
        """(K, B, features), each row normalised by itself."""
        return nn.functional.layer_norm(rows, rows.shape[-1:]) * self.gain + self.bias


class Dropout(nn.Module):
    """Dropout whose masks come from a stream of each network (Srivastava et al., 2014)."""

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share
        self.generators: list[torch.Generator] = []

    def forward(self, rows: Tensor) -> Tensor:
        """(K, B, features); in training a share of the values is 0, the others grow to make up for it."""
        if not self.training:
            return rows
        kept = torch.empty_like(rows)
        for k, generator in enumerate(self.generators):
            kept[k].bernoulli_(1 - self.share, generator=generator)
        return rows * kept / (1 - self.share)
