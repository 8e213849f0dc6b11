"""The life of a model in its folder, and writes that are done or not done."""

import json
import shutil
import threading
from pathlib import Path

import pytest
from filelock import FileLock

import dlplugin as dl
from dlplugin.errors import DamagedModelError, LockedModelError, StoreError, UnknownModelError
from dlplugin.store import ModelFolder, folders
from dlplugin.store.folders import write_file, write_folder


@pytest.fixture
def store(locked: dl.Model, tmp_path: Path) -> Path:
    """A copy of the store with the locked model, to be changed."""
    shutil.copytree(locked.store, tmp_path / "models")
    return tmp_path / "models"


def again(store: Path, locked: dl.Model) -> dl.Model:
    return dl.Model.of(locked.definition, store=store)


def test_describing_a_model_writes_nothing(model: dl.Model) -> None:
    assert model.status == "draft"
    assert not model.store.exists()


def test_a_saved_description_is_a_draft_that_can_be_loaded(model: dl.Model) -> None:
    model.save()
    loaded = dl.load("small", model.store)
    assert (loaded.status, loaded.definition) == ("draft", model.definition)
    with pytest.raises(dl.DLPluginError) as error:
        loaded.predictor  # noqa: B018
    assert str(error.value) == "model 'small' is a draft; train it first"


def test_a_model_goes_from_draft_to_trained_to_locked_and_back(
    model: dl.Model, two_stocks: dl.DataSet
) -> None:
    run = model.train(two_stocks, options=dl.TrainingOptions(epochs=1))
    assert (model.status, run.status) == ("trained", "finished")
    predicted = model.predict(two_stocks["IBM"])
    assert dl.load("small", model.store).predict(two_stocks["IBM"]).equals(predicted)

    first = model.lock(note="one")
    assert (model.status, first.reference) == ("locked", "small@1")
    assert first.predict(two_stocks["IBM"]).equals(predicted)
    assert model.predict(two_stocks["IBM"]).equals(predicted)
    assert not (model.store / "small" / "definition.json").exists()

    model.unlock()
    assert model.status == "draft"
    assert dl.load("small@1", model.store).predict(two_stocks["IBM"]).equals(predicted)
    assert dl.load("small@1", model.store).status == "locked"

    model.train(two_stocks, options=dl.TrainingOptions(epochs=1, seed=1))
    assert model.lock().reference == "small@2"
    assert not model.predict(two_stocks["IBM"]).equals(predicted)
    assert dl.load("small@1", model.store).predict(two_stocks["IBM"]).equals(predicted)


def test_a_locked_model_cannot_be_trained_saved_locked_or_deleted(
    store: Path, locked: dl.Model, two_stocks: dl.DataSet
) -> None:
    model = again(store, locked)
    since = json.loads((store / "locked" / "versions" / "1" / "lock.json").read_text())["locked_at"][:10]
    for verb, change in {
        "train": lambda: model.train(two_stocks),
        "save": model.save,
        "lock": model.lock,
    }.items():
        with pytest.raises(LockedModelError) as error:
            change()
        said = "train" if verb == "save" else verb
        assert str(error.value) == (
            f"model 'locked' is locked since {since}; {said} under a new name, or: dlplugin unlock locked "
            f"--store {store}"
        )
    with pytest.raises(LockedModelError) as error:
        model.delete()
    assert str(error.value) == "model 'locked' has locked versions that are kept for good: locked@1"
    assert not (store / "locked" / "definition.json").exists()


def test_another_definition_under_the_name_is_a_draft_and_leaves_the_stored_one_alone(
    store: Path, locked: dl.Model, describe, two_stocks: dl.DataSet
) -> None:
    other = describe(store, "locked", engine=dl.MLP(hidden=[4]))
    assert other.status == "draft"
    with pytest.raises(LockedModelError):
        other.train(two_stocks)
    with pytest.raises(dl.DLPluginError) as error:
        other.predict(two_stocks["IBM"])
    assert str(error.value) == (
        "model 'locked' is stored with other engine than described here; use dl.load('locked'), or train this one "
        "under a new name"
    )
    assert again(store, locked).status == "locked"


