"""Versions, runs and definitions: which one a name reads, and that what it reads is whole."""

import json
import shutil
from pathlib import Path

import pytest

import dlplugin as dl
from dlplugin.errors import DamagedModelError, PredictionError
from dlplugin.store import HistoryFile, ModelFolder, RunFolder


@pytest.fixture
def store(locked: dl.Model, tmp_path: Path) -> Path:
    """A copy of the store with the locked model, to be changed."""
    shutil.copytree(locked.store, tmp_path / "models")
    return tmp_path / "models"


@pytest.mark.parametrize(("name", "key"), [("evaluation.json", "evaluation"), ("history.json", "history")])
def test_a_changed_evaluation_or_history_of_a_locked_version_is_noticed_when_it_is_read(
    store: Path, name: str, key: str
) -> None:
    model = dl.load("locked@1", store)
    path = store / "locked" / "versions" / "1" / name
    whole = path.read_bytes()
    getattr(model, key)
    digit = next(place for place in range(len(whole) // 2, len(whole)) if whole[place : place + 1] in b"1234")
    path.write_bytes(whole[:digit] + b"5" + whole[digit + 1 :])
    assert isinstance(json.loads(path.read_bytes()), dict)
    with pytest.raises(DamagedModelError, match=name):
        getattr(model, key)
    path.write_bytes(whole)
    getattr(model, key)


def test_version_ten_is_newer_than_version_nine(store: Path, two_stocks: dl.DataSet) -> None:
    bars = two_stocks["IBM"]
    model = dl.load("locked", store)
    nine = model.predict(bars)
    model.unlock()
    model.train(two_stocks, options=dl.TrainingOptions(epochs=1, seed=1))
    ten = model.lock().predict(bars)
    assert not ten.equals(nine)
    versions = store / "locked" / "versions"
    (versions / "2").rename(versions / "10")
    shutil.copytree(versions / "1", versions / "9")
    assert ModelFolder(store, "locked").versions == (1, 9, 10)
    newest = dl.load("locked", store)
    assert newest.reference == "locked@10"
    assert newest.predict(bars).equals(ten)
    assert dl.load("locked@9", store).predict(bars).equals(nine)
    newest.unlock()
    newest.train(two_stocks, options=dl.TrainingOptions(epochs=1))
    assert newest.lock().reference == "locked@11"


@pytest.mark.parametrize("lost", [1, 4, 20])
def test_an_epoch_whose_line_was_cut_off_is_not_read(tmp_path: Path, lost: int) -> None:
    run = RunFolder.create(tmp_path, {"status": "running"}, {"history.csv": HistoryFile.head()})
    rows = [(1, "0.9", "0.95", "0.001", "0.250000", 1), (2, "0.8", "", "0.001", "0.125000", 0)]
    for row in rows:
        run.append_history(row)
    assert run.history["epoch"].tolist() == [1, 2]
    path = run.path / "history.csv"
    path.write_bytes(path.read_bytes()[:-lost])
    assert run.history.to_numpy().tolist() == [[1, 0.9, 0.95, 0.001, 0.25]]


def test_a_model_described_anew_does_not_predict_with_the_run_of_another_definition(
    describe, tmp_path: Path, two_stocks: dl.DataSet
) -> None:
    bars = two_stocks["IBM"]
    trained = describe(tmp_path, inputs=["RSI(14)"])
    trained.train(two_stocks, options=dl.TrainingOptions(epochs=1))
    other = describe(tmp_path, inputs=["RSI(7)"])  # its weights would fit
    assert other.status == "draft"
    with pytest.raises(PredictionError) as error:
        other.predict(bars)
    assert "is stored with other inputs than described here" in str(error.value)
    assert trained.status == "trained"
    other.save()
    assert other.status == dl.load("small", tmp_path).status == "draft"
    with pytest.raises(PredictionError) as error:
        dl.load("small", tmp_path).predict(bars)
    assert str(error.value) == "model 'small' is a draft; train it first"
