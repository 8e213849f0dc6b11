"""The curves of a training, and what of them is a course and what is chance. NumPy and pandas only."""

import math
from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["NEIGHBOURS", "Curves", "FloatArray", "noise", "smooth"]

FloatArray = NDArray[np.float64]

NEIGHBOURS = 5  # epochs of the median that takes single outliers out of a curve


@dataclass(frozen=True)
class Curves:
    """The epochs of a history up to the first loss that is not finite.

    Attributes:
        epochs: (n,) their numbers.
        inside: (n,) in-sample loss.
        outside: (n,) out-of-sample loss; None where there is no such span.
        accuracy: (n,) in-sample accuracy, 0 to 1; None without classes.
        monitored: (n,) the value that picks the save point, its sign turned so that lower is better.
        sign: −1 where it was turned, else 1.
    """

    epochs: NDArray[np.int64]
    inside: FloatArray
    outside: FloatArray | None
    accuracy: FloatArray | None
    monitored: FloatArray | None
    sign: float

    @classmethod
    def of(cls, history: pd.DataFrame, monitor: str) -> Self:
        """The curves of a run's history."""

        def known(name: str) -> FloatArray | None:
            values = history[name].to_numpy(np.float64) if name in history else np.empty(0)
            return values if np.isfinite(values).any() else None

        inside, outside = history["in_sample_loss"].to_numpy(np.float64), known("out_of_sample_loss")
        good = np.isfinite(inside) & (True if outside is None else np.isfinite(outside))
        count = len(good) if good.all() else int(good.argmin())
        accuracy, monitored = known("in_sample_accuracy"), known(f"out_of_sample_{monitor}")
        sign = 1.0 if monitor == "loss" else -1.0
        return cls(
            history["epoch"].to_numpy(np.int64)[:count],
            inside[:count],
            None if outside is None else outside[:count],
            None if accuracy is None else accuracy[:count],
            None if monitored is None else sign * monitored[:count],
            sign,
        )

    @property
    def judged(self) -> FloatArray:
        """(n,) the out-of-sample loss where there is one, else the in-sample loss."""
        return self.inside if self.outside is None else self.outside

    @property
    def judged_name(self) -> str:
        """What `judged` is called."""
        return "in-sample" if self.outside is None else "out-of-sample"


def smooth(values: FloatArray) -> FloatArray:
    """(n,) running median: of the neighbours on both sides, of fewer at the ends."""
    median: FloatArray = pd.Series(values).rolling(NEIGHBOURS, center=True, min_periods=1).median().to_numpy()
    return median


def noise(values: FloatArray) -> float:
    """Standard deviation of what is no trend: from the median of the second differences, which a line has not."""
    return float(1.4826 * np.median(np.abs(np.diff(values, n=2))) / math.sqrt(6))
