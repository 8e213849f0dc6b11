"""The cache of raw bars: whole after a kill, mended after damage, shared by processes."""

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import platformdirs
import pyarrow.parquet as pq
import pytest

from dlplugin.bars.yahoo import Fetched, fetch
from dlplugin.bars.yahoo_cache import DamagedCacheError, YahooCache, cache_folder
from dlplugin.bars.yahoo_source import Patience
from tests.bars.yahoo_server import Listing, Yahoo, walk

ROOT = Path(__file__).parent.parent.parent
DAYS = pd.date_range("2020-01-01", periods=60, freq="B")

CHILD = """
import os, sys, time
import yfinance as yf
from dlplugin.bars.yahoo import fetch
from tests.bars.yahoo_server import LoopbackSession
port, folder, yfinance_folder, hang = sys.argv[1:]
yf.set_tz_cache_location(yfinance_folder)
if hang == "hang":
    def fsync(file):
        print("writing", flush=True)
        time.sleep(60)
    os.fsync = fsync
else:
    print("ready", flush=True)
    sys.stdin.readline()
fetched = fetch(["AAPL", "IBM", "MSFT"], cache=folder, session=LoopbackSession(int(port)))
from dlplugin.bars import DataSet
print(DataSet.from_frames("x", fetched.bars).fingerprint, fetched.failures, fetched.notes)
"""


@pytest.fixture
def listed(yahoo: Yahoo) -> Yahoo:
    """Three symbols, of which fifty days have happened."""
    for seed, symbol in enumerate(("AAPL", "IBM", "MSFT")):
        yahoo.listings[symbol] = Listing(walk(DAYS, seed), until=DAYS[49])
    return yahoo


def get(yahoo: Yahoo, **options: Any) -> Fetched:
    patience = Patience(tries=2, wait=0.01, limited=0.01, timeout=3.0)
    return fetch("AAPL", **{"session": yahoo.session(), "patience": patience} | options)


def child(yahoo: Yahoo, folder: Path, hang: str) -> "subprocess.Popen[str]":
    arguments = [str(yahoo.port), str(folder), str(folder / hang), hang]
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, *arguments],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def parts_of(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "yahoo" / "1d").glob(".*.part"))


def test_the_folder_is_the_one_given_or_the_environments_or_the_users(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DLPLUGIN_CACHE", str(tmp_path / "named"))
    assert cache_folder(tmp_path / "given") == tmp_path / "given"
    assert cache_folder() == tmp_path / "named"
    monkeypatch.delenv("DLPLUGIN_CACHE")
    assert cache_folder() == Path(platformdirs.user_cache_dir("dlplugin", False))


def test_a_write_that_fails_half_way_leaves_the_old_file_and_delivers_the_bars(
    listed, tmp_path, monkeypatch
) -> None:
    get(listed)
    cache = YahooCache(tmp_path / "cache", "1d")
    before = cache.read("AAPL")
    listed.listings["AAPL"].until = None
    write = pq.write_table

    def full(table: Any, file: Any, **options: Any) -> None:
        write(table.slice(0, 5), file, **options)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(pq, "write_table", full)
    fetched = get(listed)
    assert fetched.notes == {"AAPL": "not cached: No space left on device"}
    assert len(fetched.bars["AAPL"]) == 60
    pd.testing.assert_frame_equal(cache.read("AAPL"), before, check_exact=True)
    assert parts_of(tmp_path / "cache") == []


def test_a_process_killed_while_it_writes_leaves_the_old_file_and_no_lock(
    listed: Yahoo, tmp_path: Path
) -> None:
    first = get(listed).bars["AAPL"]
    cache = YahooCache(tmp_path / "cache", "1d")
    listed.listings["AAPL"].until = None
    process = child(listed, tmp_path / "cache", "hang")
    assert process.stdout is not None
    said = process.stdout.readline()
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert said.startswith("writing")  # two threads may say so in one line
    assert parts_of(tmp_path / "cache") != []
    assert len(cache.read("AAPL")) == len(first) == 50
    for symbol in ("AAPL", "IBM", "MSFT"):
        fetch(symbol, session=listed.session())
    assert parts_of(tmp_path / "cache") == []
    assert [len(cache.read(symbol)) for symbol in ("AAPL", "IBM", "MSFT")] == [60, 50, 50]


def rewrite(path: Path) -> None:
    """A good Parquet file with one price changed."""
    table = pq.read_table(path)
    bars = table.to_pandas()
    bars.iloc[3, 3] += 0.01
    pq.write_table(table.from_pandas(bars).replace_schema_metadata(table.schema.metadata), path)


DAMAGE = {
    "empty": lambda path: path.write_bytes(b""),
    "half": lambda path: path.write_bytes(path.read_bytes()[:1500]),
    "text": lambda path: path.write_text("date,close\n"),
    "another table": lambda path: pd.DataFrame({"a": [1]}).to_parquet(path),
    "a changed price": rewrite,
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_file_is_fetched_anew_and_said(listed: Yahoo, tmp_path: Path, damage: Any) -> None:
    first = get(listed).bars["AAPL"]
    path = tmp_path / "cache" / "yahoo" / "1d" / "AAPL.parquet"
    damage(path)
    with pytest.raises(DamagedCacheError):
        YahooCache(tmp_path / "cache", "1d").read("AAPL")
    again = get(listed)
    assert again.notes == {"AAPL": f"the cached file {path} was damaged and was fetched anew"}
    pd.testing.assert_frame_equal(again.bars["AAPL"], first, check_exact=True)
    assert get(listed).notes == {}


def test_no_flipped_bit_changes_what_is_read(listed: Yahoo, tmp_path: Path) -> None:
    get(listed)
    cache = YahooCache(tmp_path / "cache", "1d")
    written = cache.read("AAPL")
    path = tmp_path / "cache" / "yahoo" / "1d" / "AAPL.parquet"
    content = path.read_bytes()
    refused = 0
    for place in range(0, len(content), len(content) // 50):
        path.write_bytes(content[:place] + bytes([content[place] ^ 4]) + content[place + 1 :])
        try:
            pd.testing.assert_frame_equal(cache.read("AAPL"), written, check_exact=True)
        except DamagedCacheError:
            refused += 1
    assert refused > 15


def test_two_processes_at_once_fetch_each_symbol_once_and_agree(listed: Yahoo, tmp_path: Path) -> None:
    listed.delay = 0.1
    processes = [child(listed, tmp_path / "cache", name) for name in ("one", "two")]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    said = []
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in processes:
        out, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors
        said.append(out)
    assert said[0] == said[1]
    assert said[0].endswith("{} {}\n")
    whole = [symbol for symbol, query in listed.asked if int(query["period1"]) < 0]
    assert sorted(whole) == ["AAPL", "IBM", "MSFT"]
    assert len(listed.asked) == 6
    cache = YahooCache(tmp_path / "cache", "1d")
    assert [len(cache.read(symbol)) for symbol in ("AAPL", "IBM", "MSFT")] == [50, 50, 50]
