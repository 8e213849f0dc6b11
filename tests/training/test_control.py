"""Start, stop, resume, wait: in this process, in another, by a signal."""

import io
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from rich.console import Console

import dlplugin as dl
from dlplugin.errors import StoreError, TrainingError
from dlplugin.store import RunFolder
from tests.training.trainings import QUIET, describe, small_dataset

LONG = dl.TrainingOptions(epochs=1500, auto_stop=None, save_point="last")


def wait_for(what: str, found: "callable[[], bool]", seconds: float = 60.0) -> None:  # type: ignore[valid-type]
    end = time.monotonic() + seconds
    while not found():
        assert time.monotonic() < end, f"{what} within {seconds:g} seconds"
        time.sleep(0.01)


def test_a_training_of_its_own_process_is_watched_stopped_and_resumed(tmp_path: Path) -> None:
    whole = describe(tmp_path / "whole", "m").train(small_dataset(), options=LONG, console=QUIET)
    model = describe(tmp_path / "models", "m")
    run = model.start(small_dataset(), options=LONG)
    assert (run.status, model.status, run.stop_reason) == ("running", "running", "")
    with pytest.raises(StoreError) as error:
        model.train(small_dataset())
    assert str(error.value) == (
        f"model 'm' is being trained already, by run {run.name}; wait for it, or: "
        f"dlplugin stop {run.name} --store {model.store}"
    )
    with pytest.raises(TrainingError) as error:
        run.resume()
    assert str(error.value) == f"run {run.name} is being trained already; nothing to resume"
    wait_for("an epoch", lambda: len(run.history) > 0)
    with pytest.raises(TrainingError) as error:
        run.wait(timeout=0)
    assert str(error.value) == f"run {run.name} has not ended within 0 seconds"
    run.stop()
    assert (run.status, run.stop_reason) == ("stopped", "stopped by request")
    assert model.status == "trained"
    done = len(run.history)
    assert 0 < done < 1500
    predicted = model.predict(small_dataset()["IBM"])

    again = dl.load_run(run.name, model.store)  # as another process, days later
    assert again.resume(background=True).status == "running"
    wait_for("another epoch", lambda: len(run.history) > done)
    again.stop()
    model.resume(small_dataset(), console=QUIET)
    assert (run.status, run.stop_reason) == ("finished", "all 1500 epochs done")
    assert run.digest == whole.digest
    assert [event["event"] for event in run.events] == [
        "begins", "stopped", "goes on", "stopped", "goes on", "finished",
    ]  # fmt: skip
    assert not model.predict(small_dataset()["IBM"]).equals(predicted), "it predicts with the new save point"
    run.stop()
    assert run.wait().status == "finished"


def test_what_cannot_go_on_says_why(tmp_path: Path) -> None:
    model = describe(tmp_path, "m")
    with pytest.raises(TrainingError) as error:
        model.resume()
    assert str(error.value) == "model 'm' has no run to resume; train it first"
    dataset = small_dataset()
    run = model.train(dataset, options=dl.TrainingOptions(epochs=2), console=QUIET)
    with pytest.raises(TrainingError) as error:
        model.resume()
    assert str(error.value) == (
        f"run {run.name} is finished: all 2 epochs done; to go on from its weights, train a new run with "
        f"start_from='{run.name}'"
    )


