import pickle

import numpy as np
import pandas as pd
import pytest

from dlplugin.bars import DataSet
from dlplugin.errors import BarsError


def refusal(function: object, *arguments: object) -> str:
    with pytest.raises(BarsError) as caught:
        function(*arguments)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.fixture
def two(us_stocks: DataSet) -> DataSet:
    return us_stocks.subset(["MSFT", "AAPL"], name="two")


def test_a_set_is_a_container_of_its_symbols(us_stocks):
    assert len(us_stocks) == 11
    assert us_stocks.symbols == tuple(us_stocks)
    assert us_stocks.symbols[:3] == ("AAPL", "AMD", "CERN")
    assert "AAPL" in us_stocks
    assert "aapl" not in us_stocks
    assert 3 not in us_stocks
    assert us_stocks.interval == "1d"


def test_symbols_are_in_alphabetical_order_whatever_order_they_came_in(us_stocks):
    frames = {symbol: us_stocks[symbol] for symbol in ("MSFT", "AAPL", "IBM")}
    assert DataSet.from_frames("x", frames).symbols == ("AAPL", "IBM", "MSFT")


def test_its_representation_is_short(us_stocks, two):
    assert repr(us_stocks) == "DataSet('us-stocks', 11 symbols, 1d)"
    assert repr(two.subset("AAPL", name="one")) == "DataSet('one', 1 symbol, 1d)"


def test_real_prices_are_what_the_file_says(us_stocks):
    first = us_stocks["AAPL"].iloc[0]
    assert first.tolist() == [1.4576, 1.4712, 1.43264, 1.43941, 36160600, 21.28]
    assert us_stocks["AAPL"].index[0] == pd.Timestamp("2004-01-02")


def test_an_unknown_symbol_is_refused_with_the_nearest_and_the_list(two):
    assert refusal(two.__getitem__, "APL") == (
        "DataSet 'two' has no symbol 'APL'; did you mean 'AAPL'? there are: AAPL, MSFT"
    )
    assert refusal(two.__getitem__, 3) == "DataSet 'two' has no symbol 3; there are: AAPL, MSFT"


def test_only_the_first_twenty_of_many_symbols_are_listed(bars):
    many = DataSet.from_frames("many", {f"S{number:02}": bars for number in range(30)})
    assert refusal(many.__getitem__, "?").endswith("S18, S19 ...")


def test_nothing_done_to_bars_it_gave_or_was_given_changes_a_set(bars):
    mine = bars.set_axis(bars.index.copy(deep=True), axis=0)  # pandas copies share their dates
    dataset = DataSet.from_frames("x", {"A": mine})
    before = dataset.fingerprint
    for frame in (mine, dataset["A"]):
        frame.iloc[0, 0] = 99.0
        frame["more"] = 1.0
        frame.index.name = "day"
        frame.index.asi8[:] = 0
        frame.to_numpy().setflags(write=True)
        frame.to_numpy()[:] = 7.0
    fresh = DataSet.from_frames("x", {"A": dataset["A"]})
    assert fresh.fingerprint == before == DataSet.from_frames("x", {"A": bars}).fingerprint
    pd.testing.assert_frame_equal(dataset["A"], bars)


@pytest.mark.parametrize("attribute", ["name", "interval", "symbols", "fingerprint"])
def test_its_attributes_cannot_be_set(two, attribute):
    with pytest.raises(AttributeError):
        setattr(two, attribute, "other")


def test_changing_a_fingerprint_got_does_not_change_the_sets(two):
    two.fingerprint["AAPL"] = "forged"
    assert two.fingerprint["AAPL"] != "forged"


def test_it_travels_to_another_process(two):
    there = pickle.loads(pickle.dumps(two))
    assert (there.name, there.interval, there.fingerprint) == (two.name, two.interval, two.fingerprint)


def test_each_symbol_is_described(us_stocks):
    table = us_stocks.describe()
    assert table.index.name == "symbol"
    assert table.loc["GOOG"].tolist() == [pd.Timestamp("2004-08-19"), pd.Timestamp("2013-03-01"), 2148, 0]
    assert table["bars"].sum() == 25_208
    assert (table["gaps"] == 0).all()


