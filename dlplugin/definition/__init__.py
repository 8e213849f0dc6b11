"""What a model is and how it is trained: frozen, validated, without torch."""

from dlplugin.definition.definition import Definition, is_name
from dlplugin.definition.engines import MLP, EngineOptions, EngineSpec, engines
from dlplugin.definition.inputs import Input
from dlplugin.definition.options import TrainingOptions
from dlplugin.definition.outputs import Head, Output
from dlplugin.definition.settings import help_sentences, settings, to_plain
from dlplugin.definition.sources import Source, refuse_edited
from dlplugin.definition.split import Split

__all__ = [
    "MLP",
    "Definition",
    "EngineOptions",
    "EngineSpec",
    "Head",
    "Input",
    "Output",
    "Source",
    "Split",
    "TrainingOptions",
    "engines",
    "help_sentences",
    "is_name",
    "refuse_edited",
    "settings",
    "to_plain",
]
