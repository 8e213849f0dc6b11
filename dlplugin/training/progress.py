"""The progress of a training on a terminal, in a notebook, or as plain lines in a pipe."""

import time
from types import TracebackType
from typing import Any, Protocol, Self

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn
from rich.text import Text

from dlplugin.definition import TrainingOptions
from dlplugin.training.module import EpochLosses
from dlplugin.training.outcome import epochs_text
from dlplugin.training.save_point import SavePoint

__all__ = ["TrainingProgress"]

SECONDS_BETWEEN_LINES = 5.0  # at first; a night shall not be thousands of lines
LONGER_PAUSE = 1.2  # times the one before
LONGEST_PAUSE = 60.0  # seconds
SECONDS_BETWEEN_CELLS = 0.2
WIDE_TERMINAL = 120  # columns, for the bar and the elapsed time beside the losses
ROOMY_TERMINAL = 150  # for all of that within a long epoch


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
        self._roomy = not console.is_terminal or console.width >= ROOMY_TERMINAL
        self._surface: _Surface
        if console.is_jupyter:
            self._surface = _Cell(label, epochs)
        elif console.is_terminal:
            self._surface = _Bar(label, epochs, console)
        else:
            self._surface = _Lines(label, epochs, console)
        self._started = time.perf_counter()
        self._last = ""  # what the last epoch told of out-of-sample
        self._end: float | None = None  # when it will have ended, on the clock of `perf_counter`

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
        self._end = self._ends(losses.epoch, save_point.last_improvement)
        name = "in" if self._narrow else "in-sample"
        self._last = self._out_of_sample(losses, save_point)
        self._surface.show(
            losses.epoch, f"{name} {np.mean(losses.in_sample):.4f}{self._last}", self._left_text()
        )

    def show_running(self, epoch: int, done: float, loss: float) -> None:
        """Tells how far a long epoch is, its in-sample loss so far, and what the last epoch told."""
        name = "in" if self._narrow else "in-sample"
        last = self._last if self._roomy else ""
        text = f"{done:.0%} of epoch {epoch}, {name} {loss:.4f} so far{last}"
        self._surface.show(epoch - 1, text, self._left_text())

    def _out_of_sample(self, losses: EpochLosses, save_point: SavePoint) -> str:
        """Clauses that follow the in-sample loss."""
        if losses.out_of_sample is None:
            return ""
        name = "out" if self._narrow else "out-of-sample"
        return f", {name} {np.mean(losses.out_of_sample):.4f}, {self._best(save_point)}"

    def _best(self, save_point: SavePoint) -> str:
        values, monitor = save_point.values, self._options.monitor
        if not np.isfinite(values).all():
            return "none kept yet"
        epoch = epochs_text(save_point.epochs.tolist())
        if monitor == "loss":
            return f"best {np.mean(values):.4f} in {epoch}"
        return f"best {monitor} {-np.mean(values):.4f} in {epoch}"

    def _ends(self, epoch: int, improved: int) -> float | None:
        """When it ends at the latest: with the last epoch, or by auto-stop if nothing improves."""
        ends = [self._options.epochs] if self._options.epochs else []
        if self._options.auto_stop and improved:
            ends.append(improved + self._options.auto_stop)
        if not ends:
            return None
        now = time.perf_counter()
        return now + (now - self._started) / (epoch - self._done) * max(min(ends) - epoch, 0)

    def _left_text(self) -> str:
        return "" if self._end is None else f"{_clock(self._end - time.perf_counter())} left"


def _clock(seconds: float) -> str:
    """Minutes and seconds, or hours, minutes and seconds.

    >>> _clock(81.9), _clock(3 * 3600 + 7)
    ('1:21', '3:00:07')
    """
    minutes, second = divmod(max(int(seconds), 0), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02d}:{second:02d}" if hours else f"{minute}:{second:02d}"


def _line(label: str, epoch: int, epochs: int | None, losses: str, left: str) -> str:
    return ", ".join(filter(None, [f"{label}: epoch {epoch}{f'/{epochs}' if epochs else ''}", losses, left]))


class _Times(ProgressColumn):
    """The time so far, and the time left."""

    def render(self, task: Task) -> Text:
        """As one text."""
        return Text(", ".join(filter(None, [f"{_clock(task.elapsed or 0)} so far", task.fields["left"]])))


class _Bar:
    """One moving line on a terminal."""

    def __init__(self, label: str, epochs: int | None, console: Console) -> None:
        wide = console.width >= WIDE_TERMINAL
        columns = [
            TextColumn("{task.description}"),
            MofNCompleteColumn(),
            TextColumn("{task.fields[losses]}"),
        ]
        more = [BarColumn(bar_width=20), _Times()] if wide else [TextColumn("{task.fields[left]}")]
        self._bar = Progress(*columns, *more, console=console)
        self._task = self._bar.add_task(label, total=epochs, losses="", left="")

    def start(self) -> None:
        self._bar.start()

    def show(self, epoch: int, losses: str, left: str) -> None:
        self._bar.update(self._task, completed=epoch, losses=losses, left=left)

    def stop(self) -> None:
        self._bar.stop()


class _Lines:
    """A line every few seconds where nothing can move; later one a minute."""

    def __init__(self, label: str, epochs: int | None, console: Console) -> None:
        self._label = label
        self._epochs = epochs
        self._console = console
        self._shown = 0.0
        self._pause = SECONDS_BETWEEN_LINES

    def start(self) -> None:
        self._shown = time.perf_counter()

    def show(self, epoch: int, losses: str, left: str) -> None:
        if time.perf_counter() - self._shown >= self._pause:
            self._shown = time.perf_counter()
            self._pause = min(LONGER_PAUSE * self._pause, LONGEST_PAUSE)
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