def test_gaps_are_counted_against_the_dates_of_the_other_symbols(us_stocks):
    frames = {"AAPL": us_stocks["AAPL"], "IBM": us_stocks["IBM"].drop(us_stocks["IBM"].index[[5, 6, 100]])}
    assert DataSet.from_frames("x", frames).describe()["gaps"].tolist() == [0, 3]


def test_what_lies_before_the_first_bar_is_no_gap(us_stocks):
    assert us_stocks.subset(["AAPL", "GOOG"]).describe()["gaps"].tolist() == [0, 0]


def test_gaps_of_a_symbol_alone_are_counted_against_its_weeks():
    assert DataSet.bundled("sp500").describe().loc["SP500", "gaps"] == 185


def test_a_union_has_all_symbols_and_equal_ones_once(us_stocks):
    left, right = us_stocks.subset(["AAPL", "IBM"]), us_stocks.subset(["IBM", "MSFT"])
    both = DataSet.union("both", left, right)
    assert (both.name, both.symbols) == ("both", ("AAPL", "IBM", "MSFT"))
    assert both.fingerprint == {symbol: us_stocks.fingerprint[symbol] for symbol in both}


def test_a_union_of_different_bars_of_one_symbol_is_refused(us_stocks):
    other = us_stocks["IBM"]
    other.iloc[7, 3] = np.nextafter(other.iloc[7, 3], 0)
    assert refusal(DataSet.union, "both", us_stocks, DataSet.from_frames("other", {"IBM": other})) == (
        "'us-stocks' and 'other' have different bars of IBM; leave it out of one with subset"
    )


def test_a_union_of_different_intervals_is_refused(us_stocks):
    assert refusal(DataSet.union, "both", us_stocks, DataSet.bundled("eurusd-1h")) == (
        "'us-stocks' has bars of 1d and 'eurusd-1h' of 1h; a DataSet has one interval"
    )


def test_a_union_of_less_than_two_sets_is_refused(two):
    assert refusal(two.union, "more", two) == (
        "DataSet.union is given 1 DataSets; give it a name and two or more"
    )
    assert refusal(DataSet.union, "x", two, {"A": 1}) == (
        "DataSet.union is given a dict; give it a name and DataSets"
    )


def test_frames_of_different_intervals_are_refused(us_stocks):
    frames = {"AAPL": us_stocks["AAPL"], "EURUSD": DataSet.bundled("eurusd-1h")["EURUSD"]}
    assert refusal(DataSet.from_frames, "x", frames) == (
        "DataSet 'x' has bars of 1d (AAPL) and of 1h (EURUSD); a DataSet has one interval"
    )


def test_a_subset_has_the_chosen_symbols(us_stocks):
    assert us_stocks.subset(["IBM", "AAPL", "IBM"]).symbols == ("AAPL", "IBM")
    assert us_stocks.subset(["IBM", "AAPL"]).name == "us-stocks (2 of 11)"
    assert us_stocks.subset("IBM", name="one").symbols == ("IBM",)
    assert "did you mean 'IBM'?" in refusal(us_stocks.subset, ["IBN"])
    assert (
        refusal(us_stocks.subset, []) == "DataSet 'us-stocks (0 of 11)' has no symbols; give it one or more"
    )


def test_a_set_without_name_symbols_or_frames_is_refused(bars):
    assert refusal(DataSet.from_frames, " ", {"A": bars}) == (
        "a DataSet's name is ' '; give it a text such as 'tech'"
    )
    assert refusal(DataSet.from_frames, "x", {}) == "DataSet 'x' has no symbols; give it one or more"
    assert refusal(DataSet.from_frames, "x", bars) == (
        "DataSet 'x' is made of a DataFrame; give a dict of symbols to DataFrames"
    )
    assert refusal(DataSet.from_frames, "x", {1: bars}) == (
        "DataSet 'x' has the symbol 1; a symbol is a text such as 'AAPL'"
    )


def test_bars_in_memory_are_checked(bars):
    bars.iloc[3, 1] = 1.0
    assert refusal(DataSet.from_frames, "x", {"A": bars}) == (
        f"A has high 1.0 below low {bars['low'].iloc[3]} at 2004-01-07; correct it or drop that bar"
    )
