"""Traces of the future in columns that cannot be computed again: those that came with the bars.

A column beside the prices is the same however the bars are cut, so it is judged by what it looks
like. Each trace has its threshold, and what honest columns show is far from it:

    later returns     What earlier prices leave unexplained of the column's changes, later returns (or
                      later absolute returns, or later volumes) explain: a partial R². The same is
                      asked of the column moved along the history, which shows what chance does.
    whole series      Its mean is 0 and its deviation 1, or its extremes are 0 and 1, exactly, over the
                      whole series of a symbol or of all symbols, and over no earlier part of it; or its
                      values are ranks among all bars.
    back-filled       It begins with a stretch of one value, after which it changes at every bar.

The same is asked of inputs that functions of a user's own compute, which may read anything.

What leaves no such trace is not found: a later value under noise of three times its size, a figure dated by
the day it was of and not by the day it was published, gaps inside the history filled from later, a series
that was cut after it was scaled, a leak of fewer than some hundred bars.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dlplugin.evaluation.audit.leads import Block, later_blocks
from dlplugin.evaluation.audit.result import Check
from dlplugin.evaluation.audit.subject import PRICES, Subject, listed
from dlplugin.indicators import Indicator

__all__ = ["Suspect", "column_checks", "suspects"]

FloatArray = NDArray[np.float64]

FEWEST_BARS = 100
EXACT = 1e-6  # of the deviation: a mean of 0
EXACT_SPREAD = 1e-4  # a deviation of 1
FEWEST_VALUES = 20  # different ones; fewer are labels or flags
LEADING = 3  # bars of one value at the beginning
EDGE = 0.05  # of the range, from an extreme
SWINGS = 6  # from near one extreme to near the other; as many or more are an oscillator's
FILLED = 100  # whole numbers up to this may stand for "unknown"


@dataclass(frozen=True)
class Suspect:
    """A column whose past cannot be computed again.

    Attributes:
        name: What it is called.
        values: Symbol to (T,); NaN is no value.
        bars: Symbol to the bars they stand in.
    """

    name: str
    values: dict[str, FloatArray]
    bars: dict[str, pd.DataFrame]


def suspects(subject: Subject) -> list[Suspect]:
    """The columns beside prices that inputs read, and the inputs of a user's own functions."""
    found = []
    own: set[str] = set()
    others: set[tuple[str, str]] = set()
    for each in subject.definition.indicators:
        own |= each.columns - set(PRICES)
        others |= {(name, column) for name in each.others for column in each.columns_of(name) - set(PRICES)}
    histories = list(subject.histories())
    for column in sorted(own):
        bars = {each.symbol: each.bars for each in histories if column in each.bars}
        found.append(Suspect(column, {name: _column(each, column) for name, each in bars.items()}, bars))
    for name, column in sorted(others):
        frame = subject.dataset[name]
        found.append(Suspect(f"{column} of {name}", {name: _column(frame, column)}, {name: frame}))
    kinds = [item for item in subject.definition.inputs if not item.is_symbol]
    for item in kinds:
        indicator = Indicator(item.indicator)
        if indicator.own_functions:
            values = {each.symbol: indicator.compute(each.bars, each.others) for each in histories}
            found.append(Suspect(item.name, values, {each.symbol: each.bars for each in histories}))
    return found


def column_checks(subject: Subject, found: Sequence[Suspect]) -> list[Check]:
    """The three traces, in every column that is to be judged by its looks."""
    names = ("later returns", "whole series", "back-filled")
    if not found:
        why = "inputs read prices and volume alone, through functions whose past was computed again"
        return [Check(f"columns: {name}", None, why) for name in names]
    return [_later(subject, found), _whole_series(found), _back_filled(found)]


def _later(subject: Subject, found: Sequence[Suspect]) -> Check:
    name = "columns: later returns"
    limit = "; ".join(
        f"later {block.of} explain more than {block.limit:g} of what is left, and twice what chance does"
        for block in Block
    )
    strongest = (-np.inf, "")
    for suspect in found:
        blocks = later_blocks(subject, suspect.values, suspect.bars)
        for block, (share, chance) in blocks.items():
            said = f"{share:.2f} of what earlier prices leave unexplained in {suspect.name}"
            if share > block.limit and share > 2 * chance:
                said = f"later {block.of} explain {said} (moved along the history: at most {chance:.2f})"
                return Check(name, False, said, limit, kind="alarm")
            strongest = max(strongest, (share / block.limit, f"later {block.of} explain {said}"))
    said = (
        f"of {_named(found)} {strongest[1]}" if strongest[1] else f"{_named(found)}: too few changes to tell"
    )
    return Check(name, True if strongest[1] else None, said, limit, kind="alarm")


