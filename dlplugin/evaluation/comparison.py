"""Whether a model's loss is below a trivial rule's by more than chance: days, not samples, are counted."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dlplugin.evaluation.plain import Number
from dlplugin.evaluation.uncertainty import CONFIDENT, mean_with_error
from dlplugin.evaluation.values import FloatArray

__all__ = ["Comparison", "compare"]


@dataclass(frozen=True)
class Comparison:
    """A trivial rule's loss less the model's, out of sample; for classes, the model's accuracy less the rule's.

    Attributes:
        rule: The trivial rule.
        difference: Mean over the samples; above 0 when the model is the better one.
        standard_error: Of the difference; NaN when there are too few timestamps to tell.
        beaten: The difference exceeds 1.96 standard errors.
    """

    rule: str
    difference: Number
    standard_error: Number
    beaten: bool

    @property
    def error(self) -> float:
        """Half the width of the 95 % interval: 1.96 standard errors."""
        return CONFIDENT * self.standard_error

    @classmethod
    def of(cls, rule: str, difference: float, standard_error: float) -> "Comparison":
        """Whether the difference is beyond its error is found here."""
        return cls(rule, difference, standard_error, bool(difference > CONFIDENT * standard_error))


def compare(
    rule: str,
    by_rule: FloatArray,
    by_model: FloatArray,
    actual: FloatArray,
    *,
    scale: FloatArray | float,
    times: NDArray[np.datetime64],
    overlap: int,
) -> Comparison:
    """Compares the squared errors of a rule and of the model, sample by sample.

    Args:
        rule: The rule's name.
        by_rule: (S,) its predictions.
        by_model: (S,) the model's predictions; one that is not finite makes the comparison NaN.
        actual: (S,) what came.
        scale: What divides the output during training; (S,) where that differs by symbol.
        times: (S,) bar t of each sample.
        overlap: Days that one output goes over; see `SpanValues.overlap`.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        # (a - r)² - (a - m)², factored: the squares may be all but equal
        differences = ((by_model - by_rule) / scale) * ((2 * actual - by_model - by_rule) / scale)
        mean, standard_error = mean_with_error(differences, times, overlap)
    return Comparison.of(rule, mean, standard_error)
