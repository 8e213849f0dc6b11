"""How good predictions are, in five figures and their standard errors; what is undefined is NaN.

All functions take `predicted` and `actual` of shape (S,), in the output's own unit. Each returns NaN when
there are no samples, or when any value is not finite: a failed prediction is never dropped from a mean.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dlplugin.evaluation.influences import (
    correlation_influence,
    r_squared_influence,
    rank_correlation_influence,
    standardised,
)
from dlplugin.evaluation.plain import Number
from dlplugin.evaluation.uncertainty import LINE, mean_with_error, share_with_error
from dlplugin.evaluation.values import FloatArray

__all__ = [
    "Scores",
    "correlation",
    "hit_rate",
    "loss",
    "r_squared",
    "rank_correlation",
    "score",
    "score_errors",
]


@dataclass(frozen=True)
class Scores:
    """The figures of one rule on one span.

    Attributes:
        loss: Mean squared error in units of the output's training scale, as in the training curves.
        r_squared: 1 - MSE / MSE of the in-sample mean, on the same samples; 0 is as good as that mean.
        correlation: Pearson's, of predicted and actual.
        rank_correlation: Spearman's, of predicted and actual.
        hit_rate: Share of samples whose predicted sign is the actual's; NaN when no prediction has a sign.

    A figure that is not defined is NaN: a constant prediction has no correlation.
    """

    loss: Number
    r_squared: Number
    correlation: Number
    rank_correlation: Number
    hit_rate: Number


def score(
    predicted: FloatArray, actual: FloatArray, scale: FloatArray | float, in_sample_mean: FloatArray | float
) -> Scores:
    """All figures of one rule's predictions.

    Args:
        predicted: (S,) in the output's own unit.
        actual: (S,) in the output's own unit.
        scale: What divides the output during training; (S,) where that differs by symbol.
        in_sample_mean: Average of the actual values in sample, the reference of R²; (S,) likewise.
    """
    return Scores(
        loss=loss(predicted, actual, scale),
        r_squared=r_squared(predicted, actual, in_sample_mean, scale),
        correlation=correlation(predicted, actual),
        rank_correlation=rank_correlation(predicted, actual),
        hit_rate=hit_rate(predicted, actual),
    )


def score_errors(
    predicted: FloatArray,
    actual: FloatArray,
    scale: FloatArray | float,
    in_sample_mean: FloatArray | float,
    times: NDArray[np.datetime64],
    overlap: int,
    scores: Scores | None = None,
) -> Scores:
    """Standard errors of all figures, each by the samples' influence on it; see `mean_with_error`.

    Those of Pearson's correlation are a little small where few days, or heavy tails, have most of it: with
    12 days, 6 look aheads of 5 days, or 300 days of t with 2 degrees of freedom 9 to 12 of 100 correlations
    of nothing lie beyond 1.96 of them, and not 5.

    Args:
        predicted: (S,) in the output's own unit.
        actual: (S,) in the output's own unit.
        scale: As for `score`.
        in_sample_mean: As for `score`; it counts as known, its own error is none of these.
        times: (S,) bar t of each sample.
        overlap: Days that one output goes over, at least 1.
        scores: The figures themselves, where they are known already.

    Returns:
        NaN where the figure is NaN or there are too few days, and that of a hit rate of 0 or 1.
    """
    figures = score(predicted, actual, scale, in_sample_mean) if scores is None else scores

    def error(figure: float, influence: Callable[[], FloatArray], fitted: int = 0) -> float:
        return float("nan") if np.isnan(figure) else mean_with_error(influence(), times, overlap, fitted)[1]

    def squares(values: FloatArray | float) -> FloatArray:
        return np.asarray(np.square((values - actual) / scale), dtype=np.float64)

    hits = (np.sign(predicted) == np.sign(actual)).astype(np.float64)
    rate = (
        np.nan
        if np.isnan(figures.hit_rate)
        else share_with_error(hits, np.ones(len(hits)), times, overlap)[1]
    )
    return Scores(
        loss=error(figures.loss, lambda: squares(predicted)),
        r_squared=error(
            figures.r_squared, lambda: r_squared_influence(squares(predicted), squares(in_sample_mean))
        ),
        correlation=error(figures.correlation, lambda: correlation_influence(predicted, actual), LINE),
        rank_correlation=error(
            figures.rank_correlation, lambda: rank_correlation_influence(predicted, actual), LINE
        ),
        hit_rate=float(rate),
    )


def loss(predicted: FloatArray, actual: FloatArray, scale: FloatArray | float = 1.0) -> float:
    """Mean of ((predicted - actual) / scale)²; NaN also when it overflows.

    >>> loss(np.array([1.0, 3.0]), np.array([1.0, 1.0]), scale=2.0)
    0.5
    """
    if not _all_finite(predicted, actual):
        return float("nan")
    with np.errstate(over="ignore"):
        mean = float(np.mean(np.square((predicted - actual) / scale)))
    return mean if np.isfinite(mean) else float("nan")


def r_squared(
    predicted: FloatArray,
    actual: FloatArray,
    in_sample_mean: FloatArray | float,
    scale: FloatArray | float = 1.0,
) -> float:
    """Share of the squared error of the in-sample mean that is gone; below 0 when worse than that mean.

    Out of sample the reference is still the in-sample mean, which was known, not the span's own mean,
    which was not (Campbell and Thompson, 2008). NaN when every actual value is exactly that mean.

    >>> r_squared(np.array([1.0, 2.0]), np.array([1.0, 3.0]), in_sample_mean=2.0)
    0.5
    """
    reference = loss(np.broadcast_to(in_sample_mean, actual.shape), actual, scale)
    if not reference > 0:
        return float("nan")
    return 1.0 - loss(predicted, actual, scale) / reference


def correlation(predicted: FloatArray, actual: FloatArray) -> float:
    """Pearson's correlation; NaN with fewer than two samples or when either side is constant.

    Constant is also what varies by less than 1e-13 of its mean: that is rounding, not variation.

    >>> round(correlation(np.array([1.0, 2.0, 3.0]), np.array([2.0, 4.0, 6.0])), 12)
    1.0
    """
    if not _all_finite(predicted, actual) or _constant(predicted) or _constant(actual):
        return float("nan")
    left, right = standardised(predicted), standardised(actual)
    return float(np.clip(np.mean(left * right), -1.0, 1.0))


def rank_correlation(predicted: FloatArray, actual: FloatArray) -> float:
    """Spearman's correlation: Pearson's of the ranks, ties having their average rank.

    >>> round(rank_correlation(np.array([1.0, 2.0, 3.0]), np.array([1.0, 10.0, 1000.0])), 12)
    1.0
    """
    if not _all_finite(predicted, actual) or _constant(predicted) or _constant(actual):
        return float("nan")
    return correlation(_ranks(predicted), _ranks(actual))


def hit_rate(predicted: FloatArray, actual: FloatArray) -> float:
    """Share of samples whose predicted sign is the actual's.

    There are three signs: a prediction of exactly zero hits only an actual of exactly zero, and an actual
    of zero is hit by nothing else. All samples count. The rate is NaN where every prediction is zero, for
    none takes a side, and where all that came has one sign, as volatility has, for there is none to take.

    >>> hit_rate(np.array([1.0, -1.0, 0.0, 2.0]), np.array([3.0, 1.0, 0.0, 0.0]))
    0.5
    """
    if not _all_finite(predicted, actual):
        return float("nan")
    signs = np.sign(actual)
    if not predicted.any() or (signs == signs[0]).all():
        return float("nan")
    return float(np.mean(np.sign(predicted) == signs))


def _all_finite(predicted: FloatArray, actual: FloatArray) -> bool:
    return len(actual) > 0 and bool(np.isfinite(predicted).all() and np.isfinite(actual).all())


def _constant(values: FloatArray) -> bool:
    low, high = float(values.min()), float(values.max())
    largest = max(abs(low), abs(high))
    return high / 2 - low / 2 <= 1e-13 * largest


def _ranks(values: FloatArray) -> FloatArray:
    return np.asarray(pd.Series(values).rank(method="average"), dtype=np.float64)
