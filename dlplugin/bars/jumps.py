"""Jumps of a price that its own history does not explain: unadjusted splits, bad ticks, wrong units."""

from fractions import Fraction

import numpy as np
import numpy.typing as npt
import pandas as pd

from dlplugin.bars.spacing import median_spacing, nanoseconds

__all__ = [
    "JUMP_CALM",
    "JUMP_FACTOR",
    "JUMP_LARGE",
    "JUMP_SCALES",
    "JUMP_SMALL",
    "SPIKE_FACTOR",
    "SPLITS",
    "SPLIT_LEVEL_BARS",
    "SPLIT_SCALES",
    "extreme_jumps",
    "jump_ratio",
    "split_jumps",
    "split_ratio",
    "split_text",
]

SPLITS = (4 / 3, 3 / 2, 2, 5 / 2, 3, 4, 5, 6, 7, 8, 10, 12, 15, 20, 25, 30, 40, 50, 100)
"""Ratios of splits; their inverses are those of reverse splits."""
SPLIT_SCALES = 8.0
"""How many of the price's own usual moves a jump needs to look like a split."""
SPLIT_NEAR = (0.02, 2.5, 0.08)
SPLIT_NEAR_SHARE = 0.125
"""How near a split's ratio: 2.5 usual moves, at least 2 % and at most 8 %, nor more than an eighth of
the split, in logarithms: a rise by a quarter is no split of 3:4."""
SPLIT_LEVEL_BARS = 5
"""Bars before and after a jump whose median closes have to show that the level stays."""

JUMP_FACTOR, JUMP_SCALES = 1.5, 10.0
"""A jump by this factor that is also this many usual moves is extreme."""
JUMP_LARGE = 3.0
"""A jump by this factor is extreme in any price."""
JUMP_SMALL, JUMP_CALM = 0.05, 25.0
"""A jump of this share from one bar to the very next that is this many usual moves is extreme."""
SPIKE_FACTOR = 2.0
"""A high this many times above, or a low this many times below, open and close is extreme."""

SCALE_BARS = 60
"""Bars before and after a bar that tell its usual move."""
FEWEST_MOVES = 10
"""With fewer moves than this no move is usual."""
NEXT_BAR = 1.5
"""A bar within this many intervals is the very next: no night or weekend lies between."""
FEW_ROWS = 32
"""Up to so many moves are looked at one by one, which is faster than a sweep."""
MEDIAN_TO_DEVIATION = 1.4826
"""A normal distribution's standard deviation over its median size."""

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]


def split_ratio(bars: pd.DataFrame, row: int) -> float:
    """The jump at a bar: the close before over the open, so 2.0 for a split of two for one."""
    return float(bars["close"].iloc[row - 1] / bars["open"].iloc[row])


def split_text(ratio: float) -> str:
    """The split that a ratio is nearest to, as it is said: "2:1", "3:2", "1:10"."""
    split = float(np.exp(_nearest_log(np.log(np.array([ratio])))[0]))
    fraction = Fraction(split).limit_denominator(100)
    return f"{fraction.numerator}:{fraction.denominator}"


def jump_ratio(bars: pd.DataFrame, row: int) -> float:
    """The largest jump at a bar: from the close before to its open or close, or to a high or low from those."""
    open_, high, low, close = (float(bars[name].iloc[row]) for name in ("open", "high", "low", "close"))
    ratios = [high / max(open_, close), low / min(open_, close)]
    if row:
        before = float(bars["close"].iloc[row - 1])
        ratios += [open_ / before, close / before]
    return max(ratios, key=lambda ratio: abs(float(np.log(ratio))))


