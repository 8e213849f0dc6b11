"""Where a DataSet comes from, as files and commands name it."""

from datetime import date
from pathlib import Path

import pandas as pd
import pytest

import dlplugin as dl
from dlplugin.bars.origin import DataOrigin
from tests.bars.yahoo_server import Listing, walk


@pytest.fixture
def prices(tmp_path: Path, us_stocks: dl.DataSet) -> Path:
    folder = tmp_path / "prices"
    folder.mkdir()
    for symbol in ("AAPL", "IBM"):
        us_stocks[symbol].iloc[:300].to_csv(folder / f"{symbol}.csv")
    return folder


def test_a_text_is_a_bundled_set_or_a_folder_as_seen_from_the_file(prices: Path) -> None:
    assert DataOrigin.of("sp500").load().symbols == ("SP500",)
    assert DataOrigin.of("prices", prices.parent).load().name == "prices"
    assert DataOrigin.of(str(prices)).load().symbols == ("AAPL", "IBM")


def test_a_folder_with_a_sets_name_is_written_with_a_dot(prices: Path) -> None:
    prices.rename(prices.parent / "us-stocks")
    assert len(DataOrigin.of("us-stocks", prices.parent).load()) == 11
    assert len(DataOrigin.of("./us-stocks", prices.parent).load()) == 2


def test_a_mapping_chooses_symbols_and_a_name(prices: Path) -> None:
    two = DataOrigin.of({"bundled": "us-stocks", "symbols": ["IBM", "AAPL"]}).load()
    assert (two.name, two.symbols) == ("us-stocks (2 of 11)", ("AAPL", "IBM"))
    one = DataOrigin.of({"folder": "prices", "symbols": "IBM", "name": "mine"}, prices.parent).load()
    assert (one.name, one.symbols) == ("mine", ("IBM",))
    assert DataOrigin.of({"folder": str(prices), "name": "mine"}).load().name == "mine"
    named = DataOrigin.of({"bundled": "us-stocks", "symbols": ["IBM"], "name": "blue"}).load()
    assert named.name == "blue"


def test_dates_of_a_folder_may_be_written_in_another_way(tmp_path: Path, us_stocks: dl.DataSet) -> None:
    us_stocks["AAPL"].iloc[:5].to_csv(tmp_path / "A.csv", date_format="%d/%m/%Y")
    origin = DataOrigin.of({"folder": str(tmp_path), "date_format": "%d/%m/%Y"})
    assert origin.load()["A"].index.equals(us_stocks["AAPL"].index[:5])


