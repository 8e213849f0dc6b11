"""What a live graph of a run shows: its newest epochs, read from the history as it grows."""

import os
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dlplugin.errors import DamagedModelError, DefinitionError

__all__ = ["Graph"]

HUNDREDTH = 100
BYTES_AT_ONCE = 1 << 20  # of the history in memory as text: about 15,000 epochs

Points = NDArray[np.float64]


class Graph:
    """The epochs that a live graph of a run shows. The run's history keeps them all, whatever is dropped here.

    A point is an epoch, with what the history says of it. Both views look at the same stretch of
    epochs: `every` shows each of them, `hundredth` those whose number is a multiple of 100, with
    their own values and not with means: so a value stands in both views alike. Each view reads only
    what the history has gained since the last look; epochs that were cut off and done again, as when
    a training is resumed, replace the old ones.

    Args:
        path: The run's history.csv.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._auto_prune: int | None = None
        self._first = 1  # the first epoch that is shown
        self._start_over()

    def __repr__(self) -> str:
        epochs = self.every["epoch"]
        if epochs.empty:
            return "<Graph: no epoch>"
        return f"<Graph: epochs {epochs.iloc[0]} to {epochs.iloc[-1]}>"

    @property
    def every(self) -> pd.DataFrame:
        """A row for each epoch shown: the columns of the history and `saved`, 1 where the save point moved."""
        self._read()
        return self._frame(self._held())

    @property
    def hundredth(self) -> pd.DataFrame:
        """A row for each 100th epoch shown: the rows of `every` for the epochs 100, 200, and so on."""
        self._read()
        held = self._held()
        return self._frame(held[held[:, 0] % HUNDREDTH == 0])

    @property
    def auto_prune(self) -> int | None:
        """How many epochs are shown and held at most, the newest ones; None for all.

        Raises:
            DefinitionError: It is set to what is no number of epochs.
        """
        return self._auto_prune

    @auto_prune.setter
    def auto_prune(self, epochs: int | None) -> None:
        if epochs is not None:
            _refuse_no_count("auto_prune", epochs)
        self._auto_prune = epochs
        self._trim()

    def prune(self, epochs: int) -> None:
        """Drops the oldest epochs shown, so many.

        Raises:
            DefinitionError: It is no number of epochs.
        """
        _refuse_no_count("prune", epochs)
        shown = self.every["epoch"]
        if len(shown) > epochs:
            self._first = int(shown.iloc[epochs])
        elif len(shown):
            self._first = int(shown.iloc[-1]) + 1
        self._trim()

    def clear(self) -> None:
        """Drops all epochs so far; those to come appear."""
        self._read()
        if self._last:
            self._first = self._last + 1
        self._trim()

    def reset(self) -> None:
        """Shows all epochs again, and prunes none from now on."""
        self._auto_prune = None
        self._first = 1
        self._start_over()

    def _start_over(self) -> None:
        self._columns: tuple[str, ...] = ()
        self._blocks: list[Points] = []
        self._last = 0  # the newest epoch read
        self._offset = 0  # bytes read
        self._tail = b""  # the last line read, which a file that only grew still has before the offset
        self._inode = 0  # of the file read; one written anew has another

    def _read(self) -> None:
        """Takes in the lines that the history has gained; all, when it is not the file it was."""
        try:
            with open(self._path, "rb") as file:
                file.seek(self._offset - len(self._tail))
                inode = os.fstat(file.fileno()).st_ino
                if inode == self._inode and file.read(len(self._tail)) == self._tail:
                    self._take_all(file)
                    return
                again = bool(self._tail)
                self._start_over()
                self._inode = inode
                file.seek(0)
                self._take_all(file)
        except OSError as error:
            raise DamagedModelError(f"{self._path} cannot be read: {error.strerror or error}") from None
        if again:  # epochs that were cut off and are still to come are new ones
            self._first = min(self._first, self._last + 1)

    def _take_all(self, file: BinaryIO) -> None:
        rest = b""
        while text := file.read(BYTES_AT_ONCE):
            whole, newline, rest = (rest + text).rpartition(b"\n")
            if newline:
                self._take(whole + newline)

    def _take(self, text: bytes) -> None:
        """Takes whole lines; a last one without its end is still being written, or was cut off by a crash."""
        lines = text.splitlines(keepends=True)
        self._offset += len(text)
        self._tail = lines[-1]
        try:
            if not self._columns:
                self._columns = tuple(lines.pop(0).decode().strip().split(","))
            rows = [[float(cell or "nan") for cell in line.strip().split(b",")] for line in lines]
            block = np.array(rows, dtype=np.float64).reshape(len(rows), len(self._columns))
        except ValueError as error:
            self._start_over()
            raise DamagedModelError(f"{self._path} is no history: {error}") from None
        if len(block):
            self._blocks.append(block)
            self._last = int(block[-1, 0])
        self._trim()

    def _held(self) -> Points:
        """(n, columns) the epochs shown."""
        if len(self._blocks) > 1:
            self._blocks = [np.concatenate(self._blocks)]
        return self._blocks[0] if self._blocks else np.empty((0, len(self._columns) or 1))

    def _trim(self) -> None:
        """Lets go of what is not shown."""
        held = self._held()
        first = int(np.searchsorted(held[:, 0], self._first))
        if self._auto_prune is not None:
            first = max(first, len(held) - self._auto_prune)
        if first:
            self._blocks = [held[first:].copy()]

    def _frame(self, points: Points) -> pd.DataFrame:
        names = self._columns or ("epoch",)
        return pd.DataFrame(points, columns=list(names)).astype({"epoch": "int64"})


def _refuse_no_count(name: str, epochs: int) -> None:
    if isinstance(epochs, bool) or not isinstance(epochs, int) or epochs < 1:
        raise DefinitionError(f"{name} is {epochs!r}, but must be a number of epochs, such as 100")
