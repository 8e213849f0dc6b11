"""A run whose files were cut off, changed or taken away: one clear line, and it goes on where it can."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import dlplugin as dl
from dlplugin.store import RunFolder
from tests.training.trainings import QUIET, describe, small_dataset, stop_at


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with one run of model "m", stopped after two of four epochs."""
    store = tmp_path_factory.mktemp("stopped") / "models"
    stop_at(2)
    options = dl.TrainingOptions(epochs=4, batch_size=128, auto_stop=None)
    run = describe(store, "m").train(small_dataset(), options=options, console=QUIET)
    assert (run.status, run.facts["epochs"]) == ("stopped", 2)
    return store


@pytest.fixture
def store(stopped: Path, tmp_path: Path) -> Path:
    """A copy of it, to be damaged."""
    shutil.copytree(stopped, tmp_path / "models")
    return tmp_path / "models"


def only_run(store: Path) -> RunFolder:
    (folder,) = (store / ".runs").glob("[!.]*")
    return RunFolder.open(store, folder.name)


def at_each_epoch(monkeypatch: pytest.MonkeyPatch, act: Callable[[RunFolder], None]) -> None:
    append = RunFolder.append_history

    def then_act(folder: RunFolder, row: Any) -> None:
        append(folder, row)
        act(folder)

    monkeypatch.setattr(RunFolder, "append_history", then_act)


def test_an_event_that_was_cut_off_does_not_spoil_the_next(store: Path) -> None:
    folder = only_run(store)
    file = folder.path / "events.jsonl"
    file.write_bytes(file.read_bytes()[:-20])
    run = dl.load_run(folder.name, store).resume(console=QUIET)
    assert run.status == "finished"
    assert [event["event"] for event in run.events] == ["begins", "goes on", "finished"]
