from bisect import bisect_left
from collections import Counter

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlplugin.bars import DataSet, timetable
from dlplugin.bars.spacing import nanoseconds
from dlplugin.bars.timetable import long_holes, missing_from_calendar, missing_from_timetable


def session(start: str, days: int, first: str, last: str, frequency: str, zone: str) -> pd.DatetimeIndex:
    """UTC times of an exchange's bars on weekdays, from its local hours."""
    times = pd.date_range(start, periods=days * 24 * 60 // 15, freq="15min", tz=zone)
    steps = pd.Timedelta(frequency) // pd.Timedelta("15min")
    local = times[(times.day_of_week < 5)]
    inside = local[[first <= text <= last for text in local.strftime("%H:%M")]]
    begin = pd.Timestamp(f"2000-01-01 {first}")
    kept = [
        (pd.Timestamp(f"2000-01-01 {text}") - begin) // pd.Timedelta("15min") % steps == 0
        for text in inside.strftime("%H:%M")
    ]
    return inside[kept].tz_convert("UTC").tz_localize(None)


SESSIONS = {
    "new york": session("2019-01-01", 800, "09:30", "15:30", "1h", "America/New_York"),
    "mumbai": session("2019-01-01", 800, "09:15", "15:15", "30min", "Asia/Kolkata"),
    "adelaide": session("2019-01-01", 800, "10:00", "16:00", "30min", "Australia/Adelaide"),
    "london": session("2019-01-01", 800, "08:00", "16:30", "30min", "Europe/London"),
}


def holes(index: pd.DatetimeIndex) -> list[int]:
    return np.flatnonzero(long_holes(nanoseconds(index))).tolist()


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


@pytest.mark.parametrize("place", SESSIONS)
def test_nights_weekends_and_clock_changes_are_no_gaps(place):
    index = SESSIONS[place]
    assert index.is_monotonic_increasing
    assert index.is_unique
    assert missing_from_timetable(index) == 0
    assert holes(index) == []


def test_times_of_currencies_over_a_clock_change_are_no_gaps():
    hours = pd.date_range("2020-01-01", periods=24 * 700, freq="h", tz="America/New_York")
    minutes = hours.day_of_week * 24 + hours.hour
    open_ = hours[(minutes < 4 * 24 + 17) | (minutes >= 6 * 24 + 17)].tz_convert("UTC").tz_localize(None)
    assert missing_from_timetable(open_) == 0
    assert holes(open_) == []


@pytest.mark.parametrize("place", SESSIONS)
def test_bars_missing_inside_a_session_are_gaps(place):
    index = SESSIONS[place]
    day = index[index.normalize() == index[1000].normalize()]
    assert missing_from_timetable(index.drop(day[2:4])) == 2
    assert holes(index.drop(day[2:4])) == []
    most = day[1:-1]  # a session of all but its first and last bars
    assert holes(index.drop(most)) == [index.get_loc(day[0]) + 1]
    assert holes(index.drop(day[len(day) // 2 :])) == []  # an early close
    assert holes(index.drop(day)) == []  # a holiday
    assert missing_from_timetable(index.drop(day)) == len(day)


def test_a_day_that_ends_very_early_is_no_hole_since_the_night_breaks_it():
    index = SESSIONS["mumbai"]
    day = index[index.normalize() == index[1000].normalize()]
    assert holes(index.drop(day[2:])) == []
    assert missing_from_timetable(index.drop(day[2:])) == len(day) - 2


def test_a_holiday_of_what_trades_round_the_clock_on_weekdays_is_no_hole():
    hours = pd.date_range("2020-01-01", periods=24 * 200, freq="h")
    weekdays = hours[hours.day_of_week < 5]
    wednesday = weekdays[weekdays.normalize() == pd.Timestamp("2020-04-08")]
    assert holes(weekdays.drop(wednesday)) == []
    assert holes(weekdays.drop(wednesday[1:20])) == [weekdays.get_loc(wednesday[0]) + 1]


def test_ten_missing_days_are_a_long_hole_and_nine_are_not():
    days = pd.bdate_range("2020-01-01", periods=200)
    assert holes(days.delete(range(50, 59))) == []
    assert holes(days.delete(range(50, 60))) == [50]
    assert missing_from_timetable(days.delete(range(50, 130))) == 80
    assert holes(days.delete(range(50, 130))) == [50]
    index = SESSIONS["new york"]
    assert holes(index.delete(range(700, 763))) == []
    assert holes(index.delete(range(700, 770))) == [700]


def test_what_never_closes_has_a_hole_after_two_thirds_of_a_day():
    hours = pd.date_range("2020-01-01", periods=24 * 100, freq="h")
    assert holes(hours.delete(range(500, 515))) == []
    assert holes(hours.delete(range(500, 516))) == [500]
    assert holes(hours.delete(range(500, 550))) == [500]


@pytest.mark.parametrize(("frequency", "fewest"), [("W-FRI", 4), ("BME", 3)])
def test_a_month_of_weeks_and_three_months_are_a_long_hole(frequency, fewest):
    index = pd.date_range("2010-01-01", periods=60, freq=frequency)
    assert holes(index.delete(range(20, 20 + fewest - 1))) == []
    assert holes(index.delete(range(20, 20 + fewest))) == [20]


@pytest.mark.parametrize(("a_day", "days"), [(4.0, 14), (0.4, 30)])
def test_bars_at_odd_times_have_a_hole_after_two_weeks_or_a_month(a_day, days):
    seconds = np.cumsum(np.random.default_rng(1).integers(3600, int(2 * 86_400 / a_day), 1200))
    times = pd.Timestamp("2020-01-01") + pd.to_timedelta(seconds, "s")
    most = np.diff(times).max()
    assert most < pd.Timedelta(days=days)
    for moved, expected in ((-0.1, []), (0.1, [600])):
        step = pd.Timedelta(days=days + moved) - (times[600] - times[599])
        assert holes(times[:600].append(times[600:] + step)) == expected


def test_another_exchanges_hours_are_not_expected_of_a_symbol():
    new_york, mumbai = SESSIONS["new york"], SESSIONS["mumbai"]
    calendar = new_york.union(mumbai)
    assert missing_from_calendar(new_york, calendar) == 0
    assert missing_from_calendar(mumbai, calendar) == 0
    gone = new_york.delete(range(40, 43))
    assert missing_from_calendar(gone, calendar) == 3
    assert missing_from_calendar(gone, gone.union(mumbai)) == 0  # nobody has them


def test_the_timetable_is_the_same_however_little_memory_it_takes(monkeypatch):
    index = SESSIONS["london"].delete(range(300, 400, 7))
    dates = nanoseconds(index)
    whole = timetable._expected(dates)
    monkeypatch.setattr(timetable, "CELLS_AT_ONCE", 1)
    assert np.array_equal(timetable._expected(dates), whole)


@given(
    hours=st.sets(st.integers(0, 24 * 7 * 16), min_size=2, max_size=150),
    start=st.datetimes(pd.Timestamp("1960-01-01"), pd.Timestamp("2030-01-01")),
    daily=st.booleans(),
)
def test_the_timetable_counts_what_a_slow_reading_of_it_counts(hours, start, daily):
    begin = pd.Timestamp(start).floor("h")
    step = 24 if daily else 1
    index = pd.DatetimeIndex(
        sorted({begin + pd.Timedelta(hours=hour // step * step) for hour in sorted(hours)})
    )
    spacings = sorted(np.diff(index.to_numpy()))
    if len(index) < 2 or spacings[(len(spacings) - 1) // 2] > pd.Timedelta(days=1):
        return

    def week(date: pd.Timestamp) -> int:
        return (date - pd.Timestamp("1950-01-07")) // pd.Timedelta(days=7)  # a Saturday

    active = sorted({week(date) for date in index})
    slots = Counter((week(date), date.day_of_week, date.hour) for date in index)
    missing = 0
    for hour in pd.date_range(index[0], index[-1], freq="h"):
        place = bisect_left(active, week(hour))
        near = active[max(place - 4, 0) : place + 5]
        filled = sum(slots[number, hour.day_of_week, hour.hour] for number in near)
        missing += hour not in index and 2 * filled > len(near)
    assert missing_from_timetable(index) == missing


@pytest.mark.parametrize("name", ["us-stocks", "sp500", "eurusd-1h"])
def test_bundled_bars_have_no_long_holes(name):
    dataset = DataSet.bundled(name)
    assert [holes(pd.DatetimeIndex(dataset[symbol].index)) for symbol in dataset] == [[]] * len(dataset)
