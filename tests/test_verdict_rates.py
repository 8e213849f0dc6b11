"""How often the verdict is wrong: trainings on random walks, and on prices of which one percent can be known."""

from pathlib import Path

import numpy as np
import pytest
from rich.console import Console
from scipy.stats import binom

import dlplugin as dl
from tests.test_honesty import bars_of

QUIET = Console(quiet=True)
NOMINAL = 0.025
WALKS, PLANTED, IN_CLASSES = 200, 50, 100
DRIFT = 0.05  # of a return, whose deviation is 1: 12 % a year at a volatility of 16 %


def walk(
    seed: int, look_ahead: int, drift: float, store: Path, classes: list[float] | None = None
) -> dl.Model:
    """A model of prices that cannot be known, trained on indicators of them."""
    rng = np.random.default_rng([seed, look_ahead])
    common = 0.6 * rng.standard_normal(700)
    frames = {f"S{i}": bars_of(drift + common + 0.8 * rng.standard_normal(700)) for i in range(4)}
    model = dl.Model(
        f"walk-{seed}-{look_ahead}",
        inputs=[dl.Input("RSI(14)", depth=2), dl.Input("ROC(5)", depth=2), "close / SMA(20) - 1"],
        outputs=[dl.Output(f"ROC({look_ahead})", look_ahead=look_ahead, classes=classes)],
        store=store,
    )
    model.train(
        dl.DataSet.from_frames("walk", frames),
        options=dl.TrainingOptions(epochs=12, seed=seed),
        console=QUIET,
    )
    return model


@pytest.mark.slow
def test_the_verdict_credits_models_of_random_walks_no_more_often_than_it_says(tmp_path: Path) -> None:
    found = []
    for number in range(WALKS):
        look_ahead, drift = ((1, 0.0), (5, 0.0), (1, DRIFT), (5, DRIFT))[number % 4]
        found.append(walk(number, look_ahead, drift, tmp_path).evaluation)
    credited = sum(bool(each.beats()) for each in found)
    constants = {
        rule: sum(
            c.beaten for each in found for c in each.comparisons() if (c.rule, c.figure) == (rule, "loss")
        )
        for rule in ("in-sample mean", "zero", "model's average")
    }
    print(f'\n"beats" on {credited} of {WALKS} random walks; each constant alone: {constants}')
    assert credited <= binom.ppf(0.99, WALKS, NOMINAL)  # 11: more are found in less than 1 % of such studies
    assert sum(not each.verdict.startswith("The model beats nothing") for each in found) == credited


@pytest.mark.slow
def test_nor_models_in_classes(tmp_path: Path) -> None:
    found = []
    for number in range(IN_CLASSES):
        look_ahead, drift = ((1, 0.0), (5, 0.0), (1, DRIFT), (5, DRIFT))[number % 4]
        wide = float(np.sqrt(look_ahead))
        classes = [-0.5 * wide, 0.5 * wide] if number % 8 < 4 else [0.0]
        found.append(walk(number, look_ahead, drift, tmp_path, classes).evaluation)
    credited = sum(bool(each.beats()) for each in found)
    constant = sum(c.beaten for each in found for c in each.comparisons() if c.rule == "most frequent class")
    print(
        f'\n"beats" on {credited} of {IN_CLASSES} random walks in classes; the most frequent class alone: {constant}'
    )
    assert credited <= binom.ppf(0.99, IN_CLASSES, NOMINAL)  # 7
    assert sum(not each.verdict.startswith("The model beats nothing") for each in found) == credited


def one_percent(seed: int) -> dl.DataSet:
    """11 symbols × 2,300 days whose next return is known to one percent of its variance by an extra column."""
    rng = np.random.default_rng([seed, 7])
    common = 0.5 * rng.standard_normal(2300)
    frames = {}
    for i in range(11):
        signal = rng.standard_normal(2300)
        returns = common + np.sqrt(0.75) * rng.standard_normal(2300)
        returns[1:] = np.sqrt(0.99) * returns[1:] + 0.1 * signal[:-1]
        frames[f"S{i:02}"] = bars_of(returns, signal)
    return dl.DataSet.from_frames("planted", frames)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_one_percent_of_the_variance_is_found_in_four_of_five_studies(tmp_path: Path) -> None:
    found = []
    for seed in range(PLANTED):
        model = dl.Model(
            f"planted-{seed}",
            inputs=["signal"],
            outputs=[dl.Output("ROC(1)", look_ahead=1)],
            store=tmp_path,
        )
        model.train(
            one_percent(seed), options=dl.TrainingOptions(epochs=40, auto_stop=10, seed=seed), console=QUIET
        )
        found.append(model.evaluation)
    credited = sum(bool(each.beats()) for each in found)
    shares = [each.scores()[1].by_rule["model"].r_squared for each in found]
    print(f'\n"beats" on {credited} of {PLANTED} planted panels; R² out of sample {np.mean(shares):.4f}')
    assert 0.005 < np.mean(shares) < 0.012
    assert credited >= 0.8 * PLANTED
