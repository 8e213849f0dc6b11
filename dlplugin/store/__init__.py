"""The store's folders: runs, models and locked versions, written beside and renamed."""

from dlplugin.store.contents import Trained, Weights, trained_files
from dlplugin.store.folders import hold, store_folder
from dlplugin.store.history import HISTORY_COLUMNS, HistoryFile
from dlplugin.store.locked import MODEL_TYPE, VersionFolder
from dlplugin.store.runs import RunFolder, now, stored_runs
from dlplugin.store.state import TrainingState
from dlplugin.store.versions import ModelFolder, split_name, stored_models

__all__ = [
    "HISTORY_COLUMNS",
    "MODEL_TYPE",
    "HistoryFile",
    "ModelFolder",
    "RunFolder",
    "Trained",
    "TrainingState",
    "VersionFolder",
    "Weights",
    "hold",
    "now",
    "split_name",
    "store_folder",
    "stored_models",
    "stored_runs",
    "trained_files",
]
