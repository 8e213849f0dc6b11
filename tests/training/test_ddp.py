"""Several processes share every batch: as one process would train, and whatever becomes of one of them."""

import io
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console
from torch import distributed

import dlplugin as dl
from dlplugin.errors import TrainingError
from dlplugin.store import RunFolder
from dlplugin.training import execute
from dlplugin.training.callbacks import EpochEnd
from dlplugin.training.control import Control
from dlplugin.training.devices.first import _refuse_gone
from dlplugin.training.devices.meeting import process_group
from dlplugin.training.devices.processes import Processes
from dlplugin.training.devices.share import Share
from tests.training.shared import CASES, trace, traces
from tests.training.trainings import QUIET, describe, prepared, small_dataset, stop_at

TOLERANCE = 2e-6  # relative, of float32 sums in another order; 3.4e-7 is the most that was measured
HALF_TOLERANCE = {
    "bf16": 2e-3,
    "fp16": 1e-4,
}  # gradients are rounded share by share; measured: 4.1e-4, 2.4e-5
OPTIONS: dict[str, Any] = {
    "epochs": 5,
    "batch_size": 33,
    "auto_stop": None,
    "networks": 2,
    "save_point": "last",
}
TWO = OPTIONS | {"devices": 2}

Members = list["subprocess.Popen[bytes]"]


@pytest.fixture
def members(monkeypatch: pytest.MonkeyPatch) -> Members:
    """The other processes that this one has started."""
    started: Members = []
    start = Processes._start

    def noted(processes: Processes, rank: int, address: str) -> "subprocess.Popen[bytes]":
        started.append(start(processes, rank, address))
        return started[-1]

    monkeypatch.setattr(Processes, "_start", noted)
    return started


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """A state after every epoch, and a look before every batch."""
    monkeypatch.setattr("dlplugin.training.journal.SECONDS_BETWEEN_STATES", 0.0)
    monkeypatch.setattr("dlplugin.training.callbacks.SECONDS_BETWEEN_LOOKS", 0.0)


def wait_for(what: str, found: Callable[[], bool], seconds: float = 120.0) -> None:
    end = time.monotonic() + seconds
    while not found():
        assert time.monotonic() < end, f"{what} within {seconds:g} seconds"
        time.sleep(0.02)


def losses(run: RunFolder) -> np.ndarray:
    return run.history[["in_sample_loss", "out_of_sample_loss"]].to_numpy()


def test_two_processes_train_what_one_trains_and_leave_nothing_behind(
    tmp_path: Path, members: Members
) -> None:
    one, two, again = (prepared(tmp_path / name, "m", OPTIONS) for name in ("one", "two", "again"))
    execute(one, QUIET)
    (two.path / "run.json").write_text(
        (two.path / "run.json").read_text().replace('"devices": 1', '"devices": 2')
    )
    before, screen = (dict(os.environ), sys.excepthook), io.StringIO()
    execute(two, Console(file=screen, width=200))
    assert two.facts["options"]["devices"] == 2
    assert len(members) == 1
    np.testing.assert_allclose(losses(two), losses(one), rtol=TOLERANCE)
    assert two.digest != one.digest, "sums in another order: it was shared"
    assert " trains on the CPU in 2 processes with 1 of " in two.facts["devices"]
    assert two.facts["estimate"].endswith("; timed on one process alone")
    assert two.facts["devices"] in screen.getvalue()
    assert (dict(os.environ), sys.excepthook) == before
    assert not distributed.is_initialized()
    assert members[0].poll() is not None
    assert not list(two.path.glob("process-*.log")), "it has said nothing"
    execute(again, QUIET)
    assert again.digest == one.digest, "a training by itself goes on as ever"


@pytest.mark.slow
@pytest.mark.parametrize("processes", [2, 3])
def test_shared_batches_give_the_losses_of_whole_ones(processes: int) -> None:
    names = [*CASES, "plain", "dropout"]
    shared = traces(names, processes)
    assert (shared[-2], shared[-1]) == (shared[0], shared[1]), "the same twice, in the same processes"
    worst = {}
    for name, (got, _) in zip(names, shared, strict=True):
        wanted, _ = trace(name)
        worst[name] = float(np.abs(np.array(got) / np.array(wanted) - 1).max())
    print({name: f"{value:.1e}" for name, value in worst.items()})
    assert {name for name in worst if worst[name] > HALF_TOLERANCE.get(name, TOLERANCE)} == set()