def test_a_run_goes_on_only_with_the_bars_it_was_begun_with(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    model, dataset = describe(tmp_path, "m"), small_dataset()
    append = RunFolder.append_history

    def stop_after_two(folder: RunFolder, row: tuple[float | int | str, ...]) -> None:
        append(folder, row)
        if row[0] == 2:
            folder.request_stop()

    with monkeypatch.context() as patch:
        patch.setattr(RunFolder, "append_history", stop_after_two)
        run = model.train(dataset, options=dl.TrainingOptions(epochs=6), console=QUIET)
    assert (run.status, run.facts["epochs"]) == ("stopped", 2)
    moved = dl.DataSet.from_frames("moved", {"AAPL": dataset["AAPL"], "IBM": dataset["IBM"] * 1.01})
    with pytest.raises(TrainingError) as error:
        model.resume(moved)
    assert str(error.value) == (
        f"the bars of IBM are not those that run {run.name} was begun with; a run goes on with its own data: "
        "resume() without a dataset"
    )
    with pytest.raises(TrainingError) as error:
        model.resume(dataset.subset(["IBM"]))
    assert str(error.value) == (
        f"run {run.name} was trained on AAPL, IBM, but DataSet 'small (1 of 2)' has IBM; a run goes on with its own "
        "data: resume() without a dataset"
    )
    model.lock()
    with pytest.raises(dl.DLPluginError) as error:
        run.resume()
    assert str(error.value).startswith("model 'm' is locked since ")


def long_epochs(store: Path) -> tuple[dl.Model, dl.DataSet, dl.TrainingOptions]:
    """Every sample by itself through two million weights: minutes an epoch."""
    model = dl.Model(
        "long",
        inputs=[dl.Input("RSI(14)", depth=3)],
        outputs=[dl.Output("ROC(5)", look_ahead=5)],
        engine=dl.MLP(hidden=[1400, 1400]),
        store=store,
    )
    options = dl.TrainingOptions(epochs=3, batch_size=1, auto_stop=None)
    return model, dl.DataSet.bundled("us-stocks"), options


def test_a_stop_in_an_epoch_that_lasts_a_minute_takes_effect_within_a_second(tmp_path: Path) -> None:
    model, dataset, options = long_epochs(tmp_path)
    taken: list[float] = []
    run: dl.Run | None = None
    for _ in range(3):  # machines are shared: the best of three
        screen = io.StringIO()
        console = Console(file=screen, force_terminal=True, width=160, color_system=None)
        names: set[str] = {path.name for path in (tmp_path / ".runs").glob("*")}
        thread = threading.Thread(target=lambda: model.train(dataset, options=options, console=console))  # noqa: B023
        thread.start()
        wait_for("a run", lambda: {path.name for path in (tmp_path / ".runs").glob("[!.]*")} > names)  # noqa: B023
        (name,) = {path.name for path in (tmp_path / ".runs").glob("[!.]*")} - names
        run = dl.load_run(name, tmp_path)
        wait_for("progress", lambda: (run.progress or {}).get("done", 0) > 0)  # noqa: B023
        progress = run.progress
        assert progress is not None
        assert progress["epoch"] == 1
        assert progress["done"] < 0.2
        assert progress["loss"] > 0
        asked = time.monotonic()
        run.stop()
        taken.append(time.monotonic() - asked)
        thread.join()
        assert (run.status, run.stop_reason, run.progress) == ("stopped", "stopped by request", None)
        assert len(run.history) == run.facts["epochs"] == 0
        assert "of epoch 1, in-sample" in screen.getvalue()
        with pytest.raises(TrainingError, match="has kept no weights yet; it is stopped"):
            run.best_epoch  # noqa: B018
    assert min(taken) < 1.0, taken
    assert model.status == "draft"


TRAINS = """
import sys
import dlplugin as dl
from tests.training.trainings import describe, small_dataset
epochs = None if sys.argv[2] == "None" else int(sys.argv[2])
run = describe(sys.argv[1], "m").train(small_dataset(), options=dl.TrainingOptions(epochs=epochs, auto_stop=None))
print("walked on:", run.status)
"""


@pytest.mark.skipif(os.name != "posix", reason="signals to a process")
@pytest.mark.parametrize(
    ("number", "epochs", "code", "reason"),
    [
        (signal.SIGINT, "1000000", -signal.SIGINT, "stopped by Ctrl-C"),
        pytest.param(
            signal.SIGTERM, "None", 128 + signal.SIGTERM, "stopped by SIGTERM", marks=pytest.mark.slow
        ),
    ],
)
def test_a_signal_from_outside_is_a_clean_stop(
    tmp_path: Path, number: signal.Signals, epochs: str, code: int, reason: str
) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", TRAINS, str(tmp_path), epochs],
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_for("a run", lambda: bool(list((tmp_path / ".runs").glob("[!.]*"))))
    (folder,) = (tmp_path / ".runs").glob("[!.]*")
    run = dl.load_run(folder.name, tmp_path)
    wait_for("three epochs", lambda: len(run.history) > 2)
    process.send_signal(number)
    out, errors = process.communicate(timeout=60)
    assert (process.returncode, out) == (code, "")
    assert (run.status, run.stop_reason) == ("stopped", reason)
    word = reason.removeprefix("stopped by ")
    assert (
        f"stopped by {word} after epoch {run.facts['epochs']}; {run.name} keeps it, and goes on with: dlplugin resume "
        f"{run.name} --store {tmp_path}\n"
    ) in errors
    assert RunFolder.open(tmp_path, run.name).read_state().epoch == run.facts["epochs"] == len(run.history)  # type: ignore[union-attr]


def test_ctrl_c_in_the_last_epoch_ends_the_script_and_the_run_is_finished(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    append = RunFolder.append_history

    def press(folder: RunFolder, row: tuple[float | int | str, ...]) -> None:
        append(folder, row)
        if row[0] == 3:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(RunFolder, "append_history", press)
    model = describe(tmp_path, "m")
    with pytest.raises(KeyboardInterrupt):
        model.train(small_dataset(), options=dl.TrainingOptions(epochs=3, auto_stop=None), console=QUIET)
    name = dl.runs(tmp_path)["run"].iloc[0]
    assert dl.load_run(name, tmp_path).status == "finished"
    assert capsys.readouterr().err == f"Ctrl-C came when {name} had just finished after epoch 3\n"
    assert model.status == "trained"


@pytest.mark.slow
def test_of_two_trainings_that_begin_at_once_one_is_refused_and_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    model = describe(tmp_path, "m")
    first = model.start(small_dataset(), options=dl.TrainingOptions(epochs=None, auto_stop=None))
    monkeypatch.setattr("dlplugin.store.ModelFolder.refuse_training", lambda *_: None)  # as if they met
    with pytest.raises(TrainingError) as error:
        model.start(small_dataset())
    assert str(error.value) == (
        f"model 'm' is being trained already, by run {first.name}; wait for it, or: "
        f"dlplugin stop {first.name} --store {tmp_path}"
    )
    first.stop()
    assert dl.runs(tmp_path)["run"].tolist() == [first.name]


@pytest.mark.slow
def test_a_run_that_is_just_being_started_is_running_and_can_be_stopped(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from dlplugin.training import background

    seen: list[str] = []
    spawn = background._spawn

    def looked_at(folder: RunFolder, log: Path) -> "subprocess.Popen[bytes]":
        process = spawn(folder, log)
        seen.append(dl.load_run(folder.name, tmp_path).status)
        folder.request_stop()  # as `stop` does, in another process, while this one waits
        return process

    monkeypatch.setattr(background, "_spawn", looked_at)
    model = describe(tmp_path, "m")
    run = model.start(small_dataset(), options=dl.TrainingOptions(epochs=None, auto_stop=None))
    assert seen == ["running"]
    assert run.wait(timeout=60).status == "stopped"
    assert len(run.history) < 3


def test_a_reader_who_may_not_write_the_store_sees_a_training_run(tmp_path: Path) -> None:
    from dlplugin.store import hold
    from dlplugin.store.folders import held

    with hold(tmp_path, "run-x", "busy"):
        lock = tmp_path / ".locks" / "run-x.lock"
        lock.chmod(0o444)
        lock.parent.chmod(0o555)
        try:
            assert held(tmp_path, "run-x")
        finally:
            lock.parent.chmod(0o755)
    assert not held(tmp_path, "run-x")


@pytest.mark.slow
def test_pieces_that_a_kill_has_left_are_swept(tmp_path: Path) -> None:
    model = describe(tmp_path, "m")
    run = RunFolder.open(
        tmp_path, model.train(small_dataset(), options=dl.TrainingOptions(epochs=1), console=QUIET).name
    )
    old, young = tmp_path / ".runs" / ".old-owl-1.00ff", tmp_path / ".runs" / ".new-owl-1.00ff"
    for folder in (old, young):
        folder.mkdir()
        (folder / "samples.safetensors").write_bytes(b"cut off")
    os.utime(old, (0, 0))
    (run.path / ".state.safetensors.00ff").write_bytes(b"cut off")
    run.sweep()
    assert [path.name for path in run.path.glob(".*")] == []
    assert run.read_trained().weights
    model.start(small_dataset(), options=dl.TrainingOptions(epochs=1)).wait(60)
    assert (old.exists(), young.exists()) == (False, True)
