import datetime

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlplugin.bars.dates import split_dates, to_dates
from dlplugin.errors import BarsError


def read(*texts: object, date_format: str | None = None) -> list[str]:
    return [str(date) for date in to_dates(pd.Series(texts, dtype="object"), "AAPL", date_format)]


def refusal(*texts: object, date_format: str | None = None) -> str:
    with pytest.raises(BarsError) as caught:
        read(*texts, date_format=date_format)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    "texts",
    [
        ("2020-04-03", "2020-04-06"),
        ("2020/04/03", "2020/04/06"),
        ("2020.04.03", "2020.04.06"),
        ("20200403", "20200406"),
        ("2020-4-3", "2020-4-6"),
        ("2020-04-03T00:00", "2020-04-06T00:00"),
        ("2020-04-03 00:00:00.000", "2020-04-06"),
        (" 2020-04-03 ", "2020-04-06"),
    ],
)
def test_iso_dates_are_read(texts):
    assert read(*texts) == ["2020-04-03 00:00:00", "2020-04-06 00:00:00"]


def test_times_of_day_are_read_to_the_nanosecond():
    assert read("2020-04-03 09:30", "2020-04-03 09:30:05.123456789") == [
        "2020-04-03 09:30:00",
        "2020-04-03 09:30:05.123456789",
    ]


def test_day_and_month_are_read_where_a_value_decides():
    assert read("03/04/2020", "13/04/2020") == ["2020-04-03 00:00:00", "2020-04-13 00:00:00"]
    assert read("03/04/2020", "03/13/2020") == ["2020-03-04 00:00:00", "2020-03-13 00:00:00"]
    assert read("3-4-2020 9:30", "13-4-2020 16:00") == ["2020-04-03 09:30:00", "2020-04-13 16:00:00"]
    assert read("01.02.2017 22:00:00.000", "31.03.2017 22:00:00.500") == [
        "2017-02-01 22:00:00",
        "2017-03-31 22:00:00.500000",
    ]


def test_day_and_month_are_refused_where_no_value_decides_and_the_fix_works():
    assert refusal("03/04/2020", "06/04/2020") == (
        "AAPL has dates such as '03/04/2020', in which no value tells the day from the month; write ISO "
        "dates such as 2020-04-03, or pass date_format='%d/%m/%Y' (or '%m/%d/%Y') to DataSet.from_folder"
    )
    assert read("03/04/2020", "06/04/2020", date_format="%d/%m/%Y")[0] == "2020-04-03 00:00:00"
    assert read("03/04/2020", "06/04/2020", date_format="%m/%d/%Y")[0] == "2020-03-04 00:00:00"


def test_the_fix_names_the_format_of_the_times_too():
    assert "date_format='%d.%m.%Y %H:%M:%S' (or '%m.%d.%Y %H:%M:%S')" in refusal("03.04.2020 09:30:00")


def test_days_and_months_that_change_places_are_refused():
    assert refusal("13/04/2020", "04/15/2020") == (
        "AAPL has the day first in '13/04/2020' and the month first in '04/15/2020'; "
        "write ISO dates such as 2020-04-03"
    )


def test_two_ways_of_writing_are_refused():
    assert refusal("2020-04-03", "13/04/2020") == (
        "AAPL has dates written in two ways, '2020-04-03' and '13/04/2020'; write them all like 2020-04-03"
    )


@pytest.mark.parametrize(
    "text", ["03/04/20", "3 Apr 2020", "now", "today", "1483308000", "2020", "x", "2020-04"]
)
def test_what_is_no_iso_date_is_refused(text):
    assert refusal("2020-04-03", text) == (
        f"AAPL has the date '{text}' in row 2, which is not an ISO date; write ISO dates such as "
        "2020-04-03, or pass date_format= to DataSet.from_folder"
    )


@pytest.mark.parametrize("text", ["2020-13-04", "2020-02-30", "03042020", "2020-04-03 25:00"])
def test_days_that_do_not_exist_are_refused(text):
    assert refusal("2020-04-03", text) == f"AAPL has the date '{text}' in row 2, which is not a date"


