"""Bars that a training had not loaded: their samples are out of sample, wherever that is not the holdout."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dlplugin.bars import DataSet
from dlplugin.definition import Definition, Input, Output
from dlplugin.errors import SamplesError
from dlplugin.samples.parts import SymbolPart, refuse_no_dataset, refuse_other_dataset, symbol_parts
from dlplugin.samples.samples import Later, Samples, stack, stacked
from dlplugin.samples.scaling import Scaling
from dlplugin.samples.spans import EMBARGOED, OUTSIDE, PURGED, SPAN_NAMES, Span, Spans, Times, standing
from dlplugin.samples.validation import BY_DATES

__all__ = ["Loaded", "judged_samples", "later_standing", "touches"]

IN_SAMPLE, OUT_OF_SAMPLE, HOLDOUT = SPAN_NAMES
MOST_NAMED = 5

BoolArray = NDArray[np.bool_]
Dates = tuple[pd.Timestamp, pd.Timestamp]


@dataclass(frozen=True)
class Loaded:
    """Which bars a training had.

    Attributes:
        dataset: The symbols of its DataSet, with the first and the last bar of each.
        validation: Those of the other DataSet that it was validated on; empty where there was none.
        fingerprint: Of the bars of the DataSet's symbols.
    """

    dataset: dict[str, Dates]
    validation: dict[str, Dates]
    fingerprint: dict[str, str]

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> "Loaded":
        """What a run or a model has recorded."""

        def dates(recorded: Mapping[str, Any]) -> dict[str, Dates]:
            symbols = recorded.get("symbols", {})
            return {
                name: (pd.Timestamp(each["first"]), pd.Timestamp(each["last"]))
                for name, each in symbols.items()
            }

        prints = {name: each["fingerprint"] for name, each in record["dataset"]["symbols"].items()}
        return cls(dates(record["dataset"]), dates(record.get("validation", {})), prints)

    def bars(self, symbol: str, times: Times, other: bool) -> BoolArray:
        """(T,) which bars of a symbol, of the other DataSet or not, lie between the first and the last it had.

        The bars of a symbol that trained are none that it had not, in whichever DataSet they are.
        """
        had = np.zeros(len(times), dtype=bool)
        for symbols in (self.dataset, self.validation) if other else (self.dataset,):
            if symbol in symbols:
                had |= _within(times, *symbols[symbol])
        return had


def judged_samples(
    definition: Definition,
    dataset: DataSet,
    spans: Spans,
    scaling: tuple[Scaling, Scaling],
    loaded: Loaded,
    validation: DataSet | None,
    trained_on: Callable[[], DataSet],
) -> Samples:
    """The samples of a trained model on any DataSet: what it trained on is in sample, and nothing else is.

    What the training had stands as it stood. What it had not is out of sample: other symbols, and later or
    earlier bars of its own, but for the holdout's days, which stay sealed for every symbol.

    Args:
        definition: Inputs, outputs and the engine's layout.
        dataset: The symbols to judge it on; may have those and the bars that it trained on.
        spans: The dates of the run.
        scaling: Of inputs and outputs, of the run.
        loaded: What it had.
        validation: The other DataSet whose samples are out of sample, where the run had one.
        trained_on: Reads the DataSet that it trained on; called where `dataset` has none of its in-sample
            samples, which the trivial rules are fitted on.

    Raises:
        SamplesError: A symbol has no scaling or the very bars of another one that the training had, or the
            other DataSet does not belong here.
    """
    refuse_no_dataset(dataset)
    _refuse_copies(dataset, loaded.dataset, loaded)
    if isinstance(validation, DataSet):
        _refuse_copies(validation, loaded.dataset | loaded.validation, loaded)
        _refuse_trained(validation, spans, loaded)
    found = _judged(definition, dataset, spans, loaded, validation)
    if any(each.part.samples(IN_SAMPLE).any() for each in found):
        refuse_other_dataset(dataset, spans, validation)
    else:
        found = [*_inside(definition, trained_on(), spans), *found]
    _refuse_unscaled(definition, [each.part.symbol for each in found], scaling)
    parts = [each.part for each in found]
    samples = stack(definition, spans, parts, scaling)
    if not any(each.new.any() for each in found):
        return samples
    later = Later(
        note=_note(found, spans),
        chose=any((each.samples & ~each.new).any() for each in found),
        with_dropped={name: stacked(parts, name, dropped=True) for name in parts[0].standing},
    )
    return replace(samples, later=later)


def later_standing(
    spans: Spans, symbol: str, times: Times, look_ahead: int, other: bool, loaded: BoolArray
) -> dict[str, NDArray[np.int8]]:
    """How the samples of one symbol stand to each span when the training had only some of its bars.

    A sample all of whose bars t + 1 … t + look_ahead were loaded stands as `standing` says. Any other is
    out of sample when these bars lie between two boundaries (the ends of the in-sample span and of the
    holdout), outside the holdout, and none of them was loaded but as an out-of-sample one; bar t is not in the
    holdout either. The embargo after the in-sample span holds for them, too.

    Args:
        spans: The dates of the run, and what there is beside them.
        symbol: Whose samples.
        times: (T,) of its bars, sorted.
        look_ahead: The largest of the outputs, in bars.
        other: Whether it is a symbol of the other DataSet.
        loaded: (T,) which of its bars the training had.

    Returns:
        Span name to (T,), as `standing`; with "out-of-sample" even where the run had no such span.
    """
    found = standing(spans, symbol, times, look_ahead, other)
    touching = touches(~loaded, look_ahead)
    free = ~loaded
    judged = _judged_span(spans)
    if judged is not None and spans.validation.kind != "random":
        held = spans.validation.holds(OUT_OF_SAMPLE, symbol, times, other)
        free |= held & _within(times, judged.start, judged.end)
    zone = np.zeros(len(times), dtype=np.int64)
    sealed = np.zeros(len(times), dtype=bool)
    for name in (IN_SAMPLE, HOLDOUT):
        if name in spans:
            zone += (times >= spans[name].start.to_datetime64()).astype(np.int64)
            zone += (times > spans[name].end.to_datetime64()).astype(np.int64)
    if HOLDOUT in spans:
        sealed = _within(times, spans[HOLDOUT].start, spans[HOLDOUT].end)
    first, last = np.roll(zone, -1), np.roll(zone, -look_ahead)
    open_first = np.roll(free & ~sealed, -1)
    fits = open_first & ~sealed & (first == last) & ~touches(~free, look_ahead)
    later = np.where(fits, SPAN_NAMES.index(OUT_OF_SAMPLE), np.where(open_first, PURGED, OUTSIDE))
    later = np.where(fits & np.roll(_embargoed(spans, times), -1), EMBARGOED, later).astype(np.int8)
    before = found.get(OUT_OF_SAMPLE, np.full(len(times), OUTSIDE, dtype=np.int8))
    found[OUT_OF_SAMPLE] = np.where(touching, later, before)
    found[IN_SAMPLE] = np.where(touching, np.int8(OUTSIDE), found[IN_SAMPLE])
    return found


def touches(bars: BoolArray, look_ahead: int) -> BoolArray:
    """(T,) the samples that have one of these bars among t + 1 … t + look_ahead; none where those are not there.

    >>> touches(np.array([False, False, True, False, False]), 2)
    array([ True,  True, False, False, False])
    """
    before = np.concatenate([[0], np.cumsum(bars)])
    found = np.zeros(len(bars), dtype=bool)
    count = len(bars) - look_ahead
    if count > 0:
        found[:count] = before[1 + look_ahead :] > before[1 : 1 + count]
    return found


@dataclass(frozen=True)
class _Judged:
    """A symbol's part with what the training had of it."""

    part: SymbolPart
    loaded: BoolArray  # (T,)
    new: BoolArray  # (T,) samples with outputs of bars that it had not

    @property
    def samples(self) -> BoolArray:
        """(T,) its out-of-sample samples."""
        return self.part.samples(OUT_OF_SAMPLE)


