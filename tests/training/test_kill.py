"""SIGKILL from outside, at random moments over the whole life of a training: nothing is lost that could be kept."""

import random
import signal
import time
import warnings
from multiprocessing.context import ForkServerContext
from pathlib import Path

import pytest

import dlplugin as dl
from dlplugin.store import RunFolder
from tests.processes import forked
from tests.training.trainings import QUIET, describe, small_dataset

pytestmark = pytest.mark.skipif(
    not hasattr(signal, "SIGKILL"), reason="no process can be killed outright here"
)

OPTIONS = {"epochs": 60, "batch_size": 32, "auto_stop": None, "networks": 2, "optimizer": "nadam"}


def live(store: Path) -> None:
    """The whole life of a training: describe, train or go on, and end."""
    model = describe(store, "m")
    if model.status == "trained" and dl.load_run(only_run(store), store).status == "finished":
        return
    name = only_run(store)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dl.DLPluginWarning)
        if name:
            dl.load_run(name, store).resume(console=QUIET)
        else:
            model.train(small_dataset(), options=dl.TrainingOptions(**OPTIONS), console=QUIET)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def processes() -> ForkServerContext:
    """New processes that have imported all that training takes, so that a life is a training and little else."""
    return forked()


def lived(processes: ForkServerContext, store: Path, seconds: float | None) -> tuple[bool, float]:
    """Whether the process came to its end before it was killed, and how long it lived."""
    process = processes.Process(target=live, args=(store,))
    started = time.monotonic()
    process.start()
    process.join(seconds)
    if process.is_alive():
        process.kill()
    process.join()
    assert process.exitcode in (-signal.SIGKILL, 0), "it ends well, or by the kill"
    return process.exitcode == 0, time.monotonic() - started


def lost(run: RunFolder) -> tuple[int, float]:
    """Epochs, and seconds of them, that are in the history and not in the last state."""
    state = run.read_state()
    rows = run.history
    gone = rows[rows["epoch"] > (state.epoch if state else 0)]
    return len(gone), float(gone["seconds"].sum())


def kill_again_and_again(processes: ForkServerContext, folder: Path, kills: int, seed: int) -> None:
    print(f"seed {seed}")
    lived(processes, folder / "warm", None)
    finished, life = lived(processes, folder / "whole", None)
    assert finished
    whole = dl.load_run(only_run(folder / "whole"), folder / "whole")
    assert whole.status == "finished"
    draw, done, stores, worst = random.Random(seed), 0, 0, 0.0
    ends = {"before it began": 0, "while it trained": 0, "after it had finished": 0}
    while done < kills:
        store, stores = folder / f"killed-{stores}", stores + 1
        finished, wanted = False, min(draw.randint(1, 6), kills - done)
        while not finished:
            finished, _ = lived(processes, store, draw.uniform(0, life) if wanted else None)
            done, wanted = done + (not finished), wanted - (not finished)
            dl.models(store)  # the store opens
            run = RunFolder.open(store, name) if (name := only_run(store)) else None
            if run is None:
                ends["before it began"] += 1
                continue
            status = run.status
            ends["after it had finished" if status == "finished" else "while it trained"] += 1
            assert status in ("interrupted", "finished")
            epochs, seconds = lost(run)
            assert epochs <= 1 or seconds <= 1.0, (epochs, seconds)
            worst = max(worst, seconds)
            if run.weights_file.exists():
                run.read_trained()
        run = RunFolder.open(store, only_run(store) or "")
        assert run.status == "finished"
        assert run.digest == whole.digest
        assert describe(store, "m").status == "trained"
        assert run.evaluated
    print(f"{done} kills of {stores} trainings of {life:.2f} s: {ends}; at most {worst:.2f} s lost")
    assert ends["while it trained"] > kills / 4


def only_run(store: Path) -> str:
    names = [path.name for path in (store / ".runs").glob("[!.]*")]
    assert len(names) <= 1, names
    return names[0] if names else ""


def test_a_training_killed_at_random_moments_ends_as_if_it_had_not_been(
    processes: ForkServerContext, tmp_path: Path
) -> None:
    kill_again_and_again(processes, tmp_path, 8, seed=7)


@pytest.mark.slow
def test_a_training_killed_two_hundred_times_ends_as_if_it_had_not_been(
    processes: ForkServerContext, tmp_path: Path
) -> None:
    kill_again_and_again(processes, tmp_path, 200, seed=random.SystemRandom().randrange(1 << 30))
