"""A training in a process of its own, which outlives the one that began it."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

from dlplugin.errors import StoreError, TrainingError
from dlplugin.store import RunFolder

__all__ = ["train_in_background"]

SECONDS_TO_BEGIN = 60.0
SECONDS_BETWEEN_LOOKS = 0.02
LOG = "worker.log"


def train_in_background(folder: RunFolder) -> None:
    """Starts a process that trains a run, and returns when it has the run's lock.

    It finds modules where this process does, and imports those that hold the run's own indicators.

    Raises:
        StoreError: The run's folder cannot be written.
        TrainingError: It could not begin; the message is its own.
    """
    package = str(Path(__file__).parents[2])
    paths = os.pathsep.join(dict.fromkeys([package, *(os.path.abspath(path) for path in sys.path)]))
    sources = folder.facts["definition"].get("sources", {})
    modules = sorted({source["module"] for source in sources.values()} & set(sys.modules) - {"__main__"})
    command = [
        sys.executable,
        "-P",
        "-m",
        "dlplugin.training.worker",
        str(folder.root.absolute()),
        folder.name,
    ]
    path = folder.path / LOG
    try:
        log = open(path, "ab")  # noqa: SIM115 # closed below
    except OSError as error:
        raise StoreError(f"cannot write {path}: {error.strerror or error}") from None
    with log:
        said = log.seek(0, os.SEEK_END)
        process = subprocess.Popen(
            [*command, *modules],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**os.environ, "PYTHONPATH": paths},
            start_new_session=True,  # Ctrl-C in a terminal is not meant for it
        )
    threading.Thread(target=process.wait, daemon=True).start()  # so that no zombie is left
    known = len(folder.events)
    end = time.monotonic() + SECONDS_TO_BEGIN
    while time.monotonic() < end:
        if len(folder.events) > known:
            return
        if process.poll() is not None:
            raise TrainingError(
                _last_words(path, said) or f"the training's process ended at once: {process.returncode}"
            )
        time.sleep(SECONDS_BETWEEN_LOOKS)
    process.kill()
    raise TrainingError(f"the training of {folder.name} did not begin within {SECONDS_TO_BEGIN:g} seconds")


def _last_words(path: Path, since: int) -> str:
    """The last line of a log, of what came after so many bytes."""
    lines = path.read_bytes()[since:].decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else ""
