"""The store's folders: runs, models and locked versions, written beside and renamed."""

from dlplugin.store.contents import Trained
from dlplugin.store.folders import hold, store_folder
from dlplugin.store.locked import MODEL_TYPE, VersionFolder
from dlplugin.store.runs import HISTORY_COLUMNS, RunFolder
from dlplugin.store.versions import ModelFolder, split_name, stored_models

__all__ = [
    "HISTORY_COLUMNS",
    "MODEL_TYPE",
    "ModelFolder",
    "RunFolder",
    "Trained",
    "VersionFolder",
    "hold",
    "split_name",
    "store_folder",
    "stored_models",
]
