"""Standard errors of figures made of samples that move together: days are counted, not samples."""

import math

import numpy as np
from numpy.typing import NDArray

from dlplugin.evaluation.values import FloatArray

__all__ = ["CONFIDENT", "LINE", "mean_with_error", "share_with_error"]

CONFIDENT = 1.96  # standard errors of a two-sided 95 % interval
LINE = 2  # fitted parameters: slope and intercept
FEWEST_DAYS = 10
FEWEST_LOOK_AHEADS = 3  # that must fit into the span one after the other


def mean_with_error(
    values: FloatArray, times: NDArray[np.datetime64], overlap: int, fitted: int = 0
) -> tuple[float, float]:
    """Mean of sample values and its standard error, when samples of one or of close days move together.

    All samples of a calendar day are one cluster. Clusters up to a lag are correlated, since their outputs
    overlap; the covariances are weighted with Bartlett's kernel (Newey and West, 1987). With a lag of just
    the overlap that kernel sees two thirds of the variance, and the usual 1.96 is too small for few days.
    So the bandwidth is the larger of three overlaps and 1.3 √T (Lazarus, Lewis, Stock and Watson, 2018),
    and the error is widened by the ratio of the 97.5 % point of Kiefer and Vogelsang (2005) for that
    bandwidth to 1.96, and by T / (T - overlap + 1): T overlapping days are fewer in truth. In both, T is
    (Σ n)² / Σ n² for n samples a day (Kish, 1965): where most samples lie on few days, these are what counts.
    So 1.96 of these standard errors are the honest half-width, down to a few look aheads in a span.

    A figure that is not a mean has the error of the mean of its influence values: how much each sample
    moves it, which is their definition (Hampel, 1974). Where it is of a line that was fitted to the samples,
    as a correlation is, their residuals are too small: the error is widened by √(E / (E - fitted)), E the
    look aheads that fit into the T days one after the other (MacKinnon and White, 1985, their HC1).

    Args:
        values: (S,).
        times: (S,) bar t of each sample.
        overlap: Days that one output goes over, at least 1; see `SpanValues.overlap`.
        fitted: Parameters of that line, 0 to 2.

    Returns:
        Mean and standard error; the error is NaN where T is less than 10, or less than three times the
        overlap. Both are NaN when a value is not finite or there is none.
    """
    if len(values) == 0 or not np.isfinite(values).all():
        return float("nan"), float("nan")
    with np.errstate(over="ignore"):
        mean = float(values.mean())
        centred = values - mean
    size = float(np.abs(centred).max())
    if not np.isfinite(size):
        return float("nan"), float("nan")
    cluster = _days(times)
    counts = np.bincount(cluster)
    T, alike = len(counts), _days_alike(counts)
    if not _enough(alike, overlap):
        return mean, float("nan")
    if size == 0:
        return mean, 0.0
    sums = np.bincount(cluster, weights=centred / size, minlength=T)  # of size 1: no square vanishes
    bandwidth = min(T, max(3 * overlap, math.ceil(1.3 * math.sqrt(T))))
    variance = float(sums @ sums)
    for lag in range(1, bandwidth):
        variance += 2 * (1 - lag / bandwidth) * float(sums[lag:] @ sums[:-lag])
    widened = _critical(min(1.0, bandwidth / alike)) / CONFIDENT * alike / (alike - overlap + 1)
    widened *= math.sqrt(alike / (alike - fitted * overlap))
    return mean, size * (widened * math.sqrt(max(variance, 0.0)) / len(values))


def share_with_error(
    part: FloatArray, whole: FloatArray, times: NDArray[np.datetime64], overlap: int
) -> tuple[float, float]:
    """Sum of `part` over the sum of `whole`, as the share of the chosen samples that hit, and its error.

    Its influence values are (part - share whole) / mean of whole: the linear part of a ratio of two means
    (Cochran, 1977, chapter 6). Only the days of chosen samples count: the others tell nothing of the share.

    Args:
        part: (S,) 1 for a chosen sample that hits, else 0.
        whole: (S,) 1 for a chosen sample, else 0. F1 counts 2 and 1 instead; see `ClassScores.f1`.
        times: (S,) bar t of each sample.
        overlap: Days that one output goes over, at least 1.

    Returns:
        Share and standard error. Both are NaN where nothing is chosen. The error is NaN also when what is
        chosen lies on too few days, as in `mean_with_error`, and where all of it hits or none does: such
        samples do not show how much the share varies.
    """
    total = float(whole.sum())
    if not total > 0:
        return float("nan"), float("nan")
    share = float(part.sum()) / total
    chosen = whole > 0
    residual = (part - share * whole)[chosen] / whole[chosen].mean()
    if np.abs(residual).max() <= 1e-12:
        return share, float("nan")
    return share, mean_with_error(residual, times[chosen], overlap)[1]


def _days(times: NDArray[np.datetime64]) -> NDArray[np.int64]:
    """(S,) which of the calendar days that are there each sample lies on, from 0."""
    days = times.astype("datetime64[D]").astype(np.int64)
    steps = np.diff(days, prepend=days[:1])
    if (steps >= 0).all():  # in order, as samples of a span are: no sorting
        return np.cumsum(steps > 0, dtype=np.int64)
    return np.unique(days, return_inverse=True)[1].astype(np.int64)


def _days_alike(counts: NDArray[np.int64]) -> float:
    """How many days with one number of samples tell as much as these: (Σ n)² / Σ n² (Kish, 1965)."""
    return float(counts.sum()) ** 2 / float(counts @ counts)


def _enough(days: float, overlap: int) -> bool:
    return days >= FEWEST_DAYS and days // overlap >= FEWEST_LOOK_AHEADS


def _critical(b: float) -> float:
    """97.5 % point of a t statistic with Bartlett's kernel, bandwidth b T (Kiefer and Vogelsang, 2005)."""
    return 1.96 + 2.9694 * b + 0.4160 * b**2 - 0.5324 * b**3
