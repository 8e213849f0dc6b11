"""The store's folders: runs, models, locked versions, and records that outlive them."""

from dlplugin.store.contents import Trained, Weights, trained_files
from dlplugin.store.folders import hold, store_folder
from dlplugin.store.history import HISTORY_COLUMNS, HistoryFile
from dlplugin.store.lines import LineFile
from dlplugin.store.locked import MODEL_TYPE, VersionFolder
from dlplugin.store.records import (
    Opening,
    Scope,
    Trial,
    openings,
    record_opening,
    record_trial,
    shown_symbols,
    trials,
)
from dlplugin.store.runs import RunFolder, now, stored_runs
from dlplugin.store.state import TrainingState
from dlplugin.store.versions import ModelFolder, split_name, stored_models

__all__ = [
    "HISTORY_COLUMNS",
    "MODEL_TYPE",
    "HistoryFile",
    "LineFile",
    "ModelFolder",
    "Opening",
    "RunFolder",
    "Scope",
    "Trained",
    "TrainingState",
    "Trial",
    "VersionFolder",
    "Weights",
    "hold",
    "now",
    "openings",
    "record_opening",
    "record_trial",
    "shown_symbols",
    "split_name",
    "store_folder",
    "stored_models",
    "stored_runs",
    "trained_files",
    "trials",
]
