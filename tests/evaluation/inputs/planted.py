"""Symbols whose next value is made of known columns, and networks with weights that a test has chosen."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

import dlplugin as dl
from dlplugin.definition import Definition
from dlplugin.engines import build_network
from dlplugin.prediction import Predictor
from dlplugin.samples import Samples, build_samples, resolve_split


def planted_data(
    coefficients: dict[str, float],
    noise: float = 1.0,
    bars: int = 400,
    symbols: int = 3,
    copies: dict[str, tuple[str, float]] | None = None,
    seed: int = 0,
) -> dl.DataSet:
    """The column y of the next bar is the sum of standard normal columns and noise.

    Args:
        coefficients: Column to what it counts.
        noise: Standard deviation of the rest.
        bars: A symbol.
        symbols: How many.
        copies: Column to the one it copies, and the standard deviation of its own noise.
        seed: Of all.
    """
    random = np.random.default_rng(seed)
    index = pd.bdate_range("2015-01-01", periods=bars)
    frames = {}
    for symbol in range(symbols):
        columns = {name: random.standard_normal(bars) for name in coefficients}
        for name, (copied, own) in (copies or {}).items():
            columns[name] = columns[copied] + own * random.standard_normal(bars)
        known = sum(weight * columns[name] for name, weight in coefficients.items())
        y = np.zeros(bars)
        y[1:] = known[:-1]
        close = 100 * np.exp(np.cumsum(0.001 * random.standard_normal(bars)))
        prices = {"open": close, "high": close, "low": close, "close": close, "volume": np.full(bars, 1e6)}
        frames[f"S{symbol}"] = pd.DataFrame(
            {**prices, **columns, "y": y + noise * random.standard_normal(bars)}, index=index
        )
    return dl.DataSet.from_frames("planted", frames)


def samples_of(definition: Definition, dataset: dl.DataSet, split: dl.Split | None = None) -> Samples:
    return build_samples(definition, dataset, resolve_split(dataset, split or dl.Split(0.5, 0.3)))


def linear(
    inputs: Sequence[dl.Input | str], outputs: Sequence[dl.Output] = (dl.Output("y", look_ahead=1),)
) -> Definition:
    return Definition("planted", list(inputs), list(outputs), "linear")


def linear_predictor(samples: Samples, *weights: Sequence[Sequence[float]]) -> Predictor:
    """A linear network with (D, N) weights of each of K networks, in scaled units, and no biases."""
    given = np.array(weights, dtype=np.float32)
    return Predictor(
        samples.definition,
        samples.input_scaling,
        samples.output_scaling,
        {"output.weight": given, "output.bias": np.zeros((len(given), 1, given.shape[2]), dtype=np.float32)},
    )


def random_predictor(samples: Samples, networks: int = 1, seed: int = 0, **more: str) -> Predictor:
    """A network that was never trained."""
    network = build_network(samples.definition, networks, seed)
    weights = {name: value.numpy() for name, value in network.state_dict().items()}
    return Predictor(samples.definition, samples.input_scaling, samples.output_scaling, weights, **more)
