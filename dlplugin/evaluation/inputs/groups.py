"""Inputs that move together: rank correlations of their in-sample values, joined by average linkage."""

import numpy as np
from numpy.typing import NDArray

from dlplugin.evaluation.values import FloatArray
from dlplugin.samples import Samples, matrix_columns

__all__ = ["MOVE_TOGETHER", "average_linkage", "input_correlations"]

MOVE_TOGETHER = 0.7  # the mean absolute rank correlation from which inputs are one group
MOST_ROWS = 100_000  # ranks of more tell nothing new


def input_correlations(samples: Samples) -> FloatArray:
    """How closely inputs move together in sample.

    Returns:
        (I, I) absolute rank correlations (Spearman, 1904) of the newest scaled values, 1 on the diagonal; where an
        input has a column for each category, the largest of its columns'. A constant column has 0.
    """
    rows = samples.rows["in-sample"]
    rows = rows[:: max(1, -(-len(rows) // MOST_ROWS))]
    ranks = np.column_stack([_ranks(column) for column in samples.matrix[rows].T])
    ranks -= ranks.mean(axis=0)
    size = np.sqrt(np.square(ranks).sum(axis=0))
    between = (
        np.abs(ranks.T @ ranks) / np.where(size > 0, size, np.inf) / np.where(size > 0, size, np.inf)[:, None]
    )
    owner = matrix_columns(samples.definition).input
    largest = np.zeros((len(samples.definition.inputs),) * 2)
    np.maximum.at(largest, (owner[:, None], owner[None, :]), between)
    np.fill_diagonal(largest, 1.0)
    return np.minimum(largest, 1.0)


def average_linkage(similarity: FloatArray, least: float) -> list[tuple[int, ...]]:
    """Groups whose members are alike on average (Sokal and Michener, 1958).

    The two groups with the highest mean similarity over all pairs of their members are joined, as long as
    that is at least `least`; so a chain of neighbours, each like the next, is not one group.

    Args:
        similarity: (I, I) symmetric.
        least: The lowest mean similarity at which groups are joined.

    Returns:
        Every group with its members, in rising order; those that are alone, too.
    """
    groups: list[tuple[int, ...]] = [(index,) for index in range(len(similarity))]
    between = np.array(similarity, dtype=np.float64)
    np.fill_diagonal(between, -np.inf)
    while len(groups) > 1:
        one, other = sorted(np.unravel_index(int(np.argmax(between)), between.shape))
        if not between[one, other] >= least:
            break
        n, m = len(groups[one]), len(groups[other])
        joined = (n * between[one] + m * between[other]) / (n + m)
        between[one], between[:, one] = joined, joined
        between[one, one] = -np.inf
        between = np.delete(np.delete(between, other, axis=0), other, axis=1)
        groups[one] = tuple(sorted((*groups[one], *groups[other])))
        del groups[other]
    return sorted(groups)


def _ranks(values: NDArray[np.float32]) -> FloatArray:
    """(S,) ranks, equal values sharing the mean of theirs."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    ranks: FloatArray = (ends - (counts - 1) / 2)[place]
    return ranks