@pytest.mark.slow
def test_of_three_processes_the_one_that_died_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, members: Members
) -> None:
    run, append = prepared(tmp_path, "m", OPTIONS | {"devices": 3}), RunFolder.append_history

    def then_kill(folder: RunFolder, row: Any) -> None:
        append(folder, row)
        if row[0] == 2:
            members[1].kill()

    monkeypatch.setattr(RunFolder, "append_history", then_kill)
    with pytest.raises(
        TrainingError, match=r"^process 3 of 3 ended: by SIGKILL; go on with: dlplugin resume "
    ):
        execute(run, QUIET)


@pytest.mark.slow
@pytest.mark.parametrize("processes", [2, 3])
def test_stopped_in_the_middle_of_an_epoch_and_at_its_end_it_goes_on_as_if_it_had_not_been(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hurried: None, members: Members, processes: int
) -> None:
    options = OPTIONS | {"devices": processes}
    whole, parts = prepared(tmp_path / "whole", "m", options), prepared(tmp_path / "parts", "m", options)
    execute(whole, QUIET)
    stop_at(1)
    execute(parts, QUIET)
    assert (parts.facts["status"], parts.facts["epochs"]) == ("stopped", 1)
    parts.clear_stop()
    look = EpochEnd.look

    def ask_in_the_middle(watch: EpochEnd, done: int) -> None:
        if watch.epochs == 3 and done == 33:
            parts.request_stop()
        look(watch, done)

    with monkeypatch.context() as patch:
        patch.setattr(EpochEnd, "look", ask_in_the_middle)
        patch.setattr("dlplugin.training.callbacks.SECONDS_TO_FINISH", -1.0)
        execute(parts, QUIET)
    assert parts.facts["status"] == "stopped"
    assert parts.facts["epochs"] == len(parts.history) <= 3, "as far as states were written by then"
    assert all(member.poll() is not None for member in members), "those in the middle of it have ended, too"
    assert not list(parts.path.glob("process-*.log")), "without a word"
    parts.clear_stop()
    execute(parts, QUIET)
    assert parts.facts["status"] == "finished"
    assert parts.digest == whole.digest


@pytest.mark.slow
@pytest.mark.parametrize("number", [None, signal.SIGINT, signal.SIGTERM])
def test_a_process_that_does_not_answer_keeps_no_training_from_stopping(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hurried: None, members: Members, number: int | None
) -> None:
    whole, held = prepared(tmp_path / "whole", "m", TWO), prepared(tmp_path / "held", "m", TWO)
    execute(whole, QUIET)
    append, asked = RunFolder.append_history, []

    def ask() -> None:
        asked.append(time.monotonic())
        if number is None:
            held.request_stop()
        else:
            os.kill(os.getpid(), number)

    def then_hold(folder: RunFolder, row: Any) -> None:
        append(folder, row)
        if row[0] == 2:
            members[-1].send_signal(signal.SIGSTOP)
            threading.Timer(1.0, ask).start()

    handlers = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)}
    with monkeypatch.context() as patch:
        patch.setattr(RunFolder, "append_history", then_hold)
        assert execute(held, QUIET).signal == (number or 0)
    assert time.monotonic() - asked[0] < 10
    assert (held.status, held.facts["epochs"]) == ("stopped", 2)
    assert members[-1].poll() is not None
    assert not list(held.path.glob("process-*.log"))
    assert {each: signal.getsignal(each) for each in handlers} == handlers
    assert signal.set_wakeup_fd(-1) == -1
    held.clear_stop()
    execute(held, QUIET)
    assert (held.status, held.digest) == ("finished", whole.digest)


@pytest.mark.slow
def test_a_signal_for_all_processes_is_heard_by_the_first_alone_and_none_has_a_word_to_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, members: Members
) -> None:
    run, append = prepared(tmp_path, "m", TWO | {"networks": 1}), RunFolder.append_history

    def then_signal(folder: RunFolder, row: Any) -> None:
        append(folder, row)
        members[-1].send_signal(signal.SIGTERM)
        members[-1].send_signal(signal.SIGINT)

    monkeypatch.setattr(RunFolder, "append_history", then_signal)
    execute(run, QUIET)
    assert (run.status, run.facts["epochs"]) == ("finished", 5)
    assert not list(run.path.glob("process-*.log")), (
        "of one network with 6 hidden neurons, whose gradients torch finds odd"
    )


