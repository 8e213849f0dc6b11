"""What anybody could have known: regressions on features that cannot look ahead.

The features are made here, from prices, from the output's own earlier values, and from those inputs that
read nothing but prices and volume through functions that ship with dlplugin.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dlplugin.bars import DataSet
from dlplugin.evaluation.audit.subject import PRICES, Subject, price_of
from dlplugin.indicators import Indicator
from dlplugin.samples import matrix_columns
from dlplugin.samples.parts import SymbolPart

__all__ = ["Reference", "r_squared", "reference_of"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

OWN_LAGS = (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 15, 20)  # of the output, in bars
PRICE_LAGS = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 15, 20, 25, 30, 40, 50, 60, 80, 100, 120)
WINDOWS = (5, 20, 60)  # of absolute returns, in bars
PENALTIES = (1e-6, 1e-2)  # of ridge, as shares of the samples
MOST_SAMPLES = 20_000


@dataclass(frozen=True)
class Reference:
    """Features of stacked bars, standardised over in-sample rows; 0 where one is not known.

    Attributes:
        rows: (S,) the stacked bars, sorted.
        features: (S, P).
        groups: Columns of nested sets of features, the smallest first.
    """

    rows: IntArray
    features: FloatArray
    groups: tuple[IntArray, ...]

    def of(self, rows: IntArray) -> FloatArray:
        """(S', P) features of some of the bars."""
        return self.features[np.searchsorted(self.rows, rows)]

    def predictions(self, fitted: IntArray, targets: FloatArray, judged: IntArray) -> list[FloatArray]:
        """What regressions on each set of features predict.

        Args:
            fitted: (S,) bars that the regressions are fitted on.
            targets: (S, C) what came.
            judged: (S',) bars to predict at.

        Returns:
            (S', C) each; the mean alone is the first.
        """
        center = targets.mean(axis=0)
        found = [np.broadcast_to(center, (len(judged), targets.shape[1]))]
        for group in self.groups:
            known, asked = self.of(fitted)[:, group], self.of(judged)[:, group]
            mean = known.mean(axis=0)
            moments, product = (known - mean).T @ (known - mean), (known - mean).T @ (targets - center)
            for penalty in PENALTIES:
                ridge = moments + (penalty * len(known) + 1e-9) * np.eye(len(group))
                found.append(center + (asked - mean) @ np.linalg.solve(ridge, product))
        return found


def reference_of(subject: Subject, output: int, rows: IntArray) -> Reference:
    """The features for one output at some stacked bars, standardised over all of them."""
    rows = np.sort(rows)
    pieces, starts = [], np.cumsum([0, *(len(part.times) for part in subject.parts)])
    maker = _Maker(subject)
    counts: tuple[int, ...] = ()
    for place, part in enumerate(subject.parts):
        mine = rows[(rows >= starts[place]) & (rows < starts[place + 1])] - starts[place]
        if len(mine):
            groups = maker.features(part, place, output)
            counts = tuple(group.shape[1] for group in groups)
            pieces.append(np.column_stack(groups)[mine])
    features = np.concatenate(pieces)
    with np.errstate(invalid="ignore"):
        known = np.isfinite(features)
        count = np.maximum(known.sum(axis=0), 1)
        mean = np.where(known, features, 0).sum(axis=0) / count
        spread = np.sqrt(np.where(known, np.square(features - mean), 0).sum(axis=0) / count)
        unit = (features - mean) / np.where(spread > 1e-12 * np.abs(mean), spread, np.inf)
    ends = np.cumsum(counts)
    nested = tuple(np.arange(end) for end in ends)
    return Reference(rows, np.clip(np.where(known, unit, 0.0), -20, 20), nested)


@dataclass(frozen=True)
class _Maker:
    subject: Subject

    @cached_property
    def trusted(self) -> IntArray:
        """Columns of the matrix whose inputs cannot look ahead."""
        good = []
        for item in self.subject.definition.inputs:
            indicator = None if item.is_symbol else Indicator(item.indicator)
            good.append(
                indicator is None
                or not (
                    indicator.own_functions
                    or indicator.columns - set(PRICES)
                    or any(indicator.columns_of(name) - set(PRICES) for name in indicator.others)
                )
            )
        return np.flatnonzero(np.array(good)[matrix_columns(self.subject.definition).input])

    def bars(self, place: int) -> pd.DataFrame:
        symbol, count = self.subject.parts[place].symbol, len(self.subject.dataset.symbols)
        source: DataSet = self.subject.dataset
        if place >= count and self.subject.validation is not None:
            source = self.subject.validation
        return source[symbol]

    def features(self, part: SymbolPart, place: int, output: int) -> list[FloatArray]:
        """(T, ...) what each set of features adds to those before it."""
        ahead = self.subject.definition.outputs[output].look_ahead
        own = _moved(part.outputs[:, output], ahead)
        bars = self.bars(place)
        price = price_of(bars)
        level = np.log(np.where(price > 0, price, np.nan))
        moves = pd.Series(np.abs(np.diff(level, prepend=np.nan)))
        with np.errstate(divide="ignore", invalid="ignore"):
            ranges = np.log(bars["high"].to_numpy() / bars["low"].to_numpy())
            volume = np.log1p(np.maximum(bars["volume"].to_numpy(dtype=np.float64), 0))
        sizes = [moves.rolling(window).mean().to_numpy() for window in WINDOWS]
        rest = [level, ranges, moves.to_numpy(), *sizes, volume, volume - _moved(volume, 20)]
        return [
            own[:, None],
            np.column_stack([_moved(own, lag) for lag in OWN_LAGS[1:]]),
            np.column_stack([level - _moved(level, lag) for lag in PRICE_LAGS]),
            np.column_stack([*rest, part.inputs[:, self.trusted]]),
        ]


def r_squared(predicted: FloatArray, actual: FloatArray, mean: float) -> float:
    """Share of the squared error of a mean that is gone; NaN where there is none."""
    total = float(np.square(actual - mean).mean()) if len(actual) else 0.0
    return 1.0 - float(np.square(actual - predicted).mean()) / total if total > 0 else float("nan")


def _moved(values: FloatArray, bars: int) -> FloatArray:
    """(T,) the value so many bars before."""
    moved = np.full(len(values), np.nan)
    moved[bars:] = values[: len(values) - bars] if bars else values
    return moved
