"""The picture of a run: losses, accuracies and learning rate of every epoch, and why it ended."""

import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dlplugin.evaluation.figure import BLUE, INK, MUTED, OCHRE, dress, save_figure, shown
from dlplugin.training.outcome import epochs_text
from dlplugin.training.watch.thin import thin

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["plot_history"]

FloatArray = NDArray[np.float64]

COLOURS = {"in-sample": BLUE, "out-of-sample": OCHRE}
TROUBLE = "#c83c1e"

LOG_FROM = 20.0  # a loss that falls to a twentieth of its highest value is flat on a linear scale
APART = 3.0  # times the span of either curve: on one axis both would look flat
DOTS_UP_TO = 40  # epochs that are few enough to be shown as points
LOSSES = (("loss", "in_sample_loss", "out_of_sample_loss", 3.0),)
LOSSES_APART = (
    ("in-sample\nloss", "in_sample_loss", "", 2.0),
    ("out-of-sample\nloss", "", "out_of_sample_loss", 2.0),
)
MORE = (
    ("accuracy, %", "in_sample_accuracy", "out_of_sample_accuracy", 1.6),
    ("correlation", "", "out_of_sample_correlation", 1.6),
)


def plot_history(
    history: pd.DataFrame,
    name: str,
    subtitle: str = "",
    save_points: Sequence[int] = (),
    path: str | Path | None = None,
    kept: Sequence[int] | None = None,
) -> "Figure":
    """Draws a run; both losses on one axis, or each on its own where they lie far apart.

    Args:
        history: A row an epoch, as `Run.history` gives it; values may be NaN or infinite.
        name: The run's name.
        subtitle: What became of it: status, and why it stopped.
        save_points: Epochs at which the save point moved, in their order; the last one is the one kept.
        path: Where to write it as well: .png, .svg or .pdf.
        kept: The epoch that each of several networks keeps, none while that is not known; by default the
            last of the save points.

    Returns:
        A matplotlib Figure of its own: pyplot does not know it, no backend is chosen, and a notebook
        shows it.

    Raises:
        StoreError: The file cannot be written.
    """
    from matplotlib.figure import Figure

    losses = LOSSES_APART if _apart(history) else LOSSES
    sections = [*losses, *(part for part in MORE if part[2] in history)]
    kept = save_points[-1:] if kept is None else kept
    heights = [*(height for *_, height in sections), 0.8]
    figure = Figure(
        figsize=(9.6, 2.2 + 0.85 * sum(heights)), dpi=110, facecolor="white", layout="constrained"
    )
    axes = figure.subplots(len(heights), 1, sharex=True, squeeze=False, height_ratios=heights)[:, 0]
    epochs = history["epoch"].to_numpy(np.float64)
    for panel in axes:
        dress(panel)
    for panel, (label, inside, outside, _) in zip(axes[:-1], sections, strict=True):
        marked = () if (inside, outside) == LOSSES_APART[0][1:3] else save_points
        _values(panel, history, label, (inside, outside), marked, kept)
    _rates(axes[-1], epochs, history["learning_rate"].to_numpy(np.float64))
    _epoch_axis(axes[-1], epochs)
    _head(list(axes[: len(losses)]), name, subtitle)
    if path is not None:
        save_figure(figure, Path(path))
    return shown(figure)


def _apart(history: pd.DataFrame) -> bool:
    """Whether the losses lie further apart than either of them moves, by far."""
    spans = []
    for column in ("in_sample_loss", "out_of_sample_loss"):
        values = history[column].to_numpy(np.float64)
        values = values[np.isfinite(values)]
        if len(values) < 2:
            return False
        spans.append((values.min(), values.max()))
    (low, high), (other_low, other_high) = spans
    gap = max(low - other_high, other_low - high)
    return bool(gap > APART * max(high - low, other_high - other_low))


def _values(
    panel: "Axes",
    history: pd.DataFrame,
    label: str,
    columns: tuple[str, str],
    save_points: Sequence[int],
    kept: Sequence[int],
) -> None:
    """Both lines of one panel, the save points, and where a value was not finite."""
    panel.set_ylabel(label, color=MUTED, fontsize=9.5)
    epochs = history["epoch"].to_numpy(np.float64)
    unit = 100.0 if "%" in label else 1.0
    lines: dict[str, FloatArray] = {}
    for column, words in zip(columns, COLOURS, strict=True):
        values = history[column].to_numpy(np.float64) * unit if column in history else np.empty(0)
        if values.size and (words == "in-sample" or np.isfinite(values).any()):
            lines[words] = values
    if not lines or not len(epochs):
        why = "no value in any epoch" if len(epochs) else "no epoch yet"
        panel.text(0.5, 0.5, why, transform=panel.transAxes, ha="center", color=MUTED)
        return
    for words, values in lines.items():
        shown = thin(values)
        known = np.where(np.isfinite(values), values, np.nan)
        dots = "o" if len(epochs) <= DOTS_UP_TO else ""
        panel.plot(
            epochs[shown],
            known[shown],
            marker=dots,
            markersize=3 if len(epochs) > 1 else 5,
            color=COLOURS[words],
            linewidth=1.4,
            label=words,
            zorder=2.5 if words == "out-of-sample" else 2,
        )
    _scale(panel, list(lines.values()))
    if not any(np.isfinite(values).any() for values in lines.values()):
        words = f"no {label.replace(chr(10), ' ')} is finite in any epoch"
        panel.text(0.5, 0.5, words, transform=panel.transAxes, ha="center", color=TROUBLE)
        panel.set_yticks([])
    else:
        _mark_save_points(panel, epochs, lines, save_points, kept)
    _mark_trouble(panel, epochs, lines)


