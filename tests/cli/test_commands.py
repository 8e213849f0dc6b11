"""The commands: what they print, and the one line and exit code that wrong use gets."""

import json
import subprocess
import sys
import warnings
from pathlib import Path

import pandas as pd
import pytest

import dlplugin as dl
from dlplugin import actions
from dlplugin.cli import run
from dlplugin.evaluation import RULES


def test_help_names_every_command(capsys) -> None:
    assert run(["--help"]) == 0
    printed = capsys.readouterr().out
    for command in (
        "demo",
        "engines",
        "indicators",
        "join",
        "models",
        "report",
        "resume",
        "runs",
        "stop",
        "train",
        "unlock",
        "use",
    ):
        assert command in printed
    assert run(["--version"]) == 0
    assert capsys.readouterr().out.strip() == dl.__version__


def test_indicators_lists_all_and_explains_one(capsys) -> None:
    assert run(["indicators"]) == 0
    printed = capsys.readouterr().out
    assert "\nMomentum Indicators\n" in printed
    assert "  RSI " in printed
    assert run(["indicators", "BBANDS"]) == 0
    explained = capsys.readouterr().out
    assert "BBANDS(close, timeperiod=20, nbdevup=2, nbdevdn=2, matype=SMA)" in explained
    assert "upperband (or upper)" in explained
    assert "19 bars without a value" in explained
    heading = "  BBANDS(close, timeperiod=20, nbdevup=2, nbdevdn=2, matype=SMA).upperband on AAPL, "
    chart = explained[explained.index(heading) :].splitlines()
    assert len(chart) == 7
    assert "█" in chart[-1]


def test_indicators_can_be_one_group_and_json(capsys) -> None:
    assert run(["indicators", "--group", "volatility", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert {fact["group"] for fact in facts} == {"Volatility Indicators"}
    assert run(["indicators", "RSI", "--json"]) == 0
    fact = json.loads(capsys.readouterr().out)
    assert (fact["name"], fact["warm_up"]) == ("RSI", 14)
    assert [parameter["name"] for parameter in fact["parameters"]] == ["timeperiod"]


def test_models_lists_the_store_and_unlock_makes_a_draft(
    describe, tmp_path: Path, two_stocks, capsys
) -> None:
    store = tmp_path / "models"
    assert run(["models", "--store", str(store)]) == 0
    assert capsys.readouterr().out == f"no models in {store}\n"
    model = describe(store)
    model.train(two_stocks, options=dl.TrainingOptions(epochs=1))
    model.lock()
    assert run(["models", "--store", str(store), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["status"] == "locked"
    assert run(["unlock", "small", "--store", str(store)]) == 0
    assert capsys.readouterr().out == "small is a draft again; its locked versions stay and can be loaded\n"
    assert run(["models", "--store", str(store)]) == 0
    assert "draft" in capsys.readouterr().out
    assert run(["unlock", "small", "--store", str(store)]) == 2
    assert capsys.readouterr().err == "dlplugin: model 'small' is not locked, but draft\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["indicators", "RSJ"],
            "unknown indicator 'RSJ'; did you mean 'RSI'? list them with: dlplugin indicators",
        ),
        (["demo", "--symbl", "IBM"], "Unknown option: --symbl. Did you mean --symbol?"),
        (["indicatrs"], 'Unknown command "indicatrs". Did you mean "indicators"?'),
        (
            ["models", "show", "x"],
            "dlplugin models lists all models and takes no 'show x'; a model's newest run is "
            "shown by: dlplugin runs show x\n",
        ),
        (
            ["models", "show"],
            "dlplugin models lists all models and takes no 'show'; a model's newest run is "
            "shown by: dlplugin runs show NAME\n",
        ),
        (["runs", "calm"], "dlplugin runs takes no 'calm'; see: dlplugin runs --help\n"),
        (["unlock"], 'Command "unlock" parameter NAME requires an argument.'),
        (["train"], 'Command "train" parameter WHAT requires an argument.'),
        (["stop"], 'Command "stop" parameter NAME requires an argument.'),
    ],
)
def test_wrong_use_is_one_line_and_exit_code_two(arguments: list[str], message: str, capsys) -> None:
    assert run(arguments) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"dlplugin: {message}")
    assert said.count("\n") == 1


def test_ctrl_c_is_one_line_and_exit_code_130(monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    def press(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(actions, "models", press)
    assert run(["models"]) == 130
    assert capsys.readouterr().err == "dlplugin: stopped\n"


@pytest.mark.filterwarnings("always")
def test_only_our_own_warnings_are_plain_lines(monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    def warn(_: object) -> pd.DataFrame:
        warnings.warn("some\nthing", dl.DLPluginWarning, stacklevel=1)
        warnings.warn("other", UserWarning, stacklevel=1)
        return pd.DataFrame()

    monkeypatch.setattr(actions, "models", warn)
    before = warnings.showwarning
    with warnings.catch_warnings():
        warnings.showwarning = lambda message, *_, **__: print("shown:", message)
        assert run(["models"]) == 0
    assert warnings.showwarning is before
    printed = capsys.readouterr()
    assert printed.err == "warning: some thing\n"
    assert printed.out.startswith("shown: other\n")


def test_the_demo_tells_the_whole_story_and_the_second_time_only_loads(tmp_path: Path, capsys) -> None:
    demo = ["demo", "--out", str(tmp_path / "demo"), "--json"]
    done = subprocess.run(
        [sys.executable, "-m", "dlplugin", *demo], capture_output=True, text=True, check=True
    )
    assert run(demo) == 0
    first, second = (json.loads(out) for out in (done.stdout, capsys.readouterr().out))
    assert (first.pop("trained_now"), second.pop("trained_now")) == (True, False)
    assert first == second
    assert first["model"] == "us-5d@1"
    assert list(first["spans"]) == ["in-sample", "out-of-sample", "holdout"]
    assert first["spans"]["in-sample"]["purged"] == 44
    assert 1 <= first["best_epoch"] <= first["epochs"] <= 300
    assert set(first["metrics"]["out-of-sample"]) == {"model", *RULES[:-1]}
    assert first["backtest"]["start"] == first["spans"]["holdout"]["start"]
    assert first["verdict"].startswith("The model ")
    page = (tmp_path / "demo" / "report.html").read_text()
    assert first["verdict"].split(":")[0] in page


def test_the_demo_refuses_a_symbol_that_is_not_there(tmp_path: Path, capsys) -> None:
    assert run(["demo", "--out", str(tmp_path), "--symbol", "APPL"]) == 2
    assert "did you mean 'AAPL'?" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
