"""The values of expressions over one symbol's bars, every shared step computed once."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from dlplugin.indicators.nodes import LIMIT, NAN, BarsView, FloatArray, Node

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["evaluate"]


def evaluate(roots: Sequence[Node], bars: "pd.DataFrame") -> list[FloatArray]:
    """The values of several expressions.

    Args:
        roots: Trees; steps with the same text are the same step.
        bars: T bars of one symbol.

    Returns:
        One (T,) array for each root, every value finite or NaN; a root that is shared or is a
        column may be a view, so copy before writing.

    Raises:
        UnknownNameError: The bars lack a column.
    """
    view = BarsView(bars)
    memo: dict[str, FloatArray] = {}

    def values(step: Node) -> FloatArray:
        known = memo.get(step.text)
        if known is None:
            known = _bounded(step.batch(view, *map(values, step.operands())))
            memo[step.text] = known
        return known

    with np.errstate(all="ignore"):
        return [values(root) for root in roots]


def _bounded(values: FloatArray) -> FloatArray:
    beyond = np.abs(values) > LIMIT
    return np.where(beyond, NAN, values) if beyond.any() else values
