"""The folder of one run: what was asked for, how it went, and the weights it kept."""

import csv
import io
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from dlplugin.definition import is_name
from dlplugin.errors import StoreError, UnknownModelError
from dlplugin.store.contents import Trained, read_trained, trained_files
from dlplugin.store.folders import held, read_json, to_json_bytes, write_file, write_folder

__all__ = ["HISTORY_COLUMNS", "RunFolder", "history_frame"]

HISTORY_COLUMNS = ("epoch", "in_sample_loss", "out_of_sample_loss", "learning_rate", "seconds")

_MANNERS = (
    "amber brave brisk calm clear cosy crisp deft eager early even fair fleet fond frank fresh gentle "
    "glad grand hardy keen kind late light lively loyal lucky mellow merry mild neat noble patient "
    "plain proud quick quiet ready round sharp silent sober solid spry steady still subtle sunny "
    "swift tidy true upbeat vivid warm wise witty"
).split()
_BIRDS = (
    "avocet bittern bunting buzzard crane curlew dipper dove dunlin eider falcon finch gannet godwit "
    "goose grebe gull harrier heron hobby ibis jackdaw jay kestrel kite knot lapwing lark linnet "
    "magpie martin merlin osprey ouzel owl petrel pipit plover quail rail raven robin rook ruff "
    "sandpiper shrike siskin snipe sparrow starling stork swallow swan swift teal tern thrush vireo "
    "wagtail warbler wren"
).split()


def history_frame(rows: Sequence[Sequence[float]]) -> pd.DataFrame:
    """Epochs to a table, a row each, in the order of `HISTORY_COLUMNS`."""
    return pd.DataFrame(rows, columns=list(HISTORY_COLUMNS), dtype="float64").astype({"epoch": "int64"})


class RunFolder:
    """models/.runs/RUN: run.json, history.csv, and the save point once there is one."""

    def __init__(self, root: Path, name: str) -> None:
        self.root = root
        self.name = name
        self.path = root / ".runs" / name

    @classmethod
    def create(cls, root: Path, facts: Mapping[str, Any]) -> "RunFolder":
        """Makes the folder of a new run under a memorable name of its own."""
        for _ in range(1000):
            name = f"{secrets.choice(_MANNERS)}-{secrets.choice(_BIRDS)}-{secrets.randbelow(100)}"
            run = cls(root, name)
            if not run.path.exists():
                head = io.StringIO()
                csv.writer(head, lineterminator="\n").writerow(HISTORY_COLUMNS)
                files = {"run.json": to_json_bytes(dict(facts)), "history.csv": head.getvalue().encode()}
                write_folder(run.path, files)
                return run
        raise StoreError(f"no free run name in {root / '.runs'}; delete old runs")

    @classmethod
    def open(cls, root: Path, name: str) -> "RunFolder":
        """The folder of a stored run.

        Raises:
            UnknownModelError: There is no such run.
        """
        if not is_name(name):
            raise UnknownModelError(f"{name!r} is no run's name")
        run = cls(root, name)
        if not (run.path / "run.json").is_file():
            raise UnknownModelError(f"no run {name!r} in {root / '.runs'}")
        return run

    @property
    def facts(self) -> dict[str, Any]:
        """What run.json holds."""
        return read_json(self.path / "run.json")

    def write_facts(self, facts: Mapping[str, Any]) -> None:
        """Replaces run.json."""
        write_file(self.path / "run.json", to_json_bytes(dict(facts)))

    @property
    def lock_name(self) -> str:
        """The lock that the training process holds while it lives."""
        return f"run-{self.name}"

    @property
    def alive(self) -> bool:
        """Whether a process is training it."""
        return held(self.root, self.lock_name)

    def append_history(self, row: tuple[float | int | str, ...]) -> None:
        """Adds one epoch."""
        try:
            with open(self.path / "history.csv", "a", newline="") as file:
                csv.writer(file, lineterminator="\n").writerow(row)
        except OSError as error:
            raise StoreError(f"cannot write {self.path / 'history.csv'}: {error.strerror or error}") from None

    @property
    def history(self) -> pd.DataFrame:
        """A row an epoch; a last line that was cut off by a crash is left out."""
        lines = (self.path / "history.csv").read_text().splitlines(keepends=True)
        rows = [line.strip().split(",") for line in lines[1:] if line.endswith("\n")]
        return history_frame([[float(cell or "nan") for cell in row] for row in rows])

    @property
    def save_point(self) -> Path:
        """The folder of the weights it keeps for prediction."""
        return self.path / "save-point"

    def write_save_point(self, trained: Trained) -> None:
        """Replaces the save point; the weights come last, so that a cut leaves the old or the new ones."""
        files = trained_files(trained)
        for name in sorted(files, key=lambda name: name == "weights.safetensors"):
            write_file(self.save_point / name, files[name])

    def read_trained(self) -> Trained:
        """The weights it keeps.

        Raises:
            DamagedModelError: A file is missing or damaged.
        """
        return read_trained(self.save_point)

    @property
    def interval(self) -> str:
        """How far apart the bars are that it was trained on: "1d"."""
        return str(self.facts["dataset"]["interval"])

    def write_evaluation(self, evaluation: Mapping[str, Any]) -> None:
        """Keeps how the save point did, in and out of sample."""
        write_file(self.path / "evaluation.json", to_json_bytes(dict(evaluation)))

    def read_evaluation(self) -> dict[str, Any]:
        """How the save point did.

        Raises:
            DamagedModelError: It is missing or damaged.
        """
        return read_json(self.path / "evaluation.json")
