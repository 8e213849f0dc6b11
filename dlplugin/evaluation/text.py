"""Numbers, bars and styled lines: the same page as plain text, as rich text and as HTML."""

import math
import textwrap
from html import escape
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from rich.text import Text

__all__ = [
    "UNDEFINED",
    "WIDTH",
    "Line",
    "bar",
    "dates",
    "days",
    "fixed",
    "html_bar",
    "html_table",
    "number",
    "percent",
    "plain",
    "rich_text",
    "with_error",
    "wrapped",
]

WIDTH = 100  # columns of a page
Line = list[tuple[str, str]]  # pieces with their rich style, "" for none

UNDEFINED = "–"
GAIN_COLOUR, LOSS_COLOUR = "#00796b", "#c83c1e"  # teal and red-orange, as in the report


def plain(lines: list[Line]) -> str:
    """The lines without styles."""
    return "\n".join("".join(piece for piece, _ in line).rstrip() for line in lines)


def wrapped(text: str, style: str = "") -> list[Line]:
    """As many lines as the text needs."""
    return [[(line, style)] for line in textwrap.wrap(text, WIDTH, break_on_hyphens=False)]


def rich_text(lines: list[Line]) -> "Text":
    """The lines with their styles; rich leaves the colours out where there is no terminal."""
    from rich.text import Text

    return Text("\n", no_wrap=True).join(Text.assemble(*line) for line in lines)


def number(value: float, digits: int) -> str:
    """A number with that many significant digits, or a dash for NaN.

    >>> number(0.99712, 4), number(12345.6, 2), number(float("nan"), 2)
    ('0.9971', '12000', '–')
    """
    if math.isnan(value):
        return UNDEFINED
    if value != 0 and not 1e-4 <= abs(value) < 1e6:
        return f"{value:.{digits}g}"
    text = np.format_float_positional(value, precision=digits, fractional=False, unique=False, trim="k")
    return text.rstrip(".")


def fixed(value: float, decimals: int, width: int = 0) -> str:
    """A number with that many decimals, or a dash for NaN, right-aligned; short form where it has no room."""
    if math.isnan(value):
        return UNDEFINED.rjust(width)
    text = f"{round(value, decimals) + 0.0:.{decimals}f}"  # + 0.0: no minus before zero
    if width and len(text) > width:
        text = f"{value:.3g}"
    return text.rjust(width)


def percent(share: float, decimals: int = 1) -> str:
    """A share as per cent, or a dash for NaN.

    >>> percent(0.1234), percent(float("nan"))
    ('12.3 %', '–')
    """
    return UNDEFINED if math.isnan(share) else f"{100 * share:.{decimals}f} %"


def dates(start: pd.Timestamp, end: pd.Timestamp) -> str:
    """First and last bar of a span; with the time of day where it is not midnight."""
    whole_days = start == start.normalize() and end == end.normalize()
    form = "%Y-%m-%d" if whole_days else "%Y-%m-%d %H:%M"
    return f"{start.strftime(form)} … {end.strftime(form)}"


def days(start: pd.Timestamp, end: pd.Timestamp) -> str:
    """First and last day of a span, where there is no room for the time of day."""
    return f"{start:%Y-%m-%d} … {end:%Y-%m-%d}"


def with_error(value: float, error: float, decimals: int, unit: str = "") -> str:
    """A figure with its 95 % interval, or a dash; without a ± where there are too few days to tell.

    >>> with_error(0.3123, 0.5512, 2), with_error(12.0, float("nan"), 1, " %"), with_error(float("nan"), 1.0, 2)
    ('0.31 ± 0.55', '12.0 %', '–')
    """
    if math.isnan(value):
        return UNDEFINED
    shown = fixed(value, decimals)
    return f"{shown}{unit}" if math.isnan(error) else f"{shown} ± {fixed(error, decimals)}{unit}"


def bar(value: float, full: float, half: int, faint: bool = False) -> Line:
    """A bar left (red) or right (green) of a centre line.

    Args:
        value: What it shows; NaN and 0 show nothing.
        full: The absolute value that fills a side; a larger one is cut there.
        half: Characters on each side.
        faint: Shaded, for a value that its error does not tell from 0.
    """
    share = 0.0 if math.isnan(value) or not full > 0 else min(abs(value) / full, 1.0)
    halves = round(2 * half * share)
    whole, rest = ("▒" * math.ceil(halves / 2), 0) if faint else ("█" * (halves // 2), halves % 2)
    if value < 0:
        return [(("▐" * rest + whole).rjust(half), "red"), ("│" + " " * half, "")]
    return [(" " * half + "│", ""), ((whole + "▌" * rest).ljust(half), "green")]


def html_bar(value: float, full: float, faint: bool = False) -> str:
    """The same bar in HTML, without any style sheet, in colours that the colour-blind tell apart."""
    share = 0.0 if math.isnan(value) or not full > 0 else 100 * min(abs(value) / full, 1.0)
    side = "flex:1;display:flex"
    drawn = f"width:{share:.1f}%;height:0.8em;{'opacity:0.35;' if faint else ''}background"
    left = f'<div style="{drawn}:{LOSS_COLOUR}"></div>' if value < 0 else ""
    right = f'<div style="{drawn}:{GAIN_COLOUR}"></div>' if value > 0 else ""
    return (
        '<div style="display:flex;align-items:center;width:9em">'
        f'<div style="{side};justify-content:flex-end">{left}</div>'
        '<div style="width:1px;height:1.1em;background:#888"></div>'
        f'<div style="{side}">{right}</div></div>'
    )


def html_table(caption: str, head: list[list[tuple[str, int]]], rows: list[list[str]]) -> str:
    """An HTML table whose cells are right-aligned.

    Args:
        caption: Plain text.
        head: Rows of (plain text, columns it spans).
        rows: Cells, which are HTML already.
    """
    cell = "text-align:right;padding:0.1em 0.6em"
    top = "".join(
        "<tr>"
        + "".join(f'<th colspan="{span}" style="{cell}">{escape(text)}</th>' for text, span in row)
        + "</tr>"
        for row in head
    )
    body = "".join(
        "<tr>" + "".join(f'<td style="{cell}">{value}</td>' for value in row) + "</tr>" for row in rows
    )
    title = f'<caption style="text-align:left;font-weight:bold">{escape(caption)}</caption>'
    return (
        '<table style="border-collapse:collapse;font-variant-numeric:tabular-nums">'
        f"{title}<thead>{top}</thead><tbody>{body}</tbody></table>"
    )
