"""Layers of K networks side by side: what engines are built from.

Every weight has K as its first dimension; network k sees and changes only its own slice. A layer that
draws its own initial weights has a method `initialise(generators)` with one generator a network.
"""

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor, nn

__all__ = ["ACTIVATIONS", "Dropout", "Initialisation", "LayerNorm", "Linear", "spare_columns"]

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


class Linear(nn.Module):
    """K linear layers side by side, with or without biases.

    When predicting, a row gives the same bits wherever it stands in a batch; see `spare_columns`.
    """

    def __init__(self, networks: int, inputs: int, outputs: int, biases: bool = True) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(networks, inputs, outputs))
        self.bias = nn.Parameter(torch.empty(networks, 1, outputs)) if biases else None

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
                if self.bias is not None:
                    self.bias[k].uniform_(-bound, bound, generator=generator)
            if zero_biases and self.bias is not None:
                self.bias.zero_()

    def forward(self, rows: Tensor) -> Tensor:
        """(K, B, ..., inputs) to (K, B, ..., outputs)."""
        flat = rows if rows.dim() == 3 else rows.flatten(1, -2)  # (K, B · ..., inputs)
        outputs = self.weight.shape[2]
        steady = self.training or outputs <= 4
        spare = 0 if steady else spare_columns(outputs)
        mapped = _map(flat, self.weight, self.bias, spare)
        return mapped if rows.dim() == 3 else mapped.reshape(*rows.shape[:-1], mapped.shape[-1])


def spare_columns(columns: int) -> int:
    """How many columns of zeros make the rows of a matrix product begin alike in memory: up to 8 or 16 in all.

    On the CPU the last bits of products with 5, 6, 7, 9, 10 or 11 columns depend on where a row stands
    (MKL 2024.2 with AVX-512; found by measuring all sizes up to 130). Products of 16 columns or more need
    none.
    """
    return -columns % 8 if columns < 16 else 0


def _map(rows: Tensor, weight: Tensor, bias: Tensor | None, spare: int) -> Tensor:
    """(K, rows, inputs) to (K, rows, outputs), with columns of zeros at work."""
    outputs = weight.shape[2]
    if spare:
        weight = nn.functional.pad(weight, (0, spare))
        bias = None if bias is None else nn.functional.pad(bias, (0, spare))
    mapped = torch.bmm(rows, weight) if bias is None else torch.baddbmm(bias, rows, weight)
    return mapped[..., :outputs].contiguous() if spare else mapped


class LayerNorm(nn.Module):
    """K layer normalisations side by side (Ba, Kiros and Hinton, 2016)."""

    def __init__(self, networks: int, features: int) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(networks, 1, features))
        self.bias = nn.Parameter(torch.zeros(networks, 1, features))

    def forward(self, rows: Tensor) -> Tensor:
        """(K, B, ..., features), the features of each row and place normalised by themselves."""
        shape = (len(self.gain), *[1] * (rows.dim() - 2), -1)
        return nn.functional.layer_norm(rows, rows.shape[-1:]) * self.gain.view(shape) + self.bias.view(shape)


class Dropout(nn.Module):
    """Dropout whose masks come from a stream of each network (Srivastava et al., 2014).

    Attributes:
        generators: K, one for each network.
        place: Where several processes share a batch: how many rows it has, and which of them are seen
            here; masks are drawn for all of them.
    """

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share
        self.generators: list[torch.Generator] = []
        self.place: tuple[int, slice] | None = None

    def forward(self, rows: Tensor) -> Tensor:
        """(K, B, ...); in training a share of the values is 0, the others grow to make up for it."""
        if not self.training:
            return rows
        batch, own = self.place or (rows.shape[1], slice(None))
        kept = rows.new_empty(
            rows.shape[0], batch, *rows.shape[2:]
        )  # in one order, however rows lie in memory
        for k, generator in enumerate(self.generators):
            kept[k].bernoulli_(1 - self.share, generator=generator)
        return rows * kept[:, own] / (1 - self.share)
