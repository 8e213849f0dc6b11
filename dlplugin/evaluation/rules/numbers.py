"""The trivial rules for outputs that are numbers, fitted on in-sample rows only."""

import numpy as np

from dlplugin.evaluation.rules.ridge import fit_ridge
from dlplugin.evaluation.values import FloatArray, SpanValues

__all__ = ["RULES", "rule_predictions"]

RULES = ("in-sample mean", "zero", "ridge")


def rule_predictions(
    in_sample: SpanValues, spans: tuple[SpanValues, ...], look_ahead: int, output_scale: FloatArray
) -> list[dict[str, FloatArray]]:
    """What each trivial rule predicts on each span, fitted to the scaled outputs as the model is.

    Args:
        in_sample: What the rules are fitted on; one sample at least.
        spans: What they predict.
        look_ahead: Bars, the largest of the outputs.
        output_scale: (O,) what divides each output where one scaling serves all symbols.

    Returns:
        One dictionary a span: rule -> (S, O) in the outputs' own units.
    """
    center, scale = in_sample.units(output_scale)
    scaled = (in_sample.actual - center) / scale
    mean = scaled.mean(axis=0)
    ridge = fit_ridge(in_sample.inputs, scaled, in_sample.times, in_sample.reach(look_ahead))
    predictions = []
    for span in spans:
        center, scale = span.units(output_scale)
        predictions.append(
            {
                "in-sample mean": mean * scale + center,
                "zero": np.zeros(span.actual.shape),
                "ridge": ridge.predict(span.inputs) * scale + center,
            }
        )
    return predictions
