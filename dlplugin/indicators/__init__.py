"""Indicators: text to a tree, to columns in batch and to streams bar by bar.

expression   the text's grammar; `parse`
catalogue    every function, described
indicator    `Indicator` and `compute_columns`
stream       `Stream` and `StreamSet`
causality    `first_leak`: does a computation look ahead?
nodes, operators, calls, builtins    the kinds of steps; a new kind is a new `Node`
"""

from dlplugin.indicators.catalogue import Entry, catalogue, describe
from dlplugin.indicators.causality import Leak, first_leak
from dlplugin.indicators.expression import parse
from dlplugin.indicators.indicator import Indicator, compute_columns
from dlplugin.indicators.nodes import Node
from dlplugin.indicators.stream import Stream, StreamSet

__all__ = [
    "Entry",
    "Indicator",
    "Leak",
    "Node",
    "Stream",
    "StreamSet",
    "catalogue",
    "compute_columns",
    "describe",
    "first_leak",
    "parse",
]
