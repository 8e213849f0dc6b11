"""The cache on disk: whole entries or none, room for the newest, and frames parsed once."""

import os
import threading
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import dlplugin as dl
from dlplugin.bars import cache, folder, parsed
from dlplugin.bars.folder import read_file
from dlplugin.errors import DLPluginWarning

KEY = "0" * 64
OTHER = "1" * 64


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DLPLUGIN_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def write_prices(path: Path, rows: int = 60, seed: int = 0) -> None:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        rng.lognormal(3, 0.01, (rows, 5)),
        columns=["open", "high", "low", "close", "volume"],
        index=pd.bdate_range("2020-01-01", periods=rows, name="date"),
    )
    frame["high"], frame["low"] = frame.max(axis=1) * 1.001, frame.min(axis=1) * 0.999
    frame.to_csv(path)


@pytest.fixture
def prices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two symbols; files of every size are cached."""
    monkeypatch.setattr(parsed, "LEAST_BYTES", 0)
    (tmp_path / "prices").mkdir()
    write_prices(tmp_path / "prices" / "AAPL.csv", seed=1)
    write_prices(tmp_path / "prices" / "IBM.csv.gz", seed=2)
    return tmp_path / "prices"


@pytest.fixture
def parses(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The symbols that were parsed, in order."""
    done: list[str] = []
    real = folder._read_csv

    def counted(path: Path, symbol: str) -> pd.DataFrame:
        done.append(symbol)
        return real(path, symbol)

    monkeypatch.setattr(folder, "_read_csv", counted)
    return done


def test_an_entry_is_given_back_as_it_was_written(root: Path) -> None:
    assert cache.read_entry("inputs", KEY) is None
    cache.write_entry("inputs", KEY, b"values")
    assert cache.read_entry("inputs", KEY) == b"values"
    assert cache.read_entry("bars", KEY) is None
    assert [path.name for path in (root / "inputs").iterdir()] == [f"{KEY}.npy"]


def test_parts_of_a_key_do_not_run_into_each_other() -> None:
    assert cache.key_of("ab", "c") != cache.key_of("a", "bc")


@pytest.mark.parametrize(
    "spoil", [lambda b: b[:-1], lambda b: b"", lambda b: b"x" + b[1:], lambda b: b + b"x"]
)
def test_a_damaged_entry_is_no_entry_and_is_written_anew(root: Path, spoil) -> None:
    cache.write_entry("bars", KEY, b"content")
    path = root / "bars" / f"{KEY}.parquet"
    path.write_bytes(spoil(path.read_bytes()))
    assert cache.read_entry("bars", KEY) is None
    cache.write_entry("bars", KEY, b"content")
    assert cache.read_entry("bars", KEY) == b"content"


