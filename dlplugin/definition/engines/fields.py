"""Options that several engines share, each with the one sentence that explains it everywhere."""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from dlplugin.errors import DefinitionError

__all__ = [
    "Activation",
    "Dropout",
    "FeedForward",
    "Heads",
    "Hidden",
    "Layers",
    "Normalisation",
    "Positions",
    "Sizes",
    "Width",
    "refuse_one_normalised",
]

MOST_UNITS = 65536
MOST_LAYERS = 64

Activation = Annotated[
    Literal["relu", "leaky_relu", "gelu", "silu", "tanh", "sigmoid", "elu"],
    Field(description="The non-linear function of the hidden layers."),
]
Dropout = Annotated[
    float, Field(ge=0, lt=1, description="Share of hidden values switched off at each training step.")
]
FeedForward = Annotated[
    int,
    Field(
        ge=1, le=MOST_UNITS, description="Neurons of the layer inside each block, between two of the width."
    ),
]
Heads = Annotated[
    int, Field(ge=1, le=1024, description="Attentions side by side, each on its share of the width.")
]
Hidden = Annotated[
    int, Field(ge=1, le=MOST_UNITS, description="Numbers of the state that each layer carries on.")
]
Layers = Annotated[int, Field(ge=1, le=MOST_LAYERS, description="Layers on top of each other.")]
Normalisation = Annotated[
    Literal["none", "layer"], Field(description="Normalises each hidden layer's values of a row.")
]
Positions = Annotated[
    Literal["sinusoidal", "learned"],
    Field(description="How a place in the window is told: by fixed waves, or by learned vectors."),
]
Sizes = Annotated[Sequence[Annotated[int, Field(ge=1, le=MOST_UNITS)]], AfterValidator(tuple)]
Width = Annotated[
    int, Field(ge=2, le=MOST_UNITS, description="Numbers that stand for each place in the window.")
]


def refuse_one_normalised(normalisation: str, field: str, sizes: Sequence[int]) -> None:
    """One number, normalised by itself, is always 0.

    Raises:
        DefinitionError: A layer that is normalised has one.
    """
    if normalisation == "layer" and 1 in sizes:
        raise DefinitionError(
            f"normalisation is 'layer', but a layer of {field} 1 would be 0 for every row; give it more, or use "
            "normalisation='none'"
        )
