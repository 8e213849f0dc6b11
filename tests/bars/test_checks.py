from decimal import Decimal
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlplugin.bars import BUNDLED, DataSet, check_bars
from dlplugin.bars.checks import examine_bars
from dlplugin.bars.form import COLUMNS
from dlplugin.bars.patterns import OUTSIDE, ROUNDING
from dlplugin.errors import BarsError, DLPluginWarning


def refusal(frame: object) -> str:
    with pytest.raises(BarsError) as caught:
        check_bars(frame, "AAPL")
    message = str(caught.value)
    assert "\n" not in message
    return message


def spoil(bars: pd.DataFrame, row: int, **values: float) -> pd.DataFrame:
    for column, value in values.items():
        bars.iloc[row, bars.columns.get_loc(column)] = value
    return bars


@pytest.mark.parametrize("name", BUNDLED)
def test_every_bundled_bar_passes_even_without_allowance_for_rounding(name, monkeypatch):
    monkeypatch.setattr("dlplugin.bars.grades.ROUNDING", 0.0)
    dataset = DataSet.bundled(name)
    for symbol in dataset:
        frame = dataset[symbol]
        assert check_bars(frame, symbol).equals(frame)


def test_clean_bars_come_back_in_their_one_form(bars):
    messy = bars.rename(columns=str.title).iloc[:, ::-1]
    messy.index = messy.index.as_unit("s").rename("Date")
    messy["Volume"] = messy["Volume"].astype("int64")
    before = messy.copy()
    clean = check_bars(messy, "AAPL")
    pd.testing.assert_frame_equal(clean, bars)
    assert clean.index.dtype == "datetime64[ns]"
    assert clean.index.freq is None
    pd.testing.assert_frame_equal(messy, before)


def test_regular_dates_lose_their_frequency(bars):
    regular = bars.set_axis(pd.bdate_range("2020-01-01", periods=10, unit="ns", name="date"), axis=0)
    assert regular.index.freq is not None
    assert check_bars(regular[[*COLUMNS]], "AAPL").index.freq is None


def test_bars_that_passed_before_pass_again_without_a_copy(bars):
    once = check_bars(bars, "AAPL")
    again = check_bars(once, "AAPL")
    assert np.shares_memory(once["close"].to_numpy(), again["close"].to_numpy())


def test_changing_what_came_back_leaves_what_was_given(bars):
    before = bars.copy()
    clean = check_bars(bars, "AAPL")
    clean.iloc[0, 0] = -1.0
    clean["more"] = 1.0
    pd.testing.assert_frame_equal(bars, before)


@pytest.mark.parametrize(
    "values",
    [
        [1, 2, 3],
        pd.array([1, 2, 3], dtype="Int64"),
        [Decimal(1), Decimal(2), Decimal(3)],
        ["1", "2.0", "3e0"],
    ],
    ids=["int", "nullable", "decimal", "text"],
)
def test_numbers_of_any_type_become_float64(bars, values):
    frame = bars.iloc[:3].copy()
    frame["extra"] = pd.Series(values, index=frame.index)
    extra = check_bars(frame, "AAPL")["extra"]
    assert extra.dtype == np.float64
    assert extra.tolist() == [1.0, 2.0, 3.0]


def test_extras_may_have_unknown_values(bars):
    bars["vix"] = [None, *range(9)]
    clean = check_bars(bars, "AAPL")
    assert list(clean.columns) == [*COLUMNS, "raw_close", "vix"]
    assert np.isnan(clean["vix"].iloc[0])


def test_a_date_column_becomes_the_index(bars):
    for name in ("date", "Date", "DateTime", "timestamp", "Gmt time", "TIME"):
        frame = bars.reset_index(names=name)
        pd.testing.assert_frame_equal(check_bars(frame, "AAPL"), bars)
        frame[name] = frame[name].astype("str")
        pd.testing.assert_frame_equal(check_bars(frame, "AAPL"), bars)
        frame[name] = bars.index.date
        pd.testing.assert_frame_equal(check_bars(frame, "AAPL"), bars)


