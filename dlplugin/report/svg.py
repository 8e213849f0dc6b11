"""Pieces of SVG as escaped text, with coordinates short enough to keep a page small."""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
from markupsafe import Markup, escape

from dlplugin.report.words import clean

__all__ = ["FloatArray", "area", "band", "coordinate", "dot", "line", "polyline", "tag", "text"]

FloatArray = npt.NDArray[np.float64]


def coordinate(value: float) -> str:
    """A coordinate to a tenth of a pixel.

    >>> coordinate(12.0), coordinate(0.04), coordinate(-3.25)
    ('12', '0', '-3.2')
    """
    short = f"{value:.1f}".removesuffix(".0")
    return "0" if short == "-0" else short


def tag(name: str, /, *children: str, **attributes: str | float | None) -> Markup:
    """An element; text and attributes are escaped, underscores in attribute names become hyphens.

    >>> str(tag("text", "a < b", class_="label", x=1.25, text_anchor="end"))
    '<text class="label" x="1.2" text-anchor="end">a &lt; b</text>'
    """
    written = "".join(
        f' {key.strip("_").replace("_", "-")}="{_attribute(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    inside = "".join(child if isinstance(child, Markup) else escape(clean(child)) for child in children)
    return Markup(f"<{name}{written}>{inside}</{name}>" if inside else f"<{name}{written}/>")


def line(x1: float, y1: float, x2: float, y2: float, class_: str) -> Markup:
    """A straight line."""
    return tag("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=class_)


def text(x: float, y: float, content: str, class_: str = "label", anchor: str = "start") -> Markup:
    """A piece of text on the baseline `y`."""
    return tag("text", content, x=x, y=y, class_=class_, text_anchor=None if anchor == "start" else anchor)


def dot(x: float, y: float, class_: str, *inside: Markup, diamond: bool = False) -> Markup:
    """A round mark, or one on its corner: what colours tell apart, shapes do too."""
    if not diamond:
        return tag("circle", *inside, cx=x, cy=y, r=4, class_=class_)
    corners = ((x, y - 5), (x + 5, y), (x, y + 5), (x - 5, y))
    points = " ".join(f"{coordinate(a)},{coordinate(b)}" for a, b in corners)
    return tag("polygon", *inside, points=points, class_=class_)


def polyline(x: FloatArray, y: FloatArray, class_: str) -> Markup:
    """A line through the (N,) points, broken where `y` is NaN; a lone point is drawn as a dot."""
    pieces = []
    for run in _runs(y):
        points = " ".join(f"{coordinate(x[i])} {coordinate(y[i])}" for i in run)
        pieces.append(f"M{points}" if len(run) > 1 else f"M{points}h.01")
    return tag("path", d="".join(pieces), class_=class_) if pieces else Markup()


def area(x: FloatArray, y: FloatArray, base: float, class_: str) -> Markup:
    """The surface between the (N,) points and the level `base`, with gaps where `y` is NaN."""
    pieces = []
    for run in _runs(y):
        points = " ".join(f"{coordinate(x[i])} {coordinate(y[i])}" for i in run)
        pieces.append(f"M{coordinate(x[run[0]])} {coordinate(base)}L{points}V{coordinate(base)}z")
    return tag("path", d="".join(pieces), class_=class_) if pieces else Markup()


def band(x: FloatArray, low: FloatArray, high: FloatArray, class_: str) -> Markup:
    """The surface between two lines through (N,) points each, all of them finite."""
    there = [f"{coordinate(a)} {coordinate(b)}" for a, b in zip(x, low, strict=True)]
    back = [f"{coordinate(a)} {coordinate(b)}" for a, b in zip(x[::-1], high[::-1], strict=True)]
    return tag("path", d=f"M{' '.join([*there, *back])}z", class_=class_) if there else Markup()


def _attribute(value: str | float) -> str:
    return str(escape(clean(value))) if isinstance(value, str) else coordinate(value)


def _runs(y: FloatArray) -> Iterable[npt.NDArray[np.intp]]:
    known = np.flatnonzero(np.isfinite(y))
    return (run for run in np.split(known, np.flatnonzero(np.diff(known) > 1) + 1) if run.size)
