"""A model at a glance: draft, trained, locked, by name, by file, with embeddings and several networks."""

import json
from pathlib import Path

import pytest

import dlplugin as dl
from dlplugin.cli import run
from dlplugin.samples import build_samples

DRAFT = """\
small: draft, engine mlp
3 inputs of depths 3, 2 and 1; a row is 6 numbers, and the network gives 2 numbers

layer     kind     gives      weights
hidden.0  Linear   K × B × 8       56
hidden.1  ReLU     K × B × 8        –
hidden.2  Dropout  K × B × 8        –
output    Linear   K × B × 2       18

K networks side by side, B rows at a time
74 weights, 296 bytes
effective samples: train or give a dataset"""


def files(folder: Path) -> dict[Path, tuple[int, bytes]]:
    return {
        path: (path.stat().st_mtime_ns, path.read_bytes()) for path in folder.rglob("*") if path.is_file()
    }


def test_a_draft_shows_its_layers_and_writes_nothing(model: dl.Model) -> None:
    assert str(model.summary()) == DRAFT
    assert repr(model.summary()) == DRAFT
    assert not model.store.exists()


def test_a_dataset_tells_the_effective_samples_of_its_split(model: dl.Model, two_stocks: dl.DataSet) -> None:
    found = model.summary(two_stocks)
    spans = dl.resolve_split(two_stocks, dl.Split())
    assert found.effective_samples == build_samples(model.definition, two_stocks, spans).effective
    assert str(found).endswith(f"\neffective samples: {found.effective_samples:,.0f} of {two_stocks.name!r}")
    assert found.warning is None
    less = model.summary(two_stocks, dl.Split(0.05, 0.05))
    assert less.effective_samples < found.effective_samples / 8
    assert less.warning == (
        f"the network has 74 weights for {less.effective_samples:,.0f} effective samples: enough to learn them by heart"
    )
    assert str(less).endswith(f"\nwarning: {less.warning}")


def test_options_tell_how_many_networks_and_how_samples_count(
    model: dl.Model, two_stocks: dl.DataSet
) -> None:
    plain = model.summary(two_stocks)
    found = model.summary(two_stocks, options=dl.TrainingOptions(networks=3, half_life=100))
    assert found.effective_samples < plain.effective_samples
    assert (found.networks, found.weights, found.total_weights, found.bytes) == (3, 74, 222, 888)
    assert "\n74 weights a network, 222 in 3 networks, 888 bytes\n" in str(found)


def test_what_is_said_of_no_dataset_is_refused(model: dl.Model, two_stocks: dl.DataSet) -> None:
    for given in ({"split": dl.Split()}, {"validation": two_stocks}):
        with pytest.raises(dl.DLPluginError) as refused:
            model.summary(**given)
        assert str(refused.value) == (
            "split and validation tell which samples of a dataset train; give dataset=, too"
        )


def test_a_locked_model_has_the_samples_of_its_run(locked: dl.Model) -> None:
    before = files(locked.store)
    name = locked.record["run"]
    for each in (locked, dl.load("locked", locked.store), dl.load("locked@1", locked.store)):
        found = each.summary()
        assert str(found).startswith("locked@1: locked, engine mlp\n")
        assert found.effective_samples == locked.record["effective_samples"]
        assert found.samples_of == f"run {name}"
        assert found.weights == dl.load_run(name, locked.store).facts["weights"]
    assert files(locked.store) == before


def test_a_trained_model_has_as_many_networks_as_its_run(model: dl.Model, two_stocks: dl.DataSet) -> None:
    first = model.train(two_stocks, options=dl.TrainingOptions(epochs=1, networks=2))
    second = model.train(two_stocks, dl.Split(0.3, 0.2), dl.TrainingOptions(epochs=1))
    assert (model.summary().networks, model.summary().samples_of) == (1, f"run {second.name}")
    first.use()
    found = model.summary()
    assert (found.status, found.networks, found.samples_of) == ("trained", 2, f"run {first.name}")
    assert found.effective_samples == first.facts["effective_samples"]


