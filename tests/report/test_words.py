import math

import pandas as pd
import pytest

from dlplugin.report.words import (
    alike,
    clean,
    count,
    date,
    decimals_for,
    figure,
    is_intraday,
    number,
    plain_index,
    plus_minus,
    sentences,
    span,
)


@pytest.mark.parametrize(
    ("value", "decimals", "options", "expected"),
    [
        (0.0, 2, {"signed": True}, "0.00"),
        (-0.004, 2, {}, "0.00"),
        (-0.004, 3, {"signed": True}, "−0.004"),
        (1234567.891, 1, {"signed": True}, "+1,234,567.9"),
        (math.inf, 2, {"unit": "%"}, "∞ %"),
        (-math.inf, 2, {}, "−∞"),
        (math.nan, 2, {"unit": "%", "signed": True}, "–"),
    ],
)
def test_a_number_is_written_once_and_for_all(value, decimals, options, expected):
    assert number(value, decimals, **options) == expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([60.959, 59.0], 3),
        ([1.33125, 1.2], 5),
        ([1414.25, 1500.0], 2),
        ([0.00001234, 0.00002], 8),
        ([100 / 3, 200 / 3], 4),
        ([], 2),
        ([math.nan, math.inf], 2),
    ],
)
def test_prices_show_the_decimals_they_have_up_to_six_digits(values, expected):
    assert decimals_for(values) == expected


def test_a_time_of_day_is_shown_where_there_is_one():
    assert date(pd.Timestamp("2017-12-29 21:00")) == "2017-12-29 21:00"
    assert date(pd.Timestamp("2017-12-29")) == "2017-12-29"
    assert (
        span(pd.Timestamp("2017-01-02"), pd.Timestamp("2017-12-29 21:00"))
        == "2017-01-02 00:00 – 2017-12-29 21:00"
    )
    assert not is_intraday([pd.NaT, pd.Timestamp("2017-12-29")])


def test_a_zone_is_turned_into_utc():
    assert date(pd.Timestamp("2017-12-29 21:00", tz="US/Eastern")) == "2017-12-30 02:00"
    zoned = pd.date_range("2020-01-01", periods=2, tz="Europe/Berlin")
    assert plain_index(zoned).tolist() == [pd.Timestamp("2019-12-31 23:00"), pd.Timestamp("2020-01-01 23:00")]


def test_no_date_is_a_dash():
    assert date(pd.NaT) == "–"


def test_characters_that_no_file_can_hold_are_taken_out():
    assert clean("a\x00b\x1bc\x85d\ud800e\uffff\tf\n") == "abcd�e�\tf\n"


def test_one_is_not_a_plural():
    assert (count(1, "day"), count(0, "day"), count(1200, "day")) == ("1 day", "0 days", "1,200 days")


def test_clauses_become_sentences():
    assert sentences("one; two", "", "  ", "Really?") == "One; two. Really?"


def test_figures_of_any_size_can_be_read():
    assert [figure(value, 4) for value in (0.70412, 976_775_680_522.0, -4.79e-13, 0.0, math.nan)] == [
        "0.7041",
        "9.768e11",
        "−4.79e−13",
        "0.0000",
        "–",
    ]
    assert plus_minus(-1.2e10, 3.4e9) == "−1.200e10 ± 3.400e9"
    assert plus_minus(2.5e-7, 1.2e-8) == "+2.50e−7 ± 1.20e−8"


def test_labels_of_an_axis_are_short_and_tell_their_values_apart():
    assert alike([-1.5e6, -1e6, 0.0], 0) == ["−1.5e6", "−1.0e6", "0"]
    assert alike([0.0, 2.5e-7, 5e-7], 8) == ["0", "2.5e−7", "5.0e−7"]
    assert alike([10.0, 20.0], 0, "%") == ["10 %", "20 %"]
    near = alike([1_014_713_000_000.0, 1_014_713_250_000.0], 0)
    assert near == ["1.015e12", ""], "what cannot be told apart is said once"
