"""How often the days that judge a model were looked at: openings of holdouts, and trials."""

import os
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from dlplugin.definition import Definition
from dlplugin.errors import DLPluginWarning, users_level
from dlplugin.samples import SPAN_NAMES
from dlplugin.store import LineFile, Opening, Scope, Trial, store_folder
from dlplugin.store import openings as opening_file
from dlplugin.store import trials as trial_file

__all__ = ["openings", "openings_table", "trials", "trials_table"]

OUT_OF_SAMPLE = "out-of-sample score"  # a purpose that has no line in the records of openings
_DAMAGED = "damaged"  # in place of a model's name
_OPENING_COLUMNS = (
    "time",
    "model",
    "purpose",
    "symbols",
    "start",
    "end",
    "reason",
    "dataset",
    "definition",
)
_TRIAL_COLUMNS = (
    "time",
    "model",
    "run",
    "symbols",
    *(f"{name.replace('-', '_')}_{edge}" for name in SPAN_NAMES for edge in ("start", "end")),
    "dataset",
    "definition",
)


def openings(store: str | os.PathLike[str] | None = None) -> pd.DataFrame:
    """Every opening of a holdout that a store has recorded: a score, or a trading result, that was shown.

    An opening is recorded once for the same definition, days, symbols and purpose, and never removed, whatever
    models and runs are deleted. Scores come from `Model.open_holdout` alone. A trading result is that of a
    strategy with a `DLPredictor` that held a position on such a day, or was run over one by `dl.backtest`; it
    is recorded when the strategy stops. Not noticed are a strategy that asks `Model.predict` by itself, reads
    predictions from a file or from another strategy, or ends in an error of its own; what a person works out
    from predictions; the same bars under other names of symbols; and what another store knows.

    Args:
        store: The store's folder; by default `DLPLUGIN_STORE`, or ./models.

    Returns:
        A row an opening, oldest first: time (UTC), model, purpose ("score" or "trading result"), symbols (a
        tuple), start and end (the first and the last of the days), reason (of a trading result the strategy),
        dataset, definition (its hash). A line of the records that cannot be read is a row with the model
        "damaged" and nothing else.

    Raises:
        DamagedModelError: The records cannot be read.

    Warns:
        DLPluginWarning: A line of the records is damaged.
    """
    return openings_table(store_folder(store))


def trials(store: str | os.PathLike[str] | None = None) -> pd.DataFrame:
    """Every run that was begun in a store, deleted ones too.

    A run that could not begin is none, and going on with one is no new one.

    Args:
        store: The store's folder; by default `DLPLUGIN_STORE`, or ./models.

    Returns:
        A row a run, oldest first: time (UTC), model, run, symbols (a tuple: those of its DataSets, and those
        that its outputs read), the first and the last day of each span (in_sample_start, in_sample_end,
        out_of_sample_start, ..., holdout_end; NaT where there is no such span), dataset, definition (its
        hash). A line of the records that cannot be read is a row with the model "damaged" and nothing else.

    Raises:
        DamagedModelError: The records cannot be read.

    Warns:
        DLPluginWarning: A line of the records is damaged.
    """
    return trials_table(store_folder(store))


def openings_table(
    root: Path, definition: Definition | None = None, record: Mapping[str, Any] | None = None
) -> pd.DataFrame:
    """The openings that count for a model; see `openings`.

    An opening counts when its days overlap the model's holdout, and it is of a symbol that the model was
    trained on, validated on or reads; or the model's own definition, trained on such a symbol, has shown it.
    A run of another split, that had days of the holdout out of sample on such a symbol, has shown them, too.

    Args:
        root: The store.
        definition: The model's; all openings where there is none.
        record: How it was trained; where that is not known, as recorded for the runs of its definition.
    """
    scopes = _scopes(root, definition, record)
    kept = _counted(opening_file(root), scopes)
    rows = [{"model": _DAMAGED} if one is None else asdict(one) for one in kept]
    runs = [one for one in trial_file(root).read() if one is not None] if scopes else []
    rows += [_shown(one) for one in runs if any(scope.shown_by(one) for scope in scopes or ())]
    return _table(rows, _OPENING_COLUMNS).sort_values(
        "time", kind="stable", ignore_index=True, na_position="first"
    )


def trials_table(
    root: Path, definition: Definition | None = None, record: Mapping[str, Any] | None = None
) -> pd.DataFrame:
    """The trials that count for a model; see `trials`.

    A trial counts when its out-of-sample days (where it has none, its in-sample days) overlap the model's, and
    it is of a symbol that the model was trained on, validated on or reads.

    Args:
        root: The store.
        definition: The model's; all trials where there is none.
        record: How it was trained; where that is not known, as recorded for the runs of its definition.
    """
    kept = _counted(trial_file(root), _scopes(root, definition, record))
    return _table([{"model": _DAMAGED} if one is None else _trial_row(one) for one in kept], _TRIAL_COLUMNS)


def _scopes(
    root: Path, definition: Definition | None, record: Mapping[str, Any] | None
) -> list[Scope] | None:
    """What a model's records are counted for; None for all there are."""
    if definition is None:
        return None
    if record is not None:
        return [Scope.of(definition, record)]
    own = (one for one in trial_file(root).read() if one is not None and one.definition == definition.hash)
    return [Scope.of_trial(one, definition) for one in own]


def _counted(file: LineFile[Any], scopes: Iterable[Scope] | None) -> list[Opening | Trial | None]:
    """The records that count, and all that cannot be read."""
    there = file.read()
    damaged = there.count(None)
    if damaged:
        lines = "1 line" if damaged == 1 else f"{damaged} lines"
        warnings.warn(
            f"{lines} of {file.path} cannot be read; {'it counts' if damaged == 1 else 'they count'} for every model",
            DLPluginWarning,
            stacklevel=users_level(),
        )
    if scopes is None:
        return there
    return [one for one in there if one is None or any(scope.counts(one) for scope in scopes)]


def _shown(trial: Trial) -> dict[str, Any]:
    """The opening that a run is whose out-of-sample days are of the holdout."""
    start, end = trial.spans["out-of-sample"]
    return asdict(trial) | {"start": start, "end": end, "purpose": OUT_OF_SAMPLE, "reason": trial.run}


def _trial_row(trial: Any) -> dict[str, Any]:
    days = {
        f"{name.replace('-', '_')}_{edge}": day
        for name, span in trial.spans.items()
        for edge, day in zip(("start", "end"), span, strict=True)
    }
    return asdict(trial) | days


def _table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=list(columns))
    for column in columns:
        if column == "time":
            times = pd.to_datetime(frame[column], utc=True, format="ISO8601")
            frame[column] = times.astype("datetime64[ns, UTC]")
        elif column.endswith(("start", "end")):
            frame[column] = pd.to_datetime(frame[column], format="%Y-%m-%d").astype("datetime64[ns]")
    return frame
