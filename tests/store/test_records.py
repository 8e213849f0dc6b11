"""Openings and trials on disk: appended whole or not at all, by many processes, and never counted lower."""

import json
import os
import random
import signal
import time
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from filelock import FileLock

from dlplugin.errors import DamagedModelError, StoreError
from dlplugin.store import (
    Scope,
    Trial,
    folders,
    lines,
    openings,
    record_opening,
    record_trial,
    trials,
)
from tests.store.appending import OPENING, append_and_tell, append_many, numbered, started

TRIAL = Trial(
    run="calm-fox",
    started="2026-01-01T00:00:00.000+00:00",
    definition="d",
    model="m",
    dataset="set",
    symbols=("AAPL", "IBM"),
    spans={"in-sample": ("2005-01-03", "2009-12-31"), "out-of-sample": ("2010-01-04", "2011-12-30")},
    time="2026-01-01T00:00:01.000+00:00",
)


def path_of(root: Path, name: str = "openings") -> Path:
    return root / ".records" / f"{name}.jsonl"


def test_a_record_is_one_line_of_canonical_json_and_reads_back(tmp_path: Path) -> None:
    assert record_opening(tmp_path, OPENING)
    assert record_trial(tmp_path, TRIAL)
    assert openings(tmp_path).read() == [OPENING]
    assert trials(tmp_path).read() == [TRIAL]
    for name, record in (("openings", OPENING), ("trials", TRIAL)):
        text = json.dumps(asdict(record), sort_keys=True, separators=(",", ":")) + "\n"
        assert path_of(tmp_path, name).read_text() == text


def test_a_store_without_records_has_none_and_reading_makes_no_folder(tmp_path: Path) -> None:
    assert openings(tmp_path / "models").read() == []
    assert trials(tmp_path / "models").read() == []
    assert not (tmp_path / "models").exists()


def test_an_opening_is_recorded_once_for_a_definition_days_and_purpose(tmp_path: Path) -> None:
    record_opening(tmp_path, OPENING)
    before = path_of(tmp_path).read_bytes()
    again = replace(OPENING, reason="another", time="2027", model="renamed", dataset="other")
    for same in (OPENING, again, replace(again, symbols=("IBM",))):
        assert not record_opening(tmp_path, same)
    assert path_of(tmp_path).read_bytes() == before
    others = [
        replace(OPENING, definition="d1"),
        replace(OPENING, start="2012-01-04"),
        replace(OPENING, end="2013-12-30"),
        replace(OPENING, purpose="trading result"),
    ]
    for other in others:
        assert record_opening(tmp_path, other)
    assert openings(tmp_path).read() == [OPENING, *others]


def test_symbols_that_were_not_shown_before_are_recorded_and_only_they(tmp_path: Path) -> None:
    record_opening(tmp_path, OPENING)
    assert record_opening(tmp_path, replace(OPENING, symbols=("AMD", "IBM")))
    assert not record_opening(tmp_path, replace(OPENING, symbols=("AAPL", "AMD", "IBM")))
    assert [one.symbols for one in openings(tmp_path).read() if one] == [("AAPL", "IBM"), ("AMD",)]


def test_a_trial_is_recorded_once_a_run_and_a_name_may_come_again(tmp_path: Path) -> None:
    assert record_trial(tmp_path, TRIAL)
    assert not record_trial(tmp_path, replace(TRIAL, time="later"))
    assert record_trial(tmp_path, replace(TRIAL, started="2026-01-02T00:00:00.000+00:00"))
    assert len(trials(tmp_path).read()) == 2


@pytest.mark.parametrize("kept", [1, 40, -2])
def test_a_last_line_that_was_cut_off_is_taken_out_by_the_next_append(tmp_path: Path, kept: int) -> None:
    record_opening(tmp_path, numbered(1))
    whole = path_of(tmp_path).read_bytes()
    record_opening(tmp_path, numbered(2))
    both = path_of(tmp_path).read_bytes()
    torn = both[len(whole) :][:kept]
    path_of(tmp_path).write_bytes(whole + torn)
    assert openings(tmp_path).read() == [numbered(1)]
    assert record_opening(tmp_path, numbered(2))
    assert path_of(tmp_path).read_bytes() == both


