"""What is known at the close of a bar, against one bar at a time."""

import itertools
import math
import statistics

import numpy as np
import pytest

import dlplugin as dl
from dlplugin.definition import Definition, Split
from dlplugin.errors import DLPluginWarning
from dlplugin.evaluation.market import market_of
from dlplugin.samples import Samples, build_samples, resolve_split
from tests.test_honesty import bars_of


def samples_of(frames: dict, price: str = "close") -> Samples:
    outputs = (dl.Output("ROC(3)", look_ahead=3), dl.Output("high / low - 1", look_ahead=1))
    definition = Definition("m", inputs=(dl.Input("ROC(1)"),), outputs=outputs, engine=dl.MLP())
    dataset = dl.DataSet.from_frames("made", frames)
    return build_samples(definition, dataset, resolve_split(dataset, Split(0.6, 0.2)))


@pytest.fixture(scope="module")
def frames() -> dict:
    made = {}
    for number, bars in enumerate((70, 90)):
        frame = bars_of(np.random.default_rng(number).standard_normal(bars))
        made[f"S{number}"] = frame.assign(adj_close=frame["close"] * np.linspace(0.5, 1, bars))
    return made


def test_returns_sides_and_volatilities_are_those_of_adjusted_closes_bar_by_bar(frames) -> None:
    samples = samples_of(frames)
    found = market_of(samples)
    row = 0
    for frame in frames.values():
        prices = frame["adj_close"].tolist()
        returns = [math.nan] + [100 * (b / a - 1) for a, b in itertools.pairwise(prices)]
        for t, price in enumerate(prices):
            assert found.last_return[row] == pytest.approx(returns[t], nan_ok=True)
            mean = math.nan if t < 9 else sum(prices[t - 9 : t + 1]) / 10
            side = math.nan if t < 9 else 1.0 if price > mean else -1.0
            assert found.side[row] == pytest.approx(side, nan_ok=True)
            volatility = math.nan if t < 20 else statistics.stdev(returns[t - 19 : t + 1])
            assert found.volatility[row] == pytest.approx(volatility, nan_ok=True)
            row += 1
    assert row == len(samples.price)


def test_the_current_value_is_the_outputs_indicator_at_that_bar(frames) -> None:
    samples = samples_of(frames)
    found = market_of(samples)
    row = 0
    for frame in frames.values():
        closes = frame["close"].tolist()
        for t in range(len(closes)):
            change = math.nan if t < 3 else 100 * (closes[t] / closes[t - 3] - 1)
            assert found.current[row, 0] == pytest.approx(change, nan_ok=True)
            reach = math.nan if t < 1 else frame["high"].iloc[t] / frame["low"].iloc[t] - 1
            assert found.current[row, 1] == pytest.approx(reach, nan_ok=True)
            row += 1


def test_a_price_that_does_not_move_is_on_its_mean() -> None:
    made = {}
    for number in range(20):
        returns = np.random.default_rng(number).standard_normal(70)
        returns[30:42] = 0
        made[f"S{number:02}"] = bars_of(returns)
    with pytest.warns(DLPluginWarning, match="same prices in 12 bars"):
        found = market_of(samples_of(made))
    for first in range(0, 20 * 70, 70):
        assert found.side[first + 37] != 0
        assert (found.side[first + 38 : first + 42] == 0).all()
        assert (found.last_return[first + 30 : first + 42] == 0).all()


def test_without_adjusted_closes_the_closes_count(frames) -> None:
    bare = {name: frame.drop(columns="adj_close") for name, frame in frames.items()}
    samples = samples_of(bare)
    np.testing.assert_array_equal(samples.price, np.concatenate([frame["close"] for frame in bare.values()]))
