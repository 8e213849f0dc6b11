"""dlplugin cache: what it shows and what it clears."""

import json
from pathlib import Path

import pytest

from dlplugin.bars import cache
from dlplugin.cli import run


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache with one parsed file, two indicators and one symbol of Yahoo."""
    monkeypatch.setenv("DLPLUGIN_CACHE", str(tmp_path))
    cache.write_entry("bars", "0" * 64, bytes(1968))
    cache.write_entry("inputs", "1" * 64, bytes(68))
    cache.write_entry("inputs", "2" * 64, bytes(68))
    (tmp_path / "yahoo" / "1d").mkdir(parents=True)
    (tmp_path / "yahoo" / "1d" / "AAPL.parquet").write_bytes(bytes(10))
    return tmp_path


def test_it_shows_path_entries_and_bytes_by_kind(root: Path, capsys) -> None:
    assert run(["cache"]) == 0
    assert capsys.readouterr().out == (
        f"{root}\n"
        "  bars         1 entries          2,000 bytes\n"
        "  inputs       2 entries            200 bytes\n"
        "  yahoo        1 entries             10 bytes\n"
    )
    assert run(["cache", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "folder": str(root),
        "entries": {"bars": 1, "inputs": 2, "yahoo": 1},
        "bytes": {"bars": 2000, "inputs": 200, "yahoo": 10},
    }


def test_clear_removes_what_can_be_made_again_and_yahoo_only_by_name(root: Path, capsys) -> None:
    assert run(["cache", "clear"]) == 0
    assert capsys.readouterr().out == (
        f"removed from {root}\n"
        "  bars         1 entries          2,000 bytes\n"
        "  inputs       2 entries            200 bytes\n"
        "prices from Yahoo are kept; remove them, too, with: dlplugin cache clear yahoo\n"
    )
    assert {kind: each.entries for kind, each in cache.contents().items()} == {
        "bars": 0,
        "inputs": 0,
        "yahoo": 1,
    }
    assert run(["cache", "clear", "yahoo", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["entries"] == {"yahoo": 1}
    assert not (root / "yahoo" / "1d" / "AAPL.parquet").exists()


def test_an_unknown_kind_removes_nothing(root: Path, capsys) -> None:
    assert run(["cache", "clear", "bars", "prices"]) == 2
    assert capsys.readouterr().err == (
        "dlplugin: nothing of kind 'prices' is cached; there are: bars, inputs, yahoo\n"
    )
    assert cache.contents()["bars"].entries == 1