def test_a_lock_cut_off_after_its_folder_was_there_is_a_lock(store: Path, locked: dl.Model) -> None:
    model = again(store, locked)
    model.unlock()
    draft = (store / "locked" / "definition.json").read_bytes()
    shutil.copytree(store / "locked" / "versions" / "1", store / "locked" / "versions" / "2")
    assert draft == (store / "locked" / "definition.json").read_bytes()
    assert model.status == "locked"
    assert model.predictor is not None


def test_deleting_removes_the_model_and_keeps_its_runs(model: dl.Model, two_stocks: dl.DataSet) -> None:
    run = model.train(two_stocks, options=dl.TrainingOptions(epochs=1))
    model.delete()
    assert model.status == "draft"
    assert list(dl.models(model.store).index) == []
    assert len(dl.load_run(run.name, model.store).history) == 1
    with pytest.raises(UnknownModelError):
        model.delete()


def test_the_list_tells_name_status_versions_engine_inputs_and_outputs(store: Path, describe) -> None:
    describe(store, "another").save()
    table = dl.models(store)
    assert list(table.index) == ["another", "locked"]
    assert table.loc["locked"].tolist() == [
        "locked",
        1,
        "mlp",
        "RSI(14), ROC(5), close / SMA(20) - 1",
        "ROC(5), ROC(1)",
    ]
    assert table.loc["another", "status"] == "draft"
    assert dl.models(store / "nowhere").empty


def test_a_model_whose_run_is_alive_is_running(model: dl.Model, two_stocks: dl.DataSet) -> None:
    run = model.train(two_stocks, options=dl.TrainingOptions(epochs=1))
    ModelFolder(model.store, "small").begin_training(model.definition, run.name)
    assert model.status == "trained"
    with FileLock(model.store / ".locks" / f"run-{run.name}.lock"):
        assert model.status == "running"
        with pytest.raises(dl.DLPluginError) as error:
            model.train(two_stocks)
        assert str(error.value) == (
            f"model 'small' is being trained already, by run {run.name}; wait for it, or: "
            f"dlplugin stop {run.name} --store {model.store}"
        )
        with pytest.raises(StoreError) as error:
            model.lock()
        assert str(error.value) == "cannot lock: model 'small' is being trained; wait until it ends"
        with pytest.raises(StoreError) as error:
            model.delete()
        assert str(error.value) == "model 'small' is being trained; stop the training first"
    assert model.status == "trained"


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("lokced", "no model 'lokced' in the store {store}; did you mean 'locked'?"),
        ("other", "no model 'other' in the store {store}; there are: locked"),
        ("locked@2", "no version locked@2; there are: locked@1"),
        ("locked@x", "'locked@x' names no version; write locked@1"),
    ],
)
def test_an_unknown_model_is_answered_with_those_there_are(store: Path, reference: str, message: str) -> None:
    with pytest.raises(UnknownModelError) as error:
        dl.load(reference, store)
    assert str(error.value) == message.format(store=store)


def test_an_empty_store_says_so(tmp_path: Path) -> None:
    with pytest.raises(UnknownModelError) as error:
        dl.load("x", tmp_path)
    assert str(error.value) == f"no model 'x' in the store {tmp_path}; it is empty"


