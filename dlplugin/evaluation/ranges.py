"""Counts of samples by predicted value, in cells fine enough to be joined into tables of any size."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dlplugin.evaluation.values import FloatArray

__all__ = ["COLUMNS", "FEWEST_ROWS", "MOST_ROWS", "Cells", "fill_cells"]

FEWEST_ROWS, MOST_ROWS = 2, 50
FEWEST_CELLS = 100
OUTER_SHARE = 0.01  # of the in-sample predictions, on each side, in the open-ended first and last row
COLUMNS = (
    "range_start",
    "range_end",
    "in_sample_count",
    "in_sample_average",
    "out_of_sample_count",
    "out_of_sample_average",
)

Row = tuple[float, float, int, float, int, float]


@dataclass(frozen=True)
class Cells:
    """Counts and sums of actual values in cells of one width, 5 × 10^exponent.

    Cell 0 is below the first edge, cell i from edge i - 1 (inclusive) to edge i (exclusive), the last but
    one from the last edge upwards; the last is for predictions that are not finite.

    Attributes:
        exponent: Of the width.
        first: The first edge, in widths.
        edges: How many there are, each one width after the other; 0 when the predictions do not vary.
        counts: In-sample and out-of-sample, each (edges + 2,).
        sums: Of the actual values, likewise.
    """

    exponent: int
    first: int
    edges: int
    counts: tuple[tuple[int, ...], tuple[int, ...]]
    sums: tuple[tuple[float, ...], tuple[float, ...]]

    def rows(self, about: int) -> list[Row]:
        """Rows of a table: cells joined to ranges of 1, 2, 2.5 or 5 × 10^n, as near to `about` as can be.

        Returns:
            Rows of `COLUMNS`; the average of an empty range is NaN. Predictions that are not finite come
            last, in a range of NaN, if there are any.
        """
        multiple = self._multiple(about)
        last = self.first + self.edges - 1
        joined = [edge for edge in range(self.first, last + 1) if edge % multiple == 0]
        bounds = [0, *(edge - self.first + 1 for edge in joined), self.edges + 1]
        limits = [-math.inf, *(_edge(edge, self.exponent) for edge in joined), math.inf]
        rows = [
            self._row(limits[row], limits[row + 1], slice(bounds[row], bounds[row + 1]))
            for row in range(len(joined) + 1)
        ]
        if any(counts[-1] for counts in self.counts):
            rows.append(self._row(math.nan, math.nan, slice(self.edges + 1, None)))
        return rows

    def _multiple(self, about: int) -> int:
        """Cells to a range: 1, or 2, 4, 5, 10 times a power of ten, so that the width stays a nice one."""
        if self.edges == 0:
            return 1
        nice = [1] + [digit * int(10**power) for power in range(4) for digit in (2, 4, 5, 10)]
        last = self.first + self.edges - 1

        def distance(multiple: int) -> float:
            edges = last // multiple - (self.first - 1) // multiple
            return abs(math.log((edges + 1) / about))

        return min(reversed(nice), key=distance)

    def _row(self, start: float, end: float, cells: slice) -> Row:
        found: list[tuple[int, float]] = []
        for counts, sums in zip(self.counts, self.sums, strict=True):
            count = sum(counts[cells])
            found.append((count, math.fsum(sums[cells]) / count if count else math.nan))
        return (start, end, *found[0], *found[1])


def fill_cells(
    in_sample: tuple[FloatArray, FloatArray], out_of_sample: tuple[FloatArray, FloatArray] | None
) -> Cells:
    """Counts the samples of both spans.

    The width comes from where the middle 98 % of the in-sample predictions are, so that a few far ones do
    not press all others into one row.

    Args:
        in_sample: Predicted and actual values, each (S,).
        out_of_sample: Likewise; None when there is no such span.
    """
    exponent, first, edges = _grid(in_sample[0])
    limits = np.array([_edge(first + i, exponent) for i in range(edges)])
    spans = [in_sample, out_of_sample if out_of_sample is not None else (np.empty(0), np.empty(0))]
    counts: list[tuple[int, ...]] = []
    sums: list[tuple[float, ...]] = []
    for predicted, actual in spans:
        cell: NDArray[np.intp] = np.searchsorted(limits, predicted, side="right")
        cell[~np.isfinite(predicted)] = edges + 1
        counts.append(tuple(np.bincount(cell, minlength=edges + 2).tolist()))
        sums.append(tuple(np.bincount(cell, weights=actual, minlength=edges + 2).tolist()))
    return Cells(exponent, first, edges, (counts[0], counts[1]), (sums[0], sums[1]))


def _grid(predicted: FloatArray) -> tuple[int, int, int]:
    finite = predicted[np.isfinite(predicted)]
    if len(finite) == 0:
        return 0, 0, 0
    low, high = (float(value) for value in np.quantile(finite, [OUTER_SHARE, 1 - OUTER_SHARE]))
    largest = max(abs(low), abs(high))
    if high / 2 - low / 2 <= 1e-9 * largest or high / 2 - low / 2 < 1e-290:
        return 0, 0, 0  # the predictions are one value
    exponent = math.floor(math.log10((high / 2 - low / 2) / 5 * 2 / FEWEST_CELLS))
    width = _edge(1, exponent)
    first, last = math.ceil(low / width), math.floor(high / width)
    return exponent, first, last - first + 1


def _edge(widths: int, exponent: int) -> float:
    """The double nearest to a decimal, so that 0.3 is 0.3."""
    return float(f"{5 * widths}e{exponent}")