def test_an_index_of_text_is_read_as_dates(bars):
    bars_of_text = bars.set_axis(bars.index.astype("str"), axis=0)
    pd.testing.assert_frame_equal(check_bars(bars_of_text, "AAPL"), bars)


def test_what_is_not_a_frame_is_refused(bars):
    assert refusal(bars["close"]) == "AAPL is a Series; bars are a pandas DataFrame"


def test_a_frame_without_dates_is_refused(bars):
    assert refusal(bars.reset_index(drop=True)) == (
        "AAPL has no dates: its index is a RangeIndex and no column is named date, datetime, date_time, "
        "timestamp, time, gmt_time; the columns are: open, high, low, close, volume, raw_close"
    )


def test_a_missing_column_is_refused_with_the_one_that_was_meant(bars):
    assert refusal(bars.rename(columns={"volume": "Volum"})) == (
        "AAPL has no column 'volume'; did you mean 'volum'? the columns are: "
        "open, high, low, close, volum, raw_close"
    )
    assert refusal(bars[["close"]]) == "AAPL has no column 'open'; the columns are: close"


def test_two_columns_of_one_name_are_refused(bars):
    bars["Close"] = 1.0
    assert refusal(bars) == "AAPL has two columns 'close': 'close' and 'Close'; remove one"


def test_a_column_without_a_name_is_refused(bars):
    bars[""] = 1.0
    assert refusal(bars) == "AAPL has a column without a name; name it or remove it"


def test_columns_of_several_levels_are_refused_with_the_fix(bars):
    frame = pd.concat({"AAPL": bars}, axis=1).swaplevel(axis=1)
    assert refusal(frame) == (
        "AAPL has columns of 2 levels, such as ('open', 'AAPL'); take one symbol's: "
        "frame.xs('AAPL', axis=1, level=1)"
    )
    pd.testing.assert_frame_equal(check_bars(frame.xs("AAPL", axis=1, level=1), "AAPL"), bars)


def test_text_among_numbers_is_refused(bars):
    bars["close"] = ["1,234.5", *["1.0"] * 9]
    assert refusal(bars) == "AAPL has close '1,234.5' at 2004-01-02, which is not a number; correct it"


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        (["AAPL"] * 10, "AAPL"),
        (pd.Timestamp("2020-01-01"), "2020-01-01 00:00:00"),
        (pd.Timedelta("1h"), "0 days 01:00:00"),
        (1 + 2j, "(1+2j)"),
        (pd.Categorical([1] * 10), "1"),
        ([[1]] * 10, "[1]"),
    ],
    ids=["text", "date", "duration", "complex", "category", "list"],
)
def test_extras_that_are_no_numbers_are_refused(bars, values, shown):
    bars["ticker"] = values
    assert refusal(bars) == (
        f"AAPL has ticker '{shown}' at 2004-01-02, which is not a number; remove the column, or write numbers"
    )


def test_time_zones_are_refused_and_the_fix_works(bars):
    frame = bars.tz_localize("America/New_York")
    assert refusal(frame) == (
        "AAPL has dates in the time zone America/New_York; make them plain days: "
        "frame.index = frame.index.tz_localize(None)"
    )
    frame.index = frame.index.tz_localize(None)
    assert check_bars(frame, "AAPL").index[0] == pd.Timestamp("2004-01-02")
    frame.index = (frame.index + pd.Timedelta(hours=16)).tz_localize("America/New_York")
    assert refusal(frame) == (
        "AAPL has dates in the time zone America/New_York; make them plain UTC: "
        "frame.index = frame.index.tz_convert('UTC').tz_localize(None)"
    )
    frame.index = frame.index.tz_convert("UTC").tz_localize(None)
    assert check_bars(frame, "AAPL").index[0] == pd.Timestamp("2004-01-02 21:00")
    frame.index = frame.index.astype("str") + "+02:00"
    assert refusal(frame) == "AAPL has dates in the time zone UTC; write plain UTC, without the zone"


def test_dates_with_and_without_a_zone_are_refused(bars):
    frame = bars.reset_index(names="date")
    frame["date"] = [date.tz_localize("UTC") if date.day > 5 else date for date in bars.index]
    assert refusal(frame) == ("AAPL has dates with and without a time zone; make them all plain UTC dates")


