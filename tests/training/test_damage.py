"""A run whose files were cut off, changed or taken away: one clear line, and it goes on where it can."""

import json
import shlex
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import dlplugin as dl
from dlplugin.errors import DamagedModelError, StoreError, TrainingError
from dlplugin.store import RunFolder
from dlplugin.training import execute
from dlplugin.training.callbacks import EpochAbandoned, EpochEnd
from dlplugin.training.journal import RunJournal
from tests.training.trainings import QUIET, describe, prepared, small_dataset, stop_at


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


def test_a_history_that_is_none_is_told_when_the_run_shall_go_on(store: Path) -> None:
    folder = only_run(store)
    file = folder.path / "history.csv"
    file.write_text(file.read_text() + "not,a,row\n")
    with pytest.raises(DamagedModelError) as error:
        dl.load_run(folder.name, store).resume(console=QUIET)
    assert str(error.value).startswith(f"{file} is no history: ")


def test_the_progress_of_a_killed_epoch_is_not_told_of_another(
    monkeypatch: pytest.MonkeyPatch, store: Path
) -> None:
    seen: list[object] = []
    at_each_epoch(monkeypatch, lambda folder: seen.append(dl.load_run(folder.name, store).progress))
    folder = only_run(store)
    folder.write_progress({"epoch": 37, "done": 0.5, "loss": 1.0})
    dl.load_run(folder.name, store).resume(console=QUIET)
    assert seen == [None, None]


def test_the_progress_of_a_long_epoch_ends_with_it(store: Path) -> None:
    folder = only_run(store)
    journal = RunJournal(folder, 2)
    journal.show(3, 0.5, 1.0)
    assert folder.progress == {"epoch": 3, "done": 0.5, "loss": 1.0}
    journal.add_epoch((3, 1.0, 1.0, 0.1, 0.1, 0))
    assert folder.progress is None


def test_a_command_in_a_message_can_be_run_as_it_is(monkeypatch: pytest.MonkeyPatch, store: Path) -> None:
    moved = store.rename(store.with_name("it's my store"))
    seen: list[str] = []

    def train_too(folder: RunFolder) -> None:
        with pytest.raises(StoreError) as error:
            describe(moved, "m").train(small_dataset())
        seen.append(str(error.value))

    at_each_epoch(monkeypatch, train_too)
    run = dl.load_run(only_run(moved).name, moved).resume(console=QUIET)
    assert shlex.split(seen[0].partition("or: ")[2]) == ["dlplugin", "stop", run.name, "--store", str(moved)]


def test_a_run_that_another_process_has_just_finished_stays_finished(store: Path) -> None:
    folder = only_run(store)
    run = dl.load_run(folder.name, store).resume(console=QUIET)
    before = run.facts, run.digest, run.events
    with pytest.raises(TrainingError) as error:
        execute(folder, QUIET)  # as one that was found stopped a moment ago
    assert str(error.value) == f"run {run.name} is finished: all 4 epochs done"
    assert (run.facts, run.digest, run.events) == before


@pytest.mark.parametrize("content", ["", '{"status": "stopped"}'])
def test_a_run_that_cannot_be_read_is_told_and_set_aside(store: Path, content: str) -> None:
    folder = only_run(store)
    file = folder.path / "run.json"
    file.write_text(content)
    run = dl.load_run(folder.name, store)
    for look in (lambda: run.status, lambda: run.resume(console=QUIET), lambda: run.best_epoch):
        with pytest.raises(DamagedModelError) as error:
            look()
        assert str(error.value).startswith(f"{file} ")
    model = describe(store, "m")
    again = model.train(small_dataset(), options=dl.TrainingOptions(epochs=1), console=QUIET)
    assert (again.status, model.status) == ("finished", "trained")
    assert again.facts["sets_aside"] == f"run {run.name} (damaged) is set aside and kept"


def test_saving_a_model_does_not_forget_the_run_that_can_go_on(store: Path) -> None:
    folder = only_run(store)
    draft = store / "m" / "definition.json"
    plain = json.loads(draft.read_text())
    draft.write_text(
        json.dumps(plain | {"run": None, "training": folder.name})
    )  # it was killed before it stopped
    model = describe(store, "m")
    assert model.status == "draft"
    model.save()
    assert model.resume(console=QUIET).name == folder.name


def test_a_history_whose_last_line_was_cut_off_goes_on(store: Path, stopped: Path) -> None:
    whole = shutil.copytree(stopped, store.with_name("whole"))
    digest = dl.load_run(only_run(whole).name, whole).resume(console=QUIET).digest
    folder = only_run(store)
    with open(folder.path / "history.csv", "a") as file:
        file.write("3,0.12")
    run = dl.load_run(folder.name, store)
    assert run.history["epoch"].tolist() == [1, 2]
    assert run.resume(console=QUIET).history["epoch"].tolist() == [1, 2, 3, 4]
    assert run.digest == digest


def test_a_process_that_ends_without_a_word_is_not_given_those_of_an_earlier_one(
    monkeypatch: pytest.MonkeyPatch, store: Path
) -> None:
    folder = only_run(store)
    (folder.path / "worker.log").write_text("cannot write it: No space left on device\n")
    monkeypatch.setattr(sys, "executable", shutil.which("false"))
    with pytest.raises(TrainingError) as error:
        dl.load_run(folder.name, store).resume(background=True)
    assert str(error.value) == "the training's process ended at once: 1"


