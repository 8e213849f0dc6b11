"""Partial dependence against scikit-learn and a slow loop."""

import json
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.inspection import partial_dependence

import dlplugin as dl
from dlplugin.definition import Definition
from dlplugin.errors import DefinitionError, StoreError, UnknownNameError
from dlplugin.evaluation.inputs import PartialDependence, dependence_of
from dlplugin.evaluation.inputs.blocks import judged, read_cells
from dlplugin.evaluation.inputs.dependence import DependencePoint
from dlplugin.evaluation.plain import from_plain
from tests.evaluation.inputs.planted import (
    linear,
    linear_predictor,
    planted_data,
    random_predictor,
    samples_of,
)

Y = dl.Output("y", look_ahead=1)


def data(bars: int = 60) -> dl.DataSet:
    return planted_data({"a": 1.0, "b": 0.3}, bars=bars)


def test_means_are_those_of_scikit_learn_at_the_same_values() -> None:
    samples = samples_of(Definition("mlp", ["a", "b"], [Y], "mlp"), data())
    predictor = random_predictor(samples)
    rows = judged(samples, "out-of-sample").rows
    found = dependence_of(samples, predictor, "b", points=7)
    center, scale = samples.input_scaling.center[0], samples.input_scaling.scale[0]

    class Estimator(RegressorMixin, BaseEstimator):
        def __init__(self) -> None:
            self.fitted_ = True

        def fit(self) -> None: ...

        def predict(self, raw: np.ndarray) -> np.ndarray:
            given = ((raw - center) / scale).astype(np.float32)
            return predictor.predict_given(given)[:, 0] * samples.output_scaling.scale[0, 0]

    raw = read_cells(samples, rows) * scale + center
    values = found.frame["value"].to_numpy()
    theirs = partial_dependence(Estimator(), raw, [1], custom_values={1: values}, method="brute", kind="both")
    shift = samples.output_scaling.center[0, 0]
    np.testing.assert_allclose(found.frame["mean"], theirs["average"][0] + shift, rtol=1e-5, atol=1e-6)
    individual = theirs["individual"][0] + shift  # (S, points)
    np.testing.assert_allclose(found.frame["low"], np.quantile(individual, 0.1, axis=0), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(
        found.frame["high"], np.quantile(individual, 0.9, axis=0), rtol=1e-5, atol=1e-6
    )


@pytest.mark.parametrize("newest", [False, True])
@pytest.mark.parametrize("engine", ["mlp", "gru"])
def test_depths_and_scalings_by_symbol_are_those_of_a_slow_loop(engine: str, newest: bool) -> None:
    inputs = [dl.Input(name, depth=3, increment=2, pooled=False, clip=1.5) for name in "ab"]
    outputs = [Y, dl.Output("y", look_ahead=2, pooled=False, name="own")]
    samples = samples_of(Definition("slow", inputs, outputs, engine), data())
    predictor = random_predictor(samples, networks=2)
    found = dependence_of(samples, predictor, "a", output="own", points=4, newest=newest)
    assert found.newest == newest
    for point in found.points:
        predicted = []
        for row in judged(samples, "out-of-sample").rows:
            symbol = samples.symbols[samples.owner[row]]
            scaling = samples.input_scaling.of(symbol)
            window = samples.matrix[row - 4 : row + 1].copy()
            set_to = np.clip((point.value - scaling.center[0]) / scaling.scale[0], -1.5, 1.5)
            window[4 if newest else slice(0, 5, 2), 0] = set_to
            predicted.append(predictor.predict_rows(window, np.array([4]), symbol)[0, predictor.first[1]])
        assert point.mean == pytest.approx(np.mean(predicted), rel=1e-5)
        assert point.low == pytest.approx(np.quantile(predicted, 0.1), rel=1e-5)


def test_points_are_quantiles_in_the_inputs_own_unit_with_the_values_near_them() -> None:
    samples = samples_of(linear([dl.Input("a", scaling="robust"), "day_of_week"]), data(200))
    predictor = linear_predictor(samples, [[0.5], [0.1]])
    raw = samples.matrix[samples.rows["in-sample"]].astype(np.float64) * samples.input_scaling.scale[0]
    raw += samples.input_scaling.center[0]
    frame = dependence_of(samples, predictor, "a", points=5).frame
    expected = [np.sort(raw[:, 0])[int(np.ceil(level * len(raw))) - 1] for level in (0.1, 0.3, 0.5, 0.7, 0.9)]
    np.testing.assert_allclose(frame["value"], expected, rtol=1e-6)
    nearest = np.abs(raw[:, :1] - frame["value"].to_numpy()).argmin(axis=1)
    np.testing.assert_allclose(frame["share"], np.bincount(nearest, minlength=5) / len(raw))
    slope = np.diff(frame["mean"]) / np.diff(frame["value"])
    np.testing.assert_allclose(
        slope, 0.5 * samples.output_scaling.scale[0, 0] / samples.input_scaling.scale[0, 0], rtol=1e-4
    )
    few = dependence_of(samples, predictor, 1, points=50).frame  # five values, each once
    assert few["value"].round(5).tolist() == [0, 1, 2, 3, 4]
    assert few["share"].sum() == pytest.approx(1)


@pytest.mark.parametrize("embedding", [None, 2])
@pytest.mark.parametrize("engine", ["mlp", "lstm"])
def test_categories_and_symbols_are_points_of_their_own(engine: str, embedding: int | None) -> None:
    own = dl.Input("symbol", categories=["S2", "S0", "X", "S1"], embedding=embedding)
    samples = samples_of(Definition("own", [dl.Input("a", depth=2), own], [Y], engine), data())
    predictor = random_predictor(samples)
    frame = dependence_of(samples, predictor, "symbol", points=2).frame
    assert frame["label"].tolist() == ["S2", "S0", "X", "S1"]
    np.testing.assert_allclose(frame["share"], [1 / 3, 1 / 3, 0, 1 / 3])
    rows = judged(samples, "out-of-sample").rows
    for place, mean in enumerate(frame["mean"]):
        matrix = samples.matrix.copy()
        matrix[:, 1:] = [place == 0, place == 1, 0, place == 3]  # nothing was learned of X
        assert mean == pytest.approx(predictor.predict_rows(matrix, rows)[:, 0].mean(), rel=1e-5)


def test_the_days_of_the_week_are_named_by_their_values() -> None:
    days = dl.Input("day_of_week", categories=[0, 1, 2, 3, 4], depth=2)
    samples = samples_of(linear([days]), data())
    found = dependence_of(samples, linear_predictor(samples, [[0.1 * each] for each in range(10)]), 0)
    assert found.frame["label"].tolist() == ["0", "1", "2", "3", "4"]
    assert found.categories
    np.testing.assert_allclose(
        np.diff(found.frame["mean"]), 0.2 * samples.output_scaling.scale[0, 0], rtol=1e-4
    )


def test_classes_are_shown_by_their_probability(kinds: dict[str, dl.Model], two_stocks: dl.DataSet) -> None:
    parts = [
        kinds["classes"].partial_dependence(two_stocks, "RSI(14)", label=label, points=3)
        for label in range(3)
    ]
    total = np.sum([part.frame["mean"] for part in parts], axis=0)
    np.testing.assert_allclose(total, 1.0)
    assert parts[2].unit == "probability of ROC(1) [≥ 0.55]"
    assert kinds["scores"].partial_dependence(two_stocks, 0).unit == "score of way [≥ 1]"
    assert kinds["classes"].partial_dependence(two_stocks, "RSI(14)", points=3) == parts[2]


def test_an_engine_that_sees_changes_alone_is_told_of() -> None:
    inputs = [dl.Input("a", depth=4), dl.Input("b", depth=4)]
    samples = samples_of(Definition("changes", inputs, [Y], "nlinear"), data())
    predictor = random_predictor(samples)
    flat, moved = (dependence_of(samples, predictor, 0, newest=newest) for newest in (False, True))
    assert np.ptp(flat.frame["mean"]) == pytest.approx(0.0, abs=1e-9)
    assert "the engine sees how inputs change in a window, not their level: newest=True" in str(flat)
    assert np.ptp(moved.frame["mean"]) > 0.01
    assert moved.note == ""


@pytest.mark.parametrize(
    ("wrong", "kind", "message"),
    [
        ({"input": "z"}, UnknownNameError, "unknown input 'z'; there are: a, b"),
        ({"input": -1}, DefinitionError, "input is -1, but must be a name, or a number from 0 to 1"),
        ({"points": 1}, DefinitionError, "points is 1, but must be a whole number from 2"),
    ],
)
def test_wrong_values_are_named(wrong: dict[str, object], kind: type[Exception], message: str) -> None:
    samples = samples_of(linear(["a", "b"]), data())
    with pytest.raises(kind) as error:
        dependence_of(samples, linear_predictor(samples, [[1.0], [1.0]]), **{"input": 0, **wrong})  # type: ignore[arg-type]
    assert str(error.value) == message


@pytest.fixture
def shown() -> PartialDependence:
    extent = (pd.Timestamp("2010-01-04"), pd.Timestamp("2010-12-31"))
    points = (
        DependencePoint("30", 30.0, 1.5, -0.5, 2.5, 0.4),
        DependencePoint("50", 50.0, 0.5, -1.0, 2.0, 0.35),
        DependencePoint("<b>", 70.0, -0.5, -2.0, 1.0, 0.25),
    )
    return PartialDependence("RSI(14)", "ROC(5)", "out-of-sample", extent, 1234, False, points)


def test_the_table_has_the_curve_as_bars_from_its_middle(shown: PartialDependence) -> None:
    assert str(shown).splitlines() == [
        "mean predicted ROC(5) by input RSI(14); out-of-sample 2010-01-04 … 2010-12-31, 1,234 samples",
        "",
        "           value        mean        10 %        90 % values near",
        "              30        1.50       -0.50        2.50      40.0 %           │█████████",
        "              50        0.50       -1.00        2.00      35.0 %           │",
        "             <b>       -0.50       -2.00        1.00      25.0 %  █████████│",
    ]
    html = shown._repr_html_()
    assert "&lt;b&gt;" in html
    assert "<b>" not in html
    assert repr(shown) == "<PartialDependence of predicted ROC(5) on RSI(14): -0.50 to 1.50>"
    assert shown.__rich__().plain.splitlines()[0] == shown.title


def test_its_plain_form_is_json_that_holds_all_of_it(shown: PartialDependence) -> None:
    assert from_plain(PartialDependence, json.loads(json.dumps(shown.to_dict(), allow_nan=False))) == shown


def test_the_picture_has_curve_spread_and_values(shown: PartialDependence, tmp_path: Path) -> None:
    figure = shown.plot(tmp_path / "curve.svg")
    panel = figure.axes[0]
    curve = next(line for line in panel.get_lines() if line.get_label() == "mean prediction")
    np.testing.assert_array_equal(curve.get_xydata(), [[30, 1.5], [50, 0.5], [70, -0.5]])
    assert panel.get_xlabel() == "RSI(14)"
    assert panel.get_ylabel() == "predicted ROC(5)"
    texts = [text.get_text() for text in panel.get_legend().get_texts()]
    assert texts == ["10 to 90 % of the predictions", "mean prediction", "quantiles of the in-sample values"]
    assert (tmp_path / "curve.svg").read_text().startswith("<?xml")
    assert figure._repr_png_().startswith(b"\x89PNG")
    assert plt.get_fignums() == []
    with pytest.raises(StoreError) as error:
        shown.plot("curve.txt")
    assert str(error.value) == "cannot write curve.txt: .txt is no kind of picture; use .png, .svg or .pdf"


def test_the_picture_of_categories_has_their_names() -> None:
    points = tuple(
        DependencePoint(name, float(place), 0.1 * place, 0.0, 1.0, 0.5) for place, name in enumerate("XY")
    )
    extent = (pd.Timestamp("2010-01-04"), pd.Timestamp("2010-12-31"))
    figure = PartialDependence("symbol", "y", "in-sample", extent, 9, False, points, categories=True).plot()
    assert [label.get_text() for label in figure.axes[0].get_xticklabels()] == ["X", "Y"]
