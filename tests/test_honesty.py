"""A signal that is there is found, and where there is none the report says so."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import dlplugin as dl


def bars_of(returns: np.ndarray, signal: np.ndarray | None = None) -> pd.DataFrame:
    """Daily bars whose close-to-close percent changes are `returns`; the signal is an extra column."""
    close = 100 * np.cumprod(1 + returns / 100)
    before = np.concatenate([[100.0], close[:-1]])
    frame = pd.DataFrame(
        {
            "open": before,
            "high": np.maximum(before, close) * 1.001,
            "low": np.minimum(before, close) * 0.999,
            "close": close,
            "volume": 1e6,
        },
        index=pd.bdate_range("2000-01-03", periods=len(returns), name="date"),
    )
    return frame if signal is None else frame.assign(signal=signal)


def best_forecast(signal: np.ndarray) -> np.ndarray:
    """The part of the next return that can be known."""
    return 0.6 * np.tanh(2 * signal)


def planted(seed: int, bars: int = 6000) -> pd.DataFrame:
    """Bars whose next return is a curve of today's signal, and noise of variance 1."""
    rng = np.random.default_rng(seed)
    signal = rng.standard_normal(bars)
    returns = rng.standard_normal(bars)
    returns[1:] += best_forecast(signal[:-1])
    return bars_of(returns, signal)


def r_squared(model: dl.Model, dataset: dl.DataSet, span: str) -> tuple[float, float]:
    """Of the model, and of the best forecast there is, on the same days; against the mean of what came."""
    came, predicted, best = [], [], []
    for symbol in dataset:
        bars = dataset[symbol]
        inside = bars.index.to_series().shift(-1).between(model.spans[span].start, model.spans[span].end)
        came.append((bars["close"].pct_change().shift(-1) * 100)[inside])
        predicted.append(model.predict(bars).iloc[:, 0][inside])
        best.append(pd.Series(best_forecast(bars["signal"].to_numpy()), bars.index)[inside])
    actual = np.concatenate(came)
    total = np.square(actual - actual.mean()).sum()
    found, possible = (
        1 - np.square(actual - np.concatenate(part)).sum() / total for part in (predicted, best)
    )
    return float(found), float(possible)


def test_at_least_nine_tenths_of_a_planted_signal_are_found_out_of_sample_and_in_the_holdout(
    tmp_path: Path,
) -> None:
    dataset = dl.DataSet.from_frames("planted", {f"S{seed}": planted(seed) for seed in range(4)})
    model = dl.Model(
        "planted",
        inputs=[dl.Input("signal", depth=2), "ROC(5)"],
        outputs=[dl.Output("ROC(1)", look_ahead=1)],
        engine=dl.MLP(hidden=[16]),
        store=tmp_path,
    )
    model.train(dataset, options=dl.TrainingOptions(epochs=150, auto_stop=30, learning_rate=0.003))
    known = best_forecast(np.concatenate([dataset[symbol]["signal"] for symbol in dataset])).var()
    best = known / (known + 1.0)
    assert 0.15 < best < 0.25
    for span in ("out-of-sample", "holdout"):
        found, possible = r_squared(model, dataset, span)
        assert possible == pytest.approx(best, abs=0.03)
        assert found >= 0.9 * best
        assert 0.97 * possible <= found <= 1.01 * possible
    scores = model.evaluation.scores()[1].by_rule
    assert scores["model"].r_squared == pytest.approx(
        r_squared(model, dataset, "out-of-sample")[0], abs=0.002
    )
    assert scores["model"].r_squared > scores["ridge"].r_squared + 0.02
    assert model.evaluation.beats() == (
        "in-sample mean",
        "zero",
        "last value",
        "last return's sign",
        "above 10-day mean",
        "ridge",
    )


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_on_a_random_walk_the_report_says_that_nothing_was_beaten(tmp_path: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    dataset = dl.DataSet.from_frames("walk", {f"S{i}": bars_of(rng.standard_normal(1500)) for i in range(3)})
    model = dl.Model(
        "walk",
        inputs=[dl.Input("RSI(14)", depth=3), dl.Input("ROC(5)", depth=3), "close / SMA(20) - 1"],
        outputs=[dl.Output("ROC(5)", look_ahead=5)],
        store=tmp_path,
    )
    model.train(dataset, options=dl.TrainingOptions(epochs=20))
    assert model.evaluation.beats() == ()
    assert model.evaluation.verdict.startswith("The model beats nothing")


@pytest.mark.parametrize("pooled", [True, False])
def test_noise_does_not_beat_the_rules_because_it_is_told_each_symbols_level(
    tmp_path: Path, pooled: bool
) -> None:
    rng = np.random.default_rng(5)
    calm_to_wild = [0.3, 1.0, 3.0]
    frames = {
        f"S{size}": bars_of(size * rng.standard_normal(1500), rng.standard_normal(1500))
        for size in calm_to_wild
    }
    model = dl.Model(
        "noise",
        inputs=["signal"],
        outputs=[dl.Output("abs(ROC(1))", look_ahead=1, pooled=pooled)],
        store=tmp_path,
    )
    run = model.train(dl.DataSet.from_frames("noisy", frames), options=dl.TrainingOptions(epochs=30))
    assert model.evaluation.beats() == ()
    assert model.evaluation.loss() == pytest.approx(run.history["out_of_sample_loss"].min(), rel=1e-5)
    assert model.evaluation.scores()[0].by_rule["in-sample mean"].loss == pytest.approx(1.0)
    assert (model.evaluation.scores()[0].by_rule["in-sample mean"].correlation > 0.3) == (not pooled)


def test_noise_does_not_beat_the_constants_where_the_level_of_the_output_has_fallen(tmp_path: Path) -> None:
    """A model that has learned little is nearer to the calm years to come than the in-sample mean is."""
    frames = {}
    for seed in range(3):
        rng = np.random.default_rng(seed)
        returns = np.linspace(2.0, 0.5, 1500) * rng.standard_normal(1500)
        frames[f"S{seed}"] = bars_of(returns, rng.standard_normal(1500))
    model = dl.Model(
        "calmer",
        inputs=["signal"],
        outputs=[dl.Output("STDDEV(ROC(1), 20)", look_ahead=20)],
        store=tmp_path,
    )
    model.train(dl.DataSet.from_frames("calmer", frames), options=dl.TrainingOptions(epochs=10))
    losses = {each.rule: each.beaten for each in model.evaluation.comparisons() if each.figure == "loss"}
    assert losses["in-sample mean"]
    assert losses["zero"]
    assert not losses["model's average"]
    assert model.evaluation.beats() == ()
    assert "its own average does as well" in model.evaluation.verdict
