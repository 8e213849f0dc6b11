"""Standard errors of figures made of samples that move together: days are counted, not samples."""

import math

import numpy as np
from numpy.typing import NDArray

from dlplugin.evaluation.values import FloatArray

__all__ = ["CONFIDENT", "mean_with_error"]

CONFIDENT = 1.96  # standard errors of a two-sided 95 % interval
FEWEST_DAYS = 10
FEWEST_LOOK_AHEADS = 3  # that must fit into the span one after the other


def mean_with_error(values: FloatArray, times: NDArray[np.datetime64], overlap: int) -> tuple[float, float]:
    """Mean of sample values and its standard error, when samples of one or of close days move together.

    All samples of a calendar day are one cluster. Clusters up to a lag are correlated, since their outputs
    overlap; the covariances are weighted with Bartlett's kernel (Newey and West, 1987). With a lag of just
    the overlap that kernel sees two thirds of the variance, and the usual 1.96 is too small for few days.
    So the bandwidth is the larger of three overlaps and 1.3 √T (Lazarus, Lewis, Stock and Watson, 2018),
    and the error is widened by the ratio of the 97.5 % point of Kiefer and Vogelsang (2005) for that
    bandwidth to 1.96, and by T / (T - overlap + 1): T overlapping days are fewer in truth.
    So 1.96 of these standard errors are the honest half-width, down to a few look aheads in a span.

    A figure that is not a mean has the error of the mean of its influence values: how much each sample
    moves it, which is their definition (Hampel, 1974).

    Args:
        values: (S,).
        times: (S,) bar t of each sample.
        overlap: Days that one output goes over, at least 1; see `SpanValues.overlap`.

    Returns:
        Mean and standard error; the error is NaN with fewer than 10 days, or fewer than three times the
        overlap. Both are NaN when a value is not finite or there is none.
    """
    if len(values) == 0 or not np.isfinite(values).all():
        return float("nan"), float("nan")
    mean = float(values.mean())
    cluster = np.unique(times.astype("datetime64[D]"), return_inverse=True)[1]
    T = int(cluster.max()) + 1
    if T < FEWEST_DAYS or T // overlap < FEWEST_LOOK_AHEADS:
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
