"""dlplugin data fetch, against a loopback Yahoo."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from yfinance.data import YfData

from dlplugin import actions
from dlplugin.bars import DataSet
from dlplugin.bars.yahoo import fetch
from dlplugin.bars.yahoo_source import Patience
from dlplugin.cli import run
from dlplugin.errors import BarsError
from tests.bars.yahoo_server import Listing, Yahoo, walk

DAYS = pd.date_range("2020-01-01", periods=60, freq="B")


@pytest.fixture
def listed(yahoo: Yahoo, monkeypatch: pytest.MonkeyPatch) -> Yahoo:
    """Two symbols at a Yahoo that yfinance's own session reaches."""
    yahoo.listings |= {
        symbol: Listing(walk(DAYS, seed), dividends={"2020-02-03": 1.0})
        for seed, symbol in enumerate(("AAPL", "^GSPC"))
    }
    monkeypatch.setattr(YfData(), "_session", yahoo.session())
    return yahoo


def test_what_is_fetched_is_read_back_by_from_folder_to_the_bit(
    listed: Yahoo, tmp_path: Path, capsys: Any
) -> None:
    out = tmp_path / "out"
    (out).mkdir()
    (out / "AAPL.csv").write_text("older")
    command = [
        "data",
        "fetch",
        "aapl",
        "^GSPC",
        "GONE",
        "--start",
        "2020-01-13",
        "--end",
        "2020-03-20",
        "--out",
        str(out),
    ]
    assert run(command) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"AAPL   50 bars from 2020-01-13 to 2020-03-20  {out / 'AAPL.csv'}",
        f"^GSPC  50 bars from 2020-01-13 to 2020-03-20  {out / '^GSPC.csv'}",
        "left out: GONE: unknown to Yahoo, or delisted",
    ]
    assert sorted(path.name for path in out.iterdir()) == ["AAPL.csv", "^GSPC.csv"]
    fetched = fetch(["AAPL", "^GSPC"], "2020-01-13", "2020-03-20", session=listed.session())
    assert DataSet.from_folder(out).fingerprint == DataSet.from_frames("x", fetched.bars).fingerprint


def test_weekly_bars_and_json(listed: Yahoo, tmp_path: Path, capsys: Any) -> None:
    dates = pd.date_range("2020-01-06", periods=30, freq="7D")
    listed.listings["WEEK"] = Listing(walk(dates), interval="1w")
    assert run(["data", "fetch", "WEEK", "--interval", "1w", "--out", str(tmp_path / "out"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "folder": str(tmp_path / "out"),
        "written": {
            "WEEK": {
                "bars": 30,
                "first": "2020-01-06",
                "last": "2020-07-27",
                "file": str(tmp_path / "out" / "WEEK.csv"),
            }
        },
        "failures": {},
        "stale": {},
        "notes": {},
    }
    assert DataSet.from_folder(tmp_path / "out").interval == "1w"


def test_without_a_network_the_cache_is_written_and_said(
    listed: Yahoo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dlplugin.bars.yahoo.Patience", lambda: Patience(2, 0.01, 0.01, 5.0))
    actions.fetch_prices(["AAPL"], tmp_path / "one")
    listed.close()
    result = actions.fetch_prices(["AAPL"], tmp_path / "two")
    assert (
        str(result)
        .splitlines()[1]
        .startswith("not up to date: AAPL to 2020-03-24, since failed to connect to ")
    )
    assert (tmp_path / "one" / "AAPL.csv").read_bytes() == (tmp_path / "two" / "AAPL.csv").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["GONE", "LOST"], "nothing could be fetched for 'out': GONE, LOST: unknown to Yahoo, or delisted"),
        ([], "no symbols are given; name one or more, such as 'AAPL'"),
        (["AAPL", "--start", "soon"], "start is 'soon'; give a date such as '2020-04-03'"),
    ],
)
def test_what_cannot_be_had_is_one_line_and_nothing_is_written(
    listed: Yahoo, tmp_path: Path, capsys: Any, arguments: list[str], message: str
) -> None:
    assert run(["data", "fetch", *arguments, "--out", str(tmp_path / "out")]) == 2
    assert capsys.readouterr().err == f"dlplugin: {message}\n"
    assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_written_is_one_line(listed: Yahoo, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    with pytest.raises(BarsError) as caught:
        actions.fetch_prices(["AAPL"], tmp_path / "out")
    assert str(caught.value) == f"cannot write {tmp_path / 'out' / 'AAPL.csv'}: File exists"
