"""`dlplugin runs`, `resume` and `stop`."""

import json
import os
import shutil
import signal
import threading
import time
from pathlib import Path

import pandas as pd
import pytest
from rich.console import Console

import dlplugin as dl
from dlplugin import actions
from dlplugin.cli import run
from dlplugin.cli.run_text import runs_table, runs_text
from dlplugin.store import RunFolder


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory, describe, two_stocks: dl.DataSet) -> Path:
    """Three runs of two models; tests do not change it."""
    root = tmp_path_factory.mktemp("runs") / "models"
    small, other = describe(root), describe(root, "other")
    options = dl.TrainingOptions(epochs=3, learning_rate=0.01, clip_value=2)
    trained = [
        small.train(two_stocks, options=dl.TrainingOptions(epochs=7, batch_size="full")),
        other.train(two_stocks, dl.Split(1.0, 0.0), dl.TrainingOptions(epochs=1, auto_stop=None)),
        small.train(two_stocks, dl.Split(embargo=2), options),
    ]
    for hour, each in enumerate(trained):
        folder = RunFolder.open(root, each.name)
        folder.write_facts(folder.facts | {"started": f"2026-03-01T1{hour}:00:00+00:00"})
    return root


def names(store: Path) -> list[str]:
    """The three runs, oldest first."""
    return list(dl.runs(store)["run"])[::-1]


def test_runs_are_compared_newest_first(store: Path, capsys) -> None:
    assert run(["runs", "--store", str(store)]) == 0
    head, *rows = capsys.readouterr().out.splitlines()
    assert head.split() == "run model engine started epochs batch best in out corr. hits status".split()
    first, second, third = names(store)
    assert [row.split()[:3] for row in rows] == [
        [third, "small", "mlp"],
        [second, "other", "mlp"],
        [first, "small", "mlp"],
    ]
    newest = dl.load_run(third, store)
    best = newest.history.iloc[newest.best_epoch - 1]
    model = dl.load("small", store).evaluation.scores()[1].by_rule["model"]
    assert rows[0].split()[5:12] == [
        "3", "256", str(newest.best_epoch), f"{best['in_sample_loss']:.4f}", f"{best['out_of_sample_loss']:.4f}",
        f"{model.correlation:.3f}", f"{model.hit_rate:.1%}",
    ]  # fmt: skip
    assert "  finished, all 3 e" in rows[0]
    assert rows[1].split()[9:12] == ["–", "–", "–"]
    assert rows[2].split()[5:7] == ["7", "full"]


@pytest.mark.parametrize("width", [120, 80, 60])
def test_the_comparison_fits_and_no_figure_is_cut(width: int, store: Path) -> None:
    table = actions.runs(store=store)
    table["model"], table["stop_reason"] = "a-model-of-mine-too", "no better out-of-sample loss for 50 epochs"
    table["run"] = ["subtle-sandpiper-99", "brisk-heron-1", "shy-owl-1"]
    console = Console(width=width, force_terminal=True, color_system=None)
    with console.capture() as capture:
        console.print(runs_table(table, width))
    printed = capture.get()
    assert max(len(line.rstrip()) for line in printed.splitlines()) <= width
    for whole in (*table["run"], *(f"{loss:.4f}" for loss in table["in_sample_loss"])):
        assert whole in printed.split()
    heads = printed.split("\n")[0].split()
    assert ("engine" in heads, "corr." in heads, "best" in heads) == (False, width > 100, True)


def test_plain_lines_fit_120_columns(store: Path) -> None:
    table = actions.runs(store=store)
    table["model"], table["stop_reason"] = "a-model-of-mine-too", "no better out-of-sample loss for 50 epochs"
    head, *rows = runs_text(table).splitlines()
    assert max(map(len, rows)) == 120
    assert all("  a-model-of-mine…  " in row and row.endswith("…") for row in rows)
    assert head.endswith("status")


