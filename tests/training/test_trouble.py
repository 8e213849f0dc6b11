"""A full disk, a folder that cannot be written, a folder that is removed: one line, and nothing else is lost."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from multiprocessing.queues import Queue
from pathlib import Path

import pytest

import dlplugin as dl
from dlplugin.errors import StoreError
from dlplugin.store import RunFolder
from tests.processes import forked
from tests.training.trainings import QUIET, describe, small_dataset

root_on_linux = pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0,
    reason="needs a root user of Linux, to mount or to be another",
)
OPTIONS = dl.TrainingOptions(epochs=12, batch_size=64, auto_stop=None)
NOBODY = 65534


@pytest.fixture(autouse=True)
def _every_epoch_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dlplugin.training.journal.SECONDS_BETWEEN_STATES", 0.0)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of two megabytes."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)], check=False)
    if mounted.returncode:
        pytest.skip("nothing can be mounted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def after_epoch(monkeypatch: pytest.MonkeyPatch, epoch: int, act: Callable[[RunFolder], None]) -> None:
    append = RunFolder.append_history

    def then_act(folder: RunFolder, row: tuple[float | int | str, ...]) -> None:
        append(folder, row)
        if row[0] == epoch:
            act(folder)

    monkeypatch.setattr(RunFolder, "append_history", then_act)


def fill(folder: Path) -> None:
    """To the last byte."""
    with open(folder / "ballast", "wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 4096)
        except OSError:
            pass


@root_on_linux
def test_a_disk_that_fills_up_fails_the_run_with_its_reason_and_loses_nothing(
    monkeypatch: pytest.MonkeyPatch, small_disk: Path, tmp_path: Path
) -> None:
    whole = describe(tmp_path / "whole", "m").train(small_dataset(), options=OPTIONS, console=QUIET)
    model = describe(small_disk / "models", "m")
    with monkeypatch.context() as patch:
        after_epoch(patch, 5, lambda folder: fill(small_disk))
        with pytest.raises(StoreError) as error:
            model.train(small_dataset(), options=OPTIONS, console=QUIET)
    (folder,) = (small_disk / "models" / ".runs").iterdir()
    assert str(error.value).startswith(f"cannot write {folder}/")
    assert str(error.value).endswith(": No space left on device")
    run = dl.load_run(folder.name, small_disk / "models")
    assert (run.status, run.stop_reason) == ("failed", str(error.value))
    assert RunFolder.open(small_disk / "models", run.name).read_trained().weights, "the save point is there"
    with pytest.raises(dl.DLPluginError):
        run.resume(console=QUIET)
    assert run.status == "failed"
    (small_disk / "ballast").unlink()
    assert run.resume(console=QUIET).status == "finished"
    assert run.digest == whole.digest
    assert run.stop_reason == "all 12 epochs done"


@root_on_linux
def test_a_disk_that_is_full_from_the_start_is_said_in_one_line_and_leaves_nothing(
    small_disk: Path,
) -> None:
    fill(small_disk)
    with pytest.raises(StoreError) as error:
        describe(small_disk / "models", "m").train(small_dataset(), options=OPTIONS, console=QUIET)
    assert "No space left on device" in str(error.value)
    assert "\n" not in str(error.value)
    assert [path.name for path in small_disk.rglob("*") if path.is_file() and ".locks" not in str(path)] == [
        "ballast"
    ]


def test_a_folder_that_is_removed_while_it_trains_ends_it_and_is_not_made_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    model = describe(tmp_path, "m")
    first = model.train(small_dataset(), options=OPTIONS, console=QUIET)
    with monkeypatch.context() as patch:
        after_epoch(patch, 3, lambda folder: folder.path.rename(tmp_path / "gone"))
        with pytest.raises(StoreError) as error:
            model.train(small_dataset(), options=OPTIONS, console=QUIET)
    assert str(error.value).startswith(f"cannot write {tmp_path}/.runs/")
    assert str(error.value).endswith(": No such file or directory")
    assert [path.name for path in (tmp_path / ".runs").iterdir()] == [first.name]
    assert model.status == "trained"
    assert model.predict(small_dataset()["IBM"]).notna().to_numpy().any(), "the first run still predicts"


def as_nobody(store: Path, epoch: int | None) -> tuple[str, str]:
    """What a user who is not root is told when the run's folder becomes read-only after an epoch."""
    context = forked()
    said = context.Queue()
    process = context.Process(target=_nobody, args=(store, epoch, said))
    process.start()
    answer: tuple[str, str] = said.get(timeout=120)
    process.join()
    return answer


def _nobody(store: Path, epoch: int | None, said: "Queue[tuple[str, str]]") -> None:
    if epoch is not None:
        append = RunFolder.append_history

        def then_lock(folder: RunFolder, row: tuple[float | int | str, ...]) -> None:
            append(folder, row)
            if row[0] == epoch and os.geteuid() == NOBODY:
                folder.path.chmod(0o555)
                (folder.path / "save-point").chmod(0o555)

        RunFolder.append_history = then_lock  # type: ignore[method-assign]
    dataset = small_dataset()
    describe(store.parent / "warm", "m").train(
        dataset, options=OPTIONS, console=QUIET
    )  # imports what is lazy
    os.setgid(NOBODY)
    os.setuid(NOBODY)
    try:
        describe(store, "m").train(dataset, options=OPTIONS, console=QUIET)
        said.put(("no error", ""))
    except dl.DLPluginError as error:
        said.put((type(error).__name__, str(error)))


def open_to_all(folder: Path) -> None:
    """Everybody may pass through the folders above."""
    for parent in (folder, *folder.parents):
        if parent.owner() == "root" and str(parent).startswith(("/tmp/", "/var/")):
            parent.chmod(parent.stat().st_mode | 0o011)


@root_on_linux
def test_a_store_that_cannot_be_written_is_said_in_one_line(tmp_path: Path) -> None:
    store = tmp_path / "models"
    store.mkdir(mode=0o755)
    open_to_all(tmp_path)
    kind, message = as_nobody(store, None)
    assert kind == "StoreError"
    assert message.startswith(f"cannot write {store}/.runs/")
    assert message.endswith(": Permission denied")
    assert list(store.iterdir()) == []


@root_on_linux
def test_a_folder_that_becomes_read_only_fails_the_run_with_its_reason(tmp_path: Path) -> None:
    store = tmp_path / "models"
    store.mkdir()
    os.chown(store, NOBODY, NOBODY)
    open_to_all(tmp_path)
    kind, message = as_nobody(store, 4)
    (folder,) = (store / ".runs").iterdir()
    assert kind == "StoreError"
    assert message.startswith(f"cannot write {folder}/")
    assert message.endswith(": Permission denied")
    run = dl.load_run(folder.name, store)
    assert (run.status, run.stop_reason) == ("failed", message)
    assert run.history["epoch"].tolist()[:4] == [1, 2, 3, 4]
    for path in (folder, folder / "save-point"):
        path.chmod(0o755)
    whole = describe(tmp_path / "whole", "m").train(small_dataset(), options=OPTIONS, console=QUIET)
    assert run.resume(console=QUIET).digest == whole.digest