def _scale(panel: "Axes", lines: Sequence[FloatArray]) -> None:
    """A logarithmic axis where the values span much, and are all above 0."""
    known = np.concatenate(lines)
    known = known[np.isfinite(known)]
    if known.size and known.min() > 0 and known.max() > LOG_FROM * known.min():
        panel.set_yscale("log")


def _mark_save_points(
    panel: "Axes",
    epochs: FloatArray,
    lines: dict[str, FloatArray],
    save_points: Sequence[int],
    kept: Sequence[int],
) -> None:
    """Each at the lower edge, and those that are kept on the line they were chosen by."""
    words, values = list(lines.items())[-1]
    there = np.array(save_points)[np.isin(save_points, epochs)]
    if len(there):
        panel.plot(
            there,
            np.full(len(there), 0.03),
            "|",
            markersize=8,
            transform=panel.get_xaxis_transform(),
            color=COLOURS[words],
            label="save point moved" if len(kept) == 1 else "a network's save point moved",
        )
    where = np.flatnonzero(np.isin(epochs, kept) & np.isfinite(values))
    if save_points and len(where):
        label = f"save point: epoch {kept[0]:,}, {values[where[0]]:.4g}"
        panel.plot(
            epochs[where],
            values[where],
            "o",
            markersize=8,
            markerfacecolor="white",
            markeredgewidth=1.8,
            color=COLOURS[words],
            label=label if len(kept) == 1 else f"save points: epochs {epochs_text(kept)}",
            zorder=4,
        )


def _mark_trouble(panel: "Axes", epochs: FloatArray, lines: dict[str, FloatArray]) -> None:
    bad = ~np.isfinite(np.stack(list(lines.values()))).all(axis=0)
    if bad.any():
        epoch = epochs[np.argmax(bad)]
        panel.axvline(
            float(epoch), color=TROUBLE, linestyle=":", linewidth=1.5, label=f"not finite: epoch {epoch:,.0f}"
        )


def _rates(panel: "Axes", epochs: FloatArray, rates: FloatArray) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    panel.set_ylabel("learning\nrate", color=MUTED, fontsize=9.5)
    shown = thin(rates)
    panel.plot(epochs[shown], rates[shown], color=MUTED, linewidth=1.4, marker="." if len(epochs) < 2 else "")
    known = rates[np.isfinite(rates) & (rates > 0)]
    if known.size and known.max() > LOG_FROM * np.median(known):
        panel.set_yscale("log")
    elif known.size:
        panel.set_ylim(0, 1.25 * float(known.max()))
        panel.yaxis.set_major_locator(MaxNLocator(nbins=3))
        panel.yaxis.set_major_formatter(FuncFormatter(lambda rate, _: f"{rate:g}"))


def _epoch_axis(panel: "Axes", epochs: FloatArray) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    first, last = (float(epochs[0]), float(epochs[-1])) if len(epochs) else (0.0, 1.0)
    room = max(0.5, 0.01 * (last - first))
    panel.set_xlim(first - room, last + room)
    panel.set_xlabel("epoch", color=MUTED, fontsize=9.5)
    panel.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1, steps=[1, 2, 5, 10]))
    panel.xaxis.set_major_formatter(FuncFormatter(lambda epoch, _: f"{epoch:,.0f}"))


def _head(panels: Sequence["Axes"], name: str, subtitle: str) -> None:
    """Above the first panel: the name, what became of it, and what the lines are."""
    panel, row = panels[0], 18.0  # points
    lines = textwrap.wrap(subtitle, 120, max_lines=2, placeholder=" …")
    panel.set_title(
        name, loc="left", fontsize=13, fontweight="bold", color=INK, pad=row + 8 + 14 * len(lines)
    )
    panel.annotate(
        "\n".join(lines),
        (0, 1),
        (0, row + 4),
        xycoords="axes fraction",
        textcoords="offset points",
        fontsize=9.5,
        color=MUTED,
        va="bottom",
    )
    pairs = [pair for each in panels for pair in zip(*each.get_legend_handles_labels(), strict=True)]
    handles = {str(label): handle for handle, label in pairs}
    if handles:
        panel.legend(
            list(handles.values()),
            list(handles),
            loc="lower left",
            bbox_to_anchor=(0, 1),
            borderaxespad=0.2,
            borderpad=0,
            ncols=5,
            columnspacing=1.4,
            frameon=False,
            fontsize=9,
            labelcolor=INK,
        )
