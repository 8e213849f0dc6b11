"""When bars are expected: a symbol's own weekly timetable, what is missing from it, and long holes.

Nothing here knows an exchange. A session is what the bars show: a time of the week (weekday and time
of day, to the nanosecond) is expected to have a bar when it has one in most of the nearest nine
weeks that have bars. So nights, weekends and lunch breaks are not expected, and when the clocks
change and a session moves by an hour in UTC, its timetable moves in that week. Weeks begin on
Saturday, when the sessions of most markets have ended and clocks have not changed yet.
"""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from dlplugin.bars.spacing import DAY, WEEK, median_spacing, nanoseconds

__all__ = [
    "HOLE_BARS",
    "HOLE_DAYS",
    "HOLE_SHARE",
    "HOLE_STEPS",
    "HOLE_STEPS_DAYS",
    "describe_bars",
    "long_holes",
    "missing_from_calendar",
    "missing_from_timetable",
]

WEEKS_AROUND = 4
"""Weeks before and after a week that decide, with it, what is expected of it."""

HOLE_BARS = 10
"""Days of trading without a bar that make a long hole; the longest holidays take eight."""
HOLE_SHARE = 2 / 3
"""Share of a day's bars missing in a row, inside a session, that makes a long hole; a day that
ends early for a holiday misses less."""
FEWEST_INSIDE = 3
"""Bars missing in a row, inside a session, that a long hole has at least."""
HOLE_DAYS = 14
"""Days without a bar that are a long hole in any bars of up to one day; the longest closure of a
large exchange, at a lunar new year, took eleven."""
HOLE_STEPS = 3
HOLE_STEPS_DAYS = 30
"""Bars missing in a row, and days without a bar, that make a long hole where bars are more than a
day apart."""

CELLS_AT_ONCE = 1 << 22
"""Bounds the memory that a timetable takes."""

Dates = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
SATURDAY = pd.Timestamp("1970-01-03").value