def test_runs_can_be_those_of_one_model_and_json(store: Path, capsys) -> None:
    assert run(["runs", "--model", "other", "--store", str(store), "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert list(row) == list(actions.runs(store=store).columns)
    assert (row["run"], row["epochs"], row["out_of_sample_loss"]) == (names(store)[1], 1, None)
    assert row["in_sample_loss"] == dl.load_run(row["run"], store).history.loc[0, "in_sample_loss"]


def test_without_runs_it_says_so(tmp_path: Path, capsys) -> None:
    assert run(["runs", "--store", str(tmp_path / "none")]) == 0
    assert capsys.readouterr().out == f"no runs in {tmp_path / 'none'}\n"
    assert run(["runs", "--store", str(tmp_path / "none"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == []


def test_show_tells_everything_about_a_run(store: Path, capsys) -> None:
    name = names(store)[-1]
    assert run(["runs", "show", name, "--store", str(store)]) == 0
    shown = capsys.readouterr().out
    trained = dl.load_run(name, store)
    head, facts, options, split, history, *diagnosis = shown.strip().split("\n\n")
    best = trained.history.iloc[trained.best_epoch - 1]
    assert head.splitlines() == [
        f"run {name} of small: finished, all 3 epochs done",
        f"best epoch {trained.best_epoch} of 3: in-sample loss {best['in_sample_loss']:.4f}, "
        f"out-of-sample loss {best['out_of_sample_loss']:.4f}",
    ]
    counts = trained.counts
    for line in (
        "inputs         RSI(14) × 3, ROC(5) × 2, close / SMA(20) - 1",
        "outputs        ROC(5), 5 ahead, ROC(1), 1 ahead",
        "engine         mlp (activation relu, dropout 0.1, hidden [8], normalisation none)",
        "data           us-stocks (2 of 11), 1d: AAPL, IBM",
        f"in-sample      2004-01-02 … 2009-06-30, {counts['in-sample'].samples:,} samples, "
        f"{counts['in-sample'].purged} purged",
        f"folder         {trained.path}",
    ):
        assert f"  {line}" in facts
    assert options == "options\n  epochs         3\n  learning_rate  0.01\n  clip_value     2.0"
    assert split == "split\n  embargo  2"
    assert [int(line.split()[0]) for line in history.splitlines()[1:4]] == [1, 2, 3]
    assert history.splitlines()[4] == (
        f"the save point moved in epoch {', '.join(map(str, trained.save_points))}"
    )
    assert "\n\n".join(diagnosis) == str(trained.diagnosis())


def test_a_models_name_is_its_newest_run_and_json_holds_all(store: Path, capsys) -> None:
    assert run(["runs", "show", "small", "--store", str(store), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    trained = dl.load_run(names(store)[-1], store)
    assert facts["run"] == trained.name
    assert {key: facts[key] for key in trained.facts} == trained.facts
    assert pd.DataFrame(facts["history"]).equals(trained.history)
    assert facts["save_points"] == trained.save_points
    assert len(facts["diagnosis"]) == len(trained.diagnosis().findings)


def test_damaged_runs_do_not_hide_the_others(store: Path, tmp_path: Path, capsys) -> None:
    copy = tmp_path / "models"
    shutil.copytree(store, copy)
    first, second, third = names(store)
    (copy / ".runs" / third / "run.json").write_text("{")
    (copy / ".runs" / first / "evaluation.json").write_text("{}")
    (copy / ".runs" / second / "evaluation.json").unlink()
    at = ["--store", str(copy)]
    assert run(["runs", *at]) == 0
    rows = {line.split()[0]: line.split() for line in capsys.readouterr().out.splitlines()[1:]}
    assert rows[third] == [third, *["–"] * 8, "damaged"]
    assert [rows[name][1] for name in (first, second)] == ["small", "other"]
    assert run(["runs", "show", third, *at]) == 2
    assert capsys.readouterr().err.startswith(
        f"dlplugin: {copy / '.runs' / third / 'run.json'} cannot be read: "
    )
    assert run(["runs", "show", "small", *at]) == 0
    assert capsys.readouterr().out.startswith(f"run {first} of small: ")


@pytest.mark.parametrize("arguments", [["resume"], ["stop"], ["runs", "show"]])
def test_an_unknown_name_gets_a_hint(arguments: list[str], store: Path, capsys) -> None:
    at = ["--store", str(store)]
    assert run([*arguments, "smal", *at]) == 2
    assert capsys.readouterr().err == (
        "dlplugin: no run and no model with runs is called 'smal'; did you mean 'small'?\n"
    )
    assert run([*arguments, "zzz", *at]) == 2
    assert capsys.readouterr().err == (
        "dlplugin: no run and no model with runs is called 'zzz'; list them with: dlplugin runs\n"
    )
    assert run([*arguments, "zzz", "--store", str(store / "none")]) == 2
    assert capsys.readouterr().err == (
        "dlplugin: no run and no model with runs is called 'zzz'; there are no runs yet\n"
    )


def test_what_cannot_be_done_is_said_in_one_line(store: Path, capsys) -> None:
    name, at = names(store)[-1], ["--store", str(store)]
    assert run(["stop", "small", *at]) == 2
    assert capsys.readouterr().err == (
        f"dlplugin: run {name} is not running, but finished; see: dlplugin runs show {name}\n"
    )
    assert run(["resume", "small", *at]) == 2
    assert capsys.readouterr().err.startswith(f"dlplugin: run {name} is finished: all 3 epochs done; ")
    assert run(["runs", "--model", "smal", *at]) == 2
    assert capsys.readouterr().err == "dlplugin: no run of a model 'smal'; did you mean 'small'?\n"


def test_a_run_in_the_background_is_watched_stopped_and_resumed(file, capsys) -> None:
    assert run(["train", file(), "--epochs", "none", "--auto-stop", "none", "--background"]) == 0
    name = dl.runs().loc[0, "run"]
    assert capsys.readouterr().out == (
        f"run {name} trains us-5d in a process of its own\n"
        f"watch it with: dlplugin runs show {name}\n"
        f"stop it with: dlplugin stop {name}\n"
    )
    training = dl.load_run(name)
    while not len(training.history):
        assert training.status == "running"
        time.sleep(0.05)
    assert run(["runs", "show", "us-5d"]) == 0
    assert capsys.readouterr().out.startswith(f"run {name} of us-5d: running\nepoch ")
    assert run(["stop", "us-5d"]) == 0
    assert training.status == "stopped"
    assert capsys.readouterr().out == (
        f"run {name} of us-5d has stopped; go on with: dlplugin resume {name}\n"
    )
    assert run(["stop", name]) == 2
    assert "is not running, but stopped" in capsys.readouterr().err


@pytest.mark.parametrize("verb", ["train", "resume"])
def test_the_background_is_asked_for_where_it_is_wanted(verb: str, file, monkeypatch, capsys) -> None:
    assert run(["train", file(), "--epochs", "1"]) == 0
    trained = dl.load_run(dl.runs().loc[0, "run"])
    asked = []

    def note(*_: object, **given: object) -> dl.Run:
        asked.append(given.get("background", "started"))
        return trained

    monkeypatch.setattr(dl.Run, "resume", note)
    monkeypatch.setattr(dl.Model, "start", note)
    monkeypatch.setattr(dl.Model, "train", None)
    assert run([verb, "us-5d", "--background"]) == 0
    assert asked == ["started" if verb == "train" else True]


def test_ctrl_c_keeps_the_run_and_resume_goes_on(file, capsys) -> None:
    def epochs() -> int:
        return len(dl.load_run(dl.runs().loc[0, "run"]).history) if len(dl.runs()) else 0

    def press_ctrl_c_after(known: int) -> None:
        while epochs() <= known:
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    def trained(*arguments: str) -> str:
        finger = threading.Thread(target=press_ctrl_c_after, args=(epochs(),))
        finger.start()
        assert run(list(arguments)) == 130
        finger.join()
        return str(capsys.readouterr().out)

    printed = trained("train", file(), "--epochs", "100000", "--auto-stop", "none")
    stopped = dl.load_run(dl.runs().loc[0, "run"])
    assert (stopped.status, stopped.stop_reason) == ("stopped", "stopped by Ctrl-C")
    assert printed.startswith(f"run {stopped.name} of us-5d: stopped by Ctrl-C\nbest epoch ")
    assert printed.endswith(f"go on with: dlplugin resume {stopped.name}\n")
    done = stopped.facts["epochs"]
    again = trained("resume", "us-5d")
    assert again.startswith(f"run {stopped.name} of us-5d: stopped by Ctrl-C\n")
    assert stopped.facts["epochs"] >= done
    assert len(dl.runs()) == 1
