"""Stop and resume give the digest of the uninterrupted training: weights, save point and history, to the bit."""

import itertools
import json
import subprocess
import sys
from pathlib import Path
from typing import Any, get_args

import pytest

import dlplugin as dl
from dlplugin.definition.options import Optimizer, Schedule

EVERYTHING: dict[str, Any] = {"epochs": 8, "batch_size": 64, "auto_stop": None, "learning_rate": 0.01}
OPTIMIZERS, SCHEDULES = get_args(Optimizer), get_args(Schedule)

WITH_A_STATE: dict[str, dict[str, Any]] = {
    "several networks": {"networks": 3},
    "averaging": {"averaging": 0.9},
    "smoothed": {"save_point": "smoothed", "smoothing": 0.7},
    "last": {"save_point": "last"},
    "seldom saved": {"auto_save": 5},
    "own patience": {"networks": 3, "auto_stop": 2, "learning_rate": 0.05},
    "patience with a least improvement": {"auto_stop": 3, "min_delta": 0.001},
    "augmented": {"input_noise": 0.1, "input_masking": 0.2, "input_magnitude": 0.1},
    "penalties and clipping": {"l1": 0.001, "l2": 0.01, "clip_norm": 0.5, "clip_value": 0.1},
    "weighted samples": {"half_life": 100.0, "uniqueness": True},
    "by correlation": {"monitor": "correlation"},
    "full batch": {"batch_size": "full"},
    "warm-up": {"warm_up": 4, "schedule": "cosine"},
}


def options_of(optimizer: str, schedule: str) -> dict[str, Any]:
    momentum = {"momentum": 0.9, "nesterov": True} if optimizer == "sgd" else {}
    soon = {"schedule_epochs": 2} if schedule in ("step", "warm-restarts", "on-plateau") else {}
    return EVERYTHING | {"optimizer": optimizer, "schedule": schedule, "weight_decay": 0.01} | momentum | soon


def digests(folder: Path, what: str) -> dict[str, str]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.training.trainings", what, str(folder / "plan.json")],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, str] = json.loads(done.stdout)
    return found


def compare(folder: Path, cases: dict[str, dict[str, Any]], seed: int) -> None:
    """One process trains all cases whole, one stops each at a random epoch, one goes on with each."""
    (folder / "plan.json").write_text(json.dumps({"seed": seed, "cases": cases}))
    print(f"seed {seed}, {len(cases)} cases")
    whole, stopped = digests(folder, "whole"), digests(folder, "stop")
    assert all(stopped[name] != whole[name] for name in cases), "a stopped training is not the whole one"
    assert digests(folder, "resume") == whole
    # not all: rprop takes only its first step from the rate, AdamW is Adam with decay, few epochs have no plateau
    assert len(set(whole.values())) > 0.75 * len(cases), "the cases are different trainings"


@pytest.mark.slow
def test_a_stopped_training_goes_on_as_if_never_stopped(tmp_path: Path) -> None:
    pairs = (("adamw", "on-plateau"), ("sgd", "one-cycle"))
    cases = {f"{one}-{other}": options_of(one, other) for one, other in pairs}
    for name in ("own patience", "augmented", "smoothed"):
        cases[name.replace(" ", "-")] = EVERYTHING | WITH_A_STATE[name]
    compare(tmp_path, cases, seed=4)


@pytest.mark.slow
def test_every_optimizer_every_schedule_and_every_state_goes_on_as_if_never_stopped(tmp_path: Path) -> None:
    longest = max(len(OPTIMIZERS), len(SCHEDULES))
    pairs = [(OPTIMIZERS[i % len(OPTIMIZERS)], SCHEDULES[i % len(SCHEDULES)]) for i in range(longest)]
    cases = {f"{one}-{other}": options_of(one, other) for one, other in pairs}
    cases |= {name.replace(" ", "-"): EVERYTHING | options for name, options in WITH_A_STATE.items()}
    compare(tmp_path, cases, seed=1)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [2, 3])
def test_every_optimizer_with_every_schedule_goes_on_as_if_never_stopped(tmp_path: Path, seed: int) -> None:
    cases = {
        f"{one}-{other}": options_of(one, other) for one, other in itertools.product(OPTIMIZERS, SCHEDULES)
    }
    assert len(cases) == 11 * 7
    compare(tmp_path, cases, seed)


def test_stopping_in_the_middle_of_every_epoch_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dlplugin.training import execute
    from dlplugin.training.callbacks import EpochEnd
    from tests.training.trainings import QUIET, prepared

    options = {"epochs": 5, "batch_size": 32, "auto_stop": None, "networks": 2, "save_point": "last"}
    whole = prepared(tmp_path / "whole", "m", options)
    execute(whole, QUIET)
    parts = prepared(tmp_path / "parts", "m", options)
    monkeypatch.setattr("dlplugin.training.journal.SECONDS_BETWEEN_STATES", 0.0)
    monkeypatch.setattr("dlplugin.training.callbacks.SECONDS_BETWEEN_LOOKS", 0.0)
    look = EpochEnd.look
    for epoch in range(1, 6):

        def ask_in_the_middle(watch: EpochEnd, done: int, epoch: int = epoch) -> None:
            if watch.epochs + 1 == epoch and done == 4 * 32:
                parts.request_stop()
            look(watch, done)

        monkeypatch.setattr(EpochEnd, "look", ask_in_the_middle)
        parts.clear_stop()
        execute(parts, QUIET)
        run = dl.load_run(parts.name, tmp_path / "parts")
        assert (run.status, run.facts["epochs"], len(run.history)) == ("stopped", epoch - 1, epoch - 1)
    monkeypatch.setattr(EpochEnd, "look", look)
    parts.clear_stop()
    execute(parts, QUIET)
    assert parts.facts["status"] == "finished"
    assert parts.digest == whole.digest
