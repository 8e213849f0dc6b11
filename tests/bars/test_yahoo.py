"""Prices from a loopback Yahoo through the real yfinance: what is given out, and what is fetched again."""

import io
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yfinance as yf
from rich.console import Console

from dlplugin.bars import DataSet
from dlplugin.bars.yahoo import Fetched, fetch
from dlplugin.bars.yahoo_cache import YahooCache
from dlplugin.bars.yahoo_source import RAW_COLUMNS, Patience
from dlplugin.errors import BarsError, DLPluginWarning
from tests.bars.yahoo_server import Listing, Yahoo, walk

QUICK = Patience(tries=3, wait=0.01, limited=0.02, timeout=3.0)
DAYS = pd.date_range("2020-01-01", periods=300, freq="B")
WHOLE, TAIL = "whole", "tail"


def get(yahoo: Yahoo, symbols: Any = "AAPL", *dates: Any, **options: Any) -> Fetched:
    return fetch(symbols, *dates, **{"session": yahoo.session(), "patience": QUICK} | options)


def listing(**changes: Any) -> Listing:
    return Listing(walk(DAYS), **changes)


def parts(yahoo: Yahoo) -> list[str]:
    """What was asked for since: the whole history, or a tail of it."""
    return [WHOLE if first < pd.Timestamp("1990-01-01").timestamp() else TAIL for first in yahoo.since()]


def test_raw_prices_are_cached_and_adjusted_ones_are_given_out(yahoo: Yahoo, tmp_path: Path) -> None:
    yahoo.listings["AAPL"] = listing(dividends={"2020-06-01": 2.0}, splits={"2020-09-01": 4.0})
    bars = get(yahoo).bars["AAPL"]
    assert list(bars.columns) == ["open", "high", "low", "close", "volume", "raw_close"]
    assert (list(bars.index), bars.index.name, bars.index.dtype) == (list(DAYS), "date", "datetime64[ns]")
    traded, paid, split = walk(DAYS), DAYS.get_loc("2020-06-01"), DAYS.get_loc("2020-09-01")
    growth = (bars["close"] / bars["close"].shift()).to_numpy()[1:]
    expected = (traded["close"] / traded["close"].shift()).to_numpy(copy=True)[1:]
    expected[split - 1] *= 4
    expected[paid - 1] = traded["close"].iloc[paid] / (traded["close"].iloc[paid - 1] - 2.0)
    np.testing.assert_allclose(growth, expected, rtol=1e-12)
    for name in ("open", "high", "low"):
        np.testing.assert_allclose(bars[name] / bars["close"], (traded[name] / traded["close"]), rtol=1e-12)
    np.testing.assert_array_equal(bars["volume"][:split], 4 * traded["volume"][:split])
    np.testing.assert_array_equal(bars["volume"][split:], traded["volume"][split:])
    np.testing.assert_array_equal(bars["raw_close"][:split], traded["close"][:split] / 4)

    raw = YahooCache(tmp_path / "cache", "1d").read("AAPL")
    assert tuple(raw.columns) == RAW_COLUMNS
    np.testing.assert_array_equal(raw["close"], bars["raw_close"])
    np.testing.assert_array_equal(raw["adj_close"], bars["close"])
    assert raw["dividends"][raw["dividends"] > 0].to_dict() == {pd.Timestamp("2020-06-01"): 0.5}
    assert raw["splits"][raw["splits"] > 0].to_dict() == {pd.Timestamp("2020-09-01"): 4.0}


def unchanged(stock: Listing, day: str) -> None:
    pass


def an_open_session(stock: Listing, day: str) -> None:
    """The last bar that was fetched had not closed."""
    stock.traded.iloc[199, :] *= 1.01


def a_split(stock: Listing, day: str) -> None:
    stock.splits[day] = 3.0


def a_dividend(stock: Listing, day: str) -> None:
    stock.dividends[day] = 1.0


def a_late_correction(stock: Listing, day: str) -> None:
    stock.traded.iloc[196, 4] += 100


BETWEEN = {
    unchanged: [TAIL],
    an_open_session: [TAIL],
    a_split: [TAIL, WHOLE],
    a_dividend: [TAIL, WHOLE],
    a_late_correction: [TAIL, WHOLE],
}


