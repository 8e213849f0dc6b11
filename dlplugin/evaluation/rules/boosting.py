"""Gradient boosting with settings that are never tuned, where scikit-learn is installed.

It runs on one thread: its many short parallel loops wait for each other, which on a busy machine takes fifty
times as long as doing without.
"""

from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlplugin.evaluation.values import FloatArray

__all__ = ["boosted_classes", "boosted_numbers", "boosting_is_there"]

SETTINGS: dict[str, Any] = {
    "max_iter": 100,
    "learning_rate": 0.05,
    "max_leaf_nodes": 8,
    "min_samples_leaf": 50,
    "l2_regularization": 1.0,
    "early_stopping": False,  # it would draw samples to stop by at random, out of days that overlap
    "random_state": 0,
}
MOST_ROWS = 100_000  # evenly over time: more take seconds and change little

Inputs = NDArray[np.float32]


def boosting_is_there() -> bool:
    """Whether scikit-learn is installed; it is not imported."""
    return find_spec("sklearn") is not None


def boosted_numbers(inputs: Inputs, actual: FloatArray, predict: Sequence[Inputs]) -> list[FloatArray]:
    """Gradient boosted trees (Friedman, 2001) in scikit-learn's histogram form, one fit an output.

    Args:
        inputs: (S, D) of the in-sample samples; at most 100,000 of them are used, evenly spaced.
        actual: (S, O) what came.
        predict: (S, D) of each span.

    Returns:
        (S, O) for each span.
    """
    from sklearn.ensemble import HistGradientBoostingRegressor
    from threadpoolctl import threadpool_limits

    rows = _spaced(len(inputs))
    with threadpool_limits(1, user_api="openmp"):
        fitted = [
            HistGradientBoostingRegressor(**SETTINGS).fit(inputs[rows], column[rows]) for column in actual.T
        ]
        return [
            np.stack([one.predict(span) for one in fitted], axis=1).astype(np.float64) for span in predict
        ]


def boosted_classes(inputs: Inputs, actual: NDArray[np.int64], predict: Sequence[Inputs]) -> list[FloatArray]:
    """The same for classes, by their log loss: the most probable one.

    Args:
        inputs: (S, D) of the in-sample samples.
        actual: (S,) the number of the class that came.
        predict: (S, D) of each span.

    Returns:
        (S,) the number of a class, for each span.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier
    from threadpoolctl import threadpool_limits

    rows = _spaced(len(inputs))
    if len(np.unique(actual[rows])) == 1:
        return [np.full(len(span), float(actual[rows][0])) for span in predict]
    with threadpool_limits(1, user_api="openmp"):
        fitted = HistGradientBoostingClassifier(**SETTINGS).fit(inputs[rows], actual[rows])
        return [fitted.predict(span).astype(np.float64) if len(span) else np.empty(0) for span in predict]


def _spaced(samples: int) -> NDArray[np.int64]:
    return np.unique(np.linspace(0, samples - 1, min(samples, MOST_ROWS)).astype(np.int64))
