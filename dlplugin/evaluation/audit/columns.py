"""Traces of the future in columns that cannot be computed again: those that came with the bars.

A column beside the prices is the same however the bars are cut, so it is judged by what it looks
like. Each trace has its threshold, and what honest columns show is far from it:

    later returns     What earlier prices leave unexplained of the column's changes, later returns (or
                      later absolute returns, or later volumes) explain: a partial R². The same is
                      asked of the column moved along the history, which shows what chance does; of each
                      symbol alone; and of the steps of a column that stands still between them.
    whole series      Its mean and its deviation are 0 and 1, or other round numbers, or its median is 0
                      and its quartiles are 1 apart, or its extremes are 0 and 1, or 0 and 100, exactly,
                      over the whole series of a symbol or of all symbols, and over no earlier part of
                      it; or its values are ranks among all bars.
    back-filled       It begins with a stretch of one value, after which it changes at every bar.

The same is asked of inputs that functions of a user's own compute, which may read anything.

What leaves no such trace is not found: a later value under noise of three times its size, a later range
or volatility that could nearly be foretold, a figure dated by the day it was of and not by the day it was
published, gaps inside the history filled from later, a series that was cut, rounded to two digits or moved
after it was scaled, a leak of fewer than some hundred bars. Prices and volumes themselves are taken as they
are: a volume that was made of later returns is not found. A column that is honestly constant at its
beginning and changes at every bar from then on is suspected of back-filling.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dlplugin.evaluation.audit.leads import Block, later_blocks
from dlplugin.evaluation.audit.result import Check
from dlplugin.evaluation.audit.steps import STEP_LIMIT, later_steps
from dlplugin.evaluation.audit.subject import PRICES, Subject, listed
from dlplugin.indicators import Indicator
from dlplugin.indicators.times import instants

__all__ = ["Suspect", "column_checks", "suspects"]

FloatArray = NDArray[np.float64]

FEWEST_BARS = 100
EXACT = 1e-6  # of the deviation: a mean of 0
EXACT_SPREAD = 1e-4  # a deviation of 1
FLOAT = 1e-9  # of the deviation: what computing leaves of a round number
SINGLE = 2.0  # times the limits where one symbol of several is looked at
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
    limit += f" (of one symbol alone {SINGLE:g} times as much); or {STEP_LIMIT:g} of a column's steps"
    strongest = (-np.inf, "")
    for suspect in found:
        for whose, factor, values in _parts(suspect):
            for block, (share, chance) in later_blocks(subject, values, suspect.bars).items():
                said = f"{share:.2f} of what earlier prices leave unexplained in {suspect.name}{whose}"
                if share > factor * block.limit and share > 2 * chance:
                    said = f"later {block.of} explain {said} (moved along the history: at most {chance:.2f})"
                    return Check(name, False, said, limit, kind="alarm")
                strongest = max(strongest, (share / factor / block.limit, f"later {block.of} explain {said}"))
        share = later_steps(subject, suspect.values, suspect.bars)
        if share > STEP_LIMIT:
            said = f"returns until its next step explain {share:.2f} of the steps of {suspect.name}"
            return Check(name, False, said, limit, kind="alarm")
    said = (
        f"of {_named(found)} {strongest[1]}" if strongest[1] else f"{_named(found)}: too few changes to tell"
    )
    return Check(name, True if strongest[1] else None, said, limit, kind="alarm")


def _parts(suspect: Suspect) -> Iterator[tuple[str, float, dict[str, FloatArray]]]:
    """All symbols together, then each alone, with what multiplies its limits."""
    yield "", 1.0, suspect.values
    if len(suspect.values) > 1:
        for symbol, values in suspect.values.items():
            yield f" of {symbol}", SINGLE, {symbol: values}


def _whole_series(found: Sequence[Suspect]) -> Check:
    name = "columns: whole series"
    limit = (
        f"a mean of 0 ± {EXACT:g} deviations and a deviation of 1 (or other round numbers), a median of 0 and "
        "quartiles 1 apart, extremes of 0 and 1 (or 100), or ranks, over all bars"
    )
    for suspect in found:
        for whose, values, half in _series(suspect):
            trace = _fitted_to_all(values, half)
            if trace:
                return Check(name, False, f"{suspect.name} of {whose} has {trace}", limit, kind="alarm")
    return Check(name, True, f"{_named(found)}: no moment of the whole series is exact", limit, kind="alarm")


def _series(suspect: Suspect) -> Iterator[tuple[str, FloatArray, FloatArray]]:
    """Each symbol's values without those that are missing, and all of them together; and their first halves.

    A half ends with a whole timestamp: what is standardised across the symbols of each is so in a half as well.
    """
    series = [
        pd.Series(values, index=suspect.bars[symbol].index).dropna()
        for symbol, values in suspect.values.items()
    ]
    if len(series) > 1:
        series = [*series, pd.concat(series).sort_index(kind="stable")]
    for whose, values in zip([*suspect.values, "all symbols"], series, strict=False):
        whole = np.asarray(values, dtype=np.float64)
        half = np.searchsorted(instants(values.index), instants(values.index[len(values) // 2 :][:1]))
        yield whose, whole, whole[: int(half[0]) if len(half) else 0]


def _fitted_to_all(values: FloatArray, half: FloatArray) -> str:
    """What is exact over the whole series and over no earlier part; empty where nothing is."""
    if len(values) < FEWEST_BARS or len(np.unique(values)) < FEWEST_VALUES:
        return ""
    if _standardised(values) and not _standardised(half):
        return (
            f"mean {values.mean():.1e} and deviation {values.std():.6f} over all {len(values):,} bars, and mean "
            + (f"{half.mean():.2g} over the first half")
        )
    if _quartered(values) and not _quartered(half):
        return (
            f"median {np.median(values):.1e}, and quartiles that are 1 apart, over all {len(values):,} bars"
        )
    for low, high in ((0.0, 1.0), (-1.0, 1.0), (0.0, 100.0), (-100.0, 100.0)):
        if _stretched(values, low, high) and not _stretched(half, low, high):
            return f"extremes of exactly {low:g} and {high:g}, each once in all {len(values):,} bars"
    if _ranked(values):
        return f"the values of ranks among all {len(values):,} bars"
    return ""


def _stretched(values: FloatArray, low: float, high: float) -> bool:
    """Whether the extremes are one bar each, and `low` and `high`, of what does not swing between them."""
    ends = [np.count_nonzero(values == edge) for edge in (low, high)]
    if values.min() != low or values.max() != high or ends != [1, 1]:
        return False
    near = EDGE * (high - low)
    sides = np.where(values < low + near, -1, np.where(values > high - near, 1, 0))
    swings = int(np.count_nonzero(np.diff(sides[sides != 0])))
    return swings < SWINGS


def _ranked(values: FloatArray) -> bool:
    """Whether they are ranks among all bars, as shares, and do not just count them."""
    places = 2 * len(values) * values
    whole = bool(np.abs(places - places.round()).max() < EXACT) and values.min() > 0 and values.max() <= 1
    many = len(np.unique(values)) > len(values) // 2
    return whole and many and not bool((np.diff(values) > 0).all() or (np.diff(values) < 0).all())


def _standardised(values: FloatArray) -> bool:
    spread, mean = values.std(), values.mean()
    if not spread > 0:
        return False
    deviations = [values.std(ddof=ddof) for ddof in (0, 1)]
    if _is_round(mean, spread) and any(_is_round(each, spread) for each in deviations):
        return True
    slack = _rounding(values)
    if abs(mean) > max(EXACT * spread, slack):
        return False
    one = min(abs(each - 1) for each in deviations)
    return bool(one < (slack or EXACT_SPREAD) or abs(mean) < EXACT * 1e-3 * spread)


def _is_round(value: float, spread: float) -> bool:
    """Whether it is a number of two digits, as 50, 15 or 0.1, to what computing in float64 leaves of it."""
    return bool(abs(float(f"{value:.1e}") - value) < FLOAT * spread) if abs(value) > FLOAT * spread else True


def _rounding(values: FloatArray) -> float:
    """What rounding to three to six digits after the point moves a mean by, four times; 0 where there was none."""
    for digits in (3, 4, 5, 6):
        if (np.round(values, digits) == values).all():
            return float(4 * 0.29 * 10.0**-digits / np.sqrt(len(values)))
    return 0.0


def _quartered(values: FloatArray) -> bool:
    """Whether the median is 0 and the quartiles are 1 apart, of values that hardly repeat."""
    low, middle, high = np.quantile(values, (0.25, 0.5, 0.75))
    many = len(np.unique(values)) > len(values) // 2
    return bool(many and abs(middle) < FLOAT and abs(high - low - 1) < FLOAT)


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
