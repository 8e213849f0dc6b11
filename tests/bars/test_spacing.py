import numpy as np
import pandas as pd
import pytest

from dlplugin.bars import DataSet
from dlplugin.bars.spacing import crowded_bars, interval_of, mixed_bars, nanoseconds


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


def mixed(index: pd.DatetimeIndex) -> bool:
    return bool(mixed_bars(nanoseconds(index)).any())


def test_a_month_of_another_interval_is_found_and_shorter_stretches_are_not():
    days = pd.bdate_range("2020-01-01", periods=300)
    for frequency in ("h", "30min", "W-FRI"):
        other = pd.date_range(days[-1] + pd.Timedelta(days=1), periods=40, freq=frequency)
        assert mixed(days.append(other)), frequency
        assert not mixed(days.append(other[:10])), frequency
    months = pd.date_range(days[-1] + pd.Timedelta(days=20), periods=40, freq="BMS")
    assert mixed(days.append(months))
    hours = pd.date_range("2022-01-01", periods=3000, freq="h")
    assert mixed(days.append(hours))


def test_sessions_weekends_holidays_and_missing_bars_are_no_other_interval():
    hours = pd.date_range("2020-01-01", periods=24 * 300, freq="30min", tz="Asia/Kolkata").tz_convert(None)
    assert not mixed(hours[(hours.hour > 3) & (hours.hour < 10) & (hours.day_of_week < 5)])
    assert not mixed(hours[(hours.hour % 12 == 0) & (hours.minute == 0)])  # two bars a session
    days = pd.bdate_range("2020-01-01", periods=600)
    random = np.random.default_rng(0)
    for share in (0.02, 0.2, 0.5):
        assert not mixed(days[random.random(600) > share])
    assert not mixed(pd.date_range("1990-01-31", periods=200, freq="BME"))
    for name in ("sp500", "eurusd-1h"):
        (frame,) = (DataSet.bundled(name)[symbol] for symbol in DataSet.bundled(name))
        assert not mixed(pd.DatetimeIndex(frame.index))


def test_a_bar_nearer_than_half_the_interval_is_crowded():
    days = pd.date_range("2020-01-01", periods=30)
    late = days.append(pd.DatetimeIndex([days[-1] + pd.Timedelta(hours=11)]))
    assert np.flatnonzero(crowded_bars(nanoseconds(late))).tolist() == [30]
    half = days.append(pd.DatetimeIndex([days[-1] + pd.Timedelta(hours=12)]))
    assert not crowded_bars(nanoseconds(half)).any()
