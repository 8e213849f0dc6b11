"""Ridge regression whose penalty is chosen inside the in-sample rows."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dlplugin.evaluation.values import FloatArray

__all__ = ["Ridge", "fit_ridge"]

PENALTIES = tuple(10.0**power for power in range(-4, 4))
PENALTY_WITHOUT_CHOICE = 1.0
CHOICE_SHARE = 0.25  # of the in-sample timestamps, the last ones
FEWEST_TIMESTAMPS = 10  # on either side of the choice
CHUNK = 16_384  # rows held in float64 at a time


@dataclass(frozen=True, eq=False)
class Ridge:
    """A fitted ridge regression of several outputs.

    Attributes:
        coefficients: (D, O).
        intercept: (O,), not penalised.
        penalty: (O,) in multiples of the inputs' mean variance, one of `PENALTIES`.
        alpha: (O,) the same as the weight of the squared coefficients beside the *sum* of squared errors.
    """

    coefficients: FloatArray
    intercept: FloatArray
    penalty: FloatArray
    alpha: FloatArray

    def predict(self, inputs: NDArray[np.float32]) -> FloatArray:
        """The rule's predictions (S, O) on inputs (S, D), in the outputs' own units."""
        predicted = np.empty((len(inputs), len(self.intercept)))
        for start in range(0, len(inputs), CHUNK):
            rows = slice(start, start + CHUNK)
            predicted[rows] = inputs[rows].astype(np.float64) @ self.coefficients + self.intercept
        return predicted


def fit_ridge(
    inputs: NDArray[np.float32], actual: FloatArray, times: NDArray[np.datetime64], reach: int
) -> Ridge:
    """Ridge regression (Hoerl and Kennard, 1970) whose penalty is chosen inside these rows, in time order.

    Each penalty is tried on the first three quarters of the timestamps and judged by its squared error on
    the last quarter; the `reach` timestamps before that quarter are left out, since their outputs reach
    into it. The best one of each output, the larger of equals, is then used on all rows. With fewer than
    10 timestamps on either side there is no choice, and the penalty is 1. A penalty is a multiple of the
    inputs' mean variance, so that it means the same whatever their unit.

    Args:
        inputs: (S, D), S at least 1.
        actual: (S, O) in the outputs' own units.
        times: (S,) bar t of each sample.
        reach: Timestamps that an output looks ahead.
    """
    shift = (inputs[:CHUNK].mean(axis=0, dtype=np.float64), actual[:CHUNK].mean(axis=0))
    unique, position = np.unique(times, return_inverse=True)
    first_judged = len(unique) - int(CHOICE_SHARE * len(unique))
    judged = position >= first_judged
    tried = position < first_judged - reach
    parts = [_moments(inputs, actual, rows, shift) for rows in (tried, judged, ~(tried | judged))]
    whole = parts[0] + parts[1] + parts[2]
    outputs = actual.shape[1]
    if min(first_judged - reach, len(unique) - first_judged) < FEWEST_TIMESTAMPS:
        penalty = np.full(outputs, PENALTY_WITHOUT_CHOICE)
    else:
        errors = np.stack([parts[1].error(*parts[0].solve(each)) for each in reversed(PENALTIES)])
        penalty = np.array(PENALTIES[::-1])[errors.argmin(axis=0)]
    coefficients = np.empty((inputs.shape[1], outputs))
    intercept = np.empty(outputs)
    for each in np.unique(penalty):
        chosen = penalty == each
        solved, constant = whole.solve(float(each))
        coefficients[:, chosen], intercept[chosen] = solved[:, chosen], constant[chosen]
    intercept += shift[1] - shift[0] @ coefficients
    return Ridge(coefficients, intercept, penalty, penalty * whole.mean_variance * whole.rows)


@dataclass(frozen=True, eq=False)
class _Moments:
    """Sums over rows of shifted inputs x and outputs y: all that fitting and judging need."""

    rows: int
    x: FloatArray
    y: FloatArray
    xx: FloatArray
    xy: FloatArray
    yy: FloatArray

    def __add__(self, other: "_Moments") -> "_Moments":
        return _Moments(
            self.rows + other.rows,
            self.x + other.x,
            self.y + other.y,
            self.xx + other.xx,
            self.xy + other.xy,
            self.yy + other.yy,
        )

    @property
    def mean_variance(self) -> float:
        variances = np.diag(self.xx) / self.rows - np.square(self.x / self.rows)
        return float(np.maximum(variances, 0.0).mean()) if len(variances) else 0.0

    def solve(self, penalty: float) -> tuple[FloatArray, FloatArray]:
        """Coefficients (D, O) and intercepts (O,) in shifted coordinates."""
        mean_x, mean_y = self.x / self.rows, self.y / self.rows
        weight = penalty * self.mean_variance
        if weight == 0:  # no input varies
            return np.zeros(self.xy.shape), mean_y
        covariance = self.xx / self.rows - np.outer(mean_x, mean_x)
        covariance[np.diag_indices_from(covariance)] += weight
        target = self.xy / self.rows - np.outer(mean_x, mean_y)
        coefficients = np.linalg.solve(covariance, target).astype(np.float64)
        return coefficients, mean_y - mean_x @ coefficients

    def error(self, coefficients: FloatArray, intercept: FloatArray) -> FloatArray:
        """Mean squared error (O,) of a solution on these rows."""
        squares = (
            self.yy
            - 2 * np.einsum("do,do->o", coefficients, self.xy)
            + np.einsum("do,do->o", coefficients, self.xx @ coefficients)
            - 2 * intercept * (self.y - self.x @ coefficients)
            + self.rows * np.square(intercept)
        )
        means: FloatArray = squares / self.rows
        return means


def _moments(
    inputs: NDArray[np.float32],
    actual: FloatArray,
    rows: NDArray[np.bool_],
    shift: tuple[FloatArray, FloatArray],
) -> _Moments:
    D, O = inputs.shape[1], actual.shape[1]  # noqa: E741
    total = _Moments(0, np.zeros(D), np.zeros(O), np.zeros((D, D)), np.zeros((D, O)), np.zeros(O))
    chosen = np.flatnonzero(rows)
    for start in range(0, len(chosen), CHUNK):
        at = chosen[start : start + CHUNK]
        x = inputs[at].astype(np.float64) - shift[0]
        y = actual[at] - shift[1]
        total += _Moments(len(at), x.sum(0), y.sum(0), x.T @ x, x.T @ y, np.square(y).sum(0))
    return total
