"""Classes and quantiles from training to evaluation: what can be known is found, and no more is claimed."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

import dlplugin as dl
from tests.test_honesty import bars_of

NOISE = 0.4
EDGES = [-0.5, 0.6]
DAY = dl.Output("ROC(1)", look_ahead=1, classes=EDGES, name="day")
SIDES = dl.Output("ROC(1)", look_ahead=1, classes=EDGES, drop="middle", name="sides")
LEVELS = dl.Output("ROC(1)", look_ahead=1, quantiles=[0.1, 0.5, 0.9], name="levels")
NUMBER = dl.Output("ROC(1)", look_ahead=1, name="number")


@pytest.fixture(scope="module")
def planted() -> dl.DataSet:
    """The next percent change is today's signal and normal noise."""
    rng = np.random.default_rng(1)
    signal = rng.standard_normal(5000)
    returns = NOISE * rng.standard_normal(5000)
    returns[1:] += signal[:-1]
    return dl.DataSet.from_frames("planted", {"MADE": bars_of(returns, signal)})


def best_shares(signal: np.ndarray) -> np.ndarray:
    """(T, 3) what can be known: the probability of each class given the signal."""
    low, high = (norm.cdf((edge - signal) / NOISE) for edge in EDGES)
    return np.stack([low, high - low, 1 - high], axis=-1)


def trained(describe, store: Path, planted: dl.DataSet, *outputs: dl.Output, **options: object) -> dl.Model:
    model = describe(
        store / "models", inputs=["signal"], outputs=list(outputs), engine=dl.MLP(hidden=[16], dropout=0)
    )
    settings = {"epochs": 25, "learning_rate": 0.01, "batch_size": 64} | options
    model.train(planted, options=dl.TrainingOptions(**settings))
    return model


def unseen(model: dl.Model, planted: dl.DataSet) -> tuple[pd.DataFrame, pd.Series, np.ndarray]:
    """Predictions on the holdout, the percent changes that came, and the signal."""
    bars = planted["MADE"]
    inside = bars.index >= model.spans["holdout"].start
    came = (bars["close"].shift(-1) / bars["close"] - 1) * 100
    inside &= came.notna().to_numpy()
    return model.predict(bars)[inside], came[inside], bars["signal"].to_numpy()[inside]


@pytest.mark.parametrize(
    "options", [{}, {"class_loss": "hinge"}, {"networks": 3, "epochs": 10}], ids=["one", "hinge", "three"]
)
def test_a_planted_signal_is_found_nearly_as_well_as_it_can_be(
    describe, tmp_path: Path, planted: dl.DataSet, options: dict[str, object]
) -> None:
    model = trained(describe, tmp_path, planted, DAY, **options)
    predicted, came, signal = unseen(model, planted)
    best = best_shares(signal)
    actual = DAY.classify(came.to_numpy())
    possible = (best.argmax(axis=1) == actual).mean()
    assert possible > 0.7
    assert (predicted["day"] == actual).mean() > possible - 0.025
    found = model.evaluation
    assert found.beats()[0] == "most frequent class"
    assert {"last value", "last return's sign", "below 10-day mean"} < set(found.beats())
    assert "ridge" in {each.rule for each in found.comparisons()}
    assert found.scores()[1].accuracy > possible - 0.05
    if "class_loss" not in options:
        shares = predicted[[f"day [{label}]" for label in DAY.labels]].to_numpy()
        assert np.abs(shares - best).mean() < 0.03


def test_the_accuracy_of_the_history_is_that_of_the_evaluation(
    describe, tmp_path: Path, planted: dl.DataSet
) -> None:
    model = trained(describe, tmp_path, planted, SIDES, epochs=4)
    history = model.history.set_index("epoch")
    outside = model.evaluation.scores()[1]
    assert outside.accuracy == pytest.approx(
        history.loc[model.best_epoch, "out_of_sample_accuracy"], abs=1e-6
    )
    assert outside.log_loss == pytest.approx(history.loc[model.best_epoch, "out_of_sample_loss"], rel=1e-4)


def test_outputs_of_all_kinds_learn_side_by_side(describe, tmp_path: Path, planted: dl.DataSet) -> None:
    model = trained(describe, tmp_path, planted, NUMBER, DAY, SIDES, LEVELS)
    predicted, came, signal = unseen(model, planted)
    actual = DAY.classify(came.to_numpy())
    assert (predicted["day"] == actual).mean() > (best_shares(signal).argmax(axis=1) == actual).mean() - 0.03
    clear = actual != 1
    assert (predicted["sides"][clear] == (actual[clear] == 2)).mean() > 0.95
    assert np.corrcoef(predicted["number"], signal)[0, 1] > 0.99
    for level in (0.1, 0.5, 0.9):
        assert (came < predicted[f"levels [q {level:g}]"]).mean() == pytest.approx(level, abs=0.05)
    assert model.evaluation.scores("levels")[0].below == pytest.approx([0.1, 0.5, 0.9], abs=0.04)
    assert [model.evaluation.beats(name) != () for name in ("number", "day", "sides", "levels")] == [True] * 4


def test_where_there_is_nothing_to_know_the_verdict_says_so(describe, tmp_path: Path) -> None:
    rng = np.random.default_rng(7)
    dataset = dl.DataSet.from_frames(
        "walk", {"MADE": bars_of(rng.standard_normal(2500), rng.standard_normal(2500))}
    )
    model = trained(describe, tmp_path, dataset, DAY, epochs=5)
    assert model.evaluation.beats() == ()
    assert "beats nothing" in model.evaluation.verdict
