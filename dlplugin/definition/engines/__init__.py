"""The engines' options and the list of engines, one family a file. No torch here."""

from dlplugin.definition.engines.known import (
    engine_from_plain,
    engine_title,
    engine_to_plain,
    engines,
    spec_named,
    spec_of,
    weights_of,
)
from dlplugin.definition.engines.linear import DLinear, Linear, NLinear
from dlplugin.definition.engines.mixer import TSMixer
from dlplugin.definition.engines.mlp import MLP
from dlplugin.definition.engines.recurrent import ALSTM, GRU, LSTM
from dlplugin.definition.engines.spec import (
    EngineOptions,
    EngineSpec,
    Shapes,
    linear_weights,
    window_of,
)
from dlplugin.definition.engines.tcn import TCN
from dlplugin.definition.engines.transformer import PatchTST, Transformer

__all__ = [
    "ALSTM",
    "GRU",
    "LSTM",
    "MLP",
    "TCN",
    "DLinear",
    "EngineOptions",
    "EngineSpec",
    "Linear",
    "NLinear",
    "PatchTST",
    "Shapes",
    "TSMixer",
    "Transformer",
    "engine_from_plain",
    "engine_title",
    "engine_to_plain",
    "engines",
    "linear_weights",
    "spec_named",
    "spec_of",
    "weights_of",
    "window_of",
]
