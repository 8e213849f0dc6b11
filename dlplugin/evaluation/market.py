"""What anybody knows at the close of a bar without a model: what the trivial rules look at."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dlplugin.evaluation.values import FloatArray
from dlplugin.samples import Samples

__all__ = ["AVERAGE", "VOLATILITY", "Market", "market_of"]

AVERAGE = 10  # bars of the mean that the price is above or below
VOLATILITY = 20  # returns of which the volatility is the standard deviation
ROUNDING = 1e-13  # of the price: a mean of equal prices may differ from them by as much


@dataclass(frozen=True, eq=False)
class Market:
    """Known at the close of each bar t; NaN where the history is too short, or there are no prices.

    Attributes:
        last_return: (N,) change of the price over bar t, in percent.
        side: (N,) 1 where the price is above the mean of its last 10, bar t among them; -1 below; 0 on it.
        volatility: (N,) standard deviation of the last 20 returns, in percent.
        current: (N, O) the outputs' own indicators at bar t, in their units: what an output would be if
            nothing changed.
    """

    last_return: FloatArray
    side: FloatArray
    volatility: FloatArray
    current: FloatArray

    def of(self, rows: NDArray[np.int64]) -> "Market":
        """The same for (S,) chosen bars."""
        return Market(self.last_return[rows], self.side[rows], self.volatility[rows], self.current[rows])


def market_of(samples: Samples) -> Market:
    """Of all N stacked bars of the samples; price is adj_close where there is one, else the close."""
    last_return, side, volatility = (np.full(len(samples.price), np.nan) for _ in range(3))
    for symbol in range(len(samples.symbols)):
        mine = samples.owner == symbol
        price = samples.price[mine]
        returns = np.concatenate([[np.nan], 100 * (price[1:] / price[:-1] - 1)])[: len(price)]
        last_return[mine] = returns
        above = price - _rolling(price, AVERAGE).mean(axis=1)
        side[mine] = np.where(np.abs(above) <= ROUNDING * price, 0.0, np.sign(above))
        volatility[mine] = _rolling(returns, VOLATILITY).std(axis=1, ddof=1)
    current = np.full(samples.actual.shape, np.nan)
    for column, output in enumerate(samples.definition.outputs):
        ahead = output.look_ahead
        same = samples.owner[ahead:] == samples.owner[:-ahead]
        current[ahead:, column] = np.where(same, samples.actual[:-ahead, column], np.nan)
    return Market(last_return, side, volatility, current)


def _rolling(values: FloatArray, bars: int) -> FloatArray:
    """(T, bars) the last values up to each; NaN before the first."""
    padded = np.concatenate([np.full(bars - 1, np.nan), values])
    return np.lib.stride_tricks.sliding_window_view(padded, bars)
