"""Samples by predicted value: the rows of a table of ranges, of equal width or of equal count."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_FLOOR, ROUND_HALF_EVEN, Decimal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dlplugin.errors import DefinitionError
from dlplugin.evaluation.plain import Number
from dlplugin.evaluation.uncertainty import CONFIDENT, mean_with_error
from dlplugin.evaluation.values import FloatArray, OutputSamples

__all__ = [
    "FEWEST_ROWS",
    "MOST_ROWS",
    "RangeCell",
    "RangeRow",
    "equal_count",
    "frame_of",
    "range_rows",
    "refuse_unfit_range",
]

FEWEST_ROWS, MOST_ROWS = 2, 50
OUTER_SHARE = 0.01  # of the in-sample predictions, on each side, in the open-ended first and last row


@dataclass(frozen=True)
class RangeCell:
    """The samples of one span in one range.

    Attributes:
        count: How many.
        average: Of what came; NaN for none.
        error: Its standard error; NaN where the row's own samples lie on too few days to tell.
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


def refuse_unfit_range(low: float | None, high: float | None) -> None:
    """A chosen range has two finite ends, the lower one first.

    Raises:
        DefinitionError: It has not.
    """
    if low is None and high is None:
        return
    if low is None or high is None:
        given, lacking = ("high", "low") if low is None else ("low", "high")
        raise DefinitionError(
            f"{given} is {high if low is None else low}, but {lacking} is not given; give both, or neither"
        )
    numbers = all(isinstance(each, int | float | np.number) and math.isfinite(each) for each in (low, high))
    if not numbers or low >= high:
        raise DefinitionError(f"low is {low!r} and high is {high!r}; give two numbers, the lower one as low")


def range_rows(
    spans: Sequence[OutputSamples],
    rows: int = 10,
    by: str = "width",
    low: float | None = None,
    high: float | None = None,
) -> tuple[RangeRow, ...]:
    """Rows in rising order; predictions that are not finite come last, if there are any.

    Args:
        spans: In-sample first: its predictions decide where ranges begin and end.
        rows: About how many; exactly that many between low and high, as far as predictions part them.
        by: "width": of one width, 1, 2, 2.5 or 5 × 10^n where low and high are not given. "count": of one
            number of in-sample samples, up to ties; their ends are rounded as far as that parts the rows.
        low: Where the rows begin; what is predicted below it is in an open-ended row before them. None
            with high.
        high: Where they end; an open-ended row follows.
    """
    edges = _edges(spans[0].predicted, rows, by, low, high)
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
        columns[f"{name}_error"] = [CONFIDENT * cell.error for cell in cells]
    return pd.DataFrame(columns)


def equal_count(predicted: FloatArray, rows: int) -> FloatArray:
    """Where finite predictions are cut into that many parts of equal count; fewer where there are ties.

    Returns:
        Rising edges, each of them a start that is inclusive: at most rows - 1, and none where all
        predictions are one value.
    """
    edges = np.unique(np.quantile(predicted, np.arange(1, rows) / rows, method="higher"))
    above: FloatArray = edges[edges > predicted.min()]
    return above


def _cell(span: OutputSamples, chosen: NDArray[np.bool_]) -> RangeCell:
    """Only the days of the row's own samples count: a row of a few days has no error to be trusted."""
    found = mean_with_error(span.actual[chosen], span.times[chosen], span.overlap)
    return RangeCell(int(chosen.sum()), *found)


def _edges(predicted: FloatArray, rows: int, by: str, low: float | None, high: float | None) -> list[float]:
    finite = predicted[np.isfinite(predicted)]
    if low is None or high is None:
        if not len(finite):
            return []
        return _width_edges(finite, rows) if by == "width" else _count_edges(finite, rows)
    if by == "width":
        shares = np.arange(1, rows) / rows
        inner = (low * (1 - shares) + high * shares).tolist()
        place = _place([low, *inner, high], 1e-9)
        return sorted({low, *(_at(edge, place, ROUND_HALF_EVEN) for edge in inner), high})
    inside = finite[(finite >= low) & (finite < high)]
    between = [edge for edge in _count_edges(inside, rows) if low < edge < high] if len(inside) else []
    return [low, *between, high]


def _count_edges(finite: FloatArray, rows: int) -> list[float]:
    """Rounded down, so that a prediction that is an edge stays in the row that begins with it."""
    lowest, edges = float(finite.min()), equal_count(finite, rows).tolist()
    place = _place([lowest, *edges], 0.1)
    rounded = {_at(edge, place, ROUND_FLOOR) for edge in edges}
    return sorted(edge for edge in rounded if edge > lowest)


def _place(edges: list[float], share: float) -> int | None:
    """The decimal place that moves no rounded edge by more than that share of the narrowest row."""
    gaps = [upper / 2 - lower / 2 for lower, upper in itertools.pairwise(edges)]
    narrowest = min((gap for gap in gaps if gap > 0), default=None)
    return None if narrowest is None else math.floor(math.log10(narrowest) + math.log10(2 * share))


def _at(edge: float, place: int | None, rounding: str) -> float:
    """The edge at a multiple of 10^place; as it is when its shortest text has no digit below that."""
    written = Decimal(repr(edge))
    if place is None or int(written.as_tuple().exponent) >= place:
        return edge
    return float(written.quantize(Decimal(1).scaleb(place), rounding))


def _width_edges(finite: FloatArray, rows: int) -> list[float]:
    """Multiples of a nice width within the middle 98 % of the predictions."""
    low, high = (float(value) for value in np.quantile(finite / 2, [OUTER_SHARE, 1 - OUTER_SHARE]))
    spread = high - low  # halves, so that the difference of the largest numbers is still one
    if spread <= 1e-9 * max(abs(low), abs(high)) or spread < 1e-290:
        return []  # the predictions are one value
    about = math.floor(math.log10(spread))
    widths = [(digit, exponent) for exponent in range(about - 3, about + 3) for digit in (10, 20, 25, 50)]

    def edges_of(width: tuple[int, int]) -> tuple[int, int]:
        half = float(f"{width[0]}e{width[1]}") / 2
        return math.ceil(low / half), math.floor(high / half)

    def distance(width: tuple[int, int]) -> float:
        first, last = edges_of(width)
        return abs(math.log(max(last - first + 2, 1) / rows))

    digit, exponent = min(reversed(widths), key=distance)
    first, last = edges_of((digit, exponent))
    return [float(f"{digit * edge}e{exponent}") for edge in range(first, last + 1)]
