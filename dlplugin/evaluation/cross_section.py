"""How well predictions order the symbols of one timestamp: information coefficients."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dlplugin.evaluation.plain import Number
from dlplugin.evaluation.uncertainty import mean_with_error
from dlplugin.evaluation.values import FloatArray

__all__ = ["CrossSection", "cross_section", "information_coefficients"]

FEWEST_SYMBOLS = 3
ROUNDING = 1e-13  # what varies by less than this share of its size varies by rounding only

IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class CrossSection:
    """Information coefficients: correlations of predicted and actual across symbols, one a timestamp.

    Attributes:
        times: Timestamps that have one: three symbols at least, neither side constant.
        ic: Mean of Pearson's.
        ic_error: Its standard error.
        ic_ratio: ICIR: the mean over the standard deviation of the timestamps' values, not annualised.
        rank_ic: Mean of Spearman's.
        rank_ic_error: Its standard error.
        rank_ic_ratio: ICIR of the ranks.

    A ratio is NaN with one timestamp, or when all have the same coefficient. All is NaN where no timestamp
    has a coefficient, and where a prediction at one that has failed.
    """

    times: int
    ic: Number
    ic_error: Number
    ic_ratio: Number
    rank_ic: Number
    rank_ic_error: Number
    rank_ic_ratio: Number


def cross_section(
    predicted: FloatArray,
    actual: FloatArray,
    times: NDArray[np.datetime64],
    symbols: NDArray[np.str_],
    overlap: int,
) -> CrossSection | None:
    """The information coefficients of one span (Grinold and Kahn, 2000, chapter 6); each timestamp counts alike.

    Args:
        predicted: (S,) in the output's own unit.
        actual: (S,) likewise.
        times: (S,) bar t of each sample.
        symbols: (S,) names.
        overlap: Days that one output goes over, at least 1; see `mean_with_error`.

    Returns:
        None where there are fewer than three symbols.
    """
    if len(np.unique(symbols)) < FEWEST_SYMBOLS:
        return None
    moments, ic, rank_ic = information_coefficients(predicted, actual, times)
    return CrossSection(len(moments), *_told(ic, moments, overlap), *_told(rank_ic, moments, overlap))


def information_coefficients(
    predicted: FloatArray, actual: FloatArray, times: NDArray[np.datetime64]
) -> tuple[NDArray[np.datetime64], FloatArray, FloatArray]:
    """The coefficient of each timestamp that has one.

    Args:
        predicted: (S,) in the output's own unit.
        actual: (S,) likewise.
        times: (S,) bar t of each sample.

    Returns:
        (D,) timestamps in order, (D,) Pearson's and (D,) Spearman's; both NaN where a prediction failed.
    """
    moments, group = np.unique(times, return_inverse=True)
    order = np.argsort(group, kind="stable")
    left, right, group = predicted[order], actual[order], group[order].astype(np.int64)
    failed = np.zeros(len(moments), dtype=bool)
    failed[group[~np.isfinite(left)]] = True
    has = np.bincount(group, minlength=len(moments)) >= FEWEST_SYMBOLS
    has &= failed | ~(_constant(left, group) | _constant(right, group))
    good = has & ~failed
    kept = good[group]
    left, right, group = left[kept], right[kept], (np.cumsum(good) - 1)[group[kept]]
    ic, rank_ic = np.full((2, int(has.sum())), np.nan)
    ic[good[has]] = _correlations(left, right, group)
    rank_ic[good[has]] = _correlations(_ranks(left, group), _ranks(right, group), group)
    return moments[has], ic, rank_ic


def _told(values: FloatArray, times: NDArray[np.datetime64], overlap: int) -> tuple[float, float, float]:
    """Mean, standard error and ratio."""
    mean, error = mean_with_error(values, times, overlap)
    spread = float(values.std(ddof=1)) if len(values) > 1 else 0.0
    return mean, error, mean / spread if spread > ROUNDING else float("nan")


def _starts(group: IntArray) -> IntArray:
    return np.flatnonzero(np.diff(group, prepend=-1))


def _constant(values: FloatArray, group: IntArray) -> NDArray[np.bool_]:
    """Whether a group, of which there are 0, 1, 2 … in order, does not vary."""
    if not len(values):
        return np.zeros(0, dtype=bool)
    starts = _starts(group)
    low, high = np.minimum.reduceat(values, starts), np.maximum.reduceat(values, starts)
    with np.errstate(invalid="ignore"):  # of infinities
        constant: NDArray[np.bool_] = high / 2 - low / 2 <= ROUNDING * np.maximum(np.abs(low), np.abs(high))
    return constant


def _correlations(left: FloatArray, right: FloatArray, group: IntArray) -> FloatArray:
    if not len(left):
        return np.empty(0)
    left, right = _unit(left, group), _unit(right, group)
    return np.clip(np.bincount(group, weights=left * right), -1.0, 1.0)


def _unit(values: FloatArray, group: IntArray) -> FloatArray:
    """Each group centred and of length 1; scaled first, so that no square overflows or vanishes."""
    starts = _starts(group)
    counts = np.diff(starts, append=len(values))
    for _ in range(2):
        values = values / np.maximum.reduceat(np.abs(values), starts)[group]
        values = values - (np.bincount(group, weights=values) / counts)[group]
    unit: FloatArray = values / np.sqrt(np.bincount(group, weights=values**2))[group]
    return unit


def _ranks(values: FloatArray, group: IntArray) -> FloatArray:
    """The rank of each value in its group, from 1; ties have their average rank."""
    if not len(values):
        return values
    order = np.lexsort((values, group))
    own, there = values[order], group[order]
    new = np.concatenate([[True], (np.diff(own) != 0) | (np.diff(there) != 0)])
    first = np.flatnonzero(new)
    last = np.append(first[1:], len(values))
    ranks = np.empty(len(values))
    ranks[order] = ((first + last + 1) / 2)[np.cumsum(new) - 1] - _starts(group)[there]
    return ranks
