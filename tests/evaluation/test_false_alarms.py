"""How often the verdict is wrong, without any training: thousands of panels."""

import numpy as np
import pytest
from scipy.stats import binom

from dlplugin.evaluation.claims import beaten_rules
from dlplugin.evaluation.comparison import Comparison, comparisons_of
from dlplugin.evaluation.results import OutputResult
from dlplugin.evaluation.rules import directions, rule_predictions
from dlplugin.evaluation.values import OutputSamples

NOMINAL = 0.025


def compared(made) -> tuple[Comparison, ...]:
    """What `evaluate` compares on a panel, without the figures that it does not need for it."""
    span, (output,) = made.out_of_sample, made.outputs
    rules = rule_predictions(made.in_sample, [span], output.look_ahead, made.scale)[0]
    samples = OutputSamples(
        span="out-of-sample",
        times=span.times,
        symbols=span.symbols,
        predicted=span.predicted[:, 0],
        actual=span.actual[:, 0],
        by_rule={rule: values[:, 0] for rule, values in rules.items()},
        volatility=np.zeros(len(span)),
        overlap=output.look_ahead,
        sides=directions([made.in_sample, span])[1],
    )
    average = np.full(len(span), span.predicted.mean())
    return comparisons_of(samples, average, float(made.scale[0]))


def credited(found: tuple[Comparison, ...]) -> bool:
    return bool(beaten_rules(OutputResult((), found, {})))


@pytest.mark.slow
@pytest.mark.parametrize("look_ahead", [1, 5, 20])
@pytest.mark.parametrize("model", ["noise", "overfit", "constant", "boundary"])
def test_false_alarms_are_at_most_nominal(panel, look_ahead: int, model: str) -> None:
    panels, r_squared = 1000, 0.02 if model == "boundary" else 0.0
    found = []
    for seed in range(panels):
        drift = 0.05 * (seed % 2)
        made = panel(seed, look_ahead, (400, 240), r_squared, model, symbols=4, drift=drift)
        found.append(compared(made))
    share = sum(map(credited, found)) / panels
    alone = {
        each.rule: sum(other[index].beaten for other in found) / panels
        for index, each in enumerate(found[0][:3])
    }
    print(f"\n{model}, {look_ahead} ahead: {100 * share:.1f} % credited; each constant alone: {alone}")
    assert share <= binom.ppf(0.99, panels, NOMINAL) / panels  # 3.7 %


def test_of_models_at_the_boundary_some_are_credited_and_of_noise_next_to_none(panel) -> None:
    """So that the study above can fail: it would see a verdict that is too easy."""
    at = [compared(panel(seed, 1, (60, 60), 0.05, "boundary", symbols=2)) for seed in range(60)]
    assert sum(any(each.beaten for each in found[:3]) for found in at) >= 1
    assert sum(map(credited, at)) <= 6


@pytest.mark.slow
@pytest.mark.parametrize(
    ("r_squared", "days", "share"),
    [(0.01, 460, 0.9), (0.005, 460, 0.63), (0.002, 460, 0.24), (0.01, 92, 0.18)],
)
def test_the_best_forecast_is_credited_as_often_as_is_said(panel, r_squared, days, share) -> None:
    panels = [panel(seed, 1, (3 * days, days), r_squared, "truth") for seed in range(200)]
    found = sum(credited(compared(made)) for made in panels)
    print(f"\n{100 * r_squared:g} % of the variance, {days} days: credited in {found / 2:.1f} %")
    low, high = binom.ppf([0.005, 0.995], 200, share)
    assert low <= found <= high
