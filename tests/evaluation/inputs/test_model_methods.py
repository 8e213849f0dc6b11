"""The three methods of a model: where their samples come from, and that they agree with its predictions."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import dlplugin as dl
from dlplugin.errors import BarsError, PredictionError, SamplesError
from dlplugin.evaluation.inputs.blocks import predict_changed, read_cells
from dlplugin.model import data
from dlplugin.model.judging import samples_given
from dlplugin.samples import Samples, build_samples, samples_file
from tests.evaluation.inputs.planted import linear, linear_predictor, planted_data, samples_of


def scaled_samples(model: dl.Model, dataset: dl.DataSet) -> Samples:
    trained = model._source().read_trained()
    return build_samples(
        model.definition, dataset, model.spans, (trained.input_scaling, trained.output_scaling)
    )


def _gone(recorded: object, who: str, ask: str) -> None:
    raise BarsError(f"{who} 'mine', frames in memory; {ask}")


@pytest.fixture
def stored(locked: dl.Model, tmp_path: Path) -> dl.Model:
    """A copy of the locked model, whose run is there to be changed."""
    shutil.copytree(locked.store, tmp_path / "models")
    return dl.load(locked.reference, store=tmp_path / "models")


def test_rows_that_are_given_have_the_bits_of_rows_of_a_matrix(
    kinds: dict[str, dl.Model], two_stocks: dl.DataSet
) -> None:
    for model in kinds.values():
        samples = scaled_samples(model, two_stocks)
        rows = samples.rows["out-of-sample"][:300]
        given = predict_changed(model.predictor, samples, rows)
        whole = model.predictor.predict_rows(samples.matrix, rows)
        first = model.predictor.first[0]
        output = model.definition.outputs[0]
        if output.labels:
            np.testing.assert_array_equal(given, whole)
        else:
            center, scale = samples.output_scaling.center[0, 0], samples.output_scaling.scale[0, 0]
            own = given[:, first] * scale + center  # in float64, and quantiles in another order
            np.testing.assert_allclose(own, whole[:, first], rtol=0, atol=1e-14)
        assert read_cells(samples, rows).shape == (300, model.definition.width)


def test_every_pass_is_over_a_whole_chunk() -> None:
    samples = samples_of(linear(["a"]), planted_data({"a": 1.0}, bars=250))
    predictor = linear_predictor(samples, [[0.5]])
    sizes: list[int] = []
    predictor._network.register_forward_pre_hook(lambda _, given: sizes.append(given[0].shape[1]))
    chunk = samples.definition.spec.chunk
    predictor.predict_scaled(samples.matrix, samples.rows["in-sample"][: chunk + 1])
    predictor.predict_given(read_cells(samples, samples.rows["in-sample"][:3]))
    assert sizes == [chunk] * 3


def test_without_a_dataset_the_trainings_own_is_read_again(locked: dl.Model, two_stocks: dl.DataSet) -> None:
    assert locked.importance(repeats=1) == locked.importance(two_stocks, repeats=1)
    assert locked.attributions(samples=20) == locked.attributions(two_stocks, samples=20)
    assert locked.partial_dependence(points=3) == locked.partial_dependence(two_stocks, points=3)


def test_an_input_in_the_place_of_the_dataset_is_told(locked: dl.Model) -> None:
    with pytest.raises(SamplesError) as error:
        locked.partial_dependence("RSI(14)")
    assert str(error.value) == "the dataset is 'RSI(14)', an input; give it by its name: input='RSI(14)'"


def test_the_samples_of_a_run_that_is_not_finished_are_those_it_has_stored(
    stored: dl.Model, two_stocks: dl.DataSet
) -> None:
    samples = scaled_samples(stored, two_stocks)
    fewer = replace(samples, rows=samples.rows | {"out-of-sample": samples.rows["out-of-sample"][:150]})
    (stored.run.path / "samples.safetensors").write_bytes(samples_file(fewer))
    assert stored.importance(repeats=1).samples == 150
    assert stored.importance(two_stocks, repeats=1).samples > 150


def test_a_version_whose_run_is_gone_reads_its_data_again_or_asks_for_them(
    stored: dl.Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.rmtree(stored.run.path)
    assert stored.importance(repeats=1).samples > 150
    monkeypatch.setattr(data, "origin_of", _gone)
    with pytest.raises(BarsError) as error:
        stored.importance()
    assert str(error.value) == "model 'locked' was trained on 'mine', frames in memory; give dataset="


def test_other_bars_are_scaled_as_the_training_scaled_its_own(
    locked: dl.Model, two_stocks: dl.DataSet
) -> None:
    source = locked._source()
    one = two_stocks.subset(["IBM"])
    trained = source.read_trained()
    samples = samples_given(locked.store, source, trained, one, None)
    np.testing.assert_array_equal(samples.input_scaling.center, trained.input_scaling.center)
    np.testing.assert_array_equal(samples.output_scaling.scale, trained.output_scaling.scale)
    assert samples.symbols == ("IBM",)


def test_a_draft_is_told_to_train(model: dl.Model, two_stocks: dl.DataSet) -> None:
    with pytest.raises(PredictionError):
        model.importance(two_stocks)


@pytest.mark.slow
def test_a_trained_model_finds_what_was_planted(tmp_path: Path) -> None:
    dataset = planted_data({"a": 1.0, "c": 0.0, "d": 0.0}, copies={"b": ("a", 0.2)}, bars=1500)
    inputs = [dl.Input(name, depth=2) for name in "abcd"]
    model = dl.Model("planted", inputs, [dl.Output("y", look_ahead=1)], store=tmp_path / "models")
    model.train(dataset, options=dl.TrainingOptions(epochs=60, auto_stop=10))
    found = model.importance(dataset).frame.set_index("input")
    assert found["group"].tolist() == ["a + b", "a + b", "c", "d"]
    assert found.loc["a", "beyond_error"]
    assert found.loc["a", "group_beyond_error"]
    assert found.loc["a", "group_rise"] > found.loc["a", "rise"]
    assert not found.loc[["c", "d"], "beyond_error"].any()
    attributed = model.attributions(dataset)
    assert attributed.complete
    assert attributed.by_input.index[0] == "a"
    newest = attributed.frame.query("input == 'a'").set_index("bars_back")["mean_absolute"]
    assert newest[0] > 3 * newest[1]  # the older value tells nothing
    curve = model.partial_dependence(dataset, "a").frame
    slope = np.polyfit(curve["value"], curve["mean"], 1)[0]
    assert 0.3 < slope < 1.0  # the copy has the rest
