"""What a training shows while it goes on, on a clock of the test's own."""

import io
import re
from types import SimpleNamespace

import numpy as np
import pytest
from rich.console import Console

import dlplugin as dl
from dlplugin.training.module import EpochLosses
from dlplugin.training.progress import TrainingProgress

OPTIONS = dl.TrainingOptions(epochs=100, auto_stop=None)
BEST = SimpleNamespace(values=np.array([0.43]), epochs=np.array([2]), last_improvement=2)


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def perf_counter(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("dlplugin.training.progress.time", clock)
    return clock


def losses(epoch: int) -> EpochLosses:
    return EpochLosses(epoch, (0.97,), (0.44,), None, None, None)


def test_in_a_long_epoch_lines_keep_what_the_last_one_told(clock: Clock) -> None:
    pipe = io.StringIO()
    with TrainingProgress("calm", OPTIONS, console=Console(file=pipe)) as progress:
        clock.now += 10
        progress.show_running(1, 0.5, 1.01)
        clock.now += 10
        progress.show(losses(1), BEST)  # type: ignore[arg-type]
        clock.now += 10
        progress.show_running(2, 0.37, 0.9612)
    assert pipe.getvalue().splitlines() == [
        "calm: epoch 0/100, 50% of epoch 1, in-sample 1.0100 so far",
        "calm: epoch 1/100, in-sample 0.9700, out-of-sample 0.4400, best 0.4300 in 2, 33:00 left",
        "calm: epoch 1/100, 37% of epoch 2, in-sample 0.9612 so far, out-of-sample 0.4400, best 0.4300 in 2, "
        "32:50 left",
    ]


def test_a_night_in_a_pipe_is_a_line_a_minute(clock: Clock) -> None:
    pipe = io.StringIO()
    lines = []
    with TrainingProgress("calm", OPTIONS, console=Console(file=pipe)) as progress:
        for second in range(8 * 3600):
            clock.now += 1
            progress.show_running(1, second / (8 * 3600), 1.0)
            lines.append(pipe.getvalue().count("\n"))
    shown = np.flatnonzero(np.diff(lines, prepend=0)) + 1
    assert shown[:3].tolist() == [5, 11, 19]
    assert np.diff(shown).max() == 60
    assert (np.diff(shown, n=2) >= 0).all()
    assert len(shown) < 500


@pytest.mark.parametrize("width", [80, 100, 120, 150])
def test_a_long_epoch_fits_the_terminal(width: int) -> None:
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=width, color_system=None)
    with TrainingProgress("us-stocks-5d", OPTIONS, console=console) as progress:
        progress.show(losses(1), BEST)  # type: ignore[arg-type]
        progress.show_running(2, 0.37, 0.9612)
    last = next(line for line in reversed(screen.getvalue().splitlines()) if "us-stocks" in line)
    assert "37% of epoch 2" in last
    assert re.search(r" 0:\d\d left$", last.rstrip())
    assert "…" not in last
    assert ("best 0.4300 in 2" in last) == (width == 150)


def test_a_wide_terminal_says_which_time_is_which() -> None:
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=160, color_system=None)
    with TrainingProgress("calm", OPTIONS, console=console) as progress:
        progress.show(losses(1), BEST)  # type: ignore[arg-type]
    last = next(line for line in reversed(screen.getvalue().splitlines()) if "calm" in line)
    assert re.search(r" 0:\d\d so far, 0:\d\d left$", last.rstrip())
    endless = dl.TrainingOptions(epochs=None, auto_stop=None)
    with TrainingProgress("calm", endless, console=console) as progress:
        progress.show(losses(1), BEST)  # type: ignore[arg-type]
    last = next(line for line in reversed(screen.getvalue().splitlines()) if "calm" in line)
    assert re.search(r" 0:\d\d so far$", last.rstrip())
