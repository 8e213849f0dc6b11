"""What the transformers are built from: attention, places, and an encoder that normalises first.

A place is a bar, or a patch of bars: P of them stand in order, the newest last, each as E numbers.
"""

import torch
from torch import Tensor, nn

from dlplugin.definition import PatchTST, Transformer
from dlplugin.engines.layers import ACTIVATIONS, Dropout, LayerNorm, Linear

__all__ = ["Attention", "Encoder", "EncoderBlock", "LearnedPositions", "SinusoidalPositions"]


class Attention(nn.Module):
    """K multi-head attentions side by side (Vaswani et al., 2017).

    Each head has its share of d = E / heads of the width: softmax(q kᵀ / √d) v, where q, k and v are
    linear maps of the places; a last linear map joins the heads. Keys have no bias: it would add the same
    to all scores of a query, and softmax takes no notice of that.
    """

    def __init__(self, networks: int, width: int, heads: int) -> None:
        super().__init__()
        self.query = Linear(networks, width, width)
        self.key = Linear(networks, width, width, biases=False)
        self.value = Linear(networks, width, width)
        self.join = Linear(networks, width, width)
        self._heads = heads

    def forward(self, asking: Tensor, places: Tensor) -> Tensor:
        """(K, B, ..., Q, E) that ask and (K, B, ..., P, E) that answer to (K, B, ..., Q, E)."""
        share = asking.shape[-1] // self._heads  # d
        query, key, value = (
            self._split(each) for each in (self.query(asking), self.key(places), self.value(places))
        )  # (K, B, ..., heads, Q or P, d)
        scores = query * share**-0.5 @ key.transpose(-1, -2)  # (K, B, ..., heads, Q, P)
        found = (torch.softmax(scores, dim=-1) @ value)[..., :share]  # (K, B, ..., heads, Q, d)
        joined: Tensor = self.join(found.transpose(-2, -3).flatten(-2))  # (K, B, ..., Q, E)
        return joined

    def _split(self, values: Tensor) -> Tensor:
        """(..., P, E) to (..., heads, P, d) in one piece, with zeros after d up to a multiple of 8.

        They change no score. Without them, or when a product copies keys with the places side by side,
        rows would not all begin alike in memory, on which the last bits depend on the CPU.
        """
        split = torch.unflatten(values, -1, (self._heads, -1)).transpose(-2, -3)
        return nn.functional.pad(split, (0, -split.shape[-1] % 8)).contiguous()


class EncoderBlock(nn.Module):
    """x + attention(norm(x)), then x + feed-forward(norm(x)) (Xiong et al., 2020), with dropout on both."""

    def __init__(self, options: Transformer | PatchTST, networks: int) -> None:
        super().__init__()
        width = options.width
        self.attention_norm = LayerNorm(networks, width)
        self.attention = Attention(networks, width, options.heads)
        self.forward_norm = LayerNorm(networks, width)
        self.feed_forward = nn.Sequential(
            Linear(networks, width, options.feed_forward),
            ACTIVATIONS[options.activation](),
            Linear(networks, options.feed_forward, width),
        )
        self.attention_dropout = Dropout(options.dropout) if options.dropout else nn.Identity()
        self.forward_dropout = Dropout(options.dropout) if options.dropout else nn.Identity()

    def forward(self, values: Tensor, newest: int) -> Tensor:
        """(K, B, ..., P, E) to (K, B, ..., newest, E): all places answer, the newest ones ask."""
        normed = self.attention_norm(values)  # (K, B, ..., P, E)
        found = self.attention(normed[..., -newest:, :], normed)  # (K, B, ..., newest, E)
        values = values[..., -newest:, :] + self.attention_dropout(found)
        total: Tensor = values + self.forward_dropout(self.feed_forward(self.forward_norm(values)))
        return total


class SinusoidalPositions(nn.Module):
    """Adds waves to the numbers of a place, each pair of columns slower than the one before.

    To place p, sin(p / 10000^(2i / E)) in column 2i and cos of the same in column 2i + 1; the oldest place
    is p = 0 (Vaswani et al., 2017).
    """

    waves: Tensor

    def __init__(self, places: int, width: int) -> None:
        super().__init__()
        slower = 10000.0 ** -(torch.arange(0, width, 2, dtype=torch.float64) / width)  # (⌈E / 2⌉,)
        angles = torch.outer(torch.arange(places, dtype=torch.float64), slower)  # (P, ⌈E / 2⌉)
        waves = torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(-2)[:, :width]  # (P, E)
        self.register_buffer("waves", waves.to(torch.float32), persistent=False)

    def forward(self, values: Tensor) -> Tensor:
        """(K, B, ..., P, E) to the same shape."""
        return values + self.waves


class LearnedPositions(nn.Module):
    """Adds learned vectors to the numbers of a place, K tables side by side."""

    def __init__(self, networks: int, places: int, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(networks, places, width))

    def initialise(self, generators: list[torch.Generator]) -> None:
        """Normal with a standard deviation of 0.02, as is usual since Devlin et al. (2019)."""
        with torch.no_grad():
            for k, generator in enumerate(generators):
                self.weight[k].normal_(0, 0.02, generator=generator)

    def forward(self, values: Tensor) -> Tensor:
        """(K, B, ..., P, E) to the same shape."""
        networks, *place = self.weight.shape
        return values + self.weight.view(networks, *[1] * (values.dim() - 3), *place)


class Encoder(nn.Module):
    """Positions, blocks, and a last normalisation."""

    def __init__(self, options: Transformer | PatchTST, networks: int, places: int) -> None:
        super().__init__()
        if options.positions == "learned":
            self.positions: nn.Module = LearnedPositions(networks, places, options.width)
        else:
            self.positions = SinusoidalPositions(places, options.width)
        self.blocks = nn.ModuleList(EncoderBlock(options, networks) for _ in range(options.layers))
        self.norm = LayerNorm(networks, options.width)

    def forward(self, values: Tensor, newest: int) -> Tensor:
        """(K, B, ..., P, E) to (K, B, ..., newest, E): of the last block, only the places that are wanted."""
        places = values.shape[-2]
        values = self.positions(values)
        for block in self.blocks[:-1]:
            values = block(values, places)
        encoded: Tensor = self.norm(self.blocks[-1](values, newest))
        return encoded
