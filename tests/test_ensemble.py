"""Several networks predict their mean."""

from pathlib import Path

import numpy as np

import dlplugin as dl
from dlplugin.prediction import Predictor
from dlplugin.samples import input_matrix
from dlplugin.store import RunFolder


def test_a_prediction_is_the_mean_of_what_each_network_predicts_alone(
    describe, tmp_path: Path, two_stocks: dl.DataSet
) -> None:
    model = describe(tmp_path / "models")
    run = model.train(two_stocks, options=dl.TrainingOptions(epochs=1, networks=3))
    trained = RunFolder.open(model.store, run.name).read_trained()
    bars = two_stocks["IBM"].iloc[:400]
    alone = [
        Predictor(
            model.definition,
            trained.input_scaling,
            trained.output_scaling,
            {name: value[k : k + 1] for name, value in trained.weights.items()},
        ).predict(bars)
        for k in range(3)
    ]
    assert not np.allclose(alone[0], alone[1], equal_nan=True, rtol=1e-2)
    predicted = model.predict(bars)
    assert list(predicted) == ["ROC(5)", "ROC(5) spread", "ROC(1)", "ROC(1) spread"]
    means = predicted[["ROC(5)", "ROC(1)"]].to_numpy()
    np.testing.assert_allclose(means, np.mean(alone, axis=0), rtol=1e-4, atol=1e-6)
    spreads = predicted[["ROC(5) spread", "ROC(1) spread"]].to_numpy()
    np.testing.assert_allclose(spreads, np.std(alone, axis=0), rtol=1e-3, atol=1e-6)


def test_the_networks_are_averaged_in_the_scaled_unit_of_their_losses(
    describe, tmp_path: Path, two_stocks: dl.DataSet
) -> None:
    model = describe(tmp_path / "models")
    model.train(two_stocks, options=dl.TrainingOptions(epochs=1, networks=3))
    predictor, rows = model.predictor, np.arange(100, 200)
    raw = input_matrix(model.definition, two_stocks["IBM"])
    matrix = predictor._input_scaling.of(None).apply(raw)
    scaled = predictor.predict_scaled(matrix, rows)
    scaling = predictor._output_scaling.of(None)
    assert scaled.shape == (3, 100, 2)
    assert np.ptp(scaled, axis=0).min() > 0
    np.testing.assert_allclose(
        predictor.predict_rows(matrix, rows)[:, predictor.first],
        (scaled[0] + scaled[1] + scaled[2]) / 3 * scaling.scale + scaling.center,
        rtol=1e-9,
    )
