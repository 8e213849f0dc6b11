"""Networks, one family a file. Importing this loads torch."""

from dlplugin.engines.base import (
    Purpose,
    RowReader,
    Shapes,
    build_network,
    output_layer,
    seed_networks,
    streams,
)

__all__ = ["Purpose", "RowReader", "Shapes", "build_network", "output_layer", "seed_networks", "streams"]
