"""All runs of a store, as one table to compare them by."""

import json
import math
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import pandas as pd

from dlplugin.errors import DamagedModelError, DLPluginError
from dlplugin.evaluation import ClassScores, Evaluation
from dlplugin.samples import Spans
from dlplugin.store import ModelFolder, RunFolder, store_folder, stored_models, stored_runs
from dlplugin.training.outcome import best_epoch_so_far

__all__ = ["newest_runs", "runs"]

COLUMNS = (
    "run", "model", "engine", "data", "validation", "status", "predicts", "started", "epochs", "batch_size",
    "best_epoch", "in_sample_loss", "out_of_sample_loss", "correlation", "hits", "stop_reason",
)  # fmt: skip
VALIDATIONS = {"dates": "dates", "symbols": "held-out", "dataset": "other set", "random": "random"}


def runs(store: str | os.PathLike[str] | None = None) -> pd.DataFrame:
    """All runs of a store, the newest first.

    Losses compare only runs of the same outputs, data and validation.

    Args:
        store: A folder; by default `DLPLUGIN_STORE`, or ./models.

    Returns:
        A row a run: run, model, engine, data (its DataSet's name), validation ("dates", "random", "held-out"
        symbols or "other set"), status, predicts (whether its model predicts with it now; another one is
        chosen with `dl.load_run(NAME).use()`), started (in UTC), epochs done, batch_size, best_epoch, the losses
        of that epoch, how the first output does out of sample: correlation, of predicted and actual, and
        hits, the share of right signs or classes; and why it stopped. Of several networks the best one's
        epoch. What is not known yet, or not there, is NaN; a run whose files cannot be read is "damaged".
    """
    root = store_folder(store)
    rows = [_row(RunFolder.open(root, name)) for name in stored_runs(root)]
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    table["started"] = pd.to_datetime(table["started"], utc=True).dt.as_unit("ms")
    table["predicts"] = table["run"].isin(_predicting(root))
    for name in ("in_sample_loss", "out_of_sample_loss", "correlation", "hits"):
        table[name] = table[name].astype("float64")
    return table.sort_values(["started", "run"], ascending=[False, True], ignore_index=True)


def newest_runs(store: str | os.PathLike[str] | None = None) -> dict[str, str]:
    """Model to the name of its newest run."""
    table = runs(store)[::-1].dropna(subset="model")
    return dict(zip(table["model"], table["run"], strict=True))


def _row(folder: RunFolder) -> dict[str, Any]:
    try:
        facts, status = folder.facts, folder.status
        best = best_epoch_so_far(facts, folder.saved_epochs)
        history = folder.history.set_index("epoch")  # after the save points: it grows meanwhile
        spans = Spans.from_dict(facts["spans"])
        validated = "out-of-sample" in spans
        row = {
            "run": folder.name,
            "model": facts["model"],
            "engine": facts["definition"]["engine"]["name"],
            "data": facts["dataset"]["name"],
            "validation": VALIDATIONS[spans.validation.kind] if validated else None,
            "status": status,
            "started": pd.Timestamp(facts["started"]),
            "epochs": len(history),
            "batch_size": facts["options"]["batch_size"],
            "stop_reason": facts.get("stop_reason") or folder.failure,
        }
        if best in history.index:
            row |= {"best_epoch": best, **history.loc[best, ["in_sample_loss", "out_of_sample_loss"]]}
        return row | _metrics(folder)
    except (DamagedModelError, KeyError, TypeError, ValueError):
        return {"run": folder.name, "status": "damaged", "started": pd.NaT}


def _metrics(folder: RunFolder) -> dict[str, float]:
    """How the first output of a run's save point does out of sample."""
    nothing = {"correlation": math.nan, "hits": math.nan}
    try:
        scores = Evaluation.from_json(json.dumps(folder.read_evaluation())).scores()[-1]
    except DamagedModelError:
        return nothing
    if scores.span != "out-of-sample":
        return nothing
    if isinstance(scores, ClassScores):
        return {"correlation": scores.correlation, "hits": scores.accuracy}
    model = scores.by_rule["model"]
    return {"correlation": model.correlation, "hits": model.hit_rate}


def _predicting(root: Path) -> set[str]:
    """The runs that models predict with; of a locked model that of its newest version."""
    found = set()
    for name in stored_models(root):
        with suppress(DLPluginError):  # what cannot be read predicts with nothing
            folder = ModelFolder(root, name)
            state = folder.state()
            run = folder.version(state.versions[-1]).run if state.status == "locked" else state.run
            found |= {run} if run else set()
    return found
