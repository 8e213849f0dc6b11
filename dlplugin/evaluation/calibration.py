"""Whether a prediction of one means one: the line through what came against what was predicted."""

from dataclasses import dataclass

from dlplugin.evaluation.plain import Number

__all__ = ["Calibration"]


@dataclass(frozen=True)
class Calibration:
    """Least squares of the actual values on the predictions; perfect is a slope of 1 and an intercept of 0.

    Attributes:
        slope: NaN for constant predictions.
        slope_error: Its standard error.
        intercept: In the output's unit.
        intercept_error: Its standard error.
        monotonicity: Rank correlation of the predicted tenths (of equal count) with their average actual
            values: 1 where each tenth came out above the one below.
    """

    slope: Number
    slope_error: Number
    intercept: Number
    intercept_error: Number
    monotonicity: Number
