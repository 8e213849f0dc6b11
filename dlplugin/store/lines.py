"""A file of JSON lines that is only ever appended to, by any number of processes, any of which may be killed."""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Generic, TypeVar

from dlplugin.errors import DamagedModelError, StoreError
from dlplugin.store.folders import hold, sync

__all__ = ["LineFile"]

T = TypeVar("T")


class LineFile(Generic[T]):
    """Records of one kind, a line each. It is read anew each time, so that several processes agree.

    A last line without its newline, of a writer that was killed, counts only where it is whole; the next
    append takes it out otherwise, or gives it its newline. No other byte that is there is ever changed.

    Args:
        root: The store.
        path: The file, in the store.
        parse: A line's JSON to a record; raises ValueError, TypeError, KeyError or AttributeError where it
            is none.
    """

    def __init__(self, root: Path, path: Path, parse: Callable[[Any], T]) -> None:
        self.root = root
        self.path = path
        self._parse = parse

    def read(self) -> list[T | None]:
        """The records, oldest first; None for a line that cannot be read.

        Raises:
            DamagedModelError: The file cannot be read at all.
        """
        try:
            content = self.path.read_bytes()
        except FileNotFoundError:
            return []
        except OSError as error:
            raise DamagedModelError(f"{self.path} cannot be read: {error.strerror or error}") from None
        *lines, last = content.split(b"\n")
        records = [self._parsed(line) for line in lines if line.strip()]
        whole = self._parsed(last)
        return records if whole is None else [*records, whole]

    def append(self, new: Callable[[Sequence[T | None]], Mapping[str, Any] | None]) -> bool:
        """Adds a record, which is on disk when this returns.

        Args:
            new: What to add to the records that are there; None for nothing. It is asked again when nobody
                else can write.

        Returns:
            Whether something was added; a store that cannot be written is no obstacle where nothing is.

        Raises:
            DamagedModelError: The file cannot be read at all.
            StoreError: It cannot be written; then nothing was added.
        """
        if new(self.read()) is None:
            return False
        with hold(self.root, "records", f"{self.path} is being written by another process; try again"):
            record = new(self.read())
            if record is None:
                return False
            text = json.dumps(record, sort_keys=True, separators=(",", ":"), allow_nan=False)
            try:
                made = not self.path.exists()
                self.path.parent.mkdir(parents=True, exist_ok=True)
                self._write(text.encode() + b"\n")
                if made:
                    sync(self.path.parent)
            except OSError as error:
                raise StoreError(f"cannot write {self.path}: {error.strerror or error}") from None
        return True

    def _parsed(self, line: bytes) -> T | None:
        try:
            return self._parse(json.loads(line))
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return None

    def _write(self, line: bytes) -> None:
        """Appends a line, in one piece; for who holds the lock."""
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o666)
        try:
            content = self.path.read_bytes()
            end = content.rfind(b"\n") + 1
            if self._parsed(content[end:]) is not None:
                line, end = b"\n" + line, len(content)
            elif end < len(content):
                os.ftruncate(descriptor, end)
            try:
                if os.write(descriptor, line) < len(line):  # what a disk does that has become full
                    raise OSError("only a part of the line fits on the disk")
                os.fsync(descriptor)
            except BaseException:
                with suppress(OSError):
                    os.ftruncate(descriptor, end)
                raise
        finally:
            os.close(descriptor)
