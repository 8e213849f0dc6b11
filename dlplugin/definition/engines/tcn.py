"""The options of the temporal convolutional network."""

from itertools import pairwise
from typing import Annotated

from pydantic import Field

from dlplugin.definition.engines.fields import Activation, Dropout, Normalisation, Sizes
from dlplugin.definition.engines.spec import EngineSpec, Shapes, linear_weights, window_of
from dlplugin.definition.settings import settings
from dlplugin.errors import DefinitionError

__all__ = ["TCN", "TCN_SPEC"]


@settings
class TCN:
    """A temporal convolutional network: causal convolutions that reach twice as far in each block."""

    channels: Annotated[Sizes, Field(min_length=1, description="Channels of each residual block.")] = (32, 32)
    kernel: Annotated[
        int,
        Field(ge=2, le=64, description="Bars that each convolution sees, spread by its block's dilation."),
    ] = 3
    activation: Activation = "relu"
    dropout: Dropout = 0.0
    normalisation: Normalisation = "none"

    @property
    def reach(self) -> int:
        """Bars that one convolution of the last block spans."""
        return int((self.kernel - 1) * 2 ** (len(self.channels) - 1)) + 1

    def weights(self, shapes: Shapes) -> int:
        """How many numbers each network learns; see `EngineOptions`."""
        window, features = window_of("tcn", shapes)
        if window < self.reach:
            raise DefinitionError(
                f"engine 'tcn' with kernel {self.kernel} and {len(self.channels)} blocks spans {self.reach} bars, but "
                f"the inputs have a depth of {window}; give a greater depth, or fewer channels"
            )
        total = linear_weights(self.channels[-1], shapes.outputs)
        for inputs, channels in pairwise((features, *self.channels)):
            total += linear_weights(self.kernel * inputs, channels)
            total += linear_weights(self.kernel * channels, channels)
            if inputs != channels:
                total += linear_weights(inputs, channels)
            if self.normalisation == "layer":
                total += 4 * channels
        return total


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