@pytest.mark.slow
def test_when_another_process_dies_the_run_has_failed_in_one_line_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hurried: None, members: Members
) -> None:
    whole, killed = prepared(tmp_path / "whole", "m", TWO), prepared(tmp_path / "killed", "m", TWO)
    execute(whole, QUIET)
    append = RunFolder.append_history

    def then_kill(folder: RunFolder, row: Any) -> None:
        append(folder, row)
        if row[0] == 2:
            members[-1].kill()

    with monkeypatch.context() as patch:
        patch.setattr(RunFolder, "append_history", then_kill)
        began = time.monotonic()
        with pytest.raises(TrainingError) as error:
            execute(killed, QUIET)
    message = (
        f"process 2 of 2 ended: by SIGKILL; go on with: dlplugin resume {killed.name} --store {killed.root}"
    )
    assert str(error.value) == message
    assert time.monotonic() - began < 60
    assert (killed.status, killed.facts["stop_reason"]) == ("failed", message)
    assert not distributed.is_initialized()
    assert not list(killed.path.glob("process-*.log"))
    execute(killed, QUIET)
    assert killed.status == "finished"
    assert killed.digest == whole.digest


@pytest.mark.slow
def test_when_the_first_process_is_killed_the_others_end_and_the_run_is_interrupted(tmp_path: Path) -> None:
    model = describe(tmp_path, "m")
    endless = dl.TrainingOptions(epochs=None, auto_stop=None, devices=2, batch_size=33)
    run = model.start(small_dataset(), options=endless)
    wait_for("an epoch", lambda: len(run.history) > 2)
    first, others = processes_of(tmp_path, "worker"), processes_of(tmp_path, "devices.member")
    assert (len(first), len(others)) == (1, 1)
    os.kill(first[0], signal.SIGKILL)
    killed = time.monotonic()
    wait_for("the end of the other one", lambda: not processes_of(tmp_path, "devices.member"), 10.0)
    print(f"the other one ended after {time.monotonic() - killed:.1f} s")
    wait_for("the end of the first one", lambda: run.status == "interrupted", 10.0)
    done = len(run.history)
    run.resume(background=True)
    wait_for("more epochs", lambda: len(run.history) > done + 1)
    run.stop()
    assert run.status == "stopped"
    wait_for("the end of the other one", lambda: not processes_of(tmp_path, "devices.member"), 10.0)


def test_where_a_process_group_is_already_it_is_told_in_one_line(tmp_path: Path) -> None:
    store = distributed.HashStore()
    with process_group(store, Share(), "cpu"):
        with (
            pytest.raises(TrainingError, match=r"has a process group of torch already, .*model\.start"),
            process_group(store, Share(), "cpu"),
        ):
            pass
        assert distributed.is_initialized(), "that of the other one"


def test_a_look_between_two_batches_finds_a_process_that_has_ended(tmp_path: Path) -> None:
    class Gone:
        def gone(self) -> tuple[int, str]:
            return 1, "by SIGKILL"

    control, run = Control(), prepared(tmp_path, "m", OPTIONS)
    control.watch = lambda: _refuse_gone(Gone(), Share(0, 2), run)  # type: ignore[arg-type]
    with pytest.raises(TrainingError) as error:
        control.look()
    assert str(error.value).startswith("process 2 of 2 ended: by SIGKILL; go on with: ")


def processes_of(store: Path, module: str) -> list[int]:
    """Process ids of a module that works in a store; only where there is /proc."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        if str(store) in words and f"dlplugin.training.{module}" in words:
            found.append(int(path.parent.name))
    return found


@pytest.mark.slow
def test_a_process_that_cannot_begin_is_told_with_its_last_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = prepared(tmp_path, "m", TWO)
    monkeypatch.setattr("dlplugin.training.devices.first.state_digest", lambda folder: "another one")
    with pytest.raises(TrainingError) as error:
        execute(run, QUIET)
    said = f"run {run.name} has another last state here; is {tmp_path} the same folder?"
    again = f"; go on with: dlplugin resume {run.name} --store {tmp_path}"
    assert str(error.value) == f"process 2 of 2 ended: {said}{again}"
    assert (run.path / "process-2.log").read_text().splitlines()[-1] == said


@pytest.fixture
def loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several machines are several processes on this one."""
    monkeypatch.setenv("MASTER_ADDR", "127.0.0.1")
    monkeypatch.setenv("GLOO_SOCKET_IFNAME", "lo")


def joined(words: str, **more: Any) -> "subprocess.Popen[str]":
    """What the first machine has told to type, typed on another one."""
    command = [sys.executable, "-m", *words.split()]
    root = str(Path(__file__).parents[2])
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=root, **more
    )


