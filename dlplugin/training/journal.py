"""What a training writes while it goes on: the history at once, states and save points in the background."""

import threading
import time
from typing import Protocol

from safetensors.numpy import save

from dlplugin.store import RunFolder, TrainingState
from dlplugin.training.save_point import SavePoint

__all__ = ["Journal", "RunJournal"]

SECONDS_BETWEEN_STATES = 0.4  # at most an epoch or a second is lost, and writing costs a thousandth

Row = tuple[float | int | str, ...]


class Journal(Protocol):
    """Where a training leaves what others see of it, and what it goes on from."""

    @property
    def kept_epoch(self) -> int:
        """The epoch of the newest state that is written, or about to be; 0 before the first."""

    def add_epoch(self, row: Row) -> None:
        """Adds an epoch to the history."""

    @property
    def wants_state(self) -> bool:
        """Whether it is time for a new state."""

    def keep(self, state: TrainingState, save_point: SavePoint) -> None:
        """Takes the state at the end of an epoch, and the save point as it is then."""

    def show(self, epoch: int, done: float, loss: float) -> None:
        """Tells how far a long epoch is, and its in-sample loss so far."""

    def close(self) -> None:
        """Waits until all is written."""


class RunJournal:
    """The journal in a run's folder.

    The training goes on while a state is written. An error of writing is raised where the training next
    meets the journal.
    """

    def __init__(self, folder: RunFolder, epoch: int) -> None:
        self.kept_epoch = epoch
        self._folder = folder
        self._next = time.monotonic()
        self._writer: threading.Thread | None = None
        self._error: BaseException | None = None
        self._saved: list[int] = []
        self._showing = False

    def add_epoch(self, row: Row) -> None:
        """Adds an epoch to the history; how far it was is told no more."""
        self._raise()
        self._folder.append_history(row)
        if self._showing:
            self._showing = False
            self._folder.clear_progress()

    @property
    def wants_state(self) -> bool:
        """Whether the last one is old enough, and written."""
        self._raise()
        return time.monotonic() >= self._next and (self._writer is None or not self._writer.is_alive())

    def keep(self, state: TrainingState, save_point: SavePoint) -> None:
        """Writes in the background, one state at a time; the arrays may change meanwhile."""
        self.close()
        kept = None
        if save_point.epochs.tolist() != self._saved:
            self._saved = save_point.epochs.tolist()
            kept = save(save_point.weights)
        self.kept_epoch = state.epoch
        self._next = time.monotonic() + SECONDS_BETWEEN_STATES
        self._writer = threading.Thread(target=self._write, args=(state.to_bytes(), kept), name="state")
        self._writer.start()

    def show(self, epoch: int, done: float, loss: float) -> None:
        """Writes progress.json."""
        self._raise()
        self._showing = True
        self._folder.write_progress({"epoch": epoch, "done": round(done, 4), "loss": loss})

    def close(self) -> None:
        """Waits until all is written."""
        if self._writer is not None:
            self._writer.join()
            self._writer = None
        self._raise()

    def _write(self, state: bytes, kept: bytes | None) -> None:
        try:
            if kept is not None:
                self._folder.write_kept(kept)
            self._folder.write_state(state)
        except BaseException as error:  # whatever it is, the training shall not go on without a state
            self._error = error

    def _raise(self) -> None:
        if self._error is not None:
            raise self._error
