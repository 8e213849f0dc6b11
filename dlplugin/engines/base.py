"""What every engine builds on: shapes, rows read from the matrix, stacked layers, seeds.

A network takes (K, B, D) for flat rows or (K, B, W, F) for windows and gives (K, B, N). K networks
lie side by side in every weight; network k sees and changes only its own slice, and a row's output
depends on that row alone. A layer that draws its own initial weights has a method
`initialise(generators)` with one generator a network; weights inside a `Linear` are drawn there.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from importlib import import_module
from typing import Literal, cast

import numpy as np
import torch
from torch import Tensor, nn

from dlplugin.definition import Definition, EngineOptions
from dlplugin.engines.embedding import Embedded
from dlplugin.samples import RowLayout, row_layout

__all__ = [
    "ACTIVATIONS",
    "Dropout",
    "LayerNorm",
    "Linear",
    "Purpose",
    "RowReader",
    "Shapes",
    "build_network",
    "output_layer",
    "seed_networks",
    "streams",
]

Initialisation = Literal["uniform", "xavier", "he", "orthogonal"]

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "relu": nn.ReLU,
    "leaky_relu": nn.LeakyReLU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
    "elu": nn.ELU,
}


class Purpose(IntEnum):
    """What a random stream is for; the numbers are part of every seed, and never change."""

    ORDER = 0  # in epoch 0: the initial weights
    DROPOUT = 1
    SAMPLING = 2
    NOISE = 3
    MASKING = 4
    MAGNITUDE = 5


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


def build_network(
    definition: Definition,
    networks: int,
    seed: int = 0,
    initialisation: Initialisation = "uniform",
    zero_biases: bool = False,
) -> nn.Module:
    """The definition's network, K of them, with the initial weights of the seed.

    Network k starts from the same weights whatever K is.

    Args:
        definition: Inputs, outputs and engine.
        networks: K.
        seed: Of the initial weights.
        initialisation: How every `Linear` begins, see there; layers with an `initialise` of their own
            begin as that says.
        zero_biases: Biases of every `Linear` begin at 0; the weights are the same without it.
    """
    module, _, name = definition.spec.build.partition(":")
    build = cast(Callable[[EngineOptions, Shapes], nn.Module], getattr(import_module(module), name))
    row = row_layout(definition).shape

    def of_width(width: int) -> nn.Module:
        columns = sum(head.size for head in definition.heads)
        return build(definition.engine, Shapes(networks, (*row[:-1], width), columns))

    embedded = any(item.embedding is not None for item in definition.inputs)
    network = Embedded(definition, networks, of_width) if embedded else of_width(row[-1])
    generators = streams(seed, networks, 0, Purpose.ORDER)
    for layer in network.modules():
        if isinstance(layer, Linear):
            layer.initialise(generators, initialisation, zero_biases)
        elif callable(initialise := getattr(layer, "initialise", None)):
            initialise(generators)
    return network


def output_layer(network: nn.Module) -> nn.Module | None:
    """The layer that gives the outputs: the engine's attribute `output`, or else its last `Linear`."""
    own = network.network if isinstance(network, Embedded) else network
    named = getattr(own, "output", None)
    if isinstance(named, nn.Module):
        return named
    return next((layer for layer in reversed(list(own.modules())) if isinstance(layer, Linear)), None)


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
            layer.generators = streams(seed, networks, epoch, Purpose.DROPOUT, device)
    generators = streams(seed, networks, epoch, Purpose.ORDER)
    return torch.stack([torch.randperm(samples, generator=generator) for generator in generators])


def streams(
    seed: int, networks: int, epoch: int, purpose: Purpose, device: torch.device | str = "cpu"
) -> list[torch.Generator]:
    """A random stream for each network, from the seed, the epoch and the purpose alone.

    Args:
        seed: The training's seed.
        networks: K; network k's stream does not depend on it.
        epoch: From 1; 0 is before the training.
        purpose: Streams of different purposes have nothing in common.
        device: Where they draw.
    """
    return [_stream(seed, k, epoch, int(purpose), device) for k in range(networks)]


def _stream(seed: int, network: int, epoch: int, purpose: int, device: torch.device | str) -> torch.Generator:
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

    def initialise(
        self,
        generators: list[torch.Generator],
        initialisation: Initialisation = "uniform",
        zero_biases: bool = False,
    ) -> None:
        """Draws the weights of network k from generator k.

        Args:
            generators: K.
            initialisation: "uniform": in ± 1/√inputs, as torch.nn.Linear does. "xavier": uniform in
                ± √(6/(inputs + outputs)) (Glorot and Bengio, 2010). "he": normal with variance
                2/inputs (He et al., 2015). "orthogonal": a random orthogonal matrix (Saxe et al., 2014).
            zero_biases: Biases are 0; otherwise they are uniform in ± 1/√inputs with all four.
        """
        bound = self.weight.shape[1] ** -0.5
        with torch.no_grad():
            for k, generator in enumerate(generators):
                weight = self.weight[k].T  # (outputs, inputs), as torch.nn.init counts them
                if initialisation == "uniform":
                    self.weight[k].uniform_(-bound, bound, generator=generator)
                elif initialisation == "xavier":
                    nn.init.xavier_uniform_(weight, generator=generator)
                elif initialisation == "he":
                    nn.init.kaiming_normal_(weight, nonlinearity="relu", generator=generator)
                else:
                    nn.init.orthogonal_(weight, generator=generator)
                self.bias[k].uniform_(-bound, bound, generator=generator)
            if zero_biases:
                self.bias.zero_()

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