@pytest.mark.parametrize(
    ("interval", "event"),
    [
        *(("1d", event) for event in BETWEEN),
        ("1w", unchanged),
        ("1w", a_split),
        ("1mo", a_split),
        ("1mo", a_dividend),
    ],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_what_is_cached_in_two_fetches_equals_a_fresh_fetch_to_the_bit(
    yahoo, tmp_path, event, interval
) -> None:
    dates = {
        "1d": DAYS,
        "1w": pd.date_range("2017-01-02", periods=300, freq="7D"),
        "1mo": pd.date_range("1995-10-01", periods=300, freq="MS"),
    }[interval]
    paid, moved = (str(dates[place].date()) for place in (50, 205))
    stock = yahoo.listings["AAPL"] = Listing(walk(dates), {paid: 1.0}, until=dates[199], interval=interval)
    assert len(get(yahoo, interval=interval).bars["AAPL"]) == 200
    event(stock, moved)
    stock.until = None
    yahoo.since()
    second = get(yahoo, interval=interval)
    assert [WHOLE if first < 0 else TAIL for first in yahoo.since()] == BETWEEN[event]
    fresh = get(yahoo, interval=interval, cache=tmp_path / "other")
    assert len(second.bars["AAPL"]) == 300
    pd.testing.assert_frame_equal(second.bars["AAPL"], fresh.bars["AAPL"], check_exact=True)
    cached = [YahooCache(tmp_path / folder, interval).read("AAPL") for folder in ("cache", "other")]
    pd.testing.assert_frame_equal(*cached, check_exact=True)
    third = get(yahoo, interval=interval)
    pd.testing.assert_frame_equal(third.bars["AAPL"], fresh.bars["AAPL"], check_exact=True)


def test_bars_that_are_final_in_the_cache_are_not_asked_for(yahoo: Yahoo) -> None:
    yahoo.listings["AAPL"] = listing()
    get(yahoo)
    yahoo.since()
    last = DAYS[-1]
    inside = get(yahoo, "AAPL", "2020-03-01", DAYS[-2])
    assert parts(yahoo) == []
    assert (inside.bars["AAPL"].index[0], inside.bars["AAPL"].index[-1]) == (
        pd.Timestamp("2020-03-02"),
        DAYS[-2],
    )
    assert get(yahoo, "AAPL", None, last).bars["AAPL"].index[-1] == last
    assert parts(yahoo) == [TAIL]


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2020-03-02", "2020-03-06"),
        (date(2020, 3, 2), date(2020, 3, 6)),
        (pd.Timestamp("2020-02-29 12:00"), pd.Timestamp("2020-03-08")),
        (
            pd.Timestamp("2020-03-02", tz="America/New_York"),
            pd.Timestamp("2020-03-06 23:00", tz="America/New_York"),
        ),
    ],
    ids=["text", "dates", "between", "zones"],
)
def test_start_and_end_are_dates_of_any_kind_and_both_are_included(yahoo, start, end) -> None:
    yahoo.listings["AAPL"] = listing()
    bars = get(yahoo, "AAPL", start, end).bars["AAPL"]
    assert (bars.index[0], bars.index[-1], len(bars)) == (
        pd.Timestamp("2020-03-02"),
        pd.Timestamp("2020-03-06"),
        5,
    )


def test_rows_without_prices_are_dropped_and_counted_and_gaps_stay_gaps(yahoo: Yahoo) -> None:
    stock = yahoo.listings["AAPL"] = listing()
    stock.traded.iloc[[10, 20, 295], :4] = np.nan
    stock.traded.iloc[[10, 20], 4] = np.nan
    stock.traded.iloc[30, 0] = 0.0
    stock.traded = stock.traded.drop(stock.traded.index[100:120])
    first = get(yahoo)
    assert first.notes == {"AAPL": "4 rows without prices dropped"}
    expected = DAYS.delete([10, 20, 30, *range(100, 120), 295])
    assert list(first.bars["AAPL"].index) == list(expected)
    assert get(yahoo).notes == first.notes
    assert get(yahoo, "AAPL", "2020-01-20", "2020-01-31").notes == {"AAPL": "1 row without prices dropped"}


def test_symbols_come_four_at_a_time_in_any_case_and_each_once(yahoo: Yahoo) -> None:
    symbols = ["AAPL", "^GSPC", "EURUSD=X", "BRK-B", "SAP.DE", "GC=F", "MSFT", "IBM"]
    for symbol in symbols:
        yahoo.listings[symbol] = listing()
    yahoo.delay = 0.1
    fetched = get(yahoo, [" aapl ", *symbols])
    assert list(fetched.bars) == symbols
    assert yahoo.most_at_once == 4
    assert sorted(symbol for symbol, _ in yahoo.asked) == sorted(symbols)


