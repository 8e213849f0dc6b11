"""One run as text for a terminal: all that is known of it, and the lines that tell how it ended."""

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from dlplugin.cli.lines import fitted, typed
from dlplugin.cli.runs_table import status_text
from dlplugin.definition import Split, TrainingOptions, to_plain

if TYPE_CHECKING:
    import pandas as pd

    from dlplugin.training import Run

__all__ = ["command", "losses_text", "run_text", "state_text"]

LAST_EPOCHS = 5
MOST_SYMBOLS = 12
SPARE = (
    "seconds",
    "learning_rate",
    "in_sample_accuracy",
    "out_of_sample_correlation",
    "out_of_sample_accuracy",
)
"""Columns of the history that are left out where there is no room, in this order."""


def losses_text(run: "Run") -> str:
    """The best epoch as far as it is known, its losses and accuracy, in one line."""
    from dlplugin.training import best_epoch_so_far

    running = run.status == "running"
    best = best_epoch_so_far(run.facts, run.save_points)
    history = run.history  # after the save points: it grows meanwhile
    if not len(history):
        return "no epoch is done yet" if running else "no epoch was done"
    last = int(history["epoch"].iloc[-1])
    if best not in set(history["epoch"]):  # a stop has taken it back just now
        best = 0
    row = history[history["epoch"] == (best or last)].iloc[0]
    text = f"best epoch {best} of {last}{' so far' if running else ''}" if best else f"epoch {last}"
    text += f": in-sample loss {row['in_sample_loss']:.4f}"
    for column in ("out_of_sample_loss", "out_of_sample_accuracy", "out_of_sample_correlation"):
        if column in row and not math.isnan(row[column]):
            text += f", out-of-sample {column.removeprefix('out_of_sample_')} {row[column]:.4f}"
    return text


def run_text(run: "Run", width: int | None = None) -> str:
    """Everything about a run: how it went, on what, with which options, and what may be wrong.

    Args:
        run: The run.
        width: Characters of a terminal's line; a longer word, or a command to copy, is not broken. None: lines
            as long as they come.
    """
    facts, diagnosis = run.facts, run.diagnosis()
    blocks = [
        [f"run {run.name} of {facts['model']}: {state_text(run)}", losses_text(run)],
        _rows(_facts(run, facts), width),
        _options("options", facts["options"], to_plain(TrainingOptions()), width),
        _options("split", facts["split"], to_plain(Split()), width),
        _history(run, width),
        (str(diagnosis) if width is None else diagnosis.text(width)).splitlines(),
        [f"go on with: {command('resume', run)}"] if run.status in ("stopped", "interrupted") else [],
    ]
    blocks[0] = [line for each in blocks[0] for line in fitted(each, width)]
    return "\n\n".join("\n".join(block) for block in blocks if block)


def state_text(run: "Run") -> str:
    """Its status, and why it stopped or how far the epoch under way is."""
    status, progress = run.status, run.progress
    if status == "running" and progress:
        done = f"epoch {progress['epoch']} is {100 * progress['done']:.0f} % done"
        return f"running, {done}, loss {progress['loss']:.4f}"
    return status_text(status, run.stop_reason)


def command(verb: str, run: "Run") -> str:
    """What to type next."""
    return f"dlplugin {verb} {run.name}{run.place}"


def _facts(run: "Run", facts: Mapping[str, Any]) -> list[tuple[str, str]]:
    engine = dict(facts["definition"]["engine"])
    name = engine.pop("name")
    rows = [
        ("started", _moment(facts["started"])),
        ("ended", _moment(facts["ended"]) if "ended" in facts else ""),
        ("inputs", ", ".join(_label(each) for each in facts["definition"]["inputs"])),
        ("outputs", ", ".join(_label(each) for each in facts["definition"]["outputs"])),
        ("engine", f"{name} ({', '.join(f'{key} {typed(value)}' for key, value in engine.items())})"),
        ("data", _data(facts["dataset"])),
        ("validated on", _data(facts["validation"]) if "validation" in facts else ""),
    ]
    for span in run.spans.spans:
        count = facts["counts"][span.name]
        dates = f"{span.start:%Y-%m-%d} … {span.end:%Y-%m-%d}"
        left_out = "".join(
            f", {count[why]:,} {words}"
            for why, words in (("embargoed", "embargoed"), ("dropped", "in a dropped class"))
            if count.get(why)
        )
        rows.append(
            (span.name, f"{dates}, {count['samples']:,} samples, {count['purged']:,} purged{left_out}")
        )
    if "weights" in facts:
        effective = facts.get("effective_samples")
        beside = f" for {effective:,.0f} effective samples" if effective else ""
        rows.append(("weights", f"{facts['weights']:,}{beside}"))
    rows += [("join it with", line) for line in facts.get("join", ())[1:]]
    rows += [
        (label, str(facts.get(name) or ""))
        for label, name in (
            ("begins", "starts"),
            ("before it", "sets_aside"),
            ("expected", "estimate"),
            ("warning", "warning"),
            ("devices", "devices"),
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


def _moment(text: str) -> str:
    return f"{datetime.fromisoformat(text).astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _options(
    title: str, given: Mapping[str, Any], defaults: Mapping[str, Any], width: int | None
) -> list[str]:
    """Those that differ from the defaults."""
    changed = [
        (name, typed(given[name])) for name in defaults if name in given and given[name] != defaults[name]
    ]
    return [title, *_rows(changed, width)] if changed else [f"{title}: as by default"]


def _history(run: "Run", width: int | None) -> list[str]:
    history = run.history
    if not len(history):
        return []
    points = run.save_points
    shown = {*points[-1:], *history["epoch"].tail(LAST_EPOCHS)}
    history = history[history["epoch"].isin(shown)]
    lines = _table(history)
    for name in SPARE:
        if width is not None and name in history and len(lines[0]) > width:
            history = history.drop(columns=name)
            lines = _table(history)
    moved = ", ".join(map(str, points[-12:]))
    more = f"the last 12 of {len(points)}: " if len(points) > 12 else ""
    return [*lines, *fitted(f"the save point moved in epoch {more}{moved}", width)] if points else lines


def _table(frame: "pd.DataFrame") -> list[str]:
    return frame.to_string(index=False, na_rep="–").splitlines()


def _rows(rows: Sequence[tuple[str, str]], width: int | None) -> list[str]:
    labels = max((len(label) for label, _ in rows), default=0)
    return [line for label, text in rows for line in fitted(f"  {label:{labels}}  {text}", width, labels + 4)]
