"""What goes wrong between here and Yahoo: what is tried again, what is given up, what is said."""

import time
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yfinance as yf

from dlplugin.bars import DataSet
from dlplugin.bars.yahoo import Fetched, fetch
from dlplugin.bars.yahoo_source import Patience
from dlplugin.errors import BarsError, DLPluginWarning
from tests.bars.yahoo_server import Listing, LoopbackSession, Yahoo, walk

QUICK = Patience(tries=3, wait=0.02, limited=0.05, timeout=5.0)
IMPATIENT = Patience(tries=3, wait=0.02, limited=0.05, timeout=0.4)
DAYS = pd.date_range("2020-01-01", periods=60, freq="B")
UNKNOWN = "unknown to Yahoo, or delisted"
LIMITED = "Yahoo says too many requests (429)"


def get(yahoo: Yahoo, *symbols: str, **options: Any) -> Fetched:
    return fetch(symbols or "AAPL", **{"session": yahoo.session(), "patience": QUICK} | options)


@pytest.fixture
def listed(yahoo: Yahoo) -> Yahoo:
    """Two symbols of sixty days."""
    yahoo.listings |= {symbol: Listing(walk(DAYS)) for symbol in ("AAPL", "IBM")}
    return yahoo


@pytest.fixture
def nowhere(yahoo: Yahoo) -> LoopbackSession:
    """A session to a port at which nobody listens."""
    session = yahoo.session()
    yahoo.close()
    return session


def test_an_unknown_symbol_among_several_is_named_and_the_rest_delivered(listed: Yahoo) -> None:
    fetched = get(listed, "GONE", "AAPL", "LOST", "FAR", "IBM")
    assert list(fetched.bars) == ["AAPL", "IBM"]
    assert fetched.failures == dict.fromkeys(("GONE", "LOST", "FAR"), UNKNOWN)


TROUBLES = {
    "too many requests, then fine": [429] * 4,
    "too many requests within one try": [429],
    "a server's error": [503],
    "a bad gateway twice": [502, 502],
    "slow": [1.0],
    "cut connection": ["cut"],
    "cut twice": ["cut", "cut"],
    "no JSON": ["garbage"],
}


@pytest.mark.parametrize("troubles", TROUBLES.values(), ids=TROUBLES)
def test_trouble_that_passes_is_waited_for(listed: Yahoo, troubles: list[Any]) -> None:
    expected = get(listed, "AAPL").bars["AAPL"]
    listed.troubles["IBM"] = list(troubles)
    fetched = get(listed, "AAPL", "IBM", patience=IMPATIENT if troubles == [1.0] else QUICK)
    assert listed.troubles["IBM"] == []
    assert (fetched.failures, fetched.stale) == ({}, {})
    pd.testing.assert_frame_equal(fetched.bars["IBM"], expected, check_exact=True)


@pytest.mark.parametrize(
    ("trouble", "reason"),
    [
        (503, "^Yahoo answers with the error 503$"),
        ("cut", "Connection|connection|Recv failure|transfer closed"),
        (0.8, "operation timed out with 0 bytes received"),
        ("garbage", r"Yahoo's answer cannot be read \(JSONDecodeError: "),
    ],
)
def test_trouble_that_stays_is_given_up_by_name_and_the_rest_delivered(
    listed: Yahoo, trouble: Any, reason: str
) -> None:
    listed.troubles["IBM"] = [trouble] * 50
    fetched = get(listed, "IBM", "AAPL", patience=IMPATIENT if trouble == 0.8 else QUICK)
    assert list(fetched.bars) == ["AAPL"]
    assert list(fetched.failures) == ["IBM"]
    assert pd.Series(fetched.failures["IBM"]).str.contains(reason).all(), fetched.failures
    assert "\n" not in fetched.failures["IBM"]
    assert len(listed.troubles["IBM"]) >= 50 - 2 * QUICK.tries


