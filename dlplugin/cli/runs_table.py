"""Runs beside each other, as text for a terminal or a pipe."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["PREDICTS", "runs_table", "runs_text", "status_text"]

COLUMNS = {
    "run": "run",
    "model": "model",
    "engine": "engine",
    "data": "data",
    "validation": "validation",
    "started": "started (UTC)",
    "epochs": "epochs",
    "batch_size": "batch",
    "best_epoch": "best",
    "in_sample_loss": "in",
    "out_of_sample_loss": "out",
    "correlation": "corr.",
    "hits": "hits",
    "status": "status",
}
"""Column of `actions.runs` to its heading; a column that is empty in every row is left out."""
FIGURES = {"in_sample_loss": ".4f", "out_of_sample_loss": ".4f", "correlation": ".3f", "hits": ".1%"}
TEXTS = ("run", "model", "engine", "data", "validation", "started", "status")
NARROW = ("data", "validation", "engine", "batch_size", "correlation", "hits", "started", "model")
"""Where there is no room, these columns are left out: those that are the same in all rows, then the others,
in this order. A number that is cut is a wrong one."""
LONGEST, SHORTEST_STATUS = 16, 18
GAP = 2
PREDICTS = (
    "predicts: the run that its model predicts with; choose another with: dlplugin use RUN, in Python "
    "dl.load_run(NAME).use()"
)


def runs_text(table: pd.DataFrame) -> str:
    """The comparison as plain lines with nothing left out, however long they are."""
    names, rows = _cells(table)
    rows = [[COLUMNS[name] for name in names], *rows]
    widths = _widths(rows)
    lines = []
    for row in rows:
        cells = [
            f"{cell:<{width}}" if name in TEXTS else f"{cell:>{width}}"
            for name, cell, width in zip(names, row, widths, strict=True)
        ]
        lines.append((" " * GAP).join(cells).rstrip())
    return "\n".join(lines)


def runs_table(table: pd.DataFrame, width: int) -> "Table":
    """The comparison for a terminal of so many columns; the last one takes several lines where it must."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    names, rows = _cells(table, width)
    made = Table(box=SIMPLE_HEAD, padding=(0, GAP - 1, 0, 0), show_edge=False)
    for name in names:
        side: Literal["left", "right"] = "left" if name in TEXTS else "right"
        made.add_column(COLUMNS[name], justify=side, no_wrap=name != "status")
    for row in rows:
        made.add_row(*map(Text, row))
    return made


def status_text(status: str, reason: str, predicts: bool = False) -> str:
    """The status, whether the model predicts with the run, and the reason where it says more."""
    mark = ", predicts" if predicts else ""
    if status == "running" or not reason:
        return f"{status}{mark}"
    return (
        f"{reason}{mark}" if reason.startswith(status) else f"{status}{mark}{'; ' if mark else ', '}{reason}"
    )


def _cells(table: pd.DataFrame, width: int | None = None) -> tuple[list[str], list[list[str]]]:
    """The columns that fit, and their cells; all of them, whole, where there is no width."""
    names = [name for name in COLUMNS if table[name].notna().any()]
    rows = [{name: _cell(name, row) for name in names} for row in table.to_dict("records")]
    if width is not None:
        for row in rows:
            row |= {name: _cut(row[name]) for name in ("model", "data") if name in row}
        names = _fitting(names, rows, width)
    return names, [[row[name] for name in names] for row in rows]


def _fitting(names: list[str], rows: Sequence[Mapping[str, str]], width: int) -> list[str]:
    """Those of the columns that there is room for."""

    def needed() -> int:
        cells = [[COLUMNS[name] for name in left[:-1]], *([row[name] for name in left[:-1]] for row in rows)]
        return sum(each + GAP for each in _widths(cells)) + SHORTEST_STATUS

    left = list(names)
    for name in sorted(set(NARROW) & set(names), key=lambda name: _telling(name, rows)):
        if needed() > width:
            left.remove(name)
    return left


def _telling(name: str, rows: Sequence[Mapping[str, str]]) -> tuple[bool, int]:
    """Sorts columns by what they tell: nothing where all rows have the same, then by `NARROW`."""
    return len({row[name] for row in rows}) > 1, NARROW.index(name)


def _widths(rows: Sequence[Sequence[str]]) -> list[int]:
    return [max(map(len, column)) for column in zip(*rows, strict=True)]


def _cell(name: str, row: Mapping[Any, Any]) -> str:
    value = row[name]
    if pd.isna(value) or value == "":
        return "–"
    if name == "status":
        reason = row["stop_reason"]
        return status_text(str(value), reason if isinstance(reason, str) else "", row["predicts"])
    if name == "started":
        return f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, float):
        return f"{value:{FIGURES.get(name, '.0f')}}"
    return str(value)


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
