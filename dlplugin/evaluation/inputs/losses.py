"""The loss of each sample, from predictions in the unit of the losses."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dlplugin.evaluation.inputs.blocks import IntArray, output_units
from dlplugin.evaluation.values import FloatArray
from dlplugin.samples import Samples

if TYPE_CHECKING:
    from dlplugin.prediction import Predictor

__all__ = ["SampleLoss"]

LOWEST = float(np.finfo(np.float32).eps)  # a probability below it counts as it: the log loss stays finite


class SampleLoss:
    """What one output's predictions lose, sample by sample.

    Args:
        samples: What came.
        predictor: Tells where the output's columns are.
        rows: (S,) the samples.
        output: Its position.

    Attributes:
        name: "squared error" of numbers, divided by the training's scale as in the training curves;
            "pinball loss", the mean over an output's quantiles (Koenker and Bassett, 1978), divided
            likewise; "log loss" of the probabilities of classes, or "share of wrong classes" where there
            are only scores.
        known: (S,) false where the sample is of a dropped class.
    """

    def __init__(self, samples: Samples, predictor: "Predictor", rows: IntArray, output: int) -> None:
        described = samples.definition.outputs[output]
        self._levels = np.array(described.quantiles or ())
        self._classes = len(described.labels)
        self._first = predictor.first[output]
        came = samples.targets[rows, output].astype(np.float64)
        self.known: NDArray[np.bool_] = ~np.isnan(came)
        if self._classes:
            self._came = np.where(self.known, came, 0.0)
            self._probable = predictor.gives_probabilities
            self.name = "log loss" if self._probable else "share of wrong classes"
            return
        center, scale = output_units(samples, rows, output)
        self._came = (samples.actual[rows, output] - center) / scale
        self.name = "pinball loss" if len(self._levels) else "squared error"

    def __call__(self, predicted: FloatArray) -> FloatArray:
        """(S, P) predictions, numbers scaled, to (S,) losses: 0 where not known, NaN where a prediction failed."""
        losses = self._of_classes(predicted) if self._classes else self._of_numbers(predicted)
        return np.where(self.known, losses, 0.0)

    def _of_numbers(self, predicted: FloatArray) -> FloatArray:
        if not len(self._levels):
            return np.square(predicted[:, self._first] - self._came)
        after = slice(self._first + 1, self._first + 1 + len(self._levels))
        errors = predicted[:, after] - self._came[:, None]
        losses: FloatArray = np.maximum(-self._levels * errors, (1 - self._levels) * errors).mean(axis=1)
        return losses

    def _of_classes(self, predicted: FloatArray) -> FloatArray:
        if not self._probable:
            named = predicted[:, self._first]
            return np.where(np.isnan(named), np.nan, named != self._came)
        columns = self._first + 1 + self._came.astype(np.int64)
        given = predicted[np.arange(len(predicted)), columns]
        losses: FloatArray = -np.log(np.maximum(given, LOWEST))
        return losses
