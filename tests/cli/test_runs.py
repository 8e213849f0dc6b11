"""`dlplugin runs`, `resume` and `stop`."""

import json
import os
import re
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
from dlplugin.cli.run_text import losses_text, run_text
from dlplugin.cli.runs_table import PREDICTS, runs_table, runs_text
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
    assert re.split("  +", head) == [
        "run", "model", "engine", "data", "validation", "started (UTC)", "epochs", "batch", "best", "in", "out",
        "corr.", "hits", "status",
    ]  # fmt: skip
    first, second, third = names(store)
    told = [re.split("  +", row) for row in rows]
    data = "us-stocks (2 of 11)"
    assert [row[:6] for row in told] == [
        [third, "small", "mlp", data, "dates", "2026-03-01 12:00"],
        [second, "other", "mlp", data, "–", "2026-03-01 11:00"],
        [first, "small", "mlp", data, "dates", "2026-03-01 10:00"],
    ]
    newest = dl.load_run(third, store)
    best = newest.history.iloc[newest.best_epoch - 1]
    model = dl.load("small", store).evaluation.scores()[1].by_rule["model"]
    assert told[0][6:] == [
        "3", "256", str(newest.best_epoch), f"{best['in_sample_loss']:.4f}", f"{best['out_of_sample_loss']:.4f}",
        f"{model.correlation:.3f}", f"{model.hit_rate:.1%}", "finished, predicts; all 3 epochs done",
    ]  # fmt: skip
    assert told[1][10:] == ["–", "–", "–", "finished, predicts; its 1 epoch is done"]
    assert told[2][6:8] == ["7", "full"]
    assert told[2][-1] == "finished, all 7 epochs done"


@pytest.mark.parametrize("width", [200, 120, 80, 60])
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
    assert [name for name in ("data", "engine", "validation", "corr.", "best") if name in heads] == {
        200: ["data", "engine", "validation", "corr.", "best"],
        120: ["corr.", "best"],
        80: ["best"],
        60: ["best"],
    }[width]


def test_a_column_that_tells_runs_apart_stays_longer_than_one_that_does_not(store: Path) -> None:
    table = actions.runs(store=store)
    table["model"], table["batch_size"], table["validation"] = "m", 256, "dates"

    def heads(width: int) -> list[str]:
        return [str(column.header) for column in runs_table(table, width).columns]

    assert ("data" in heads(120), "batch" in heads(120)) == (False, True)
    table["data"] = ["us-stocks", "sp500", "eurusd-1h"]
    assert ("data" in heads(120), "validation" in heads(120)) == (True, False)


def test_plain_lines_leave_nothing_out(store: Path) -> None:
    table = actions.runs(store=store)
    table["model"], table["stop_reason"] = "a-model-of-mine-too", "a reason that is long " * 9
    _, *rows = runs_text(table).splitlines()
    assert all(
        "  a-model-of-mine-too  " in row and row.endswith(("a reason that is long " * 9).rstrip())
        for row in rows
    )


