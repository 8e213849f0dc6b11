"""What a training leaves and a locked version keeps, as files and back."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from dlplugin.definition import Definition, engines, spec_named
from dlplugin.errors import DamagedModelError, DLPluginError, EngineError, PredictionError, RegistryError
from dlplugin.samples import Scaling
from dlplugin.store.folders import read_json, to_json_bytes

__all__ = [
    "Trained",
    "Weights",
    "check_manifest",
    "manifest",
    "read_trained",
    "stored_definition",
    "trained_files",
]

Weights = dict[str, NDArray[np.float32]]


@dataclass(frozen=True)
class Trained:
    """A trained network with all that predicting with it takes.

    Attributes:
        definition: What it is.
        input_scaling: Fitted on the in-sample rows.
        output_scaling: Fitted on the in-sample rows.
        weights: Parameter name to (K, ...) float32.
        record: How it was trained: dates, data fingerprints, options, versions, why it stopped.
    """

    definition: Definition
    input_scaling: Scaling
    output_scaling: Scaling
    weights: Weights
    record: Mapping[str, Any]

    @property
    def class_loss(self) -> str:
        """What outputs in classes were trained with; a record from before there were any does not tell."""
        return str(self.record["options"].get("class_loss", "cross-entropy"))


def trained_files(trained: Trained) -> dict[str, bytes]:
    """File name to content."""
    scaling = {"inputs": trained.input_scaling.to_dict(), "outputs": trained.output_scaling.to_dict()}
    return {
        "definition.json": to_json_bytes(trained.definition.to_dict()),
        "scaling.json": to_json_bytes(scaling),
        "weights.safetensors": save(dict(trained.weights)),
        "training.json": to_json_bytes(dict(trained.record)),
    }


def read_trained(folder: Path) -> Trained:
    """Reads what `trained_files` gave; nothing in the files runs.

    Raises:
        DamagedModelError: A file is missing or not what it should be.
        PredictionError: It needs an engine, or an indicator of a user's own, that is not known here.
    """
    weights_file = folder / "weights.safetensors"
    try:
        weights = load(weights_file.read_bytes())
    except (OSError, SafetensorError, ValueError, KeyError) as error:
        raise DamagedModelError(f"{weights_file} cannot be read: {error}") from None
    scaling = read_json(folder / "scaling.json")
    try:
        return Trained(
            definition=stored_definition(read_json(folder / "definition.json")),
            input_scaling=Scaling.from_dict(scaling["inputs"]),
            output_scaling=Scaling.from_dict(scaling["outputs"]),
            weights=weights,
            record=read_json(folder / "training.json"),
        )
    except (DamagedModelError, PredictionError):  # what is missing here is no damage
        raise
    except (DLPluginError, KeyError, TypeError, ValueError) as error:
        raise DamagedModelError(f"{folder} does not hold a trained model: {error}") from None


def stored_definition(plain: object) -> Definition:
    """A definition as the store holds it.

    Raises:
        DefinitionError: It is none.
        PredictionError: It needs an engine, or an indicator of a user's own, that is not known here.
    """
    engine = plain.get("engine") if isinstance(plain, dict) else None
    name = engine.get("name") if isinstance(engine, dict) else None
    if isinstance(plain, dict) and isinstance(name, str):
        owner = plain.get("name")
        if name not in engines:
            raise PredictionError(
                f"model {owner!r} needs the engine {name!r}, which is not known here; install the package that brings "
                "it"
            )
        try:
            spec_named(name)
        except (RegistryError, EngineError) as error:
            raise PredictionError(f"model {owner!r} needs its engine: {error}") from None
    return Definition.from_dict(plain)


def manifest(files: Mapping[str, bytes]) -> dict[str, str]:
    """File name to SHA-256."""
    return {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}


def check_manifest(folder: Path) -> None:
    """Holds every file of a locked version against its manifest.

    Raises:
        DamagedModelError: A file is missing, was added or differs by a byte.
    """
    listed = read_json(folder / "manifest.json")
    there = {path.name for path in folder.iterdir()} - {"manifest.json"}
    for name in sorted(there | set(listed)):
        path = folder / name
        if name not in there:
            raise DamagedModelError(f"{path} is missing")
        if name not in listed:
            raise DamagedModelError(f"{path} does not belong there")
        if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != listed[name]:
            raise DamagedModelError(f"{path} is not the file that was locked")
