"""Whether a column that stands still for many bars steps to what prices do until its next step."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dlplugin.evaluation.audit.subject import Subject, price_of

__all__ = ["STEP_LIMIT", "later_steps"]

FloatArray = NDArray[np.float64]

STEP_LIMIT = 0.5  # of what the past leaves unexplained of the steps
FEWEST_STEPS = 30  # of all symbols together
STILL = 3  # bars that a value stays, on average


def later_steps(
    subject: Subject, values: Mapping[str, FloatArray], bars: Mapping[str, pd.DataFrame]
) -> float:
    """The share of the steps that returns until the next step explain, beyond those since the last one.

    A quarter's figure that is filled back over the quarter steps to what the quarter will bring. NaN where the
    column does not stand still, or has fewer than 30 steps.

    Args:
        subject: Its holdout is left out.
        values: Symbol to (T,).
        bars: Symbol to T bars.
    """
    found = []
    for symbol, column in values.items():
        seen = bars[symbol].index <= subject.last_seen
        made = _steps(column[seen], bars[symbol][seen])
        if made is not None:
            found.append(made)
    rows = np.concatenate(found) if found else np.empty((0, 4))
    if len(rows) < FEWEST_STEPS:
        return float("nan")
    past = np.column_stack([np.ones(len(rows)), rows[:, 1:3]])
    both = rows[:, [0, 3]]
    left = both - past @ np.linalg.lstsq(past, both, rcond=None)[0]
    sizes = np.square(left).sum(axis=0)
    if not (sizes > 1e-12 * np.square(both).sum(axis=0)).all():
        return 0.0
    return float(left.prod(axis=1).sum() ** 2 / sizes.prod())


def _steps(values: FloatArray, bars: pd.DataFrame) -> FloatArray | None:
    """(S, 4) steps, the returns since the step before, of the bar, and until the next step; in deviations."""
    level = values[np.isfinite(values)]
    if not len(level):
        return None
    relative = level.min() > 0
    price = price_of(bars)
    with np.errstate(divide="ignore", invalid="ignore"):
        column, log = np.log(values) if relative else values, np.log(np.where(price > 0, price, np.nan))
    at = np.flatnonzero(np.isfinite(values[1:]) & np.isfinite(values[:-1]) & (values[1:] != values[:-1])) + 1
    if len(at) < 4 or len(values) < STILL * len(at):
        return None
    before, now, after = at[:-2], at[1:-1], at[2:]
    rows = np.column_stack(
        [
            column[now] - column[now - 1],
            log[now - 1] - log[before],
            log[now] - log[now - 1],
            log[after - 1] - log[now],
        ]
    )
    rows = rows[np.isfinite(rows).all(axis=1)]
    spread = rows.std(axis=0)
    unit: FloatArray = (rows - rows.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    return unit