def test_another_definition_of_the_name_has_no_samples_yet(locked: dl.Model) -> None:
    other = dl.Model("locked", ["RSI(14)"], [dl.Output("ROC(5)", look_ahead=5)], store=locked.store)
    assert (other.summary().status, other.summary().effective_samples) == ("draft", None)


def test_a_run_that_is_not_done_yet_tells_its_samples(model: dl.Model, two_stocks: dl.DataSet) -> None:
    from dlplugin.store import ModelFolder
    from dlplugin.training import prepare

    folder, samples = prepare(
        model.store, model.definition, two_stocks, dl.Split(), dl.TrainingOptions(networks=4)
    )
    ModelFolder(model.store, model.name).begin_training(model.definition, folder.name)
    found = model.summary()
    assert (found.effective_samples, found.networks) == (samples.effective, 4)
    assert found.samples_of == f"run {folder.name}"
    other = dl.Model(model.name, ["RSI(14)"], model.definition.outputs, store=model.store)
    assert other.summary().effective_samples is None


def test_windows_are_bars_and_numbers(tmp_path: Path) -> None:
    inputs = [dl.Input("RSI(14)", depth=16), dl.Input("ROC(5)", depth=16)]
    model = dl.Model("w", inputs, [dl.Output("ROC(5)", look_ahead=5)], "nlinear", store=tmp_path)
    assert "\n2 inputs of depth 16; a row is 16 bars × 2 numbers, and the network gives 1 number\n" in str(
        model.summary()
    )


def test_the_command_shows_a_stored_model(locked: dl.Model, capsys) -> None:
    where = ["--store", str(locked.store)]
    for name in ("locked", "locked@1"):
        assert run(["summary", name, *where]) == 0
        assert capsys.readouterr().out == f"{locked.summary()}\n"
    assert run(["summary", "locked", "--data", "us-stocks", *where]) == 0
    assert " of 'us-stocks'\n" in capsys.readouterr().out
    assert run(["summary", "locked", "--json", *where]) == 0
    fact = json.loads(capsys.readouterr().out)
    assert (fact["model"], fact["weights"], fact["bytes"]) == ("locked@1", 74, 296)
    assert fact["layers"][0] == {"name": "hidden.0", "kind": "Linear", "gives": "K × B × 8", "weights": 56}


def test_the_command_shows_what_a_file_describes(tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    text = "name: a\ninputs: [RSI(14)]\noutputs:\n  - {indicator: ROC(5), look_ahead: 5}\noptions: {networks: 2}\n"
    Path("a.yaml").write_text(text)
    assert run(["summary", "a.yaml"]) == 0
    printed = capsys.readouterr().out
    assert "\n609 weights a network, 1,218 in 2 networks, 4,872 bytes\n" in printed
    assert printed.endswith("\neffective samples: train or give a dataset\n")
    Path("a.yaml").write_text(f"{text}dataset: us-stocks\nsplit: {{in_sample: 0.05}}\n")
    assert run(["summary", "a.yaml"]) == 0
    assert "\nwarning: the network has 609 weights for " in capsys.readouterr().out
    assert [path.name for path in tmp_path.iterdir()] == ["a.yaml"]


def test_a_narrow_terminal_leaves_the_classes_out(model: dl.Model) -> None:
    narrow = model.summary().text(32)
    assert max(map(len, narrow.splitlines())) <= 32
    assert "hidden.0  K × B × 8       56" in narrow
    assert model.summary().text(100) == DRAFT


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("lockd", "there is no file 'lockd' and no model of that name in {store}; did you mean 'locked'?"),
        ("locked@7", "no version locked@7; there are: locked@1"),
        ("no.yaml", "cannot read no.yaml: No such file or directory"),
    ],
)
def test_what_is_not_there_is_one_line(what: str, message: str, locked: dl.Model, capsys) -> None:
    assert run(["summary", what, "--store", str(locked.store)]) == 2
    assert capsys.readouterr().err == f"dlplugin: {message.format(store=locked.store)}\n"