@pytest.mark.slow
def test_two_machines_of_two_processes_train_what_one_trains(tmp_path: Path, loopback: None) -> None:
    options = OPTIONS | {"epochs": 3}
    one, two = (
        prepared(tmp_path / "one", "m", options),
        prepared(tmp_path / "two", "m", options | {"machines": 2}),
    )
    execute(one, QUIET)
    thread = threading.Thread(target=lambda: execute(two, QUIET))
    thread.start()
    wait_for("an invitation", lambda: len(two.facts.get("join", [])) > 1)
    waits, typed = two.facts["join"]
    assert waits == "waits 10 minutes for 1 more machine; type there, in the same store:"
    address = typed.split()[6]
    assert typed == f"dlplugin join {two.name} --machine 1 --address {address} --store {two.root}"
    for words, message in (
        (typed.replace("--machine 1", "--machine 2"), "machine is 2, but must be 1; the first machine is 0"),
        (typed.replace(address, "127.0.0.1:1"), "no training waits at 127.0.0.1:1: Connection refused; the first machine tells the address when it begins"),
        (typed.replace(address, "here"), "address is 'here', but must be HOST:PORT, as the first machine has told it"),
    ):  # fmt: skip
        refused = joined(words)
        assert refused.communicate(timeout=60) == ("", f"dlplugin: {message}\n")
        assert refused.returncode == 2
    other = joined(typed)
    out, errors = other.communicate(timeout=180)
    assert (other.returncode, errors) == (0, ""), errors
    assert (
        out
        == f"run {two.name} of m is over for this machine; see: dlplugin runs show {two.name} --store {two.root}\n"
    )
    thread.join()
    assert two.facts["status"] == "finished"
    assert "join" not in two.facts
    assert two.facts["devices"].endswith(", and on as much of 1 other machine")
    np.testing.assert_allclose(losses(two), losses(one), rtol=TOLERANCE)


@pytest.mark.slow
def test_a_machine_that_goes_is_told_and_the_run_goes_on_when_it_is_back(
    tmp_path: Path, loopback: None
) -> None:
    options = OPTIONS | {"epochs": None, "machines": 2}
    run, errors = prepared(tmp_path, "m", options), []

    def train() -> None:
        try:
            execute(run, QUIET)
        except TrainingError as error:
            errors.append(str(error))

    for kill in (True, False):
        thread, before = threading.Thread(target=train), len(run.history)
        thread.start()
        wait_for("an invitation", lambda: len(run.facts.get("join", [])) > 1)
        other = joined(run.facts["join"][1])
        wait_for("two epochs", lambda: len(run.history) > before + 2)  # noqa: B023
        if kill:
            other.kill()  # as a machine that is switched off
        else:
            run.request_stop()
        thread.join(60)
        assert not thread.is_alive()
        other.communicate(timeout=60)
        assert run.facts["status"] == ("failed" if kill else "stopped"), run.facts["stop_reason"]
    assert [error.partition("; go on")[0] for error in errors] == ["the connection to another machine broke"]


@pytest.mark.slow
def test_while_it_waits_for_machines_it_can_be_stopped_and_does_not_wait_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, loopback: None
) -> None:
    run = prepared(tmp_path, "m", OPTIONS | {"machines": 2})
    run.request_stop()
    assert execute(run, QUIET).reason == "stopped by request"
    assert (run.status, run.facts["stop_reason"], run.facts["epochs"]) == ("stopped", "stopped by request", 0)
    run.clear_stop()
    monkeypatch.setattr("dlplugin.training.devices.first.SECONDS_FOR_MACHINES", 0.1)
    with pytest.raises(TrainingError) as error:
        execute(run, QUIET, None)
    assert str(error.value).startswith(
        "machine 1 has not come within 0.1 seconds; go on with: dlplugin resume "
    )
    monkeypatch.setenv("GLOO_SOCKET_IFNAME", "none0")
    with pytest.raises(
        TrainingError, match=r"^the processes do not reach each other: .*; GLOO_SOCKET_IFNAME and"
    ):
        execute(prepared(tmp_path, "n", TWO), QUIET)
    monkeypatch.setenv("MASTER_PORT", "next")
    with pytest.raises(TrainingError) as error:
        execute(run, QUIET)
    assert str(error.value) == "MASTER_PORT is 'next', but must be a number, such as 29500"
    monkeypatch.setenv("MASTER_PORT", "1")
    monkeypatch.setenv("MASTER_ADDR", "192.0.2.1")  # nobody's
    with pytest.raises(
        TrainingError, match=r"^cannot listen at 192\.0\.2\.1:1: .*; set MASTER_ADDR and MASTER_PORT to an"
    ):
        execute(run, QUIET)
