"""The options of the recurrent networks, which read the window bar by bar."""

from typing import Annotated

from pydantic import Field

from dlplugin.definition.engines.fields import (
    MOST_UNITS,
    Dropout,
    Hidden,
    Layers,
    Normalisation,
    refuse_one_normalised,
)
from dlplugin.definition.engines.spec import EngineSpec, Shapes, linear_weights, window_of
from dlplugin.definition.settings import settings

__all__ = ["ALSTM", "ALSTM_SPEC", "GRU", "GRU_SPEC", "LSTM", "LSTM_SPEC"]


@settings
class LSTM:
    """Long short-term memory: reads the window bar by bar into a state that it can keep or forget."""

    hidden: Hidden = 32
    layers: Layers = 1
    dropout: Dropout = 0.0
    normalisation: Normalisation = "none"

    def __post_init__(self) -> None:
        refuse_one_normalised(self.normalisation, "hidden", [self.hidden])

    def weights(self, shapes: Shapes) -> int:
        """How many numbers each network learns; see `EngineOptions`."""
        _, features = window_of("lstm", shapes)
        own = _lstm_weights(features, self.hidden, self.layers)
        if self.normalisation == "layer":
            own += 2 * self.hidden * self.layers
        return own + linear_weights(self.hidden, shapes.outputs)


@settings
class GRU:
    """Gated recurrent unit: reads the window bar by bar into a state, with fewer gates than an LSTM."""

    hidden: Hidden = 32
    layers: Layers = 1
    dropout: Dropout = 0.0
    normalisation: Normalisation = "none"

    def __post_init__(self) -> None:
        refuse_one_normalised(self.normalisation, "hidden", [self.hidden])

    def weights(self, shapes: Shapes) -> int:
        """How many numbers each network learns; see `EngineOptions`."""
        _, features = window_of("gru", shapes)
        sizes = [features] + [self.hidden] * (self.layers - 1)
        own = sum(3 * self.hidden * (size + self.hidden) + 4 * self.hidden for size in sizes)
        if self.normalisation == "layer":
            own += 2 * self.hidden * self.layers
        return own + linear_weights(self.hidden, shapes.outputs)


@settings
class ALSTM:
    """LSTM with attention: a feature layer, an LSTM, and a weighted look back at all of its states."""

    features: Annotated[
        int, Field(ge=1, le=MOST_UNITS, description="Neurons of the layer that every bar passes first.")
    ] = 32
    hidden: Hidden = 32
    layers: Layers = 1
    dropout: Dropout = 0.0

    def weights(self, shapes: Shapes) -> int:
        """How many numbers each network learns; see `EngineOptions`."""
        _, inputs = window_of("alstm", shapes)
        attention = linear_weights(self.hidden, self.hidden) + self.hidden
        return (
            linear_weights(inputs, self.features)
            + _lstm_weights(self.features, self.hidden, self.layers)
            + attention
            + linear_weights(2 * self.hidden, shapes.outputs)
        )


def _lstm_weights(inputs: int, hidden: int, layers: int) -> int:
    sizes = [inputs] + [hidden] * (layers - 1)
    return sum(4 * hidden * (size + hidden + 1) for size in sizes)


LSTM_SPEC = EngineSpec(
    "lstm",
    LSTM,
    "dlplugin.engines.lstm:build",
    layout="window",
    chunk=32,
    good_for="Series whose past matters in its order, over some ten to a hundred bars.",
    cost="Time grows with the bars of the window, which are read one after another; the weights do not.",
    sources=(
        "Hochreiter and Schmidhuber (1997), Long short-term memory",
        "Gers, Schmidhuber and Cummins (2000), Learning to forget: continual prediction with LSTM",
    ),
)
GRU_SPEC = EngineSpec(
    "gru",
    GRU,
    "dlplugin.engines.gru:build",
    layout="window",
    chunk=32,
    good_for="What an LSTM is for, with a quarter fewer weights; often as good on little data.",
    cost="Time grows with the bars of the window, which are read one after another; the weights do not.",
    sources=("Cho et al. (2014), Learning phrase representations using RNN encoder-decoder",),
)
ALSTM_SPEC = EngineSpec(
    "alstm",
    ALSTM,
    "dlplugin.engines.alstm:build",
    layout="window",
    chunk=32,
    good_for="Long windows in which a few bars matter and which ones is to be learned; used for stocks by its authors.",
    cost="That of an LSTM and a little more.",
    sources=(
        "Qin et al. (2017), A dual-stage attention-based recurrent neural network for time series prediction",
        "Feng et al. (2019), Enhancing stock movement prediction with adversarial training",
    ),
)
