"""The last state of a training, from which it goes on: one file, written beside and renamed."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from dlplugin.errors import DamagedModelError

__all__ = ["TrainingState", "digest_of", "read_state"]

Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class TrainingState:
    """A training between two epochs.

    Attributes:
        arrays: Weights, optimizer, averages, and the weights kept so far.
        values: What is not an array: the epoch, the save point's bookkeeping, and so on; as JSON holds it.
    """

    arrays: Arrays
    values: Mapping[str, Any]

    @property
    def epoch(self) -> int:
        """The epoch that it is the end of; 0 before the first."""
        return int(self.values["epoch"])

    def to_bytes(self) -> bytes:
        """safetensors, with the values as JSON and a SHA-256 over all in its metadata."""
        text = json.dumps(self.values, sort_keys=True, separators=(",", ":"))
        arrays = {name: np.ascontiguousarray(array) for name, array in self.arrays.items()}
        held = json.dumps({"sha256": digest_of(arrays, text), "values": text})
        return save(arrays, {"state": held})  # one string: several come in an order that differs by process


def read_state(path: Path) -> TrainingState | None:
    """The state in a file; None where there is none yet.

    Raises:
        DamagedModelError: The file is not one.
    """
    if not path.exists():
        return None
    try:
        with safe_open(path, "np") as file:
            held = json.loads((file.metadata() or {})["state"])
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 # no mapping
        written, text = held["sha256"], held["values"]
        values = json.loads(text)
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        raise DamagedModelError(f"{path} cannot be read: {error}") from None
    if written != digest_of(arrays, text):
        raise DamagedModelError(f"{path} is not the file that was written: its SHA-256 differs")
    return TrainingState(arrays, values)


def digest_of(arrays: Arrays, *texts: str) -> str:
    """SHA-256 over arrays in the order of their names, with their shapes and types, and over texts."""
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        digest.update(f"{name} {array.dtype} {array.shape}\n".encode())
        digest.update(array.data if array.size else b"")
    for text in texts:
        digest.update(f"{len(text)} {text}".encode())
    return digest.hexdigest()
