"""A package with an indicator of its own: in other processes, in models, and after it was edited."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import dlplugin as dl
from dlplugin.definition import Definition
from dlplugin.errors import PredictionError
from dlplugin.indicators import own_function, plugins

PROJECT = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
[project]
name = "acme-indicators"
version = "1.0"
[project.entry-points."dlplugin.indicators"]
acme = "acme_indicators"
[tool.hatch.build.targets.wheel]
packages = ["acme_indicators"]
"""
MODULE = '''
import dlplugin as dl


@dl.indicator(lookback=lambda period: period)
def acme_range(bars, period=10):
    """The range of the last bars as a share of the close."""
    return (bars["high"].rolling(period).max() - bars["low"].rolling(period).min()) / bars["close"]
'''
TRAIN = """
import dlplugin as dl
dataset = dl.DataSet.bundled("us-stocks").subset(["AAPL", "IBM"])
model = dl.Model("acme", inputs=["acme_range(5)", "RSI(14)"], outputs=[dl.Output("ROC(5)", look_ahead=5)], store="models")
model.train(dataset, options=dl.TrainingOptions(epochs=1))
model.lock(note="for the test")
"""
PREDICT = """
import dlplugin as dl
model = dl.load("acme@1", "models")
print(repr(float(model.predict(dl.DataSet.bundled("us-stocks")["AAPL"]).iloc[-1, 0])), model.definition.sources[0].module)
"""


def install(project: Path, target: Path) -> None:
    (project / "acme_indicators").mkdir(parents=True, exist_ok=True)
    (project / "pyproject.toml").write_text(PROJECT)
    (project / "acme_indicators" / "__init__.py").write_text(MODULE)
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index",
         "--disable-pip-version-check", "--target", str(target), str(project)],
        check=True, capture_output=True,
    )  # fmt: skip


def run(code: str, folder: Path, target: Path | None) -> subprocess.CompletedProcess[str]:
    package = Path(dl.__file__).parent.parent
    paths = [str(package), *([str(target)] if target else [])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=environment, capture_output=True, text=True
    )


@pytest.mark.slow
def test_an_installed_package_works_from_another_process_and_an_edited_one_is_refused(tmp_path: Path) -> None:
    target = tmp_path / "site"
    install(tmp_path / "project", target)
    trained = run(TRAIN, tmp_path, target)
    assert trained.returncode == 0, trained.stderr
    fine = run(PREDICT, tmp_path, target)
    assert fine.returncode == 0, fine.stderr
    assert fine.stdout.split()[1] == "acme_indicators"
    assert np.isfinite(float(fine.stdout.split()[0]))
    stored = json.loads((tmp_path / "models/acme/versions/1/definition.json").read_text())
    assert set(stored["sources"]) == {"acme_range"}
    assert set(stored["sources"]["acme_range"]) == {"sha256", "module", "checked"}

    installed = target / "acme_indicators" / "__init__.py"
    installed.write_text(MODULE.replace('/ bars["close"]', '/ bars["open"]'))
    edited = run(PREDICT, tmp_path, target)
    assert edited.returncode == 1
    assert edited.stderr.splitlines()[-1] == (
        "dlplugin.errors.PredictionError: indicator 'acme_range' of acme_indicators was edited since model 'acme' was "
        "defined; bring its source back, or train again under a new name"
    )
    missing = run(PREDICT, tmp_path, None)
    assert missing.stderr.splitlines()[-1] == (
        "dlplugin.errors.PredictionError: model 'acme' needs the indicator 'acme_range', which is not known here; "
        "import acme_indicators, or install the package that brings it"
    )


@pytest.fixture
def gap(monkeypatch: pytest.MonkeyPatch):
    """Registers an indicator for one test; calling it again stands for an edited source."""
    monkeypatch.setattr(plugins, "_registered", {})
    monkeypatch.setattr(plugins, "_entry_points_read", [True])

    @dl.indicator(lookback=2)
    def gap(bars):
        """The gap from the last close to the open."""
        return bars["open"] / bars["close"].shift(1) - 1.0

    def edit() -> None:
        found = own_function("gap")
        object.__setattr__(found, "sha256", "0" * 64)

    return edit


def definition() -> Definition:
    return Definition("g", ["gap()", "RSI(14)"], [dl.Output("ROC(5)", look_ahead=5)])


