"""What a model is and how it is trained: frozen, validated, without torch.

What needs indicators, and with them pandas, is imported when it is first used: the help of the
commands reads the options' fields, and should not wait for it.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from dlplugin.definition.engines import (
    ALSTM,
    GRU,
    LSTM,
    MLP,
    TCN,
    DLinear,
    EngineOptions,
    EngineSpec,
    Linear,
    NLinear,
    PatchTST,
    Shapes,
    Transformer,
    TSMixer,
    engine_from_plain,
    engine_title,
    engine_to_plain,
    engines,
    linear_weights,
    spec_named,
    weights_of,
    window_of,
)
from dlplugin.definition.options import TrainingOptions
from dlplugin.definition.settings import Later, help_sentences, settings, to_plain
from dlplugin.definition.split import Split

if TYPE_CHECKING:
    from dlplugin.definition.definition import Definition, is_name
    from dlplugin.definition.inputs import Input
    from dlplugin.definition.outputs import Head, Output
    from dlplugin.definition.plan import TrainingPlan
    from dlplugin.definition.sources import Source, refuse_edited

_HOMES = {
    "Definition": "definition",
    "Head": "outputs",
    "Input": "inputs",
    "Output": "outputs",
    "Source": "sources",
    "TrainingPlan": "plan",
    "is_name": "definition",
    "refuse_edited": "sources",
}

__all__ = [
    "ALSTM",
    "GRU",
    "LSTM",
    "MLP",
    "TCN",
    "DLinear",
    "Definition",
    "EngineOptions",
    "EngineSpec",
    "Head",
    "Input",
    "Later",
    "Linear",
    "NLinear",
    "Output",
    "PatchTST",
    "Shapes",
    "Source",
    "Split",
    "TSMixer",
    "TrainingOptions",
    "TrainingPlan",
    "Transformer",
    "engine_from_plain",
    "engine_title",
    "engine_to_plain",
    "engines",
    "help_sentences",
    "is_name",
    "linear_weights",
    "refuse_edited",
    "settings",
    "spec_named",
    "to_plain",
    "weights_of",
    "window_of",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
