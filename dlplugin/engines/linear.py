"""The linear networks: of the inputs as they are, of differences in the window, of its trend and the rest."""

import torch
from torch import Tensor, nn

from dlplugin.definition import DLinear, NLinear, Shapes
from dlplugin.definition import Linear as LinearOptions
from dlplugin.engines.layers import Linear

__all__ = [
    "DLinearNetwork",
    "LinearNetwork",
    "NLinearNetwork",
    "build",
    "build_dlinear",
    "build_nlinear",
    "moving_average",
]


class LinearNetwork(nn.Module):
    """One linear map."""

    def __init__(self, shapes: Shapes) -> None:
        super().__init__()
        self.output = Linear(shapes.networks, shapes.row[0], shapes.outputs)

    def forward(self, rows: Tensor) -> Tensor:
        """(K, B, D) scaled inputs to (K, B, N)."""
        predicted: Tensor = self.output(rows)
        return predicted


class NLinearNetwork(nn.Module):
    """One linear map of how each older bar differs from the newest (Zeng et al., 2023)."""

    def __init__(self, shapes: Shapes) -> None:
        super().__init__()
        window, features = shapes.row
        self.output = Linear(shapes.networks, (window - 1) * features, shapes.outputs)

    def forward(self, rows: Tensor) -> Tensor:
        """(K, B, W, F) scaled windows to (K, B, N)."""
        differences = rows[:, :, :-1] - rows[:, :, -1:]  # (K, B, W - 1, F)
        predicted: Tensor = self.output(differences.flatten(2))
        return predicted


class DLinearNetwork(nn.Module):
    """One linear map of the window's trend and of what is left of it (Zeng et al., 2023)."""

    average: Tensor

    def __init__(self, options: DLinear, shapes: Shapes) -> None:
        super().__init__()
        window, features = shapes.row
        self.register_buffer("average", moving_average(window, options.kernel), persistent=False)
        self.output = Linear(shapes.networks, 2 * window * features, shapes.outputs)

    def forward(self, rows: Tensor) -> Tensor:
        """(K, B, W, F) scaled windows to (K, B, N)."""
        trend = (rows.transpose(2, 3) @ self.average).transpose(2, 3)  # (K, B, W, F)
        parts = torch.cat([trend.flatten(2), (rows - trend).flatten(2)], dim=-1)  # (K, B, 2 · W · F)
        predicted: Tensor = self.output(parts)
        return predicted


def moving_average(window: int, kernel: int) -> Tensor:
    """(W, W): a row of W bars times this is its centred moving average.

    Args:
        window: W.
        kernel: Bars of the average: (kernel - 1) // 2 before each bar, itself, and kernel // 2 after it;
            where they reach beyond the window, its first or its last bar is repeated.

    >>> moving_average(3, 4).T
    tensor([[0.5000, 0.2500, 0.2500],
            [0.2500, 0.2500, 0.5000],
            [0.0000, 0.2500, 0.7500]])
    """
    centres = torch.arange(window)
    near = centres + torch.arange(kernel).unsqueeze(1) - (kernel - 1) // 2  # (kernel, W)
    times = torch.zeros(window, window).scatter_add_(0, near.clamp(0, window - 1), torch.ones(near.shape))
    return times / kernel


def build(options: LinearOptions, shapes: Shapes) -> LinearNetwork:
    """K linear networks; weights are not initialised yet."""
    return LinearNetwork(shapes)


def build_nlinear(options: NLinear, shapes: Shapes) -> NLinearNetwork:
    """K linear networks of differences from the newest bar; weights are not initialised yet."""
    return NLinearNetwork(shapes)


def build_dlinear(options: DLinear, shapes: Shapes) -> DLinearNetwork:
    """K linear networks of trend and remainder; weights are not initialised yet."""
    return DLinearNetwork(options, shapes)
