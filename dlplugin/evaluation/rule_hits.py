"""How often a trivial rule names the right class."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dlplugin.evaluation.influences import matthews_influence
from dlplugin.evaluation.plain import Number
from dlplugin.evaluation.uncertainty import LINE, mean_with_error, share_with_error
from dlplugin.evaluation.values import FloatArray

__all__ = ["RuleHits", "matthews", "rule_hits"]


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
    right = (said == actual).astype(np.float64)
    accuracy, error = share_with_error(right, np.ones(len(right)), times, overlap)
    counts = np.bincount(actual * classes + said, minlength=classes**2).reshape(classes, classes)
    correlation = matthews(counts)
    if math.isnan(correlation):
        return RuleHits(accuracy, error, math.nan, math.nan)
    moved = matthews_influence(counts)[actual, said]
    return RuleHits(accuracy, error, correlation, mean_with_error(moved, times, overlap, LINE)[1])


def matthews(counts: NDArray[np.int64]) -> float:
    """Matthews correlation of (C, C) counts, for several classes by Gorodkin (2004).

    NaN where only one class came (row) or is named (column).
    """
    shares = counts.astype(np.float64)
    total, came, named = shares.sum(), shares.sum(axis=1), shares.sum(axis=0)
    spread = (total**2 - came @ came) * (total**2 - named @ named)
    if not spread > 0:
        return math.nan
    return float((np.trace(shares) * total - came @ named) / math.sqrt(spread))
