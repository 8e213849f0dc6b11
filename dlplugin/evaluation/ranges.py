"""Samples by predicted value: the rows of a table of ranges, of equal width or of equal count."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dlplugin.evaluation.plain import Number
from dlplugin.evaluation.uncertainty import mean_with_error
from dlplugin.evaluation.values import FloatArray, OutputSamples

__all__ = ["FEWEST_ROWS", "MOST_ROWS", "RangeCell", "RangeRow", "frame_of", "range_rows"]

FEWEST_ROWS, MOST_ROWS = 2, 50
OUTER_SHARE = 0.01  # of the in-sample predictions, on each side, in the open-ended first and last row


@dataclass(frozen=True)
class RangeCell:
    """The samples of one span in one range.

    Attributes:
        count: How many.
        average: Of what came; NaN for none.
        error: Its standard error; NaN where there are too few days to tell.
    """

    count: int
    average: Number
    error: Number


@dataclass(frozen=True)
class RangeRow:
    """One range of predicted values.

    Attributes:
        start: Inclusive, -inf for the first; NaN for predictions that are not finite.
        end: Exclusive, inf for the last; NaN likewise.
        cells: In-sample, then out-of-sample or the holdout where there is one.
    """

    start: Number
    end: Number
    cells: tuple[RangeCell, ...]


def range_rows(spans: Sequence[OutputSamples], rows: int = 10, by: str = "width") -> tuple[RangeRow, ...]:
    """Rows in rising order; predictions that are not finite come last, if there are any.

    Args:
        spans: In-sample first: its predictions decide where ranges begin and end.
        rows: About how many; widths are 1, 2, 2.5 or 5 × 10^n.
        by: "width" or "count".
    """
    edges = (
        _width_edges(spans[0].predicted, rows) if by == "width" else _count_edges(spans[0].predicted, rows)
    )
    limits = [-math.inf, *edges, math.inf]
    places = [np.searchsorted(edges, span.predicted, side="right") for span in spans]
    for span, place in zip(spans, places, strict=True):
        place[~np.isfinite(span.predicted)] = len(limits) - 1
    found = [
        RangeRow(
            start, end, tuple(_cell(span, place == row) for span, place in zip(spans, places, strict=True))
        )
        for row, (start, end) in enumerate(itertools.pairwise(limits))
    ]
    failed = tuple(_cell(span, ~np.isfinite(span.predicted)) for span in spans)
    if any(cell.count for cell in failed):
        found.append(RangeRow(math.nan, math.nan, failed))
    return tuple(found)


def frame_of(rows: Sequence[RangeRow], spans: Sequence[str]) -> pd.DataFrame:
    """The rows as a table: range_start, range_end, then count, average and error of each span."""
    columns: dict[str, list[float]] = {
        "range_start": [row.start for row in rows],
        "range_end": [row.end for row in rows],
    }
    for position, span in enumerate(spans):
        cells = [row.cells[position] for row in rows]
        name = span.replace("-", "_")
        columns[f"{name}_count"] = [cell.count for cell in cells]
        columns[f"{name}_average"] = [cell.average for cell in cells]
        columns[f"{name}_error"] = [cell.error for cell in cells]
    return pd.DataFrame(columns)


def _cell(span: OutputSamples, chosen: NDArray[np.bool_]) -> RangeCell:
    count = int(chosen.sum())
    if not count:
        return RangeCell(0, math.nan, math.nan)
    average = math.fsum(span.actual[chosen]) / count
    influence = np.where(chosen, (span.actual - average) * (len(span) / count), 0.0)
    return RangeCell(count, average, mean_with_error(influence, span.times, span.overlap)[1])


def _count_edges(predicted: FloatArray, rows: int) -> list[float]:
    finite = predicted[np.isfinite(predicted)]
    if not len(finite):
        return []
    edges = np.unique(np.quantile(finite, np.arange(1, rows) / rows))
    return [float(edge) for edge in edges if edge > finite.min()]


def _width_edges(predicted: FloatArray, rows: int) -> list[float]:
    """Multiples of a nice width within the middle 98 % of the predictions."""
    finite = predicted[np.isfinite(predicted)]
    if not len(finite):
        return []
    low, high = (float(value) for value in np.quantile(finite, [OUTER_SHARE, 1 - OUTER_SHARE]))
    spread = high / 2 - low / 2
    if spread <= 1e-9 * max(abs(low), abs(high)) or spread < 1e-290:
        return []  # the predictions are one value
    about = math.floor(math.log10(spread))
    widths = [(digit, exponent) for exponent in range(about - 3, about + 3) for digit in (10, 20, 25, 50)]

    def edges_of(width: tuple[int, int]) -> tuple[int, int]:
        size = float(f"{width[0]}e{width[1]}")
        return math.ceil(low / size), math.floor(high / size)

    def distance(width: tuple[int, int]) -> float:
        first, last = edges_of(width)
        return abs(math.log(max(last - first + 2, 1) / rows))

    digit, exponent = min(reversed(widths), key=distance)
    first, last = edges_of((digit, exponent))
    return [float(f"{digit * edge}e{exponent}") for edge in range(first, last + 1)]