def test_whatever_keeps_a_state_from_being_written_ends_the_training(
    monkeypatch: pytest.MonkeyPatch, store: Path
) -> None:
    def broken(folder: RunFolder, content: bytes) -> None:
        raise MemoryError("no room for the state")

    run = dl.load_run(only_run(store).name, store)
    with monkeypatch.context() as patch:
        patch.setattr(RunFolder, "write_state", broken)
        with pytest.raises(MemoryError):
            run.resume(console=QUIET)
    assert (run.status, run.stop_reason) == ("failed", "MemoryError: no room for the state")
    assert run.resume(console=QUIET).status == "finished"


def test_after_a_stop_that_throws_epochs_away_the_run_tells_of_none_of_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    look = EpochEnd.look

    def then_stop(watch: EpochEnd, done: int) -> None:
        if watch.epochs == 4:
            watch._control.request("stopped by request")
            raise EpochAbandoned
        look(watch, done)

    monkeypatch.setattr("dlplugin.training.journal.SECONDS_BETWEEN_STATES", 1000.0)  # the first is the last
    options = dl.TrainingOptions(epochs=6, batch_size=128, auto_stop=None, save_point="last")
    with monkeypatch.context() as patch:
        patch.setattr(EpochEnd, "look", then_stop)
        run = describe(tmp_path, "m").train(small_dataset(), options=options, console=QUIET)
    assert (run.status, run.facts["epochs"], run.best_epoch) == ("stopped", 1, 1)
    assert run.history["epoch"].tolist() == run.save_points == [1]


def test_a_reason_from_before_is_forgotten_when_it_goes_on(
    monkeypatch: pytest.MonkeyPatch, store: Path
) -> None:
    seen: list[tuple[str, str, bool]] = []
    folder = only_run(store)
    folder.write_failure("the disk was full")
    run = dl.load_run(folder.name, store)
    at_each_epoch(
        monkeypatch,
        lambda folder: seen.append((folder.failure, run.stop_reason, "ended" in run.facts)),
    )
    run.resume(console=QUIET)
    assert seen == [("", "", False)] * 2


def test_a_finished_run_keeps_its_samples_while_its_model_predicts_with_it(store: Path) -> None:
    folder = only_run(store)
    dl.load_run(folder.name, store).resume(console=QUIET)
    assert folder.samples_file.exists()
    model = describe(store, "m")
    model.train(small_dataset(), dl.Split(0.7, 0.3), dl.TrainingOptions(epochs=1), console=QUIET)
    assert not folder.samples_file.exists()
    assert not RunFolder.open(store, model.run.name).samples_file.exists(), "it has no holdout"


def test_a_run_that_is_not_finished_keeps_its_samples_whatever_its_model_predicts_with(store: Path) -> None:
    folder = only_run(store)
    assert folder.status == "stopped"
    describe(store, "m").train(small_dataset(), options=dl.TrainingOptions(epochs=1), console=QUIET)
    assert folder.samples_file.exists()


@pytest.mark.parametrize(
    ("save_point", "auto_stop", "selected"),
    [("last", None, False), ("last", 5, True), ("best", None, True)],
)
def test_an_evaluation_tells_whether_the_out_of_sample_span_chose_weights_or_epoch(
    tmp_path: Path, save_point: Any, auto_stop: int | None, selected: bool
) -> None:
    options = dl.TrainingOptions(epochs=1, batch_size=128, save_point=save_point, auto_stop=auto_stop)
    model = describe(tmp_path, "m")
    model.train(small_dataset(), options=options, console=QUIET)
    assert model.evaluation.selected is selected


def test_the_evaluation_of_the_weights_before_does_not_stay_beside_new_ones(store: Path) -> None:
    folder = only_run(store)
    assert folder.evaluated
    folder.write_kept(folder.weights_file.read_bytes())  # as a training that goes on, and is killed
    with pytest.raises(StoreError, match="has no evaluation, which failed or was cut off"):
        describe(store, "m").lock()


def test_a_model_that_is_trained_is_not_deleted_where_its_indicator_is_unknown(
    monkeypatch: pytest.MonkeyPatch, store: Path
) -> None:
    draft = store / "m" / "definition.json"

    def forget_then_delete(folder: RunFolder) -> None:
        before = draft.read_text()
        plain = json.loads(before)
        plain["definition"]["sources"] = {"gone": {"sha256": "0", "module": "gone", "checked": True}}
        draft.write_text(json.dumps(plain))
        with pytest.raises(StoreError) as error:
            describe(store, "m").delete()
        assert str(error.value) == "model 'm' is being trained; stop the training first"
        draft.write_text(before)

    run = dl.load_run(only_run(store).name, store)
    with monkeypatch.context() as patch:
        at_each_epoch(patch, forget_then_delete)
        assert run.resume(console=QUIET).status == "finished"


def test_a_state_that_differs_by_a_bit_is_not_gone_on_from(tmp_path: Path) -> None:
    run = prepared(tmp_path, "m", {"epochs": 4})
    stop_at(2)
    execute(run, QUIET)
    path = run.path / "state.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(DamagedModelError) as error:
        dl.load_run(run.name, tmp_path).resume(console=QUIET)
    assert str(error.value) == f"{path} is not the file that was written: its SHA-256 differs"
    content[-1] ^= 1
    path.write_bytes(content)
    assert dl.load_run(run.name, tmp_path).resume(console=QUIET).status == "finished"
