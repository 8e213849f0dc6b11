"""Small pictures inside table cells: bars from a centre line."""

import numpy as np
from markupsafe import Markup

from dlplugin.report import svg
from dlplugin.report.words import number

__all__ = ["bar_axis", "range_bar"]

_WIDTH, _HEIGHT, _EDGE = 208.0, 16.0, 8.0
_MIDDLE = _WIDTH / 2


def range_bar(average: float, full: float, *, faint: bool = False) -> Markup:
    """A bar from a centre line: to the right and green above zero, to the left and red below.

    Args:
        average: What came on average; NaN draws the centre line alone.
        full: What fills a side; a bar of more ends in a point there.
        faint: Whether the average is inside its error; then the bar is hollow.
    """
    centre = svg.line(_MIDDLE, 0, _MIDDLE, _HEIGHT, "centre")
    if not np.isfinite(average) or average == 0 or not full > 0:
        return _cell(centre)
    side, class_ = (1, "gain") if average > 0 else (-1, "loss")
    most = _MIDDLE - _EDGE
    length = side * min(max(1.0, abs(average) / full * most), most)
    top, bottom, end = 2.0, _HEIGHT - 2, _MIDDLE + length
    corners = [(_MIDDLE, top), (end, top), (end, bottom), (_MIDDLE, bottom)]
    if abs(average) > full * (1 + 1e-9):
        corners.insert(2, (end + side * 6, _HEIGHT / 2))
    points = " ".join(f"{svg.coordinate(x)},{svg.coordinate(y)}" for x, y in corners)
    return _cell(
        svg.tag("polygon", points=points, class_=f"cell-bar {class_}{' hollow' if faint else ''}"), centre
    )


def bar_axis(full: float, decimals: int) -> Markup:
    """The scale below a column of such bars."""
    if not full > 0:
        return Markup()
    ends = [
        (_EDGE, number(-full, decimals)),
        (_MIDDLE, "0"),
        (_WIDTH - _EDGE, number(full, decimals, signed=True)),
    ]
    ticks = [svg.line(x, 0, x, 3, "axis") for x, _ in ends]
    words = [
        svg.text(x, 14, said, "tick", anchor)
        for (x, said), anchor in zip(ends, ("start", "middle", "end"), strict=True)
    ]
    return _cell(svg.line(_EDGE, 0.5, _WIDTH - _EDGE, 0.5, "axis"), *ticks, *words)


def _cell(*parts: Markup) -> Markup:
    view = f"0 0 {svg.coordinate(_WIDTH)} {svg.coordinate(_HEIGHT)}"
    return svg.tag(
        "svg", *parts, class_="cell", viewBox=view, width=_WIDTH, height=_HEIGHT, aria_hidden="true"
    )
