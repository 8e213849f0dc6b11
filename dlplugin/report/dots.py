"""Charts of figures with their errors: a line for each, a dot at the figure, a whisker over its 95 % interval."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from dlplugin.report import svg
from dlplugin.report.charts import FULL, Figure, cut, drawing, empty, wide_of
from dlplugin.report.scales import Scale, padded, tick_decimals, ticks
from dlplugin.report.words import alike, finite, plus_minus

__all__ = ["Line", "Mark", "dot_plot"]

_GAP = 32.0
_MOST_NAME = 208.0
_TICK = 24.0
"""Pixels beyond the scale's end, for half of the last tick's label."""
_LONGEST = 4.0  # times the middle error: longer whiskers do not set the scale
_FAR = 8.0  # times the middle reach from zero: figures further out do not set it


@dataclass(frozen=True)
class Mark:
    """A figure.

    Attributes:
        value: NaN draws nothing.
        error: Half of its 95 % interval; NaN draws no whisker.
        class_: What colours it: a span, "gain", "loss" or "model".
        faint: Whether it is inside its error; then it is hollow.
        words: What pointing at it says.
    """

    value: float
    error: float
    class_: str
    faint: bool = False
    words: str = ""


@dataclass(frozen=True)
class Line:
    """A name, its figures, and what is said of them at the right."""

    name: str
    marks: Sequence[Mark]
    said: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True)
class _Form:
    """Where things lie, in pixels.

    Attributes:
        width: Of one column.
        names: Room for the names.
        said: Room for each of what is said at the right.
        top: Where the first line's room begins.
        room: For each line.
        limits: Of the scale.
    """

    width: float
    names: float
    said: Sequence[float]
    top: float
    room: float
    limits: tuple[float, float]

    def scale(self, left: float) -> Scale:
        """From values to pixels in the column that begins there."""
        return Scale(*self.limits, left + self.names + 12, left + self.width - sum(self.said) - _TICK)


def dot_plot(
    lines: Sequence[Line],
    label: str,
    axis: str,
    width: float = FULL,
    columns: int = 1,
    *,
    bars: bool = False,
    heads: Sequence[str] = (),
    zero: bool = True,
) -> Figure:
    """The lines one below the other, on one scale.

    Args:
        lines: From top to bottom, then on in the next column.
        label: What the picture is called.
        axis: What is measured, with its unit.
        width: Pixels.
        columns: Side by side.
        bars: Whether bars lead from zero to the figures.
        heads: What stands above each of `said`.
        zero: Whether the scale holds zero.
    """
    marks = [mark for line in lines for mark in line.marks]
    if not finite([mark.value for mark in marks]).size:
        return empty("None of these figures is known: there are too few samples.")
    several = max(len(line.marks) for line in lines) > 1
    wide = (width - (columns - 1) * _GAP) / columns
    room = 30.0 if several else 18.0 if columns > 1 else 26.0
    names, said = _room(lines, wide, heads)
    form = _Form(wide, names, said, 28.0 if heads else 8.0, room, _limits(marks, zero))
    each = math.ceil(len(lines) / columns)
    bottom = form.top + each * room
    parts = []
    for column in range(columns):
        chosen = lines[column * each : (column + 1) * each]
        parts.append(_column(chosen, form, column * (wide + _GAP), bottom, bars, heads))
    words = cut(axis, width)
    half, scale = wide_of(words) / 2, form.scale(0.0)
    middle = width / 2 if columns > 1 else (scale.start + scale.stop) / 2
    middle = min(max(middle, half), width - half)
    parts.append(svg.text(middle, bottom + 36, words, "tick axis-title", "middle"))
    return Figure(drawing(width, bottom + 44, label, *parts))


def _limits(marks: Sequence[Mark], zero: bool) -> tuple[float, float]:
    """Of the scale: far longer whiskers than the others, and figures far beyond the others, do not set it."""
    errors = finite([mark.error for mark in marks])
    most = _LONGEST * float(np.median(errors)) if errors.size else 0.0
    known = [mark for mark in marks if math.isfinite(mark.value)]
    values = np.array([mark.value for mark in known])
    reach = np.array([min(mark.error, most) if math.isfinite(mark.error) else 0.0 for mark in known])
    if zero:
        near = np.abs(values) - reach <= _FAR * float(np.median(np.abs(values) + reach))
        values, reach = values[near], reach[near]
    low, high = float((values - reach).min()), float((values + reach).max())
    return padded(min(0.0, low), max(0.0, high)) if zero else padded(low, high)


def _column(
    lines: Sequence[Line], form: _Form, left: float, bottom: float, bars: bool, heads: Sequence[str]
) -> Markup:
    x = form.scale(left)
    places = [x.stop + _TICK + sum(form.said[:i]) for i in range(len(heads))]
    parts = [_axis(x, form.top, bottom)]
    parts += [svg.text(at, 14, head, "tick") for at, head in zip(places, heads, strict=True)]
    for index, line in enumerate(lines):
        y = form.top + (index + 0.5) * form.room
        name = cut(line.name, form.names)
        parts.append(svg.text(left + form.names, y + 4, name, "label", "end"))
        spread = 6.0 if len(line.marks) > 1 else 0.0
        for place, mark in enumerate(line.marks):
            parts.append(_mark(mark, x, y + spread * (2 * place - len(line.marks) + 1), bars))
        for at, (words, class_) in zip(places, line.said, strict=False):
            parts.append(svg.text(at, y + 4, words, f"label {class_}".strip()))
    return Markup().join(parts)


def _room(lines: Sequence[Line], width: float, heads: Sequence[str]) -> tuple[float, list[float]]:
    """Pixels for the names, and for each of what is said at the right."""
    names = min(_MOST_NAME, width * 0.45, max(wide_of(line.name) for line in lines) + 4)
    said = [
        max([wide_of(head), *(wide_of(line.said[i][0]) for line in lines if len(line.said) > i)]) + 16
        for i, head in enumerate(heads)
    ]
    return names, said


def _axis(x: Scale, top: float, bottom: float) -> Markup:
    values = ticks(x.low, x.high, max(2, int((x.stop - x.start) / 72)))
    parts = []
    for value, label in zip(values, alike(values, tick_decimals(values)), strict=True):
        at = x(value)
        parts.append(svg.line(at, top, at, bottom + 4, "level" if value == 0 else "grid"))
        parts.append(svg.text(at, bottom + 18, label, "tick", "middle"))
    return Markup().join(parts)


def _mark(mark: Mark, x: Scale, y: float, bars: bool) -> Markup:
    if not math.isfinite(mark.value):
        return Markup()
    class_ = f"{mark.class_}{' hollow' if mark.faint else ''}"
    if not x.low <= mark.value <= x.high:
        return _far(mark, x, y, class_)
    parts = []
    if bars:
        ends = sorted((x(0.0), x(mark.value)))
        parts.append(
            svg.tag("rect", x=ends[0], y=y - 6, width=ends[1] - ends[0], height=12, class_=f"bar {class_}")
        )
    if math.isfinite(mark.error):
        low, high = (x(mark.value + side * mark.error) for side in (-1, 1))
        parts.append(svg.line(max(low, x.start), y, min(high, x.stop), y, f"whisker {class_}"))
        if low < x.start:
            parts.append(_beyond(x.start, y, -1, class_))
        if high > x.stop:
            parts.append(_beyond(x.stop, y, 1, class_))
    title = svg.tag("title", mark.words) if mark.words else Markup()
    parts.append(
        svg.dot(x(mark.value), y, f"dot {class_}", title, diamond=mark.class_ in ("out-of-sample", "holdout"))
    )
    return Markup().join(parts)


def _far(mark: Mark, x: Scale, y: float, class_: str) -> Markup:
    """An arrow at the edge, and the figure in words, where that lies beyond the scale."""
    side = 1 if mark.value > x.high else -1
    edge = x.stop if side > 0 else x.start
    near = mark.value - side * mark.error if math.isfinite(mark.error) else mark.value
    begin = min(max(x(near), x.start), x.stop)
    words = plus_minus(mark.value, mark.error)
    at, anchor = (edge - 8, "end") if side > 0 else (edge + 8, "start")
    return Markup().join(
        (
            svg.line(begin, y, edge, y, f"whisker {class_}"),
            _beyond(edge, y, side, class_),
            svg.text(at, y + 4, words, "tick halo", anchor),
        )
    )


def _beyond(x: float, y: float, side: int, class_: str) -> Markup:
    """An arrow's head where a whisker goes on beyond the scale."""
    corners = ((x + 5 * side, y), (x, y - 4), (x, y + 4))
    points = " ".join(f"{svg.coordinate(a)},{svg.coordinate(b)}" for a, b in corners)
    return svg.tag("polygon", points=points, class_=f"beyond {class_}")
