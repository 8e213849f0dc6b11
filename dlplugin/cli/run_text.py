"""Runs as text for a terminal: the comparison of many, and everything about one."""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from dlplugin.definition import Split, TrainingOptions, to_plain

if TYPE_CHECKING:
    from rich.table import Table

    from dlplugin.training import Run

__all__ = ["losses_text", "run_text", "runs_table", "runs_text", "state_text"]

WIDTH = 120
LAST_EPOCHS = 5
MOST_SYMBOLS = 12
COLUMNS = {
    "run": "run",
    "model": "model",
    "engine": "engine",
    "started": "started",
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
TEXTS = ("run", "model", "engine", "started", "status")
NARROW = ("engine", "batch_size", "correlation", "hits", "started", "model")
"""Where there is no room, these columns are left out, in this order: a number that is cut is a wrong one."""
LONGEST_MODEL, SHORTEST_STATUS = 16, 16
GAP = 2


def runs_text(table: pd.DataFrame) -> str:
    """The comparison as plain lines of 120 columns at most; the last column is cut where it must be."""
    names, rows = _cells(table, WIDTH)
    rows = [[COLUMNS[name] for name in names], *rows]
    widths = _widths(rows)
    lines = []
    for row in rows:
        cells = [
            f"{cell:<{width}}" if name in TEXTS else f"{cell:>{width}}"
            for name, cell, width in zip(names, row, widths, strict=True)
        ]
        lines.append(_cut((" " * GAP).join(cells).rstrip(), WIDTH))
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


def _cells(table: pd.DataFrame, width: int) -> tuple[list[str], list[list[str]]]:
    """The columns that fit, and their cells."""
    names = [name for name in COLUMNS if table[name].notna().any()]
    rows = [{name: _cell(name, row) for name in names} for row in table.to_dict("records")]

    def needed() -> int:
        fixed = [
            [COLUMNS[name] for name in names[:-1]],
            *([row[name] for name in names[:-1]] for row in rows),
        ]
        return sum(each + GAP for each in _widths(fixed)) + SHORTEST_STATUS

    for name in NARROW:
        if name in names and needed() > width:
            names.remove(name)
    return names, [[row[name] for name in names] for row in rows]


def _widths(rows: Sequence[Sequence[str]]) -> list[int]:
    return [max(map(len, column)) for column in zip(*rows, strict=True)]


def _cell(name: str, row: Mapping[Any, Any]) -> str:
    value = row[name]
    if value is None or value != value or value == "":
        return "–"
    if name == "status":
        reason = row["stop_reason"]
        return _state(str(value), reason if isinstance(reason, str) else "")
    if name == "model":
        return _cut(str(value), LONGEST_MODEL)
    if name == "started":
        return f"{_here(str(value)):%m-%d %H:%M}"
    if isinstance(value, float):
        return f"{value:{FIGURES.get(name, '.0f')}}"
    return str(value)


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 1]}…"


def _state(status: str, reason: str) -> str:
    """The status, and the reason where it says more."""
    if status == "running" or not reason:
        return status
    return reason if reason.startswith(status) else f"{status}, {reason}"


def _here(text: str) -> datetime:
    """A moment in UTC, by the clock here."""
    return datetime.fromisoformat(text).astimezone()


def losses_text(run: "Run") -> str:
    """The best epoch, its losses and accuracy, in one line; of a run under way those of its last epoch."""
    history = run.history
    if not len(history):
        return "no epoch is done yet" if run.status == "running" else "no epoch was done"
    last = int(history["epoch"].iloc[-1])
    kept = (run.facts.get("save_point") or {}).get("epochs")
    best = run.best_epoch if kept and run.status != "running" else None
    row = history[history["epoch"] == (best or last)].iloc[0]
    text = f"epoch {last}" if best is None else f"best epoch {best} of {last}"
    text += f": in-sample loss {row['in_sample_loss']:.4f}"
    for column in ("out_of_sample_loss", "out_of_sample_accuracy", "out_of_sample_correlation"):
        if column in row and not math.isnan(row[column]):
            text += f", out-of-sample {column.removeprefix('out_of_sample_')} {row[column]:.4f}"
    return text


