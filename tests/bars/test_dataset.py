import pickle

import numpy as np
import pandas as pd
import pytest

from dlplugin.bars import DataSet
from dlplugin.errors import BarsError, DLPluginWarning


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


def test_symbols_may_have_fewer_bars_between_two_dates(two):
    first, last = pd.Timestamp("2005-01-03"), pd.Timestamp("2005-12-30")
    some = two.between({"MSFT": (first, last)})
    assert (some["MSFT"].index[0], some["MSFT"].index[-1], len(some["MSFT"])) == (first, last, 252)
    assert some.fingerprint["AAPL"] == two.fingerprint["AAPL"]
    assert (some.name, some.interval, some.origin) == ("two", "1d", two.origin)
    assert refusal(two.between, {"AAPL": (last, first)}) == (
        "AAPL of 'two' has no bars between 2005-12-30 and 2005-01-03"
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


def collected(function: object, *arguments: object, **options: object) -> tuple[DataSet, str]:
    with pytest.warns(DLPluginWarning) as caught:
        dataset = function(*arguments, **options)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    return dataset, str(caught[0].message)


@pytest.fixture
def frames(us_stocks: DataSet) -> dict[str, pd.DataFrame]:
    """A good one, one to mend, one to look at, and one that cannot be used."""
    frames = {symbol: us_stocks[symbol].iloc[:300] for symbol in ("AAPL", "AMD", "GPS", "IBM")}
    frames["AMD"] = frames["AMD"].iloc[::-1]
    frames["GPS"].iloc[40:, :4] /= 2
    frames["IBM"].iloc[7, 3] = -1.0
    return frames


BAD = "IBM has close -1.0 at 2004-01-13; prices are above 0: correct it or drop that bar"


def test_one_bad_symbol_is_left_out_and_named_and_the_others_can_be_used(frames, us_stocks):
    dataset, said = collected(DataSet.from_frames, "x", frames)
    assert said == (
        f"DataSet 'x': left out IBM ({BAD}); mended 1 symbol (AMD has 2005-03-10 after 2005-03-11 (the first "
        "of 299); sorted by date); look at 1 symbol (GPS has a jump down by 1.99 at 2004-03-02, like an "
        "unadjusted split of 2:1; adjust the bars before it if it is one)"
    )
    assert dataset.symbols == ("AAPL", "AMD", "GPS")
    assert dataset.left_out == {"IBM": BAD}
    assert [(finding.symbol, finding.grade) for finding in dataset.findings] == [
        ("AMD", "mended"),
        ("GPS", "warned"),
        ("IBM", "refused"),
    ]
    pd.testing.assert_frame_equal(dataset["AMD"], us_stocks["AMD"].iloc[:300])
    assert refusal(dataset.__getitem__, "IBM") == f"DataSet 'x' left out 'IBM': {BAD}"
    there = pickle.loads(pickle.dumps(dataset))
    assert (there.findings, there.left_out) == (dataset.findings, dataset.left_out)


def test_two_hundred_symbols_survive_three_bad_ones_which_are_all_named(bars):
    many = {f"S{number:03}": bars for number in range(200)}
    for symbol in ("S007", "S100", "S199", "S150"):
        many[symbol] = bars.assign(volume=-1.0)
    dataset, said = collected(DataSet.from_frames, "many", many)
    assert len(dataset) == 196
    assert said.startswith("DataSet 'many': left out S007, S100, S150, S199 (S007 has volume -1.0 at")
    assert said.endswith(" | and 1 more)")


def test_strict_refuses_what_would_be_left_out_or_mended(frames):
    assert refusal(lambda: DataSet.from_frames("x", frames, strict=True)) == (
        "AMD has 2005-03-10 after 2005-03-11 (the first of 299); sort the bars by date, oldest first"
    )
    del frames["AMD"]
    assert refusal(lambda: DataSet.from_frames("x", frames, strict=True)) == BAD
    del frames["IBM"]
    dataset, _ = collected(DataSet.from_frames, "x", frames, strict=True)
    assert dataset.symbols == ("AAPL", "GPS")


def test_nothing_but_bad_symbols_is_refused(bars):
    bad = bars.assign(volume=-1.0)
    assert refusal(DataSet.from_frames, "x", {"A": bad, "B": bad}) == (
        "no symbol of DataSet 'x' can be used (2 are left out); A has volume -1.0 at 2004-01-02 "
        "(the first of 10); volume is 0 or more: correct it or drop that bar"
    )


def test_a_symbol_of_another_interval_than_most_is_left_out(us_stocks):
    frames = {symbol: us_stocks[symbol] for symbol in ("AAPL", "IBM")}
    frames["EURUSD"] = DataSet.bundled("eurusd-1h")["EURUSD"]
    dataset, said = collected(DataSet.from_frames, "x", frames)
    assert dataset.symbols == ("AAPL", "IBM")
    assert dataset.left_out == {
        "EURUSD": "EURUSD has bars of 1h where most have bars of 1d; a DataSet has one interval"
    }
    assert "left out EURUSD" in said


def test_subsets_and_unions_keep_what_was_found_and_do_not_warn_again(frames, us_stocks):
    dataset, _ = collected(DataSet.from_frames, "x", frames)
    assert [finding.symbol for finding in dataset.subset(["AAPL", "GPS"]).findings] == ["GPS"]
    assert dataset.subset("AAPL").left_out == {}
    both = DataSet.union("both", dataset, us_stocks.subset(["MSFT"]))
    assert (both.findings, both.left_out) == (dataset.findings, dataset.left_out)
    both = DataSet.union("both", dataset, us_stocks.subset(["IBM"]))
    assert both.left_out == {}
    assert [finding.symbol for finding in both.findings] == ["AMD", "GPS"]


def test_a_file_that_cannot_be_read_is_left_out(tmp_path, us_stocks):
    us_stocks["AAPL"].to_csv(tmp_path / "AAPL.csv")
    (tmp_path / "BAD.csv.gz").write_bytes(b"no archive")
    dataset, _ = collected(DataSet.from_folder, tmp_path)
    assert dataset.symbols == ("AAPL",)
    assert dataset.left_out["BAD"].startswith(f"cannot read {tmp_path / 'BAD.csv.gz'}: Not a gzipped file")


def test_a_frame_may_come_from_a_function_that_reads_it(us_stocks):
    def lost() -> pd.DataFrame:
        raise BarsError("LOST has no prices at Yahoo")

    dataset, _ = collected(DataSet, "x", {"AAPL": lambda: us_stocks["AAPL"], "LOST": lost})
    assert dataset.left_out == {"LOST": "LOST has no prices at Yahoo"}
    assert dataset.fingerprint["AAPL"] == us_stocks.fingerprint["AAPL"]
