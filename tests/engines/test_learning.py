"""Engines learn: sequence engines what lies only in the order of the bars, and each engine 64 rows by heart.

All is trained as users train: bars, a definition, a split, a store.
"""

import io
from itertools import permutations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

import dlplugin as dl
from dlplugin.evaluation import Evaluation
from tests.engines.checking import FloatArray
from tests.training.stepping import one_thread

W = 8  # bars of a window

SEQUENCE = {
    "lstm": dl.LSTM(16),
    "gru": dl.GRU(16),
    "alstm": dl.ALSTM(16, hidden=16),
    "tcn": dl.TCN([16, 16]),
    "transformer": dl.Transformer(16, heads=2, feed_forward=32, dropout=0.0, positions="learned"),
    "patchtst": dl.PatchTST(patch=4, stride=2, width=16, heads=2, feed_forward=32, dropout=0.0),
    "tsmixer": dl.TSMixer(),
}
LINEAR = {"linear": dl.Linear(), "nlinear": dl.NLinear(), "dlinear": dl.DLinear(3)}


def told_by_order(windows: FloatArray) -> FloatArray:
    """(S, W) to (S,): how alike neighbours are, less how alike bars two apart are.

    Its mean over all orders of the same values is 0, since every pair of values then comes as often in one
    part as in the other: what a window holds tells nothing, only in which order. And it has no linear
    part: each term is a product of two independent values of mean 0.
    """
    near = (windows[:, 1:] * windows[:, :-1]).mean(axis=1)
    far = (windows[:, 2:] * windows[:, :-2]).mean(axis=1)
    told: FloatArray = near - far
    return told


def bars_of(windows: FloatArray, targets: FloatArray) -> pd.DataFrame:
    """Bars with windows (S, W, F) one after another in extra columns, each with its target one bar later.

    No window overlaps another one: at all other bars the target is unknown, and there is no sample.
    """
    S, width, F = windows.shape
    T = S * width + 1
    close = 100 + np.sin(np.arange(T))
    columns = np.append(windows.reshape(-1, F), np.zeros((1, F)), axis=0)
    target = np.full(T, np.nan)
    target[width::width] = targets
    return pd.DataFrame(
        {"open": close, "high": close + 1, "low": close - 1, "close": close, "volume": 1e6}
        | {f"signal_{f}": columns[:, f] for f in range(F)}
        | {"target": target},
        index=pd.bdate_range("1990-01-01", periods=T, name="date"),
    )


def ordered_bars(samples: int, seed: int, shuffled: bool) -> pd.DataFrame:
    """Windows of one input and what their order tells; shuffled, each window has lost its order."""
    rng = np.random.default_rng(seed)
    windows = rng.uniform(-1, 1, (samples, W))
    seen = rng.permuted(windows, axis=1) if shuffled else windows
    return bars_of(seen[..., None], told_by_order(windows))


def evaluated(
    store: Path,
    engine: object,
    frames: dict[str, pd.DataFrame],
    depth: int,
    split: dl.Split,
    options: dl.TrainingOptions,
) -> Evaluation:
    """Of the last weights of a training, so that no span has chosen them."""
    inputs = [
        dl.Input(name, depth=depth) for name in next(iter(frames.values())) if name.startswith("signal")
    ]
    outputs = [dl.Output("target", look_ahead=1)]
    model = dl.Model("learner", inputs, outputs, engine, store=store)  # type: ignore[arg-type]
    with one_thread():
        model.train(dl.DataSet.from_frames("made", frames), split, options, Console(file=io.StringIO()))
    return model.evaluation


