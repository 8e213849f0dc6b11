"""How a training is asked to stop: by Ctrl-C or SIGTERM, or by another process."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["Control", "Deaf", "StoppedBeforeItBeganError", "signals"]

REASONS = {signal.SIGINT: "stopped by Ctrl-C", signal.SIGTERM: "stopped by SIGTERM"}


class StoppedBeforeItBeganError(Exception):
    """A training was asked to stop while it waited for its other processes."""


class Control:
    """Whether a training shall stop, and why.

    Args:
        asked_elsewhere: Tells whether another process has asked for it; looked at ten times a second.

    Attributes:
        reason: In words; empty while it shall go on.
        signal: The number of the signal that asked for it; 0 where it was no signal.
        watch: Called at each look; what it raises ends the training.
        overdue: Whether it was asked to stop and did not; what breaks then is no trouble of the training's.
    """

    def __init__(self, asked_elsewhere: Callable[[], bool] = lambda: False) -> None:
        self.reason = ""
        self.signal = 0
        self.watch: Callable[[], None] | None = None
        self.overdue = False
        self._asked_elsewhere = asked_elsewhere
        self._listening = False

    def request(self, reason: str) -> None:
        """Asks for it; the first reason stays."""
        self.reason = self.reason or reason

    def listen(self) -> None:
        """Puts the handlers of `signals` back, which Lightning replaces by its own when a fit begins."""
        if self._listening:
            for number in REASONS:
                signal.signal(number, self._hear)

    def _hear(self, number: int, frame: FrameType | None) -> None:
        if self.signal:
            raise KeyboardInterrupt
        self.signal = number
        self.request(REASONS[signal.Signals(number)])

    def look(self) -> bool:
        """Whether it shall stop."""
        if self.watch is not None and not self.overdue:
            self.watch()
        return self.is_asked()

    def is_asked(self) -> bool:
        """The same, whatever the watch would find."""
        if not self.reason and self._asked_elsewhere():
            self.request("stopped by request")
        return bool(self.reason)


class Deaf(Control):
    """That of a process which another one ends: it hears no signal."""

    def listen(self) -> None:
        """Ignores Ctrl-C and SIGTERM, for which Lightning puts a handler of its own when a fit begins."""
        for number in REASONS:
            signal.signal(number, signal.SIG_IGN)


@contextmanager
def signals(control: Control) -> Iterator[None]:
    """Makes Ctrl-C and SIGTERM a clean stop within a second; a second Ctrl-C ends at once.

    Lightning would turn Ctrl-C into SystemExit. Off the main thread Python allows no handlers.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    before = {number: signal.getsignal(number) for number in REASONS}
    control._listening = True
    control.listen()
    try:
        yield
    finally:
        control._listening = False
        for number, handler in before.items():
            signal.signal(number, handler)
