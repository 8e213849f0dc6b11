from collections import Counter

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlplugin.bars import DataSet
from dlplugin.bars.spacing import interval_of, missing_from_calendar, missing_from_timetable


@pytest.mark.parametrize(
    ("frequency", "interval"),
    [
        ("s", "1s"),
        ("500ms", "0.5s"),
        ("90s", "90s"),
        ("min", "1m"),
        ("30min", "30m"),
        ("90min", "90m"),
        ("h", "1h"),
        ("4h", "4h"),
        ("D", "1d"),
        ("B", "1d"),
        ("W", "1w"),
        ("14D", "2w"),
        ("MS", "1mo"),
        ("BME", "1mo"),
        ("QE", "3mo"),
        ("YE", "1y"),
    ],
)
def test_the_interval_is_the_median_spacing(frequency, interval):
    assert interval_of(pd.date_range("2020-01-01", periods=40, freq=frequency)) == interval


def test_nights_and_missing_days_do_not_change_the_interval():
    hours = pd.date_range("2020-01-01", periods=24 * 40, freq="h")
    assert interval_of(hours[(hours.hour >= 9) & (hours.hour < 16)]) == "1h"
    days = pd.bdate_range("2020-01-01", periods=200)
    assert interval_of(days.delete(range(0, 200, 7))) == "1d"


def test_real_sets_have_their_interval():
    assert [DataSet.bundled(name).interval for name in ("us-stocks", "sp500", "eurusd-1h")] == [
        "1d",
        "1d",
        "1h",
    ]


def test_bars_that_a_calendar_has_and_the_symbol_has_not_are_missing():
    calendar = pd.bdate_range("2020-01-01", periods=50)
    assert missing_from_calendar(calendar, calendar) == 0
    assert missing_from_calendar(calendar[10:40].delete([3, 4, 20]), calendar) == 3


def test_the_missing_days_of_an_index_alone_are_the_weekdays_without_a_bar():
    index = DataSet.bundled("sp500")["SP500"].index
    weekdays = np.busday_count(index[0].date(), index[-1].date()) + 1
    assert missing_from_timetable(index) == weekdays - len(index) == 185


def test_weekends_are_no_gaps_for_stocks_and_are_for_what_trades_every_day():
    assert missing_from_timetable(pd.bdate_range("2020-01-01", periods=100)) == 0
    days = pd.date_range("2020-01-01", periods=100)
    assert missing_from_timetable(days) == 0
    assert missing_from_timetable(days.delete([50, 51, 70])) == 3


def test_missing_weeks_and_months_are_counted_by_spacing():
    weeks = pd.date_range("2020-01-03", periods=60, freq="W-FRI")
    assert missing_from_timetable(weeks) == 0
    assert missing_from_timetable(weeks.delete([10, 11, 30])) == 3
    moved = weeks.to_numpy().copy()
    moved[14] -= np.timedelta64(1, "D")
    assert missing_from_timetable(pd.DatetimeIndex(moved)) == 0
    assert missing_from_timetable(pd.DatetimeIndex(moved).delete(13)) == 1
    months = pd.date_range("2020-01-31", periods=60, freq="BME")
    assert missing_from_timetable(months.delete([13])) == 1


@given(
    hours=st.sets(st.integers(0, 24 * 7 * 5), min_size=2, max_size=120),
    start=st.datetimes(pd.Timestamp("1960-01-01"), pd.Timestamp("2030-01-01")),
)
def test_the_timetable_counts_what_a_slow_reading_of_it_counts(hours, start):
    begin = pd.Timestamp(start).floor("h")
    index = pd.DatetimeIndex([begin + pd.Timedelta(hours=hour) for hour in sorted(hours)])
    spacings = sorted(np.diff(index.to_numpy()))
    if spacings[(len(spacings) - 1) // 2] > pd.Timedelta(days=1):
        return
    weeks = {date.to_period("W") for date in index}
    slots = Counter((date.day_of_week, date.hour) for date in index)
    expected = [
        hour
        for hour in pd.date_range(index[0], index[-1], freq="h")
        if 2 * slots[hour.day_of_week, hour.hour] >= len(weeks)
    ]
    assert missing_from_timetable(index) == sum(hour not in index for hour in expected)
