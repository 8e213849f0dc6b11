"""What the recurrent networks share: layers on top of each other, and the newest state to the output."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from dlplugin.definition import GRU, LSTM, Shapes
from dlplugin.engines.layers import Dropout, LayerNorm, Linear

__all__ = ["Newest", "RecurrentNetwork", "draw_evenly", "in_one_piece"]


class Newest(nn.Module):
    """Picks the state after the newest bar."""

    def forward(self, states: Tensor) -> Tensor:
        """(K, B, W, H), oldest bar first, to (K, B, H)."""
        return states[:, :, -1]


class RecurrentNetwork(nn.Module):
    """Recurrent layers, each with its normalisation and dropout; then a linear map of the newest state.

    The last layer's older states go nowhere, so only the newest one is normalised and dropped from.

    Args:
        layer: Of (K, inputs, H): maps (K, B, W, inputs) to its states (K, B, W, H).
        options: Hidden numbers, layers, dropout and normalisation.
        shapes: Of the network.
    """

    def __init__(
        self, layer: Callable[[int, int, int], nn.Module], options: LSTM | GRU, shapes: Shapes
    ) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        width = shapes.row[1]
        for number in range(1, options.layers + 1):
            layers.append(layer(shapes.networks, width, options.hidden))
            if number == options.layers:
                layers.append(Newest())
            if options.normalisation == "layer":
                layers.append(LayerNorm(shapes.networks, options.hidden))
            if options.dropout:
                layers.append(Dropout(options.dropout))
            width = options.hidden
        self.hidden = nn.Sequential(*layers)
        self.output = Linear(shapes.networks, width, shapes.outputs)

    def forward(self, rows: Tensor) -> Tensor:
        """Scaled windows to scaled outputs."""
        state: Tensor = self.hidden(rows)  # (K, B, W, F) -> (K, B, H)
        predicted: Tensor = self.output(state)  # (K, B, N)
        return predicted


def draw_evenly(weights: Sequence[Tensor], hidden: int, generators: Sequence[torch.Generator]) -> None:
    """Draws weights uniform in ± 1/√H, biases too, as torch.nn.LSTM and torch.nn.GRU do.

    Args:
        weights: (K, ...) each, changed in place.
        hidden: H.
        generators: K; network k draws from generator k alone.
    """
    bound = hidden**-0.5
    with torch.no_grad():
        for k, generator in enumerate(generators):
            for weight in weights:
                weight[k].uniform_(-bound, bound, generator=generator)


def in_one_piece(weights: Sequence[Tensor]) -> list[Tensor]:
    """The same weights one after another in memory.

    cuDNN reads a layer's weights from one piece; PyTorch gathers others at each call, with a warning.
    """
    sizes = [weight.numel() for weight in weights]
    parts = torch.split(torch.cat([weight.flatten() for weight in weights]), sizes)
    return [part.view(weight.shape) for part, weight in zip(parts, weights, strict=True)]