def test_times_written_in_several_ways_are_refused():
    assert refusal("13/04/2020 09:30", "14/04/2020") == (
        "AAPL has the date '14/04/2020' in row 2, which does not fit the format '%d/%m/%Y %H:%M'"
    )


@pytest.mark.parametrize("zone", ["Z", "+00:00", "-05:00", "-0500", " UTC"])
def test_dates_with_and_without_a_zone_in_text_are_refused(zone):
    assert refusal("2020-04-03 09:30:00", f"2020-04-06 09:30:00{zone}") == (
        f"AAPL has dates with a time zone such as '2020-04-06 09:30:00{zone}'; "
        "write them in UTC, without the zone"
    )


def test_a_missing_date_is_refused():
    said = "AAPL has no date in row 2; drop that row or write its date"
    assert refusal("2020-04-03", None) == said
    assert refusal("2020-04-03", "  ") == said
    assert refusal("2020-04-03", float("nan")) == said


def test_a_date_format_reads_what_is_not_iso():
    assert read("3 Apr 20", date_format="%d %b %y") == ["2020-04-03 00:00:00"]
    assert refusal("3 Apr 20", "4 May 2020", date_format="%d %b %y") == (
        "AAPL has the date '4 May 2020' in row 2, which does not fit the format '%d %b %y'"
    )


def test_a_date_format_that_is_none_is_refused():
    assert refusal("03/04/2020", date_format="mixed") == (
        "date_format 'mixed' has no directive; write it like '%d/%m/%Y' or 'ms'"
    )
    assert refusal("03/04/2020", date_format="%d/%Q/%Y").startswith(
        "AAPL has dates that '%d/%Q/%Y' cannot read: "
    )


def test_numbers_since_1970_are_read_with_their_unit():
    for unit, factor in (("s", 1), ("ms", 10**3), ("us", 10**6), ("ns", 10**9)):
        assert read(str(1483308000 * factor), date_format=unit) == ["2017-01-01 22:00:00"]
        assert read(1483308000 * factor, date_format=unit) == ["2017-01-01 22:00:00"]


def test_numbers_are_no_dates_without_their_unit():
    assert refusal(1483308000) == (
        "AAPL has dates such as 1483308000 (integer); write ISO dates such as 2020-04-03, "
        "or pass date_format= to DataSet.from_folder"
    )
    assert refusal("soon", date_format="s") == (
        "AAPL has the date 'soon' in row 1, which is not a number of s since 1970"
    )
    assert refusal("1577923200000000000", date_format="s") == (
        "AAPL has dates such as 1577923200000000000, too large for numbers of s since 1970; "
        "date_format may be s, ms, us, ns"
    )


def test_a_text_column_of_times_belongs_to_the_date():
    frame = pd.DataFrame({"date": ["2020-04-03"] * 2, "time": ["09:30", "10:30"], "close": [1.0, 2.0]})
    dates, rest = split_dates(frame, "AAPL")
    assert [str(date) for date in dates] == ["2020-04-03 09:30:00", "2020-04-03 10:30:00"]
    assert list(rest.columns) == ["close"]


def test_an_index_of_dates_goes_before_a_column():
    index = pd.DatetimeIndex(["2020-04-03", "2020-04-06"])
    dates, rest = split_dates(pd.DataFrame({"time": [1.0, 2.0]}, index=index), "AAPL")
    assert dates is index
    assert list(rest.columns) == ["time"]


@given(
    days=st.lists(st.dates(datetime.date(1900, 1, 1), datetime.date(2200, 1, 1)), min_size=1, max_size=8),
    written=st.sampled_from(["%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%m-%d-%Y"]),
)
def test_dates_are_read_as_they_were_written_or_refused(days, written):
    texts = [day.strftime(written) for day in days]
    decided = any(day.day > 12 for day in days)
    if decided:
        assert list(to_dates(pd.Series(texts), "X").date) == days
    else:
        assert "no value tells the day from the month" in refusal(*texts)
    assert list(to_dates(pd.Series(texts), "X", written).date) == days
