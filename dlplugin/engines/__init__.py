"""Networks, one family a file, and the layers they are built from. Importing this loads torch."""

from dlplugin.definition import Shapes
from dlplugin.engines.layers import ACTIVATIONS, Dropout, LayerNorm, Linear
from dlplugin.engines.network import build_network, load_build, output_layer, seed_networks
from dlplugin.engines.rows import RowReader
from dlplugin.engines.streams import Purpose, streams

__all__ = [
    "ACTIVATIONS",
    "Dropout",
    "LayerNorm",
    "Linear",
    "Purpose",
    "RowReader",
    "Shapes",
    "build_network",
    "load_build",
    "output_layer",
    "seed_networks",
    "streams",
]
