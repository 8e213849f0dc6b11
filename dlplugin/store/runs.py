"""The folder of one run: what was asked for, how it goes, its last state, and the weights it keeps.

run.json              what was asked for, and how it ended
samples.safetensors   the numbers it trains on; of a finished run for the holdout, while its model predicts with it
initial.safetensors   the weights it began with, where they came from another model
history.csv           a line an epoch
state.safetensors     the last state, from which it goes on
save-point/           the weights it keeps for prediction, and all that predicting takes
evaluation.json       how the save point did, in and out of sample
events.jsonl          when it began, stopped, went on and ended
progress.json         the epoch under way, while epochs are long
stop                  there while somebody wants it to stop
failure.txt           why it failed, where run.json could not be written
"""

import json
import os
import shutil
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from dlplugin.definition import is_name
from dlplugin.errors import DamagedModelError, StoreError, UnknownModelError
from dlplugin.registry import did_you_mean
from dlplugin.store.contents import Trained, read_trained, trained_files
from dlplugin.store.folders import held, place_of, read_json, to_json_bytes, write_file, write_folder
from dlplugin.store.history import SAVED, HistoryFile, Row
from dlplugin.store.names import memorable_name
from dlplugin.store.state import TrainingState, digest_of, read_state

__all__ = ["RunFolder", "now", "stored_runs"]

FACTS = ("model", "definition", "options", "dataset", "spans", "started", "status")  # of every run
OLD_PIECE = 3600  # seconds; younger ones may be of a run that is being made
FAILURE_BYTES = 1024  # made when the run is, so that a full disk has room for the reason


