"""A training in a process of its own, which outlives the one that began it."""

import os
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

from dlplugin.errors import StoreError, TrainingError
from dlplugin.store import RunFolder, hold
from dlplugin.training.devices.processes import python_paths, run_modules

__all__ = ["train_in_background"]

SECONDS_TO_BEGIN = 60.0
SECONDS_BETWEEN_LOOKS = 0.02
LOG = "worker.log"


def train_in_background(folder: RunFolder) -> None:
    """Starts a process that trains a run, and returns when it has the run's lock.

    It finds modules where this process does, and imports those that hold the run's own indicators. The
    run counts as running from the start on, so that it can be stopped at once.

    Raises:
        StoreError: The run's folder cannot be written, or another process starts it, too.
        TrainingError: It could not begin, the message is its own; or it is finished.
    """
    busy = f"run {folder.name} is being trained already"
    with hold(folder.root, folder.starting_lock_name, busy, wait=0.5):
        facts = folder.facts
        if facts["status"] == "finished":
            raise TrainingError(f"run {folder.name} is finished: {facts['stop_reason']}")
        folder.write_facts(facts | {"status": "running"})
        try:
            _start(folder)
        except BaseException:
            with suppress(StoreError):
                folder.write_facts(facts)
            raise


def _start(folder: RunFolder) -> None:
    known, log = len(folder.events), folder.path / LOG
    said = log.stat().st_size if log.exists() else 0
    process = _spawn(folder, log)
    threading.Thread(target=process.wait, daemon=True).start()  # so that no zombie is left
    end = time.monotonic() + SECONDS_TO_BEGIN
    while time.monotonic() < end:
        if len(folder.events) > known:
            return
        if process.poll() is not None:
            raise TrainingError(
                _last_words(log, said) or f"the training's process ended at once: {process.returncode}"
            )
        time.sleep(SECONDS_BETWEEN_LOOKS)
    process.kill()
    raise TrainingError(f"the training of {folder.name} did not begin within {SECONDS_TO_BEGIN:g} seconds")


def _spawn(folder: RunFolder, log: Path) -> "subprocess.Popen[bytes]":
    worker = [sys.executable, "-P", "-m", "dlplugin.training.worker"]
    try:
        with open(log, "ab") as said:
            return subprocess.Popen(
                [*worker, str(folder.root.absolute()), folder.name, *run_modules(folder)],
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                env={**os.environ, "PYTHONPATH": python_paths()},
                start_new_session=True,  # Ctrl-C in a terminal is not meant for it
            )
    except OSError as error:
        raise StoreError(f"cannot write {log}: {error.strerror or error}") from None


def _last_words(path: Path, since: int) -> str:
    """The last line of a log, of what came after so many bytes."""
    lines = path.read_bytes()[since:].decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else ""