def extreme_jumps(bars: pd.DataFrame) -> BoolArray:
    """(T,) whether the price jumped to a bar, or spiked in it, as its own history does not explain.

    What looks like a split is not among them.

    Args:
        bars: (T, columns), sorted, prices above 0.
    """
    high, low = bars["high"].to_numpy(), bars["low"].to_numpy()
    open_, close = bars["open"].to_numpy(), bars["close"].to_numpy()
    extreme: BoolArray = (high >= SPIKE_FACTOR * np.maximum(open_, close)) | (
        low * SPIKE_FACTOR <= np.minimum(open_, close)
    )
    moves, gaps = _moves(bars)
    largest = np.maximum(np.abs(moves), np.abs(gaps))
    extreme[1:] |= largest >= np.log(JUMP_LARGE)
    if (largest >= np.log1p(JUMP_SMALL)).any():
        scales = _scales(moves, largest >= np.log1p(JUMP_SMALL))
        dates = nanoseconds(pd.DatetimeIndex(bars.index))
        next_bar = np.diff(dates) <= NEXT_BAR * median_spacing(dates)
        calm = np.abs(moves) >= np.maximum(np.log1p(JUMP_SMALL), JUMP_CALM * scales)
        extreme[1:] |= largest >= np.maximum(np.log(JUMP_FACTOR), JUMP_SCALES * scales)
        extreme[1:] |= calm & next_bar
    return extreme & ~split_jumps(bars) if extreme.any() else extreme


def _moves(bars: pd.DataFrame) -> tuple[FloatArray, FloatArray]:
    """(T - 1,) logarithms of close over the close before, and of open over the close before."""
    close = np.log(bars["close"].to_numpy())
    return np.diff(close), np.log(bars["open"].to_numpy()[1:]) - close[:-1]


def _scales(moves: FloatArray, wanted: BoolArray) -> FloatArray:
    """(T - 1,) the usual move around each bar; infinite where there are too few, or where not wanted.

    The median size of the moves that are not 0, as a standard deviation.
    """
    sizes = np.where(moves == 0, np.nan, np.abs(moves))
    rows = np.flatnonzero(wanted)
    scales = np.full(len(moves), np.inf)
    if len(rows) > FEW_ROWS:  # one sweep over all
        around = pd.Series(sizes).rolling(2 * SCALE_BARS + 1, center=True, min_periods=FEWEST_MOVES)
        scales[rows] = around.median().fillna(np.inf).to_numpy()[rows]
    else:
        for row in rows:
            near = sizes[max(row - SCALE_BARS, 0) : row + SCALE_BARS + 1]
            near = near[~np.isnan(near)]
            scales[row] = np.median(near) if len(near) >= FEWEST_MOVES else np.inf
    return scales * MEDIAN_TO_DEVIATION


def split_jumps(bars: pd.DataFrame) -> BoolArray:
    """(T,) whether the price jumped at a bar's open by about the ratio of a split, and stayed there.

    Args:
        bars: (T, columns), sorted, prices above 0.
    """
    found = np.zeros(len(bars), dtype=bool)
    moves, gaps = _moves(bars)
    least, per_scale, most = SPLIT_NEAR
    wide = np.abs(gaps) >= np.log(min(SPLITS)) - most
    if not wide.any():
        return found
    scales = _scales(moves, wide)
    splits = _nearest_log(-gaps)
    near = np.minimum(np.clip(per_scale * scales, least, most), SPLIT_NEAR_SHARE * np.abs(splits))
    rows = np.flatnonzero((np.abs(gaps) >= SPLIT_SCALES * scales) & (np.abs(-gaps - splits) <= near))
    close = bars["close"].to_numpy()
    for row in rows:
        before = close[max(row + 1 - SPLIT_LEVEL_BARS, 0) : row + 1]
        after = close[row + 1 : row + 1 + SPLIT_LEVEL_BARS]
        level = float(np.log(np.median(before) / np.median(after)))
        found[row + 1] = level * np.sign(splits[row]) > abs(splits[row]) / 2
    return found


def _nearest_log(jumps: FloatArray) -> FloatArray:
    """The logarithm of the split that each logarithm of a jump is nearest to."""
    known = np.sort(np.log([*SPLITS, *(1 / split for split in SPLITS)]))
    above = np.clip(np.searchsorted(known, jumps), 1, len(known) - 1)
    nearest: FloatArray = np.where(
        jumps - known[above - 1] < known[above] - jumps, known[above - 1], known[above]
    )
    return nearest
