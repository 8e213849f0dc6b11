"""Charts of a training: the losses of every epoch, and the spans on one line of time."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from markupsafe import Markup

from dlplugin.report import svg
from dlplugin.report.charts import FULL, HALF, Column, Figure, Panel, drawing, empty, thin
from dlplugin.report.data import SpanRecord
from dlplugin.report.scales import Scale, padded, ticks
from dlplugin.report.svg import FloatArray
from dlplugin.report.words import count, date, finite, number, plain_index

__all__ = ["loss_figures", "span_strip"]

_LOSSES = (
    ("in_sample_loss", "In-sample loss", "in-sample"),
    ("out_of_sample_loss", "Out-of-sample loss", "out-of-sample"),
)
_LETTER = 6.8
_LANE = 24
"""Pixels that a letter of a label needs at most."""


def loss_figures(history: pd.DataFrame, best_epoch: int) -> tuple[Figure, Figure]:
    """The in-sample and the out-of-sample loss of every epoch, each on its own scale, the best epoch marked.

    Args:
        history: One row per epoch with epoch, in_sample_loss and out_of_sample_loss.
        best_epoch: Marked when it is one of these epochs.
    """
    if history.empty:
        nothing = empty("No epoch is recorded, so there is no curve to draw.")
        return nothing, nothing
    epochs = history["epoch"].to_numpy(np.float64)
    losses = [history[column].to_numpy(np.float64) for column, _, _ in _LOSSES]
    kept = thin(losses, np.flatnonzero(epochs == best_epoch).tolist())
    inside, outside = (
        _loss_figure(epochs[kept], loss[kept], best_epoch, title, class_)
        for loss, (_, title, class_) in zip(losses, _LOSSES, strict=True)
    )
    return inside, outside


def _loss_figure(epochs: FloatArray, loss: FloatArray, best_epoch: int, title: str, class_: str) -> Figure:
    known = finite(loss)
    if not known.size:
        return empty(f"No epoch has an {title[0].lower()}{title[1:]}, so there is no curve to draw.")
    low, high = _loss_range(known)
    first, last = float(epochs[0]), float(epochs[-1])
    x = Scale(first, last if last > first else first + 1, 56, HALF - 16)
    panel = Panel(x, Scale(low, high, 232, 24))
    at = x(epochs)
    label = f"{title} of epochs {number(first, 0)} to {number(last, 0)}"
    body = drawing(
        HALF,
        280,
        label,
        panel.grid(5),
        svg.text(0, 12, "loss", "tick axis-title"),
        _epoch_axis(panel, first, last),
        panel.clipped(svg.polyline(at, panel.y(loss), f"curve {class_}")),
        _best_mark(panel, epochs, loss, best_epoch, class_),
        _above_scale(panel, epochs, loss),
    )
    names = [f"epoch {number(epoch, 0)}" for epoch in epochs]
    return Figure(body, "epochs", at, names, [Column("loss", loss, 6)])


def _loss_range(known: FloatArray) -> tuple[float, float]:
    """Limits of the y axis: of all losses, or without the first ones where these would flatten the rest."""
    low, high = float(known.min()), float(known.max())
    settled = float(known[len(known) // 20 :].max())
    return padded(low, settled if high - low > 4 * (settled - low) > 0 else high)


def _above_scale(panel: Panel, epochs: FloatArray, loss: FloatArray) -> Markup:
    beyond = np.flatnonzero(loss > panel.y.high)
    if not beyond.size:
        return Markup()
    worst = beyond[np.argmax(loss[beyond])]
    words = f"↑ above the scale: {number(loss[worst], 4)} at epoch {number(epochs[worst], 0)}"
    return svg.text(panel.x.stop, panel.top - 8, words, "note", "end")


def _epoch_axis(panel: Panel, first: float, last: float) -> Markup:
    parts = [svg.line(panel.x.start, panel.bottom, panel.x.stop, panel.bottom, "axis")]
    whole = [tick for tick in ticks(first, last, 7) if tick == round(tick)] if last > first else [first]
    for tick in whole:
        at = panel.x(tick)
        parts.append(svg.line(at, panel.bottom, at, panel.bottom + 4, "axis"))
        parts.append(svg.text(at, panel.bottom + 18, number(tick, 0), "tick", "middle"))
    parts.append(
        svg.text((panel.x.start + panel.x.stop) / 2, panel.bottom + 40, "epoch", "tick axis-title", "middle")
    )
    return Markup().join(parts)


def _best_mark(panel: Panel, epochs: FloatArray, loss: FloatArray, best_epoch: int, class_: str) -> Markup:
    found = np.flatnonzero((epochs == best_epoch) & np.isfinite(loss))
    if not found.size:
        return Markup()
    value = float(loss[found[0]])
    x, y = panel.x(float(best_epoch)), max(panel.y(value), panel.top)
    left = x < (panel.x.start + panel.x.stop) / 2
    words = f"best epoch {number(best_epoch, 0)}: {number(value, 4)}"
    place = (x + 8, "start") if left else (x - 8, "end")
    return Markup().join(
        (
            svg.line(x, panel.top, x, panel.bottom, "best"),
            svg.tag("circle", cx=x, cy=y, r=4, class_=f"dot {class_}"),
            svg.text(place[0], panel.top + 12, words, f"label halo {class_}", place[1]),
        )
    )


def span_strip(spans: Sequence[SpanRecord]) -> Figure:
    """The spans on one line of time, each with its name and samples where there is room for them.

    Spans of the same dates lie one above the other.
    """
    if not spans:
        return empty("No spans are recorded.")
    starts = [moment.value for moment in plain_index(pd.DatetimeIndex([span.start for span in spans]))]
    ends = [moment.value for moment in plain_index(pd.DatetimeIndex([span.end for span in spans]))]
    first, last = min(starts), max(ends)
    x = Scale(first, last if last > first else first + 1, 0, FULL)
    parts = []
    shared = len(spans) > 1 and starts[1] <= ends[0]
    bottom = 2 * _LANE if shared else _LANE
    for index, (span, start, end) in enumerate(zip(spans, starts, ends, strict=True)):
        top = _LANE if shared and index == 1 else 0
        height = bottom if index > 1 else _LANE
        left, width = x(start), max(2.0, x(end) - x(start) - 2)
        parts.append(svg.tag("rect", x=left, y=top, width=width, height=height, class_=f"span {span.name}"))
        names = (f"{span.name} · {count(span.samples, 'sample')}", span.name)
        fitting = [name for name in names if len(name) * _LETTER + 16 < width]
        if fitting:
            parts.append(svg.text(left + 8, top + height / 2 + 4, fitting[0], "inverse"))
    parts.append(_time_ticks(x, pd.Timestamp(first), pd.Timestamp(last), bottom))
    label = f"Spans from {date(pd.Timestamp(first))} to {date(pd.Timestamp(last))}"
    return Figure(drawing(FULL, bottom + 24, label, *parts))


def _time_ticks(x: Scale, first: pd.Timestamp, last: pd.Timestamp, top: int) -> Markup:
    years = [year for year in ticks(first.year, last.year + 1, 12) if year == round(year)]
    moments = [pd.Timestamp(year=int(year), month=1, day=1) for year in years]
    moments, form = [moment for moment in moments if first <= moment <= last], "%Y"
    if len(moments) < 2:
        days = pd.date_range(first, last, periods=6)[1:-1].normalize().unique()
        moments, form = [day for day in days if first <= day <= last], "%Y-%m-%d"
    parts = []
    for moment in moments:
        at = x(moment.value)
        anchor = "start" if at < 32 else "end" if at > FULL - 32 else "middle"
        parts.append(svg.line(at, top + 2, at, top + 7, "axis"))
        parts.append(svg.text(at, top + 20, moment.strftime(form), "tick", anchor))
    return Markup().join(parts)
