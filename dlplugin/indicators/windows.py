"""How a step that looks back meets NaN: each finite stretch of its inputs is computed by itself."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np

from dlplugin.indicators.nodes import NAN, FloatArray

__all__ = ["by_stretch", "finite_stretches"]

Stretches: TypeAlias = list[tuple[int, int]]


def finite_stretches(inputs: Sequence[FloatArray]) -> Stretches:
    """Where all inputs are finite.

    Args:
        inputs: (T,) arrays of finite values and NaN.

    Returns:
        The (first, after last) positions of every run of bars without a NaN, in order.

    >>> finite_stretches([np.array([NAN, 1.0, 2.0, NAN, 3.0])])
    [(1, 3), (4, 5)]
    """
    missing = np.isnan(inputs[0])
    for values in inputs[1:]:
        missing |= np.isnan(values)
    length = len(missing)
    if not missing.any():
        return [(0, length)] if length else []
    first = int(missing.argmin())
    if missing[first]:
        return []
    if not missing[first:].any():  # the usual case: NaN only while something warms up
        return [(first, length)]
    edges = np.flatnonzero(np.diff(missing, prepend=True, append=True))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def by_stretch(
    function: Callable[..., FloatArray], inputs: Sequence[FloatArray], lookback: int
) -> FloatArray:
    """A function of whole histories, computed on each finite stretch of its inputs by itself.

    Args:
        function: From (L,) arrays without NaN to (L,) values; called with L > lookback only.
        inputs: (T,) arrays of finite values and NaN.
        lookback: Bars of each stretch that get no value.

    Returns:
        (T,) values, NaN outside the stretches and in the first `lookback` bars of each.
    """
    values = np.full(len(inputs[0]), NAN)
    for start, stop in finite_stretches(inputs):
        if stop - start > lookback:
            values[start + lookback : stop] = function(*(array[start:stop] for array in inputs))[lookback:]
    return values
