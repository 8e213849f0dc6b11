"""What the first process of several does before and after it trains with them."""

import hashlib
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import torch
from torch import distributed
from torch.distributed import TCPStore  # type: ignore[attr-defined]

from dlplugin.errors import TrainingError
from dlplugin.store import RunFolder
from dlplugin.training.control import Control, StoppedBeforeItBeganError
from dlplugin.training.devices.found import Devices
from dlplugin.training.devices.meeting import open_meeting, process_group
from dlplugin.training.devices.overdue import ending_when_overdue
from dlplugin.training.devices.processes import SECONDS_TO_BE_NOTICED, Processes
from dlplugin.training.devices.share import Share

__all__ = ["state_digest", "with_others"]

SECONDS_FOR_PROCESSES = 120.0
SECONDS_FOR_MACHINES = 600.0
SECONDS_BETWEEN_LOOKS = 0.02
SECONDS_TO_HEAR = 2.0


@contextmanager
def with_others(
    folder: RunFolder, devices: Devices, control: Control, tell: Callable[[str], None]
) -> Iterator[Share]:
    """Starts the other processes of a training and waits for those of other machines; ends all of them.

    Args:
        folder: The run's, which the others read.
        devices: How many processes there shall be.
        control: Who may stop it while it waits.
        tell: Hears what to type on the other machines.

    Raises:
        TrainingError: One of them has ended, or has not come in time.
        StoreError: The run's folder cannot be written.
        StoppedBeforeItBeganError: It was asked to stop while it waited.
    """
    share = Share(0, devices.processes, devices.machines)
    store, address = open_meeting(devices.machines)
    store.set("plan", json.dumps(_plan(folder, devices)))
    processes = Processes(folder, range(1, devices.count), address)
    try:
        if devices.machines > 1:
            _invite(folder, devices, address, tell)
        _wait(store, processes, share, control, folder)
        control.watch = lambda: _refuse_gone(processes, share, folder)
        with process_group(store, share, devices.kind):
            try:
                with ending_when_overdue(control, lambda: _break_off(store, processes)):
                    yield share
            except RuntimeError as error:  # of torch, when a connection breaks
                _explain(error, store, processes, share, folder)
                raise
            finally:  # before the group ends, so that none wonders where it is
                store.set("over", "")
                processes.end()
    finally:
        control.watch = None
        processes.end()
        _let_go(store, share)


def state_digest(folder: RunFolder) -> str:
    """SHA-256 of what a training goes on from, so that all its processes go on from the same."""
    found = hashlib.sha256()
    for name in ("state.safetensors", "initial.safetensors"):
        path = folder.path / name
        found.update(path.read_bytes() if path.exists() else b"none")
    return found.hexdigest()


def _plan(folder: RunFolder, devices: Devices) -> dict[str, object]:
    return {
        "run": folder.name,
        "kind": devices.kind,
        "processes": devices.processes,
        "machines": devices.machines,
        "threads": torch.get_num_threads(),
        "state": state_digest(folder),
    }


def _invite(folder: RunFolder, devices: Devices, address: str, tell: Callable[[str], None]) -> None:
    others = "1 more machine" if devices.machines == 2 else f"{devices.machines - 1} more machines"
    tell(f"waits {SECONDS_FOR_MACHINES / 60:g} minutes for {others}; type there, in the same store:")
    for machine in range(1, devices.machines):
        tell(f"dlplugin join {folder.name} --machine {machine} --address {address}{folder.place}")


def _wait(store: TCPStore, processes: Processes, share: Share, control: Control, folder: RunFolder) -> None:
    """Until all are here."""
    local, seconds = (
        share.local_processes,
        SECONDS_FOR_MACHINES if share.machines > 1 else SECONDS_FOR_PROCESSES,
    )
    missing, end = set(range(1, share.processes)), time.monotonic() + seconds
    while missing:
        missing -= {rank for rank in missing if store.check([f"here/{rank}"])}
        if control.look():
            raise StoppedBeforeItBeganError
        if gone := processes.gone() or _gone_elsewhere(store, share):
            raise TrainingError(_ended(gone, share, folder))
        if missing and time.monotonic() > end:
            machine = min(missing) // local
            who = f"process {min(missing) + 1} of {share.processes}" if machine == 0 else f"machine {machine}"
            raise TrainingError(f"{who} has not come within {seconds:g} seconds{_again(folder)}")
        time.sleep(SECONDS_BETWEEN_LOOKS)


def _break_off(store: TCPStore, processes: Processes) -> None:
    """Lets what waits for another process fail."""
    store.set("over", "")
    processes.end()


def _refuse_gone(processes: Processes, share: Share, folder: RunFolder) -> None:
    """Between two batches, as NCCL does not tell of a process that has ended."""
    if gone := processes.gone():
        raise TrainingError(_ended(gone, share, folder))


def _explain(
    error: RuntimeError, store: TCPStore, processes: Processes, share: Share, folder: RunFolder
) -> None:
    """Raises what broke a connection, where that is known."""
    gone = processes.gone(SECONDS_TO_BE_NOTICED) or _gone_elsewhere(store, share)
    if gone is not None:
        raise TrainingError(_ended(gone, share, folder)) from error
    if share.machines > 1 and _is_of_a_connection(error):
        raise TrainingError(f"the connection to another machine broke{_again(folder)}") from error


def _let_go(store: TCPStore, share: Share) -> None:
    """Tells the other machines that it is over, and gives them a moment to hear it."""
    store.set("over", "")
    end = time.monotonic() + SECONDS_TO_HEAR
    joined = [f"left/{each}" for each in range(1, share.machines) if store.check([f"machine/{each}"])]
    while joined and not store.check(joined) and time.monotonic() < end:
        time.sleep(SECONDS_BETWEEN_LOOKS)


def _gone_elsewhere(store: TCPStore, share: Share) -> tuple[int, str] | None:
    """The rank and last words of a process of another machine that has ended."""
    store.set_timeout(timedelta(seconds=1))
    for rank in range(share.local_processes, share.processes):
        if store.check([f"gone/{rank}"]):
            return rank, store.get(f"gone/{rank}").decode()
    return None


def _is_of_a_connection(error: RuntimeError) -> bool:
    return isinstance(error, distributed.DistError) or "gloo" in str(error)


def _ended(gone: tuple[int, str], share: Share, folder: RunFolder) -> str:
    rank, words = gone
    machine = rank // share.local_processes
    where = f" on machine {machine}" if machine else ""
    return f"process {rank + 1} of {share.processes}{where} ended: {words}{_again(folder)}"


def _again(folder: RunFolder) -> str:
    return f"; go on with: dlplugin resume {folder.name}{folder.place}"