def test_a_missing_date_is_refused(bars):
    frame = bars.set_axis([*bars.index[:4], pd.NaT, *bars.index[5:]], axis=0)
    said = "AAPL has no date in row 5; drop that row or write its date"
    assert refusal(frame) == said
    frame.index = pd.DatetimeIndex(frame.index.to_numpy(dtype="datetime64[ns]"), name="date")
    assert refusal(frame) == said


def test_dates_that_nanoseconds_cannot_hold_are_refused(bars):
    frame = bars.set_axis(pd.DatetimeIndex(["1011-01-03", *bars.index[1:].astype("str")]), axis=0)
    assert refusal(frame) == ("AAPL has dates from 1011-01-03 to 2004-01-15; dates lie between 1678 and 2261")


def test_fewer_than_two_bars_are_refused(bars):
    assert refusal(bars.iloc[:1]) == "AAPL has fewer than 2 bars (1); load more history"
    assert refusal(bars.iloc[:0]) == "AAPL has fewer than 2 bars (0); load more history"


def test_unsorted_dates_are_refused_naming_the_first_pair(bars):
    assert refusal(bars.iloc[[0, 2, 1, 3]]) == (
        "AAPL has 2004-01-05 after 2004-01-06; sort the bars by date, oldest first"
    )
    assert refusal(bars.iloc[::-1]) == (
        "AAPL has 2004-01-14 after 2004-01-15 (the first of 9); sort the bars by date, oldest first"
    )


def test_duplicate_dates_are_refused(bars):
    assert refusal(bars.iloc[[0, 1, 1, 2]]) == "AAPL has two bars at 2004-01-05; keep one bar a date"


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("close", np.nan, "close nan at 2004-01-06; fill it or drop that bar"),
        ("volume", np.nan, "volume nan at 2004-01-06; fill it or drop that bar"),
        ("high", np.inf, "high inf at 2004-01-06; correct it or drop that bar"),
        ("raw_close", -np.inf, "raw_close -inf at 2004-01-06; correct it or drop that bar"),
        ("low", 0.0, "low 0.0 at 2004-01-06; prices are above 0: correct it or drop that bar"),
        ("open", -1.5, "open -1.5 at 2004-01-06; prices are above 0: correct it or drop that bar"),
        ("volume", -1.0, "volume -1.0 at 2004-01-06; volume is 0 or more: correct it or drop that bar"),
        (
            "high",
            1.25,
            "high 1.25 below low 1.46849 at 2004-01-06; correct it or drop that bar",
        ),
        (
            "open",
            1.6,
            "open 1.6 outside low 1.46849 and high 1.51652 at 2004-01-06; correct it or drop that bar",
        ),
        (
            "close",
            1.25,
            "close 1.25 outside low 1.46849 and high 1.51652 at 2004-01-06; correct it or drop that bar",
        ),
    ],
)
def test_a_wrong_value_is_refused_with_its_column_and_date(bars, column, value, said):
    assert refusal(spoil(bars, 2, **{column: value})) == f"AAPL has {said}"


def test_further_wrong_values_are_counted_and_the_earliest_is_named(bars):
    spoil(bars, 7, open=np.nan)
    spoil(bars, 5, volume=np.nan)
    assert refusal(bars) == "AAPL has volume nan at 2004-01-09 (the first of 2); fill it or drop that bar"


def test_the_time_of_day_is_named_where_there_is_one():
    bars = DataSet.bundled("eurusd-1h")["EURUSD"]
    assert refusal(spoil(bars, 1, low=0.0)) == (
        "AAPL has low 0.0 at 2017-01-01 23:00:00; prices are above 0: correct it or drop that bar"
    )


def warning(frame: pd.DataFrame) -> str:
    with pytest.warns(DLPluginWarning) as caught:
        check_bars(frame, "AAPL")
    assert len(caught) == 1
    return str(caught[0].message)


def test_zero_volume_is_kept_with_one_warning(bars):
    assert warning(spoil(bars, 2, volume=0.0)) == (
        "AAPL has volume 0.0 at 2004-01-06; nothing was traded, or the volume is not known: no order would "
        "have been filled"
    )


