"""Functions of a user's own, tried on made-up bars before an expression may use them."""

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from dlplugin.errors import ExpressionError
from dlplugin.indicators.causality import Leak, first_leak
from dlplugin.indicators.nodes import FloatArray
from dlplugin.indicators.own import OwnFunction, Trial
from dlplugin.indicators.probe import made_up_bars
from dlplugin.indicators.settling import FLOAT32_PRECISION
from dlplugin.indicators.signature import LONGEST

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["tried"]

_BARS = 400
_WINDOWS = 60
_CLOSE = 1e-9  # of the value: what another order of additions may change


@lru_cache(maxsize=1024)
def tried(function: OwnFunction, parameters: tuple[float, ...]) -> Trial:
    """What trying a function with parameters shows.

    Raises:
        ExpressionError: It fails, looks ahead, gives no value, or needs more bars than its lookback.
    """
    window = _window(function, parameters)
    bars = made_up_bars(_BARS + 2 * (window or 0), function.columns)[list(function.columns)]
    if function.check:
        _refuse_leak(function, parameters, bars, window)
    values = _bounded(function.values(bars.copy(), parameters))
    known = np.flatnonzero(~np.isnan(values))
    if function.check and not len(known):
        raise ExpressionError(
            f"indicator {function.name!r} gives no value on {len(bars)} made-up bars; it must give numbers"
        )
    warm_up = int(known[0]) if len(known) else 0
    if window is None:
        return Trial(None, warm_up, _settling(function, parameters, bars, values, warm_up), True)
    return Trial(window, window - 1, 0, _one_pass(function, parameters, bars, values, window))


def _window(function: OwnFunction, parameters: tuple[float, ...]) -> int | None:
    lookback = function.lookback
    if callable(lookback):
        lookback = lookback(**function.arguments(parameters))
    if lookback is None:
        return None
    if isinstance(lookback, bool) or not isinstance(lookback, int) or not 1 <= lookback <= LONGEST:
        raise ExpressionError(
            f"lookback of indicator {function.name!r} is {lookback!r}, but must be a whole number of bars from 1 "
            f"to {LONGEST}"
        )
    return lookback


def _refuse_leak(
    function: OwnFunction, parameters: tuple[float, ...], bars: "pd.DataFrame", window: int | None
) -> None:
    leak = first_leak(lambda part: function.values(part, parameters), bars, np.random.default_rng(0))
    if leak is None or (window is not None and _nearly(leak)):
        return  # with a lookback each bar can be computed by itself, where rounding depends on the rest
    raise ExpressionError(
        f"indicator {function.name!r} looks ahead: {leak}; use only the bars up to each one, or accept it with "
        "@dl.indicator(check=False)"
    )


def _nearly(leak: Leak) -> bool:
    return abs(leak.before - leak.after) <= _CLOSE * max(abs(leak.before), abs(leak.after))


def _settling(
    function: OwnFunction,
    parameters: tuple[float, ...],
    bars: "pd.DataFrame",
    values: FloatArray,
    warm_up: int,
) -> int:
    """Bars after the warm-up until a later first bar gives the same values; see `settling`."""
    settled = 0
    known = values[~np.isnan(values)]
    spread = float(known.std()) if len(known) else 0.0
    for start in (100, 137):
        late = _bounded(function.values(bars.iloc[start:].copy(), parameters))
        apart = np.abs(late - values[start:]) > FLOAT32_PRECISION * spread
        apart |= np.isnan(late) != np.isnan(values[start:])
        apart[:warm_up] = False
        if apart.any():
            settled = max(settled, int(np.flatnonzero(apart)[-1]) + 1 - warm_up)
    return settled


def _one_pass(
    function: OwnFunction,
    parameters: tuple[float, ...],
    bars: "pd.DataFrame",
    values: FloatArray,
    window: int,
) -> bool:
    """Whether the values of a whole history have the bits of each bar's own window.

    Raises:
        ExpressionError: They are other values altogether: the lookback is too short.
    """
    if not function.check:
        return False
    same = True
    for bar in np.unique(np.linspace(window - 1, len(bars) - 1, _WINDOWS).astype(int)).tolist():
        own = function.last_value(bars.iloc[bar - window + 1 : bar + 1].copy(), parameters)
        whole = float(values[bar])
        if own == whole or (own != own and whole != whole):
            continue
        if not abs(own - whole) <= _CLOSE * max(abs(own), abs(whole), 1.0):
            raise ExpressionError(
                f"indicator {function.name!r} gives {own!r} on its last {window} bars, but {whole!r} on the whole "
                "history; declare a longer lookback, or none"
            )
        same = False
    return same


def _bounded(values: FloatArray) -> FloatArray:
    return np.where(np.isfinite(values), values, np.nan)
