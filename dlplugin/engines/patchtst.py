"""The transformer over patches of bars, of Nie et al. (2023)."""

import torch
from torch import Tensor, nn

from dlplugin.definition import PatchTST, Shapes
from dlplugin.engines.attention import Encoder
from dlplugin.engines.layers import Linear

__all__ = ["PatchTSTNetwork", "build"]


class PatchTSTNetwork(nn.Module):
    """One encoder reads the patches of each input by itself; the output layer sees all of them."""

    def __init__(self, options: PatchTST, shapes: Shapes) -> None:
        super().__init__()
        window, features = shapes.row
        patches = options.patches(window)
        self.embedding = Linear(shapes.networks, options.patch, options.width)
        self.encoder = Encoder(options, shapes.networks, patches)
        self.output = Linear(shapes.networks, features * patches * options.width, shapes.outputs)
        self._patch, self._stride = options.patch, options.stride
        self._repeated = (patches - 1) * options.stride + options.patch - window

    def forward(self, rows: Tensor) -> Tensor:
        """Scaled windows to scaled outputs."""
        patches = self.cut(rows)  # (K, B, W, F) -> (K, B, F, P, patch)
        encoded = self.encoder(self.embedding(patches), patches.shape[-2])  # (K, B, F, P, E)
        predicted: Tensor = self.output(encoded.flatten(2))  # (K, B, F * P * E) -> (K, B, N)
        return predicted

    def cut(self, rows: Tensor) -> Tensor:
        """(K, B, W, F) to (K, B, F, P, patch): patches that end at the newest bar, in order.

        Where the first patch begins before the window, the oldest bar is repeated.
        """
        older = rows[:, :, :1].expand(-1, -1, self._repeated, -1)
        padded = torch.cat([older, rows], dim=2)  # (K, B, repeated + W, F)
        return padded.unfold(2, self._patch, self._stride).transpose(
            2, 3
        )  # (K, B, P, F, patch) -> (..., F, P, patch)


def build(options: PatchTST, shapes: Shapes) -> PatchTSTNetwork:
    """K networks of these options; weights are not initialised yet."""
    return PatchTSTNetwork(options, shapes)
