"""How much each sample moves a figure: what the standard error of a figure that is not a mean is made of.

Each function gives influence values: S times the derivative of the figure by the weight of each sample, at
equal weights that are kept to a sum of 1 (Hampel, 1974). Their mean is 0, and the standard error of their
mean is that of the figure (the infinitesimal jackknife; Efron, 1982, chapter 6). All figures have to be
defined on the samples given: both sides vary, and all values are finite.
"""

import numpy as np
from numpy.typing import NDArray

from dlplugin.evaluation.values import FloatArray

__all__ = [
    "correlation_influence",
    "matthews_influence",
    "r_squared_influence",
    "rank_correlation_influence",
    "standardised",
]


def r_squared_influence(squares: FloatArray, reference: FloatArray) -> FloatArray:
    """Of 1 - A / B, by the derivative of a quotient: -(a - (A / B) b) / B; the in-sample mean stands fixed.

    Args:
        squares: (S,) squared errors a of the predictions, of mean A.
        reference: (S,) squared errors b of the in-sample mean, of mean B above 0.
    """
    mean = reference.mean()
    influence: FloatArray = -(squares / mean - (squares.mean() / mean) * (reference / mean))
    return influence


def correlation_influence(predicted: FloatArray, actual: FloatArray) -> FloatArray:
    """Of Pearson's r: x y - r (x² + y²) / 2 of the standardised values (Devlin, Gnanadesikan, Kettenring, 1975)."""
    left, right = standardised(predicted), standardised(actual)
    products = left * right
    influence: FloatArray = products - products.mean() * (left**2 + right**2) / 2
    return influence


def rank_correlation_influence(predicted: FloatArray, actual: FloatArray) -> FloatArray:
    """Of Spearman's ρ with average ranks for ties, of which 12 ∫∫ F G dH - 3 is the case without ties.

    ρ = C / √(V W) with F and G the shares of values below plus half of those equal, C = E[F G] - 1/4,
    V = E[F²] - 1/4 and W = E[G²] - 1/4. A sample moves C at its own place, and as one of those that F
    and G count (Croux and Dehon, 2010): with m(x, X) = 1 where x < X, 1/2 where equal and else 0,
    C by F G + E[m(x, X) G] + E[m(y, Y) F] - 3 E[F G], and V by F² + 2 E[m(x, X) F] - 3 E[F²].
    In S log S steps.
    """
    left, right = _Shares(predicted), _Shares(actual)
    F, G = left.below, right.below
    products = F * G
    covariance = float(products.mean()) - 0.25
    moved = products + left.among_larger(G) + right.among_larger(F) - 3 * products.mean()
    variances, terms = [], []
    for side in (left, right):
        squares = side.below**2
        variances.append(float(squares.mean()) - 0.25)
        terms.append(squares + 2 * side.among_larger(side.below) - 3 * squares.mean())
    size = float(np.sqrt(variances[0] * variances[1]))
    half = covariance / size / 2
    influence: FloatArray = moved / size - half * (terms[0] / variances[0] + terms[1] / variances[1])
    return influence


def matthews_influence(counts: NDArray[np.int64]) -> FloatArray:
    """(C, C) of the Matthews correlation, for a sample of each cell of the counts; Gorodkin's form.

    R = (s - t·p) / √((1 - t·t) (1 - p·p)) with s the share of hits, t the shares of the classes that came
    (rows) and p those of the classes predicted; the derivative of each share by a sample in cell (i, j) is
    that sample's own share, 1 or 0, less the share.
    """
    shares = counts / counts.sum()
    came, named = shares.sum(axis=1), shares.sum(axis=0)
    hits, chance = float(np.trace(shares)), float(came @ named)
    left, right = 1 - float(came @ came), 1 - float(named @ named)
    figure = (hits - chance) / np.sqrt(left * right)
    moved = np.eye(len(counts)) - hits - named[:, None] - came[None, :] + 2 * chance
    spread = -2 * (came[:, None] - came @ came) / left - 2 * (named[None, :] - named @ named) / right
    influence: FloatArray = moved / np.sqrt(left * right) - figure / 2 * spread
    return influence


def standardised(values: FloatArray) -> FloatArray:
    """(S,) of mean 0 and variance 1; scaled first, so that no square overflows or vanishes."""
    scaled = values / np.max(np.abs(values))
    centred = scaled - scaled.mean()
    centred = centred / np.max(np.abs(centred))
    unit: FloatArray = centred / np.sqrt(np.mean(np.square(centred)))
    return unit


class _Shares:
    """Of each of (S,) values: the share of all values that is below it, plus half of the share equal to it.

    Attributes:
        below: (S,) these shares.
    """

    def __init__(self, values: FloatArray) -> None:
        self._level, counts = np.unique(values, return_inverse=True, return_counts=True)[1:]
        self.below: FloatArray = ((np.cumsum(counts) - counts / 2) / len(values))[self._level]

    def among_larger(self, weights: FloatArray) -> FloatArray:
        """(S,) mean over all samples of their weight where they are larger, of half of it where equal."""
        sums = np.bincount(self._level, weights=weights)
        larger = np.cumsum(sums[::-1])[::-1] - sums / 2
        among: FloatArray = (larger / len(weights))[self._level]
        return among
