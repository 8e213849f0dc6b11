"""Whether a computation looks ahead: values of the past must not change with the future."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from dlplugin.errors import ExpressionError
from dlplugin.indicators.nodes import FloatArray

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Leak", "altered_bars", "first_leak"]


@dataclass(frozen=True)
class Leak:
    """A value that changed when only later bars did.

    Attributes:
        bar: Position of the earliest bar found whose value changed.
        time: Its time.
        column: Which column of the result.
        before: Its value with all bars as they are; NaN is no value.
        after: Its value with later bars cut off or altered.
        how: What was done to the bars from position `cut` on.
        cut: Position of the first bar that was cut off or altered.
    """

    bar: int
    time: Any
    column: int
    before: float
    after: float
    how: Literal["cut", "altered"]
    cut: int

    def __str__(self) -> str:
        done = "cut off" if self.how == "cut" else "altered"
        return (
            f"column {self.column} of bar {self.bar} ({self.time}) was {self.before!r} and became "
            f"{self.after!r} when the bars from {self.cut} on were {done}"
        )


def first_leak(
    compute: "Callable[[pd.DataFrame], Any]",
    bars: "pd.DataFrame",
    rng: np.random.Generator,
    cuts: int | Sequence[int] = 8,
) -> Leak | None:
    """Looks for a value that depends on later bars.

    The values are computed once with all bars, then for each cut twice more: without the bars from
    the cut on, and with those bars replaced by others that look as real. Every value before the cut
    must keep its bits.

    Args:
        compute: From T bars to (T,) or (T, F) numbers.
        bars: T bars of one symbol.
        rng: Chooses the cuts, and the bars that replace the later ones.
        cuts: How many cuts, or their positions: between 1 and T - 1.

    Returns:
        The leak at the earliest bar of the first cut that shows one, or None.

    Raises:
        ExpressionError: `compute` does not give one value, or one row, for each bar.
    """
    length = len(bars)
    if length < 2:
        return None
    whole = _computed(compute, bars)
    positions = rng.integers(1, length, size=cuts).tolist() if isinstance(cuts, int) else cuts
    for cut in positions:
        changed = (("cut", bars.iloc[:cut]), ("altered", altered_bars(bars, cut, rng)))
        for how, others in changed:
            again = _computed(compute, others)[:cut]
            differs = _bits(whole[:cut]) != _bits(again)
            if differs.any():
                bar, column = map(int, np.argwhere(differs)[0])
                before, after = float(whole[bar, column]), float(again[bar, column])
                return Leak(bar, bars.index[bar], column, before, after, how, cut)  # type: ignore[arg-type]
    return None


def _computed(compute: "Callable[[pd.DataFrame], Any]", bars: "pd.DataFrame") -> FloatArray:
    values = np.asarray(compute(bars.copy()), dtype=np.float64)
    if values.ndim not in (1, 2) or len(values) != len(bars):
        shape = " x ".join(map(str, values.shape)) or "one"
        raise ExpressionError(
            f"the function gave {shape} values for {len(bars)} bars; it must give one a bar"
        )
    return values.reshape(len(values), -1)


def _bits(values: FloatArray) -> Any:
    # one pattern for every NaN, so that only real changes count
    return np.where(np.isnan(values), np.nan, values).view(np.int64)


def altered_bars(bars: "pd.DataFrame", cut: int, rng: np.random.Generator) -> "pd.DataFrame":
    """The bars with those from the cut on in another order and each at another price level.

    Args:
        bars: T bars of one symbol, all columns numbers.
        cut: Position of the first bar that is altered.
        rng: Draws the order and the levels.
    """
    later = len(bars) - cut
    values = bars.to_numpy(dtype=np.float64, copy=True)
    tail = values[cut + rng.permutation(later)]
    prices = np.exp(0.03 * rng.standard_normal((later, 1)))  # one factor a bar: high stays above low
    volumes = np.exp(0.5 * rng.standard_normal((later, 1)))
    is_volume = np.array([name == "volume" for name in bars.columns])
    values[cut:] = tail * np.where(is_volume, volumes, prices)
    altered = bars.astype(np.float64)
    altered.iloc[:, :] = values
    return altered
