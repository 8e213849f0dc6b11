"""The picture of predicted against what came, with the diagonal on which both agree."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from dlplugin.report import svg
from dlplugin.report.charts import HALF, Figure, Panel, cut, drawing, empty, wide_of
from dlplugin.report.scales import Scale, padded, tick_decimals, ticks
from dlplugin.report.words import alike, count, figure, finite

__all__ = ["Agreement", "Place", "agreement_figure"]

_HEIGHT = 336.0


@dataclass(frozen=True)
class Place:
    """Samples of about one prediction: their mean prediction, what came on average, half its 95 % interval."""

    predicted: float
    came: float
    error: float
    samples: int


@dataclass(frozen=True)
class Agreement:
    """The places of one span."""

    span: str
    places: Sequence[Place]


def agreement_figure(
    spans: Sequence[Agreement], label: str, x_words: str, y_words: str, decimals: int | None = None
) -> Figure:
    """Each place as a dot with its error; the dashed line is where what came is what was predicted.

    Args:
        spans: In-sample first, which lies below.
        label: What the picture is called.
        x_words: What is predicted, with its unit.
        y_words: What came, with its unit.
        decimals: Of the figures that pointing reads out; by default as many as tell places apart.
    """
    places = [place for span in spans for place in span.places if math.isfinite(place.came)]
    if not places:
        return empty("There are no samples to hold predictions against.")
    across = finite([place.predicted for place in places])
    errors = [place.error if math.isfinite(place.error) else 0.0 for place in places]
    up = [
        end
        for place, error in zip(places, errors, strict=True)
        for end in (place.came - error, place.came + error)
    ]
    x = Scale(*padded(float(across.min()), float(across.max())), 64, HALF - 16)
    panel = Panel(x, Scale(*padded(min(0.0, *up), max(0.0, *up)), _HEIGHT - 56, 40))
    shown = _decimals(places) if decimals is None else decimals
    parts = [
        panel.grid(6),
        _across(panel, x_words),
        svg.text(0, 14, cut(y_words, HALF - 8), "tick axis-title"),
        _zero(panel),
        panel.clipped(_diagonal(panel)),
        *(_places(panel, span, shown) for span in spans),
        _names(spans),
    ]
    return Figure(drawing(HALF, _HEIGHT, label, *parts))


def _decimals(places: Sequence[Place]) -> int:
    size = float(finite([abs(place.predicted) for place in places]).max(initial=0.0))
    return min(max(2 - math.floor(math.log10(size)), 0), 8) if size > 0 else 2


def _across(panel: Panel, words: str) -> Markup:
    values = ticks(panel.x.low, panel.x.high, 6)
    parts = [svg.line(panel.x.start, panel.bottom, panel.x.stop, panel.bottom, "axis")]
    for value, label in zip(values, alike(values, tick_decimals(values)), strict=True):
        at = panel.x(value)
        parts.append(svg.line(at, panel.bottom, at, panel.bottom + 4, "axis"))
        parts.append(svg.text(at, panel.bottom + 18, label, "tick", "middle"))
    middle = (panel.x.start + panel.x.stop) / 2
    room = 2 * (HALF - middle)
    parts.append(svg.text(middle, panel.bottom + 40, cut(words, room), "tick axis-title", "middle"))
    return Markup().join(parts)


def _zero(panel: Panel) -> Markup:
    parts = [panel.level(0.0)] if panel.y.low < 0 < panel.y.high else []
    if panel.x.low < 0 < panel.x.high:
        parts.append(svg.line(panel.x(0.0), panel.top, panel.x(0.0), panel.bottom, "level"))
    return Markup().join(parts)


def _diagonal(panel: Panel) -> Markup:
    low, high = panel.x.low, panel.x.high
    return svg.line(panel.x(low), panel.y(low), panel.x(high), panel.y(high), "diagonal")


def _places(panel: Panel, span: Agreement, decimals: int) -> Markup:
    parts = []
    for place in span.places:
        if not math.isfinite(place.came):
            continue
        at, y = panel.x(place.predicted), panel.y(place.came)
        if math.isfinite(place.error):
            ends = panel.y(place.came - place.error), panel.y(place.came + place.error)
            parts.append(svg.line(at, *ends[:1], at, *ends[1:], f"whisker {span.span}"))
        words = (
            f"{span.span}: predicted {figure(place.predicted, decimals)}, came {figure(place.came, decimals)} "
            f"± {figure(place.error, decimals)}, {count(place.samples, 'sample')}"
        )
        title = svg.tag("title", words)
        parts.append(svg.dot(at, y, f"dot {span.span}", title, diamond=span.span != "in-sample"))
    return Markup().join(parts)


def _names(spans: Sequence[Agreement]) -> Markup:
    """The spans' names at the right above the panel, each with its mark, and that of the diagonal."""
    parts, at = [], HALF - 16.0
    for span in reversed(spans):
        at -= wide_of(span.span)
        parts.append(svg.text(at, 30, span.span, f"label {span.span}"))
        at -= 12
        parts.append(svg.dot(at, 26, f"dot {span.span}", diamond=span.span != "in-sample"))
        at -= 20
    at -= wide_of("agreement")
    parts.append(svg.text(at, 30, "agreement", "label reference"))
    parts.append(svg.line(at - 28, 26, at - 6, 26, "diagonal"))
    return Markup().join(parts)
