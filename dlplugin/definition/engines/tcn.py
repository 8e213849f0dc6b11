"""The options of the temporal convolutional network."""

from itertools import pairwise
from typing import Annotated

from pydantic import Field

from dlplugin.definition.engines.fields import (
    Activation,
    Dropout,
    Normalisation,
    Sizes,
    refuse_one_normalised,
)
from dlplugin.definition.engines.spec import EngineSpec, Shapes, linear_weights, window_of
from dlplugin.definition.settings import settings
from dlplugin.errors import DefinitionError

__all__ = ["TCN", "TCN_SPEC"]


@settings
class TCN:
    """A temporal convolutional network: causal convolutions that reach twice as far in each block.

    Two convolutions a block see 1 + 2 · (kernel − 1) · (2ᵇ − 1) bars with b blocks: 5, 13, 29, 61, 125 … with a
    kernel of 3. Deeper inputs are refused, as their oldest bars would not be seen.
    """

    channels: Annotated[
        Sizes,
        Field(
            min_length=1,
            max_length=16,
            description="Channels of each residual block; more blocks see further back.",
        ),
    ] = (32, 32, 32)
    kernel: Annotated[
        int,
        Field(ge=2, le=64, description="Bars that each convolution sees, spread by its block's dilation."),
    ] = 3
    activation: Activation = "relu"
    dropout: Dropout = 0.0
    normalisation: Normalisation = "none"

    def __post_init__(self) -> None:
        refuse_one_normalised(self.normalisation, "channels", self.channels)

    @property
    def depths(self) -> range:
        """Windows that hold all of the last block's kernel, and whose bars are all seen."""
        blocks = len(self.channels)
        least = (self.kernel - 1) * 2 ** (blocks - 1) + 1
        return range(least, 2 + 2 * (self.kernel - 1) * (2**blocks - 1))

    def weights(self, shapes: Shapes) -> int:
        """How many numbers each network learns; see `EngineOptions`."""
        window, features = window_of("tcn", shapes)
        self._refuse_unsuited(window)
        total = linear_weights(self.channels[-1], shapes.outputs)
        for inputs, channels in pairwise((features, *self.channels)):
            total += linear_weights(self.kernel * inputs, channels)
            total += linear_weights(self.kernel * channels, channels)
            if inputs != channels:
                total += linear_weights(inputs, channels)
            if self.normalisation == "layer":
                total += 4 * channels
        return total

    def _refuse_unsuited(self, window: int) -> None:
        if window in self.depths:
            return
        blocks = f"{len(self.channels)} block{'' if len(self.channels) == 1 else 's'}"
        least, most = self.depths[0], self.depths[-1]
        raise DefinitionError(
            f"engine 'tcn' with kernel {self.kernel} and {blocks} sees {least} to {most} bars, but the inputs have a "
            f"depth of {window}; give them one of these, or {'fewer' if window < least else 'more'} channels=, one for "
            "each block"
        )


TCN_SPEC = EngineSpec(
    "tcn",
    TCN,
    "dlplugin.engines.tcn:build",
    layout="window",
    chunk=32,
    good_for="Local shapes anywhere in a longer window; trains in parallel where a recurrent network reads in turn.",
    cost="Time grows with the bars of the window; weights with the kernel and the square of the channels.",
    sources=(
        "Bai, Kolter and Koltun (2018), An empirical evaluation of generic convolutional and recurrent networks "
        "for sequence modeling",
    ),
)
