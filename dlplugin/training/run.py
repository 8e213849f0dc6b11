"""A run: one training of one definition, as its folder tells it, and the hand on it."""

import signal
import sys
import time
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
from rich.console import Console

from dlplugin.bars import DataSet
from dlplugin.definition import Definition
from dlplugin.errors import TrainingError
from dlplugin.samples import SpanCount, Spans
from dlplugin.store import ModelFolder, RunFolder
from dlplugin.training.background import train_in_background
from dlplugin.training.outcome import best_epoch
from dlplugin.training.prepare import matching_samples
from dlplugin.training.stretch import execute
from dlplugin.training.watch.behaviour import Probe
from dlplugin.training.watch.diagnosis import Diagnosis, diagnose
from dlplugin.training.watch.graph import Graph
from dlplugin.training.watch.plot import plot_history

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Run", "end_script", "resume_run"]

SECONDS_BETWEEN_LOOKS = 0.02
RESUMABLE = ("stopped", "interrupted", "failed")


class Run:
    """One training of one definition on one DataSet with one split and one set of options.

    It can be watched and stopped from any process, and goes on days later where it stopped.
    """

    def __init__(self, folder: RunFolder) -> None:
        self._folder = folder

    def __repr__(self) -> str:
        return f"<Run {self.name} of {self.facts['model']}: {self.status}>"

    @property
    def name(self) -> str:
        """Its memorable name."""
        return self._folder.name

    @property
    def place(self) -> str:
        """What a command needs to find it: " --store FOLDER" where the store is not the usual one."""
        return self._folder.place

    @property
    def path(self) -> Path:
        """Its folder in the store."""
        return self._folder.path

    @property
    def facts(self) -> dict[str, Any]:
        """All that is recorded of it: definition, options, data, dates, counts, versions."""
        return self._folder.facts

    @property
    def status(self) -> str:
        """One of "running", "finished", "stopped", "failed", or "interrupted" when its process died."""
        return self._folder.status

    @property
    def history(self) -> pd.DataFrame:
        """A row an epoch: epoch, in_sample_loss, out_of_sample_loss, learning_rate, seconds.

        Losses are means over the networks, in-sample as met while the weights moved. Accuracies of
        classes stand beside them, and the correlation where it is monitored. What there is none of
        is NaN.
        """
        return self._folder.history

    @property
    def save_points(self) -> list[int]:
        """The epochs at which the save point moved."""
        return self._folder.saved_epochs

    @property
    def progress(self) -> dict[str, Any] | None:
        """The epoch under way, the share of it that is done and its loss so far; None while epochs are short."""
        return self._folder.progress if self.status == "running" else None

    @property
    def events(self) -> list[dict[str, Any]]:
        """When it began, went on, stopped and ended."""
        return self._folder.events

    @property
    def stop_reason(self) -> str:
        """Why it ended, in words; empty while it runs."""
        return str(self.facts.get("stop_reason", "")) or self._folder.failure

    @property
    def best_epoch(self) -> int:
        """The epoch whose weights predict; with several networks that of the best monitored value.

        Raises:
            TrainingError: It has not ended yet, or ended before its first epoch did.
        """
        facts = self.facts
        if not facts.get("save_point", {}).get("epochs") or not facts["epochs"]:
            raise TrainingError(f"run {self.name} has kept no weights yet; it is {self.status}")
        return best_epoch(facts)

    @property
    def spans(self) -> Spans:
        """The resolved dates."""
        return Spans.from_dict(self.facts["spans"])

    @property
    def counts(self) -> dict[str, SpanCount]:
        """Samples and purged samples of each span."""
        return {name: SpanCount(**count) for name, count in self.facts["counts"].items()}

    @property
    def digest(self) -> str:
        """SHA-256 over last state, save point and history but for the seconds.

        However often a run was stopped on a CPU, it ends with the digest of one that was not.

        Raises:
            DamagedModelError: It has kept no weights yet.
        """
        return self._folder.digest

    @cached_property
    def graph(self) -> Graph:
        """The points that a live graph of it shows: every epoch and every 100th, prunable."""
        return Graph(self._folder.history_file.path)

    def plot(self, path: str | Path | None = None) -> "Figure":
        """Draws losses, save points, learning rate and why it ended.

        Args:
            path: Where to write it as well: .png, .svg or .pdf.

        Returns:
            A matplotlib figure; a notebook shows it.
        """
        reason, facts = self.stop_reason, self.facts
        subtitle = f"{facts['model']}, {self.status}{f': {reason}' if reason else ''}"
        kept, networks = None, facts["options"]["networks"]
        if networks > 1:
            subtitle += f"; curves are means over {networks} networks, each with a save point of its own"
            kept = facts.get("save_point", {}).get("epochs", [])
        return plot_history(self.history, self.name, subtitle, self.save_points, path, kept)

    def diagnosis(self) -> Diagnosis:
        """The typical troubles that it shows, each with the evidence and what to try."""
        facts = self.facts
        found = Probe.from_dict(facts["probe"]) if "probe" in facts else None
        return diagnose(self.history, facts | {"status": self.status}, found)

    def stop(self, timeout: float = 30.0) -> None:
        """Stops it, wherever it is trained, and waits until it has; does nothing when it does not run.

        Args:
            timeout: Seconds to wait.

        Raises:
            TrainingError: It has not stopped by then.
        """
        if self.status != "running":
            return
        self._folder.request_stop()
        if not self._ended_within(timeout):
            raise TrainingError(f"run {self.name} has not stopped within {timeout:g} seconds")

    def wait(self, timeout: float | None = None) -> "Run":
        """Waits until it has ended; its status says how.

        Args:
            timeout: Seconds; none waits as long as it takes.

        Raises:
            TrainingError: It has not ended by then.
        """
        if not self._ended_within(timeout):
            raise TrainingError(f"run {self.name} has not ended within {timeout:g} seconds")
        return self

    def resume(
        self, dataset: DataSet | None = None, background: bool = False, console: Console | None = None
    ) -> "Run":
        """Goes on where it stopped, with its own data, dates and options.

        On a CPU it ends with the weights, the save point and the history that it would have had
        without the stop, to the bit.

        Args:
            dataset: Only compared with the data that the run has stored.
            background: Trains in a process of its own and returns at once; otherwise it ends like `train`.
            console: Where progress is shown; standard error when not given.

        Raises:
            TrainingError: It runs or is finished, or the DataSet has other bars.
            LockedModelError: The model has been locked.
            StoreError: Another run trains the model.
        """
        end_script(self, resume_run(self._folder, dataset, background, console))
        return self

    def use(self) -> None:
        """Makes its save point what its model predicts with, instead of that of another run.

        Raises:
            LockedModelError: The model is locked.
            StoreError: The model is being trained.
            TrainingError: The run has kept no weights, or they were not evaluated.
        """
        folder, facts = self._folder, self._folder.facts
        if not folder.weights_file.exists() or not folder.evaluated:
            raise TrainingError(
                f"run {self.name} has no evaluated weights to predict with; it is {self.status}"
            )
        definition = Definition.from_dict(facts["definition"])
        ModelFolder(folder.root, definition.name).use(definition, self.name)

    def _ended_within(self, timeout: float | None) -> bool:
        end = None if timeout is None else time.monotonic() + timeout
        while self._folder.alive:
            if end is not None and time.monotonic() > end:
                return False
            time.sleep(SECONDS_BETWEEN_LOOKS)
        return True


