"""Why there is nothing to train on, or nothing that could be scaled: each with what would help."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dlplugin.definition import Definition, Input, Output
from dlplugin.errors import SamplesError
from dlplugin.samples.parts import SymbolPart

__all__ = [
    "refuse_all_dropped",
    "refuse_uncategorised",
    "refuse_unscalable",
    "refuse_valueless",
    "why_none",
]

FloatArray = NDArray[np.float64]


def why_none(definition: Definition, longest: SymbolPart, end: pd.Timestamp) -> str:
    """Too few bars, or too few before the span ends."""
    depth = max(item.reach for item in definition.inputs) + 1
    warm_up = definition.bars_needed - depth
    needed, count = definition.bars_needed + definition.look_ahead, len(longest.times)
    needs = f"depth {depth}, warm-up {warm_up} and look ahead {definition.look_ahead} need {needed}"
    before = int(np.searchsorted(longest.times, end.to_datetime64(), side="right"))
    if before < needed <= count:
        first = pd.Timestamp(longest.times[needed - 1])
        return (
            f"it ends {end:%Y-%m-%d}, after {before} bars of {longest.symbol}, and {needs}; end it {first:%Y-%m-%d} "
            "at the earliest (in_sample_end or in_sample), or shorten the depth"
        )
    has = f"{longest.symbol} has {count} bars"
    return f"{has}, and {needs} before the span ends; load more history or shorten the depth"


def refuse_unscalable(columns: Sequence[Input | Output], parts: list[SymbolPart]) -> None:
    """A symbol that trains nothing has no scaling of its own."""
    training = {part.symbol for part in parts if part.trains}
    for column in columns:
        for part in parts:
            if not column.pooled and part.symbol not in training:
                raise SamplesError(
                    f"{column.name!r} is scaled by symbol (pooled=False), but {part.symbol} is out of sample only, "
                    "and so has no scaling; use pooled=True"
                )


def refuse_uncategorised(definition: Definition, symbols: Sequence[str]) -> None:
    """A symbol that trains the weights is one that the model knows by its name."""
    for item in definition.inputs:
        for symbol in symbols:
            if item.is_symbol and symbol not in (item.categories or ()):
                raise SamplesError(
                    f"{symbol} trains the weights, but is none of the categories of {item.name!r}; give "
                    "categories=dataset.symbols, or leave it out of the DataSet"
                )


def refuse_valueless(definition: Definition, parts: list[SymbolPart]) -> None:
    """A column that is never a number is the expression's fault, not the history's."""
    columns: list[tuple[Sequence[Input | Output], list[FloatArray]]] = [
        (definition.inputs, [part.values for part in parts]),
        (definition.outputs, [part.outputs for part in parts]),
    ]
    for items, matrices in columns:
        for index, item in enumerate(items):
            if not any(np.isfinite(matrix[:, index]).any() for matrix in matrices):
                symbols = ", ".join(part.symbol for part in parts[:5])
                raise SamplesError(
                    f"{item.name!r} has no value on any bar of {symbols}; check the expression"
                )


def refuse_all_dropped(definition: Definition, parts: list[SymbolPart]) -> None:
    """Where every value falls into a class that is left out, thresholds are wrong, and not the history."""
    dropped = sum(int((part.dropped & (part.standing["in-sample"] >= 0)).sum()) for part in parts)
    if dropped:
        names = ", ".join(repr(output.name) for output in definition.outputs)
        raise SamplesError(
            f"all {dropped:,} in-sample samples fall into the dropped class of {names}; move the thresholds"
        )
