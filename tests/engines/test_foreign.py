"""An engine of another package that is broken says so in one line, wherever it is used."""

from pathlib import Path
from typing import Any

import pytest

import dlplugin as dl
from dlplugin.cli import run
from dlplugin.definition import engines
from dlplugin.engines import build_network
from dlplugin.errors import EngineError, PredictionError, RegistryError
from dlplugin.registry import Entry
from tests.testing import wrong_engines
from tests.testing.wrong_engines import spec


@pytest.fixture
def announce(monkeypatch: pytest.MonkeyPatch) -> Any:
    entry = Entry("wrong", "tests.testing.wrong_engines:SPEC", "", "some-package")
    monkeypatch.setitem(engines._entries, "wrong", entry)
    return lambda found: monkeypatch.setattr(wrong_engines, "SPEC", found)


@pytest.mark.parametrize("options", [wrong_engines.Weightless, wrong_engines.Failing, wrong_engines.Fraction])
def test_a_model_of_it_is_refused_when_it_is_described(announce: Any, describe: Any, options: type) -> None:
    announce(spec(options=options))
    for engine in ("wrong", {"name": "wrong"}):
        with pytest.raises(EngineError, match=r"^engine 'wrong' of the package some-package"):
            describe(".", engine=engine)
    if options is not wrong_engines.Weightless:
        with pytest.raises(EngineError, match=f": {options.__name__}.weights "):
            describe(".", engine=options())


@pytest.mark.parametrize("network", ["Raises", "no_module", "TorchLinear", "BadlyInitialised"])
def test_a_network_of_it_is_refused_when_it_is_built(announce: Any, describe: Any, network: str) -> None:
    announce(spec(network))
    with pytest.raises(EngineError) as refusal:
        build_network(describe(".", engine="wrong").definition, 2)
    message = str(refusal.value)
    assert message.startswith("engine 'wrong' of the package some-package")
    assert "\n" not in message


def test_a_network_of_another_size_than_its_options_say_is_refused(announce: Any, describe: Any) -> None:
    announce(spec(options=wrong_engines.Miscounted))
    with pytest.raises(EngineError) as refusal:
        build_network(describe(".", engine="wrong").definition, 3)
    assert str(refusal.value) == (
        "engine 'wrong' of the package some-package learns 168 numbers with Shapes(networks=3, row=(6,), outputs=2), "
        "but Miscounted.weights says 162 for these networks; correct the one or the other"
    )


def test_a_build_that_is_not_there_is_named(announce: Any, describe: Any) -> None:
    announce(spec(build="no.such.module:build"))
    with pytest.raises(RegistryError) as refusal:
        build_network(describe(".", engine="wrong").definition, 1)
    assert str(refusal.value) == (
        "engine 'wrong' of the package some-package cannot be loaded from 'no.such.module:build': "
        "ModuleNotFoundError: No module named 'no'"
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"options": wrong_engines.Plain},
        {"options": wrong_engines.Weightless},
        {"layout": "rows"},
        {"chunk": 0},
    ],
)
def test_the_command_that_lists_engines_tells_what_is_wrong_with_it(
    announce: Any, capsys: Any, changes: Any
) -> None:
    announce(spec(**changes))
    assert run(["engines"]) == 0
    listed = " ".join(capsys.readouterr().out.split())
    assert run(["engines", "wrong"]) == 2
    told = " ".join(capsys.readouterr().err.split())
    assert "engine 'wrong' of the package some-package has " in told
    assert told.removeprefix("dlplugin: ") in listed


def test_a_training_of_it_leaves_one_line(
    announce: Any, describe: Any, tmp_path: Any, two_stocks: Any
) -> None:
    announce(spec("Raises"))
    with pytest.raises(EngineError, match=r"IndexError: no such layer$"):
        describe(tmp_path / "models", engine="wrong").train(two_stocks, options=dl.TrainingOptions(epochs=1))


def test_a_training_of_activations_that_cannot_be_watched_comes_to_its_end(
    announce: Any, describe: Any, tmp_path: Any, two_stocks: Any
) -> None:
    announce(spec("Turned"))
    model = describe(tmp_path / "models", engine="wrong")
    run = model.train(two_stocks, options=dl.TrainingOptions(epochs=1, networks=2))
    assert run.status == "finished"
    assert "probe" in run.facts


def test_a_stored_model_whose_engine_is_gone_or_broken_is_unusable_and_hides_no_other(
    announce: Any, describe: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    announce(spec())
    describe(tmp_path, "fine").save()
    describe(tmp_path, "theirs", engine="wrong").save()
    announce(None)
    with pytest.raises(PredictionError) as broken:
        dl.load("theirs", tmp_path)
    assert str(broken.value).startswith("model 'theirs' needs its engine: engine 'wrong' cannot be loaded: ")
    monkeypatch.delitem(engines._entries, "wrong")
    table = dl.models(tmp_path)
    assert table["status"].to_dict() == {"fine": "draft", "theirs": "unusable"}
    with pytest.raises(PredictionError) as gone:
        dl.load("theirs", tmp_path)
    assert str(gone.value) == table["inputs"]["theirs"]
    assert str(gone.value) == (
        "model 'theirs' needs the engine 'wrong', which is not known here; install the package that brings it"
    )
