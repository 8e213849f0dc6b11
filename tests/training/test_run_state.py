"""What a run and its model say of themselves while it trains, and after its process has died."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

import dlplugin as dl
from dlplugin.errors import StoreError, TrainingError
from dlplugin.store import RunFolder

DIES_IN_ITS_SECOND_EPOCH = """
import os, signal, sys
import dlplugin as dl
from dlplugin.store import RunFolder

append = RunFolder.append_history
def die_later(folder, row):
    append(folder, row)
    if row[0] == 2:
        os.kill(os.getpid(), signal.SIGKILL)
RunFolder.append_history = die_later
dataset = dl.DataSet.bundled("us-stocks").subset(["IBM"])
dl.load("small", sys.argv[1]).train(dataset, options=dl.TrainingOptions(epochs=50, auto_stop=None))
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no process can be killed outright here")
def test_a_run_whose_process_was_killed_is_interrupted_and_its_model_can_be_trained_again(
    model: dl.Model, two_stocks: dl.DataSet
) -> None:
    model.save()
    killed = subprocess.run(
        [sys.executable, "-c", DIES_IN_ITS_SECOND_EPOCH, str(model.store)], timeout=120, capture_output=True
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    (folder,) = (model.store / ".runs").iterdir()
    run = dl.load_run(folder.name, model.store)
    assert run.status == "interrupted"
    assert run.stop_reason == ""
    assert run.history["epoch"].tolist() == [1, 2]
    assert model.status == "draft"
    assert model.train(two_stocks, options=dl.TrainingOptions(epochs=1)).status == "finished"
    assert model.status == "trained"


def test_while_it_trains_run_and_model_are_running_and_a_second_training_is_refused(
    monkeypatch: pytest.MonkeyPatch, model: dl.Model, two_stocks: dl.DataSet
) -> None:
    seen: list[tuple[str, str]] = []
    append = RunFolder.append_history

    def look(folder: RunFolder, row: tuple[float | int | str, ...]) -> None:
        append(folder, row)
        seen.append((dl.load_run(folder.name, model.store).status, model.status))
        with pytest.raises(StoreError) as error:
            dl.load("small", model.store).train(two_stocks)
        assert str(error.value) == (
            f"model 'small' is being trained already, by run {folder.name}; wait for it, or: "
            f"dlplugin stop {folder.name} --store {model.store}"
        )

    monkeypatch.setattr(RunFolder, "append_history", look)
    run = model.train(two_stocks, options=dl.TrainingOptions(epochs=2))
    assert seen == [("running", "running")] * 2
    assert (run.status, model.status) == ("finished", "trained")
    assert [path.name for path in (model.store / ".runs").iterdir()] == [run.name]


def test_a_failed_training_of_another_definition_leaves_no_weights_of_the_one_before(
    monkeypatch: pytest.MonkeyPatch, describe, tmp_path: Path, two_stocks: dl.DataSet
) -> None:
    describe(tmp_path, inputs=["RSI(14)"]).train(two_stocks, options=dl.TrainingOptions(epochs=1))

    def broken(*_: object) -> None:
        raise TrainingError("it broke")

    monkeypatch.setattr("dlplugin.training.fit.fit", broken)
    other = describe(tmp_path, inputs=["RSI(7)"])
    with pytest.raises(TrainingError):
        other.train(two_stocks)
    assert other.status == "draft"
    with pytest.raises(dl.DLPluginError, match="model 'small' is a draft; train it first"):
        other.predict(two_stocks["IBM"])
