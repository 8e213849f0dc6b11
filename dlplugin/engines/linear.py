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

    def __init__(self, options: DLinear, shapes: Shapes) -> None:
        super().__init__()
        window, features = shapes.row
        self.kernel = options.kernel
        self.output = Linear(shapes.networks, 2 * window * features, shapes.outputs)

    def forward(self, rows: Tensor) -> Tensor:
        """(K, B, W, F) scaled windows to (K, B, N)."""
        trend = moving_average(rows, self.kernel)  # (K, B, W, F)
        parts = torch.cat([trend.flatten(2), (rows - trend).flatten(2)], dim=-1)  # (K, B, 2 · W · F)
        predicted: Tensor = self.output(parts)
        return predicted


def moving_average(rows: Tensor, kernel: int) -> Tensor:
    """(K, B, W, F) to the same shape: the mean of the bars around each bar.

    Args:
        rows: Windows, oldest bar first.
        kernel: Bars of the mean: (kernel - 1) // 2 before each bar, itself, and kernel // 2 after it;
            where they reach beyond the window, its first or its last bar is repeated.

    >>> moving_average(torch.tensor([[[[4.0], [8.0], [0.0]]]]), 3).flatten().tolist()
    [5.333333492279053, 4.0, 2.6666667461395264]
    """
    before = rows[:, :, :1].expand(-1, -1, (kernel - 1) // 2, -1)
    after = rows[:, :, -1:].expand(-1, -1, kernel // 2, -1)
    longer = torch.cat([before, rows, after], dim=2)  # (K, B, W + kernel - 1, F)
    return longer.unfold(2, kernel, 1).mean(dim=-1)


def build(options: LinearOptions, shapes: Shapes) -> LinearNetwork:
    """K linear networks; weights are not initialised yet."""
    return LinearNetwork(shapes)


def build_nlinear(options: NLinear, shapes: Shapes) -> NLinearNetwork:
    """K linear networks of differences from the newest bar; weights are not initialised yet."""
    return NLinearNetwork(shapes)


def build_dlinear(options: DLinear, shapes: Shapes) -> DLinearNetwork:
    """K linear networks of trend and remainder; weights are not initialised yet."""
    return DLinearNetwork(options, shapes)
