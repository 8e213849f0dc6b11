"""The samples of a span with those that come in a dropped class: a model predicts these too, when it trades."""

import numpy as np

from dlplugin.samples.features import IntArray, known_inputs
from dlplugin.samples.samples import Samples
from dlplugin.samples.spans import standing

__all__ = ["rows_with_dropped"]


def rows_with_dropped(samples: Samples, span: str) -> IntArray:
    """The samples of a span, and the bars in it that would be samples if not all outputs dropped them.

    Args:
        samples: Where an output drops no class, no bar is dropped by all.
        span: Its name.

    Returns:
        (S,) stacked bars, symbol by symbol, oldest first, as `Samples.rows`.
    """
    if samples.later is not None:
        return samples.later.with_dropped[span]
    definition, spans = samples.definition, samples.spans
    if any(output.drop is None for output in definition.outputs):
        return samples.rows[span]
    others = len(spans.validation.symbols) if spans.validation.kind == "dataset" else 0
    found = [samples.rows[span]]
    for index, symbol in enumerate(samples.symbols):
        mine = np.flatnonzero(samples.owner == index)
        other = index >= len(samples.symbols) - others
        known = known_inputs(definition, samples.matrix[mine].astype(np.float64))
        known &= np.isfinite(samples.actual[mine]).all(axis=1) & np.isnan(samples.targets[mine]).all(axis=1)
        known &= standing(spans, symbol, samples.times[mine], definition.look_ahead, other)[span] >= 0
        found.append(mine[known])
    return np.sort(np.concatenate(found))