def _judged(
    definition: Definition, dataset: DataSet, spans: Spans, loaded: Loaded, validation: DataSet | None
) -> list[_Judged]:
    by_dates = replace(spans, validation=BY_DATES)
    parts = symbol_parts(definition, dataset, spans if validation is not None else by_dates, validation)
    found = []
    for index, part in enumerate(parts):
        other = index >= len(dataset.symbols)
        had = loaded.bars(part.symbol, part.times, other)
        stands = later_standing(spans, part.symbol, part.times, definition.look_ahead, other, had)
        if had.any():  # what was its warm-up may be known by now, and still did not train
            began = int(np.argmax(had)) + definition.bars_needed - 1
            early = np.arange(len(had)) < began
            stands[IN_SAMPLE] = np.where(early, np.int8(OUTSIDE), stands[IN_SAMPLE])
        found.append(_Judged(replace(part, standing=stands), had, touches(~had, definition.look_ahead)))
    return found


def _inside(definition: Definition, dataset: DataSet, spans: Spans) -> list[_Judged]:
    """The in-sample samples of the training's own DataSet."""
    found = []
    for part in symbol_parts(definition, dataset, replace(spans, validation=BY_DATES), None):
        stands = standing(spans, part.symbol, part.times, definition.look_ahead, other=False)
        nothing = np.full(len(part.times), OUTSIDE, dtype=np.int8)
        only = dict.fromkeys(stands, nothing) | {OUT_OF_SAMPLE: nothing, IN_SAMPLE: stands[IN_SAMPLE]}
        every = np.ones(len(part.times), dtype=bool)
        found.append(_Judged(replace(part, standing=only), every, ~every))
    return found


