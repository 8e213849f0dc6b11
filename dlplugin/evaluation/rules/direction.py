"""Rules that look at prices alone, and say no more than up or down."""

from collections.abc import Sequence

import numpy as np

from dlplugin.evaluation.rules.names import DIRECTIONS
from dlplugin.evaluation.values import FloatArray, SpanValues

__all__ = ["PAIRS", "directions"]

PAIRS = (DIRECTIONS[:2], DIRECTIONS[2:])  # of a rule and its reverse


def directions(spans: Sequence[SpanValues]) -> list[dict[str, FloatArray]]:
    """The side that each rule takes: "last return's sign", "above 10-day mean", and the reverse of each.

    Up where the last return is above 0, or the price above the mean of its last 10 closes, today's among
    them; down where it is below; the reverse says the opposite of that.

    Args:
        spans: In-sample first: a pair is left out of all where that one has no prices.

    Returns:
        One dictionary a span: rule to (S,) 1 for up, -1 for down, 0 where nothing has moved or the history
        is too short.
    """
    found: list[dict[str, FloatArray]] = [{} for _ in spans]
    for name, (rule, reverse) in zip(("last_return", "side"), PAIRS, strict=True):
        known: list[FloatArray] = [getattr(span, name) for span in spans]
        if any(values is None for values in known) or not np.isfinite(known[0]).any():
            continue
        for each, values in zip(found, known, strict=True):
            side = np.nan_to_num(np.sign(values))
            each |= {rule: side, reverse: 0.0 - side}
    return found
