"""What took long to read or compute, on disk: found again by what it was made from, never by when.

FOLDER/bars/KEY.parquet        the frame in a CSV file, as it was read, before it was checked
FOLDER/inputs/KEY.npy          the values of a slow indicator of one's own, (T,) float64
FOLDER/yahoo/INTERVAL/...      raw bars from Yahoo; `yahoo_cache` owns them

KEY is the SHA-256 of all that the entry was made from, versions included, in hexadecimal: what was
made from something else has another key, so an entry is never out of date. An entry is followed by
its own SHA-256 (32 bytes, which readers of both formats pass over or refuse); one that does not
match is ignored and made anew. Entries are written beside and renamed, and each process may write
the same one. Together `bars` and `inputs` hold at most `LIMIT` bytes: those used longest ago go.
A folder that cannot be written is not used, and nothing is said.
"""

import hashlib
import os
import re
import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import platformdirs

__all__ = [
    "KINDS",
    "LIMIT",
    "Contents",
    "cache_folder",
    "clear",
    "contents",
    "key_of",
    "read_entry",
    "write_entry",
]

LIMIT = 10**9
SUFFIXES = {"bars": ".parquet", "inputs": ".npy"}
KINDS = (*SUFFIXES, "yahoo")

_ENTRY = re.compile(r"[0-9a-f]{64}\.(parquet|npy)")
_PART = re.compile(r"\.[0-9a-f]{64}\.[0-9a-f]{8}\.part")
_SEAL = hashlib.sha256().digest_size
_FORGOTTEN = 3600.0  # seconds: a part older than this was left by a process that was killed
_USED_LATELY = 3600.0  # seconds within which a use need not be noted again


class Contents(NamedTuple):
    """How much of a kind is cached.

    Attributes:
        entries: Their number.
        bytes: On disk.
    """

    entries: int
    bytes: int


def cache_folder(cache: str | os.PathLike[str] | None = None) -> Path:
    """Where things are cached: the folder given, `DLPLUGIN_CACHE`, or the user's cache folder."""
    chosen = cache or os.environ.get("DLPLUGIN_CACHE") or platformdirs.user_cache_dir("dlplugin", False)
    return Path(chosen).expanduser()


def key_of(*parts: str | bytes) -> str:
    """SHA-256 of some parts, each after its length, in hexadecimal."""
    digest = hashlib.sha256()
    for part in parts:
        content = part.encode() if isinstance(part, str) else part
        digest.update(len(content).to_bytes(8, "little") + content)
    return digest.hexdigest()


def read_entry(kind: str, key: str) -> bytes | None:
    """An entry as it was written; None where there is none, or it is damaged.

    Args:
        kind: "bars" or "inputs".
        key: What `key_of` gives.
    """
    path = _path(kind, key)
    try:
        sealed = path.read_bytes()
        content, seal = sealed[:-_SEAL], sealed[-_SEAL:]
        if hashlib.sha256(content).digest() != seal:
            return None
        if time.time() - path.stat().st_mtime > _USED_LATELY:
            os.utime(path)
    except OSError:
        return None
    return content


def write_entry(kind: str, key: str, content: bytes) -> None:
    """Keeps an entry, and makes room for it; does nothing where the folder cannot be written."""
    path = _path(kind, key)
    beside = path.with_name(f".{key}.{secrets.token_hex(4)}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _make_room(LIMIT - len(content) - _SEAL)
        if len(content) + _SEAL > LIMIT:
            return
        try:
            beside.write_bytes(content + hashlib.sha256(content).digest())
            os.replace(beside, path)
        finally:
            beside.unlink(missing_ok=True)
    except OSError:
        return


def contents() -> dict[str, Contents]:
    """How much there is of each kind: bars, inputs, yahoo."""
    found = {}
    for kind in KINDS:
        sizes = [size for _, size, _ in _stats(_files(kind))]
        found[kind] = Contents(len(sizes), sum(sizes))
    return found


def clear(kind: str) -> Contents:
    """Removes all entries of a kind, and no other file; gives what was removed.

    Raises:
        OSError: An entry cannot be removed.
    """
    entries = removed = 0
    for path, size, _ in _stats(_files(kind)):
        path.unlink(missing_ok=True)
        entries, removed = entries + 1, removed + size
    for path in _parts(kind):
        path.unlink(missing_ok=True)
    return Contents(entries, removed)


def _path(kind: str, key: str) -> Path:
    return cache_folder() / kind / f"{key}{SUFFIXES[kind]}"


def _make_room(room: int) -> None:
    """Removes what was used longest ago until no more than so many bytes are left."""
    for kind in SUFFIXES:
        for path, _, written in _stats(_parts(kind)):
            if time.time() - written > _FORGOTTEN:
                path.unlink(missing_ok=True)
    entries = [entry for kind in SUFFIXES for entry in _stats(_files(kind))]
    total = sum(size for _, size, _ in entries)
    for path, size, _ in sorted(entries, key=lambda entry: entry[2]):
        if total <= room:
            break
        path.unlink(missing_ok=True)
        total -= size


def _files(kind: str) -> list[Path]:
    folder = cache_folder() / kind
    if kind == "yahoo":
        return [path for path in folder.glob("*/*.parquet") if not path.name.startswith(".")]
    return [path for path in folder.glob(f"*{SUFFIXES[kind]}") if _ENTRY.fullmatch(path.name)]


def _parts(kind: str) -> list[Path]:
    if kind not in SUFFIXES:
        return []
    return [path for path in (cache_folder() / kind).glob(".*.part") if _PART.fullmatch(path.name)]


def _stats(paths: list[Path]) -> Iterator[tuple[Path, int, float]]:
    """Each file's bytes and time; one that another process removed meanwhile is passed over."""
    for path in paths:
        try:
            stat = path.stat()
        except OSError:
            continue
        yield path, stat.st_size, stat.st_mtime
