"""The look of every picture, and how it becomes a file or a notebook's image."""

import io
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from dlplugin.errors import StoreError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["BLUE", "GRID", "INK", "MUTED", "OCHRE", "dress", "save_figure", "shown"]

BLUE, OCHRE = "#2b62b8", "#96600a"
INK = "#1c2127"
MUTED = "#5c6570"
GRID = "#e4e7eb"
"""The report's colours: blue and ochre stay apart for every kind of colour blindness, and in grey."""


def dress(panel: "Axes") -> None:
    """The same look whatever style the process has chosen."""
    panel.set_facecolor("white")
    panel.grid(True, which="major", color=GRID, linewidth=0.8)
    panel.set_axisbelow(True)
    panel.tick_params(which="both", colors=MUTED, labelsize=9)
    for side, spine in panel.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(MUTED)


def save_figure(figure: "Figure", path: Path) -> None:
    """Writes a picture as .png, .svg or .pdf.

    Raises:
        StoreError: The file cannot be written.
    """
    kinds = figure.canvas.get_supported_filetypes()
    kind = path.suffix.lstrip(".").lower()
    if kind not in kinds:
        raise StoreError(
            f"cannot write {path}: {path.suffix or 'no ending'} is no kind of picture; use .png, .svg or .pdf"
        )
    try:
        figure.savefig(path, facecolor="white", metadata={"Date": None} if kind == "svg" else None)
    except OSError as error:
        raise StoreError(f"cannot write {path}: {error.strerror or error}") from None


def shown(figure: "Figure") -> "Figure":
    """The same figure, which a notebook shows: pyplot does not know it, and no backend is chosen."""
    figure._repr_png_ = partial(_png, figure)  # type: ignore[attr-defined]  # how notebooks show an object
    return figure


def _png(figure: "Figure") -> bytes:
    content = io.BytesIO()
    figure.savefig(content, format="png", facecolor="white")
    return content.getvalue()
