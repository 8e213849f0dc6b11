"""Another machine's part in a training: it starts its processes, and waits for the end."""

import time
from contextlib import suppress
from datetime import timedelta

from torch.distributed import TCPStore  # type: ignore[attr-defined]

from dlplugin.definition import TrainingOptions
from dlplugin.errors import TrainingError
from dlplugin.store import RunFolder
from dlplugin.training.devices.found import choose_devices
from dlplugin.training.devices.meeting import attend, is_over, plan_of
from dlplugin.training.devices.processes import Processes

__all__ = ["join_training"]

SECONDS_BETWEEN_LOOKS = 0.2
SECONDS_TO_END = 5.0  # that the first machine has, after a process of this one has ended


def join_training(folder: RunFolder, machine: int, address: str) -> None:
    """Trains with the first machine until it ends.

    Args:
        folder: The run's, on a drive that the machines share.
        machine: This one's number, from 1.
        address: Where the first machine listens, "HOST:PORT".

    Raises:
        TrainingError: No such training waits there, or a process of this machine has ended before its time.
        StoreError: A log cannot be written.
    """
    store = attend(address)
    plan = plan_of(store)
    if plan["run"] != folder.name:
        raise TrainingError(f"run {plan['run']} waits at {address}, and not {folder.name}")
    if not 0 < machine < plan["machines"]:
        last = plan["machines"] - 1
        numbers = "1" if last == 1 else f"a number from 1 to {last}"
        raise TrainingError(f"machine is {machine}, but must be {numbers}; the first machine is 0")
    devices = choose_devices(TrainingOptions(**folder.facts["options"]))
    count = plan["processes"] // plan["machines"]
    if devices.count != count:
        raise TrainingError(
            f"the first machine has {count} processes, but this one would have {devices.count}; give devices={count}"
        )
    if store.add(f"machine/{machine}", 1) > 1:
        raise TrainingError(
            f"machine {machine} has joined run {folder.name} already; each has a number of its own"
        )
    processes = Processes(folder, range(machine * count, (machine + 1) * count), address)
    try:
        _watch(store, processes, folder)
    finally:
        processes.end()
        with suppress(RuntimeError):  # the first machine's process may have ended
            store.set(f"left/{machine}", "")


def _watch(store: TCPStore, processes: Processes, folder: RunFolder) -> None:
    """Until the training is over, or the first machine or a process of this one has gone."""
    store.set_timeout(timedelta(seconds=SECONDS_TO_END))
    while not is_over(store):
        if gone := processes.gone():
            rank, words = gone
            if _tell_gone(store, rank, words):
                raise TrainingError(f"process {rank + 1} of run {folder.name} ended: {words}")
            return
        time.sleep(SECONDS_BETWEEN_LOOKS)


def _tell_gone(store: TCPStore, rank: int, words: str) -> bool:
    """Tells the first machine that a process has ended; False where it did because the training is over."""
    end = time.monotonic() + (SECONDS_TO_END if words == "with exit code 0" else 0.0)
    while time.monotonic() < end:
        if is_over(store):
            return False
        time.sleep(SECONDS_BETWEEN_LOOKS)
    if is_over(store):
        return False
    try:
        store.set(f"gone/{rank}", words)
    except RuntimeError:
        return False
    return True