def resume_run(
    folder: RunFolder,
    dataset: DataSet | None = None,
    background: bool = False,
    console: Console | None = None,
) -> int:
    """Goes on with a run; see `Run.resume`.

    Returns:
        The number of the signal that stopped it again; 0 for none.
    """
    status = folder.status
    if status == "running":
        raise TrainingError(f"run {folder.name} is being trained already; nothing to resume")
    definition = Definition.from_dict(folder.facts["definition"])
    ModelFolder(folder.root, definition.name).refuse_training(folder.name)
    if status not in RESUMABLE:
        raise TrainingError(
            f"run {folder.name} is finished: {folder.facts['stop_reason']}; to go on from its weights, train a new "
            f"run with start_from={folder.name!r}"
        )
    samples = matching_samples(folder, definition, dataset)
    folder.clear_stop()
    if background:
        train_in_background(folder)
        return 0
    return execute(folder, console, samples).signal


def end_script(run: Run, number: int) -> None:
    """What a signal that stopped a blocking training does after all is saved.

    Ctrl-C ends a training without a number of epochs normally, and is raised otherwise, so that a
    script does not walk on as if the training had finished. SIGTERM ends the script.

    Args:
        run: It has stopped.
        number: The signal's; 0 for none.
    """
    if not number:
        return
    word = "Ctrl-C" if number == signal.SIGINT else "SIGTERM"
    done = f"after epoch {run.facts['epochs']}"
    if run.status == "finished":
        text = f"{word} came when {run.name} had just finished {done}"
    else:
        text = f"stopped by {word} {done}; {run.name} keeps it, and goes on with: dlplugin resume {run.name}{run.place}"
    print(text, file=sys.stderr)
    if number == signal.SIGTERM:
        raise SystemExit(128 + number)
    if run.facts["options"]["epochs"] is not None:
        raise KeyboardInterrupt