def _note(found: list[_Judged], spans: Spans) -> str:
    """What the out-of-sample samples are, as a clause."""
    total = sum(int(each.samples.sum()) for each in found)
    strange = [each for each in found if not each.loaded.any() and each.samples.any()]
    said = []
    if strange:
        count = sum(int(each.samples.sum()) for each in strange)
        shared = sum(int((each.samples & _shares(spans, each.part.times)).sum()) for each in strange)
        names = [each.part.symbol for each in strange]
        named = f" ({', '.join(names)})" if len(names) <= MOST_NAMED else ""
        symbols = f"{len(names)} symbol{'s' if len(names) > 1 else ''}"
        days = f", {_of(shared, count)} of them on days that trained the weights" if shared else ""
        said.append(
            f"{_of(count, total)} of the out-of-sample samples are of {symbols} that the model never trained on"
            f"{named}{days}"
        )
    known = sum(int((each.samples & each.new).sum()) for each in found if each.loaded.any())
    if known:
        said.append(
            f"{_of(known, total)} of the out-of-sample samples are of bars that its training had not loaded"
        )
    own = any((each.samples & ~each.new).any() for each in found)
    told = spans.told("the other out-of-sample samples") if own else ""
    return "; ".join([*said, told] if told else said)


def _of(count: int, total: int) -> str:
    return "all" if count == total else f"{count:,}"


def _shares(spans: Spans, times: Times) -> BoolArray:
    """(T,) the bars on in-sample days."""
    return _within(times, spans[IN_SAMPLE].start, spans[IN_SAMPLE].end)


def _judged_span(spans: Spans) -> Span | None:
    return next((span for span in spans.spans if span.name == OUT_OF_SAMPLE), None)


def _embargoed(spans: Spans, times: Times) -> BoolArray:
    """(T,) the bars of the embargo after the in-sample span."""
    judged = _judged_span(spans)
    if judged is None or spans.shared_dates:
        return np.zeros(len(times), dtype=bool)
    until = spans.embargo_until[[span.name for span in spans.spans].index(OUT_OF_SAMPLE)]
    return _within(times, judged.start, until - pd.Timedelta(nanoseconds=1))


def _within(times: Times, start: pd.Timestamp, end: pd.Timestamp) -> BoolArray:
    inside: BoolArray = (times >= start.to_datetime64()) & (times <= end.to_datetime64())
    return inside


def _refuse_copies(dataset: DataSet, known: Collection[str], loaded: Loaded) -> None:
    """The bars of a symbol that trained do not become unseen by another name."""
    named = {print_: name for name, print_ in loaded.fingerprint.items()}
    for symbol in dataset.symbols:
        same = None if symbol in known else named.get(dataset.fingerprint[symbol])
        if same is not None:
            raise SamplesError(
                f"{symbol} has the very bars of {same}, which the model was trained with; leave it out"
            )


def _refuse_trained(validation: DataSet, spans: Spans, loaded: Loaded) -> None:
    """Nor does a symbol that trained become one that validates on the days that it trained on."""
    both = [symbol for symbol in validation.symbols if symbol in loaded.dataset]
    if both and spans.shared_dates:
        raise SamplesError(
            f"DataSet {validation.name!r} validates on the days that trained the weights, but "
            f"{', '.join(both[:MOST_NAMED])} trained them, too; leave {'them' if len(both) > 1 else 'it'} out"
        )


def _refuse_unscaled(
    definition: Definition, symbols: Sequence[str], scaling: tuple[Scaling, Scaling]
) -> None:
    """A symbol that trained nothing has no scaling of its own."""
    known = next((each.symbols for each in scaling if each.symbols), ())
    lacking = [symbol for symbol in dict.fromkeys(symbols) if known and symbol not in known]
    if lacking:
        items: list[Input | Output] = [*definition.inputs, *definition.outputs]
        column = next(item.name for item in items if not item.pooled)
        raise SamplesError(
            f"{column!r} is scaled by symbol (pooled=False), and there is no scaling of "
            f"{', '.join(lacking[:MOST_NAMED])}, on which the model was not trained; leave "
            f"{'them' if len(lacking) > 1 else 'it'} out, or train with pooled=True"
        )
