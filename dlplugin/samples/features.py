"""Definition and bars to columns: the one place where inputs are computed, for training and prediction."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dlplugin.definition import Definition
from dlplugin.errors import PredictionError
from dlplugin.indicators import Indicator, compute_columns

__all__ = [
    "MatrixColumns",
    "RowLayout",
    "input_matrix",
    "input_values",
    "known_inputs",
    "matrix_columns",
    "output_matrix",
    "row_layout",
    "symbol_values",
    "with_symbol",
]

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class MatrixColumns:
    """What the columns of the (T, F) matrix are: an input's values, or one of its categories.

    Attributes:
        input: (F,) the input each column belongs to.
        category: (F,) the category whose 0 or 1 the column is, a symbol's by its place among the
            categories; NaN where it is the value itself.
    """

    input: IntArray
    category: FloatArray

    def of(self, values: FloatArray) -> FloatArray:
        """(..., I) values of the inputs to (..., F): 1 where a value is the category, NaN where it is NaN."""
        plain = np.isnan(self.category)
        if plain.all():
            return values
        columns: FloatArray = values[..., self.input]
        return np.where(plain | np.isnan(columns), columns, columns == self.category)


def matrix_columns(definition: Definition) -> MatrixColumns:
    """The matrix's columns, input by input, the categories of one in their own order."""
    pairs = [
        (index, category)
        for index, item in enumerate(definition.inputs)
        for category in (item.labels or (np.nan,))
    ]
    return MatrixColumns(
        np.array([index for index, _ in pairs]), np.array([category for _, category in pairs])
    )


@dataclass(frozen=True)
class RowLayout:
    """Which cells of the (T, F) matrix make the row of bar t.

    Attributes:
        back: (D,) how many bars before t each cell lies.
        column: (D,) the column of the matrix that it is in.
        shape: (D,) for engines that read flat rows; (W, F), oldest bar first, for windows.
    """

    back: IntArray
    column: IntArray
    shape: tuple[int, ...]


def row_layout(definition: Definition) -> RowLayout:
    """How the definition's engine reads its rows.

    Flat: input by input, each from the newest value to the oldest. Window: bar by bar, the oldest
    first, with all inputs of a bar side by side. The categories of one bar stand side by side in both.
    The row's own symbol stands in every bar of a window.
    """
    inputs = definition.inputs
    columns = matrix_columns(definition).input
    if definition.spec.layout == "flat":
        cells = [
            (step * item.increment, column)
            for index, item in enumerate(inputs)
            for step in range(item.depth)
            for column in np.flatnonzero(columns == index).tolist()
        ]
        return RowLayout(
            np.array([back for back, _ in cells]), np.array([column for _, column in cells]), (len(cells),)
        )
    depth, increment = definition.window
    steps = np.arange(depth - 1, -1, -1) * increment
    return RowLayout(
        np.repeat(steps, len(columns)), np.tile(np.arange(len(columns)), depth), (depth, len(columns))
    )


def input_matrix(
    definition: Definition,
    bars: pd.DataFrame,
    others: Mapping[str, pd.DataFrame] | None = None,
    symbol: str | None = None,
) -> FloatArray:
    """The columns that the inputs of one symbol make, without depth and unscaled.

    Args:
        definition: Gives the indicators and their categories.
        bars: T bars of the symbol.
        others: The bars of `definition.input_others`.
        symbol: Whose bars they are; needed where that is an input.

    Returns:
        (T, F); row t is known at the close of bar t; NaN while an indicator warms up.

    Raises:
        PredictionError: The symbol is an input, and is not given.
    """
    return matrix_columns(definition).of(input_values(definition, bars, others, symbol))


def input_values(
    definition: Definition,
    bars: pd.DataFrame,
    others: Mapping[str, pd.DataFrame] | None = None,
    symbol: str | None = None,
) -> FloatArray:
    """The inputs of one symbol, each as its indicator gives it: (T, I), as `input_matrix` otherwise."""
    own = symbol_values(definition, symbol)
    return with_symbol(compute_columns(definition.indicators, bars, others), own)


def symbol_values(definition: Definition, symbol: str | None) -> FloatArray:
    """What the row's own symbol is as an input, the same on every bar.

    Returns:
        (I,) its place among the categories, −1 where it is none of them; NaN for all other inputs.

    Raises:
        PredictionError: The symbol is an input, and is not given.
    """
    own = np.full(len(definition.inputs), np.nan)
    for index, item in enumerate(definition.inputs):
        if not item.is_symbol:
            continue
        if symbol is None:
            raise PredictionError(
                f"{definition.name!r} has the input 'symbol' and must know whose bars these are; give symbol=, such as "
                "symbol='AAPL', or in backtrader the feed's name: dl.feed(bars, 'AAPL')"
            )
        categories = item.categories or ()
        own[index] = categories.index(symbol) if symbol in categories else -1.0
    return own


def with_symbol(values: FloatArray, own: FloatArray) -> FloatArray:
    """(..., indicators) values, and (I,) from `symbol_values`, to the (..., I) of all inputs."""
    indicators = np.isnan(own)
    if indicators.all():
        return values
    whole = np.broadcast_to(own, (*values.shape[:-1], len(own))).copy()
    whole[..., indicators] = values
    return whole


def output_matrix(
    definition: Definition, bars: pd.DataFrame, others: Mapping[str, pd.DataFrame] | None = None
) -> FloatArray:
    """What came: each output's indicator, look_ahead bars after t.

    Args:
        definition: Gives the indicators.
        bars: T bars of the symbol.
        others: The bars of `definition.others`.

    Returns:
        (T, O); row t is known only at the close of bar t + look_ahead; NaN where that bar is not there.
    """
    indicators = [Indicator(output.indicator) for output in definition.outputs]
    values = compute_columns(indicators, bars, others)
    came = np.full_like(values, np.nan)
    for index, output in enumerate(definition.outputs):
        ahead = output.look_ahead
        came[: max(len(values) - ahead, 0), index] = values[ahead:, index]
    return came


def known_inputs(definition: Definition, matrix: FloatArray) -> BoolArray:
    """The bars whose inputs are all known, to their full depths.

    Args:
        definition: Gives depths and increments.
        matrix: (T, F) of one symbol, from `input_matrix`.

    Returns:
        (T,) true where every cell of the bar's row is a number.
    """
    finite = np.isfinite(matrix)
    known = np.ones(len(matrix), dtype=bool)
    for index, column in enumerate(matrix_columns(definition).input):
        item = definition.inputs[column]
        for step in range(item.depth):
            back = step * item.increment
            if back:
                known[back:] &= finite[:-back, index]
                known[:back] = False
            else:
                known &= finite[:, index]
    return known