def test_waits_after_too_many_requests_double_and_hold_for_all(listed: Yahoo) -> None:
    listed.troubles["AAPL"] = [429] * 4
    started = time.monotonic()
    assert list(get(listed, "AAPL", "IBM").bars) == ["AAPL", "IBM"]
    assert time.monotonic() - started >= QUICK.limited * (1 + 2)


def test_when_yahoo_goes_on_refusing_the_other_symbols_are_not_tried(yahoo: Yahoo) -> None:
    symbols = [f"S{number}" for number in range(40)]
    yahoo.troubles = {symbol: [429] * 50 for symbol in symbols}
    fetched = get(yahoo, *symbols)
    assert fetched.failures == dict.fromkeys(symbols, LIMITED)
    assert sum(len(left) < 50 for left in yahoo.troubles.values()) <= 8


def test_without_a_network_one_line_says_so(nowhere: LoopbackSession) -> None:
    started = time.monotonic()
    with pytest.raises(BarsError) as caught:
        DataSet.from_yahoo("tech", ["AAPL", "IBM"], session=nowhere)
    assert str(caught.value) == (
        "Yahoo cannot be reached and the cache has nothing for 'tech': AAPL, IBM: failed to connect to "
        f"127.0.0.1:{nowhere._port}: Could not connect to server; "
        "connect to the internet, or load files with DataSet.from_folder"
    )
    assert time.monotonic() - started < 2.5


def test_without_a_network_cached_bars_are_used_and_their_last_date_is_said(
    listed: Yahoo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dlplugin.bars.yahoo.Patience", lambda: QUICK)
    dataset = DataSet.from_yahoo("tech", ["AAPL", "IBM"], session=listed.session())
    session = listed.session()
    listed.close()
    with pytest.warns(DLPluginWarning) as caught:
        offline = DataSet.from_yahoo("tech", ["AAPL", "IBM", "MSFT"], session=session)
    assert offline.fingerprint == dataset.fingerprint
    reason = f"failed to connect to 127.0.0.1:{session._port}: Could not connect to server"
    assert [str(warning.message) for warning in caught] == [
        f"'tech': left out: MSFT: {reason}",
        f"'tech': not up to date, from the cache: AAPL, IBM: to 2020-03-24, since {reason}",
    ]
    # What is final in the cache needs neither network nor warning.
    early = DataSet.from_yahoo("tech", ["AAPL"], end="2020-03-20", session=session)
    assert early["AAPL"].index[-1] == pd.Timestamp("2020-03-20")
    # What begins after the cache's last date cannot be had.
    with pytest.raises(
        BarsError, match="no bars between start and end in the cache, which has them from 2020-01-01"
    ):
        DataSet.from_yahoo("tech", ["AAPL"], start="2020-04-01", session=session)


def test_a_symbol_that_yahoo_delists_stays_in_the_cache_and_is_said(listed: Yahoo) -> None:
    get(listed, "AAPL")
    del listed.listings["AAPL"]
    fetched = get(listed, "AAPL", "IBM")
    assert fetched.stale == {"AAPL": f"to 2020-03-24, since {UNKNOWN}"}
    assert len(fetched.bars["AAPL"]) == 60


def test_a_symbol_without_any_bars_says_so(yahoo: Yahoo) -> None:
    yahoo.listings["NEW"] = Listing(walk(DAYS)[:0])
    assert get(yahoo, "NEW").failures == {"NEW": "Yahoo has no bars of it"}


def test_yfinance_is_left_as_it_was_when_nothing_works(nowhere: LoopbackSession) -> None:
    get_nothing = fetch("AAPL", session=nowhere, patience=QUICK)
    assert (get_nothing.bars, get_nothing.reached) == ({}, False)
    assert yf.config.debug.hide_exceptions is True


def test_the_bars_are_given_out_when_the_cache_cannot_be_written(listed: Yahoo, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    fetched = get(listed, "AAPL", cache=tmp_path / "file")
    assert fetched.notes == {"AAPL": "not cached, since its cache cannot be locked"}
    assert len(fetched.bars["AAPL"]) == 60
