"""Where the processes of a training meet: a store on the first one, and the process group of torch.

The store is torch's own TCPStore. In it stands what the training is ("plan"), which processes have
come ("here/RANK"), which have gone and with what last words ("gone/RANK"), which other machines take
part ("machine/N") and have heard the end ("left/N"), and that it is over ("over").
"""

import json
import os
import socket
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any

from torch import distributed
from torch.distributed import Store, TCPStore  # type: ignore[attr-defined]

from dlplugin.errors import TrainingError
from dlplugin.training.devices.share import Share

__all__ = ["attend", "is_over", "open_meeting", "plan_of", "process_group"]

LOOPBACK = "127.0.0.1"
LONGEST_SILENCE = timedelta(minutes=10)  # of a process that the others wait for in the middle of a training
TO_CONNECT = timedelta(seconds=60)
QUEUE = 128  # connections that wait to be accepted


def open_meeting(machines: int) -> tuple[TCPStore, str]:
    """Makes this process the one where the others meet; gives the store and its address.

    For one machine it cannot be reached from another one. For several it listens at MASTER_ADDR and
    MASTER_PORT, or at this machine's name and any free port.

    Raises:
        TrainingError: It cannot listen there.
    """
    host, port = LOOPBACK, 0
    if machines > 1:
        host = os.environ.get("MASTER_ADDR") or socket.gethostname()
        given = os.environ.get("MASTER_PORT") or "0"
        if not given.isdigit():
            raise TrainingError(f"MASTER_PORT is {given!r}, but must be a number, such as 29500")
        port = int(given)
    try:
        door = socket.create_server((host, port), backlog=QUEUE)
    except (OSError, OverflowError) as error:
        where = f"{host}:{port}" if port else host
        raise TrainingError(
            f"cannot listen at {where}: {getattr(error, 'strerror', None) or error}; set MASTER_ADDR and MASTER_PORT "
            "to an address of this machine"
        ) from None
    port = door.getsockname()[1]
    store = TCPStore(
        host, port, is_master=True, timeout=TO_CONNECT, wait_for_workers=False, master_listen_fd=door.detach()
    )
    return store, f"{host}:{port}"


def attend(address: str) -> TCPStore:
    """The store at an address, "HOST:PORT".

    Raises:
        TrainingError: There is none.
    """
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit():
        raise TrainingError(
            f"address is {address!r}, but must be HOST:PORT, as the first machine has told it"
        )
    try:
        socket.create_connection((host, int(port)), timeout=TO_CONNECT.total_seconds()).close()
        return TCPStore(host, int(port), is_master=False, timeout=TO_CONNECT)
    except (OSError, OverflowError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
        raise TrainingError(
            f"no training waits at {address}: {reason}; the first machine tells the address when it begins"
        ) from None


def plan_of(store: TCPStore) -> Mapping[str, Any]:
    """What the first process has told of the training."""
    plan: dict[str, Any] = json.loads(store.get("plan"))
    return plan


def is_over(store: TCPStore) -> bool:
    """Whether the training has ended, or its first process."""
    try:
        return bool(store.check(["over"]))
    except RuntimeError:
        return True


@contextmanager
def process_group(store: Store, share: Share, kind: str) -> Iterator[None]:
    """The process group of torch while a block runs; nothing of it is left after.

    Sums of numbers on the CPU go by gloo, those on NVIDIA GPUs by NCCL.

    Raises:
        TrainingError: They do not reach each other.
    """
    backend = "cpu:gloo,cuda:nccl" if kind == "cuda" else "gloo"
    if distributed.is_initialized():
        raise TrainingError(
            "this process has a process group of torch already, as another training on several processes has; "
            "train in a process of its own, with model.start(...)"
        )
    hook = sys.excepthook  # which torch replaces
    try:
        with _interface(share):
            distributed.init_process_group(
                backend, store=store, rank=share.rank, world_size=share.processes, timeout=LONGEST_SILENCE
            )
    except RuntimeError as error:
        sys.excepthook = hook
        raise TrainingError(
            f"the processes do not reach each other: {str(error).splitlines()[0]}; GLOO_SOCKET_IFNAME and "
            "NCCL_SOCKET_IFNAME name the network interface"
        ) from error
    try:
        yield
    finally:
        with suppress(RuntimeError):  # the others may be gone
            distributed.destroy_process_group()
        sys.excepthook = hook


@contextmanager
def _interface(share: Share) -> Iterator[None]:
    """Lets gloo use the loopback alone where all processes are on one machine."""
    names = [name for _, name in socket.if_nameindex()] if hasattr(socket, "if_nameindex") else []
    loopback = next((name for name in ("lo", "lo0") if name in names), None)
    given = os.environ.get("GLOO_SOCKET_IFNAME")
    if share.machines > 1 or given or loopback is None:
        yield
        return
    os.environ["GLOO_SOCKET_IFNAME"] = loopback
    try:
        yield
    finally:
        os.environ.pop("GLOO_SOCKET_IFNAME", None)
