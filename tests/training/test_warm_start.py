"""A training that begins with another model's weights: where they fit, and said so."""

import io
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

import dlplugin as dl
from dlplugin.engines import build_network
from dlplugin.errors import DefinitionError, UnknownModelError
from dlplugin.store import RunFolder
from tests.training.trainings import QUIET, small_dataset

SHORT = dl.TrainingOptions(epochs=2, learning_rate=0.01)


def model(store: Path, name: str, hidden: list[int], depth: int = 2) -> dl.Model:
    return dl.Model(
        name,
        [dl.Input("RSI(14)", depth=depth)],
        [dl.Output("ROC(5)", look_ahead=5)],
        dl.MLP(hidden=hidden),
        store=store,
    )


@pytest.fixture
def trained(tmp_path: Path) -> dl.Run:
    return model(tmp_path, "first", [4, 3]).train(small_dataset(), options=SHORT, console=QUIET)


def begun_with(run: dl.Run) -> dict[str, np.ndarray]:
    state = RunFolder.open(run.path.parents[1], run.name).read_initial()
    assert state is not None
    return dict(state.arrays)


def test_layers_of_the_same_shape_begin_with_the_others_weights_and_the_rest_anew(
    tmp_path: Path, trained: dl.Run
) -> None:
    screen = io.StringIO()
    second = model(tmp_path, "second", [4, 3], depth=5)
    run = second.train(
        small_dataset(), options=SHORT, console=Console(file=screen, width=200), start_from="first"
    )
    words = "starts from first: hidden.2, output fit; anew: hidden.0 (2 × 4 there, 5 × 4 here)"
    assert words in screen.getvalue()
    assert run.facts["starts"] == words
    weights = RunFolder.open(tmp_path, trained.name).read_trained().weights
    plain = build_network(second.definition, 1, SHORT.seed).state_dict()
    for name, begun in begun_with(run).items():
        expected = plain[name].numpy() if name.startswith("hidden.0") else weights[name]
        np.testing.assert_array_equal(begun, expected)


def test_a_run_and_a_locked_version_can_be_started_from_and_the_training_begins_there(
    tmp_path: Path, trained: dl.Run
) -> None:
    first = dl.load("first", tmp_path)
    first.lock()
    still = dl.TrainingOptions(epochs=1, learning_rate=1e-30, save_point="last")
    for source in (trained.name, "first@1", "first"):
        again = model(tmp_path, f"from-{source.replace('@', '-')}", [4, 3])
        again.train(small_dataset(), options=still, console=QUIET, start_from=source)
        bars = small_dataset()["IBM"]
        np.testing.assert_allclose(again.predict(bars), first.predict(bars), atol=1e-6)


def test_frozen_layers_stay_as_they_were_and_the_others_move(tmp_path: Path, trained: dl.Run) -> None:
    options = dl.TrainingOptions(
        epochs=3, learning_rate=0.05, weight_decay=0.1, freeze=["hidden"], save_point="last"
    )
    second = model(tmp_path, "second", [4, 3])
    run = second.train(small_dataset(), options=options, console=QUIET, start_from="first")
    before, after = begun_with(run), RunFolder.open(tmp_path, run.name).read_trained().weights
    for name in before:
        assert np.array_equal(before[name], after[name]) == name.startswith("hidden"), name


def test_several_networks_begin_with_those_of_the_other_in_turn(tmp_path: Path, trained: dl.Run) -> None:
    options = dl.TrainingOptions(epochs=1, networks=3)
    run = model(tmp_path, "three", [4, 3]).train(
        small_dataset(), options=options, console=QUIET, start_from=trained.name
    )
    weights = RunFolder.open(tmp_path, trained.name).read_trained().weights
    for name, begun in begun_with(run).items():
        np.testing.assert_array_equal(begun, np.repeat(weights[name], 3, axis=0))


def test_a_training_from_another_is_the_same_after_a_stop(tmp_path: Path, trained: dl.Run) -> None:
    options = dl.TrainingOptions(epochs=6, networks=2, averaging=0.9)
    whole = model(tmp_path, "whole", [4, 3]).train(
        small_dataset(), options=options, console=QUIET, start_from="first"
    )
    parts = model(tmp_path, "parts", [4, 3])
    append = RunFolder.append_history

    def stop_after_three(folder: RunFolder, row: tuple[float | int | str, ...]) -> None:
        append(folder, row)
        if row[0] == 3:
            folder.request_stop()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RunFolder, "append_history", stop_after_three)
        run = parts.train(small_dataset(), options=options, console=QUIET, start_from="first")
    assert run.facts["epochs"] == 3
    assert parts.resume(console=QUIET).digest == whole.digest


