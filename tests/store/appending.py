"""Processes that record openings; preloaded into the process that they are forked from."""

from collections.abc import Callable
from dataclasses import replace
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

from dlplugin.store import Opening, record_opening
from tests.processes import forked

OPENING = Opening(
    definition="d",
    model="m",
    dataset="set",
    symbols=("AAPL", "IBM"),
    trained=("AAPL", "GE"),
    start="2012-01-03",
    end="2013-12-31",
    purpose="score",
    reason="a look\nat “it”",
    time="2026-01-01T00:00:00.000+00:00",
)


def numbered(number: int) -> Opening:
    return replace(OPENING, definition=f"d{number}")


def started(work: Callable[..., None], *given: Any) -> ForkServerProcess:
    """A process of its own at work."""
    process = forked().Process(target=work, args=given)
    process.start()
    return process


def append_many(root: Path, first: int, count: int) -> None:
    for number in range(first, first + count):
        record_opening(root, numbered(number))


def append_and_tell(root: Path, first: int, told: Path) -> None:
    """Appends until it is killed; notes each record whose appending has returned."""
    with open(told, "ab", buffering=0) as file:
        for number in range(first, first + 100_000):
            record_opening(root, replace(numbered(number), reason="x" * 3_000))
            file.write(f"d{number}\n".encode())
