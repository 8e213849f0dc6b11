"""Indicators: text to a tree, to columns in batch and to streams bar by bar.

expression   the text's grammar; `parse`
catalogue    every function, described
indicator    `Indicator` and `compute_columns`
stream       `Stream` and `StreamSet`
causality    `first_leak`: does a computation look ahead?
plugins      `indicator`, the decorator for functions of one's own, and where they are found
nodes, operators, calls, builtins, joined, periods, own    the kinds of steps; a new kind is a new `Node`
"""

from dlplugin.indicators.catalogue import Entry, catalogue, describe
from dlplugin.indicators.causality import Leak, first_leak
from dlplugin.indicators.expression import parse
from dlplugin.indicators.indicator import Indicator, compute_columns
from dlplugin.indicators.nodes import Node
from dlplugin.indicators.plugins import (
    describe_function,
    load_plugins,
    own_function,
    own_functions,
)
from dlplugin.indicators.probe import made_up_bars
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
    "describe_function",
    "first_leak",
    "load_plugins",
    "made_up_bars",
    "own_function",
    "own_functions",
    "parse",
]