def test_a_write_that_is_cut_off_leaves_the_old_entry_and_no_part(root: Path, monkeypatch) -> None:
    cache.write_entry("bars", KEY, b"old")

    def full(*_: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(os, "replace", full)
    cache.write_entry("bars", KEY, b"new")
    assert cache.read_entry("bars", KEY) == b"old"
    assert len(list((root / "bars").iterdir())) == 1


def test_what_was_used_longest_ago_makes_room(root: Path, monkeypatch) -> None:
    monkeypatch.setattr(cache, "LIMIT", 3 * 132)
    keys = [digit * 64 for digit in "0123"]
    for age, key in zip((400_000, 300_000, 200_000), keys, strict=False):
        cache.write_entry("inputs", key, bytes(100))
        path = root / "inputs" / f"{key}.npy"
        os.utime(path, (path.stat().st_mtime - age,) * 2)
    assert cache.read_entry("inputs", keys[0]) == bytes(100)  # it is used, so the second is the oldest now
    cache.write_entry("bars", keys[3], bytes(100))
    assert [cache.read_entry("inputs", key) is not None for key in keys[:3]] == [True, False, True]
    assert cache.read_entry("bars", keys[3]) == bytes(100)
    cache.write_entry("bars", OTHER, bytes(1000))  # more than all the room
    assert cache.read_entry("bars", OTHER) is None


def test_a_part_of_a_killed_process_goes_after_an_hour(root: Path) -> None:
    (root / "bars").mkdir(parents=True)
    old, young = (root / "bars" / f".{key}.12345678.part" for key in (KEY, OTHER))
    for path in (old, young):
        path.write_bytes(b"half")
    os.utime(old, (0, 0))
    cache.write_entry("bars", KEY, b"whole")
    assert (old.exists(), young.exists()) == (False, True)


def test_many_threads_may_write_and_read_one_entry(root: Path) -> None:
    wrong: list[bytes | None] = []

    def work() -> None:
        for _ in range(30):
            cache.write_entry("inputs", KEY, b"same" * 1000)
            content = cache.read_entry("inputs", KEY)
            if content != b"same" * 1000:
                wrong.append(content)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_clearing_removes_entries_and_no_other_file(root: Path) -> None:
    cache.write_entry("bars", KEY, b"content")
    mine = root / "bars" / "mine.parquet"
    mine.write_bytes(b"not an entry")
    assert cache.contents() == {"bars": (1, 39), "inputs": (0, 0), "yahoo": (0, 0)}
    assert cache.clear("bars") == (1, 39)
    assert list((root / "bars").iterdir()) == [mine]


def test_a_cached_file_has_the_same_bits_and_is_not_parsed_again(root, prices, parses) -> None:
    fresh = {symbol: read_file(path, symbol) for path, symbol in _paths(prices)}
    again = {symbol: read_file(path, symbol) for path, symbol in _paths(prices)}
    assert parses == ["AAPL", "IBM"]
    for symbol, frame in fresh.items():
        pd.testing.assert_frame_equal(again[symbol], frame, check_exact=True)
        assert again[symbol].dtypes.equals(frame.dtypes)
        assert isinstance(again[symbol].index, pd.RangeIndex)


def test_a_changed_bar_rebuilds_only_its_symbol(root, prices, parses) -> None:
    before = dl.DataSet.from_folder(prices)
    text = (prices / "AAPL.csv").read_text().splitlines()
    text[-1] = text[-1].rsplit(",", 1)[0] + ",123.0"
    (prices / "AAPL.csv").write_text("\n".join(text) + "\n")
    parses.clear()
    after = dl.DataSet.from_folder(prices)
    assert parses == ["AAPL"]
    assert after["AAPL"]["volume"].iloc[-1] == 123.0
    pd.testing.assert_frame_equal(after["IBM"], before["IBM"], check_exact=True)


def test_checks_run_on_cached_bars_too(root, prices, parses) -> None:
    text = (prices / "AAPL.csv").read_text().splitlines()
    (prices / "AAPL.csv").write_text("\n".join([text[0], text[2], text[1], *text[3:]]))
    with pytest.warns(DLPluginWarning, match="sorted by date"):
        first = dl.DataSet.from_folder(prices)
    with pytest.warns(DLPluginWarning, match="sorted by date"):
        second = dl.DataSet.from_folder(prices)
    assert parses == ["AAPL", "IBM"]
    assert first.findings == second.findings != ()


def test_a_small_file_is_not_cached(root, prices, parses, monkeypatch) -> None:
    monkeypatch.setattr(parsed, "LEAST_BYTES", 1_000_000)
    dl.DataSet.from_folder(prices)
    assert not root.exists()


def test_a_damaged_cached_frame_is_parsed_again(root, prices, parses) -> None:
    dl.DataSet.from_folder(prices)
    for path in (root / "bars").iterdir():
        path.write_bytes(path.read_bytes()[:-50])
    dl.DataSet.from_folder(prices)
    assert parses == ["AAPL", "IBM"] * 2


def test_a_frame_that_parquet_would_change_is_not_cached(root: Path, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(parsed, "LEAST_BYTES", 0)
    path = tmp_path / "x.csv"
    path.write_text("anything")
    mixed = pd.DataFrame({"a": pd.Series([1, "two"], dtype=object), "b": [1.0, 2.0]})
    named = pd.DataFrame({"a": pd.Series([None, "two"], dtype=object)})
    named["a"] = pd.Series([float("nan"), "two"], dtype=object)
    for frame in (mixed, named):
        assert parsed.parsed(path, lambda frame=frame: frame) is frame
    assert cache.contents()["bars"].entries == 0


def test_a_file_rewritten_while_it_is_parsed_is_not_cached(root: Path, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(parsed, "LEAST_BYTES", 0)
    path = tmp_path / "x.csv"
    path.write_text("a\n1\n")

    def parse() -> pd.DataFrame:
        frame = pd.read_csv(path)
        path.write_text("a\n2\n")
        return frame

    parsed.parsed(path, parse)
    assert cache.contents()["bars"].entries == 0


def test_a_folder_that_cannot_be_written_is_not_used(prices, parses, tmp_path, monkeypatch) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("DLPLUGIN_CACHE", str(tmp_path / "file"))
    assert dl.DataSet.from_folder(prices).symbols == dl.DataSet.from_folder(prices).symbols
    assert parses == ["AAPL", "IBM"] * 2
    assert cache.contents()["bars"] == (0, 0)


def _paths(prices: Path) -> list[tuple[Path, str]]:
    return [(prices / "AAPL.csv", "AAPL"), (prices / "IBM.csv.gz", "IBM")]
