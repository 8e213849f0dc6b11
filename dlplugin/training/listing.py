"""All runs of a store, as one table to compare them by."""

import os
from typing import Any

import pandas as pd

from dlplugin.errors import DamagedModelError
from dlplugin.store import RunFolder, store_folder, stored_runs
from dlplugin.training.outcome import best_epoch

__all__ = ["runs"]

COLUMNS = (
    "run", "model", "engine", "status", "started", "epochs", "batch_size", "best_epoch", "in_sample_loss",
    "out_of_sample_loss", "stop_reason",
)  # fmt: skip


def runs(store: str | os.PathLike[str] | None = None) -> pd.DataFrame:
    """All runs of a store, the newest first.

    Args:
        store: A folder; by default `DLPLUGIN_STORE`, or ./models.

    Returns:
        A row a run: run, model, engine, status, started, epochs done, batch_size, best_epoch, the losses of that
        epoch, and why it stopped. Of several networks the best one's epoch. What is not known yet is
        NaN; a run whose files cannot be read is "damaged".
    """
    root = store_folder(store)
    rows = [_row(RunFolder.open(root, name)) for name in stored_runs(root)]
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    return table.sort_values(["started", "run"], ascending=[False, True], ignore_index=True)


def _row(folder: RunFolder) -> dict[str, Any]:
    try:
        facts, history = folder.facts, folder.history.set_index("epoch")
        status, saved = folder.status, folder.saved_epochs
        row = {
            "run": folder.name,
            "model": facts["model"],
            "engine": facts["definition"]["engine"]["name"],
            "status": status,
            "started": facts["started"],
            "epochs": len(history),
            "batch_size": facts["options"]["batch_size"],
            "stop_reason": facts.get("stop_reason") or folder.failure,
        }
        kept = facts.get("save_point", {}).get("epochs", [0])[0]
        best = best_epoch(facts) if kept else (saved[-1] if saved else 0)
        if best in history.index:
            row |= {"best_epoch": best, **history.loc[best, ["in_sample_loss", "out_of_sample_loss"]]}
        return row
    except (DamagedModelError, KeyError, TypeError):
        return {"run": folder.name, "status": "damaged", "started": ""}
