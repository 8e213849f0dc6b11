"""How much of a column's changes later prices explain beyond what earlier ones do."""

from collections.abc import Mapping
from enum import Enum

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dlplugin.evaluation.audit.subject import Subject, price_of

__all__ = ["Block", "later_blocks"]

FloatArray = NDArray[np.float64]

FEWEST_ROWS = 200
MOST_ROWS = 12_000
MOVES = 20  # how often the column is moved along the history, to see what chance does
LEAST_LEADS, MORE_LEADS, MOST_LEADS = 10, 20, 40  # bars; more of them where there are bars enough
MANY_BARS = 1000
CLIP = 5.0  # deviations
SMALL = 1e-10  # of the largest variance: below it a direction is linear in others
UNEXPLAINED = 1e-8  # of the variance: below it earlier prices explain all


class Block(Enum):
    """What comes later, and the share of what is left above which it explains too much of a column."""

    RETURNS = ("returns", 0.10)
    MOVES = ("absolute returns", 0.25)
    VOLUMES = ("volumes", 0.50)

    @property
    def of(self) -> str:
        """In words."""
        return self.value[0]

    @property
    def limit(self) -> float:
        """A share; volatility and volume persist, so that honest columns foretell some of them."""
        return self.value[1]


def later_blocks(
    subject: Subject, values: Mapping[str, FloatArray], bars: Mapping[str, pd.DataFrame]
) -> dict[Block, tuple[float, float]]:
    """How much later prices explain of a column.

    The column's changes are regressed on its own last two changes (or not), on returns, absolute
    returns and volumes of this bar and those before; then on those of later bars as well.

    Args:
        subject: Its holdout is left out, and its look ahead decides how many later bars count.
        values: Symbol to (T,).
        bars: Symbol to T bars.

    Returns:
        For each block the partial R² of its later bars, the larger of both ways, less what the column
        gives on average when it is moved along the history; and the largest of those. Empty with fewer
        than 200 bars.
    """
    least = MORE_LEADS if sum(map(len, values.values())) >= MANY_BARS else LEAST_LEADS
    ahead = min(max(least, subject.definition.look_ahead + 5), MOST_LEADS)
    rng = subject.generator(6)
    rows, columns = [], []
    room = MOST_ROWS // max(1, len(values))
    for symbol, column in values.items():
        seen = bars[symbol].index <= subject.last_seen
        made = _rows(column[seen], bars[symbol][seen], ahead, room, rng)
        if made is not None:
            rows.append(made[0])
            columns.append(made[1])
    if not rows or sum(map(len, rows)) < FEWEST_ROWS:
        return {}
    regressors, targets = np.concatenate(rows), np.concatenate(columns)
    earlier = 1 + 3 * (ahead + 1)
    basis = _orthonormal(regressors[:, :earlier])
    found = {}
    for place, block in enumerate(Block):
        later = slice(earlier + place * ahead, earlier + (place + 1) * ahead)
        shares = _partial(basis, regressors[:, later], targets)
        actual, chance = shares[:, 0], shares[:, 1:]
        found[block] = (float((actual - chance.mean(axis=1)).max()), float(chance.max()))
    return found


def _rows(
    values: FloatArray, bars: pd.DataFrame, ahead: int, most: int, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray] | None:
    """Regressors (S, 1 + 3 (ahead + 1) + 3 ahead) and targets (S, 2, 1 + moves) of one symbol."""
    returns = _unit(np.diff(_log(price_of(bars)), prepend=np.nan))
    volume = bars["volume"].to_numpy(dtype=np.float64) if "volume" in bars else np.zeros(len(bars))
    sides = (returns, _unit(np.abs(returns)), _unit(np.log1p(np.maximum(volume, 0))))
    changes = _changes(values)
    if not np.isfinite(changes).sum() >= FEWEST_ROWS // 2:
        return None
    now = [_moved(side, back) for side in sides for back in range(ahead + 1)]
    after = [_moved(side, -lead) for side in sides for lead in range(1, ahead + 1)]
    regressors = np.column_stack([np.ones(len(values)), *now, *after])
    own = _without_own_past(changes)
    known = np.isfinite(regressors).all(axis=1) & np.isfinite(own) & np.isfinite(changes)
    chosen = np.flatnonzero(known)
    if len(chosen) < 4 * ahead:
        return None
    regressors, targets = regressors[chosen], np.stack([own[chosen], changes[chosen]], axis=1)
    moves = rng.integers(len(chosen) // 8, max(len(chosen) - len(chosen) // 8, len(chosen) // 8 + 1), MOVES)
    stacked = np.stack([targets, *(np.roll(targets, move, axis=0) for move in moves)], axis=2)
    return regressors[-most:], stacked[-most:]


def _changes(values: FloatArray) -> FloatArray:
    """(T,) changes of a column, relative ones where it is a level above 0; in deviations, clipped."""
    known = values[np.isfinite(values)]
    if len(known) and known.min() > 0 and known.max() > 2 * known.min():
        values = np.log(values)
    return _unit(np.diff(values, prepend=np.nan))


def _without_own_past(changes: FloatArray) -> FloatArray:
    """(T,) what the last two changes leave unexplained of each."""
    past = np.column_stack([np.ones(len(changes)), _moved(changes, 1), _moved(changes, 2)])
    known = np.isfinite(past).all(axis=1) & np.isfinite(changes)
    left = np.full(len(changes), np.nan)
    if known.sum() > 10:
        weights = np.linalg.lstsq(past[known], changes[known], rcond=None)[0]
        left[known] = changes[known] - past[known] @ weights
    return left


def _partial(first: FloatArray, later: FloatArray, targets: FloatArray) -> FloatArray:
    """(2, 1 + moves) shares of what a basis of earlier columns leaves unexplained that `later` explains."""
    second = _orthonormal(later - first @ (first.T @ later))
    flat = targets.reshape(len(targets), -1)
    total = np.square(flat).sum(axis=0)
    left = total - np.square(first.T @ flat).sum(axis=0)
    explained = np.square(second.T @ flat).sum(axis=0)
    tells = left > UNEXPLAINED * total
    shares = np.where(tells, explained / np.where(tells, left, 1.0), 0.0)
    return shares.reshape(targets.shape[1:])


def _orthonormal(columns: FloatArray) -> FloatArray:
    """A basis of what the columns span; those that are constant or linear in others add nothing."""
    sizes, ways = np.linalg.eigh(columns.T @ columns)
    kept = sizes > SMALL * max(float(sizes[-1]), 1e-300)
    basis: FloatArray = columns @ (ways[:, kept] / np.sqrt(sizes[kept]))
    return basis


def _unit(values: FloatArray) -> FloatArray:
    """Centred, in deviations, clipped; all 0 where it does not vary."""
    known = values[np.isfinite(values)]
    spread = known.std() if len(known) else 0.0
    if not spread > 0:
        return np.where(np.isfinite(values), 0.0, np.nan)
    unit: FloatArray = np.clip((values - known.mean()) / spread, -CLIP, CLIP)
    return unit


def _log(price: FloatArray) -> FloatArray:
    return np.log(np.where(price > 0, price, np.nan))


def _moved(values: FloatArray, back: int) -> FloatArray:
    """(T,) the value so many bars before (after, where negative)."""
    moved = np.full(len(values), np.nan)
    if back >= 0:
        moved[back:] = values[: len(values) - back]
    else:
        moved[:back] = values[-back:]
    return moved
