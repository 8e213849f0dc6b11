"""The other processes of a training on this machine: started, watched, and ended with it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from dlplugin.errors import StoreError
from dlplugin.store import RunFolder

__all__ = ["Processes", "python_paths", "run_modules"]

SECONDS_TO_BE_NOTICED = 5.0  # until a process that has broken a connection is seen to have ended


class Processes:
    """`python -m dlplugin.training.devices.member` for some ranks; they end when their standard input closes.

    Args:
        folder: The run's; each writes its own log there, process-N.log, N from 1.
        ranks: Which.
        address: Where the processes of the training meet.

    Raises:
        StoreError: A log cannot be written.
    """

    def __init__(self, folder: RunFolder, ranks: Iterable[int], address: str) -> None:
        self._started: dict[int, subprocess.Popen[bytes]] = {}
        self._folder = folder
        try:
            for rank in ranks:
                self._started[rank] = self._start(rank, address)
        except OSError as error:
            self.end()
            raise StoreError(f"cannot write {folder.path}: {error.strerror or error}") from None

    def _start(self, rank: int, address: str) -> "subprocess.Popen[bytes]":
        folder = self._folder
        command = [sys.executable, "-P", "-m", "dlplugin.training.devices.member"]
        arguments = [str(folder.root.absolute()), folder.name, str(rank), address, *run_modules(folder)]
        with open(self._log(rank), "wb") as said:
            return subprocess.Popen(
                [*command, *arguments],
                stdin=subprocess.PIPE,
                stdout=said,
                stderr=said,
                env={"TORCH_CPP_LOG_LEVEL": "ERROR", **os.environ, "PYTHONPATH": python_paths()},
                start_new_session=True,  # Ctrl-C in a terminal is not meant for it
            )

    def _log(self, rank: int) -> Path:
        return self._folder.path / f"process-{rank + 1}.log"

    def gone(self, wait: float = 0.0) -> tuple[int, str] | None:
        """The rank and last words of one that has ended; None while all live.

        Args:
            wait: Seconds to wait for it.
        """
        end = time.monotonic() + wait
        while True:
            for rank, process in self._started.items():
                if process.poll() is not None:
                    return rank, self._last_words(rank, process.returncode)
            if time.monotonic() > end:
                return None
            time.sleep(0.02)

    def _last_words(self, rank: int, code: int) -> str:
        lines: Sequence[str] = ()
        with suppress(OSError):
            lines = self._log(rank).read_text(errors="replace").strip().splitlines()
        if lines and code > 0:
            return lines[-1]
        return f"by {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"

    def end(self) -> None:
        """Ends them at once: they hold nothing that is not in the first process, too."""
        for process in self._started.values():
            process.kill()
        for rank, process in self._started.items():
            process.wait()
            if process.stdin is not None:
                with suppress(OSError):
                    process.stdin.close()
            with suppress(OSError):
                if not self._log(rank).stat().st_size:
                    self._log(rank).unlink()


def python_paths() -> str:
    """PYTHONPATH of a process that finds modules where this one does."""
    package = str(Path(__file__).parents[3])
    return os.pathsep.join(dict.fromkeys([package, *(os.path.abspath(path) for path in sys.path)]))


def run_modules(folder: RunFolder) -> list[str]:
    """Modules with the run's own indicators, which another process has to import."""
    sources = folder.facts["definition"].get("sources", {})
    return sorted({source["module"] for source in sources.values()} & set(sys.modules) - {"__main__"})
