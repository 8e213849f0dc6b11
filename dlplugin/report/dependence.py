"""The picture of a partial dependence: the mean prediction by one input, and how far predictions spread."""

from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup

from dlplugin.report import svg
from dlplugin.report.charts import HALF, Figure, Panel, cut, drawing, empty
from dlplugin.report.dots import Line, Mark, dot_plot
from dlplugin.report.scales import Scale, padded, tick_decimals, ticks
from dlplugin.report.words import finite, number

if TYPE_CHECKING:
    from dlplugin.evaluation.inputs import PartialDependence

__all__ = ["dependence_figure"]

_HEIGHT = 240.0


def dependence_figure(found: "PartialDependence") -> Figure:
    """The curve over a band from the 10 % to the 90 % quantile of the predictions; a dot for each category."""
    frame = found.frame
    label = f"Mean predicted {found.unit} by {found.input}"
    if found.categories:
        return _categories(found, label)
    x, mean, low, high = (frame[name].to_numpy(dtype=np.float64) for name in ("value", "mean", "low", "high"))
    if len(finite(x)) < 2:
        return empty(f"{found.input} has one value only, so there is no curve to draw.")
    known = finite([mean, low, high])
    across = Scale(float(x.min()), float(x.max()), 64, HALF - 16)
    panel = Panel(across, Scale(*padded(float(known.min()), float(known.max())), _HEIGHT - 56, 28))
    at = across(x)
    parts = [
        panel.grid(4),
        svg.text(0, 14, cut(f"predicted {found.unit}", HALF - 8), "tick axis-title"),
        svg.band(at, panel.y(low), panel.y(high), f"tint {found.span}"),
        panel.level(0.0) if panel.y.low < 0 < panel.y.high else Markup(),
        svg.polyline(at, panel.y(mean), f"curve {found.span}"),
        Markup().join(svg.line(each, panel.bottom, each, panel.bottom - 6, "rug") for each in at),
        _across(panel, found.input),
    ]
    return Figure(drawing(HALF, _HEIGHT, label, *parts))


def _across(panel: Panel, words: str) -> Markup:
    values = ticks(panel.x.low, panel.x.high, 6)
    decimals = tick_decimals(values)
    parts = [svg.line(panel.x.start, panel.bottom, panel.x.stop, panel.bottom, "axis")]
    parts += [
        svg.text(panel.x(value), panel.bottom + 18, number(value, decimals), "tick", "middle")
        for value in values
    ]
    middle = (panel.x.start + panel.x.stop) / 2
    room = 2 * (HALF - middle)
    parts.append(svg.text(middle, panel.bottom + 40, cut(words, room), "tick axis-title", "middle"))
    return Markup().join(parts)


def _categories(found: "PartialDependence", label: str) -> Figure:
    lines = [
        Line(str(each.label), [Mark(float(each.mean), float("nan"), found.span)]) for each in found.points
    ]
    most = 24
    return dot_plot(lines[:most], label, f"mean predicted {found.unit}", HALF)