def test_a_last_line_that_lacks_only_its_newline_counts_and_gets_it(tmp_path: Path) -> None:
    record_opening(tmp_path, numbered(1))
    whole = path_of(tmp_path).read_bytes()
    path_of(tmp_path).write_bytes(whole.rstrip(b"\n"))
    assert openings(tmp_path).read() == [numbered(1)]
    assert not record_opening(tmp_path, numbered(1))
    record_opening(tmp_path, numbered(2))
    assert openings(tmp_path).read() == [numbered(1), numbered(2)]
    assert path_of(tmp_path).read_bytes().startswith(whole)


@pytest.mark.parametrize(
    "line",
    [
        b"nonsense",
        b"\xff\xfe\x00",
        b"[" * 100_000,
        b"{}",
        b"null",
        json.dumps(asdict(OPENING) | {"start": "soon"}).encode(),
        json.dumps(asdict(OPENING) | {"purpose": "fun"}).encode(),
        json.dumps(asdict(OPENING) | {"definition": None}).encode(),
        json.dumps(asdict(OPENING) | {"symbols": "AAPL"}).encode(),
    ],
)
def test_a_line_that_cannot_be_read_stays_and_is_told_from_the_others(tmp_path: Path, line: bytes) -> None:
    record_opening(tmp_path, numbered(1))
    first = path_of(tmp_path).read_bytes()
    path_of(tmp_path).write_bytes(first + line + b"\n")
    assert openings(tmp_path).read() == [numbered(1), None]
    record_opening(tmp_path, numbered(2))
    assert openings(tmp_path).read() == [numbered(1), None, numbered(2)]
    assert path_of(tmp_path).read_bytes().startswith(first + line + b"\n")


@pytest.mark.parametrize("spans", [{}, {"holdout": ["2012-01-03", "2013-12-31"]}, {"in-sample": ["2012"]}])
def test_a_trial_without_the_days_it_was_judged_on_cannot_be_read(
    tmp_path: Path, spans: dict[str, object]
) -> None:
    path_of(tmp_path).parent.mkdir()
    path_of(tmp_path, "trials").write_text(json.dumps(asdict(TRIAL) | {"spans": spans}) + "\n")
    assert trials(tmp_path).read() == [None]


