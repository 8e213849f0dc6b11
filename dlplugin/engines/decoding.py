"""What networks give to what a model predicts: means, classes, quantiles and the spread.

Every value is computed from its own row alone, network after network and column after column: NumPy's own
order of adding depends on the shape, and a row must give the same bits alone and among others.
"""

import numpy as np
from numpy.typing import NDArray

from dlplugin.definition import Definition
from dlplugin.samples import ColumnScaling

__all__ = ["decode", "probabilities", "scores"]

FloatArray = NDArray[np.float64]


def decode(definition: Definition, given: FloatArray, scaling: ColumnScaling, class_loss: str) -> FloatArray:
    """The columns of a prediction.

    Args:
        definition: Its heads tell which columns of the networks answer which output.
        given: (K, S, N) what each of K networks gives.
        scaling: Of the outputs.
        class_loss: "cross-entropy" makes probabilities of the scores of classes, "hinge" leaves them.

    Returns:
        (S, P), the columns of `Definition.columns`. Numbers and quantiles are the mean of the networks;
        quantiles are then put in order, so that they never cross (Chernozhukov, Fernández-Val and
        Galichon, 2010); classes are those of the highest mean probability, the lower of two alike.
        NaN where the networks gave no finite value.
    """
    columns: list[FloatArray] = []
    for index, (output, head) in enumerate(zip(definition.outputs, definition.heads, strict=True)):
        own = given[..., head.columns]  # (K, S, size)
        if head.kind == "classes":
            columns += _classes(scores(own) if class_loss == "hinge" else probabilities(own))
            continue
        center, scale = scaling.center[index], scaling.scale[index]
        if output.quantiles is None:
            columns += [_mean(own)[:, 0] * scale + center]
            values = own[..., 0]
        else:
            ordered = np.sort(_mean(own), axis=-1) * scale + center  # (S, Q)
            columns += [_middle(ordered), *ordered.T]
            values = _middle(np.sort(own, axis=-1))
        if len(given) > 1:
            columns.append(_spread(values) * scale)
    return np.stack(columns, axis=-1)


def scores(given: FloatArray) -> FloatArray:
    """(..., size) columns of a head to (..., C) scores; a single column speaks for the upper of two classes."""
    return given if given.shape[-1] > 1 else np.concatenate([-given, given], axis=-1)


def probabilities(given: FloatArray) -> FloatArray:
    """(..., size) columns of a head to (..., C) probabilities that add up to 1.

    They are the softmax of the columns; a single one s gives the upper of two classes 1 / (1 + exp(-s)).
    """
    if given.shape[-1] == 1:
        given = np.concatenate([np.zeros_like(given), given], axis=-1)
    with np.errstate(invalid="ignore"):  # a network that gives infinity has no probabilities: NaN
        shares = np.exp(np.ascontiguousarray(given - given.max(axis=-1, keepdims=True)))
    total = shares[..., 0].copy()
    for column in range(1, shares.shape[-1]):
        total += shares[..., column]
    shared: FloatArray = shares / total[..., None]
    return shared


def _classes(by_network: FloatArray) -> list[FloatArray]:
    """(K, S, C) probabilities or scores to the class, the mean of each class, and the spread."""
    mean = _mean(by_network)  # (S, C)
    chosen = mean.argmax(axis=-1)
    number = np.where(np.isfinite(mean).all(axis=-1), chosen, np.nan)
    columns = [number, *mean.T]
    if len(by_network) > 1:
        columns.append(_spread(by_network[:, np.arange(len(chosen)), chosen]))
    return columns


def _mean(by_network: FloatArray) -> FloatArray:
    """(K, ...) to (...)."""
    total = by_network[0].copy()
    for one in by_network[1:]:
        total += one
    mean: FloatArray = total / len(by_network)
    return mean


def _spread(by_network: FloatArray) -> FloatArray:
    """(K, S) to (S,): the standard deviation over all K networks, divided by K."""
    deviation: FloatArray = np.sqrt(_mean(np.square(by_network - _mean(by_network))))
    return deviation


def _middle(ordered: FloatArray) -> FloatArray:
    """(..., Q) to (...): the middle quantile, or the mean of the two in the middle."""
    count = ordered.shape[-1]
    middle: FloatArray = (ordered[..., (count - 1) // 2] + ordered[..., count // 2]) / 2
    return middle
