"""A trained model on samples to an evaluation."""

from typing import TYPE_CHECKING

import numpy as np

from dlplugin.evaluation.evaluation import Evaluation, evaluate
from dlplugin.evaluation.values import SpanValues
from dlplugin.samples import Samples

if TYPE_CHECKING:
    from dlplugin.prediction import Predictor

__all__ = ["evaluate_samples"]

MOST_RIDGE_INPUTS = 1_000  # its memory grows with the square of them, its time with the cube


def evaluate_samples(samples: Samples, predictor: "Predictor", selected: bool) -> Evaluation:
    """Predicts the in-sample and out-of-sample samples and scores them; the holdout stays closed.

    Args:
        samples: Scaled as the predictor's training scaled them.
        predictor: Of the trained model.
        selected: Whether the out-of-sample span chose the weights or the epoch at which training stopped.

    Returns:
        The evaluation. Its losses have the unit of the training curves, but a clip= on an output is not
        applied to what came. Ridge sees all the numbers that the network sees, or the newest
        1,000 of them when there are more.
    """
    values = {name: _span_values(samples, predictor, name) for name in samples.rows if name != "holdout"}
    scale = samples.output_scaling.scale.mean(axis=0)  # where outputs are scaled by symbol, not used
    outputs = samples.definition.outputs
    return evaluate(
        outputs,
        scale,
        values["in-sample"],
        values.get("out-of-sample"),
        selected,
        "holdout" in samples.spans,
        samples.spans.note,
    )


def _span_values(samples: Samples, predictor: "Predictor", name: str) -> SpanValues:
    rows = samples.rows[name]
    rows = rows[np.lexsort((samples.owner[rows], samples.times[rows]))]
    predicted = np.empty((len(rows), samples.actual.shape[1]))
    for index, symbol in enumerate(samples.symbols):
        mine = samples.owner[rows] == index
        predicted[mine] = predictor.predict_rows(samples.matrix, rows[mine], symbol)
    newest = np.sort(np.argsort(samples.layout.back, kind="stable")[:MOST_RIDGE_INPUTS])
    back, column = samples.layout.back[newest], samples.layout.column[newest]
    scaling, symbols = samples.output_scaling, np.array(samples.symbols)[samples.owner[rows]]
    groups = [scaling.symbols.index(symbol) for symbol in symbols] if scaling.symbols else None
    return SpanValues(
        times=samples.times[rows],
        symbols=symbols,
        inputs=samples.matrix[rows[:, None] - back, column],
        predicted=predicted,
        actual=samples.actual[rows],
        center=None if groups is None else scaling.center[groups],
        scale=None if groups is None else scaling.scale[groups],
    )
