"""Samples as one file and back, to the bit: for a resume days later, and for a training in another process.

The file is a safetensors file; nothing in it runs. Its tensors are

    matrix, targets, actual     as in `Samples`
    price                       (N,) float64; missing in older files
    times, owner                (N,) int64; times are nanoseconds since 1970
    rows/SPAN                   (S,) int64, one for each span
    weights                     (S,) float32, where samples do not all count alike
    statistics                  (inputs + outputs, figures) float64

and its metadata hold one string, `samples`: a JSON object with format, definition hash, symbols, spans,
counts, effective size, scalings, the names of the statistics, and a SHA-256 over all these and the tensors. The row
layout is not kept; the definition gives it.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import astuple
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from dlplugin.definition import Definition
from dlplugin.errors import DamagedModelError, SamplesError
from dlplugin.samples.features import row_layout
from dlplugin.samples.samples import Samples, SpanCount
from dlplugin.samples.scaling import Scaling
from dlplugin.samples.spans import SPAN_NAMES, Spans

__all__ = ["read_samples", "samples_file"]

FORMAT = 1
LENGTH = 8  # bytes of the header's own length, at the start of every safetensors file

Tensors = dict[str, NDArray[Any]]


def samples_file(samples: Samples) -> bytes:
    """What `read_samples` makes the same samples from."""
    tensors: Tensors = {
        "matrix": samples.matrix,
        "targets": samples.targets,
        "actual": samples.actual,
        "price": samples.price,
        "times": samples.times.astype("datetime64[ns]").view(np.int64),
        "owner": samples.owner.astype(np.int64),
        "statistics": samples.statistics.to_numpy(dtype=np.float64),
        **{f"rows/{name}": rows.astype(np.int64) for name, rows in samples.rows.items()},
    }
    if samples.weights is not None:
        tensors["weights"] = samples.weights
    tensors = {name: np.ascontiguousarray(array) for name, array in tensors.items()}
    facts = _facts(samples)
    # one string: safetensors writes several in an order that differs from process to process
    return save(tensors, metadata={"samples": _text({"sha256": _digest(facts, tensors), **facts})})


def read_samples(source: bytes | Path, definition: Definition) -> Samples:
    """The samples that `samples_file` wrote.

    Args:
        source: The file, or what it holds.
        definition: Whose samples they are.

    Raises:
        DamagedModelError: The file is missing, or differs from what was written by as much as a bit.
        SamplesError: They are the samples of another definition.
    """
    name = str(source) if isinstance(source, Path) else "the samples' file"
    try:
        content = source.read_bytes() if isinstance(source, Path) else source
    except FileNotFoundError:
        raise DamagedModelError(f"{name} is missing") from None
    except OSError as error:
        raise DamagedModelError(f"{name} cannot be read: {error.strerror or error}") from None
    facts, tensors = _checked(name, content)
    if facts["definition_hash"] != definition.hash:
        raise SamplesError(
            f"{name} holds those of definition {facts['definition_hash'][:12]}, not of {definition.name!r} "
            f"({definition.hash[:12]}); build them again"
        )
    try:
        return _samples(facts, tensors, definition)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise DamagedModelError(f"{name} does not hold samples: {error}") from None


def _facts(samples: Samples) -> dict[str, Any]:
    table = samples.statistics
    return {
        "format": FORMAT,
        "definition_hash": samples.definition.hash,
        "symbols": list(samples.symbols),
        "spans": samples.spans.to_dict(),
        "counts": {name: list(astuple(count)) for name, count in samples.counts.items()},
        "effective": samples.effective,
        "input_scaling": samples.input_scaling.to_dict(),
        "output_scaling": samples.output_scaling.to_dict(),
        "statistics": {
            "rows": [list(row) for row in table.index],
            "levels": list(table.index.names),
            "figures": {str(figure): str(kind) for figure, kind in table.dtypes.items()},
        },
    }


def _samples(facts: Mapping[str, Any], tensors: Tensors, definition: Definition) -> Samples:
    table = facts["statistics"]
    index = pd.MultiIndex.from_tuples([tuple(row) for row in table["rows"]], names=table["levels"])
    statistics = pd.DataFrame(tensors["statistics"], index=index, columns=list(table["figures"]))
    return Samples(
        definition=definition,
        spans=Spans.from_dict(facts["spans"]),
        symbols=tuple(facts["symbols"]),
        owner=tensors["owner"],
        times=tensors["times"].view("datetime64[ns]"),
        matrix=tensors["matrix"],
        targets=tensors["targets"],
        actual=tensors["actual"],
        price=tensors.get("price", np.full(len(tensors["owner"]), np.nan)),
        rows={name: tensors[f"rows/{name}"] for name in SPAN_NAMES if f"rows/{name}" in tensors},
        weights=tensors.get("weights"),
        effective=float(facts["effective"]),
        counts={name: SpanCount(*count) for name, count in facts["counts"].items()},
        layout=row_layout(definition),
        input_scaling=Scaling.from_dict(facts["input_scaling"]),
        output_scaling=Scaling.from_dict(facts["output_scaling"]),
        statistics=statistics.astype(table["figures"]),
    )


def _checked(name: str, content: bytes) -> tuple[dict[str, Any], Tensors]:
    """Facts and tensors, once they are known to be those that were written."""
    try:
        tensors = load(content)
        header = int.from_bytes(content[:LENGTH], "little")
        metadata = json.loads(content[LENGTH : LENGTH + header]).get("__metadata__", {})
        facts = json.loads(metadata.get("samples", "{}"))
        written = facts.pop("sha256", None)
    except (SafetensorError, AttributeError, ValueError, KeyError) as error:
        raise DamagedModelError(f"{name} cannot be read: {error}") from None
    if written is None:
        raise DamagedModelError(f"{name} holds no samples, but: {', '.join(sorted(tensors)) or 'nothing'}")
    if written != _digest(facts, tensors):
        raise DamagedModelError(f"{name} is not the file that was written: its SHA-256 differs")
    if facts["format"] != FORMAT:
        raise DamagedModelError(
            f"{name} has format {facts['format']}, but this version reads format {FORMAT}"
        )
    return facts, tensors


def _text(facts: Mapping[str, Any]) -> str:
    return json.dumps(facts, ensure_ascii=False, allow_nan=False)


def _digest(facts: Mapping[str, Any], tensors: Tensors) -> str:
    digest = hashlib.sha256(_text(facts).encode())
    for name in sorted(tensors):
        array = tensors[name]
        digest.update(f"{name} {array.dtype} {array.shape}".encode())
        digest.update(array.data if array.size else b"")
    return digest.hexdigest()