def test_what_does_not_fit_or_is_not_there_is_refused_before_anything_is_written(
    tmp_path: Path, trained: dl.Run
) -> None:
    other = model(tmp_path, "other", [7])
    with pytest.raises(DefinitionError) as error:
        other.train(small_dataset(), start_from="first")
    assert str(error.value) == (
        "no layer of first fits 'other': hidden.0 (2 × 4 there, 2 × 7 here), output (3 × 1 there, 7 × 1 here); "
        "leave out start_from"
    )
    with pytest.raises(UnknownModelError, match=r"no model .frist. in the store .*; did you mean .first."):
        other.train(small_dataset(), start_from="frist")
    assert [path.name for path in (tmp_path / ".runs").iterdir()] == [trained.name]
    assert not (tmp_path / "other").exists()


def test_other_inputs_and_outputs_are_told_of_since_weights_know_places_only(
    tmp_path: Path, trained: dl.Run
) -> None:
    screen = io.StringIO()
    other = dl.Model(
        "other",
        [dl.Input("RSI(7)", depth=2)],
        [dl.Output("ROC(3)", look_ahead=5)],
        dl.MLP(hidden=[4, 3]),
        store=tmp_path,
    )
    other.train(small_dataset(), options=SHORT, console=Console(file=screen, width=250), start_from="first")
    assert (
        "starts from first: hidden.0, hidden.2, output fit; mind that first has other inputs: RSI(close, timeperiod=14); "
        "mind that first has other outputs: ROC(close, timeperiod=5)\n"
    ) in screen.getvalue()


@pytest.mark.parametrize(
    ("start_from", "freeze", "message"),
    [
        (
            None,
            ["hidden"],
            "freeze is ['hidden'], but nothing was trained before; give start_from, whose layers it keeps",
        ),
        (
            "first",
            ["hidden.0"],
            "freeze is 'hidden.0', but hidden.0 begins anew (2 × 4 there, 5 × 4 here); leave it out",
        ),
        (7, [], "start_from is 7, but must be a model's or a run's name, such as 'us-5d'"),
    ],
)
def test_what_could_not_be_meant_is_refused(
    tmp_path: Path, trained: dl.Run, start_from: str, freeze: list[str], message: str
) -> None:
    options = dl.TrainingOptions(epochs=1, freeze=freeze)
    with pytest.raises(DefinitionError) as error:
        model(tmp_path, "second", [4, 3], depth=5).train(
            small_dataset(), options=options, start_from=start_from
        )
    assert str(error.value) == message


@pytest.mark.parametrize("embedded_first", [True, False])
def test_layers_behind_embeddings_fit_those_of_a_model_without(tmp_path: Path, embedded_first: bool) -> None:
    plain = model(tmp_path, "plain", [4, 3])
    day = dl.Input("day_of_week", categories=[0, 1, 2, 3, 4], embedding=2)
    embedded = dl.Model(
        "embedded", [*plain.definition.inputs, day], plain.definition.outputs, dl.MLP([4, 3]), store=tmp_path
    )
    first, second = (embedded, plain) if embedded_first else (plain, embedded)
    trained = first.train(small_dataset(), options=SHORT, console=QUIET)
    run = second.train(small_dataset(), options=SHORT, console=QUIET, start_from=first.name)
    there, begun = RunFolder.open(tmp_path, trained.name).read_trained().weights, begun_with(run)
    here, other = ("", "network.") if embedded_first else ("network.", "")
    for name in ("hidden.2.weight", "hidden.2.bias", "output.weight", "output.bias"):
        np.testing.assert_array_equal(begun[here + name], there[other + name])
    assert f"{here}hidden.2, {here}output fit" in run.facts["starts"]


def test_what_fits_of_another_engine_is_told(tmp_path: Path, trained: dl.Run) -> None:
    inputs, outputs = [dl.Input("RSI(14)", depth=3)], [dl.Output("ROC(5)", look_ahead=5)]
    second = dl.Model("second", inputs, outputs, dl.GRU(hidden=3), store=tmp_path)
    run = second.train(small_dataset(), options=SHORT, console=QUIET, start_from="first")
    assert run.facts["starts"] == (
        "starts from first: output fit; anew: hidden.0 (not there); mind that first has another engine: mlp"
    )
