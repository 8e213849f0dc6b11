"""How often a trivial rule names the right class."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dlplugin.evaluation.plain import Number
from dlplugin.evaluation.uncertainty import mean_with_error
from dlplugin.evaluation.values import FloatArray

__all__ = ["RuleHits", "rule_hits"]


@dataclass(frozen=True)
class RuleHits:
    """The figures of one rule for classes on one span.

    Attributes:
        accuracy: Share of the samples whose class it names; NaN without samples.
        accuracy_error: Its standard error.
        correlation: Matthews', by Gorodkin (2004); NaN where only one class came or is named.
        correlation_error: Its standard error.
    """

    accuracy: Number
    accuracy_error: Number
    correlation: Number
    correlation_error: Number


def rule_hits(
    classes: int,
    actual: NDArray[np.int64],
    named: FloatArray,
    times: NDArray[np.datetime64],
    overlap: int,
) -> RuleHits:
    """How a rule does on one span.

    Args:
        classes: C.
        actual: (S,) the number of the class that came.
        named: (S,) the number of the class that the rule names.
        times: (S,) bar t of each sample.
        overlap: Days that one output goes over, at least 1.
    """
    said = named.astype(np.int64)
    accuracy, error = mean_with_error((said == actual).astype(np.float64), times, overlap)
    counts = np.bincount(actual * classes + said, minlength=classes**2).reshape(classes, classes)
    if any(np.count_nonzero(counts.sum(axis=axis)) < 2 for axis in (0, 1)):
        return RuleHits(accuracy, error, math.nan, math.nan)
    correlation, influence = _matthews(counts / len(actual))
    return RuleHits(accuracy, error, correlation, mean_with_error(influence[actual, said], times, overlap)[1])


def _matthews(shares: FloatArray) -> tuple[float, FloatArray]:
    """The correlation of (C, C) shares, and how much a sample in each cell moves it (Hampel, 1974).

    It is N / √(A B) with N = Σ shares[k, k] - Σ came[k] named[k], A = 1 - Σ came², B = 1 - Σ named².
    """
    came, named = shares.sum(axis=1), shares.sum(axis=0)
    top, left, right = np.trace(shares) - came @ named, 1 - came @ came, 1 - named @ named
    correlation = float(top / math.sqrt(left * right))
    slope = (np.eye(len(shares)) - named[:, None] - came[None, :]) / math.sqrt(left * right)
    slope += correlation * (came[:, None] / left + named[None, :] / right)
    influence: FloatArray = slope - (shares * slope).sum()
    return correlation, influence
