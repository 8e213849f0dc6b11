import math

import pandas as pd
import pytest

from dlplugin.evaluation.text import bar, dates, days, fixed, html_bar, number, plain


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (1.0, 4, "1.000"),
        (0.0, 2, "0.0"),
        (100.0, 2, "100"),
        (12.3, 2, "12"),
        (-0.0123, 2, "-0.012"),
        (1.23e-7, 2, "1.2e-07"),
        (2.5e9, 2, "2.5e+09"),
    ],
)
def test_numbers_have_significant_digits(value, digits, text):
    assert number(value, digits) == text


def test_fixed_numbers_have_no_minus_before_zero_and_shrink_to_their_column():
    assert fixed(-0.001, 2) == "0.00"
    assert fixed(-1.5, 2, 8) == "   -1.50"
    assert fixed(123456789.0, 4, 9) == " 1.23e+08"
    assert fixed(math.nan, 4, 5) == "    –"


def test_dates_show_the_time_of_day_only_where_there_is_one():
    day = pd.Timestamp("2001-02-03")
    assert dates(day, day) == "2001-02-03 … 2001-02-03"
    assert days(day, pd.Timestamp("2001-02-04 21:00")) == "2001-02-03 … 2001-02-04"
    assert dates(day, pd.Timestamp("2001-02-04 21:00")) == "2001-02-03 00:00 … 2001-02-04 21:00"


@pytest.mark.parametrize(
    ("value", "drawn", "style"),
    [
        (1.0, "    │████", "green"),
        (0.4, "    │█▌  ", "green"),
        (-0.4, "  ▐█│    ", "red"),
        (-9.0, "████│    ", "red"),
        (0.0, "    │    ", "green"),
        (math.nan, "    │    ", "green"),
    ],
)
def test_bars_go_left_in_red_and_right_in_green(value, drawn, style):
    line = bar(value, full=1.0, half=4)
    assert "".join(piece for piece, _ in line) == drawn
    assert [styled for piece, styled in line if "█" in piece] == [style] * ("█" in drawn)


def test_bars_in_html_go_the_same_ways():
    left, _, right = html_bar(-0.5, 1.0).partition("width:1px")
    assert "width:50.0%;height:0.8em;background:#c83c1e" in left
    assert "%" not in right
    left, _, right = html_bar(2.0, 1.0).partition("width:1px")
    assert "%" not in left
    assert "width:100.0%;height:0.8em;background:#00796b" in right
    assert "%" not in html_bar(math.nan, 1.0)


@pytest.mark.parametrize(
    ("value", "drawn"), [(1.0, "    │▒▒▒▒"), (0.4, "    │▒▒  "), (-0.4, "  ▒▒│    "), (math.nan, "    │    ")]
)
def test_what_an_error_does_not_tell_from_zero_is_faint(value, drawn):
    assert "".join(piece for piece, _ in bar(value, full=1.0, half=4, faint=True)) == drawn
    assert ("opacity" in html_bar(value, 1.0, faint=True)) == (value == value)
    assert "opacity" not in html_bar(value, 1.0)


def test_plain_lines_have_no_trailing_blanks():
    assert plain([[("a ", "bold"), ("  ", "red")], [], [("b", "")]]) == "a\n\nb"