def run_text(run: "Run") -> str:
    """Everything about a run: how it went, on what, with which options, and what may be wrong."""
    facts = run.facts
    blocks = [
        [f"run {run.name} of {facts['model']}: {state_text(run)}", losses_text(run)],
        _rows(_facts(run, facts)),
        _options("options", facts["options"], to_plain(TrainingOptions())),
        _options("split", facts["split"], to_plain(Split())),
        _history(run),
        str(run.diagnosis()).splitlines(),
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block)


def state_text(run: "Run") -> str:
    """Its status, and why it stopped or how far the epoch under way is."""
    status, progress = run.status, run.progress
    if status == "running" and progress:
        done = f"epoch {progress['epoch']} is {100 * progress['done']:.0f} % done"
        return f"running, {done}, loss {progress['loss']:.4f}"
    return _state(status, run.stop_reason)


def _facts(run: "Run", facts: Mapping[str, Any]) -> list[tuple[str, str]]:
    engine = dict(facts["definition"]["engine"])
    name = engine.pop("name")
    rows = [
        ("started", f"{_here(facts['started']):%Y-%m-%d %H:%M}"),
        ("ended", f"{_here(facts['ended']):%Y-%m-%d %H:%M}" if "ended" in facts else ""),
        ("inputs", ", ".join(_label(each) for each in facts["definition"]["inputs"])),
        ("outputs", ", ".join(_label(each) for each in facts["definition"]["outputs"])),
        ("engine", f"{name} ({', '.join(f'{key} {_typed(value)}' for key, value in engine.items())})"),
        ("data", _data(facts["dataset"])),
        ("validated on", _data(facts["validation"]) if "validation" in facts else ""),
    ]
    for span in run.spans.spans:
        count = facts["counts"][span.name]
        dates = f"{span.start:%Y-%m-%d} … {span.end:%Y-%m-%d}"
        rows.append((span.name, f"{dates}, {count['samples']:,} samples, {count['purged']:,} purged"))
    if "weights" in facts:
        effective = facts.get("effective_samples")
        beside = f" for {effective:,.0f} effective samples" if effective else ""
        rows.append(("weights", f"{facts['weights']:,}{beside}"))
    rows += [
        (label, str(facts.get(name) or ""))
        for label, name in (
            ("begins", "starts"),
            ("before it", "sets_aside"),
            ("expected", "estimate"),
            ("warning", "warning"),
            ("trained on", "device"),
        )
    ]
    rows.append(("folder", str(run.path)))
    return [(label, text) for label, text in rows if text]


def _data(dataset: Mapping[str, Any]) -> str:
    symbols = list(dataset["symbols"])
    more = f" and {len(symbols) - MOST_SYMBOLS} more" if len(symbols) > MOST_SYMBOLS else ""
    return f"{dataset['name']}, {dataset['interval']}: {', '.join(symbols[:MOST_SYMBOLS])}{more}"


def _label(item: Mapping[str, Any]) -> str:
    depth = f" × {item['depth']}" if item.get("depth", 1) > 1 else ""
    ahead = f", {item['look_ahead']} ahead" if "look_ahead" in item else ""
    return f"{item['name'] or item['indicator']}{depth}{ahead}"


def _options(title: str, given: Mapping[str, Any], defaults: Mapping[str, Any]) -> list[str]:
    """Those that differ from the defaults."""
    changed = [
        (name, _typed(given[name])) for name in defaults if name in given and given[name] != defaults[name]
    ]
    return [title, *_rows(changed)] if changed else [f"{title}: as by default"]


def _history(run: "Run") -> list[str]:
    history = run.history
    if not len(history):
        return []
    points = run.save_points
    tail = history.tail(LAST_EPOCHS)
    lines = tail.to_string(index=False, na_rep="–").splitlines()
    moved = ", ".join(map(str, points[-12:]))
    more = f"the last 12 of {len(points)}: " if len(points) > 12 else ""
    return [*lines, f"the save point moved in epoch {more}{moved}"] if points else lines


def _rows(rows: Sequence[tuple[str, str]]) -> list[str]:
    width = max((len(label) for label, _ in rows), default=0)
    return [f"  {label:{width}}  {text}" for label, text in rows]


def _typed(value: Any) -> str:
    """A value as a file holds it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return f"[{', '.join(map(str, value))}]"
    return "none" if value is None else str(value)
