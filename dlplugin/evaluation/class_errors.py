"""Standard errors of what is said of predicted classes: days are counted, not samples."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dlplugin.evaluation.influences import matthews_influence
from dlplugin.evaluation.plain import Number
from dlplugin.evaluation.uncertainty import LINE, mean_with_error, share_with_error
from dlplugin.evaluation.values import FloatArray

__all__ = ["ClassErrors", "ReliabilityRow", "brier_values", "class_errors", "reliability"]

BINS = 10  # of predicted probability, each 0.1 wide


@dataclass(frozen=True)
class ClassErrors:
    """Standard errors of the figures of the same names.

    Attributes:
        accuracy: A share's error is NaN where it is 0 or 1; see `share_with_error`.
        correlation: NaN where the samples are all right.
        log_loss: NaN without probabilities.
        brier: NaN without probabilities.
        precision: (C,)
        recall: (C,)
        f1: (C,)

    All are NaN where the figure is, and where there are too few days.
    """

    accuracy: Number
    correlation: Number
    log_loss: Number
    brier: Number
    precision: tuple[Number, ...]
    recall: tuple[Number, ...]
    f1: tuple[Number, ...]


@dataclass(frozen=True)
class ReliabilityRow:
    """What came where a class was given a probability within a range of 0.1.

    Attributes:
        number: Of the class.
        start: The lowest probability of the range, inclusive.
        end: The highest, exclusive but for 1.
        count: Samples.
        probability: Their mean predicted probability.
        share: The share of them that was in the class.
        error: Standard error of that share; see `share_with_error`.
    """

    number: int
    start: float
    end: float
    count: int
    probability: float
    share: float
    error: Number


def class_errors(
    classes: int,
    actual: NDArray[np.int64],
    predicted: FloatArray,
    probabilities: FloatArray | None,
    times: NDArray[np.datetime64],
    overlap: int,
) -> ClassErrors:
    """The standard errors of one span.

    Args:
        classes: C.
        actual: (S,) the number of the class that came.
        predicted: (S,) the number of the class predicted; NaN for a prediction that failed.
        probabilities: (S, C); None where there are none.
        times: (S,) bar t of each sample.
        overlap: Days that one output goes over, at least 1.
    """
    if not len(actual) or not np.isfinite(predicted).all():
        nan = float("nan")
        return ClassErrors(nan, nan, nan, nan, *[(nan,) * classes] * 3)
    every = np.arange(classes)
    came = (actual[:, None] == every).astype(np.float64)
    named = (predicted[:, None] == every).astype(np.float64)
    both = came * named

    def shares(part: FloatArray, whole: FloatArray) -> tuple[float, ...]:
        pairs = zip(part.T, whole.T, strict=True)
        return tuple(share_with_error(hits, chosen, times, overlap)[1] for hits, chosen in pairs)

    def mean(values: FloatArray | None, fitted: int = 0) -> float:
        return float("nan") if values is None else mean_with_error(values, times, overlap, fitted)[1]

    return ClassErrors(
        accuracy=share_with_error(both.sum(axis=1), np.ones(len(actual)), times, overlap)[1],
        correlation=mean(_matthews_values(classes, actual, predicted.astype(np.int64)), LINE),
        log_loss=mean(None if probabilities is None else _log_losses(probabilities, actual)),
        brier=mean(None if probabilities is None else brier_values(probabilities, actual)),
        precision=shares(both, named),
        recall=shares(both, came),
        f1=shares(2 * both, came + named),
    )


def brier_values(probabilities: FloatArray, actual: NDArray[np.int64]) -> FloatArray:
    """(S,) sum over the classes of (probability - 1 where it came, 0 where not)² (Brier, 1950).

    From 0 to 2: for two classes twice what is also called the Brier score.

    >>> brier_values(np.array([[0.75, 0.25], [0.0, 1.0]]), np.array([0, 0]))
    array([0.125, 2.   ])
    """
    came = actual[:, None] == np.arange(probabilities.shape[1])
    values: FloatArray = np.square(probabilities - came).sum(axis=1)
    return values


def reliability(
    probabilities: FloatArray | None,
    actual: NDArray[np.int64],
    times: NDArray[np.datetime64],
    overlap: int,
) -> tuple[ReliabilityRow, ...]:
    """The ranges of probability that occur, class by class: a model is calibrated where probability and share agree.

    Args:
        probabilities: (S, C); None where there are none.
        actual: (S,) the number of the class that came.
        times: (S,) bar t of each sample.
        overlap: Days that one output goes over, at least 1.

    Returns:
        None at all where a probability is not finite: that prediction failed.
    """
    if probabilities is None or not np.isfinite(probabilities).all():
        return ()
    rows = []
    edges = np.arange(BINS + 1) / BINS
    for number, given in enumerate(probabilities.T):
        place = np.clip(np.searchsorted(edges, given, side="right") - 1, 0, BINS - 1)
        came = (actual == number).astype(np.float64)
        for each in np.unique(place).tolist():
            chosen = (place == each).astype(np.float64)
            share, error = share_with_error(came * chosen, chosen, times, overlap)
            rows.append(
                ReliabilityRow(
                    number=number,
                    start=float(edges[each]),
                    end=float(edges[each + 1]),
                    count=int(chosen.sum()),
                    probability=float(given[place == each].mean()),
                    share=share,
                    error=error,
                )
            )
    return tuple(rows)


def _matthews_values(
    classes: int, actual: NDArray[np.int64], predicted: NDArray[np.int64]
) -> FloatArray | None:
    """(S,) influence of each sample on the correlation; None where that has none, or no error."""
    counts = np.bincount(actual * classes + predicted, minlength=classes**2).reshape(classes, classes)
    one_sided = any(np.count_nonzero(counts.sum(axis=axis)) < 2 for axis in (0, 1))
    if one_sided or np.trace(counts) == len(actual):
        return None
    values: FloatArray = matthews_influence(counts)[actual, predicted]
    return values


def _log_losses(probabilities: FloatArray, actual: NDArray[np.int64]) -> FloatArray | None:
    given = probabilities[np.arange(len(actual)), actual]
    return -np.log(given) if (given > 0).all() else None