def out_of_sample(
    store: Path, engine: object, samples: int, epochs: int, shuffled: bool = False, seed: int = 0
) -> dict[str, float]:
    """R² of the model and of the trivial rules on the last three tenths of the windows."""
    frames = {f"S{i}": ordered_bars(samples // 4, 100 * seed + i, shuffled) for i in range(4)}
    options = dl.TrainingOptions(
        epochs=epochs, auto_stop=None, save_point="last", batch_size=64, learning_rate=0.005, seed=seed
    )
    found = evaluated(store, engine, frames, W, dl.Split(0.7, 0.3), options)
    return {rule: score.r_squared for rule, score in found.scores()[1].by_rule.items()}


def test_what_is_to_be_learned_lies_only_in_the_order() -> None:
    values = np.random.default_rng(0).uniform(-1, 1, 6)
    orders = np.array(list(permutations(values)))
    told = told_by_order(orders)
    assert abs(told.mean()) < 1e-12
    assert told.std() > 0.1
    bars = ordered_bars(50, 3, shuffled=True)["signal_0"].to_numpy()[:-1].reshape(50, W)
    kept = ordered_bars(50, 3, shuffled=False)["signal_0"].to_numpy()[:-1].reshape(50, W)
    assert (np.sort(bars, axis=1) == np.sort(kept, axis=1)).all()
    assert (bars != kept).any(axis=1).all()


@pytest.mark.parametrize("name", ["lstm", "tsmixer"])
def test_a_sequence_engine_learns_what_lies_only_in_the_order(tmp_path: Path, name: str) -> None:
    scores = out_of_sample(tmp_path, SEQUENCE[name], samples=1000, epochs=40)
    assert abs(scores["ridge"]) < 0.1
    assert scores["model"] > 0.5


def test_a_linear_engine_learns_nothing_of_the_order(tmp_path: Path) -> None:
    scores = out_of_sample(tmp_path, dl.Linear(), samples=1000, epochs=40)
    assert abs(scores["model"]) < 0.1


@pytest.mark.slow
@pytest.mark.parametrize("name", SEQUENCE)
def test_each_sequence_engine_learns_the_order_and_nothing_where_it_is_lost(
    tmp_path: Path, name: str
) -> None:
    found = out_of_sample(tmp_path / "kept", SEQUENCE[name], samples=2000, epochs=60)
    assert abs(found["ridge"]) < 0.05
    assert found["model"] > 0.7
    lost = out_of_sample(tmp_path / "lost", SEQUENCE[name], samples=2000, epochs=60, shuffled=True)
    assert lost["model"] < 0.05


@pytest.mark.slow
@pytest.mark.parametrize("name", LINEAR)
def test_each_linear_engine_learns_nothing_of_the_order(tmp_path: Path, name: str) -> None:
    assert abs(out_of_sample(tmp_path, LINEAR[name], samples=2000, epochs=60)["model"]) < 0.05


BY_HEART: dict[str, object] = (
    SEQUENCE
    | LINEAR
    | {"mlp": dl.MLP([64]), "mlp-residual": dl.MLP([64], blocks="residual")}
    | {"mlp-gated": dl.MLP([64], blocks="gated")}
    | {"tcn": dl.TCN([16, 16, 16])}  # 16 bars want a third block
)


def unlearned(store: Path, engine: object, epochs: int, seed: int = 0) -> float:
    """Mean squared error over the variance, of 64 windows of random numbers with random targets.

    16 bars of 8 inputs are 128 numbers, so that a linear map can tell 64 windows apart.
    """
    rng = np.random.default_rng(seed)
    bars = bars_of(rng.standard_normal((64, 16, 8)), rng.standard_normal(64))
    options = dl.TrainingOptions(
        epochs=epochs, auto_stop=None, save_point="last", batch_size="full", optimizer="adam", learning_rate=0.01, seed=seed
    )  # fmt: skip
    found = evaluated(store, engine, {"S": bars}, 16, dl.Split(1.0, 0.0), options)
    (score,) = found.scores()
    assert score.samples == 64
    return 1 - score.by_rule["model"].r_squared


@pytest.mark.parametrize("name", ["linear", "mlp-gated"])
def test_an_engine_learns_64_rows_by_heart(tmp_path: Path, name: str) -> None:
    assert unlearned(tmp_path, BY_HEART[name], epochs=75) < 0.01


@pytest.mark.slow
@pytest.mark.parametrize("name", BY_HEART)
def test_each_engine_learns_64_rows_by_heart(tmp_path: Path, name: str) -> None:
    assert unlearned(tmp_path, BY_HEART[name], epochs=120) < 0.01
