"""Changes to the inputs that make each training row a little different every time it is seen.

Only inputs that are amounts are changed: the 0 and 1 of a category mean a label, and half a label is
none. Each network has random streams of its own, started anew for every epoch.
"""

import numpy as np
import torch
from torch import Tensor, nn

from dlplugin.definition import Definition, TrainingOptions
from dlplugin.engines import Purpose, streams
from dlplugin.samples import matrix_columns, row_layout

__all__ = ["Augmentation"]


class Augmentation(nn.Module):
    """Magnitude, noise and masking, in this order.

    Magnitude multiplies a whole row by one number drawn around 1 (Um et al., 2017); noise adds a
    number drawn around 0 to each value (Bishop, 1995); masking sets an input to 0 at all its depths,
    drawn for each row and input, and does not make up for it in the others.

    Args:
        definition: Its inputs, and which are amounts.
        options: `input_magnitude`, `input_noise`, `input_masking` and the seed.

    Attributes:
        active: Whether any of them is asked for.
    """

    _amounts: Tensor
    _input: Tensor

    def __init__(self, definition: Definition, options: TrainingOptions) -> None:
        super().__init__()
        self._options = options
        self.active = bool(options.input_magnitude or options.input_noise or options.input_masking)
        layout, columns = row_layout(definition), matrix_columns(definition)
        amounts = np.isnan(columns.category)[layout.column].reshape(layout.shape)
        self.register_buffer("_amounts", torch.from_numpy(amounts).float(), persistent=False)
        owner = columns.input[layout.column].reshape(layout.shape)
        self.register_buffer("_input", torch.from_numpy(owner), persistent=False)
        self._inputs = len(definition.inputs)
        self._generators: dict[Purpose, list[torch.Generator]] = {}

    def begin(self, epoch: int, networks: int) -> None:
        """Starts the streams of an epoch (from 1) for K networks."""
        if self.active:
            self._generators = {
                purpose: streams(self._options.seed, networks, epoch, purpose, self._amounts.device)
                for purpose in (Purpose.MAGNITUDE, Purpose.NOISE, Purpose.MASKING)
            }

    def forward(self, rows: Tensor) -> Tensor:
        """(K, B, D) or (K, B, W, F) of one minibatch, changed; B decides what is drawn."""
        options, ones = self._options, (1,) * self._amounts.dim()
        if options.input_magnitude:
            drawn = self._normal(Purpose.MAGNITUDE, rows, ones)
            rows = rows * (1.0 + options.input_magnitude * drawn * self._amounts)
        if options.input_noise:
            drawn = self._normal(Purpose.NOISE, rows, self._amounts.shape)
            rows = rows + options.input_noise * drawn * self._amounts
        if options.input_masking:
            masked = rows.new_empty(*rows.shape[:2], self._inputs)
            for k, generator in enumerate(self._generators[Purpose.MASKING]):
                masked[k].bernoulli_(options.input_masking, generator=generator)
            rows = torch.where((masked[..., self._input] * self._amounts).bool(), 0.0, rows)
        return rows

    def _normal(self, purpose: Purpose, rows: Tensor, shape: tuple[int, ...]) -> Tensor:
        drawn = rows.new_empty(*rows.shape[:2], *shape)
        for k, generator in enumerate(self._generators[purpose]):
            drawn[k].normal_(generator=generator)
        return drawn
