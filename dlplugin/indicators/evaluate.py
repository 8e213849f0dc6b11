"""The values of expressions over one symbol's bars, every shared step computed once."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from dlplugin.indicators.nodes import BarsView, FloatArray, Node

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["evaluate"]


def evaluate(
    roots: Sequence[Node], bars: "pd.DataFrame", others: "Mapping[str, pd.DataFrame] | None" = None
) -> list[FloatArray]:
    """The values of several expressions.

    Args:
        roots: Trees; steps with the same text are the same step.
        bars: T bars of one symbol.
        others: Other symbols' bars.

    Returns:
        One (T,) array for each root, every value finite or NaN; a root that is shared or is a
        column may be a view, so copy before writing.

    Raises:
        UnknownNameError: The bars lack a column.
        BarsError: The bars of another symbol are missing.
    """
    view = BarsView(bars, others)
    return [view.values(root) for root in roots]
