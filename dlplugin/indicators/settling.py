"""How long a function whose past fades, such as an exponential average, remembers its first bar.

Measured, not derived: one function is computed on a made-up price history from several first bars,
and held against the same function with a long history before that. The rule is the same for every
kind of function, with whatever smoothing is inside it. It is an estimate: a function that adapts to
the market (KAMA, MAMA, SAR) forgets sooner or later than on these prices.
"""

from collections.abc import Callable, Sequence

import numpy as np

from dlplugin.indicators.nodes import FloatArray

__all__ = ["FLOAT32_PRECISION", "made_up_prices", "measured_settling"]

FLOAT32_PRECISION = 2.0**-24
_LONGEST_HISTORY = 2**18  # bars; what takes longer is answered with this
_FIRST_BARS = (0, 3, 11, 29, 71)


def measured_settling(function: Callable[..., FloatArray], columns: Sequence[str], lookback: int) -> int:
    """Bars after the first value until the first bar matters less than float32's precision.

    Args:
        function: From (L,) columns to (L,) or (outputs, L) values, the first `lookback` NaN.
        columns: Names of the columns it takes, of open, high, low, close and volume.
        lookback: Bars before its first value.

    Returns:
        Bars; the difference is measured against the standard deviation of each output.
    """
    horizon = max(1024, 4 * lookback)
    while True:
        bars = made_up_prices(2 * horizon + max(_FIRST_BARS))
        settled = _last_difference(function, [bars[name] for name in columns], lookback, horizon)
        if settled <= horizon // 2 or horizon >= _LONGEST_HISTORY:
            return min(settled, _LONGEST_HISTORY)
        horizon *= 2


def _last_difference(
    function: Callable[..., FloatArray], inputs: Sequence[FloatArray], lookback: int, horizon: int
) -> int:
    long = np.atleast_2d(function(*inputs))
    spread = np.nanstd(long[:, horizon:], axis=1, keepdims=True)
    last = 0
    for offset in _FIRST_BARS:
        start = horizon + offset
        late = np.atleast_2d(function(*(values[start:] for values in inputs)))
        apart = np.abs(late - long[:, start:])[:, lookback:] > FLOAT32_PRECISION * spread
        last = max(last, 1 + int(np.flatnonzero(apart.any(axis=0))[-1]) if apart.any() else 0)
    return last


def made_up_prices(length: int) -> dict[str, FloatArray]:
    """Columns open, high, low, close and volume of a price that walks at random, always the same."""
    random = np.random.default_rng(0)
    steps, gaps, above, below, activity = random.normal(size=(5, length))
    close = 100.0 * np.exp(np.cumsum(0.01 * steps - 0.00005))
    first = np.r_[100.0, close[:-1]] * np.exp(0.002 * gaps)
    return {
        "open": first,
        "high": np.maximum(first, close) * np.exp(0.005 * np.abs(above)),
        "low": np.minimum(first, close) * np.exp(-0.005 * np.abs(below)),
        "close": close,
        "volume": 1e6 * np.exp(0.4 * activity),
    }