def now() -> str:
    """The moment, in UTC, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def stored_runs(root: Path) -> list[str]:
    """Names of all runs of a store, sorted."""
    folder = root / ".runs"
    if not folder.is_dir():
        return []
    return sorted(
        path.name for path in folder.iterdir() if (path / "run.json").is_file() and is_name(path.name)
    )


class RunFolder:
    """models/.runs/RUN. It is read anew each time, so that several processes agree."""

    def __init__(self, root: Path, name: str) -> None:
        self.root = root
        self.name = name
        self.path = root / ".runs" / name
        self.history_file = HistoryFile(self.path / "history.csv")

    @classmethod
    def create(cls, root: Path, facts: Mapping[str, Any], files: Mapping[str, bytes]) -> "RunFolder":
        """Makes the folder of a new run, with all its files, under a memorable name of its own.

        Raises:
            StoreError: The store cannot be written.
        """
        for piece in (root / ".runs").glob(".*"):
            with suppress(OSError):
                if time.time() - piece.stat().st_mtime > OLD_PIECE:
                    shutil.rmtree(piece, ignore_errors=True)
        for _ in range(1000):
            run = cls(root, memorable_name())
            if not run.path.exists():
                more = {
                    "run.json": to_json_bytes({**facts, "run": run.name}),
                    "failure.txt": b" " * FAILURE_BYTES,
                }
                write_folder(run.path, {**files, **more})
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
            raise UnknownModelError(
                f"no run {name!r} in {root / '.runs'}{did_you_mean(name, stored_runs(root)) or ''}"
            )
        return run

    @property
    def place(self) -> str:
        """What a command needs to find its store."""
        return place_of(self.root)

    @property
    def facts(self) -> dict[str, Any]:
        """What run.json holds.

        Raises:
            DamagedModelError: It cannot be read, or is no run's.
        """
        path = self.path / "run.json"
        facts = read_json(path)
        missing = [key for key in FACTS if key not in facts]
        if missing:
            raise DamagedModelError(f"{path} has no {missing[0]!r}")
        return facts

    def write_facts(self, facts: Mapping[str, Any]) -> None:
        """Replaces run.json."""
        write_file(self.path / "run.json", to_json_bytes(dict(facts)), make_folder=False)

    @property
    def lock_name(self) -> str:
        """The lock that the training process holds while it lives."""
        return f"run-{self.name}"

    @property
    def starting_lock_name(self) -> str:
        """The lock of who starts a training process, until that one holds its own."""
        return f"starting-{self.name}"

    @property
    def alive(self) -> bool:
        """Whether a process is training it, or about to."""
        return any(held(self.root, name) for name in (self.starting_lock_name, self.lock_name))

    @property
    def status(self) -> str:
        """One of "running", "finished", "stopped", "failed", or "interrupted" when its process died."""
        alive = self.alive  # before the facts: what has just ended wrote them, then let go of the lock
        status = str(self.facts["status"])
        if status != "running" or alive:
            return status
        return "failed" if self.failure else "interrupted"

    @property
    def failure(self) -> str:
        """Why it failed, where run.json could not be written; empty otherwise."""
        try:
            return (self.path / "failure.txt").read_text(errors="replace").strip()
        except OSError:
            return ""

    def write_failure(self, reason: str) -> None:
        """Notes why it failed, in room that was made before; does nothing where the folder is gone.

        Neither a full disk nor a folder that has become read-only is in the way.
        """
        room = reason.encode()[:FAILURE_BYTES].ljust(FAILURE_BYTES)
        with suppress(OSError), open(self.path / "failure.txt", "r+b") as file:
            file.write(room)

    def append_history(self, row: Row) -> None:
        """Adds one epoch."""
        self.history_file.append(row)

    @property
    def history(self) -> pd.DataFrame:
        """A row an epoch."""
        return self.history_file.read().drop(columns=SAVED)

    @property
    def saved_epochs(self) -> list[int]:
        """The epochs at which the save point moved."""
        rows = self.history_file.read()
        return [int(epoch) for epoch in rows.loc[rows[SAVED] == 1, "epoch"]]

    def sweep(self) -> None:
        """Removes pieces of files whose writing was cut off; only for who trains it."""
        for piece in (*self.path.glob(".*"), *self.save_point.glob(".*")):
            with suppress(OSError):
                piece.unlink()

    def write_state(self, content: bytes) -> None:
        """Replaces the last state."""
        write_file(self.path / "state.safetensors", content, make_folder=False)

    def read_state(self) -> TrainingState | None:
        """The last state; None before the first epoch's end.

        Raises:
            DamagedModelError: It cannot be read.
        """
        return read_state(self.path / "state.safetensors")

    def read_initial(self) -> TrainingState | None:
        """The weights it began with, where they came from another model."""
        return read_state(self.path / "initial.safetensors")

    @property
    def samples_file(self) -> Path:
        """The numbers it trains on; when it is finished only there while its model predicts with it."""
        return self.path / "samples.safetensors"

    def drop_samples(self) -> None:
        """Removes the numbers it trained on where it is finished, as well as that can be done."""
        with suppress(OSError, DamagedModelError):
            if self.facts["status"] == "finished":
                self.samples_file.unlink(missing_ok=True)

    @property
    def save_point(self) -> Path:
        """The folder of the weights it keeps for prediction."""
        return self.path / "save-point"

    @property
    def weights_file(self) -> Path:
        """The weights of the save point."""
        return self.save_point / "weights.safetensors"

    def write_kept(self, weights: bytes) -> None:
        """Replaces the weights of the save point, a safetensors file; their evaluation goes with the old ones."""
        with suppress(OSError):
            (self.path / "evaluation.json").unlink(missing_ok=True)
        write_file(self.weights_file, weights, make_folder=False)

    def write_save_point(self, trained: Trained) -> None:
        """Replaces the save point; the weights come last, so that a cut leaves the old or the new ones."""
        files = trained_files(trained)
        for name in sorted(files, key=lambda name: name == "weights.safetensors"):
            write_file(self.save_point / name, files[name], make_folder=False)

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
        write_file(self.path / "evaluation.json", to_json_bytes(dict(evaluation)), make_folder=False)

    @property
    def evaluated(self) -> bool:
        """Whether there is an evaluation of its save point."""
        return (self.path / "evaluation.json").is_file()

    def read_evaluation(self) -> dict[str, Any]:
        """How the save point did.

        Raises:
            DamagedModelError: It is missing or damaged.
        """
        if not self.evaluated:
            raise DamagedModelError(
                f"run {self.name} has no evaluation, which failed or was cut off; do it again with: "
                f"dlplugin resume {self.name}{self.place}"
            )
        return read_json(self.path / "evaluation.json")

    def note(self, event: str, **details: object) -> None:
        """Adds a line to the events.

        Raises:
            StoreError: It cannot be written.
        """
        line = json.dumps({"time": now(), "event": event, **details}, ensure_ascii=False) + "\n"
        path = self.path / "events.jsonl"
        try:
            with open(path, "a+b", buffering=0) as file:
                if file.seek(0, os.SEEK_END):
                    file.seek(-1, os.SEEK_END)
                    line = line if file.read(1) == b"\n" else "\n" + line  # after one that was cut off
                file.write(line.encode())
        except OSError as error:
            raise StoreError(f"cannot write {path}: {error.strerror or error}") from None

    @property
    def events(self) -> list[dict[str, Any]]:
        """When it began, stopped, went on and ended; a line that was cut off by a crash is left out."""
        try:
            lines = (self.path / "events.jsonl").read_bytes().split(b"\n")[:-1]
        except FileNotFoundError:
            return []
        events = []
        for line in lines:
            with suppress(ValueError):
                events.append(json.loads(line))
        return events

    def write_progress(self, progress: Mapping[str, Any]) -> None:
        """Tells other processes of the epoch under way."""
        path = self.path / "progress.json"
        beside = path.with_name(".progress.json")
        try:
            beside.write_bytes(json.dumps(dict(progress)).encode())
            os.replace(beside, path)
        except OSError as error:
            raise StoreError(f"cannot write {path}: {error.strerror or error}") from None

    @property
    def progress(self) -> dict[str, Any] | None:
        """The epoch under way; None while epochs are short, and when it does not run."""
        try:
            return read_json(self.path / "progress.json")
        except DamagedModelError:
            return None

    def clear_progress(self) -> None:
        """Takes the epoch under way back."""
        with suppress(OSError):
            (self.path / "progress.json").unlink(missing_ok=True)

    def request_stop(self) -> None:
        """Asks the process that trains it, whichever it is, to stop."""
        write_file(self.path / "stop", b"", make_folder=False)

    @property
    def stop_requested(self) -> bool:
        """Whether somebody has asked it to stop."""
        return os.path.exists(self.path / "stop")

    def clear_stop(self) -> None:
        """Takes the wish to stop back, before it goes on.

        Raises:
            StoreError: The run cannot be written.
        """
        path = self.path / "stop"
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise StoreError(f"cannot write {path}: {error.strerror or error}") from None

    @property
    def digest(self) -> str:
        """SHA-256 over the last state, the save point's weights, and the history but for the seconds.

        Two trainings of the same digest are the same to the bit, however often they were stopped.
        """
        state = self.read_state()
        history = self.history_file.read().drop(columns="seconds").to_csv(index=False)
        kept = {f"save-point/{name}": array for name, array in self.read_trained().weights.items()}
        if state is None:
            return digest_of(kept, history)
        return digest_of({**state.arrays, **kept}, json.dumps(state.values, sort_keys=True), history)
