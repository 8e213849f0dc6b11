"""What one symbol's bars give: inputs, outputs, and how its samples stand to each span."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dlplugin.bars import BUNDLED, DataSet
from dlplugin.definition import Definition
from dlplugin.errors import SamplesError
from dlplugin.samples.features import (
    FloatArray,
    input_values,
    known_inputs,
    matrix_columns,
    output_matrix,
)
from dlplugin.samples.spans import Spans, standing
from dlplugin.samples.validation import refuse_unfit_dataset

__all__ = ["SymbolPart", "dates_of", "refuse_no_dataset", "refuse_other_dataset", "symbol_parts"]


@dataclass(frozen=True)
class SymbolPart:
    """The bars of one symbol, as columns.

    Attributes:
        symbol: Which.
        trains: Whether it has in-sample samples.
        times: (T,) of its bars.
        values: (T, I) the inputs as their indicators give them.
        inputs: (T, F) the columns of the matrix.
        outputs: (T, O) what came.
        price: (T,) adj_close where the bars have one, else the close.
        known: (T,) true where inputs and outputs are all known, and not all outputs are in a dropped class.
        dropped: (T,) true where inputs and outputs are all known, but all outputs are in a dropped class.
        standing: Span name to (T,), as `standing` gives it.
    """

    symbol: str
    trains: bool
    times: NDArray[np.datetime64]
    values: FloatArray
    inputs: FloatArray
    outputs: FloatArray
    price: FloatArray
    known: NDArray[np.bool_]
    dropped: NDArray[np.bool_]
    standing: dict[str, NDArray[np.int8]]

    def samples(self, span: str) -> NDArray[np.bool_]:
        """(T,) its samples in a span."""
        return self.known & (self.standing[span] >= 0)


def symbol_parts(
    definition: Definition, dataset: DataSet, spans: Spans, validation: DataSet | None
) -> list[SymbolPart]:
    """What each symbol gives, in the order in which they are stacked.

    Args:
        definition: Inputs, outputs and the engine's layout.
        dataset: The symbols to train on.
        spans: The resolved dates.
        validation: The DataSet whose samples are out of sample; its symbols come last.

    Raises:
        SamplesError: A DataSet lacks a symbol that is read, or the other one does not belong here.
    """
    refuse_no_dataset(dataset)
    refuse_other_dataset(dataset, spans, validation)
    parts = _parts(definition, dataset, spans, False, _others(definition, dataset))
    if validation is not None:
        parts += _parts(definition, validation, spans, True, _others(definition, validation, dataset))
    return parts


def dates_of(dataset: DataSet) -> NDArray[np.datetime64]:
    """The sorted union of all timestamps."""
    return np.unique(np.concatenate([_times(dataset[symbol]) for symbol in dataset.symbols]))


def refuse_no_dataset(dataset: object) -> None:
    """A DataSet is what samples are built from.

    Raises:
        SamplesError: It is something else.
    """
    if isinstance(dataset, str) and dataset in BUNDLED:
        raise SamplesError(f"the dataset is {dataset!r}, a name; give dl.DataSet.bundled({dataset!r})")
    if isinstance(dataset, str | Path):
        raise SamplesError(
            f"the dataset is {str(dataset)!r}; give a dl.DataSet, such as dl.DataSet.from_folder({str(dataset)!r})"
        )
    if not isinstance(dataset, DataSet):
        raise SamplesError(
            f"the dataset is a {type(dataset).__name__}; give a dl.DataSet, such as "
            "dl.DataSet.from_frames('mine', {'AAPL': frame})"
        )


def refuse_other_dataset(dataset: DataSet, spans: Spans, validation: DataSet | None) -> None:
    """Another DataSet is given when, and only when, the spans say that its samples are out of sample.

    Raises:
        SamplesError: It is not so, or the other one has bars of another interval.
    """
    if validation is not None:
        refuse_unfit_dataset(dataset, validation)
    named = spans.validation
    if named.kind == "dataset" and validation is None:
        raise SamplesError(
            f"the out-of-sample samples are those of DataSet {named.dataset!r} ({', '.join(named.symbols)}); give it "
            "as validation="
        )
    if named.kind != "dataset" and validation is not None:
        raise SamplesError(
            f"validation is DataSet {validation.name!r}, but out-of-sample samples were chosen {named}; leave it out"
        )


def _others(
    definition: Definition, dataset: DataSet, fallback: DataSet | None = None
) -> dict[str, pd.DataFrame]:
    """The bars of the other symbols that are read: the DataSet's own, else those of the fallback."""
    found = {}
    for symbol in definition.others:
        if symbol in dataset:
            found[symbol] = dataset[symbol]
        elif fallback is not None and symbol in fallback:
            found[symbol] = fallback[symbol]
        else:
            raise SamplesError(
                f"{definition.name} reads {symbol}, which DataSet {dataset.name!r} does not have; add its bars, for "
                "example with dl.DataSet.union"
            )
    return found


def _parts(
    definition: Definition,
    dataset: DataSet,
    spans: Spans,
    other: bool,
    others: Mapping[str, pd.DataFrame],
) -> list[SymbolPart]:
    """The symbols of the DataSet to train on, or of the other one."""
    return [_part(definition, dataset[symbol], symbol, spans, other, others) for symbol in dataset.symbols]


def _part(
    definition: Definition,
    bars: pd.DataFrame,
    symbol: str,
    spans: Spans,
    other: bool,
    others: Mapping[str, pd.DataFrame],
) -> SymbolPart:
    values = input_values(definition, bars, others, symbol)
    inputs = matrix_columns(definition).of(values)
    outputs = output_matrix(definition, bars, others)
    known = known_inputs(definition, inputs) & np.isfinite(outputs).all(axis=1)
    dropped = np.zeros(len(known), dtype=bool)
    if all(output.drop is not None for output in definition.outputs):
        kept = [output.classify(outputs[:, index]) for index, output in enumerate(definition.outputs)]
        dropped = known & np.isnan(kept).all(axis=0)
        known &= ~dropped
    times = _times(bars)
    found = standing(spans, symbol, times, definition.look_ahead, other)
    trains = spans.validation.trains(symbol, other)
    price = bars["adj_close" if "adj_close" in bars else "close"].to_numpy(dtype=np.float64)
    return SymbolPart(symbol, trains, times, values, inputs, outputs, price, known, dropped, found)


def _times(bars: pd.DataFrame) -> NDArray[np.datetime64]:
    return bars.index.to_numpy(dtype="datetime64[ns]")