def test_the_source_is_part_of_the_definition_its_hash_and_its_record(gap) -> None:
    before = definition()
    assert Definition.from_json(before.to_json()) == before
    assert Definition.from_yaml(before.to_yaml()).hash == before.hash
    assert before.to_dict()["sources"]["gap"]["checked"] is True
    assert "sources" not in Definition("g", ["RSI(14)"], [dl.Output("ROC(5)", look_ahead=5)]).to_dict()
    plain = before.to_dict()
    gap()
    assert definition().hash != before.hash
    assert Definition.from_dict(plain).hash == before.hash


def test_a_trained_model_refuses_to_predict_once_its_indicator_is_edited_and_is_a_draft_when_described_anew(
    gap, describe, tmp_path: Path, two_stocks: dl.DataSet
) -> None:
    model = describe(tmp_path / "models", "g", inputs=["gap()", "RSI(14)"])
    model.train(two_stocks, options=dl.TrainingOptions(epochs=1))
    locked = model.lock()
    bars = two_stocks["IBM"]
    live = locked.predictor.live()
    rows = zip(bars.index[:60], bars.iloc[:60].to_dict("records"), strict=True)
    seen = np.array([live.update(row, time) for time, row in rows])
    np.testing.assert_array_equal(seen, locked.predict(bars).to_numpy()[:60])
    gap()
    for again in (locked, dl.load("g@1", tmp_path / "models")):
        with pytest.raises(PredictionError) as refusal:
            again.predict(bars)
        assert str(refusal.value) == (
            f"indicator 'gap' of {__name__} was edited since model 'g' was defined; bring its source back, or train "
            "again under a new name"
        )
    with pytest.raises(PredictionError, match="was edited since model 'g'"):
        locked.predictor.live()
    assert describe(tmp_path / "models", "g", inputs=["gap()", "RSI(14)"]).status == "draft"


def test_a_definition_with_sources_that_are_none_is_refused(gap) -> None:
    plain = definition().to_dict() | {"sources": ["gap"]}
    with pytest.raises(dl.DLPluginError) as refusal:
        Definition.from_dict(plain)
    assert str(refusal.value) == (
        "sources is ['gap'], but must be a mapping of indicators to their sha256, module and checked"
    )


def test_a_model_whose_indicator_is_missing_does_not_hide_the_others(
    gap, describe, tmp_path, monkeypatch
) -> None:
    describe(tmp_path / "models", "fine").save()
    describe(tmp_path / "models", "g", inputs=["gap()"]).save()
    monkeypatch.setattr(plugins, "_registered", {})
    table = dl.models(tmp_path / "models")
    assert table["status"].to_dict() == {"fine": "draft", "g": "unusable"}
    assert table["inputs"]["g"] == (
        f"model 'g' needs the indicator 'gap', which is not known here; import {__name__}, or install the package that "
        "brings it"
    )


BESIDE = """
import importlib, sys
import dlplugin as dl
SELF
dataset = dl.DataSet.bundled("us-stocks").subset(["AAPL", "IBM"])
model = dl.Model("mine", inputs=["acme_range(5)"], outputs=[dl.Output("ROC(5)", look_ahead=5)], store=sys.argv[1])
try:
    print(model.start(dataset, options=dl.TrainingOptions(epochs=1)).wait().status)
except dl.DLPluginError as error:
    print(error)
"""


@pytest.mark.parametrize(
    ("origin", "said"),
    [
        ("import my_indicators", "finished"),
        pytest.param(
            MODULE,
            "model 'mine' needs the indicator 'acme_range', which is not known here; it was defined in a script: put "
            "it into a module that others can import",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_a_training_of_its_own_process_knows_the_indicators_of_the_one_that_began_it(
    tmp_path: Path, origin: str, said: str
) -> None:
    (tmp_path / "my_indicators.py").write_text(MODULE)
    script = tmp_path / "script.py"
    script.write_text(BESIDE.replace("SELF", origin))
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "random.py").write_text("raise RuntimeError('not the one that is meant')")
    done = subprocess.run(
        [sys.executable, str(script), str(tmp_path / "models")],
        cwd=elsewhere, capture_output=True, text=True, timeout=120,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    assert done.stdout.strip() == said, done.stderr
