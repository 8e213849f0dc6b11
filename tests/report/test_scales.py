import itertools
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlplugin.report.scales import Scale, date_ticks, padded, spread, tick_decimals, ticks

FINITE = st.floats(-1e9, 1e9, allow_nan=False)


@given(FINITE, st.floats(1e-6, 1e9), st.integers(2, 12))
def test_ticks_are_inside_evenly_spaced_and_not_too_many(low, width, most):
    high = low + width
    if high <= low:
        return
    found = ticks(low, high, most)

    assert len(found) <= most
    slack = 1e-8 * max(abs(low), abs(high), width)
    assert all(low - slack <= tick <= high + slack for tick in found)
    assert np.allclose(np.diff(found, 2), 0, atol=10 * slack)


@pytest.mark.parametrize("size", [1e-13, 1e-6, 1.0, 1e12])
def test_ticks_of_any_size_are_told_apart(size):
    found = ticks(0.0, size, 5)
    assert len(set(found)) == len(found) == 5
    assert found[-1] == pytest.approx(size)


@given(st.floats(-1e4, 1e4), st.floats(0.01, 1e4), st.integers(4, 12))
def test_there_are_always_some_ticks(low, width, most):
    assert len(ticks(low, low + width, most)) >= 1


@given(st.lists(st.floats(0, 200), min_size=1, max_size=6))
def test_labels_are_kept_apart_inside_their_panel_and_in_order(wanted):
    placed = spread(wanted, 16.0, 0.0, 200.0)

    order = sorted(range(len(wanted)), key=lambda i: (wanted[i], placed[i]))
    assert all(placed[b] - placed[a] > 16 - 1e-6 for a, b in itertools.pairwise(order))
    assert min(placed) >= -1e-6
    assert max(placed) <= 200 + 1e-6


def test_a_label_with_room_stays_where_it_is_wanted():
    assert spread([30.0, 180.0, 90.0], 16.0, 0.0, 200.0) == [30.0, 180.0, 90.0]


@pytest.mark.parametrize(
    ("index", "expected"),
    [
        (pd.bdate_range("2011-05-13", "2013-03-01"), ["Jul", "Oct", "Jan", "Apr", "Jul", "Oct", "Jan"]),
        (
            pd.bdate_range("1999-01-04", "2013-03-01"),
            ["2000", "2002", "2004", "2006", "2008", "2010", "2012"],
        ),
        (pd.bdate_range("2013-02-20", "2013-02-22"), ["20 Feb", "21 Feb", "22 Feb"]),
        (pd.date_range("2013-02-20 09:00", periods=3, freq="h"), ["09:00", "10:00", "11:00"]),
        (pd.DatetimeIndex(["2013-02-20"]), ["20 Feb"]),
        (pd.DatetimeIndex([]), []),
    ],
)
def test_dates_are_named_as_finely_as_there_is_room_for(index, expected):
    assert [tick.label for tick in date_ticks(index, 11)] == expected


def test_a_tick_stands_at_the_first_bar_of_its_month_and_says_each_year_once():
    index = pd.bdate_range("2011-11-01", "2012-03-30")

    found = date_ticks(index, 11)

    assert [(index[tick.position].strftime("%Y-%m-%d"), tick.under) for tick in found] == [
        ("2011-11-01", "2011"),
        ("2011-12-01", ""),
        ("2012-01-02", "2012"),
        ("2012-02-01", ""),
        ("2012-03-01", ""),
    ]


@given(st.integers(1, 3000), st.sampled_from(["h", "B", "W", "MS"]), st.integers(2, 14))
def test_there_are_never_more_dates_than_room(length, frequency, most):
    index = pd.date_range("2001-03-07 05:00", periods=length, freq=frequency)

    found = date_ticks(index, most)

    assert 1 <= len(found) <= most
    positions = [tick.position for tick in found]
    assert positions == sorted(set(positions))


def test_a_range_of_one_value_gets_room():
    assert padded(5.0, 5.0) == (4.5, 5.5)
    assert padded(0.0, 0.0) == (-1.0, 1.0)


def test_a_scale_maps_its_ends():
    scale = Scale(10.0, 20.0, 100.0, 0.0)
    assert (scale(10.0), scale(20.0), scale(12.5)) == (100.0, 0.0, 75.0)
    assert scale(np.array([10.0, math.nan]))[0] == 100.0


def test_decimals_tell_ticks_apart():
    assert tick_decimals([0.0005, 0.001]) == 4
    assert tick_decimals([]) == 0