def test_in_a_terminal_the_mark_is_explained(store: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    monkeypatch.setattr("rich.console.Console.is_terminal", True)
    monkeypatch.setenv("COLUMNS", "160")
    assert run(["runs", "--store", str(store)]) == 0
    assert PREDICTS in capsys.readouterr().out


def test_runs_can_be_those_of_one_model_and_json(store: Path, capsys) -> None:
    assert run(["runs", "--model", "other", "--store", str(store), "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert list(row) == list(actions.runs(store=store).columns) == list(dl.runs(store).columns)
    assert (row["data"], row["validation"], row["predicts"]) == ("us-stocks (2 of 11)", None, True)
    assert row["started"] == "2026-03-01T11:00:00+00:00"
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
        "started        2026-03-01 12:00 UTC",
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


def test_a_run_that_goes_on_meanwhile_can_be_shown(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trained = dl.load_run(names(store)[-1], store)
    grown = trained.history
    seen = iter([grown.iloc[:0], grown])  # before and after the save points are read

    with monkeypatch.context() as patch:
        patch.setattr(RunFolder, "history", property(lambda _: next(seen)))
        patch.setattr(RunFolder, "saved_epochs", property(lambda folder: [3 + len(folder.history)]))
        patch.setattr(RunFolder, "facts", trained.facts | {"save_point": None})
        assert losses_text(trained).startswith("best epoch 3 of 3: in-sample loss ")
    monkeypatch.setattr(RunFolder, "saved_epochs", [4])  # of an epoch that a stop has taken back
    assert losses_text(trained).startswith("epoch 3: in-sample loss ")


def test_show_fits_the_terminal_and_breaks_no_word(
    store: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    monkeypatch.setattr("rich.console.Console.is_terminal", True)
    monkeypatch.setenv("COLUMNS", "80")
    trained = dl.load_run(names(store)[0], store)
    assert run(["runs", "show", trained.name, "--store", str(store)]) == 0
    shown = capsys.readouterr().out
    assert shown == f"{run_text(trained, 80)}\n"
    lines = [line for line in shown.splitlines() if str(store) not in line]
    assert max(map(len, lines)) <= 80
    assert shown.split() == run_text(trained).split()
    inputs, more = re.findall(r"  inputs         (.*)\n {17}(\S.*)", run_text(trained, 60))[0]
    assert f"{inputs} {more}" == "RSI(14) × 3, ROC(5) × 2, close / SMA(20) - 1"


def test_the_epoch_whose_weights_are_kept_is_shown_with_the_last_ones(
    store: Path, capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained = dl.load_run(names(store)[-1], store)
    history = trained.history
    monkeypatch.setattr("dlplugin.cli.run_text.LAST_EPOCHS", 1)
    for kept in (1, 3):
        monkeypatch.setattr(RunFolder, "saved_epochs", property(lambda _, kept=kept: [kept]))
        assert run(["runs", "show", trained.name, "--store", str(store)]) == 0
        rows = capsys.readouterr().out.strip().split("\n\n")[4].splitlines()[1:-1]
        assert [int(row.split()[0]) for row in rows] == sorted({kept, len(history)})


def test_columns_of_the_history_go_where_there_is_no_room(file) -> None:
    text = Path(file()).read_text().replace("look_ahead: 5}", "look_ahead: 5, classes: [0]}")
    Path("us-5d.yaml").write_text(text)
    assert run(["train", "us-5d.yaml", "--epochs", "2"]) == 0
    trained = dl.load_run(dl.runs().loc[0, "run"])

    def columns(width: int | None) -> list[str]:
        (head,) = (line for line in run_text(trained, width).splitlines() if "in_sample_loss" in line)
        return head.split()

    assert columns(None) == list(trained.history.columns)
    assert columns(80) == [
        "epoch", "in_sample_loss", "out_of_sample_loss", "out_of_sample_accuracy",
    ]  # fmt: skip
    assert columns(60) == ["epoch", "in_sample_loss", "out_of_sample_loss"]


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
    assert rows[third] == [third, *["–"] * 10, "damaged,", "predicts"]
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


def test_a_model_predicts_with_the_run_that_is_chosen(store: Path, tmp_path: Path, capsys) -> None:
    copy = tmp_path / "models"
    shutil.copytree(store, copy)
    first, second, third = names(store)
    at = ["--store", str(copy)]

    def predicting() -> list[str]:
        table = dl.runs(copy)
        return sorted(table.loc[table["predicts"], "run"])

    assert predicting() == sorted([second, third])
    assert run(["use", first, *at]) == 0
    chosen = dl.load_run(first, copy)
    best = chosen.history.set_index("epoch").loc[chosen.best_epoch]
    assert capsys.readouterr().out == (
        f"small predicts with run {first}\nbest epoch {chosen.best_epoch} of 7: in-sample loss "
        f"{best['in_sample_loss']:.4f}, out-of-sample loss {best['out_of_sample_loss']:.4f}\n"
    )
    assert predicting() == sorted([first, second])
    assert dl.load("small", copy).best_epoch == chosen.best_epoch
    assert run(["use", third, *at, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["run"] == third
    assert predicting() == sorted([second, third])
    assert run(["use", "small", *at]) == 2
    assert capsys.readouterr().err == (
        f"dlplugin: no run 'small' in {copy / '.runs'}: 'small' is a model; its newest run is {third}: "
        f"dl.load_run({third!r}, store={str(copy)!r})\n"
    )
    dl.load("small", copy).lock()
    assert predicting() == sorted([second, third]), "a locked model predicts with what was locked"
    assert run(["use", first, *at]) == 2
    assert capsys.readouterr().err.startswith("dlplugin: model 'small' is locked since ")


@pytest.mark.slow
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
    shown = capsys.readouterr().out
    assert re.match(
        rf"run {name} of us-5d: running\nbest epoch \d+ of \d+ so far: in-sample loss \d\.\d{{4}}, "
        r"out-of-sample loss \d\.\d{4}\n",
        shown,
    )
    assert shown.endswith("\n\nthe network itself was not looked at: the run still runs\n")
    assert run(["stop", "us-5d"]) == 0
    assert training.status == "stopped"
    best = training.history.set_index("epoch").loc[training.best_epoch]
    told = (
        f"best epoch {training.best_epoch} of {training.facts['epochs']}: in-sample loss "
        f"{best['in_sample_loss']:.4f}, out-of-sample loss {best['out_of_sample_loss']:.4f}\n"
    )
    assert capsys.readouterr().out == (
        f"run {name} of us-5d has stopped after epoch {training.facts['epochs']}\n{told}"
        f"go on with: dlplugin resume {name}\n"
    )
    assert run(["runs", "show", name]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith(f"run {name} of us-5d: stopped by request\n{told}")
    assert shown.endswith(f"\n\ngo on with: dlplugin resume {name}\n")
    folder = RunFolder.open(Path("models"), name)
    facts = folder.facts | {"status": "running"}
    folder.write_facts({each: value for each, value in facts.items() if each not in ("save_point", "probe")})
    assert run(["runs", "show", name]) == 0
    shown = capsys.readouterr().out
    assert re.match(rf"run {name} of us-5d: interrupted.*\nbest epoch {training.save_points[-1]} of ", shown)
    assert shown.endswith(
        "the network itself was not looked at: the run was cut off before its end\n\n"
        f"go on with: dlplugin resume {name}\n"
    )
    folder.write_facts(facts | {"status": "stopped"})
    assert run(["stop", name]) == 2
    assert "is not running, but stopped" in capsys.readouterr().err


def test_the_background_is_asked_for_where_it_is_wanted(file, monkeypatch) -> None:
    asked: list[str] = []
    for place in ("dlplugin.training", "dlplugin.training.run"):
        monkeypatch.setattr(f"{place}.train_in_background", lambda folder: asked.append(folder.name))
    assert run(["train", file(), "--background"]) == 0
    assert run(["resume", "us-5d", "--background"]) == 0
    assert asked == [dl.runs().loc[0, "run"]] * 2


def test_a_second_ctrl_c_keeps_what_has_begun_and_nothing_else(file, monkeypatch, capsys) -> None:
    def press_twice(folder: RunFolder, *_: object) -> None:
        if begun:
            folder.note("begins", epoch=0)
            folder.write_facts(folder.facts | {"status": "stopped", "stop_reason": "stopped by Ctrl-C"})
        raise KeyboardInterrupt

    monkeypatch.setattr("dlplugin.training.execute", press_twice)
    begun = False
    assert run(["train", file()]) == 130
    assert (capsys.readouterr().err, len(dl.runs())) == ("dlplugin: stopped\n", 0)
    begun = True
    assert run(["train", file()]) == 130
    name = dl.runs().loc[0, "run"]
    assert tuple(capsys.readouterr()) == (
        f"run {name} of us-5d: stopped by Ctrl-C\nno epoch was done\nlook at it with: dlplugin runs show {name}\n"
        f"go on with: dlplugin resume {name}\n",
        "",
    )


@pytest.mark.parametrize(
    ("number", "word", "code"), [(signal.SIGINT, "Ctrl-C", 130), (signal.SIGTERM, "SIGTERM", 143)]
)
def test_a_signal_keeps_the_run_and_says_so_once(number: int, word: str, code: int, file, capsys) -> None:
    def epochs() -> int:
        return len(dl.load_run(dl.runs().loc[0, "run"]).history) if len(dl.runs()) else 0

    def signal_after(known: int) -> None:
        while epochs() <= known:
            time.sleep(0.01)
        os.kill(os.getpid(), number)

    def trained(*arguments: str) -> str:
        finger = threading.Thread(target=signal_after, args=(epochs(),))
        finger.start()
        assert run(list(arguments)) == code
        finger.join()
        printed = capsys.readouterr()
        assert "stopped" not in printed.err
        return str(printed.out)

    printed = trained("train", file(), "--epochs", "100000", "--auto-stop", "none")
    stopped = dl.load_run(dl.runs().loc[0, "run"])
    assert (stopped.status, stopped.stop_reason) == ("stopped", f"stopped by {word}")
    assert printed.startswith(f"run {stopped.name} of us-5d: stopped by {word}\nbest epoch ")
    assert printed.count("stopped by") == printed.count(stopped.name) - 2 == 1
    assert printed.endswith(f"go on with: dlplugin resume {stopped.name}\n")
    done = stopped.facts["epochs"]
    again = trained("resume", "us-5d")
    assert again.startswith(f"run {stopped.name} of us-5d: stopped by {word}\n")
    assert stopped.facts["epochs"] >= done
    assert len(dl.runs()) == 1
