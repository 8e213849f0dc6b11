"""A small chart of an indicator for a terminal, one column of characters a bar."""

import numpy as np

from dlplugin.indicators.nodes import FloatArray

__all__ = ["terminal_chart"]

_BLOCKS = " ▁▂▃▄▅▆▇█"
_EIGHTHS = len(_BLOCKS) - 1


def terminal_chart(values: FloatArray, height: int = 6) -> list[str]:
    """Lines of text from the largest value down to the smallest.

    Args:
        values: (T,) values; NaN leaves a gap.
        height: Lines.

    Returns:
        One line a row: what the row's upper edge stands for, and a bar of blocks for each value;
        empty where no value is finite.
    """
    known = values[np.isfinite(values)]
    if not len(known):
        return []
    low, high = float(known.min()), float(known.max())
    span = high - low or 1.0
    filled = np.where(np.isfinite(values), (values - low) / span * (height * _EIGHTHS - 1) + 1, 0.0)
    labels = [f"{high - span * row / max(height - 1, 1):.4g}" for row in range(height)]
    width = max(map(len, labels))
    lines = []
    for row in range(height):
        below = (height - 1 - row) * _EIGHTHS
        parts = np.clip(np.nan_to_num(filled) - below, 0, _EIGHTHS).round().astype(int)
        lines.append(f"{labels[row]:>{width}} │{''.join(_BLOCKS[part] for part in parts)}".rstrip())
    return lines