def test_funds_with_capital_gains_and_other_zones_have_the_dates_of_their_exchange(yahoo: Yahoo) -> None:
    yahoo.listings["7203.T"] = listing(zone="Asia/Tokyo", kind="ETF")
    assert list(get(yahoo, "7203.T").bars["7203.T"].index) == list(DAYS)


def hours(days: pd.DatetimeIndex, starts: list[str]) -> pd.DatetimeIndex:
    """Times in New York on each of the days, in UTC."""
    times = [day + pd.Timedelta(start) for day in days for start in starts]
    return pd.DatetimeIndex(times).tz_localize("America/New_York").tz_convert("UTC").tz_localize(None)


HOURLY = [f"{hour}h30min" for hour in range(9, 16)]
HOUR_AND_HALF = ["9h30min", "11h", "12h30min", "14h", "15h30min"]


def recent_days(count: int) -> pd.DatetimeIndex:
    return pd.bdate_range(
        end=pd.Timestamp.now("UTC").tz_localize(None).normalize() - pd.Timedelta(1, "D"), periods=count
    )


def test_hourly_bars_are_in_utc_through_the_change_of_clocks(yahoo: Yahoo) -> None:
    dates = hours(recent_days(270), HOURLY)
    yahoo.listings["AAPL"] = Listing(walk(dates), interval="1h", until=dates[-10])
    first = get(yahoo, interval="1h").bars["AAPL"]
    assert list(first.index) == list(dates[:-9])
    assert {moment.hour for moment in first.index[::7]} == {13, 14}
    np.testing.assert_array_equal(first["close"], first["raw_close"])
    yahoo.listings["AAPL"].until = None
    yahoo.since()
    second = get(yahoo, interval="60m").bars["AAPL"]
    assert yahoo.since()[0] > (pd.Timestamp.now("UTC") - pd.Timedelta(20, "D")).timestamp()
    assert list(second.index) == list(dates)
    day = dates[-8].normalize()
    assert list(get(yahoo, "AAPL", day, day, interval="1h").bars["AAPL"].index) == list(dates[-14:-7])


def test_half_hours_are_made_of_quarters_without_empty_rows_at_night(yahoo: Yahoo) -> None:
    quarters = hours(
        recent_days(20), [f"{9 + (30 + 15 * step) // 60}h{(30 + 15 * step) % 60}min" for step in range(26)]
    )
    yahoo.listings["AAPL"] = Listing(walk(quarters), interval="15m")
    fetched = get(yahoo, interval="30m")
    assert fetched.notes == {}
    assert list(fetched.bars["AAPL"].index) == list(quarters[::2])
    np.testing.assert_array_equal(fetched.bars["AAPL"]["close"], walk(quarters)["close"][1::2])
    assert DataSet.from_frames("x", fetched.bars).interval == "30m"


def raw_of(stock: Listing, until: pd.Timestamp) -> pd.DataFrame:
    known = Listing(stock.traded, splits=dict(stock.splits), until=until, interval=stock.interval).today()
    return known.assign(dividends=0.0, splits=0.0)[list(RAW_COLUMNS)].rename_axis("date")


@pytest.mark.parametrize("split", [None, 2.0])
def test_bars_within_a_day_that_yahoo_keeps_no_more_stay_in_the_cache_at_todays_scale(
    yahoo: Yahoo, tmp_path: Path, split: float | None
) -> None:
    dates = hours(recent_days(100), HOUR_AND_HALF)
    stock = yahoo.listings["AAPL"] = Listing(walk(dates), interval="90m")
    day = dates[-20].strftime("%Y-%m-%d")
    stock.splits = {day: split} if split else {}
    cache = YahooCache(tmp_path / "cache", "90m")
    with cache.held("AAPL"):
        cache.write("AAPL", raw_of(stock, dates[-60]))
    fetched = get(yahoo, interval="90m")
    assert fetched.notes == ({"AAPL": "older bars scaled by 0.5 after a split"} if split else {})
    expected = stock.today()
    assert list(fetched.bars["AAPL"].index) == list(dates)
    for name in ("open", "high", "low", "close", "volume"):
        np.testing.assert_allclose(fetched.bars["AAPL"][name], expected[name], rtol=1e-12)


