"""`python -m dlplugin.training.worker STORE RUN [MODULE ...]`: trains a run in this process."""

import importlib
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from dlplugin.errors import DLPluginError
from dlplugin.store import RunFolder
from dlplugin.training.stretch import execute

__all__ = ["main"]


def main(arguments: Sequence[str]) -> int:
    """Trains to the end, or until it is asked to stop; an error is one line."""
    store, name, *modules = arguments
    for module in modules:  # with indicators that the one who began it knows
        importlib.import_module(module)
    try:
        execute(RunFolder.open(Path(store), name), Console(quiet=True))
    except DLPluginError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
