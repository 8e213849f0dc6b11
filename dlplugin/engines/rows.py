"""Rows read from the matrix of inputs."""

import torch
from torch import Tensor, nn

from dlplugin.samples import RowLayout

__all__ = ["RowReader"]


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
        if matrix.device.type == "mps":  # which has no take
            return matrix.flatten()[index].reshape(*rows.shape, *self._shape)
        return torch.take(matrix, index).reshape(*rows.shape, *self._shape)
