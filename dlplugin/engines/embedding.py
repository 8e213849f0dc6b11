"""Embedded categories: a learned vector for each, in front of an engine's own network."""

import torch
from torch import Tensor, nn

from dlplugin.definition import Definition

__all__ = ["Embedded", "Embedding"]


class Embedding(nn.Module):
    """K tables side by side, of one vector a category (Guo and Berkhahn, 2016).

    The map is linear without a bias: one 1 among zeros gives that category's vector to the bit, in
    whatever order it is added up, and zeros alone give a vector of zeros.
    """

    def __init__(self, networks: int, categories: int, size: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(networks, categories, size))

    def initialise(self, generators: list[torch.Generator]) -> None:
        """Standard normal, the spread of a scaled input, as torch.nn.Embedding does."""
        with torch.no_grad():
            for k, generator in enumerate(generators):
                self.weight[k].normal_(generator=generator)

    def forward(self, blocks: Tensor) -> Tensor:
        """(K, B, ..., n · categories) to (K, B, ..., n · size), block by block."""
        networks, categories, _ = self.weight.shape
        vectors = torch.bmm(blocks.reshape(networks, -1, categories), self.weight)
        return vectors.reshape(*blocks.shape[:-1], -1)


class Embedded(nn.Module):
    """A network whose embedded inputs pass through their tables first; all others pass as they are.

    Args:
        definition: Its inputs say which are embedded.
        networks: K.
        network: Takes rows with the vectors in place of the categories' columns.
    """

    def __init__(self, definition: Definition, networks: int, network: nn.Module) -> None:
        super().__init__()
        flat = definition.spec.layout == "flat"  # windows have one block of an input in each bar
        blocks = [item.depth if flat else 1 for item in definition.inputs]
        self._widths = [n * item.columns for n, item in zip(blocks, definition.inputs, strict=True)]
        self.embeddings = nn.ModuleDict(
            {
                str(index): Embedding(networks, item.columns, item.embedding)
                for index, item in enumerate(definition.inputs)
                if item.embedding is not None
            }
        )
        self.network = network

    def forward(self, rows: Tensor) -> Tensor:
        """(K, B, D) or (K, B, W, F) with the categories' 0 and 1 to what the network gives."""
        parts = list(torch.split(rows, self._widths, dim=-1))
        for index, embedding in self.embeddings.items():
            parts[int(index)] = embedding(parts[int(index)])
        predicted: Tensor = self.network(torch.cat(parts, dim=-1))
        return predicted
