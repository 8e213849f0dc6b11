"""Fewer points that draw the same line."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["BUCKETS", "thin"]

BUCKETS = 1000  # pieces of a long history, each drawn by its lowest and highest value: about a pixel each


def thin(values: NDArray[np.float64]) -> NDArray[np.intp]:
    """Positions that draw the same line with fewer points: both extremes of each bucket, and both ends.

    Args:
        values: (N,); infinite and NaN ones are never extremes, but a bucket of them alone leaves a gap.

    Returns:
        (M,) positions, rising; all of them when there are few.
    """
    count = len(values)
    if count <= 4 * BUCKETS:
        return np.arange(count)
    starts = np.arange(0, count, -(-count // BUCKETS))
    size = int(starts[1])
    padded = np.full(len(starts) * size, np.nan)
    padded[:count] = np.where(np.isfinite(values), values, np.nan)
    table = padded.reshape(len(starts), size)
    lowest = np.where(np.isnan(table), np.inf, table).argmin(axis=1) + starts
    highest = np.where(np.isnan(table), -np.inf, table).argmax(axis=1) + starts
    unknown = np.flatnonzero(~np.isfinite(values))
    gaps = unknown[np.unique(unknown // size, return_index=True)[1]]
    return np.unique(np.concatenate([[0, count - 1], lowest, highest, gaps]))
