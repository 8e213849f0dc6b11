"""The options of the networks that attend: to bars, or to patches of bars."""

from typing import Annotated, Literal

from pydantic import Field

from dlplugin.definition.engines.fields import (
    Activation,
    Dropout,
    FeedForward,
    Heads,
    Layers,
    Positions,
    Width,
)
from dlplugin.definition.engines.spec import EngineSpec, Shapes, linear_weights, window_of
from dlplugin.definition.settings import settings
from dlplugin.errors import DefinitionError

__all__ = ["PATCHTST_SPEC", "TRANSFORMER_SPEC", "PatchTST", "Transformer"]


@settings
class Transformer:
    """A transformer encoder: every bar of the window looks at every other one."""

    width: Width = 32
    heads: Heads = 4
    layers: Layers = 2
    feed_forward: FeedForward = 64
    activation: Activation = "gelu"
    dropout: Dropout = 0.1
    positions: Positions = "sinusoidal"
    pooling: Annotated[
        Literal["last", "mean"],
        Field(description="What predicts: the newest bar's numbers, or the mean over all bars."),
    ] = "last"

    def __post_init__(self) -> None:
        _refuse_uneven(self.width, self.heads)

    def weights(self, shapes: Shapes) -> int:
        """How many numbers each network learns; see `EngineOptions`."""
        window, features = window_of("transformer", shapes)
        places = window * self.width if self.positions == "learned" else 0
        return (
            linear_weights(features, self.width)
            + places
            + _encoder_weights(self.width, self.feed_forward, self.layers)
            + linear_weights(self.width, shapes.outputs)
        )


@settings
class PatchTST:
    """A transformer over patches: each input's window is cut into pieces, which look at each other.

    The inputs share one encoder and meet in the output layer. Patches end at the newest bar; where
    they reach beyond the oldest one, it is repeated. Unlike the paper's, windows are not normalised by
    themselves: inputs are scaled already, and their level says something.
    """

    patch: Annotated[int, Field(ge=1, le=1000, description="Bars of a patch.")] = 8
    stride: Annotated[int, Field(ge=1, le=1000, description="Bars from one patch to the next.")] = 4
    width: Width = 32
    heads: Heads = 4
    layers: Layers = 2
    feed_forward: FeedForward = 64
    activation: Activation = "gelu"
    dropout: Dropout = 0.1
    positions: Positions = "learned"

    def __post_init__(self) -> None:
        _refuse_uneven(self.width, self.heads)
        if self.stride > self.patch:
            raise DefinitionError(
                f"stride is {self.stride}, but a patch has {self.patch} bars, so that some would be seen by none; use "
                f"stride={self.patch} at most"
            )

    def patches(self, window: int) -> int:
        """P, the patches in a window of W bars."""
        return -(-(window - self.patch) // self.stride) + 1

    def weights(self, shapes: Shapes) -> int:
        """How many numbers each network learns; see `EngineOptions`."""
        window, features = window_of("patchtst", shapes)
        if window <= self.patch:
            raise DefinitionError(
                f"engine 'patchtst' cuts windows into patches of {self.patch} bars, but the inputs have a depth of "
                f"{window}; give a greater depth, or a patch of fewer bars"
            )
        count = self.patches(window)
        places = count * self.width if self.positions == "learned" else 0
        return (
            linear_weights(self.patch, self.width)
            + places
            + _encoder_weights(self.width, self.feed_forward, self.layers)
            + linear_weights(features * count * self.width, shapes.outputs)
        )


def _refuse_uneven(width: int, heads: int) -> None:
    if width % heads:
        near = [each for each in (width - width % heads, width - width % heads + heads) if each]
        raise DefinitionError(
            f"width is {width}, which {heads} heads cannot share evenly; use width={' or '.join(map(str, near))}"
        )


def _encoder_weights(width: int, feed_forward: int, layers: int) -> int:
    """Blocks of attention and feed-forward, each normalised first, and a last normalisation."""
    attention = 4 * linear_weights(width, width) - width  # a key's bias would change nothing
    forward = linear_weights(width, feed_forward) + linear_weights(feed_forward, width)
    return layers * (attention + forward + 4 * width) + 2 * width


TRANSFORMER_SPEC = EngineSpec(
    "transformer",
    Transformer,
    "dlplugin.engines.transformer:build",
    layout="window",
    chunk=32,
    good_for="Windows in which any bar may matter to any other; wants more data than the recurrent networks.",
    cost="Time grows with the bars of the window, its attention with their square; weights with the width's square.",
    sources=(
        "Vaswani et al. (2017), Attention is all you need",
        "Xiong et al. (2020), On layer normalization in the transformer architecture",
    ),
)
PATCHTST_SPEC = EngineSpec(
    "patchtst",
    PatchTST,
    "dlplugin.engines.patchtst:build",
    layout="window",
    chunk=32,
    good_for="Long windows, 32 bars and more: patches shorten what attention has to read.",
    cost="Time grows with the inputs and the patches; weights with inputs × patches × width in the output layer.",
    sources=("Nie et al. (2023), A time series is worth 64 words: long-term forecasting with transformers",),
)
