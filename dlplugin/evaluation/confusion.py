"""What came against what was predicted: counts, and as shares of what came, coloured by them."""

from html import escape

import numpy as np
import pandas as pd

from dlplugin.evaluation.class_scores import ClassScores
from dlplugin.evaluation.text import UNDEFINED, Line, html_table, percent

__all__ = ["DROPPED", "LABEL", "confusion_frame", "confusion_html", "confusion_lines", "fitted", "shade"]

DROPPED = "(dropped)"  # the row of the samples of the dropped class
LABEL = 16  # characters of a class in words
COLUMN = 10
WIDTH = 100
LIGHT, DARK = (241, 246, 251), (11, 60, 125)  # red, green and blue of the shares 0 and 1: one hue


def confusion_frame(
    scores: ClassScores, labels: tuple[str, ...], shares: bool = False, dropped: bool = False
) -> pd.DataFrame:
    """Samples by the class that came (rows) and the class predicted (columns).

    Args:
        scores: Of one span.
        labels: (C,) the classes in words.
        shares: Each row as shares of its sum instead, NaN where that is 0.
        dropped: With a last row of the samples of the dropped class, where there is one.
    """
    whole = scores.with_dropped if dropped and scores.with_dropped is not None else scores
    values = np.array(whole.shares if shares else whole.counts)[:, : len(labels)]
    names = (*labels, DROPPED)[: len(values)]
    return pd.DataFrame(
        values, index=pd.Index(names, name="came"), columns=pd.Index(labels, name="predicted")
    )


def confusion_lines(scores: ClassScores, labels: tuple[str, ...]) -> list[Line]:
    """Counts, then shares, as lines of styled pieces of at most 100 columns."""
    width = max(COLUMN, *(len(label) + 2 for label in labels))
    width = min(width, (WIDTH - LABEL) // len(labels))
    head = "".join(fitted(label, width).strip().rjust(width) for label in labels)
    counts = confusion_frame(scores, labels, dropped=True)
    shares = confusion_frame(scores, labels, shares=True, dropped=True)
    lines: list[Line] = [
        [(f"{scores.span}: what came (rows) against what was predicted (columns)", "bold")],
        [(" " * LABEL + head, "bold")],
    ]
    for label, row in zip(counts.index, counts.to_numpy(), strict=True):
        cells = "".join(f"{count:>{width},}" for count in row)
        lines.append([(f"{fitted(str(label), LABEL)}{cells}", "")])
    lines.append([("as shares of what came", "bold")])
    for label, row in zip(shares.index, shares.to_numpy(), strict=True):
        line: Line = [(fitted(str(label), LABEL), "")]
        for share in row:
            line += [(" ", ""), (f"{percent(share):>{width - 1}}", _style(share))]
        lines.append(line)
    if scores.failed:
        lines.append([(f"{scores.failed:,} predictions failed", "")])
    return lines


def confusion_html(caption: str, scores: ClassScores, labels: tuple[str, ...]) -> str:
    """One table with count and share in each cell, without any style sheet."""
    counts = confusion_frame(scores, labels, dropped=True)
    shares = confusion_frame(scores, labels, shares=True, dropped=True)
    rows = [
        [escape(str(label)), *(_cell(count, share) for count, share in zip(own, part, strict=True))]
        for label, own, part in zip(counts.index, counts.to_numpy(), shares.to_numpy(), strict=True)
    ]
    return html_table(caption, [[("came \\ predicted", 1), *((label, 1) for label in labels)]], rows)


def shade(share: float) -> tuple[str, str]:
    """The colour of a share from 0, light, to 1, dark, and that of text on it: whichever is easier to read.

    >>> shade(0.0), shade(1.0)
    (('#f1f6fb', '#000000'), ('#0b3c7d', '#ffffff'))
    """
    mixed = [low + share * (high - low) for low, high in zip(LIGHT, DARK, strict=True)]
    linear = [
        (part / 255 / 12.92) if part <= 10.3 else ((part / 255 + 0.055) / 1.055) ** 2.4 for part in mixed
    ]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]  # WCAG 2.1
    on_black, on_white = (luminance + 0.05) / 0.05, 1.05 / (luminance + 0.05)
    text = "#000000" if on_black > on_white else "#ffffff"
    return "#" + "".join(f"{round(part):02x}" for part in mixed), text


def fitted(label: str, width: int) -> str:
    """A label of just that width, cut where it is longer."""
    return label.ljust(width) if len(label) < width else f"{label[: width - 2]}… "


def _style(share: float) -> str:
    background, text = shade(share) if share == share else ("", "")
    return f"{text} on {background}" if text else ""


def _cell(count: int, share: float) -> str:
    if share != share:
        return f"{count:,} ({UNDEFINED})"
    background, text = shade(share)
    style = f"background:{background};color:{text};padding:0.1em 0.4em"
    return f'<div style="{style}">{count:,} ({percent(share)})</div>'
