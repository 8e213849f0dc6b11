"""What outlives models and runs: openings of holdouts, and trials. A line each, appended and never changed.

models/.records/openings.jsonl   one for each time that days of a holdout were newly shown
models/.records/trials.jsonl     one for each run that was begun

A line is one JSON object with sorted keys and ends with a newline; `Opening` and `Trial` tell its keys. A last
line that was cut off, its writer killed, was never written: nobody was shown what it speaks of. Any other line
that cannot be read counts for every model, since nobody knows any more whose it was.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any, Literal, get_args

from dlplugin.definition import Definition
from dlplugin.samples import Spans
from dlplugin.store.lines import LineFile
from dlplugin.store.runs import now

__all__ = [
    "Days",
    "Opening",
    "Purpose",
    "Scope",
    "Trial",
    "openings",
    "record_opening",
    "record_trial",
    "shown_symbols",
    "trials",
]

Days = tuple[str, str]  # the first and the last, both included: "2012-01-03"
Purpose = Literal["score", "trading result"]
PURPOSES = get_args(Purpose)
FOLDER = ".records"


@dataclass(frozen=True)
class Opening:
    """Days of a holdout that were shown.

    Attributes:
        definition: Hash of the model's definition.
        model: Its name.
        dataset: The DataSet's name, or of a trading result the one that the model was trained on.
        symbols: Whose days, sorted.
        trained: The symbols that the model was trained on, and those that its outputs read, sorted.
        start: The first of the days.
        end: The last of them.
        purpose: "score" or "trading result".
        reason: The user's words; of a trading result the strategy's name.
        time: When, in UTC.
    """

    definition: str
    model: str
    dataset: str
    symbols: tuple[str, ...]
    trained: tuple[str, ...]
    start: str
    end: str
    purpose: Purpose
    reason: str
    time: str

    @property
    def days(self) -> Days:
        """The first and the last."""
        return self.start, self.end

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> "Opening":
        """The opening of a line."""
        start, end = _days(plain["start"], plain["end"])
        if plain["purpose"] not in PURPOSES:
            raise ValueError("no such purpose")
        texts = _texts(plain, ("definition", "model", "dataset", "reason", "time"))
        symbols, trained = (_symbols(plain, name) for name in ("symbols", "trained"))
        return cls(symbols=symbols, trained=trained, start=start, end=end, purpose=plain["purpose"], **texts)


@dataclass(frozen=True)
class Trial:
    """A run that was begun.

    Attributes:
        run: Its name.
        started: When it was made, in UTC; with the name it tells runs apart.
        definition: Hash of the model's definition.
        model: Its name.
        dataset: The DataSet's name.
        symbols: Those it trained on and was validated on, and those that its outputs read, sorted.
        spans: Span name to its days.
        time: When it began, in UTC.
    """

    run: str
    started: str
    definition: str
    model: str
    dataset: str
    symbols: tuple[str, ...]
    spans: dict[str, Days]
    time: str

    @property
    def days(self) -> Days:
        """Those it was judged on: out of sample, or in sample where it had no others."""
        return _judged(self.spans)

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> "Trial":
        """The trial of a line."""
        spans = {str(name): _days(first, last) for name, (first, last) in plain["spans"].items()}
        _judged(spans)
        texts = _texts(plain, ("run", "started", "definition", "model", "dataset", "time"))
        return cls(symbols=_symbols(plain, "symbols"), spans=spans, **texts)

    @classmethod
    def of(cls, run: str, definition: Definition, facts: Mapping[str, Any]) -> "Trial":
        """The trial that a run is.

        Args:
            run: Its name.
            definition: What it trains.
            facts: What its run.json holds.
        """
        return cls(
            run=run,
            started=str(facts["started"]),
            definition=definition.hash,
            model=definition.name,
            dataset=str(facts["dataset"]["name"]),
            symbols=shown_symbols(definition, facts),
            spans=_days_of(facts),
            time=now(),
        )


@dataclass(frozen=True)
class Scope:
    """What a model was trained on: which records count for it.

    Attributes:
        definition: Hash of its definition.
        symbols: All it has to do with: trained on, validated on, or read.
        spans: Span name to its days.
    """

    definition: str
    symbols: frozenset[str]
    spans: dict[str, Days]

    @classmethod
    def of(cls, definition: Definition, facts: Mapping[str, Any]) -> "Scope":
        """The scope of a trained model, or of a run.

        Args:
            definition: The model's.
            facts: How it was trained.
        """
        symbols = {*shown_symbols(definition, facts), *definition.others}
        return cls(definition.hash, frozenset(symbols), _days_of(facts))

    @classmethod
    def of_trial(cls, trial: Trial, definition: Definition) -> "Scope":
        """The scope of a run that may be gone."""
        return cls(trial.definition, frozenset({*trial.symbols, *definition.others}), trial.spans)

    def counts(self, record: Opening | Trial) -> bool:
        """Whether a record counts: one of its symbols, on days that overlap its own.

        What its own definition, trained on its symbols, has shown of others counts, too.
        """
        symbols = set(record.symbols)
        if isinstance(record, Opening):
            days = self.spans.get("holdout")
            symbols |= set(record.trained if record.definition == self.definition else ())
        else:
            days = _judged(self.spans)
        if days is None or record.days[0] > days[1] or record.days[1] < days[0]:
            return False
        return not self.symbols.isdisjoint(symbols)

    def shown_by(self, trial: Trial) -> bool:
        """Whether a run, by another split, had days of the holdout out of sample: their score was shown, too.

        One day in common, the last of one and the first of the other, is none: of bars within a day both
        may have a part of it.
        """
        holdout, judged = self.spans.get("holdout"), trial.spans.get("out-of-sample")
        if holdout is None or judged is None or judged[0] >= holdout[1] or judged[1] <= holdout[0]:
            return False
        return not self.symbols.isdisjoint(trial.symbols)


def openings(root: Path) -> LineFile[Opening]:
    """All openings of a store."""
    return LineFile(root, root / FOLDER / "openings.jsonl", Opening.from_dict)


def trials(root: Path) -> LineFile[Trial]:
    """All trials of a store."""
    return LineFile(root, root / FOLDER / "trials.jsonl", Trial.from_dict)


def record_opening(root: Path, opening: Opening) -> bool:
    """Records an opening, once for the same definition, days and purpose: only symbols that are new to them.

    Returns:
        Whether anything was new.

    Raises:
        StoreError: The store cannot be written, or its records not be read.
    """

    def new(there: Sequence[Opening | None]) -> dict[str, Any] | None:
        key = (opening.definition, opening.days, opening.purpose)
        alike = (one for one in there if one is not None and (one.definition, one.days, one.purpose) == key)
        symbols = set(opening.symbols).difference(*(one.symbols for one in alike))
        return asdict(replace(opening, symbols=tuple(sorted(symbols)))) if symbols else None

    return openings(root).append(new)


def record_trial(root: Path, trial: Trial) -> bool:
    """Records a trial, once a run.

    Returns:
        Whether it was new.

    Raises:
        StoreError: The store cannot be written, or its records not be read.
    """

    def new(there: Sequence[Trial | None]) -> dict[str, Any] | None:
        key = (trial.run, trial.started)
        known = any(one is not None and (one.run, one.started) == key for one in there)
        return None if known else asdict(trial)

    return trials(root).append(new)


def shown_symbols(definition: Definition, facts: Mapping[str, Any]) -> tuple[str, ...]:
    """The symbols whose outputs a training is judged by: its DataSets', and those that outputs read, sorted.

    Args:
        definition: The model's.
        facts: How it was trained, or is trained.
    """
    validated = facts.get("validation", {}).get("symbols", ())
    return tuple(sorted({*facts["dataset"]["symbols"], *validated, *definition.output_others}))


def _days_of(facts: Mapping[str, Any]) -> dict[str, Days]:
    spans = Spans.from_dict(facts["spans"]).spans
    return {span.name: (f"{span.start:%Y-%m-%d}", f"{span.end:%Y-%m-%d}") for span in spans}


def _judged(spans: Mapping[str, Days]) -> Days:
    return spans["out-of-sample"] if "out-of-sample" in spans else spans["in-sample"]


def _texts(plain: Mapping[str, Any], names: Sequence[str]) -> dict[str, str]:
    """The texts of a line.

    Raises:
        TypeError: One is something else.
    """
    texts = {name: plain[name] for name in names}
    if not all(isinstance(text, str) for text in texts.values()):
        raise TypeError("not a text")
    return texts


def _symbols(plain: Mapping[str, Any], name: str) -> tuple[str, ...]:
    symbols = plain[name]
    if not isinstance(symbols, list) or not all(isinstance(symbol, str) for symbol in symbols):
        raise TypeError("not a list of texts")
    return tuple(symbols)


def _days(first: object, last: object) -> Days:
    """Two days as they are compared: as texts.

    Raises:
        ValueError: One is no day.
    """
    return date.fromisoformat(str(first)).isoformat(), date.fromisoformat(str(last)).isoformat()
