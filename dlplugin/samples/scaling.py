"""Scaling fitted in float64 on in-sample rows only."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlplugin.definition import Input, Output
from dlplugin.errors import PredictionError, SamplesError

__all__ = ["ColumnScaling", "Scaling", "fit_scaling"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class ColumnScaling:
    """The scaling of the columns of one symbol.

    Attributes:
        center: (F,) subtracted, in the column's unit.
        scale: (F,) divides after that, in the column's unit; never 0.
        clip: (F,) scaled values beyond ± this are set to it; infinite for none.
    """

    center: FloatArray
    scale: FloatArray
    clip: FloatArray

    def apply(self, values: FloatArray) -> NDArray[np.float32]:
        """(..., F) in the columns' units to scaled float32; NaN stays NaN."""
        scaled = (values - self.center) / self.scale
        return np.clip(scaled, -self.clip, self.clip).astype(np.float32)

    def invert(self, scaled: NDArray[np.floating[Any]]) -> FloatArray:
        """(..., F) scaled values back to the columns' own units, in float64."""
        return scaled.astype(np.float64) * self.scale + self.center


@dataclass(frozen=True)
class Scaling:
    """The fitted scaling of several columns.

    Attributes:
        symbols: The symbols with a scaling of their own; empty when every column is pooled.
        center: (G, F) with G = max(1, number of symbols); pooled columns repeat one value.
        scale: (G, F).
        clip: (F,).
    """

    symbols: tuple[str, ...]
    center: FloatArray
    scale: FloatArray
    clip: FloatArray

    def of(self, symbol: str | None) -> ColumnScaling:
        """The scaling to use on the bars of a symbol.

        Raises:
            PredictionError: Some column is scaled by symbol, and this one was not there in training.
        """
        group = 0
        if self.symbols:
            if symbol not in self.symbols:
                raise PredictionError(
                    f"the model is scaled by symbol and was trained on {_listed(self.symbols)}, not on {symbol!r}; "
                    "give symbol=, or train with pooled=True"
                )
            group = self.symbols.index(symbol)
        return ColumnScaling(self.center[group], self.scale[group], self.clip)

    @classmethod
    def none(cls, columns: int) -> "Scaling":
        """One that leaves every column as it is."""
        return cls((), np.zeros((1, columns)), np.ones((1, columns)), np.full(columns, np.inf))

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it; the numbers survive to the bit."""
        clip = [None if np.isinf(limit) else float(limit) for limit in self.clip]
        return {
            "symbols": list(self.symbols),
            "center": self.center.tolist(),
            "scale": self.scale.tolist(),
            "clip": clip,
        }

    @classmethod
    def from_dict(cls, plain: dict[str, Any]) -> "Scaling":
        """The scaling that `to_dict` wrote."""
        clip = [np.inf if limit is None else limit for limit in plain["clip"]]
        return cls(
            tuple(plain["symbols"]),
            np.array(plain["center"], dtype=np.float64),
            np.array(plain["scale"], dtype=np.float64),
            np.array(clip, dtype=np.float64),
        )


def fit_scaling(columns: Sequence[Input | Output], rows_by_symbol: dict[str, FloatArray]) -> Scaling:
    """Fits each column by its own method.

    Args:
        columns: The input or output of each of the F columns: their scaling, clip and pooled are
            used. Columns of categories stay 0 and 1, and classes are not scaled; the column of a symbol
            without in-sample rows is 0 for ever, since nothing is learned of what a 1 in it means.
        rows_by_symbol: For each symbol (S, F), the in-sample rows and nothing else.

    Raises:
        SamplesError: A symbol without in-sample rows has a column that is scaled by symbol.
    """
    pooled = np.concatenate(list(rows_by_symbol.values()))
    symbols = () if all(column.pooled for column in columns) else tuple(rows_by_symbol)
    fitted = np.empty((2, max(1, len(symbols)), len(columns)))
    for index, column in enumerate(columns):
        if column.pooled:
            fitted[:, :, index] = np.array(_fit(_method(column), pooled[:, index]))[:, None]
            continue
        for group, symbol in enumerate(symbols):
            rows = rows_by_symbol[symbol]
            if not len(rows):
                raise SamplesError(
                    f"{symbol} has no in-sample rows, so {column.name!r} cannot be scaled by symbol; "
                    "leave it out, or use pooled=True"
                )
            fitted[:, group, index] = _fit(_method(column), rows[:, index])
    clip = np.array([_clip(column, pooled[:, index]) for index, column in enumerate(columns)])
    return Scaling(symbols, fitted[0], fitted[1], clip)


def _method(column: Input | Output) -> str:
    labelled = column.categories if isinstance(column, Input) else column.classes
    return column.scaling if labelled is None else "none"


def _clip(column: Input | Output, values: FloatArray) -> float:
    if isinstance(column, Input) and column.is_symbol and not values.any():
        return 0.0
    return np.inf if column.clip is None else column.clip


def _fit(method: str, values: FloatArray) -> tuple[float, float]:
    """Center and scale of one column; a constant column is only centred."""
    if method == "none":
        return 0.0, 1.0
    if method == "standard":
        center, scale = float(values.mean()), float(values.std())
    elif method == "robust":
        low, middle, high = np.quantile(values, [0.25, 0.5, 0.75])
        # a column that is mostly one value, as candlestick patterns are, has no spread between quartiles
        center, scale = float(middle), float(high - low) or float(values.std())
    else:
        center, scale = float(values.min()), float(values.max() - values.min())
    return center, scale if scale > abs(center) * 1e-12 else 1.0


def _listed(names: Sequence[str], most: int = 5) -> str:
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"
