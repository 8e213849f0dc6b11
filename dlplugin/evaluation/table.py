"""Predicted ranges against what came, in and out of sample."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from dlplugin.evaluation.text import (
    UNDEFINED,
    Line,
    bar,
    dates,
    days,
    fixed,
    html_bar,
    html_table,
    plain,
    rich_text,
)

if TYPE_CHECKING:
    from rich.text import Text

__all__ = ["RangeTable"]

WIDTH = 100
EDGE, COUNT, AVERAGE, ERROR = 10, 8, 10, 9  # characters of a column; that of the error is " ± 0.12 "
LONGEST_HALF, SHORTEST_HALF = 8, 2  # characters of a bar on each side of its centre line
SCALE_SHARE = 0.01  # of a span's samples: smaller rows do not set the length of the bars
LEGEND = "± is the 95 % interval of an average; ▒ marks one inside its error of 0, so not told from 0"


@dataclass(frozen=True, eq=False)
class RangeTable:
    """For each range of predicted values: how many samples, and what came on average, against what error.

    Attributes:
        output: The output's name.
        frame: One row a range, in rising order. Columns range_start (inclusive) and range_end (exclusive), in
            the output's unit, -inf and +inf at the ends, so that every sample is in one row; NaN in both for
            predictions that are not finite, a row that is there only when there are such. Then
            in_sample_count, in_sample_average and in_sample_error, and likewise out_of_sample or holdout:
            the average of the actual values, NaN for an empty range, and half the width of its 95 % interval,
            1.96 standard errors, NaN where the row's samples lie on too few days to tell.
        spans: Name, first and last bar of each span: in-sample, then the judged one where there is one.

    `print` shows plain text of 100 columns, `rich.print` the same with red and green bars, a notebook an
    HTML table. A bar goes from 0 to the average; it is faint where that is inside its error of 0, or has none.
    """

    output: str
    frame: pd.DataFrame
    spans: tuple[tuple[str, pd.Timestamp, pd.Timestamp], ...]

    def __str__(self) -> str:
        return plain(self.lines())

    def __rich__(self) -> "Text":
        return rich_text(self.lines())

    def lines(self) -> list[Line]:
        """The table as lines of styled pieces, to be put on a larger page."""
        count = max(COUNT, *(len(f"{int(self.frame[f'{span}_count'].max()):,}") + 1 for span in self._spans))
        cells = count + AVERAGE + ERROR
        half = min(max(((WIDTH - 2 * EDGE) // 2 - cells - 1) // 2, SHORTEST_HALF), LONGEST_HALF)
        panel = cells + 2 * half + 1
        head = "".join(f"  {name} {days(start, end)}".ljust(panel) for name, start, end in self.spans)
        columns = f"{'count':>{count}}{'average':>{AVERAGE}}".ljust(panel) * len(self._spans)
        lines: list[Line] = [
            [(f"predicted {self.output}", "bold")],
            [(" " * 2 * EDGE + head, "bold")],
            [(f"{'from':>{EDGE}}{'to below':>{EDGE}}{columns}", "bold")],
        ]
        full, decimals = self._full(), self._decimals()
        for index, (start, end) in enumerate(self._ranges()):
            line: Line = [(f"{start:>{EDGE}}{end:>{EDGE}}", "")]
            for span in self._spans:
                held, average, error = self._cell(index, span)
                shown = f"{held:>{count},} {fixed(average, decimals, AVERAGE - 1)}"
                line += [(shown + _error_text(error, decimals), "")]
                line += bar(average, full, half, faint=not abs(average) > error)
            lines.append(line)
        return [*lines, [(LEGEND, "dim")]]

    def _repr_html_(self) -> str:
        full, decimals = self._full(), self._decimals()
        rows = []
        for index, (start, end) in enumerate(self._ranges()):
            row = [start, end]
            for span in self._spans:
                count, average, error = self._cell(index, span)
                drawn = html_bar(average, full, faint=not abs(average) > error)
                row += [f"{count:,}", fixed(average, decimals), fixed(error, decimals), drawn]
            rows.append(row)
        titles = [f"{name} {dates(start, end)}" for name, start, end in self.spans]
        head = [
            [("", 2), *((title, 4) for title in titles)],
            [
                ("from", 1),
                ("to below", 1),
                *[("count", 1), ("average actual", 1), ("±", 1), ("", 1)] * len(self._spans),
            ],
        ]
        legend = LEGEND.replace("▒", "a faint bar")
        return html_table(f"predicted {self.output}", head, rows) + f"<p>{legend}</p>"

    @property
    def _spans(self) -> tuple[str, ...]:
        return tuple(name.replace("-", "_") for name, _, _ in self.spans)

    def _cell(self, index: int, span: str) -> tuple[int, float, float]:
        row = self.frame.iloc[index]
        return int(row[f"{span}_count"]), float(row[f"{span}_average"]), float(row[f"{span}_error"])

    def _ranges(self) -> list[tuple[str, str]]:
        """Start and end of each row."""
        limits = ["-∞", *_edge_texts([float(e) for e in self.frame["range_start"] if np.isfinite(e)]), "∞"]
        ranges = [(limits[i], limits[i + 1]) for i in range(len(limits) - 1)]
        if len(ranges) < len(self.frame):
            ranges.append(("not finite", UNDEFINED))
        return ranges

    def _full(self) -> float:
        """The average that fills a bar: the largest of the rows that hold a hundredth of their span."""
        largest = 0.0
        for span in self._spans:
            counts, averages = self.frame[f"{span}_count"], self.frame[f"{span}_average"]
            weighty = averages[(counts > 0) & (counts >= SCALE_SHARE * counts.sum())].abs()
            largest = max(largest, float(weighty.max()) if len(weighty) else 0.0)
        return largest

    def _decimals(self) -> int:
        full = self._full()
        return int(np.clip(2 - np.floor(np.log10(full)), 0, 8)) if full > 0 else 2


def _edge_texts(edges: list[float]) -> list[str]:
    """Rising edges with as many decimals as the finest needs, or as many digits as part them in their column."""
    written = [repr(edge) for edge in edges]
    if all("e" not in each and len(each) < EDGE for each in written):
        decimals = max((len(each.split(".")[1]) for each in written if not each.endswith(".0")), default=0)
        shown = [f"{edge:.{decimals}f}" for edge in edges]
        if max(map(len, shown), default=0) < EDGE:
            return shown
    for digits in range(4, 8):
        shown = [f"{edge:.{digits}g}" for edge in edges]
        if len(set(shown)) == len(edges):
            break
    forms = ([each, f"{edge:.2e}", f"{edge:.1e}"] for each, edge in zip(shown, edges, strict=True))
    return [next(form for form in each if len(form) < EDGE) for each in forms]


def _error_text(error: float, decimals: int) -> str:
    room = ERROR - 4
    shown = fixed(error, decimals)
    return ("" if math.isnan(error) else f" ± {shown if len(shown) <= room else f'{error:.0e}'}").ljust(ERROR)
