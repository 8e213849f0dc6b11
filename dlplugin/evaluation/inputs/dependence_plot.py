"""The picture of a partial dependence: the mean prediction, its spread, and where the values lie."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from dlplugin.evaluation.figure import BLUE, INK, MUTED, dress, save_figure, shown

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["plot_dependence"]

SPREAD = "10 to 90 % of the predictions"


def plot_dependence(
    frame: pd.DataFrame, input_name: str, unit: str, title: str, categories: bool, path: str | Path | None
) -> "Figure":
    """Draws the curve, the 10 to 90 % band of the predictions, and a tick for each point.

    Args:
        frame: `PartialDependence.frame`.
        input_name: Below the axis.
        unit: Beside the axis.
        title: Above.
        categories: Whether the points are categories and not amounts.
        path: Where to write it as well: .png, .svg or .pdf.

    Returns:
        A matplotlib Figure of its own, which pyplot does not know.

    Raises:
        StoreError: The file cannot be written.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8.4, 4.4), dpi=110, facecolor="white", layout="constrained")
    panel = figure.subplots()
    dress(panel)
    if categories:
        _categories(panel, frame)
    else:
        _curve(panel, frame)
    panel.set_xlabel(input_name, color=MUTED, fontsize=9.5)
    panel.set_ylabel(f"predicted {unit}", color=MUTED, fontsize=9.5)
    panel.set_title(title, loc="left", fontsize=9.5, color=INK, wrap=True)
    panel.legend(loc="best", frameon=False, fontsize=9, labelcolor=INK)
    if path is not None:
        save_figure(figure, Path(path))
    return shown(figure)


def _curve(panel: "Axes", frame: pd.DataFrame) -> None:
    x = frame["value"].to_numpy(np.float64)
    low, high = frame["low"].to_numpy(np.float64), frame["high"].to_numpy(np.float64)
    panel.fill_between(x, low, high, color=BLUE, alpha=0.15, linewidth=0, label=SPREAD)
    panel.plot(x, frame["mean"], color=BLUE, linewidth=1.6, marker="o", markersize=3, label="mean prediction")
    panel.plot(
        x,
        np.full(len(x), 0.02),
        "|",
        color=MUTED,
        markersize=8,
        transform=panel.get_xaxis_transform(),
        label="quantiles of the in-sample values",
    )


def _categories(panel: "Axes", frame: pd.DataFrame) -> None:
    x = np.arange(len(frame))
    panel.vlines(
        x,
        frame["low"],
        frame["high"],
        color=BLUE,
        alpha=0.3,
        linewidth=5,
        label=SPREAD,
    )
    panel.plot(x, frame["mean"], "o", color=BLUE, markersize=5, label="mean prediction")
    panel.set_xticks(x, frame["label"].tolist())
