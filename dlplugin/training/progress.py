"""The progress of a training on a terminal, in a notebook, or as plain lines in a pipe."""

import time
from types import TracebackType
from typing import Any, Protocol, Self

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from dlplugin.definition import TrainingOptions
from dlplugin.training.module import EpochLosses
from dlplugin.training.outcome import epochs_text
from dlplugin.training.save_point import SavePoint

__all__ = ["TrainingProgress"]

SECONDS_BETWEEN_LINES = 5.0
SECONDS_BETWEEN_CELLS = 0.2
WIDE_TERMINAL = 120  # columns, for the bar and the elapsed time beside the losses


class _Surface(Protocol):
    """Where progress is shown."""

    def start(self) -> None: ...

    def show(self, epoch: int, losses: str, left: str) -> None: ...

    def stop(self) -> None: ...


class TrainingProgress:
    """Both losses, the best epoch and the time left; a context manager around a training.

    Args:
        label: The model's name.
        options: Their epochs and auto-stop bound the time left.
        done: Epochs that were done before.
        console: Where to write; standard error when not given.
    """

    def __init__(
        self, label: str, options: TrainingOptions, done: int = 0, console: Console | None = None
    ) -> None:
        console = console or Console(stderr=True)
        epochs = options.epochs
        self._options = options
        self._done = done
        self._narrow = console.is_terminal and console.width < WIDE_TERMINAL
        self._surface: _Surface
        if console.is_jupyter:
            self._surface = _Cell(label, epochs)
        elif console.is_terminal:
            self._surface = _Bar(label, epochs, console)
        else:
            self._surface = _Lines(label, epochs, console)
        self._started = time.perf_counter()

    def __enter__(self) -> Self:
        self._started = time.perf_counter()
        self._surface.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._surface.stop()

    def show(self, losses: EpochLosses, save_point: SavePoint) -> None:
        """Tells of the epoch that has just ended."""
        left = self._left(losses.epoch, save_point.last_improvement)
        self._surface.show(losses.epoch, self._text(losses, save_point), left)

    def show_running(self, epoch: int, done: float, loss: float) -> None:
        """Tells how far a long epoch is, and its in-sample loss so far."""
        name = "in" if self._narrow else "in-sample"
        self._surface.show(epoch - 1, f"{done:.0%} of epoch {epoch}, {name} {loss:.4f} so far", "")

    def _text(self, losses: EpochLosses, save_point: SavePoint) -> str:
        one, other = ("in", "out") if self._narrow else ("in-sample", "out-of-sample")
        parts = [f"{one} {np.mean(losses.in_sample):.4f}"]
        if losses.out_of_sample is not None:
            parts.append(f"{other} {np.mean(losses.out_of_sample):.4f}")
            parts.append(self._best(save_point))
        return ", ".join(parts)

    def _best(self, save_point: SavePoint) -> str:
        values, monitor = save_point.values, self._options.monitor
        if not np.isfinite(values).all():
            return "none kept yet"
        epoch = epochs_text(save_point.epochs.tolist())
        if monitor == "loss":
            return f"best {np.mean(values):.4f} in {epoch}"
        return f"best {monitor} {-np.mean(values):.4f} in {epoch}"

    def _left(self, epoch: int, improved: int) -> str:
        """The time that is left at most: until the last epoch, or until auto-stop if nothing improves."""
        ends = [self._options.epochs] if self._options.epochs else []
        if self._options.auto_stop and improved:
            ends.append(improved + self._options.auto_stop)
        if not ends:
            return ""
        an_epoch = (time.perf_counter() - self._started) / (epoch - self._done)
        seconds = an_epoch * max(min(ends) - epoch, 0)
        return f"{int(seconds) // 60}:{int(seconds) % 60:02d} left"


def _line(label: str, epoch: int, epochs: int | None, losses: str, left: str) -> str:
    return ", ".join(filter(None, [f"{label}: epoch {epoch}{f'/{epochs}' if epochs else ''}", losses, left]))


class _Bar:
    """One moving line on a terminal."""

    def __init__(self, label: str, epochs: int | None, console: Console) -> None:
        wide = console.width >= WIDE_TERMINAL
        columns = [
            TextColumn("{task.description}"),
            MofNCompleteColumn(),
            TextColumn("{task.fields[losses]}"),
        ]
        more = [BarColumn(bar_width=20), TimeElapsedColumn()] if wide else []
        self._bar = Progress(*columns, *more, TextColumn("{task.fields[left]}"), console=console)
        self._task = self._bar.add_task(label, total=epochs, losses="", left="")

    def start(self) -> None:
        self._bar.start()

    def show(self, epoch: int, losses: str, left: str) -> None:
        self._bar.update(self._task, completed=epoch, losses=losses, left=left)

    def stop(self) -> None:
        self._bar.stop()


class _Lines:
    """A line every few seconds where nothing can move."""

    def __init__(self, label: str, epochs: int | None, console: Console) -> None:
        self._label = label
        self._epochs = epochs
        self._console = console
        self._shown = 0.0

    def start(self) -> None:
        self._shown = time.perf_counter()

    def show(self, epoch: int, losses: str, left: str) -> None:
        if time.perf_counter() - self._shown >= SECONDS_BETWEEN_LINES:
            self._shown = time.perf_counter()
            line = _line(self._label, epoch, self._epochs, losses, left)
            self._console.print(line, soft_wrap=True, highlight=False, markup=False)

    def stop(self) -> None:
        pass


class _Cell:
    """One line under a notebook's cell; it needs no widgets."""

    def __init__(self, label: str, epochs: int | None) -> None:
        self._label = label
        self._epochs = epochs
        self._handle: Any = None
        self._last = ""
        self._shown = 0.0

    def start(self) -> None:
        from IPython import display  # there wherever a notebook is

        show: Any = display.display
        self._handle = show({"text/plain": f"{self._label}: starting"}, raw=True, display_id=True)

    def show(self, epoch: int, losses: str, left: str) -> None:
        self._last = _line(self._label, epoch, self._epochs, losses, left)
        if time.perf_counter() - self._shown >= SECONDS_BETWEEN_CELLS:
            self._shown = time.perf_counter()
            self._handle.update({"text/plain": self._last}, raw=True)

    def stop(self) -> None:
        if self._last:
            self._handle.update({"text/plain": self._last}, raw=True)
