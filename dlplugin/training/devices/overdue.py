"""A stop that the first process cannot hear, as it waits within torch for a process that does not answer."""

import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from dlplugin.training.control import REASONS, Control

__all__ = ["ending_when_overdue"]

SECONDS_BETWEEN_LOOKS = 0.1
SECONDS_TO_HEAR = 1.5  # that a stop has to be heard between two batches


@contextmanager
def ending_when_overdue(control: Control, end: Callable[[], None]) -> Iterator[None]:
    """Calls `end`, which breaks the connections, where a stop was asked for and this block goes on all the same.

    Python hears a signal only between two of its own instructions; a byte is written at once.

    Args:
        control: Who may stop it; `overdue` is set before `end` is called.
        end: Called in a thread of its own, once at most.
    """
    over, heard = threading.Event(), socket.socketpair()
    for each in heard:
        each.setblocking(False)
    on_main = threading.current_thread() is threading.main_thread()
    before = signal.set_wakeup_fd(heard[1].fileno(), warn_on_full_buffer=False) if on_main else -1
    thread = threading.Thread(target=_watch, args=(control, end, heard[0], over), daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        if on_main:
            signal.set_wakeup_fd(before)
        for each in heard:
            each.close()


def _watch(control: Control, end: Callable[[], None], heard: socket.socket, over: threading.Event) -> None:
    asked: float | None = None
    while not over.wait(SECONDS_BETWEEN_LOOKS):
        signalled = b""
        with suppress(BlockingIOError):
            signalled = heard.recv(4096)
        if asked is None and (set(signalled) & set(REASONS) or control.is_asked()):
            asked = time.monotonic()
        if asked is not None and time.monotonic() - asked > SECONDS_TO_HEAR:
            control.overdue = True
            end()
            return
