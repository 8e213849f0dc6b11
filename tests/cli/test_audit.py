"""`dlplugin audit`."""

import json
import shutil
from pathlib import Path

import pytest

import dlplugin as dl
from dlplugin import actions
from dlplugin.cli import run
from dlplugin.evaluation.audit import Check


def test_an_honest_model_is_exit_code_0(locked: dl.Model, capsys) -> None:
    assert run(["audit", "locked@1", "--store", str(locked.store), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["model"], told["dataset"], told["passed"]) == ("locked@1", "us-stocks (2 of 11)", True)


@pytest.mark.parametrize("kind", ["leak", "alarm"])
def test_a_leak_and_an_alarm_are_exit_code_1(kind: str, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    found = dl.Audit("m", "d", (Check("inputs", False, "seen", "0", kind),), 1.0)  # type: ignore[arg-type]
    monkeypatch.setattr(actions, "audit", lambda *_: found)
    assert run(["audit", "m"]) == 1
    assert capsys.readouterr().out == f"{found}\n"


def test_an_unknown_model_is_exit_code_2(locked: dl.Model, capsys) -> None:
    assert run(["audit", "lockd", "--store", str(locked.store)]) == 2
    assert capsys.readouterr().err.startswith("dlplugin: no model 'lockd' in ")


def test_a_draft_without_data_is_exit_code_2(tmp_path: Path, capsys) -> None:
    dl.Model("idea", ["RSI(14)"], [dl.Output("ROC(1)", look_ahead=1)], store=tmp_path).save()
    assert run(["audit", "idea", "--store", str(tmp_path)]) == 2
    assert capsys.readouterr().err == (
        "dlplugin: model 'idea' is not trained, and so names no data; name them with --data\n"
    )


def test_data_that_are_not_bundled_are_asked_for(locked: dl.Model, tmp_path: Path, capsys) -> None:
    store = tmp_path / "models"
    shutil.copytree(locked.store, store)
    model = dl.load("locked", store)
    model.unlock()
    frames = {"AAPL": dl.DataSet.bundled("us-stocks")["AAPL"].iloc[:600]}
    model.train(dl.DataSet.from_frames("mine", frames), options=dl.TrainingOptions(epochs=1))
    capsys.readouterr()
    assert run(["audit", "locked", "--store", str(store)]) == 2
    assert capsys.readouterr().err == (
        "dlplugin: model 'locked' was trained on 'mine', frames in memory; name them with --data\n"
    )
