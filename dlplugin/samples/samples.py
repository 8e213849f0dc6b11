"""A definition and a DataSet to what a training reads: one matrix, and the rows of each span."""

import hashlib
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dlplugin.bars import DataSet
from dlplugin.definition import Definition, Split
from dlplugin.errors import DLPluginWarning, SamplesError
from dlplugin.samples.features import IntArray, RowLayout, matrix_columns, row_layout
from dlplugin.samples.labels import label_balance, refuse_empty_classes, targets_of
from dlplugin.samples.parts import SymbolPart, dates_of, refuse_no_dataset, symbol_parts
from dlplugin.samples.refusals import (
    refuse_all_dropped,
    refuse_uncategorised,
    refuse_unscalable,
    refuse_valueless,
    why_none,
)
from dlplugin.samples.scaling import Scaling, fit_scaling
from dlplugin.samples.spans import EMBARGOED, PURGED, Spans, resolve
from dlplugin.samples.statistics import statistics_of
from dlplugin.samples.validation import chosen_validation, refuse_training_symbols
from dlplugin.samples.weights import average_uniqueness, effective_size, sample_weights

__all__ = ["Later", "Samples", "SpanCount", "build_samples", "resolve_split", "stack", "stacked"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class SpanCount:
    """How many samples a span holds, and how many it could have held.

    Attributes:
        samples: Samples all of whose output bars lie in the span.
        purged: Samples left out because their output bars begin in the span and reach beyond it.
        embargoed: Samples left out because their output bars begin in the embargo after a boundary.
        dropped: Samples left out because all outputs are in a class that is dropped.
    """

    samples: int
    purged: int
    embargoed: int = 0
    dropped: int = 0


@dataclass(frozen=True)
class Later:
    """What to know of samples of which some are of bars that the training had not loaded.

    Attributes:
        note: What the out-of-sample ones are, as a clause.
        chose: Whether some of those are the training's own, and so may have chosen the weights.
        with_dropped: Span name to its samples, those of a dropped class among them; see `rows_with_dropped`.
    """

    note: str
    chose: bool
    with_dropped: dict[str, IntArray]


@dataclass(frozen=True)
class Samples:
    """What a training reads. All bars of all symbols are stacked; a sample is a row of that stack.

    Attributes:
        definition: What was asked for.
        spans: The resolved dates.
        symbols: In the order in which they are stacked; those of another DataSet to validate on come
            last, and may be there twice.
        owner: (N,) which symbol a stacked bar belongs to, as an index into `symbols`.
        times: (N,) datetime64[ns] of the stacked bars.
        matrix: (N, F) float32, the scaled inputs, without depth; NaN while warming up.
        targets: (N, O) float32, what a network's columns are compared with: scaled numbers, or the
            numbers of classes; NaN where unknown. A sample has one that is not NaN, and may have others
            that are, where an output drops a class; see `targets_of`.
        actual: (N, O) float64, the outputs in their own units.
        price: (N,) float64, adj_close where the bars have one and else the close: what trivial rules look
            at; NaN in samples stored before there was one.
        rows: Span name to the (S,) stacked bars that are its samples, symbol by symbol, oldest first.
        weights: (S,) float32, what each in-sample sample counts, as rows["in-sample"], with a mean of 1;
            None where all count alike.
        effective: How many independent samples the in-sample ones are worth; see `effective_size`.
        counts: Span name to its counts.
        layout: How a row is read from the matrix.
        input_scaling: Fitted on the in-sample rows.
        output_scaling: Fitted on the in-sample rows.
        statistics: A table of minimum, maximum, mean, standard deviation and missing bars, a row for
            each input and output, in their own units, over all bars. The row's own symbol has only
            missing bars: those of symbols that are none of its categories.
        later: What to know where there are bars that the training had not loaded; None otherwise.
    """

    definition: Definition
    spans: Spans
    symbols: tuple[str, ...]
    owner: IntArray
    times: NDArray[np.datetime64]
    matrix: NDArray[np.float32]
    targets: NDArray[np.float32]
    actual: FloatArray
    price: FloatArray
    rows: dict[str, IntArray]
    weights: NDArray[np.float32] | None
    effective: float
    counts: dict[str, SpanCount]
    layout: RowLayout
    input_scaling: Scaling
    output_scaling: Scaling
    statistics: pd.DataFrame
    later: Later | None = None

    @property
    def note(self) -> str:
        """What to know of the out-of-sample samples, as a clause; empty when they are the training's, by dates."""
        return self.spans.note if self.later is None else self.later.note

    @property
    def balance(self) -> pd.DataFrame:
        """How many samples each class has, in and out of sample; see `label_balance`."""
        return label_balance(self.definition, self.targets, self.rows)

    @property
    def fingerprint(self) -> str:
        """SHA-256 over the numbers a training reads."""
        digest = hashlib.sha256()
        for array in (self.matrix, self.targets, *self.rows.values()):
            digest.update(np.ascontiguousarray(array).tobytes())
        if self.weights is not None:
            digest.update(self.weights.tobytes())
        return digest.hexdigest()


def resolve_split(dataset: DataSet, split: Split, validation: DataSet | None = None) -> Spans:
    """The dates of the three spans on this DataSet, and what beside dates tells their samples apart.

    Args:
        dataset: The symbols to train on; the split's fractions are of their timestamps.
        split: What is asked for.
        validation: Another DataSet, whose samples are to be the out-of-sample ones.

    Raises:
        SamplesError: A span that was asked for has no dates, symbols cannot be held out, or the other DataSet
            has the very samples that train the weights.

    Warns:
        DLPluginWarning: Out-of-sample samples are drawn, or have the dates that train the weights.
    """
    refuse_no_dataset(dataset)
    chosen = chosen_validation(split, dataset, validation)
    spans = resolve(split, dates_of(dataset), chosen)
    if spans.shared_dates:
        if validation is not None:
            refuse_training_symbols(dataset, validation)
        drawn = chosen.kind == "random"
        why = "" if drawn else ", and symbols move together on the same days"
        instead = (
            "leave random= out to choose by dates" if drawn else "give out_of_sample= a share of the dates"
        )
        warnings.warn(
            f"{spans.note}{why}, so their loss flatters the model; {instead}", DLPluginWarning, stacklevel=2
        )
    return spans


def build_samples(
    definition: Definition,
    dataset: DataSet,
    spans: Spans,
    scaling: tuple[Scaling, Scaling] | None = None,
    half_life: float | None = None,
    uniqueness: bool = False,
    validation: DataSet | None = None,
) -> Samples:
    """Computes inputs and outputs, finds the samples of each span and scales them.

    Args:
        definition: Inputs, outputs and the engine's layout.
        dataset: The symbols to pool.
        spans: From `resolve_split`, or from a stored run.
        scaling: Of inputs and outputs, from a stored run; fitted on the in-sample rows when not given.
        half_life: Dates after which an older in-sample sample counts half; None lets all count alike.
        uniqueness: Whether an in-sample sample counts less the more other look aheads overlap its own.
        validation: The other DataSet whose samples are out of sample, as given to `resolve_split`; other
            symbols that its inputs read and it does not have come from `dataset`.

    Raises:
        SamplesError: The in-sample span has no samples, or none of some class, or the DataSet lacks a
            symbol that is read.
    """
    fitted = scaling is None
    parts = symbol_parts(definition, dataset, spans, validation)
    if scaling is None:
        scaling = _fit(definition, parts, spans["in-sample"].end)
    samples = stack(definition, spans, parts, scaling)
    if fitted:
        refuse_empty_classes(samples.balance)
    if half_life is None and not uniqueness:
        return samples
    inside = samples.rows["in-sample"]
    unique = average_uniqueness(inside, len(samples.times), definition.look_ahead)
    weights = sample_weights(unique, samples.times[inside], dates_of(dataset), half_life, uniqueness)
    return replace(samples, weights=weights, effective=effective_size(unique, weights))


def stack(
    definition: Definition, spans: Spans, parts: list[SymbolPart], scaling: tuple[Scaling, Scaling]
) -> Samples:
    """The parts of all symbols below each other, scaled; all in-sample samples count alike.

    Args:
        definition: Inputs, outputs and the engine's layout.
        spans: The resolved dates.
        parts: One at least, all with the same spans.
        scaling: Of inputs and outputs.
    """
    input_scaling, output_scaling = scaling
    rows = {name: stacked(parts, name) for name in parts[0].standing}
    times = np.concatenate([part.times for part in parts])
    unique = average_uniqueness(rows["in-sample"], len(times), definition.look_ahead)
    return Samples(
        definition=definition,
        spans=spans,
        symbols=tuple(part.symbol for part in parts),
        owner=np.repeat(np.arange(len(parts)), [len(part.times) for part in parts]),
        times=times,
        matrix=np.concatenate([input_scaling.of(part.symbol).apply(part.inputs) for part in parts]),
        targets=np.concatenate(
            [targets_of(definition, output_scaling.of(part.symbol), part.outputs) for part in parts]
        ),
        actual=np.concatenate([part.outputs for part in parts]),
        price=np.concatenate([part.price for part in parts]),
        rows=rows,
        weights=None,
        effective=effective_size(unique, None),
        counts={name: _count(parts, name, len(rows[name])) for name in rows},
        layout=row_layout(definition),
        input_scaling=input_scaling,
        output_scaling=output_scaling,
        statistics=statistics_of(definition, parts),
    )


def stacked(parts: list[SymbolPart], span: str, dropped: bool = False) -> IntArray:
    """(S,) the stacked bars that are the samples of a span, or with those of a dropped class."""
    starts = np.cumsum([0, *(len(part.times) for part in parts)])
    masks = [
        (part.known | part.dropped if dropped else part.known) & (part.standing[span] >= 0) for part in parts
    ]
    rows = [start + np.flatnonzero(mask) for start, mask in zip(starts, masks, strict=False)]
    return np.concatenate(rows).astype(np.int64)


def _fit(definition: Definition, parts: list[SymbolPart], end: pd.Timestamp) -> tuple[Scaling, Scaling]:
    training = [part for part in parts if part.trains]
    chosen = {part.symbol: part.samples("in-sample") for part in training}
    if not any(mask.any() for mask in chosen.values()):
        refuse_valueless(definition, parts)
        refuse_all_dropped(definition, training)
        longest = max(training, key=lambda part: len(part.times))
        raise SamplesError(f"the in-sample span has no samples: {why_none(definition, longest, end)}")
    columns = [definition.inputs[index] for index in matrix_columns(definition).input]
    refuse_unscalable([*columns, *definition.outputs], parts)
    refuse_uncategorised(definition, [symbol for symbol, mask in chosen.items() if mask.any()])
    return (
        fit_scaling(columns, {part.symbol: part.inputs[chosen[part.symbol]] for part in training}),
        fit_scaling(
            definition.outputs, {part.symbol: part.outputs[chosen[part.symbol]] for part in training}
        ),
    )


def _count(parts: list[SymbolPart], name: str, samples: int) -> SpanCount:
    def total(which: Callable[[SymbolPart], NDArray[np.bool_]]) -> int:
        return sum(int(which(part).sum()) for part in parts)

    return SpanCount(
        samples,
        purged=total(lambda part: part.known & (part.standing[name] == PURGED)),
        embargoed=total(lambda part: part.known & (part.standing[name] == EMBARGOED)),
        dropped=total(lambda part: part.dropped & (part.standing[name] >= 0)),
    )