def test_bars_that_nothing_ties_to_todays_prices_are_dropped_and_said(yahoo: Yahoo, tmp_path: Path) -> None:
    dates = hours(recent_days(130), HOUR_AND_HALF)
    stock = yahoo.listings["AAPL"] = Listing(walk(dates), interval="90m")
    cache = YahooCache(tmp_path / "cache", "90m")
    with cache.held("AAPL"):
        cache.write("AAPL", raw_of(stock, dates[99]))
    fetched = get(yahoo, interval="90m")
    first = fetched.bars["AAPL"].index[0]
    assert first > dates[99]
    assert fetched.notes == {
        "AAPL": f"100 cached bars before {first} dropped, since Yahoo keeps them no more "
        "and nothing says whether a split moved them"
    }


def test_a_dataset_from_yahoo_names_and_leaves_out_what_cannot_be_had(yahoo: Yahoo) -> None:
    yahoo.listings |= {"AAPL": listing(), "IBM": listing(interval="1d")}
    with pytest.warns(DLPluginWarning) as caught:
        dataset = DataSet.from_yahoo(
            "tech", ["IBM", "GONE", "AAPL"], start="2020-02-01", session=yahoo.session()
        )
    assert [str(warning.message) for warning in caught] == [
        "'tech': left out: GONE: unknown to Yahoo, or delisted"
    ]
    assert caught[0].filename == __file__
    assert (dataset.name, dataset.symbols, dataset.interval) == ("tech", ("AAPL", "IBM"), "1d")
    assert dataset["IBM"].index[0] == pd.Timestamp("2020-02-03")


def test_a_dataset_of_nothing_is_an_error_of_one_line(yahoo: Yahoo) -> None:
    yahoo.listings["AAPL"] = listing()
    with pytest.raises(BarsError) as caught:
        DataSet.from_yahoo("tech", ["GONE", "AAPL", "ALSO"], "2030-01-01", session=yahoo.session())
    assert str(caught.value) == (
        "nothing could be fetched for 'tech': GONE, ALSO: unknown to Yahoo, or delisted; "
        "AAPL: no bars between start and end at Yahoo, which has them from 2020-01-01 to 2021-02-23"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"symbols": []}, "no symbols are given; name one or more, such as 'AAPL'"),
        ({"symbols": 5}, "symbols are 5; give a list such as ['AAPL', '^GSPC']"),
        ({"symbols": ["A", ""]}, "the symbol is ''; write it as Yahoo does, such as 'AAPL' or '^GSPC'"),
        ({"symbols": ["../x"]}, "the symbol is '../x'; write it as Yahoo does, such as 'AAPL' or '^GSPC'"),
        ({"symbols": [None]}, "the symbol is None; write it as Yahoo does, such as 'AAPL' or '^GSPC'"),
        ({"start": "soon"}, "start is 'soon'; give a date such as '2020-04-03'"),
        ({"end": 2020}, "end is 2020; give a date such as '2020-04-03'"),
        ({"end": pd.NaT}, "end is NaT; give a date such as '2020-04-03'"),
        (
            {"start": "2020-02-01", "end": "2020-01-01"},
            "start 2020-02-01 is after end 2020-01-01; exchange them",
        ),
        (
            {"interval": "1D"},
            "Yahoo has no interval '1D'; did you mean '1d'? there are: 1m, 2m, 5m, 15m, 30m, 1h, 90m, 1d, 1mo, 3mo, 1w",
        ),
        (
            {"interval": None},
            "Yahoo has no interval None; there are: 1m, 2m, 5m, 15m, 30m, 1h, 90m, 1d, 1mo, 3mo, 1w",
        ),
    ],
    ids=str,
)
def test_what_cannot_be_asked_for_is_refused_in_one_line(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(BarsError) as caught:
        fetch(**{"symbols": "AAPL"} | arguments)
    assert str(caught.value) == message


def test_a_pipe_gets_one_line_and_a_terminal_a_bar(yahoo: Yahoo) -> None:
    yahoo.listings |= {"AAPL": listing(), "IBM": listing()}
    yahoo.listings["IBM"].traded.iloc[3, 0] = np.nan
    get(yahoo, "AAPL")
    told = []
    for terminal in (False, True):
        file = io.StringIO()
        get(yahoo, ["AAPL", "IBM", "GONE"], console=Console(file=file, force_terminal=terminal, width=100))
        told.append(file.getvalue())
    assert told[0] == ("Yahoo: 2 of 3 symbols (1 appended, 1 fetched); IBM: 1 row without prices dropped\n")
    assert "3/3" in told[1]


def test_yfinance_is_left_as_it_was(yahoo: Yahoo) -> None:
    from yfinance.data import YfData

    session = yahoo.session()
    before = YfData()._session, session.request
    get(yahoo, session=session)
    assert (YfData()._session, session.request) == before
    assert yf.config.debug.hide_exceptions is True
