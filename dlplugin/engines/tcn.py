"""The temporal convolutional network of Bai, Kolter and Koltun (2018).

An output needs the newest bar alone, and that bar's channels need few others: each convolution works
out only the bars that something later reads. This changes no value, only the time it takes.
"""

from itertools import pairwise

import torch
from torch import Tensor, nn

from dlplugin.definition import TCN, Shapes
from dlplugin.engines.layers import ACTIVATIONS, Dropout, LayerNorm, Linear

__all__ = ["Block", "Convolution", "TCNNetwork", "build"]


class Convolution(nn.Module):
    """K causal convolutions side by side: the value at a bar depends on that bar and older ones.

    y[w] = bias + Σ x[w - i · dilation] · A_i over i = 0 … kernel - 1, where x is 0 before the window.
    The matrices A_i stand in one `Linear` below each other, that of the oldest bar first.
    """

    def __init__(self, networks: int, inputs: int, outputs: int, kernel: int, dilation: int) -> None:
        super().__init__()
        self.map = Linear(networks, kernel * inputs, outputs)
        self.dilation = dilation
        self.reach = (kernel - 1) * dilation

    def forward(self, values: Tensor, bars: int) -> Tensor:
        """(K, B, W, inputs) to (K, B, bars, outputs): the newest `bars` of W bars."""
        missing = bars + self.reach - values.shape[2]  # fewer than 0: so many of the oldest are not read
        read = nn.functional.pad(values, (0, 0, missing, 0))  # (K, B, reach + bars, inputs)
        seen = [read[:, :, start : start + bars] for start in range(0, self.reach + 1, self.dilation)]
        mapped: Tensor = self.map(torch.cat(seen, dim=-1))  # (K, B, bars, kernel * inputs) -> (..., outputs)
        return mapped


class Block(nn.Module):
    """Two convolutions whose result is added to what they were given (He et al., 2016).

    Each is followed by normalisation, activation and dropout; the sum passes the activation again.
    Where the channels differ, a linear map of each bar takes the place of what was given.
    """

    def __init__(self, options: TCN, networks: int, inputs: int, outputs: int, dilation: int) -> None:
        super().__init__()
        self.first = Convolution(networks, inputs, outputs, options.kernel, dilation)
        self.second = Convolution(networks, outputs, outputs, options.kernel, dilation)
        self.after_first = _after(options, networks, outputs)
        self.after_second = _after(options, networks, outputs)
        self.skip = Linear(networks, inputs, outputs) if inputs != outputs else nn.Identity()
        self.activation = ACTIVATIONS[options.activation]()

    def forward(self, values: Tensor, bars: int) -> Tensor:
        """(K, B, W, inputs) to (K, B, bars, outputs): the newest `bars` of W bars."""
        between = min(values.shape[2], bars + self.second.reach)
        inner = self.after_first(self.first(values, between))  # (K, B, between, outputs)
        added = self.after_second(self.second(inner, bars))  # (K, B, bars, outputs)
        total: Tensor = self.activation(self.skip(values[:, :, -bars:]) + added)
        return total


class TCNNetwork(nn.Module):
    """Residual blocks, each with twice the dilation of the one before; the newest bar predicts."""

    def __init__(self, options: TCN, shapes: Shapes) -> None:
        super().__init__()
        window, features = shapes.row
        self.blocks = nn.ModuleList(
            Block(options, shapes.networks, inputs, outputs, dilation=2**index)
            for index, (inputs, outputs) in enumerate(pairwise((features, *options.channels)))
        )
        self.output = Linear(shapes.networks, options.channels[-1], shapes.outputs)
        self._bars = _bars_needed(options, window)

    def forward(self, rows: Tensor) -> Tensor:
        """Scaled windows to scaled outputs."""
        values = rows  # (K, B, W, F)
        for block, bars in zip(self.blocks, self._bars, strict=True):
            values = block(values, bars)  # (K, B, bars, C)
        predicted: Tensor = self.output(values[:, :, -1])  # (K, B, C) -> (K, B, N)
        return predicted


def _after(options: TCN, networks: int, channels: int) -> nn.Sequential:
    """What follows a convolution: normalisation over the channels of a bar, activation, dropout."""
    layers: list[nn.Module] = []
    if options.normalisation == "layer":
        layers.append(LayerNorm(networks, channels))
    layers.append(ACTIVATIONS[options.activation]())
    if options.dropout:
        layers.append(Dropout(options.dropout))
    return nn.Sequential(*layers)


def _bars_needed(options: TCN, window: int) -> list[int]:
    """How many of the newest bars each block has to give: the last one 1, others what the next one reads."""
    needed = [1]
    for index in range(len(options.channels) - 1, 0, -1):
        read = needed[0] + 2 * (options.kernel - 1) * 2**index  # by the two convolutions of a block
        needed.insert(0, min(window, read))
    return needed


def build(options: TCN, shapes: Shapes) -> TCNNetwork:
    """K networks of these options; weights are not initialised yet."""
    return TCNNetwork(options, shapes)