def test_a_changed_missing_or_added_file_of_a_locked_model_is_noticed(store: Path, locked: dl.Model) -> None:
    folder = store / "locked" / "versions" / "1"
    for path in sorted(folder.iterdir()):
        content = path.read_bytes()
        changed = bytearray(content)
        changed[len(changed) // 2] ^= 1
        path.write_bytes(changed)
        with pytest.raises(DamagedModelError):
            dl.load("locked@1", store)
        path.unlink()
        with pytest.raises(DamagedModelError, match="is missing"):
            dl.load("locked@1", store)
        path.write_bytes(content)
    (folder / "more.txt").write_text("x")
    with pytest.raises(DamagedModelError) as error:
        dl.load("locked@1", store)
    assert str(error.value) == f"{folder / 'more.txt'} does not belong there"
    (folder / "more.txt").unlink()
    assert dl.load("locked@1", store).status == "locked"


def test_locking_needs_an_out_of_sample_evaluation_or_force(model: dl.Model, two_stocks: dl.DataSet) -> None:
    with pytest.raises(StoreError) as error:
        model.lock()
    assert str(error.value) == "cannot lock: model 'small' is a draft; train it first"
    model.train(two_stocks, split=dl.Split(0.8, 0.0), options=dl.TrainingOptions(epochs=2))
    with pytest.raises(StoreError) as error:
        model.lock()
    assert str(error.value) == (
        "model 'small' has no out-of-sample evaluation; train with an out-of-sample span, or lock(force=True)"
    )
    model.lock(force=True, note="on purpose")
    about = json.loads((model.store / "small" / "versions" / "1" / "lock.json").read_text())
    assert (about["forced"], about["note"], about["type"]) == (True, "on purpose", "Deep Learning")


def test_a_model_that_is_not_locked_cannot_be_unlocked(model: dl.Model) -> None:
    model.save()
    with pytest.raises(StoreError) as error:
        model.unlock()
    assert str(error.value) == "model 'small' is not locked, but draft"


def test_the_store_can_be_named_by_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, describe
) -> None:
    monkeypatch.setenv("DLPLUGIN_STORE", str(tmp_path / "named"))
    describe(None).save()
    assert (tmp_path / "named" / "small" / "definition.json").is_file()


def test_a_write_that_fails_leaves_the_old_file_and_no_rest(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    target = tmp_path / "a.json"
    write_file(target, b"old")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(folders.os, "fsync", full)
    with pytest.raises(StoreError) as error:
        write_file(target, b"new")
    assert str(error.value) == f"cannot write {target}: No space left on device"
    with pytest.raises(StoreError):
        write_folder(tmp_path / "folder", {"x": b"1"})
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]
    assert target.read_bytes() == b"old"


def test_a_store_that_cannot_be_written_can_be_read_and_says_so(
    store: Path, locked: dl.Model, two_stocks
) -> None:
    bars = two_stocks["IBM"].iloc[:300]

    def full(*_: object, **__: object) -> None:
        raise OSError(30, "Read-only file system")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("filelock.FileLock.acquire", full)
        assert dl.load("locked", store).predict(bars).equals(locked.predict(bars))
        with pytest.raises(StoreError) as error:
            dl.load("locked", store).unlock()
    assert str(error.value) == f"cannot write {store}: Read-only file system"


def test_one_damaged_model_does_not_hide_the_others(store: Path, describe) -> None:
    describe(store, "whole").save()
    (store / "locked" / "versions" / "1" / "definition.json").write_text("{")
    assert dl.models(store)["status"].to_dict() == {"locked": "damaged", "whole": "draft"}


def test_an_earlier_version_is_not_what_unlocking_makes_a_draft_of(
    store: Path, locked: dl.Model, two_stocks
) -> None:
    model = again(store, locked)
    model.unlock()
    model.train(two_stocks, options=dl.TrainingOptions(epochs=1))
    model.lock()
    with pytest.raises(StoreError) as error:
        dl.load("locked@1", store).unlock()
    assert str(error.value) == (
        "locked@1 is not the newest version of 'locked'; unlock() makes a draft of locked@2: dl.load('locked').unlock()"
    )
    dl.load("locked@2", store).unlock()
    assert model.status == "draft"


def test_what_is_no_path_and_no_name_is_refused(describe) -> None:
    with pytest.raises(StoreError) as error:
        describe(5)
    assert str(error.value) == "store is 5, but must be a folder's path"
    with pytest.raises(UnknownModelError) as error:
        dl.load(None)  # type: ignore[arg-type]
    assert str(error.value) == "a model is loaded by its name, not by None"


