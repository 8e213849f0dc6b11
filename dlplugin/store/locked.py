"""The folder of a locked version: the files of a trained model, and a manifest that every load checks."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from dlplugin.store.contents import Trained, check_manifest, manifest, read_trained, trained_files
from dlplugin.store.folders import FORMAT, read_json, to_json_bytes, write_folder
from dlplugin.store.history import HISTORY_COLUMNS, history_frame
from dlplugin.store.runs import RunFolder

__all__ = ["MODEL_TYPE", "VersionFolder"]

MODEL_TYPE = "Deep Learning"


class VersionFolder:
    """models/NAME/versions/N: written once, never changed."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, run: RunFolder, note: str, forced: bool) -> None:
        """Makes the version of a run's save point, all files at once.

        Args:
            run: What it will predict with, its history and evaluation.
            note: The user's words.
            forced: Whether it is locked in spite of something missing.

        Raises:
            DamagedModelError: A file of the run is missing or damaged.
            StoreError: The version cannot be written.
        """
        history = run.history.astype(object).where(np.isfinite(run.history), None).to_dict("list")
        about = {
            "format": FORMAT,
            "type": MODEL_TYPE,
            "locked_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "note": note,
            "forced": forced,
        }
        files = trained_files(run.read_trained()) | {
            "evaluation.json": to_json_bytes(run.read_evaluation()),
            "history.json": to_json_bytes({str(name): values for name, values in history.items()}),
            "lock.json": to_json_bytes(about),
        }
        files["manifest.json"] = to_json_bytes(manifest(files))
        write_folder(self.path, files)

    @property
    def weights_file(self) -> Path:
        """What it predicts with."""
        return self.path / "weights.safetensors"

    def read_trained(self) -> Trained:
        """What it predicts with, every byte checked.

        Raises:
            DamagedModelError: A file differs from what was locked.
        """
        check_manifest(self.path)
        return read_trained(self.path)

    def read_evaluation(self) -> dict[str, Any]:
        """How it did when it was locked.

        Raises:
            DamagedModelError: A file differs from what was locked.
        """
        check_manifest(self.path)
        return read_json(self.path / "evaluation.json")

    @property
    def history(self) -> pd.DataFrame:
        """The epochs of its training.

        Raises:
            DamagedModelError: A file differs from what was locked.
        """
        check_manifest(self.path)
        stored = read_json(self.path / "history.json")  # in alphabetical order
        first = [name for name in HISTORY_COLUMNS if name in stored]
        return history_frame({name: stored[name] for name in [*first, *sorted(set(stored) - set(first))]})

    @property
    def interval(self) -> str:
        """How far apart the bars are that it was trained on: "1d"."""
        return str(read_json(self.path / "training.json")["dataset"]["interval"])

    @property
    def run(self) -> str | None:
        """The run whose save point it holds; None where an older version does not tell."""
        name = read_json(self.path / "training.json").get("run")
        return None if name is None else str(name)

    @property
    def about(self) -> dict[str, Any]:
        """Type, note, when it was locked, and whether by force."""
        return read_json(self.path / "lock.json")
