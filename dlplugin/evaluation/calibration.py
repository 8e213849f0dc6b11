"""Whether a prediction of one means one: the line through what came against what was predicted."""

import math
from dataclasses import dataclass

import numpy as np

from dlplugin.evaluation.metrics import rank_correlation
from dlplugin.evaluation.plain import Number
from dlplugin.evaluation.ranges import equal_count
from dlplugin.evaluation.uncertainty import CONFIDENT, LINE, mean_with_error
from dlplugin.evaluation.values import FloatArray, OutputSamples

__all__ = ["Calibration", "calibrate"]

TENTHS = 10
FEWEST_TENTHS = 3  # the order of two says too little


@dataclass(frozen=True)
class Calibration:
    """Least squares of the actual values on the predictions; perfect is a slope of 1 and an intercept of 0.

    Attributes:
        slope: NaN for constant predictions.
        slope_error: Its standard error.
        intercept: In the output's unit.
        intercept_error: Its standard error.
        monotonicity: Rank correlation of the predicted tenths (of equal count) with their average actual
            values: 1 where each tenth came out above the one below. NaN where ties leave less than three.
    """

    slope: Number
    slope_error: Number
    intercept: Number
    intercept_error: Number
    monotonicity: Number

    @property
    def meaning(self) -> str:
        """What the slope says, as far as its error lets it: 1 is perfect, 0 says nothing of what comes."""
        error = CONFIDENT * self.slope_error
        if math.isnan(self.slope):
            return "predictions are one value, or failed"
        if math.isnan(error):
            return "too few days to tell"
        near = [str(one) for one in (0, 1) if abs(self.slope - one) <= error]
        if near:
            return f"not told from {' or '.join(near)}"
        if self.slope < 0:
            return "below 0: the wrong way"
        return "below 1: too far out" if self.slope < 1 else "above 1: too timid"


def calibrate(samples: OutputSamples) -> Calibration:
    """The calibration of one span, with errors that count days; see `mean_with_error`.

    The influence values of slope and intercept are the samples' parts in their normal equations: with
    residuals e and x the prediction less its mean, x e / var(x) and e - mean(prediction) x e / var(x).

    Args:
        samples: One span of an output that is a number.

    Returns:
        All NaN where a prediction is not finite, or all are one value; that is also what varies by less
        than 1e-13 of the largest, or of the smallest number there is.
    """
    unknown = Calibration(math.nan, math.nan, math.nan, math.nan, math.nan)
    predicted, actual = samples.predicted, samples.actual
    if not len(samples) or not np.isfinite(predicted).all():
        return unknown
    size = float(np.abs(predicted).max())
    if float(predicted.max()) / 2 - float(predicted.min()) / 2 <= 1e-13 * size:
        return unknown
    with np.errstate(over="ignore", invalid="ignore"):
        scaled = predicted / size  # so that no square overflows or vanishes
        if not np.isfinite(scaled).all() or scaled.min() == scaled.max():
            return unknown
        center = float(scaled.mean())
        x, y = scaled - center, actual - actual.mean()
        share = x / float(x @ x / len(x))  # of the residuals in the slope
        slope = float((share * y).mean())
        residuals = y - slope * x
        intercept = float(actual.mean()) - slope * center
        errors = [
            mean_with_error(influence, samples.times, samples.overlap, LINE)[1]
            for influence in (share * residuals, residuals * (1 - center * share))
        ]
    found = (slope / size, errors[0] / size, intercept, errors[1], _monotonicity(predicted, actual))
    return Calibration(*(each if math.isfinite(each) else math.nan for each in found))


def _monotonicity(predicted: FloatArray, actual: FloatArray) -> float:
    tenth = np.searchsorted(equal_count(predicted, TENTHS), predicted, side="right")
    averages = np.array([actual[tenth == each].mean() for each in np.unique(tenth)])
    if len(averages) < FEWEST_TENTHS:
        return math.nan
    return rank_correlation(np.arange(len(averages), dtype=np.float64), averages)