def _whole_series(found: Sequence[Suspect]) -> Check:
    name = "columns: whole series"
    limit = f"a mean of 0 ± {EXACT:g} deviations and a deviation of 1, or extremes of 0 and 1, or ranks, over all bars"
    for suspect in found:
        for whose, values in _series(suspect):
            trace = _fitted_to_all(values)
            if trace:
                return Check(name, False, f"{suspect.name} of {whose} has {trace}", limit, kind="alarm")
    return Check(name, True, f"{_named(found)}: no moment of the whole series is exact", limit, kind="alarm")


def _series(suspect: Suspect) -> Iterator[tuple[str, FloatArray]]:
    """Each symbol's values without those that are missing, and all of them together."""
    series = [
        pd.Series(values, index=suspect.bars[symbol].index).dropna()
        for symbol, values in suspect.values.items()
    ]
    if len(series) > 1:
        yield "all symbols", np.asarray(pd.concat(series).sort_index(kind="stable"), dtype=np.float64)
    for symbol, values in zip(suspect.values, series, strict=True):
        yield symbol, np.asarray(values, dtype=np.float64)


def _fitted_to_all(values: FloatArray) -> str:
    """What is exact over the whole series and over no earlier part; empty where nothing is."""
    if len(values) < FEWEST_BARS or len(np.unique(values)) < FEWEST_VALUES:
        return ""
    half = values[: len(values) // 2]
    if _standardised(values) and not _standardised(half):
        return (
            f"mean {values.mean():.1e} and deviation {values.std():.6f} over all {len(values):,} bars, and mean "
            + (f"{half.mean():.2g} over the first half")
        )
    for low in (0.0, -1.0):
        if _stretched(values, low) and not _stretched(half, low):
            return f"extremes of exactly {low:g} and 1, each once in all {len(values):,} bars"
    if _ranked(values):
        return f"the values of ranks among all {len(values):,} bars"
    return ""


def _stretched(values: FloatArray, low: float) -> bool:
    """Whether the extremes are one bar each, and `low` and 1, of what does not swing between them."""
    ends = [np.count_nonzero(values == edge) for edge in (low, 1.0)]
    if values.min() != low or values.max() != 1.0 or ends != [1, 1]:
        return False
    near = EDGE * (1.0 - low)
    sides = np.where(values < low + near, -1, np.where(values > 1.0 - near, 1, 0))
    swings = int(np.count_nonzero(np.diff(sides[sides != 0])))
    return swings < SWINGS


def _ranked(values: FloatArray) -> bool:
    """Whether they are ranks among all bars, as shares, and do not just count them."""
    places = 2 * len(values) * values
    whole = bool(np.abs(places - places.round()).max() < EXACT) and values.min() > 0 and values.max() <= 1
    many = len(np.unique(values)) > len(values) // 2
    return whole and many and not bool((np.diff(values) > 0).all() or (np.diff(values) < 0).all())


def _standardised(values: FloatArray) -> bool:
    spread = values.std()
    if not spread > 0 or abs(values.mean()) > EXACT * spread:
        return False
    one = min(abs(values.std(ddof=ddof) - 1) for ddof in (0, 1))
    return bool(one < EXACT_SPREAD or abs(values.mean()) < EXACT * 1e-3 * spread)


def _back_filled(found: Sequence[Suspect]) -> Check:
    name = "columns: back-filled"
    limit = f"{LEADING} or more leading bars of one value in a column that never stands still again"
    for suspect in found:
        for symbol, values in suspect.values.items():
            known = values[np.isfinite(values)] if np.isnan(values[:1]).any() else values
            run = _leading_run(known)
            if run:
                first = f"{suspect.name} of {symbol} is {known[0]:.6g} on its first {run} bars"
                said = f"{first} and then changes at every bar"
                return Check(name, False, said, limit, kind="alarm")
    return Check(
        name, True, f"{_named(found)}: no leading stretch that was filled from later", limit, kind="alarm"
    )


def _leading_run(values: FloatArray) -> int:
    """Leading bars of one value, where no later stretch is as still; 0 otherwise."""
    if len(values) < FEWEST_BARS:
        return 0
    moves = np.flatnonzero(values[1:] != values[:-1])
    if not len(moves):
        return 0
    run = int(moves[0]) + 1
    unknown = values[0] == round(values[0]) and abs(values[0]) <= FILLED
    later = np.diff(moves)  # bars for which each later value stays
    still = int(later.max(initial=1)) >= min(run, LEADING) or len(values) - 1 - int(moves[-1]) > LEADING
    return 0 if run < LEADING or unknown or still else run


def _column(bars: pd.DataFrame, name: str) -> FloatArray:
    return bars[name].to_numpy(dtype=np.float64)


def _named(found: Sequence[Suspect]) -> str:
    return listed([suspect.name for suspect in found])