def test_what_cannot_be_written_is_one_line_and_adds_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record_opening(tmp_path, numbered(1))
    before = path_of(tmp_path).read_bytes()
    write = os.write

    def short(descriptor: int, data: bytes) -> int:
        return write(descriptor, data[: len(data) // 2])

    def unsynced(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    for name, broken, why in (
        ("write", short, "only a part of the line fits on the disk"),
        ("fsync", unsynced, "No space left on device"),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(lines.os, name, broken)
            with pytest.raises(StoreError) as error:
                record_opening(tmp_path, numbered(2))
        assert str(error.value) == f"cannot write {path_of(tmp_path)}: {why}"
        assert path_of(tmp_path).read_bytes() == before


def test_records_that_cannot_be_opened_are_one_line(tmp_path: Path) -> None:
    path_of(tmp_path).mkdir(parents=True)
    for ask in (lambda: openings(tmp_path).read(), lambda: record_opening(tmp_path, OPENING)):
        with pytest.raises(DamagedModelError) as error:
            ask()
        assert str(error.value) == f"{path_of(tmp_path)} cannot be read: Is a directory"


def test_who_holds_the_records_for_long_is_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hold = folders.hold
    monkeypatch.setattr(lines, "hold", lambda root, name, busy: hold(root, name, busy, wait=0.05))
    (tmp_path / ".locks").mkdir()
    with FileLock(tmp_path / ".locks" / "records.lock"), pytest.raises(StoreError) as error:
        record_opening(tmp_path, OPENING)
    assert str(error.value) == f"{path_of(tmp_path)} is being written by another process; try again"
    assert openings(tmp_path).read() == []


def test_nothing_is_locked_where_there_is_nothing_to_add(tmp_path: Path) -> None:
    record_opening(tmp_path, OPENING)
    with FileLock(tmp_path / ".locks" / "records.lock"):
        assert not record_opening(tmp_path, OPENING)


@pytest.mark.parametrize(
    ("changes", "counts"),
    [
        ({}, True),
        ({"definition": "d9"}, True),
        ({"definition": "d9", "symbols": ("SPY", "AMD")}, True),
        ({"definition": "d9", "symbols": ("AMD",)}, False),
        ({"symbols": ("AMD",)}, True),
        ({"symbols": ("AMD",), "trained": ("AMD",)}, False),
        ({"start": "2013-12-31", "end": "2014-06-30"}, True),
        ({"start": "2014-01-01", "end": "2014-06-30"}, False),
        ({"start": "2000-01-01", "end": "2012-01-03"}, True),
        ({"start": "2000-01-01", "end": "2012-01-02"}, False),
        ({"start": "2000-01-01", "end": "2020-01-01"}, True),
        ({"start": "2012-05-01", "end": "2012-05-01"}, True),
    ],
)
def test_an_opening_counts_for_its_symbols_or_its_definition_on_overlapping_days(
    changes: dict[str, object], counts: bool
) -> None:
    scope = Scope("d", frozenset({"AAPL", "SPY"}), {"holdout": ("2012-01-03", "2013-12-31")})
    assert scope.counts(replace(OPENING, **changes)) is counts  # type: ignore[arg-type]


def test_without_a_holdout_no_opening_counts() -> None:
    assert not Scope("d", frozenset({"AAPL"}), {"in-sample": ("2000-01-03", "2013-12-31")}).counts(OPENING)


@pytest.mark.parametrize(
    ("mine", "theirs", "counts"),
    [
        ({"out-of-sample": ("2010-01-04", "2011-12-30")}, {}, True),
        ({"out-of-sample": ("2012-01-02", "2012-12-30")}, {}, False),
        ({}, {"out-of-sample": ("2010-01-04", "2010-01-05")}, False),
        ({}, {}, True),
    ],
)
def test_a_trial_counts_by_the_days_that_judged_it(
    mine: dict[str, tuple[str, str]], theirs: dict[str, tuple[str, str]], counts: bool
) -> None:
    """In sample where there are no others."""
    in_sample = {"in-sample": ("2005-01-03", "2009-12-31")}
    trial = replace(
        TRIAL, spans=in_sample | (theirs or ({"out-of-sample": ("2010-01-04", "2011-12-30")} if mine else {}))
    )
    assert Scope("d1", frozenset({"IBM"}), in_sample | mine).counts(trial) is counts


@pytest.mark.parametrize(
    ("symbol", "days", "shown"),
    [
        ("AAPL", ("2011-01-03", "2012-01-04"), True),
        ("AAPL", ("2011-01-03", "2012-01-03"), False),
        ("AAPL", ("2013-12-30", "2015-12-31"), True),
        ("AAPL", ("2013-12-31", "2015-12-31"), False),
        ("MSFT", ("2012-01-03", "2013-12-31"), False),
        ("AAPL", None, False),
    ],
)
def test_a_run_that_had_days_of_the_holdout_out_of_sample_has_shown_them(
    symbol: str, days: tuple[str, str] | None, shown: bool
) -> None:
    """One day in common may be two parts of it."""
    scope = Scope("d", frozenset({"AAPL", "SPY"}), {"holdout": ("2012-01-03", "2013-12-31")})
    spans = {"in-sample": ("2000-01-03", "2013-12-31")} | ({} if days is None else {"out-of-sample": days})
    assert scope.shown_by(replace(TRIAL, symbols=(symbol,), spans=spans)) is shown
    assert not Scope("d", scope.symbols, spans).shown_by(TRIAL)


def test_appends_of_several_processes_are_all_there(tmp_path: Path) -> None:
    each = 15
    processes = [started(append_many, tmp_path, k * each, each) for k in range(4)]
    for process in processes:
        process.join(60)
    found = openings(tmp_path).read()
    assert sorted(one.definition for one in found if one) == sorted(f"d{k}" for k in range(4 * each))
    assert None not in found


@pytest.mark.slow
def test_a_writer_that_is_killed_at_any_moment_loses_and_tears_nothing(tmp_path: Path) -> None:
    chance = random.Random(1)
    promised: set[str] = set()
    for kill in range(60):
        told = tmp_path / f"told-{kill}"
        writers = [started(append_and_tell, tmp_path, (2 * kill + k) * 1_000_000, told) for k in range(2)]
        time.sleep(chance.uniform(0.02, 0.12))
        for writer in writers:
            os.kill(writer.pid or 0, signal.SIGKILL)
            writer.join()
        if told.exists():
            promised |= set(told.read_text().split())
        if kill % 5 == 0:
            with open(path_of(tmp_path), "ab") as file:  # as if the kernel had written but a part
                file.write(b'{"dataset":"se')
    assert record_opening(tmp_path, OPENING)
    content = path_of(tmp_path).read_bytes()
    found = openings(tmp_path).read()
    assert None not in found
    assert content.endswith(b"\n")
    assert promised <= {one.definition for one in found if one}
    assert len(promised) > 60
    assert content.count(b"\n") == len(found) == len({one.definition for one in found if one})
