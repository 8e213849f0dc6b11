"""The options of the mixer."""

from typing import Annotated

from pydantic import Field

from dlplugin.definition.engines.fields import MOST_LAYERS, MOST_UNITS, Activation, Dropout, Normalisation
from dlplugin.definition.engines.spec import EngineSpec, Shapes, linear_weights, window_of
from dlplugin.definition.settings import settings

__all__ = ["TSMIXER_SPEC", "TSMixer"]


@settings
class TSMixer:
    """A mixer: small maps across the bars of the window and across the inputs, in turn.

    Normalisation is over a row's whole window, where the paper's is over the batch: a row's prediction
    depends on that row alone.
    """

    blocks: Annotated[
        int, Field(ge=1, le=MOST_LAYERS, description="How often bars and then inputs are mixed.")
    ] = 2
    hidden: Annotated[
        int, Field(ge=1, le=MOST_UNITS, description="Neurons between the two maps across the inputs.")
    ] = 32
    activation: Activation = "relu"
    dropout: Dropout = 0.0
    normalisation: Normalisation = "layer"

    def weights(self, shapes: Shapes) -> int:
        """How many numbers each network learns; see `EngineOptions`."""
        window, features = window_of("tsmixer", shapes)
        block = linear_weights(window, window)
        block += linear_weights(features, self.hidden) + linear_weights(self.hidden, features)
        if self.normalisation == "layer":
            block += 4 * window * features
        return self.blocks * block + linear_weights(window * features, shapes.outputs)


TSMIXER_SPEC = EngineSpec(
    "tsmixer",
    TSMixer,
    "dlplugin.engines.tsmixer:build",
    layout="window",
    chunk=64,
    good_for="Many inputs over a window, at a fraction of a transformer's cost.",
    cost="Weights grow with the square of the window's bars.",
    sources=("Chen et al. (2023), TSMixer: an all-MLP architecture for time series forecasting",),
)
