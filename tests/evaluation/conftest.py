"""Panels of several symbols: random walks, or returns of which a known share is predictable."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from dlplugin.evaluation import SpanValues


@dataclass(frozen=True)
class NamedOutput:
    name: str
    look_ahead: int


@dataclass(frozen=True)
class Panel:
    outputs: list[NamedOutput]
    scale: np.ndarray
    in_sample: SpanValues
    out_of_sample: SpanValues


def days_from(start: str, count: int) -> np.ndarray:
    return np.datetime64(start, "ns") + np.arange(count) * np.timedelta64(1, "D")


def make_panel(
    seed: int,
    look_ahead: int = 1,
    days: tuple[int, int] = (600, 200),
    r_squared: float = 0.0,
    model: str = "noise",
    symbols: int = 11,
    drift: float = 0.0,
) -> Panel:
    """Sums of the next `look_ahead` returns, with a factor common to all symbols, and 6 inputs.

    With `r_squared` above 0 the first input predicts that share of the next return's variance. The model is
    "noise" (of small amplitude), "overfit" (least squares on 40 in-sample samples), "constant" (near the
    mean, but for some noise), "truth", or "boundary": twice the truth, whose loss is exactly a constant's, so
    that as many are credited as ever can be of models that beat no constant. The drift is that of each return, whose deviation is 1.
    """
    random = np.random.default_rng(seed)
    T = sum(days)
    known = random.standard_normal((T + look_ahead, symbols, 6))
    common = random.standard_normal((T + look_ahead, 1))
    own = random.standard_normal((T + look_ahead, symbols))
    returns = drift + 0.6 * common + 0.8 * own
    returns[1:] = np.sqrt(1 - r_squared) * returns[1:] + np.sqrt(r_squared) * known[:-1, :, 0]
    walk = np.cumsum(returns, axis=0)
    actual = walk[look_ahead:] - walk[:-look_ahead]
    known = known[:T]
    last_return = returns[:T]
    walk = walk[:T]
    average = np.stack(
        [np.full_like(walk[0], np.nan)] * 9 + [walk[t - 9 : t + 1].mean(axis=0) for t in range(9, T)]
    )
    current = np.concatenate([np.full((look_ahead, symbols), np.nan), actual[: T - look_ahead]])
    if model == "noise":
        predicted = 0.1 * np.sqrt(look_ahead) * random.standard_normal((T, symbols))
    elif model == "overfit":
        rows = known[:40, 0], actual[:40, 0]
        predicted = known @ np.linalg.lstsq(*rows, rcond=None)[0]
    elif model == "constant":
        spread = np.sqrt(look_ahead) * np.array([0.05, 0.002])
        offset, own = random.standard_normal(), random.standard_normal((T, symbols))
        predicted = look_ahead * drift + spread[0] * offset + spread[1] * own
    elif model == "boundary":
        predicted = look_ahead * drift + 2 * np.sqrt(r_squared) * known[:, :, 0]
    else:
        predicted = np.sqrt(r_squared) * known[:, :, 0]
    times = days_from("2001-01-01", T)
    names = np.array([f"S{i:02}" for i in range(symbols)])

    def span(first: int, last: int) -> SpanValues:
        return SpanValues(
            times=np.repeat(times[first:last], symbols),
            symbols=np.tile(names, last - first),
            inputs=known[first:last].reshape(-1, 6).astype(np.float32),
            predicted=predicted[first:last].reshape(-1, 1),
            actual=actual[first:last].reshape(-1, 1),
            last_return=last_return[first:last].ravel(),
            side=np.sign(walk - average)[first:last].ravel(),
            current=current[first:last].reshape(-1, 1),
        )

    in_sample, out_of_sample = span(0, days[0] - look_ahead), span(days[0], T - look_ahead)
    output = NamedOutput(f"ROC({look_ahead})", look_ahead)
    return Panel([output], in_sample.actual.std(axis=0), in_sample, out_of_sample)


@pytest.fixture
def panel() -> Callable[..., Panel]:
    return make_panel


@pytest.fixture
def named_output() -> type[NamedOutput]:
    return NamedOutput


@pytest.fixture
def one_symbol() -> Callable[..., SpanValues]:
    """A span of one symbol from (S,) or (S, O) predicted and actual values."""

    def build(predicted: object, actual: object, start: str = "2001-01-01") -> SpanValues:
        columns = [np.asarray(values, dtype=np.float64) for values in (predicted, actual)]
        columns = [values[:, None] if values.ndim == 1 else values for values in columns]
        S = len(columns[0])
        inputs = np.random.default_rng(0).standard_normal((S, 2)).astype(np.float32)
        return SpanValues(days_from(start, S), np.full(S, "A"), inputs, columns[0], columns[1])

    return build
