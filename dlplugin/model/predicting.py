"""From checked bars to a table of predictions, and what predicts with the weights that are stored now."""

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from dlplugin.bars import DataSet, check_bars
from dlplugin.bars.spacing import interval_of
from dlplugin.definition import Definition
from dlplugin.errors import DLPluginWarning
from dlplugin.store import RunFolder, VersionFolder

if TYPE_CHECKING:
    from dlplugin.prediction import Predictor

__all__ = ["PredictorOf", "predict_bars"]

FEW_BARS = 10  # do not tell how far apart bars are
STACK = 3  # whoever called `Model.predict`


class PredictorOf:
    """The predictor of what a model predicts with, made again only when the weights are others."""

    def __init__(self, definition: Definition) -> None:
        self._definition = definition
        self._made: dict[tuple[Path, int], Predictor] = {}

    def __call__(self, source: RunFolder | VersionFolder) -> "Predictor":
        """What predicts with the weights of a run or a version.

        Raises:
            DamagedModelError: A file of it is missing or damaged.
        """
        weights = source.weights_file
        written = weights.stat().st_mtime_ns if weights.exists() else 0  # a run that goes on replaces it
        key = (weights, written)
        if key not in self._made:
            self._made = {key: self._make(source)}
        return self._made[key]

    def _make(self, source: RunFolder | VersionFolder) -> "Predictor":
        from dlplugin.prediction import Predictor  # torch: 1 s that only predicting should pay

        trained = source.read_trained()
        return Predictor(
            self._definition,
            trained.input_scaling,
            trained.output_scaling,
            trained.weights,
            trained.class_loss,
        )


def predict_bars(
    predictor: "Predictor",
    interval: str,
    bars: pd.DataFrame,
    symbol: str | None,
    others: Mapping[str, pd.DataFrame] | DataSet | None,
) -> pd.DataFrame:
    """Predictions at each bar; see `Model.predict`.

    Args:
        predictor: What predicts.
        interval: Of the bars that it was trained on.
        bars: A symbol's history.
        symbol: Its name.
        others: The histories of other symbols that inputs read.

    Raises:
        BarsError: The bars cannot be used, or another symbol's are missing.

    Warns:
        DLPluginWarning: The bars are of another interval, or too few for steady inputs.
    """
    definition = predictor.definition
    checked = check_bars(bars, symbol or "bars")
    if len(checked) > FEW_BARS and (given := interval_of(pd.DatetimeIndex(checked.index))) != interval:
        warnings.warn(
            f"the bars are {given} apart, but {definition.name!r} was trained on {interval}",
            DLPluginWarning,
            stacklevel=STACK,
        )
    read = {
        name: check_bars(others[name], name)
        for name in definition.input_others
        if others is not None and name in others
    }
    if len(checked) < definition.steady_bars:
        warnings.warn(
            f"{len(checked)} bars are too short a history for steady inputs of {definition.name!r}: they differ from "
            f"those of a longer one until bar {definition.steady_bars}",
            DLPluginWarning,
            stacklevel=STACK,
        )
    predicted = predictor.predict(checked, symbol, read)
    return pd.DataFrame(predicted, index=checked.index, columns=list(predictor.columns))
