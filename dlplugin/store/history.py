"""The history of a run: a line an epoch, appended as it happens."""

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from dlplugin.errors import DamagedModelError, StoreError
from dlplugin.store.folders import write_file

__all__ = ["HISTORY_COLUMNS", "SAVED", "HistoryFile", "history_frame"]

HISTORY_COLUMNS = ("epoch", "in_sample_loss", "out_of_sample_loss", "learning_rate", "seconds")
SAVED = "saved"  # the last column of the file: 1 where the save point moved

Row = Sequence[float | int | str]


def history_frame(columns: Mapping[str, Sequence[float | None]]) -> pd.DataFrame:
    """Columns of epochs to a table, a row each; what is missing is NaN."""
    frame = pd.DataFrame({name: np.array(values, dtype=np.float64) for name, values in columns.items()})
    return frame.astype({"epoch": "int64"})


class HistoryFile:
    """history.csv of a run's folder. It is read anew each time, so that other processes can watch."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @staticmethod
    def head(more: Sequence[str] = ()) -> bytes:
        """The file before the first epoch; `more` columns stand between the seconds and `saved`."""
        return _line((*HISTORY_COLUMNS, *more, SAVED)).encode()

    def append(self, row: Row) -> None:
        """Adds one epoch.

        Raises:
            StoreError: The disk is full, or the folder is gone or not writable.
        """
        try:
            with open(self.path, "r+b", buffering=0) as file:  # r+: a folder's file that is gone stays gone
                file.seek(0, io.SEEK_END)
                file.write(_line(row).encode())
        except OSError as error:
            raise StoreError(f"cannot write {self.path}: {error.strerror or error}") from None

    def cut(self, epoch: int) -> None:
        """Takes out what came after an epoch, so that it can be done again.

        Raises:
            DamagedModelError: It is missing, or not such a file.
        """
        head, *rows = self._lines()
        try:
            kept = [line for line in rows if int(line.split(",", 1)[0]) <= epoch]
        except ValueError as error:
            raise DamagedModelError(f"{self.path} is no history: {error}") from None
        if len(kept) < len(rows) or not self.path.read_bytes().endswith(b"\n"):
            write_file(self.path, "".join([head, *kept]).encode(), make_folder=False)

    def read(self) -> pd.DataFrame:
        """A row an epoch, `saved` included; a last line that was cut off by a crash is left out.

        Raises:
            DamagedModelError: It is missing, or not such a file.
        """
        head, *lines = self._lines()
        names = head.strip().split(",")
        rows = [line.strip().split(",") for line in lines]
        try:
            columns = zip(*([float(cell or "nan") for cell in row] for row in rows), strict=True)
            values = list(columns) or [()] * len(names)
            return history_frame(dict(zip(names, values, strict=True)))
        except (ValueError, KeyError) as error:
            raise DamagedModelError(f"{self.path} is no history: {error}") from None

    def _lines(self) -> list[str]:
        """The whole lines, the head first."""
        try:
            lines = self.path.read_text().splitlines(keepends=True)
        except (OSError, ValueError) as error:
            raise DamagedModelError(f"{self.path} cannot be read: {error}") from None
        whole = [line for line in lines if line.endswith("\n")]
        if not whole:
            raise DamagedModelError(f"{self.path} is no history: it has no first line")
        return whole


def _line(cells: Row) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue()
