"""The samples of one span with what was predicted and what came: all an evaluation looks at."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlplugin.errors import SamplesError

__all__ = ["FloatArray", "OutputSamples", "SpanValues", "days_overlapped", "reach"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class SpanValues:
    """The samples of one span, ordered by time, then symbol.

    Attributes:
        times: (S,) datetime64, bar t of each sample; its prediction is known at the close of t.
        symbols: (S,) names.
        inputs: (S, D) scaled inputs with their depths side by side, all finite.
        predicted: (S, O) the model's predictions in the outputs' own units; a value that is not finite is
            a prediction that failed, and makes every score that needs it NaN.
        actual: (S, O) what came, in the same units, all finite.
        center: (S, O) where outputs are scaled by symbol: what the training subtracts from each of them.
        scale: (S, O) what it divides by after that. Losses are in this unit, and the trivial rules are
            fitted in it, so that they know of each symbol's level what the model is told. None for both
            where one scaling serves all symbols.
        last_return: (S,) change of the price over bar t, in percent. What follows is known at the close of
            t; NaN where the history is too short, None where it is known of no sample.
        side: (S,) 1 where the price is above the mean of its last 10, -1 below, 0 on it.
        volatility: (S,) standard deviation of the last 20 returns, in percent.
        current: (S, O) the outputs' own indicators at bar t, in their units.

    Raises:
        SamplesError: The arrays do not fit each other, or hold what is not finite.
    """

    times: NDArray[np.datetime64]
    symbols: NDArray[np.str_]
    inputs: NDArray[np.float32]
    predicted: FloatArray
    actual: FloatArray
    center: FloatArray | None = None
    scale: FloatArray | None = None
    last_return: FloatArray | None = None
    side: FloatArray | None = None
    volatility: FloatArray | None = None
    current: FloatArray | None = None

    def __post_init__(self) -> None:
        samples = len(self.times)
        if self.times.ndim != 1 or self.times.dtype.kind != "M":
            raise SamplesError(
                f"times are {self.times.dtype} of shape {self.times.shape}; give one datetime64 a sample"
            )
        for name in ("symbols", "inputs", "predicted", "actual"):
            array: NDArray[np.generic] = getattr(self, name)
            if len(array) != samples or array.ndim != (1 if name == "symbols" else 2):
                wanted = f"({samples},)" if name == "symbols" else f"({samples}, columns)"
                raise SamplesError(f"{name} are of shape {array.shape}; {samples} times need {wanted}")
        if self.predicted.shape != self.actual.shape:
            raise SamplesError(
                f"predicted are of shape {self.predicted.shape}, but actual of {self.actual.shape}; "
                "give one column an output"
            )
        for name in ("last_return", "side", "volatility"):
            alone: FloatArray | None = getattr(self, name)
            if alone is not None and alone.shape != (samples,):
                raise SamplesError(f"{name} is of shape {alone.shape}; {samples} times need ({samples},)")
        for name in ("center", "scale", "current"):
            given: FloatArray | None = getattr(self, name)
            if given is not None and given.shape != self.actual.shape:
                raise SamplesError(f"{name} is of shape {given.shape}, but actual of {self.actual.shape}")
        if np.isnat(self.times).any():
            raise SamplesError(f"{int(np.isnat(self.times).sum())} times are missing; every sample needs one")
        for name in ("inputs", "actual"):
            bad = int(np.count_nonzero(~np.isfinite(getattr(self, name))))
            if bad:
                raise SamplesError(f"{bad} {name} are not finite; only samples with all values known count")

    def __len__(self) -> int:
        return len(self.times)

    def units(self, output_scale: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Center and scale of each sample's outputs, (S, O) both; `output_scale` where one serves all."""
        center = np.zeros(self.actual.shape) if self.center is None else self.center
        scale = np.broadcast_to(output_scale, self.actual.shape) if self.scale is None else self.scale
        return center, scale

    def reach(self, bars: int) -> int:
        """Over how many timestamps of the span that many bars of one symbol go.

        This is `bars` when all symbols share one calendar. A symbol that trades on fewer days than others
        has its bars further apart, so that its look ahead overlaps more timestamps.

        Args:
            bars: 0 or more.

        Returns:
            Timestamps: what 95 % of the samples do not exceed, and at least `bars`.
        """
        return reach(self.times, self.symbols, bars)

    def overlap(self, look_ahead: int) -> int:
        """Over how many days one output goes; see `days_overlapped`."""
        return days_overlapped(self.times, self.symbols, look_ahead)


def reach(times: NDArray[np.datetime64], symbols: NDArray[Any], bars: int) -> int:
    """Over how many timestamps that many bars of one symbol go; see `SpanValues.reach`.

    Args:
        times: (S,) of the bars; days instead of timestamps to count days.
        symbols: (S,) whose bars they are: names or numbers.
        bars: 0 or more.
    """
    if bars < 1:
        return 0
    position = np.unique(times, return_inverse=True)[1]
    symbol = np.unique(symbols, return_inverse=True)[1]
    order = np.lexsort((position, symbol))
    position, symbol = position[order], symbol[order]
    whole = symbol[bars:] == symbol[:-bars]
    if not whole.any():
        return bars
    distances = (position[bars:] - position[:-bars])[whole]
    return int(np.quantile(distances, 0.95, method="higher"))


def days_overlapped(times: NDArray[np.datetime64], symbols: NDArray[Any], look_ahead: int) -> int:
    """Over how many calendar days with bars the outputs of a sample go, its own t + 1 among them.

    It is `look_ahead` for daily bars that all symbols share, and 1 or 2 for a few hours ahead.

    Args:
        times: (S,) of the bars, those of dropped samples included.
        symbols: (S,) whose bars they are: names or numbers.
        look_ahead: Bars.
    """
    return 1 + reach(times.astype("datetime64[D]"), symbols, look_ahead - 1)


@dataclass(frozen=True, eq=False)
class OutputSamples:
    """One output's samples of one span, ordered by time, then symbol: what tables and groups are made of.

    Attributes:
        span: "in-sample", "out-of-sample" or "holdout".
        times: (S,) datetime64, bar t of each sample.
        symbols: (S,) names.
        predicted: (S,) in the output's own unit, or the number of a class; NaN for one that failed.
        actual: (S,) what came, likewise; all finite.
        by_rule: Rule to (S,) what it predicts, those rules that predict a number.
        sides: Rule to (S,) 1 for up, -1 for down, 0 for neither: the rules that only say that.
        volatility: (S,) of the last 20 returns known at t, in percent; NaN where it is not known.
        overlap: Days that one output goes over; see `days_overlapped`.
    """

    span: str
    times: NDArray[np.datetime64]
    symbols: NDArray[np.str_]
    predicted: FloatArray
    actual: FloatArray
    by_rule: dict[str, FloatArray]
    volatility: FloatArray
    overlap: int
    sides: dict[str, FloatArray] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.times)
