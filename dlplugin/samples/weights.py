"""What each in-sample sample counts, and how many independent ones they are worth."""

import numpy as np
from numpy.typing import NDArray

from dlplugin.samples.features import FloatArray, IntArray

__all__ = ["average_uniqueness", "effective_size", "recency", "sample_weights"]

Times = NDArray[np.datetime64]


def average_uniqueness(rows: IntArray, bars: int, look_ahead: int) -> FloatArray:
    """How little each sample's look ahead is shared with others of its symbol.

    Bar b is in the look aheads of c_b samples, each of which reads bars t + 1 … t + look_ahead. A
    sample's average uniqueness is the mean of 1 / c_b over the bars of its own look ahead. (López de
    Prado, Advances in Financial Machine Learning, 2018, chapter 4, sections 4.3 and 4.4.)

    Args:
        rows: (S,) the stacked bars t of the samples, each once; the look ahead of each lies in its symbol.
        bars: N, how many bars are stacked.
        look_ahead: The largest of the outputs, in bars.

    Returns:
        (S,) above 0, at most 1: 1 where no other sample looks at the same bars, and 1 / look_ahead
        inside a history all of whose bars are samples.
    """
    begins = np.zeros(bars + 1, dtype=np.int64)
    begins[rows + 1] += 1
    begins[rows + 1 + look_ahead] -= 1
    concurrent = np.cumsum(begins)  # c of each bar
    shares = np.concatenate([[0.0], np.cumsum(1 / np.maximum(concurrent, 1))])
    averages: FloatArray = (shares[rows + 1 + look_ahead] - shares[rows + 1]) / look_ahead
    return averages


def recency(times: Times, dates: Times, half_life: float) -> FloatArray:
    """A factor that halves with every `half_life` dates of age.

    Args:
        times: (S,) of the samples' bars.
        dates: (D,) the sorted union of timestamps, all of `times` among them.
        half_life: In dates: positions of that union, not days of the calendar.

    Returns:
        (S,) 1 for the newest sample, 0.5 for one that is `half_life` dates older.
    """
    positions = np.searchsorted(dates, times)
    age: FloatArray = np.exp2((positions - positions.max(initial=0)) / half_life)
    return age


def sample_weights(
    uniqueness: FloatArray, times: Times, dates: Times, half_life: float | None, by_uniqueness: bool
) -> NDArray[np.float32] | None:
    """Recency × average uniqueness, as far as asked for, with a mean of 1.

    Args:
        uniqueness: (S,) from `average_uniqueness`.
        times: (S,) of the samples' bars.
        dates: (D,) the sorted union of timestamps.
        half_life: In dates; None for no recency.
        by_uniqueness: Whether uniqueness counts.

    Returns:
        (S,) 0 or more; None where all count alike.
    """
    if half_life is None and not by_uniqueness:
        return None
    weights = np.ones(len(times))
    if half_life is not None:
        weights *= recency(times, dates, half_life)
    if by_uniqueness:
        weights *= uniqueness
    mean = weights.mean() if len(weights) else 1.0
    return (weights / mean).astype(np.float32)


def effective_size(uniqueness: FloatArray, weights: NDArray[np.float32] | None) -> float:
    """How many samples without overlap and of one weight would say as much.

    The sum of the average uniqueness, times the share that unequal weights leave of a sample:
    (Σw)² / (S Σw²) (Kish, Survey Sampling, 1965). That symbols move together on the same days is not
    in it.

    Args:
        uniqueness: (S,) from `average_uniqueness`.
        weights: (S,) from `sample_weights`, or None for one weight.

    Returns:
        At most S; 0 for no samples.
    """
    independent = float(uniqueness.sum())
    if weights is None or not len(weights):
        return independent
    w = weights.astype(np.float64)
    return independent * float(w.sum() ** 2 / (len(w) * (w**2).sum()))
