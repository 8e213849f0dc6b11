"""What an input is in a row: its cells, at all its depths; and rows that are changed before they are predicted."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dlplugin.definition import Definition
from dlplugin.errors import DefinitionError, SamplesError, UnknownNameError
from dlplugin.evaluation.values import FloatArray, days_overlapped
from dlplugin.registry import did_you_mean
from dlplugin.samples import Samples, matrix_columns

if TYPE_CHECKING:
    from dlplugin.prediction import Predictor

__all__ = [
    "Judged",
    "cells_of",
    "input_labels",
    "judged",
    "named",
    "output_units",
    "overlap_of",
    "predict_changed",
    "read_cells",
    "whole_number",
]

IntArray = NDArray[np.int64]
Cells = NDArray[np.float32]
Change = Callable[[Cells, slice], None]

SPANS = ("in-sample", "out-of-sample")
CELLS_AT_ONCE = 2**22  # 16 MiB of float32
FEWEST_ROWS = 256


@dataclass(frozen=True, eq=False)
class Judged:
    """The samples that are looked at.

    Attributes:
        span: Its name.
        rows: (S,) stacked bars, ordered by time, then symbol.
        times: (S,) datetime64, bar t of each.
    """

    span: str
    rows: IntArray
    times: NDArray[np.datetime64]

    @property
    def extent(self) -> tuple[pd.Timestamp, pd.Timestamp]:
        """Bar t of the first and of the last sample."""
        return pd.Timestamp(self.times.min()), pd.Timestamp(self.times.max())

    @property
    def days(self) -> int:
        """Calendar days with a sample."""
        return len(np.unique(self.times.astype("datetime64[D]")))


def judged(samples: Samples, span: str) -> Judged:
    """The samples of one span; those of the holdout stay closed.

    Raises:
        DefinitionError: It is the holdout, or no span's name.
        SamplesError: It has no samples.
    """
    if span == "holdout":
        raise DefinitionError(
            "span is 'holdout', which stays closed until it is opened by open_holdout(); use 'out-of-sample'"
        )
    if span not in SPANS:
        raise DefinitionError(f"span is {span!r}, but must be 'out-of-sample' or 'in-sample'")
    rows = samples.rows.get(span, np.empty(0, dtype=np.int64))
    if not len(rows):
        other = "; use span='in-sample'" if span == "out-of-sample" else ""
        raise SamplesError(f"there are no {span} samples{other}")
    rows = rows[np.lexsort((samples.owner[rows], samples.times[rows]))]
    return Judged(span, rows, samples.times[rows])


def overlap_of(samples: Samples, chosen: Judged, look_ahead: int) -> int:
    """Over how many days one output goes, on all bars of these dates; see `mean_with_error`."""
    there = (samples.times >= chosen.times.min()) & (samples.times <= chosen.times.max())
    return days_overlapped(samples.times[there], samples.owner[there], look_ahead)


def input_labels(definition: Definition) -> tuple[str, ...]:
    """The inputs' names; those that share one are numbered in their order.

    Two inputs `RSI(14)` are `RSI(14) #1` and `RSI(14) #2`.
    """
    names = [item.name for item in definition.inputs]
    shared = {name for name, count in Counter(names).items() if count > 1}
    met: Counter[str] = Counter()
    labels = []
    for name in names:
        met[name] += 1
        labels.append(f"{name} #{met[name]}" if name in shared else name)
    return tuple(labels)


def named(kind: str, given: int | str, names: tuple[str, ...]) -> int:
    """The position of an input, output or class that is given by name or position.

    Raises:
        UnknownNameError: Nothing goes by the name.
        DefinitionError: There is no such position.
    """
    if isinstance(given, str):
        if given not in names:
            hint = did_you_mean(given, names) or ";"
            raise UnknownNameError(f"unknown {kind} {given!r}{hint} there are: {', '.join(names)}")
        return names.index(given)
    if isinstance(given, bool) or not isinstance(given, int) or not 0 <= given < len(names):
        raise DefinitionError(
            f"{kind} is {given!r}, but must be a name, or a number from 0 to {len(names) - 1}"
        )
    return given


def whole_number(name: str, value: object, fewest: int) -> int:
    """A count that a user gave.

    Raises:
        DefinitionError: It is no whole number, or too small.
    """
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < fewest:
        raise DefinitionError(f"{name} is {value!r}, but must be a whole number from {fewest}")
    return int(value)


def cells_of(samples: Samples, inputs: tuple[int, ...]) -> IntArray:
    """Which of the D cells of a row belong to these inputs, at all depths and for all their categories."""
    owner = matrix_columns(samples.definition).input[samples.layout.column]
    return np.flatnonzero(np.isin(owner, inputs))


def read_cells(samples: Samples, rows: IntArray, cells: IntArray | None = None) -> Cells:
    """(S, D) scaled inputs of rows, or only the chosen cells."""
    layout = samples.layout
    chosen = slice(None) if cells is None else cells
    read: Cells = samples.matrix[rows[:, None] - layout.back[chosen], layout.column[chosen]]
    return read


def predict_changed(
    predictor: "Predictor", samples: Samples, rows: IntArray, change: Change | None = None
) -> FloatArray:
    """Predictions of rows after a change; some thousand of them are in memory at a time.

    Args:
        predictor: Of the trained model.
        samples: Scaled as its training scaled them.
        rows: (S,).
        change: Given (B, D) cells, to be changed in place, and which of the rows they are.

    Returns:
        (S, P) as `Predictor.predict_given`.
    """
    predicted = np.empty((len(rows), len(predictor.columns)))
    for part in _parts(len(rows), len(samples.layout.back)):
        cells = read_cells(samples, rows[part])
        if change is not None:
            change(cells, part)
        predicted[part] = predictor.predict_given(cells.reshape(-1, *samples.layout.shape))
    return predicted


def output_units(samples: Samples, rows: IntArray, output: int) -> tuple[FloatArray, FloatArray]:
    """(S,) what each sample's output is reduced by, and divided by after that, in the output's unit."""
    scaling = samples.output_scaling
    groups = np.zeros(len(samples.symbols), dtype=np.int64)
    if scaling.symbols:
        groups = np.array([scaling.symbols.index(symbol) for symbol in samples.symbols])
    own = groups[samples.owner[rows]]
    return scaling.center[own, output], scaling.scale[own, output]


def _parts(count: int, width: int) -> Iterator[slice]:
    at_once = max(FEWEST_ROWS, CELLS_AT_ONCE // max(width, 1))
    for start in range(0, count, at_once):
        yield slice(start, min(start + at_once, count))
