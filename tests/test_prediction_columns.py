"""Classes, quantiles and the spread: every way of asking gives the same bits in all columns."""

from pathlib import Path

import numpy as np
import pytest
from scipy.special import softmax

import dlplugin as dl
from dlplugin.engines import build_network
from dlplugin.prediction import Predictor
from dlplugin.samples import build_samples, input_matrix
from tests.conftest import KINDS
from tests.test_prediction import live

MIXED = [
    dl.Output("ROC(5)", look_ahead=5),
    dl.Output("ROC(1)", look_ahead=1, classes=[-0.5, 0.55], name="day", weight=2.0),
    dl.Output("ROC(5)", look_ahead=5, classes=[-1, 1], drop="middle", name="way"),
    dl.Output("ROC(5)", look_ahead=5, quantiles=[0.1, 0.5, 0.9], name="range"),
]

pytestmark = pytest.mark.usefixtures("without_boosting")


@pytest.mark.parametrize("kind", KINDS)
def test_bar_by_bar_peeked_in_batch_and_after_a_reload_are_the_same_bits(
    kinds: dict[str, dl.Model], us_stocks: dl.DataSet, kind: str
) -> None:
    model, bars = kinds[kind], us_stocks["MSFT"].iloc[:400]
    predicted = model.predict(bars)
    assert tuple(predicted.columns) == model.predictor.columns
    assert predicted.iloc[model.bars_needed :].notna().all(axis=None)
    assert predicted.iloc[: model.bars_needed - 1].isna().all(axis=None)
    wanted = predicted.to_numpy()
    np.testing.assert_array_equal(live(model.predictor, bars), wanted)
    np.testing.assert_array_equal(dl.load(f"{kind}@1", model.store).predict(bars).to_numpy(), wanted)
    inputs = model.predictor.live()
    for t, (time, row) in enumerate(zip(bars.index, bars.to_dict("records"), strict=True)):
        inputs.peek(row | {"close": row["low"]}, time)
        np.testing.assert_array_equal(inputs.peek(row, time), wanted[t])
        inputs.take(row, time)


@pytest.mark.parametrize("kind", KINDS)
def test_a_row_alone_and_among_others_has_the_same_bits(
    kinds: dict[str, dl.Model], us_stocks: dl.DataSet, kind: str
) -> None:
    predictor = kinds[kind].predictor
    matrix = predictor._input_scaling.of(None).apply(input_matrix(predictor.definition, us_stocks["MSFT"]))
    rows = np.arange(100, 1300)
    whole = predictor.predict_rows(matrix, rows)
    rng = np.random.default_rng(4)
    for one in rng.integers(0, len(rows), 20):
        np.testing.assert_array_equal(predictor.predict_rows(matrix, rows[one : one + 1])[0], whole[one])
    order = rng.permutation(len(rows))
    np.testing.assert_array_equal(predictor.predict_rows(matrix, rows[order]), whole[order])


def test_the_columns_of_each_kind(kinds: dict[str, dl.Model], us_stocks: dl.DataSet) -> None:
    bars = us_stocks["MSFT"]
    day = kinds["classes"].predict(bars).dropna()
    shares = day.iloc[:, 1:].to_numpy()
    np.testing.assert_allclose(shares.sum(axis=1), 1, rtol=1e-12)
    np.testing.assert_array_equal(day["ROC(1)"], shares.argmax(axis=1))
    way = kinds["scores"].predict(bars).dropna()
    assert list(way) == ["way", "way [≤ -1]", "way [≥ 1]", "way spread"]
    np.testing.assert_array_equal(way["way [≤ -1]"], -way["way [≥ 1]"])
    np.testing.assert_array_equal(way["way"], way["way [≥ 1]"] > 0)
    levels = kinds["quantiles"].predict(bars).dropna()
    inner = levels.iloc[:, 1:5].to_numpy()
    assert (np.diff(inner, axis=1) >= 0).all()
    np.testing.assert_array_equal(levels["ROC(5)"], (inner[:, 1] + inner[:, 2]) / 2)


