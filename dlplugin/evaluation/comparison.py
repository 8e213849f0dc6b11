"""Whether a model's loss is below a trivial rule's by more than chance: days, not samples, are counted."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlplugin.evaluation.values import FloatArray

__all__ = ["CONFIDENT", "Comparison", "compare", "mean_with_error"]

CONFIDENT = 1.96  # standard errors of a two-sided 95 % interval
FEWEST_TIMESTAMPS = 10
FEWEST_LOOK_AHEADS = 3  # that must fit into the span one after the other


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
    difference: float
    standard_error: float
    beaten: bool

    @property
    def error(self) -> float:
        """Half the width of the 95 % interval: 1.96 standard errors."""
        return CONFIDENT * self.standard_error

    @classmethod
    def of(cls, rule: str, difference: float, standard_error: float) -> "Comparison":
        """Whether the difference is beyond its error is found here."""
        return cls(rule, difference, standard_error, bool(difference > CONFIDENT * standard_error))

    @classmethod
    def from_dict(cls, plain: dict[str, Any]) -> "Comparison":
        """From the fields as JSON holds them; None stands for NaN."""
        numbers = {
            name: math.nan if plain[name] is None else float(plain[name])
            for name in ("difference", "standard_error")
        }
        return cls(rule=str(plain["rule"]), beaten=bool(plain["beaten"]), **numbers)


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
        overlap: Timestamps that one output goes over: its look ahead, where all symbols share a calendar.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        # (a - r)² - (a - m)², factored: the squares may be all but equal
        differences = ((by_model - by_rule) / scale) * ((2 * actual - by_model - by_rule) / scale)
        mean, standard_error = mean_with_error(differences, times, overlap)
    return Comparison.of(rule, mean, standard_error)


def mean_with_error(values: FloatArray, times: NDArray[np.datetime64], overlap: int) -> tuple[float, float]:
    """Mean of sample values and its standard error, when samples of one or of close timestamps move together.

    All samples of a timestamp are one cluster. Clusters up to a lag are correlated, since their outputs
    overlap; the covariances are weighted with Bartlett's kernel (Newey and West, 1987). With a lag of just
    the overlap that kernel sees two thirds of the variance, and the usual 1.96 is too small for few days.
    So the bandwidth is the larger of three overlaps and 1.3 √T (Lazarus, Lewis, Stock and Watson, 2018),
    and the error is widened by the ratio of the 97.5 % point of Kiefer and Vogelsang (2005) for that
    bandwidth to 1.96, and by T / (T - overlap + 1): T overlapping timestamps are fewer in truth.
    So 1.96 of these standard errors are the honest half-width, down to a few look aheads in a span.

    Args:
        values: (S,).
        times: (S,) bar t of each sample.
        overlap: Timestamps that one output goes over, at least 1.

    Returns:
        Mean and standard error; the error is NaN with fewer than 10 timestamps, or fewer than three
        times the overlap. Both are NaN when a value is not finite or there is none.
    """
    if len(values) == 0 or not np.isfinite(values).all():
        return float("nan"), float("nan")
    mean = float(values.mean())
    cluster = np.unique(times, return_inverse=True)[1]
    T = int(cluster.max()) + 1
    if T < FEWEST_TIMESTAMPS or T // overlap < FEWEST_LOOK_AHEADS:
        return mean, float("nan")
    sums = np.bincount(cluster, weights=values - mean, minlength=T)
    bandwidth = min(T, max(3 * overlap, math.ceil(1.3 * math.sqrt(T))))
    variance = float(sums @ sums)
    for lag in range(1, bandwidth):
        variance += 2 * (1 - lag / bandwidth) * float(sums[lag:] @ sums[:-lag])
    widened = _critical(bandwidth / T) / CONFIDENT * T / (T - overlap + 1)
    return mean, widened * math.sqrt(max(variance, 0.0)) / len(values)


def _critical(b: float) -> float:
    """97.5 % point of a t statistic with Bartlett's kernel, bandwidth b T (Kiefer and Vogelsang, 2005)."""
    return 1.96 + 2.9694 * b + 0.4160 * b**2 - 0.5324 * b**3
