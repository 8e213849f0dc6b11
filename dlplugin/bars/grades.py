"""The table of grades: everything that may be wrong with bars, and what is done about it.

Three grades. *Mended*: the bars are put right and the mend is reported. A mend only sorts, drops or
names the same moment in UTC; it never makes up a value, fills one in from an earlier or a later bar,
or picks one of two. *Warned*: the bars stay as they are, and may well be right, but a result on them
may not mean what it seems to. *Refused*: nobody but their owner can tell what would be right.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from dlplugin.bars import jumps, patterns, spacing, spots, timetable
from dlplugin.bars.findings import Grade
from dlplugin.bars.form import COLUMNS, PRICES
from dlplugin.bars.patterns import MOST_INCOMPLETE, OUTSIDE, ROUNDING, STALE_BARS, nanoseconds_of
from dlplugin.bars.spots import Spot

__all__ = [
    "FEWEST_BARS",
    "OTHER_INTERVAL",
    "TIME_ZONE",
    "TOO_FEW",
    "TROUBLES",
    "UNREADABLE",
    "Trouble",
    "grades_table",
]

FEWEST_BARS = 2

BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Trouble:
    """One row of the table.

    Attributes:
        name: What is wrong, in a few words.
        grade: What is done about it.
        means: When it is found, with its thresholds.
        done: What was done or is advised, as the end of a finding's text.
        remedy: What would be right, as the end of an error.
        offends: Bars (T, columns) to (T,), True where a bar offends. Later rows may count on bars
            that none of the rows before has refused.
        spot: Bars and the row of an offending bar to what is wrong there.
        drops: Whether mending drops the offending bars; otherwise it sorts them.
        each: Whether each offending bar is a finding of its own.
        values: Whether it is looked for in bars with refused values too.
    """

    name: str
    grade: Grade
    means: str
    done: str = ""
    remedy: str = ""
    offends: Callable[[pd.DataFrame], BoolArray] = lambda bars: np.zeros(len(bars), dtype=bool)
    spot: Callable[[pd.DataFrame, int], Spot] = lambda bars, row: Spot("", None)
    drops: bool = False
    each: bool = False
    values: bool = True


def grades_table() -> pd.DataFrame:
    """The table, a row a trouble in the order in which they are looked for: trouble, grade, found when, done."""
    rows = [
        (row.name, row.grade, row.means, row.done)
        for row in (UNREADABLE, TIME_ZONE, *TROUBLES, TOO_FEW, OTHER_INTERVAL)
    ]
    return pd.DataFrame(rows, columns=["trouble", "grade", "found when", "what is done"])


def _at_or_below_zero(price: npt.NDArray[np.float64]) -> BoolArray:
    return price <= 0


def _below_zero(volume: npt.NDArray[np.float64]) -> BoolArray:
    return volume < 0


def _zero(volume: npt.NDArray[np.float64]) -> BoolArray:
    zero: BoolArray = volume == 0
    return zero


UNREADABLE = Trouble(
    "not bars",
    "refused",
    "not a DataFrame or a readable file; a column or date is missing, named twice or unreadable, or text "
    "stands among numbers",
    "left out",
)

TIME_ZONE = Trouble(
    "time zone",
    "mended",
    "dates have a time zone, or offsets that change with summer time",
    "turned into UTC; days, which are midnight there, keep their day",
)

CORRECT = "correct it or drop that bar"

TROUBLES: tuple[Trouble, ...] = (
    Trouble(
        "unsorted dates",
        "mended",
        "a date lies before the one in front of it",
        "sorted by date",
        "sort the bars by date, oldest first",
        lambda bars: patterns.steps(bars) < 0,
        spots.unsorted_spot,
    ),
    Trouble(
        "missing bar",
        "mended",
        "open, high, low and close are all missing (NaN): before the listing, after the end, on a holiday",
        "dropped",
        "drop that bar",
        patterns.no_prices,
        spots.no_prices_spot,
        drops=True,
    ),
    Trouble(
        "missing value",
        "mended",
        f"some but not all of the five values are missing, in at most {MOST_INCOMPLETE:.0%} of the bars or in one",
        "dropped",
        "fill it or drop that bar",
        lambda bars: patterns.incomplete(bars, many=False),
        spots.value_spot(COLUMNS, np.isnan),
        drops=True,
    ),
    Trouble(
        "missing values",
        "refused",
        f"some but not all of the five values are missing, in more than {MOST_INCOMPLETE:.0%} of the bars",
        "left out",
        "fill it or drop that bar",
        lambda bars: patterns.incomplete(bars, many=True),
        spots.value_spot(COLUMNS, np.isnan),
    ),
    Trouble(
        "duplicate bar",
        "mended",
        "two bars have one date and the same values",
        "one kept",
        "keep one bar a date",
        lambda bars: patterns.repeated(bars, same=True),
        spots.twice_spot,
        drops=True,
    ),
    Trouble(
        "two bars at one date",
        "refused",
        "two bars have one date and different values",
        "left out",
        "keep the right one, or write local times with their zone",
        lambda bars: patterns.repeated(bars, same=False),
        spots.different_spot,
    ),
    Trouble(
        "infinite value",
        "refused",
        "a value of any column is infinite",
        "left out",
        CORRECT,
        spots.any_value(None, np.isinf),
        spots.value_spot(None, np.isinf),
    ),
    Trouble(
        "price not above 0",
        "refused",
        "a price is 0 or negative",
        "left out",
        f"prices are above 0: {CORRECT}",
        spots.any_value(PRICES, _at_or_below_zero),
        spots.value_spot(PRICES, _at_or_below_zero),
    ),
    Trouble(
        "negative volume",
        "refused",
        "volume is below 0",
        "left out",
        f"volume is 0 or more: {CORRECT}",
        spots.any_value(("volume",), _below_zero),
        spots.value_spot(("volume",), _below_zero),
    ),
    Trouble(
        "high below low",
        "refused",
        "high is below low",
        "left out",
        CORRECT,
        lambda bars: bars["high"].to_numpy() < bars["low"].to_numpy(),
        spots.high_below_low_spot,
    ),
    Trouble(
        "open or close outside the bar",
        "refused",
        f"open or close lies above high or below low by more than {OUTSIDE:.0%} of the price",
        "left out",
        CORRECT,
        lambda bars: patterns.outside(bars, OUTSIDE),
        spots.outside_spot,
    ),
    Trouble(
        "mixed intervals",
        "refused",
        f"{spacing.MIXED_BARS} spacings in a row, {spacing.MIXED_SHARE:.0%} of them alike (within "
        f"{spacing.ALIKE:.0%}), are more than {spacing.MIXED_FACTOR:g} times longer or shorter than the median",
        "left out",
        "bars of one symbol have one interval: keep one of them",
        lambda bars: spacing.mixed_bars(nanoseconds_of(bars)),
        spots.mixed_spot,
        values=False,
    ),
    Trouble(
        "open or close just outside the bar",
        "warned",
        f"open or close lies above high or below low by more than rounding ({ROUNDING:.1%}) and at most {OUTSIDE:.0%}",
        "orders there would not have been filled",
        "",
        lambda bars: patterns.outside(bars, ROUNDING),
        spots.outside_spot,
        values=False,
    ),
    Trouble(
        "zero volume",
        "warned",
        "volume is 0",
        "nothing was traded, or the volume is not known: no order would have been filled",
        "",
        spots.any_value(("volume",), _zero),
        spots.value_spot(("volume",), _zero),
        values=False,
    ),
    Trouble(
        "unadjusted split",
        "warned",
        f"the open differs from the close before by about a split's ratio (4/3 to 100, or its inverse), "
        f"by {jumps.SPLIT_SCALES:g} of the usual moves around, and the level stays",
        "adjust the bars before it if it is one",
        "",
        jumps.split_jumps,
        spots.split_spot,
        each=True,
        values=False,
    ),
    Trouble(
        "extreme jump",
        "warned",
        f"from one close to the next open or close: a factor of {jumps.JUMP_LARGE:g}; of {jumps.JUMP_FACTOR:g} "
        f"and {jumps.JUMP_SCALES:g} usual moves; or {jumps.JUMP_SMALL:.0%} and {jumps.JUMP_CALM:g} usual moves "
        f"between neighbours; or high or low {jumps.SPIKE_FACTOR:g} times beyond open and close",
        "a result may rest on it: compare with another source",
        "",
        jumps.extreme_jumps,
        spots.jump_spot,
        each=True,
        values=False,
    ),
    Trouble(
        "gap",
        "warned",
        f"{timetable.HOLE_BARS} days of trading or {timetable.HOLE_DAYS} days without a bar, or two thirds of a "
        "day's bars inside a session (nights, weekends and holidays are none); "
        f"where bars are more than a day apart, {timetable.HOLE_STEPS} of them and {timetable.HOLE_STEPS_DAYS} days",
        "indicators reach across it as if no time had passed",
        "",
        lambda bars: timetable.long_holes(nanoseconds_of(bars)),
        spots.gap_spot,
        each=True,
        values=False,
    ),
    Trouble(
        "stale prices",
        "warned",
        f"open, high, low and close are the same in {STALE_BARS} or more bars in a row",
        "a halt, or a vendor who repeats the last price",
        "",
        patterns.stale,
        spots.stale_spot,
        each=True,
        values=False,
    ),
    Trouble(
        "crowded bars",
        "warned",
        f"a bar follows the one before after less than {spacing.CROWDED:g} of the interval",
        "perhaps a bar that was still forming, or a Sunday's",
        "",
        lambda bars: spacing.crowded_bars(nanoseconds_of(bars)),
        spots.crowded_spot,
        values=False,
    ),
)
"""What may be wrong with bars in their form, in the order in which it is looked for."""

TOO_FEW = Trouble(
    "too few bars",
    "refused",
    f"fewer than {FEWEST_BARS} bars are there, or are left",
    "left out",
    "load more history",
)

OTHER_INTERVAL = Trouble(
    "another interval",
    "refused",
    "the bars are of another interval than those of most symbols of the DataSet",
    "left out",
)
