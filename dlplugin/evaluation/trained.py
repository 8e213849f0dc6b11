"""A trained model on samples to an evaluation."""

from typing import TYPE_CHECKING

import numpy as np

from dlplugin.evaluation.evaluation import Evaluation, evaluate
from dlplugin.evaluation.values import SpanValues
from dlplugin.samples import Samples

if TYPE_CHECKING:
    from dlplugin.prediction import Predictor

__all__ = ["evaluate_samples"]


def evaluate_samples(samples: Samples, predictor: "Predictor", selected: bool) -> Evaluation:
    """Predicts the in-sample and out-of-sample samples and scores them; the holdout stays closed.

    Args:
        samples: Scaled as the predictor's training scaled them.
        predictor: Of the trained model.
        selected: Whether the out-of-sample span chose the weights or the epoch at which training stopped.

    Returns:
        The evaluation; its losses have the unit of the training curves.
    """
    values = {name: _span_values(samples, predictor, name) for name in samples.rows if name != "holdout"}
    scale = samples.output_scaling.scale.mean(axis=0)  # where outputs are scaled by symbol, not used
    outputs = samples.definition.outputs
    return evaluate(outputs, scale, values["in-sample"], values.get("out-of-sample"), selected)


def _span_values(samples: Samples, predictor: "Predictor", name: str) -> SpanValues:
    rows = samples.rows[name]
    rows = rows[np.lexsort((samples.owner[rows], samples.times[rows]))]
    predicted = np.empty((len(rows), samples.actual.shape[1]))
    for index, symbol in enumerate(samples.symbols):
        mine = samples.owner[rows] == index
        predicted[mine] = predictor.predict_rows(samples.matrix, rows[mine], symbol)
    scaling, symbols = samples.output_scaling, np.array(samples.symbols)[samples.owner[rows]]
    groups = [scaling.symbols.index(symbol) for symbol in symbols] if scaling.symbols else None
    return SpanValues(
        times=samples.times[rows],
        symbols=symbols,
        inputs=samples.matrix[rows[:, None] - samples.layout.back, samples.layout.column],
        predicted=predicted,
        actual=samples.actual[rows],
        center=None if groups is None else scaling.center[groups],
        scale=None if groups is None else scaling.scale[groups],
    )
