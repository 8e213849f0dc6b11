"""The options of the multi-layer perceptron."""

from itertools import pairwise
from typing import Annotated, Literal

from pydantic import Field

from dlplugin.definition.engines.fields import (
    Activation,
    Dropout,
    Normalisation,
    Sizes,
    refuse_one_normalised,
)
from dlplugin.definition.engines.spec import EngineSpec, Shapes, linear_weights
from dlplugin.definition.settings import Later, settings

__all__ = ["MLP", "MLP_SPEC"]


@settings
class MLP:
    """A multi-layer perceptron: fully connected layers on all inputs with their depths side by side."""

    hidden: Annotated[Sizes, Field(description="Neurons of each hidden layer.")] = (32, 16)
    activation: Activation = "relu"
    dropout: Dropout = 0.0
    normalisation: Normalisation = "none"
    blocks: Annotated[
        Literal["plain", "residual", "gated"],
        Field(
            description="What a hidden layer does: plain maps, residual adds to what it was given (He et al., 2016), "
            "gated multiplies by a second map (Dauphin et al., 2017; Shazeer, 2020)."
        ),
        Later(),
    ] = "plain"

    def __post_init__(self) -> None:
        refuse_one_normalised(self.normalisation, "hidden", self.hidden)

    def weights(self, shapes: Shapes) -> int:
        """How many numbers each network learns; see `EngineOptions`."""
        sizes = (*shapes.row, *self.hidden)
        total = linear_weights(sizes[-1], shapes.outputs)
        for inputs, neurons in pairwise(sizes):
            total += linear_weights(inputs, 2 * neurons if self.blocks == "gated" else neurons)
            if self.blocks == "residual" and inputs != neurons:
                total += inputs * neurons
            if self.normalisation == "layer":
                total += 2 * neurons
        return total


MLP_SPEC = EngineSpec(
    "mlp",
    MLP,
    "dlplugin.engines.mlp:build",
    layout="flat",
    chunk=256,
    good_for="The first thing to try: a few indicators at a few depths. Fast, and hard to beat on daily prices.",
    cost="Cheap. Weights grow with inputs × depths × the first hidden layer.",
    sources=("Rumelhart, Hinton and Williams (1986), Learning representations by back-propagating errors",),
)
