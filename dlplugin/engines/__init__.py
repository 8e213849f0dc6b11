"""Networks, one family a file. Importing this loads torch."""

from dlplugin.engines.base import RowReader, Shapes, build_network, seed_networks

__all__ = ["RowReader", "Shapes", "build_network", "seed_networks"]