def test_symbols_of_yahoo_are_fetched_when_it_is_loaded(yahoo, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def from_yahoo(name: str, symbols: tuple[str, ...], **given: str) -> str:
        asked.append((name, symbols, given))
        return "bars"

    monkeypatch.setattr(dl.DataSet, "from_yahoo", from_yahoo)
    plain = {"yahoo": ["ON", "^GSPC"], "start": "2015-01-01", "end": "2020-01-01", "interval": "1w"}
    origin = DataOrigin.of(plain)
    assert asked == []
    assert origin.load() == "bars"
    given = {"start": "2015-01-01", "end": "2020-01-01", "interval": "1w"}
    assert asked == [("yahoo", ("ON", "^GSPC"), given)]
    DataOrigin.of({"yahoo": "AAPL", "name": "apple"}).load()
    assert asked[1:] == [("apple", ("AAPL",), {})]


def same(one: dl.DataSet, other: dl.DataSet) -> bool:
    return (one.name, one.fingerprint, one.origin) == (other.name, other.fingerprint, other.origin)


def test_a_dataset_knows_where_it_came_from_and_is_read_again_from_there(
    prices: Path, monkeypatch: pytest.MonkeyPatch, us_stocks: dl.DataSet
) -> None:
    monkeypatch.chdir(prices.parent)
    folder = dl.DataSet.from_folder("prices")
    named = dl.DataSet.from_folder("prices", "mine", "%Y-%m-%d")
    two = us_stocks.subset(["IBM", "AAPL"])
    whole = {"folder": str(prices), "name": "prices"}
    assert us_stocks.origin == {"bundled": "us-stocks"}
    assert folder.origin == whole
    assert named.origin == {"folder": str(prices), "name": "mine", "date_format": "%Y-%m-%d"}
    assert two.origin == {"bundled": "us-stocks", "symbols": ["AAPL", "IBM"], "name": "us-stocks (2 of 11)"}
    one = two.subset("IBM", "blue")
    assert one.origin == {"bundled": "us-stocks", "symbols": ["IBM"], "name": "blue"}
    both = dl.DataSet.union("both", folder.subset("IBM"), us_stocks.subset("MSFT"))
    assert both.origin == {
        "union": [
            {**whole, "symbols": ["IBM"], "name": "prices (1 of 2)"},
            {"bundled": "us-stocks", "symbols": ["MSFT"], "name": "us-stocks (1 of 11)"},
        ],
        "name": "both",
    }
    monkeypatch.chdir("/")
    for dataset in (us_stocks, folder, named, two, one, both, both.subset("IBM", "last")):
        assert same(DataOrigin.of(dataset.origin).load(), dataset)


def test_frames_in_memory_came_from_nowhere_also_in_a_union(us_stocks: dl.DataSet) -> None:
    frames = dl.DataSet.from_frames("mine", {"A": us_stocks["AAPL"]})
    assert frames.origin is None
    assert frames.subset("A").origin is None
    assert dl.DataSet.union("both", us_stocks, frames).origin is None


def test_an_origin_that_was_given_out_may_be_changed(us_stocks: dl.DataSet) -> None:
    two = us_stocks.subset(["IBM", "AAPL"])
    assert two.origin is not None
    two.origin["symbols"].append("MSFT")
    assert two.origin["symbols"] == ["AAPL", "IBM"]


def test_symbols_of_yahoo_know_their_dates(yahoo) -> None:
    yahoo.listings["AAPL"] = Listing(walk(pd.date_range("2020-01-01", periods=300, freq="B")))
    yahoo.listings["IBM"] = Listing(walk(pd.date_range("2020-01-01", periods=300, freq="B")))
    given = {"start": pd.Timestamp("2020-02-03"), "end": date(2020, 9, 1), "session": yahoo.session()}
    dataset = dl.DataSet.from_yahoo("tech", ["ibm", "AAPL"], **given)
    assert dataset.origin == {
        "yahoo": ["AAPL", "IBM"],
        "start": "2020-02-03T00:00:00",
        "end": "2020-09-01",
        "interval": "1d",
        "name": "tech",
    }
    assert dataset.subset("IBM", "blue").origin == dataset.origin | {"yahoo": ["IBM"], "name": "blue"}


@pytest.mark.parametrize(
    ("plain", "message"),
    [
        (
            "us-stoks",
            "there is no folder 'us-stoks' and no bundled DataSet of that name; did you mean 'us-stocks'? there "
            "are: us-stocks, sp500, eurusd-1h",
        ),
        ("./none", "there is no folder 'none'; name one with a CSV or Parquet file a symbol"),
        (
            {"folder": "none"},
            "there is no folder 'none'; name one with a CSV or Parquet file a symbol",
        ),
        (
            {"bundled": "us-stoks"},
            "unknown bundled DataSet 'us-stoks'; did you mean 'us-stocks'? there are: us-stocks, sp500, eurusd-1h",
        ),
        ({"bundled": 5}, "a dataset's bundled is 5, but must be text"),
        (
            3,
            "a dataset is 3; name a bundled set such as us-stocks or a folder, or write bundled:, folder:, yahoo: or union:",
        ),
        ({"symbols": ["A"]}, "a dataset has 'symbols'; give it one of bundled, folder, yahoo and union"),
        ({}, "a dataset has nothing; give it one of bundled, folder, yahoo and union"),
        (
            {"yahoo": ["A"], "folder": "x"},
            "a dataset has folder and yahoo; give it one of bundled, folder, yahoo and union",
        ),
        (
            {"yahoo": ["A"], "strt": "2015-01-01"},
            "a dataset from yahoo has no 'strt'; did you mean 'start'?",
        ),
        (
            {"bundled": "sp500", "end": "2015-01-01"},
            "a dataset from bundled has no 'end'; there are: symbols, name",
        ),
        ({"yahoo": []}, "a dataset from yahoo has no symbols; write yahoo: [AAPL, MSFT]"),
        ({"yahoo": [600519]}, "a symbol is 600519, but must be text; put it in quotes"),
        (
            {"union": ["us-stocks"]},
            "a dataset's union is ['us-stocks'], but must be a list of two or more, such as [us-stocks, ./mine]",
        ),
        (
            {"union": ["us-stocks", {"bundled": "sp50"}]},
            "unknown bundled DataSet 'sp50'; did you mean 'sp500'? there are: us-stocks, sp500, eurusd-1h",
        ),
        ({"yahoo": {"A": 1}}, "symbols are {'A': 1}, but must be a list such as [AAPL, MSFT]"),
        ({"yahoo": ["A"], "start": 2015}, "a dataset's start is 2015, but must be text; put it in quotes"),
    ],
)  # fmt: skip
def test_what_names_no_bars_is_refused_in_one_line(plain: object, message: str) -> None:
    with pytest.raises(dl.DLPluginError) as refused:
        DataOrigin.of(plain)
    assert str(refused.value) == message
