"""The parts that every chart is put together from: panels, axes, labels, and what hovering reads out."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd
from markupsafe import Markup

from dlplugin.report import svg
from dlplugin.report.scales import Scale, date_ticks, spread, tick_decimals, ticks
from dlplugin.report.svg import FloatArray
from dlplugin.report.words import number

__all__ = [
    "FULL",
    "HALF",
    "Column",
    "Figure",
    "Panel",
    "cut",
    "date_axis",
    "drawing",
    "empty",
    "end_labels",
    "thin",
    "wide_of",
]

FULL = 1184.0
HALF = 576.0
"""Widths in pixels of a chart over the whole page, at 1280, and of one of two side by side."""

_LABEL_GAP = 16.0
_LETTER, _CAPITAL = 7.4, 9.6
"""Pixels that a letter of a label takes on average in a wide font, and a capital or another wide one."""


@dataclass(frozen=True)
class Column:
    """Values that hovering reads out, one for each x position of the figure's group."""

    name: str
    values: FloatArray
    decimals: int
    unit: str = ""


@dataclass(frozen=True)
class Figure:
    """A chart, or the sentence that says why there is none.

    Attributes:
        body: The SVG, or a paragraph.
        group: Figures of one group show their cross-hairs at the same position.
        x: (N,) pixels of the positions that can be read out.
        labels: What each position is called: a date, an epoch.
        columns: What is read out there.
    """

    body: Markup
    group: str = ""
    x: FloatArray = field(default_factory=lambda: np.empty(0))
    labels: Sequence[str] = ()
    columns: Sequence[Column] = ()


@dataclass(frozen=True)
class Panel:
    """A plotting area with its two scales."""

    x: Scale
    y: Scale

    @property
    def top(self) -> float:
        """Pixels of the upper edge."""
        return self.y.stop

    @property
    def bottom(self) -> float:
        """Pixels of the lower edge."""
        return self.y.start

    def grid(self, most: int, *, unit: str = "") -> Markup:
        """Faint horizontal lines at round values, at most so many, with the values at the left."""
        values = ticks(self.y.low, self.y.high, most)
        decimals = tick_decimals(values)
        parts = []
        for value in values:
            y = self.y(value)
            parts.append(svg.line(self.x.start, y, self.x.stop, y, "grid"))
            label = number(value, decimals, unit=unit)
            parts.append(svg.text(self.x.start - 8, y + 4, label, "tick", "end"))
        return Markup().join(parts)

    def title(self, words: str, class_: str = "panel-title") -> Markup:
        """What the panel shows, above its upper left corner."""
        return svg.text(self.x.start, self.top - 8, words, class_)

    def level(self, value: float, class_: str = "level") -> Markup:
        """A horizontal line at a value."""
        y = self.y(value)
        return svg.line(self.x.start, y, self.x.stop, y, class_)

    def clipped(self, drawn: Markup) -> Markup:
        """Only what lies inside the panel, with a little room for the width of lines."""
        x, y = self.x.start - 2, self.top - 2
        width, height = self.x.stop - x + 2, self.bottom - y + 2
        view = " ".join(svg.coordinate(value) for value in (x, y, width, height))
        return svg.tag("svg", drawn, x=x, y=y, width=width, height=height, viewBox=view)

    def says(self, words: str) -> Markup:
        """A sentence in the middle of a panel that has nothing to show."""
        middle = (self.x.start + self.x.stop) / 2
        return svg.text(middle, (self.top + self.bottom) / 2 + 4, words, "nothing", "middle")


def drawing(width: float, height: float, label: str, *parts: Markup) -> Markup:
    """The whole SVG, with the cross-hair that hovering moves."""
    cross = svg.line(0, 0, 0, height, "cross")
    view = f"0 0 {svg.coordinate(width)} {svg.coordinate(height)}"
    return svg.tag("svg", *parts, cross, class_="chart", viewBox=view, role="img", aria_label=label)


def empty(sentence: str) -> Figure:
    """A sentence in the place of a chart."""
    return Figure(svg.tag("p", sentence, class_="empty"))


def date_axis(panel: Panel, index: pd.DatetimeIndex, x: FloatArray, top: float) -> Markup:
    """Dates below a panel, with faint vertical lines up to `top`.

    Args:
        panel: The lowest panel.
        index: (T,) dates of the bars.
        x: (T,) pixels of the bars.
        top: Pixels at which the vertical lines end.
    """
    room = max(1, int((panel.x.stop - panel.x.start) / 84))
    parts = [svg.line(panel.x.start, panel.bottom, panel.x.stop, panel.bottom, "axis")]
    for tick in date_ticks(index, room):
        at = float(x[tick.position])
        parts.append(svg.line(at, top, at, panel.bottom + 4, "grid"))
        parts.append(svg.text(at, panel.bottom + 18, tick.label, "tick", "middle"))
        if tick.under:
            parts.append(svg.text(at, panel.bottom + 33, tick.under, "tick strong", "middle"))
    return Markup().join(parts)


def wide_of(words: str) -> float:
    """Pixels that a label takes at most; no picture knows its font."""
    return sum(_CAPITAL if letter.isupper() or letter in "mw%@…—&+=<>" else _LETTER for letter in words)


def cut(words: str, width: float) -> str:
    """As much of a label as there is room for; the page names it whole elsewhere.

    >>> cut("AAPL", 80.0), cut("a name of many words", 80.0)
    ('AAPL', 'a name of…')
    """
    if wide_of(words) <= width:
        return words
    kept = words
    while kept and wide_of(f"{kept}…") > width:
        kept = kept[:-1]
    return f"{kept.rstrip()}…"


def end_labels(panel: Panel, labels: Sequence[tuple[float, str, str]]) -> Markup:
    """Names at the right end of lines, kept apart.

    Args:
        panel: Where the lines are.
        labels: For each line its last value, its name and the class that colours it.
    """
    known = [(panel.y(value), words, class_) for value, words, class_ in labels if np.isfinite(value)]
    places = spread([y for y, _, _ in known], _LABEL_GAP, panel.top + 4, panel.bottom - 4)
    return Markup().join(
        svg.text(panel.x.stop + 8, y + 4, words, f"label {class_}")
        for y, (_, words, class_) in zip(places, known, strict=True)
    )


def thin(columns: Sequence[FloatArray], keep: Sequence[int], buckets: int = 500) -> npt.NDArray[np.intp]:
    """Positions that draw the same lines with fewer points: both extremes of each column in each bucket.

    Args:
        columns: Columns of (N,) values.
        keep: Positions that must stay.
        buckets: Pieces into which the N positions are cut.

    Returns:
        (M,) positions, rising; all of them when there are few.
    """
    length = len(columns[0])
    if length <= 4 * buckets:
        return np.arange(length)
    chosen = {0, length - 1, *keep}
    for piece in np.array_split(np.arange(length), buckets):
        for column in columns:
            values = column[piece]
            if np.isfinite(values).any():
                chosen |= {int(piece[np.nanargmin(values)]), int(piece[np.nanargmax(values)])}
    return np.array(sorted(chosen), dtype=np.intp)
