"""`python -m dlplugin.training.devices.member STORE RUN RANK ADDRESS [MODULE ...]`: trains with the first process.

It reads the run and writes nothing; it ends when its standard input closes, as that of a killed
process does.
"""

import importlib
import os
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from dlplugin.definition import Definition, TrainingOptions
from dlplugin.errors import DLPluginError, TrainingError
from dlplugin.samples import read_samples
from dlplugin.store import RunFolder, TrainingState
from dlplugin.training.control import Control, Deaf
from dlplugin.training.devices.share import Share
from dlplugin.training.save_point import SavePoint

__all__ = ["main"]

SECONDS_FOR_THE_FIRST = 3.0  # to find out which process has gone, before others go because of it


class _Nothing:
    """A journal of one who writes nothing."""

    kept_epoch = 0
    wants_state = False

    def add_epoch(self, row: tuple[float | int | str, ...]) -> None: ...
    def keep(self, state: TrainingState, save_point: SavePoint) -> None: ...
    def show(self, epoch: int, done: float, loss: float) -> None: ...
    def close(self) -> None: ...


def main(arguments: Sequence[str]) -> int:
    """Trains to the end with the others; an error is one line."""
    control = Deaf()  # what stops a whole job is for the first process to hear
    control.listen()
    threading.Thread(target=_end_with_the_first, daemon=True).start()
    store, name, rank, address, *modules = arguments
    for module in modules:
        importlib.import_module(module)
    try:
        _train(RunFolder.open(Path(store), name), int(rank), address, control)
    except DLPluginError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _train(folder: RunFolder, rank: int, address: str, control: Control) -> None:
    import torch

    from dlplugin.training.devices.first import state_digest
    from dlplugin.training.devices.found import choose_devices
    from dlplugin.training.devices.meeting import attend, is_over, plan_of, process_group
    from dlplugin.training.fit import fit

    store = attend(address)
    plan = plan_of(store)
    facts = folder.facts
    options, definition = TrainingOptions(**facts["options"]), Definition.from_dict(facts["definition"])
    share = Share(rank, plan["processes"], plan["machines"])
    _refuse_another_kind(choose_devices(options).kind, plan["kind"])
    samples = read_samples(folder.samples_file, definition)
    state = folder.read_state() or folder.read_initial()
    if state_digest(folder) != plan["state"]:
        raise TrainingError(
            f"run {folder.name} has another last state here; is {folder.root} the same folder?"
        )
    torch.set_num_threads(plan["threads"])
    store.set(f"here/{rank}", "")
    try:
        with process_group(store, share, plan["kind"]):
            fit(samples, options, _Nothing(), control, Console(quiet=True), state, share)
    except RuntimeError:  # of torch, when another process has gone
        end = time.monotonic() + SECONDS_FOR_THE_FIRST
        while not is_over(store):
            if time.monotonic() > end:
                raise
            time.sleep(0.02)


def _refuse_another_kind(own: str, first: str) -> None:
    if own != first:
        raise TrainingError(
            f"it would train on {own!r} here, but the first process trains on {first!r}; give device="
        )


def _end_with_the_first() -> None:
    while os.read(0, 1):  # not by sys.stdin, whose lock Python wants when it ends
        pass
    os._exit(3)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