@pytest.mark.parametrize("name", ["../other/x", "a/b", ".hidden", ""])
def test_no_name_leads_out_of_the_store(store: Path, name: str) -> None:
    with pytest.raises(UnknownModelError) as error:
        dl.load(name, store)
    assert str(error.value) == f"{name!r} is no model's name: letters, digits, '.', '-' and '_' only"
    with pytest.raises(UnknownModelError):
        dl.load_run(name, store)


def test_a_copied_folder_does_not_answer_under_another_name(store: Path, locked: dl.Model) -> None:
    shutil.copytree(store / "locked", store / "copy")
    with pytest.raises(DamagedModelError) as error:
        dl.load("copy", store)
    assert str(error.value) == (
        f"{store / 'copy'} holds model 'locked'; a model's folder has its name, so rename it back"
    )


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("after_version", "1", "has no 'after_version' that could be read"),
        ("run", 5, "has no 'run' that could be read"),
        ("type", None, "has no 'type' that could be read"),
        ("format", 99, "has format 99, but this dlplugin reads 1; update it"),
    ],
)
def test_a_damaged_or_newer_draft_is_told_and_can_be_deleted(
    model: dl.Model, key: str, value: object, message: str
) -> None:
    model.save()
    path = model.store / "small" / "definition.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {key: value}))
    with pytest.raises(DamagedModelError) as error:
        dl.load("small", model.store)
    assert str(error.value) == f"{path} {message}"
    model.delete()
    assert not path.exists()


def test_a_version_is_not_the_draft_that_came_after_it(
    store: Path, locked: dl.Model, two_stocks: dl.DataSet
) -> None:
    again(store, locked).unlock()
    version = dl.load("locked@1", store)
    for verb, change in {
        "train": lambda: version.train(two_stocks),
        "save": version.save,
        "lock": version.lock,
    }.items():
        with pytest.raises(LockedModelError) as error:
            change()
        assert (
            str(error.value)
            == f"locked@1 is locked for good; {verb} the draft: dl.load('locked').{verb}(...)"
        )


def test_readers_meet_no_half_locked_model(store: Path, locked: dl.Model) -> None:
    model, stop, met = again(store, locked), threading.Event(), []

    def read() -> None:
        while not stop.is_set():
            try:
                met.append(dl.load("locked", store).status)
            except Exception as error:
                met.append(repr(error))

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    draft = store / "locked" / "definition.json"
    for number in range(2, 12):
        model.unlock()
        # what lock() does last: the version appears whole, then the draft goes
        shutil.copytree(store / "locked" / "versions" / "1", store / "locked" / f".{number}")
        (store / "locked" / f".{number}").rename(store / "locked" / "versions" / str(number))
        draft.unlink()
    stop.set()
    for reader in readers:
        reader.join()
    assert set(met) <= {"draft", "locked"}
    assert len(met) > 20


def test_those_who_only_look_do_not_take_each_other_for_a_training(
    model: dl.Model, two_stocks: dl.DataSet
) -> None:
    run = model.train(two_stocks, options=dl.TrainingOptions(epochs=1))
    ModelFolder(model.store, "small").begin_training(model.definition, run.name)
    met: list[str] = []
    lookers = [threading.Thread(target=lambda: met.extend(model.status for _ in range(60))) for _ in range(3)]
    for looker in lookers:
        looker.start()
    for looker in lookers:
        looker.join()
    assert set(met) == {"trained"}


def test_ctrl_c_while_something_is_written_leaves_no_piece_of_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def pressed(descriptor: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("os.fsync", pressed)
    with pytest.raises(KeyboardInterrupt):
        write_file(tmp_path / "a.json", b"{}")
    with pytest.raises(KeyboardInterrupt):
        write_folder(tmp_path / "run", {"a.json": b"{}", "deep/b.json": b"{}"})
    assert list(tmp_path.iterdir()) == []
