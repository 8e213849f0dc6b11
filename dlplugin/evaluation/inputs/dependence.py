"""Partial dependence: what is predicted on average when one input is set to a value."""

from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from dlplugin.evaluation.inputs.dependence_plot import plot_dependence
from dlplugin.evaluation.plain import PLAIN, Moment, Number, to_plain
from dlplugin.evaluation.text import (
    Line,
    bar,
    dates,
    html_bar,
    html_table,
    number,
    percent,
    plain,
    rich_text,
    wrapped,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from rich.text import Text

__all__ = ["DependencePoint", "PartialDependence"]

LABEL, FIGURE, HALF_BAR = 16, 12, 9  # characters
SEES_CHANGES = (
    "the engine sees how inputs change in a window, not their level: newest=True sets the newest bar alone"
)


@dataclass(frozen=True)
class DependencePoint:
    """What is predicted when the input has one value, over all samples.

    Attributes:
        label: The value in words: a category's where the input has categories.
        value: In the input's own unit; the place of a symbol among the categories.
        mean: Of the predictions.
        low: Their 10 % quantile.
        high: Their 90 % quantile.
        share: Of the in-sample values, those that are nearest to this point; of categories those that are
            the category.
    """

    label: str
    value: Number
    mean: Number
    low: Number
    high: Number
    share: Number


@dataclass(frozen=True, repr=False)
class PartialDependence:
    """The mean prediction as a function of one input, all others as they came (Friedman, 2001).

    The curve is of the model, not of the market; and where inputs move together it speaks also of
    values that do not occur together.

    Attributes:
        input: Its name.
        unit: What is predicted: the output's name, or "probability of [...]", "score of [...]".
        span: "out-of-sample" or "in-sample".
        extent: Bar t of the first and of the last sample.
        samples: How many.
        newest: Whether only the newest of the input's bars was set, and not all its depths.
        points: In rising order of the value, or in the order of the categories.
        categories: Whether the points are categories.
        note: What to know of the curve; empty for nothing.
    """

    __pydantic_config__ = PLAIN

    input: str
    unit: str
    span: str
    extent: tuple[Moment, Moment]
    samples: int
    newest: bool
    points: tuple[DependencePoint, ...]
    categories: bool = False
    note: str = ""

    @property
    def frame(self) -> pd.DataFrame:
        """A row a point: label, value, mean, low, high, share; see `DependencePoint`."""
        names = list(DependencePoint.__dataclass_fields__)
        return pd.DataFrame(
            [[getattr(point, name) for name in names] for point in self.points], columns=names
        )

    def plot(self, path: str | Path | None = None) -> "Figure":
        """Draws the curve with the spread of the predictions.

        Args:
            path: Where to write it as well: .png, .svg or .pdf.

        Returns:
            A matplotlib figure; a notebook shows it.

        Raises:
            StoreError: The file cannot be written.
        """
        return plot_dependence(self.frame, self.input, self.unit, self.title, self.categories, path)

    def to_dict(self) -> dict[str, Any]:
        """Plain types as JSON holds them; None stands for NaN."""
        document: dict[str, Any] = to_plain(self)
        return document

    def __repr__(self) -> str:
        means = [point.mean for point in self.points]
        span = f"{number(min(means), 3)} to {number(max(means), 3)}"
        return f"<PartialDependence of predicted {self.unit} on {self.input}: {span}>"

    def __str__(self) -> str:
        return plain(self.lines())

    def __rich__(self) -> "Text":
        return rich_text(self.lines())

    @property
    def title(self) -> str:
        """What was looked at, in one line."""
        bars = " (its newest bar alone)" if self.newest else ""
        return (
            f"mean predicted {self.unit} by input {self.input}{bars}; {self.span} {dates(*self.extent)}, "
            f"{self.samples:,} samples"
        )

    def lines(self) -> list[Line]:
        """The table as lines of styled pieces, to be put on a larger page.

        Bars are drawn from the mean of all points.
        """
        heads = "".join(f"{name:>{FIGURE}}" for name in ("mean", "10 %", "90 %", "values near"))
        lines = wrapped(self.title, "bold")
        lines += [[(self.note, "")]] if self.note else []
        lines += [[], [(f"{'value':>{LABEL}}{heads}", "bold")]]
        middle, full = self._middle_and_full()
        for point in self.points:
            figures = "".join(
                f"{number(value, 3):>{FIGURE}}" for value in (point.mean, point.low, point.high)
            )
            words = f"{_cut(point.label):>{LABEL}}{figures}{percent(point.share):>{FIGURE}}  "
            lines.append([(words, ""), *bar(point.mean - middle, full, HALF_BAR)])
        return lines

    def _repr_html_(self) -> str:
        middle, full = self._middle_and_full()
        rows = [
            [
                escape(point.label),
                *(number(value, 3) for value in (point.mean, point.low, point.high)),
                percent(point.share),
                html_bar(point.mean - middle, full),
            ]
            for point in self.points
        ]
        head = [[(each, 1) for each in ("value", "mean", "10 %", "90 %", "values near", "")]]
        note = f"<p>{escape(self.note)}</p>" if self.note else ""
        return f"<div>{html_table(self.title, head, rows)}{note}</div>"

    def _middle_and_full(self) -> tuple[float, float]:
        means = np.array([point.mean for point in self.points])
        middle = float(means.mean())
        return middle, float(np.abs(means - middle).max())


def _cut(label: str) -> str:
    return label if len(label) <= LABEL else f"{label[: LABEL - 1]}…"
