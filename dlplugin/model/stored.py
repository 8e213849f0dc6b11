"""What is stored: models and runs by name, and the types that models have."""

import os
from pathlib import Path

import pandas as pd

from dlplugin.errors import DamagedModelError, PredictionError, UnknownModelError
from dlplugin.model.model import Model
from dlplugin.registry import Entry, Registry, did_you_mean
from dlplugin.store import (
    MODEL_TYPE,
    ModelFolder,
    RunFolder,
    split_name,
    store_folder,
    stored_models,
    stored_runs,
)
from dlplugin.training import Run, newest_runs

__all__ = ["load", "load_run", "model_types", "models"]

model_types: Registry[type[Model]] = Registry(
    "model type",
    [
        Entry(
            MODEL_TYPE,
            "dlplugin.model:Model",
            "a network from indicators in to indicators out, trained by Lightning",
        )
    ],
    entry_points="dlplugin.model_types",
)


def load(reference: str, store: str | os.PathLike[str] | None = None) -> Model:
    """A stored model in any state, or a locked version: `load("us-5d")`, `load("us-5d@2")`.

    Raises:
        UnknownModelError: Nothing is stored under the name, or no such version.
        DamagedModelError: A file of it was changed.
    """
    if not isinstance(reference, str):
        raise UnknownModelError(f"a model is loaded by its name, not by {reference!r}")
    root = store_folder(store)
    name, version = split_name(reference)
    folder = ModelFolder(root, name)
    state = folder.state()
    definition = state.definition if version is None else folder.version(version).read_trained().definition
    return model_types[folder.type].of(definition, store=root, version=version)


def models(store: str | os.PathLike[str] | None = None) -> pd.DataFrame:
    """All models of a store.

    Returns:
        A row a model: name (the index), status, versions, engine, inputs, outputs. A model whose files
        cannot be read is "damaged"; one that needs an engine, or an indicator of your own, that is not
        known here is "unusable", and its inputs say why.
    """
    root = store_folder(store)
    rows: list[dict[str, object]] = []
    for name in stored_models(root):
        try:
            state = ModelFolder(root, name).state()
        except DamagedModelError:
            rows.append({"name": name, "status": "damaged"})
            continue
        except PredictionError as error:
            rows.append({"name": name, "status": "unusable", "inputs": str(error)})
            continue
        rows.append(
            {
                "name": name,
                "status": state.status,
                "versions": len(state.versions),
                "engine": state.definition.spec.name,
                "inputs": ", ".join(item.name for item in state.definition.inputs),
                "outputs": ", ".join(item.name for item in state.definition.outputs),
            }
        )
    columns = ["name", "status", "versions", "engine", "inputs", "outputs"]
    return pd.DataFrame(rows, columns=columns).set_index("name")


def load_run(name: str, store: str | os.PathLike[str] | None = None) -> Run:
    """A stored run by its memorable name.

    Raises:
        UnknownModelError: There is no such run.
    """
    root = store_folder(store)
    known = stored_runs(root)
    if name not in known:
        raise UnknownModelError(f"no run {name!r} in {root / '.runs'}{_instead(name, known, root)}")
    return Run(RunFolder.open(root, name))


def _instead(name: object, known: list[str], root: Path) -> str:
    """What may have been meant by a name that no run has, as a clause."""
    if not isinstance(name, str):
        return "; a run is loaded by its name"
    newest = newest_runs(root).get(name)
    if newest is not None:
        at = "" if root == store_folder(None) else f", store={str(root)!r}"
        return f": {name!r} is a model; its newest run is {newest}: dl.load_run({newest!r}{at})"
    if name in stored_models(root):
        return f": {name!r} is a model without runs; train it first"
    return did_you_mean(name, known) or ("; list them with dl.runs()" if known else "; there are no runs yet")
