"""How many cheats the audit catches, and how many honest definitions it suspects."""

import json
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

import dlplugin as dl
from dlplugin.indicators import plugins
from dlplugin.samples import Scaling, build_samples
from tests.evaluation.audit.definitions import (
    CHEATS,
    HONEST,
    QUICK,
    Case,
    datasets,
    three_stocks,
    with_column,
)


@pytest.fixture
def _own_indicators(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of a test do not stay."""
    monkeypatch.setattr(plugins, "_registered", dict(plugins._registered))


def caught(audit: dl.Audit) -> list[str]:
    return [check.name for check in audit.checks if check.passed is False]


def as_column(cheat: str, tmp_path: Path) -> list[str]:
    dataset = with_column(three_stocks(), CHEATS[cheat])
    case = Case("", ["RSI(14)", "extra"], [dl.Output("ROC(5)", look_ahead=5)])
    return caught(case.trained(dataset, tmp_path).audit(dataset, options=QUICK))


def as_indicator(cheat: str, tmp_path: Path) -> list[str]:
    dl.indicator(name="cheat", check=False)(CHEATS[cheat])
    dataset = dl.DataSet.from_frames("plain", three_stocks())
    case = Case("", ["RSI(14)", "cheat()"], [dl.Output("ROC(5)", look_ahead=5)])
    return caught(case.trained(dataset, tmp_path).audit(dataset, options=QUICK))


def fitted_on_everything(model: dl.Model, dataset: dl.DataSet) -> tuple[Scaling, Scaling]:
    """The scaling that all samples give, the holdout's included."""
    spans = dl.resolve_split(dataset, dl.Split(1.0, 0.0))
    samples = build_samples(model.definition, dataset, spans)
    return samples.input_scaling, samples.output_scaling


def scaled_in_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[dl.Model, dl.DataSet]:
    """A model whose training was given a scaling that was fitted on everything."""
    dataset = dl.DataSet.from_frames("plain", three_stocks())
    case = Case("", ["RSI(14)", "ROC(5)"], [dl.Output("ROC(5)", look_ahead=5)])
    everything = fitted_on_everything(dl.Model("case", case.inputs, case.outputs), dataset)
    with monkeypatch.context() as patch:
        patch.setattr(
            import_module("dlplugin.training.prepare"),
            "build_samples",
            lambda *arguments, **named: build_samples(*arguments, scaling=everything, **named),
        )
        return case.trained(dataset, tmp_path), dataset


def scaled_in_the_files(tmp_path: Path) -> tuple[dl.Model, dl.DataSet]:
    """A model whose stored scaling was replaced by one that was fitted on everything."""
    dataset = dl.DataSet.from_frames("plain", three_stocks())
    case = Case("", ["RSI(14)", "ROC(5)"], [dl.Output("ROC(5)", look_ahead=5)])
    model = case.trained(dataset, tmp_path)
    inputs, outputs = fitted_on_everything(model, dataset)
    file = model.run.path / "save-point" / "scaling.json"
    file.write_text(json.dumps({"inputs": inputs.to_dict(), "outputs": outputs.to_dict()}))
    return dl.load("case", tmp_path), dataset


@pytest.mark.usefixtures("_own_indicators")
def test_a_cheat_is_caught_in_an_own_indicator_and_in_a_column(tmp_path: Path) -> None:
    found = as_column("a centred window", tmp_path / "column")
    assert {"columns: later returns", "too good: one input"} <= set(found)
    assert not any(name.startswith(("inputs", "predictions")) for name in found)
    found = as_indicator("a centred window", tmp_path / "own")
    assert found[:5] == [
        "inputs, bars cut",
        "inputs, bars altered",
        "predictions, bars cut",
        "predictions, bars altered",
        "live and batch agree",
    ]


@pytest.mark.slow
@pytest.mark.usefixtures("_own_indicators")
def test_all_cheats_are_caught(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = {}
    for number, cheat in enumerate(CHEATS):
        found[f"{cheat}, in a column"] = as_column(cheat, tmp_path / f"column{number}")
        plugins._registered.pop("cheat", None)
        found[f"{cheat}, in an own indicator"] = as_indicator(cheat, tmp_path / f"own{number}")
    for way, made in {
        "in training": scaled_in_training(tmp_path / "training", monkeypatch),
        "in the files": scaled_in_the_files(tmp_path / "files"),
    }.items():
        model, dataset = made
        found[f"a scaler fitted on everything, {way}"] = caught(model.audit(dataset, options=QUICK))
    with capsys.disabled():
        print(f"\ncaught {sum(map(bool, found.values()))} of {len(found)} cheats")
        for name, checks in found.items():
            print(f"  {name}: {', '.join(checks) or 'not caught'}")
    assert [name for name, checks in found.items() if not checks] == []
    assert all(
        "scaling" in found[f"a scaler fitted on everything, {way}"] for way in ("in training", "in the files")
    )


@pytest.mark.slow
def test_honest_definitions_raise_no_alarm(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    there, alarms, done = datasets(), {}, []
    for number, case in enumerate(HONEST):
        dataset = there[case.data]
        audit = case.trained(dataset, tmp_path / str(number)).audit(dataset, options=QUICK)
        done.append(sum(check.passed is True for check in audit.checks))
        if not audit.passed:
            inputs = ", ".join(item if isinstance(item, str) else item.name for item in case.inputs)
            alarms[f"{case.data}: {inputs} -> {case.outputs[0].name}"] = [
                f"{check.name}: {check.evidence}" for check in audit.checks if check.passed is False
            ]
    with capsys.disabled():
        print(
            f"\n{len(alarms)} alarms in {len(HONEST)} honest definitions, {np.mean(done):.1f} checks passed of each"
        )
        for name, checks in alarms.items():
            print(f"  {name}: {'; '.join(checks)}")
    assert len(HONEST) == 50
    assert alarms == {}
