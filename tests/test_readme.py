"""The README's code runs as it stands, and prints what the README shows."""

import re
import runpy
from pathlib import Path

import pytest
import talib

import dlplugin as dl
from dlplugin.cli import run as dlplugin
from dlplugin.resources import shipped_folder

README = Path(__file__).parent.parent / "README.md"
NUMBER = re.compile(r"-?\d[\d,]*\.?\d*")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README.read_text(), flags=re.DOTALL)


def masked(text: str) -> tuple[list[str], list[str]]:
    """Words without numbers and bars, and the numbers; seconds are not held."""
    lines = [
        re.sub(r"\s+\d+\.\d+$", "", line) if re.match(r"^\d+ ", line) else line for line in text.splitlines()
    ]
    text = re.sub(r"[█▉▊▋▌▍▎▏▐▒│]", "", "\n".join(lines))
    return NUMBER.sub("#", text).split(), [found.replace(",", "") for found in NUMBER.findall(text)]


def is_held(printed: str, shown: str) -> bool:
    """Counts to a few, losses and R² to 0.003, averages and percents to a tenth or one: machines round apart."""
    decimals = len(shown.partition(".")[2])
    room = max(3.0, 0.05 * abs(float(shown))) if decimals == 0 else {1: 1.0, 2: 0.15}.get(decimals, 0.003)
    return abs(float(printed) - float(shown)) <= room


@pytest.fixture
def fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DLPLUGIN_STORE", raising=False)
    return tmp_path


def run(code: str) -> None:
    exec(compile(code, str(README), "exec"), {"__name__": "__main__"})


def test_the_code_prints_the_report_shown_and_then_trades_the_locked_model(fresh: Path, capsys) -> None:
    training, trading, *_ = blocks("python")
    assert len(training.strip().splitlines()) <= 20

    for code, shown in zip((training, trading), blocks("text"), strict=True):
        run(code)
        words, numbers = masked(capsys.readouterr().out)
        shown_words, shown_numbers = masked(shown)
        assert words == shown_words
        assert [pair for pair in zip(numbers, shown_numbers, strict=True) if not is_held(*pair)] == []
        assert dl.load("us-5d").status == "locked"
    assert (fresh / "models" / "us-5d" / "versions" / "1").is_dir()
    demo = runpy.run_path(str(shipped_folder("strategies") / "buy_predicted_gain.py"))
    made = demo["trade"](dl.load("us-5d"), dl.DataSet.bundled("us-stocks")["AAPL"], "AAPL")
    (shown_gain,) = re.findall(r"and made (\d+) %", README.read_text())
    assert is_held(f"{made.figures['return_percent']:.1f}", shown_gain)
    run(training)
    assert capsys.readouterr().out == ""  # locked: nothing is trained again


@pytest.mark.slow
@pytest.mark.parametrize("block", range(2, len(blocks("python"))))
def test_the_other_code_runs_by_itself_and_prints(fresh: Path, capsys, block: int) -> None:
    run(blocks("python")[block])
    assert capsys.readouterr().out != ""


def test_the_commands_train_the_file_shown_and_show_its_runs(fresh: Path, capsys) -> None:
    (file,) = blocks("yaml")
    commands = [line.split() for block in blocks("bash") for line in block.splitlines() if "dlplugin" in line]
    trained = commands[0]
    assert trained == ["dlplugin", "train", "us-10d.yaml"]
    (fresh / "us-10d.yaml").write_text(file)
    for _, *arguments in commands:
        few = ["--epochs", "1"] if "us-10d.yaml" in arguments else []
        assert dlplugin([*arguments, *few]) == 0
        assert "us-10d" in capsys.readouterr().out
    assert {dl.load_run(name).facts["options"]["seed"] for name in dl.runs()["run"]} == {0, 1}


def test_every_file_and_command_the_readme_names_is_there() -> None:
    text = README.read_text()
    for path in re.findall(r"`((?:strategies|datasets|tests|docs)/[\w./-]+)`|\]\((docs/[\w./-]+)\)", text):
        assert (README.parent / (path[0] or path[1])).is_file()
    makefile = (README.parent / "Makefile").read_text()
    for target in re.findall(r"make ([\w-]+)`", text) + re.findall(r"^make (\w+)$", text, flags=re.MULTILINE):
        assert f"\n{target}:" in makefile, target


def test_the_readme_counts_the_indicators_there_are() -> None:

    assert f"All {len(talib.get_functions())} functions of TA-Lib" in README.read_text()