def describe_bars(bars: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """What each symbol has: first and last date, bars, and gaps; see `DataSet.describe`.

    Returns:
        (symbols, 4): first, last, bars, gaps.
    """
    indexes = {symbol: pd.DatetimeIndex(frame.index) for symbol, frame in bars.items()}
    calendar = pd.DatetimeIndex(np.unique(np.concatenate([*indexes.values()])))
    return pd.DataFrame(
        [
            {
                "first": index[0],
                "last": index[-1],
                "bars": len(index),
                "gaps": missing_from_calendar(index, calendar)
                if len(indexes) > 1
                else missing_from_timetable(index),
            }
            for index in indexes.values()
        ],
        index=pd.Index([*indexes], name="symbol"),
    )


def missing_from_calendar(index: pd.DatetimeIndex, calendar: pd.DatetimeIndex) -> int:
    """How many of a calendar's dates from the first bar to the last have no bar.

    Where bars are less than a day apart, only times of the symbol's own timetable count: what trades
    while its exchange is closed is not missing.

    Args:
        index: (T,) sorted dates of the bars, all in the calendar; T at least 2.
        calendar: Sorted dates on which a bar is expected.
    """
    dates = nanoseconds(index)
    expected = nanoseconds(calendar[(calendar >= index[0]) & (calendar <= index[-1])])
    missing = expected[np.isin(expected, dates, invert=True)]
    if len(missing) and median_spacing(dates) < DAY:
        missing = missing[np.isin(missing, _expected(dates))]
    return len(missing)


def missing_from_timetable(index: pd.DatetimeIndex) -> int:
    """How many bars are missing from the bars' own weekly timetable.

    Up to one day apart: the times that the timetable expects, inside sessions only. An exchange's
    holidays count as missing, since nothing in one symbol's bars tells them from missing data.
    Further apart: the spacings that the median one fits into more than once (rounded).

    Args:
        index: (T,) sorted dates, T at least 2.
    """
    dates = nanoseconds(index)
    if median_spacing(dates) > DAY:
        return int(_missing_steps(dates).sum())
    return int(np.isin(_expected(dates), dates, invert=True).sum())


def long_holes(dates: Dates) -> BoolArray:
    """(T,) whether a bar is the first after a long hole.

    Up to one day apart a hole is long when `HOLE_BARS` days' bars that the timetable expects are
    missing in a row, or no bar came for `HOLE_DAYS` days; or, inside a session (with no break of the
    timetable in it), `HOLE_SHARE` of a day's bars: within one day, or at any length where trading
    never pauses. Nights, weekends and holidays are none. Further apart: `HOLE_STEPS` bars missing and
    no bar for `HOLE_STEPS_DAYS` days.

    Args:
        dates: (T,) sorted nanoseconds.
    """
    holes = np.zeros(len(dates), dtype=bool)
    if len(dates) < 3:
        return holes
    spacings, interval = np.diff(dates), median_spacing(dates)
    if interval > DAY:
        holes[1:] = (_missing_steps(dates) >= HOLE_STEPS) & (spacings > HOLE_STEPS_DAYS * DAY)
        return holes
    long = spacings > HOLE_DAYS * DAY
    fewest = HOLE_BARS if interval == DAY else FEWEST_INSIDE
    if (spacings > fewest * interval).any():
        a_day = _bars_a_day(dates)
        inside = max(FEWEST_INSIDE, HOLE_SHARE * a_day)
        expected = _expected(dates)
        absent = expected[np.isin(expected, dates, invert=True)]
        missing = np.diff(np.searchsorted(absent, dates))
        long |= missing >= HOLE_BARS * a_day
        if interval < DAY:
            unbroken = spacings <= (missing + 1) * interval
            always_open = a_day * interval >= DAY and _days_a_week(dates) == 7
            long |= (missing >= inside) & unbroken & ((spacings < DAY) | always_open)
    holes[1:] = long
    return holes


def _missing_steps(dates: Dates) -> Dates:
    """(T - 1,) how often the median spacing fits into each one beyond the first time."""
    steps: Dates = np.maximum(np.rint(np.diff(dates) / median_spacing(dates)) - 1, 0).astype(np.int64)
    return steps


def _bars_a_day(dates: Dates) -> float:
    return float(np.median(np.unique(dates // DAY, return_counts=True)[1]))


def _days_a_week(dates: Dates) -> float:
    """Median number of days with bars in a week that has bars."""
    days = np.unique(dates // DAY)
    weeks = (days * DAY - SATURDAY) // WEEK
    return float(np.median(np.unique(weeks, return_counts=True)[1]))


def _expected(dates: Dates) -> Dates:
    """Sorted times from the first bar to the last at which the timetable expects a bar."""
    weeks, times = np.divmod(dates - SATURDAY, WEEK)
    slots, slot_of, filled_weeks = np.unique(times, return_inverse=True, return_counts=True)
    active, week_of = np.unique(weeks, return_inverse=True)
    # No window has fewer weeks: bars at odd times have no timetable, and need no memory for one.
    common = 2 * filled_weeks > min(len(active), WEEKS_AROUND + 1)
    if not common.all():
        place_of = np.cumsum(common) - 1
        kept = common[slot_of]
        slots, slot_of, week_of = slots[common], place_of[slot_of[kept]], week_of[kept]
    if not len(slots):
        return np.empty(0, dtype=np.int64)
    every = np.arange(active[0], active[-1] + 1)
    # The nearest active weeks of each week: around its place among them.
    place = np.clip(np.searchsorted(active, every), 0, len(active) - 1)
    first = np.maximum(place - WEEKS_AROUND, 0)
    last = np.minimum(place + WEEKS_AROUND + 1, len(active))
    order = np.argsort(slot_of, kind="stable")
    bounds = np.searchsorted(slot_of[order], np.arange(len(slots) + 1))
    found = []
    step = max(1, CELLS_AT_ONCE // (len(every) + 1))
    for start in range(0, len(slots), step):
        stop = min(start + step, len(slots))
        rows = order[bounds[start] : bounds[stop]]
        filled = np.zeros((stop - start, len(active) + 1), dtype=np.int32)
        filled[slot_of[rows] - start, week_of[rows] + 1] = 1
        counts = filled.cumsum(axis=1)
        due = 2 * (counts[:, last] - counts[:, first]) > last - first
        slot, week = np.nonzero(due)
        found.append(slots[start + slot] + every[week] * WEEK + SATURDAY)
    expected = np.sort(np.concatenate(found))
    chosen: Dates = expected[(expected >= dates[0]) & (expected <= dates[-1])]
    return chosen
