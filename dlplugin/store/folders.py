"""Where things lie in a store, and writes that are either done or not done.

models/NAME/definition.json      while it is a draft or trained
models/NAME/versions/1/...       a locked version
models/.runs/RUN/...             one training
models/.records/...              openings of holdouts and trials, which outlive models and runs
models/.locks/...                who is writing; held by the operating system, so a dead process holds none
"""

import json
import os
import secrets
import shlex
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from dlplugin.errors import DamagedModelError, StoreError

__all__ = [
    "FORMAT",
    "held",
    "hold",
    "parse_json",
    "place_of",
    "read_json",
    "store_folder",
    "sync",
    "to_json_bytes",
    "write_file",
    "write_folder",
]

FORMAT = 1
PROBING = 0.1  # seconds


def store_folder(store: str | os.PathLike[str] | None) -> Path:
    """The store to use: the one given, `DLPLUGIN_STORE`, or ./models; ~ is the home folder.

    Raises:
        StoreError: It is not a path.
    """
    if store is not None and not isinstance(store, str | os.PathLike):
        raise StoreError(f"store is {store!r}, but must be a folder's path")
    return Path(store or os.environ.get("DLPLUGIN_STORE") or "models").expanduser()


def place_of(root: Path) -> str:
    """What a command needs to find a store: " --store FOLDER" where it is not the usual one."""
    return "" if root == store_folder(None) else f" --store {shlex.quote(str(root))}"


def to_json_bytes(value: object) -> bytes:
    """Canonical JSON: sorted keys, two spaces, no NaN."""
    return (json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n").encode()


def read_json(path: Path) -> dict[str, Any]:
    """The JSON object in a file.

    Raises:
        DamagedModelError: The file is missing, or not a JSON object.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise DamagedModelError(f"{path} is missing") from None
    except OSError as error:
        raise DamagedModelError(f"{path} cannot be read: {error.strerror or error}") from None
    return parse_json(path, content)


def parse_json(path: Path, content: bytes) -> dict[str, Any]:
    """The JSON object that a file's content is.

    Raises:
        DamagedModelError: It is not one.
    """
    try:
        value = json.loads(content)
    except ValueError as error:
        raise DamagedModelError(f"{path} cannot be read: {error}") from None
    if not isinstance(value, dict):
        raise DamagedModelError(f"{path} holds {type(value).__name__}, not an object")
    return value


def write_file(path: Path, content: bytes, make_folder: bool = True) -> None:
    """Writes beside, then renames: a reader sees the old file or the new one.

    Args:
        path: The file.
        content: All of it.
        make_folder: Makes its folder where it is missing; otherwise a folder that was removed stays so.

    Raises:
        StoreError: The disk is full, or the folder is not writable.
    """
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        if make_folder:
            path.parent.mkdir(parents=True, exist_ok=True)
        _write(beside, content)
        os.replace(beside, path)
        sync(path.parent)
    except BaseException as error:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise StoreError(f"cannot write {path}: {error.strerror or error}") from None
        raise


def write_folder(path: Path, files: Mapping[str, bytes]) -> None:
    """Writes a whole folder beside, then renames it: it is there with all its files, or not at all.

    Raises:
        StoreError: It exists already, the disk is full, or the parent is not writable.
    """
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        beside.mkdir(parents=True)
        for name, content in files.items():
            (beside / name).parent.mkdir(exist_ok=True)
            _write(beside / name, content)
        for folder in {(beside / name).parent for name in files}:
            sync(folder)
        os.rename(beside, path)
        sync(path.parent)
    except BaseException as error:
        shutil.rmtree(beside, ignore_errors=True)
        if isinstance(error, OSError):
            raise StoreError(f"cannot write {path}: {error.strerror or error}") from None
        raise


@contextmanager
def hold(root: Path, name: str, busy: str, wait: float = 10.0) -> Iterator[None]:
    """Holds a lock of the store while a block runs.

    Args:
        root: The store.
        name: What is locked.
        busy: The message when somebody else holds it for longer than `wait`.
        wait: Seconds.

    Raises:
        StoreError: Somebody else holds it, or the store is not writable.
    """
    lock = _lock(root, name)
    try:
        lock.acquire(timeout=wait)
    except Timeout:
        raise StoreError(busy) from None
    except OSError as error:
        raise StoreError(f"cannot write {root}: {error.strerror or error}") from None
    try:
        yield
    finally:
        lock.release()


def held(root: Path, name: str) -> bool:
    """Whether a living process holds the lock; it need not be one's own to look."""
    path = root / ".locks" / f"{name}.lock"
    if sys.platform == "win32":  # where locks cannot be shared
        return _held_as_tried(path)
    import fcntl

    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)  # lets go when it is closed
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _held_as_tried(path: Path) -> bool:
    """Whether somebody holds the lock, by taking it for a moment."""
    lock = FileLock(path, thread_local=False)
    try:
        lock.acquire(timeout=PROBING, poll_interval=PROBING / 10)  # another probe lets go at once
    except Timeout:
        return True
    except OSError:
        return False  # a store that cannot be written has no writer
    lock.release()
    return False


def _lock(root: Path, name: str) -> FileLock:
    folder = root / ".locks"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"cannot write {folder}: {error.strerror or error}") from None
    return FileLock(folder / f"{name}.lock", thread_local=False)


def _write(path: Path, content: bytes) -> None:
    with open(path, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def sync(folder: Path) -> None:
    """Makes a rename in the folder last; some systems cannot open folders."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