def test_several_networks_add_their_spread_and_leave_the_mean_as_it_was(
    kinds: dict[str, dl.Model], us_stocks: dl.DataSet
) -> None:
    model = kinds["networks"]
    predictor = model.predictor
    matrix = predictor._input_scaling.of(None).apply(input_matrix(model.definition, us_stocks["MSFT"]))
    rows = np.arange(100, 400)
    scaled = predictor.predict_scaled(matrix, rows)
    scaling = predictor._output_scaling.of(None)
    found = predictor.predict_rows(matrix, rows)
    assert predictor.columns == ("ROC(5)", "ROC(5) spread", "ROC(1)", "ROC(1) spread")
    np.testing.assert_array_equal(found[:, [0, 2]], scaling.invert((scaled[0] + scaled[1] + scaled[2]) / 3))
    np.testing.assert_allclose(found[:, [1, 3]], scaled.std(axis=0) * scaling.scale, rtol=1e-9)


@pytest.fixture(scope="module")
def mixed(describe, two_stocks: dl.DataSet) -> Predictor:
    """Untrained networks of all kinds of outputs."""
    definition = describe(".", outputs=MIXED).definition
    samples = build_samples(definition, two_stocks, dl.resolve_split(two_stocks, dl.Split()))
    weights = {
        name: value.numpy() * 2 for name, value in build_network(definition, 2, seed=1).state_dict().items()
    }
    return Predictor(definition, samples.input_scaling, samples.output_scaling, weights)


def test_outputs_of_all_kinds_in_one_model_have_the_same_bits_live(
    mixed: Predictor, us_stocks: dl.DataSet
) -> None:
    bars = us_stocks["MSFT"].iloc[:300]
    wanted = mixed.predict(bars)
    assert wanted.shape == (300, len(mixed.columns))
    np.testing.assert_array_equal(live(mixed, bars), wanted)


def test_each_output_reads_its_own_columns_of_the_network(mixed: Predictor, us_stocks: dl.DataSet) -> None:
    matrix = mixed._input_scaling.of(None).apply(input_matrix(mixed.definition, us_stocks["MSFT"]))
    rows = np.arange(100, 200)
    raw, found = mixed.predict_scaled(matrix, rows), mixed.predict_rows(matrix, rows)
    assert raw.shape == (2, 100, 1 + 3 + 1 + 3)
    named = dict(zip(mixed.columns, found.T, strict=True))
    day = softmax(raw[..., 1:4], axis=-1).mean(axis=0)
    np.testing.assert_allclose(named["day [≥ 0.55]"], day[:, 2], rtol=1e-12)
    np.testing.assert_allclose(named["way [≥ 1]"], (1 / (1 + np.exp(-raw[..., 4]))).mean(axis=0), rtol=1e-12)
    center, scale = mixed._output_scaling.center[0, 3], mixed._output_scaling.scale[0, 3]
    inner = np.sort(raw[..., 5:].mean(axis=0), axis=-1) * scale + center
    np.testing.assert_allclose(named["range"], inner[:, 1], rtol=1e-9)
    assert [mixed.columns[first] for first in mixed.first] == ["ROC(5)", "day", "way", "range"]


@pytest.mark.usefixtures("without_boosting")
@pytest.mark.parametrize("class_loss", ["cross-entropy", "hinge"])
def test_outputs_of_all_kinds_train_together_and_are_evaluated_and_locked(
    describe, tmp_path: Path, two_stocks: dl.DataSet, class_loss: str
) -> None:
    model = describe(tmp_path / "models", outputs=MIXED)
    model.train(two_stocks, options=dl.TrainingOptions(epochs=2, class_loss=class_loss))
    model.lock()
    loaded = dl.load("small@1", model.store)
    found = loaded.evaluation
    assert [output.name for output in found.outputs] == ["ROC(5)", "day", "way", "range"]
    day, way = found.scores("day")[0], found.scores("way")[0]
    assert day.samples > way.samples > 0
    assert np.isnan(day.log_loss) == (class_loss == "hinge")
    assert len(found.scores("range")[0].below) == 3
    assert str(loaded.evaluate(two_stocks)) == str(found)
