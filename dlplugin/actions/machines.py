"""Several machines that train one run."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dlplugin.training import Run

__all__ = ["join"]


def join(name: str, machine: int, address: str, store: Path | None = None) -> "Run":
    """Trains a run together with the machine that has begun it, until it ends.

    Args:
        name: The run's.
        machine: This machine's number, from 1.
        address: Where the first machine listens, "HOST:PORT".
        store: The store's folder, on a drive that the machines share.

    Returns:
        The run, as the first machine has left it.

    Raises:
        DLPluginError: There is no such run, it does not wait there, or it has failed on this machine.
    """
    from dlplugin.store import RunFolder, store_folder
    from dlplugin.training import Run
    from dlplugin.training.devices.joining import join_training

    folder = RunFolder.open(store_folder(store), name)
    join_training(folder, machine, address)
    return Run(folder)