@pytest.mark.parametrize("column", ["open", "close"])
@pytest.mark.parametrize("side", ["high", "low"])
def test_open_and_close_may_lie_outside_by_rounding_alone(bars, column, side):
    sign = 1 if side == "high" else -1
    edge = bars[side].iloc[2]
    check_bars(spoil(bars, 2, **{column: edge * (1 + 0.9 * sign * ROUNDING)}), "AAPL")
    assert "outside" in warning(spoil(bars, 2, **{column: edge * (1 + 1.1 * sign * ROUNDING)}))
    assert "outside" in warning(spoil(bars, 2, **{column: edge * (1 + 0.9 * sign * OUTSIDE)}))
    assert "outside" in refusal(spoil(bars, 2, **{column: edge * (1 + 1.1 * sign * OUTSIDE)}))


def test_the_value_that_is_further_outside_is_the_one_named(bars):
    spoil(bars, 2, open=bars["high"].iloc[2] * (1 + 2 * ROUNDING), close=9.0)
    assert refusal(bars).startswith("AAPL has close 9.0 outside")


SPOILT = st.sampled_from([0.0, -1.0, 99.8, 100.2, 1e6, np.nan, np.inf, -np.inf])


@st.composite
def nearly_bars(draw: st.DrawFn) -> pd.DataFrame:
    """Two to six bars around 100, of which about half have something wrong."""
    count = draw(st.integers(2, 6))
    days = np.cumsum(draw(st.lists(st.integers(1, 3), min_size=count, max_size=count)))
    # Within a tenth of a percent, so that no jump is extreme.
    ranges = {"open": (99.85, 100.1), "high": (100.0, 100.1), "low": (99.9, 100.0), "close": (99.9, 100.1)}
    frame = pd.DataFrame(
        {
            column: draw(st.lists(st.floats(*ends), min_size=count, max_size=count))
            for column, ends in {**ranges, "volume": (0.0, 9.0)}.items()
        },
        index=pd.DatetimeIndex(
            np.datetime64("2020-01-01", "ns") + days * np.timedelta64(1, "D"), name="date"
        ),
    )
    if draw(st.integers(0, 3)) == 0:
        frame.iloc[draw(st.integers(0, count - 1)), draw(st.integers(0, 4))] = draw(SPOILT)
    if draw(st.integers(0, 5)) == 0:
        frame = frame.iloc[draw(st.lists(st.integers(0, count - 1), min_size=2, max_size=count))]
    return frame


def is_right(bars: pd.DataFrame, share: float) -> bool:
    """The rules, bar by bar; `share` is what open and close may lie outside."""
    right = all(early < late for early, late in pairwise(bars.index))
    for open_, high, low, close, volume in bars.itertuples(index=False):
        right &= all(np.isfinite(value) for value in (open_, high, low, close, volume))
        right &= all(price > 0 for price in (open_, high, low, close)) and volume >= 0 and high >= low
        right &= all(low * (1 - share) <= price <= high * (1 + share) for price in (open_, close))
    return right


@pytest.mark.filterwarnings("ignore::dlplugin.DLPluginWarning")
@given(bars=nearly_bars())
def test_what_passes_is_what_a_slow_reading_of_the_rules_passes(bars):
    if is_right(bars, OUTSIDE):
        pd.testing.assert_frame_equal(check_bars(bars, "X"), bars)
    else:
        with pytest.raises(BarsError):
            check_bars(bars, "X")


@given(bars=nearly_bars())
def test_what_is_warned_about_is_what_a_slow_reading_of_the_rules_warns_about(bars):
    if is_right(bars, OUTSIDE):
        spike = (bars["high"] >= 2 * bars[["open", "close"]].max(axis=1)).any()
        spacings = [late - early for early, late in pairwise(bars.index)]
        middle = sorted(spacings)[(len(spacings) - 1) // 2]
        odd = not is_right(bars, ROUNDING) or (bars["volume"] == 0).any() or spike
        odd |= len(bars) > 2 and min(spacings) < middle / 2
        assert bool(examine_bars(bars, "X").findings) == odd
