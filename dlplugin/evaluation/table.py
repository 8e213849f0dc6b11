"""Predicted ranges against what came, in and out of sample."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from dlplugin.evaluation.text import (
    UNDEFINED,
    Line,
    bar,
    dates,
    fixed,
    html_bar,
    html_table,
    plain,
    rich_text,
)

if TYPE_CHECKING:
    from rich.text import Text

__all__ = ["RangeTable"]

HALF_BAR = 8
EDGE, COUNT, AVERAGE = 10, 8, 10  # characters of a column
SCALE_SHARE = 0.01  # of a span's samples: smaller rows do not set the length of the bars


@dataclass(frozen=True, eq=False)
class RangeTable:
    """For each range of predicted values: how many samples, and what came on average.

    Attributes:
        output: The output's name.
        frame: One row a range, in rising order. Columns range_start (inclusive) and range_end (exclusive), in
            the output's unit, -inf and +inf at the ends, so that every sample is in one row; NaN in both for
            predictions that are not finite, a row that is there only when there are such. Then
            in_sample_count, in_sample_average, out_of_sample_count and out_of_sample_average: the average of
            the actual values, NaN for an empty range.
        spans: Name, first and last bar of each span: in-sample, then the judged one where there is one.

    `print` shows plain text of 100 columns, `rich.print` the same with red and green bars, a notebook an
    HTML table.
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
        panel = COUNT + AVERAGE + 2 + 2 * HALF_BAR + 1
        head = "".join(f"  {title:<{panel - 2}}" for title in self._titles())
        columns = f"{'count':>{COUNT}}{'average':>{AVERAGE}}".ljust(panel) * len(self._spans)
        lines: list[Line] = [
            [(f"predicted {self.output}", "bold")],
            [(" " * 2 * EDGE + head, "bold")],
            [(f"{'from':>{EDGE}}{'to below':>{EDGE}}{columns}", "bold")],
        ]
        full, decimals = self._full(), self._decimals()
        for index, (start, end) in enumerate(self._ranges()):
            line: Line = [(f"{start:>{EDGE}}{end:>{EDGE}}", "")]
            for span in self._spans:
                count, average = self._cell(index, span)
                line.append((f"{count:>{COUNT},} {fixed(average, decimals, AVERAGE - 1)}  ", ""))
                line += bar(average, full, HALF_BAR)
            lines.append(line)
        return lines

    def _repr_html_(self) -> str:
        full, decimals = self._full(), self._decimals()
        rows = []
        for index, (start, end) in enumerate(self._ranges()):
            row = [start, end]
            for span in self._spans:
                count, average = self._cell(index, span)
                row += [f"{count:,}", fixed(average, decimals), html_bar(average, full)]
            rows.append(row)
        head = [
            [("", 2), *((title, 3) for title in self._titles())],
            [
                ("from", 1),
                ("to below", 1),
                *[("count", 1), ("average actual", 1), ("", 1)] * len(self._spans),
            ],
        ]
        return html_table(f"predicted {self.output}", head, rows)

    @property
    def _spans(self) -> tuple[str, ...]:
        return tuple(name.replace("-", "_") for name, _, _ in self.spans)

    def _titles(self) -> list[str]:
        return [f"{name} {dates(start, end)}" for name, start, end in self.spans]

    def _cell(self, index: int, span: str) -> tuple[int, float]:
        row = self.frame.iloc[index]
        return int(row[f"{span}_count"]), float(row[f"{span}_average"])

    def _ranges(self) -> list[tuple[str, str]]:
        """Start and end of each row, with as many decimals as the finest edge needs."""
        edges = [float(edge) for edge in self.frame["range_start"] if np.isfinite(edge)]
        written = [repr(edge) for edge in edges]
        if any("e" in each or len(each) > EDGE - 1 for each in written):
            shown = [f"{edge:.4g}" for edge in edges]
        else:
            decimals = max(
                (len(each.split(".")[1]) for each in written if not each.endswith(".0")), default=0
            )
            shown = [f"{edge:.{decimals}f}" for edge in edges]
        limits = ["-∞", *shown, "∞"]
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
