"""What there is to train on, what is used of it, and in which numbers the network multiplies."""

import io
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from rich.console import Console

import dlplugin as dl
from dlplugin.engines import Dropout, Purpose, streams
from dlplugin.errors import DefinitionError, TrainingError
from dlplugin.prediction import Predictor
from dlplugin.samples import build_samples
from dlplugin.training import execute, module
from dlplugin.training.devices.found import choose_devices
from dlplugin.training.devices.share import Share
from dlplugin.training.fit import fit
from dlplugin.training.module import TrainingModule
from dlplugin.training.steps.losses import Loss
from dlplugin.training.steps.optimizers import _calls
from tests.training.notes import Notes
from tests.training.shared import case_of, made, trace
from tests.training.trainings import QUIET, describe, prepared, small_dataset, stop_at

Machine = Callable[[int, bool], None]


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    """A machine with so many NVIDIA GPUs, or an Apple one, and four cores."""

    def of(gpus: int, apple: bool = False) -> None:
        monkeypatch.setattr(torch.cuda, "is_available", lambda: gpus > 0)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)
        about = SimpleNamespace(name="NVIDIA H200", total_memory=150e9)
        monkeypatch.setattr(torch.cuda, "get_device_properties", lambda index: about)
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda: apple)
        monkeypatch.setattr("dlplugin.training.devices.found._cores", lambda: 4)

    return of  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("gpus", "apple", "options", "said"),
    [
        (0, False, {}, "found no GPU; trains on the CPU with 1 of 4 threads"),
        (0, False, {"devices": 2}, "found no GPU; trains on the CPU in 2 processes with 1 of 4 threads each"),
        (0, False, {"devices": "all"}, "found no GPU; trains on the CPU in 4 processes with 1 of 4 threads each"),
        (0, False, {"precision": "bf16"}, "found no GPU; trains on the CPU with 1 of 4 threads, in bf16"),
        (1, False, {}, "found 1 GPU (NVIDIA H200, 150 GB); trains on it"),
        (1, False, {"device": "cpu"}, "found 1 GPU (NVIDIA H200, 150 GB); trains on the CPU with 1 of 4 threads"),
        (2, False, {}, "found 2 GPUs (NVIDIA H200, 150 GB); trains on the first; devices='all' uses both"),
        (2, False, {"devices": 2}, "found 2 GPUs (NVIDIA H200, 150 GB); trains on both"),
        (4, False, {"devices": 2}, "found 4 GPUs (NVIDIA H200, 150 GB); trains on the first 2; devices='all' uses all 4"),
        (4, False, {"devices": "all"}, "found 4 GPUs (NVIDIA H200, 150 GB); trains on all 4"),
        (2, False, {"devices": "all", "machines": 3, "device": "cuda"}, "found 2 GPUs (NVIDIA H200, 150 GB); trains on both, and on as much of 2 other machines"),
        (0, True, {}, "found an Apple GPU; trains on it"),
        (0, True, {"device": "gpu", "precision": "fp16"}, "found an Apple GPU; trains on it, in fp16"),
    ],
)  # fmt: skip
def test_what_was_found_and_what_is_used_is_said(
    machine: Machine, gpus: int, apple: bool, options: dict[str, Any], said: str
) -> None:
    machine(gpus, apple)
    assert choose_devices(dl.TrainingOptions(**options)).text(1) == said


@pytest.mark.parametrize(
    ("gpus", "apple", "options", "message"),
    [
        (0, False, {"device": "gpu"}, "device is 'gpu', but there is none that torch can use; use device='auto'"),
        (0, True, {"device": "cuda"}, "device is 'cuda', but there is no NVIDIA GPU that torch can use; use device='auto'"),
        (2, False, {"device": "mps"}, "device is 'mps', but there is no Apple GPU that torch can use; use device='auto'"),
        (2, False, {"devices": 3}, "devices is 3, but this machine has 2 GPUs; use devices='all'"),
        (0, True, {"devices": 2}, "devices is 2, but an Apple GPU shares with no other; use devices=1, or device='cpu'"),
        (0, True, {"machines": 2}, "machines is 2, but an Apple GPU shares with no other; use machines=1, or device='cpu'"),
        (8, False, {"devices": "all", "batch_size": 7}, "batch_size is 7, but 8 processes share each batch; give at least batch_size=8"),
    ],
)  # fmt: skip
def test_what_is_not_there_is_refused_before_anything_is_written(
    machine: Machine, tmp_path: Path, gpus: int, apple: bool, options: dict[str, Any], message: str
) -> None:
    machine(gpus, apple)
    chosen = dl.TrainingOptions(**options)
    if options != {"devices": 2}:  # one device and one machine need no look
        with pytest.raises(dl.DLPluginError) as error:
            describe(tmp_path, "m").train(small_dataset(), options=chosen)
        assert str(error.value) == message
        assert not (tmp_path / ".runs").exists()
    with pytest.raises(dl.DLPluginError) as error:
        choose_devices(chosen)
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"device": "mps", "devices": 2}, "devices is 2, but device 'mps' is one GPU that shares with no other; use devices=1"),
        ({"device": "mps", "machines": 2}, "machines is 2, but device 'mps' is one GPU that shares with no other; use machines=1"),
        ({"devices": 2, "machines": 3, "batch_size": 5}, "batch_size is 5, but 6 processes share each batch; give at least batch_size=6"),
        ({"devices": 0}, "TrainingOptions: devices is 0, but should be"),
        ({"devices": "both"}, "TrainingOptions: devices is 'both', but should be"),
        ({"precision": 16}, "TrainingOptions: precision is 16, but should be 'fp32', 'bf16' or 'fp16'"),
    ],
)  # fmt: skip
def test_options_that_cannot_be_meant_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(DefinitionError) as error:
        dl.TrainingOptions(**options)
    assert str(error.value).startswith(message)


def test_a_run_records_what_was_found(tmp_path: Path) -> None:
    run, screen = prepared(tmp_path, "m", {"epochs": 1, "device": "cpu"}), io.StringIO()
    execute(run, Console(file=screen, width=200))
    said = run.facts["devices"]
    assert said == choose_devices(dl.TrainingOptions(device="cpu")).text(1)
    lines = screen.getvalue().splitlines()
    assert lines[1] == said, "after the estimate, before the first epoch"


# what of a batch is whose


def test_the_shares_of_a_batch_are_all_of_it_once() -> None:
    for count in range(1, 20):
        for processes in range(1, 8):
            shares = [Share(rank, processes) for rank in range(processes)]
            rows = [row for share in shares for row in range(count)[share.of(count)]]
            assert rows == list(range(count))
            for share in shares:
                own, read = range(count)[share.of(count)], range(count)[share.read(count)]
                assert len(read) == max(len(own), 1)
                assert not own or own == read


@pytest.mark.parametrize("outputs", ["number", "mixed", "classes"])
@pytest.mark.parametrize("weighted", [False, True])
def test_the_parts_of_a_loss_add_up_to_it_and_so_do_their_gradients(outputs: str, weighted: bool) -> None:
    samples = made(outputs, 0.0, None, False)
    options, rows = dl.TrainingOptions(), samples.rows["in-sample"]
    loss = Loss(
        samples.definition, options, samples.targets[rows], samples.targets[samples.rows["out-of-sample"]]
    )
    targets = torch.from_numpy(samples.targets[rows[:11]]).expand(2, -1, -1)
    generator = torch.Generator().manual_seed(3)
    columns = sum(head.size for head in samples.definition.heads)
    predicted = torch.randn(2, 11, columns, generator=generator).requires_grad_()
    weights = torch.rand(2, 11, generator=generator) if weighted else None
    whole, _, _ = loss(predicted, targets, weights)
    (wanted,) = torch.autograd.grad(whole.sum(), predicted)
    parts, gradients = [], []
    for rank in range(3):
        own = Share(rank, 3).of(11) if rank else slice(0, 0)  # the first has none, the second more
        own = slice(0, own.stop) if rank == 1 else own
        of_own = None if weights is None else weights[:, own]
        losses, _, _ = loss.of_part(predicted[:, own], targets[:, own], of_own, targets)
        parts.append(losses)
        gradients.append(torch.autograd.grad(losses.sum(), predicted)[0])
    torch.testing.assert_close(torch.stack(parts).sum(dim=0), whole)
    torch.testing.assert_close(torch.stack(gradients).sum(dim=0), wanted)
    assert gradients[0].abs().sum() == 0


@pytest.mark.parametrize("dims", [(0, 1, 2), (0, 1, 2, 3), (0, 1, 3, 2)])
def test_dropout_draws_for_the_whole_batch_and_takes_its_rows(dims: tuple[int, ...]) -> None:
    rows, seen = torch.ones(2, 7, *range(3, 1 + len(dims))).permute(dims), []
    for place in (None, (7, slice(0, 2)), (7, slice(2, 7))):
        layer = Dropout(0.5)
        layer.generators, layer.place = streams(1, 2, 1, Purpose.DROPOUT), place
        seen.append(layer(rows if place is None else rows[:, place[1]]))
    assert torch.equal(seen[0], torch.cat(seen[1:], dim=1))
    assert len(seen[0].unique()) == 2


# precision


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
@pytest.mark.parametrize(
    "options",
    [{}, {"optimizer": "sgd", "clip_norm": 0.1, "l2": 0.5, "learning_rate": 0.1}, {"averaging": 0.9}],
)
def test_half_precision_trains_what_full_precision_trains_with_other_roundings(
    precision: str, options: dict[str, Any]
) -> None:
    near = 5e-3  # relative; 2.7e-3 is the most that was measured
    half, digest = trace("bf16", precision=precision, **options)
    full, full_digest = trace("bf16", precision="fp32", **options)
    np.testing.assert_allclose(half, full, rtol=near)
    assert abs(full[0][0] / full[-1][0] - 1) > 2 * near, "it has trained"
    assert digest != full_digest


@pytest.mark.parametrize(
    ("precision", "number"), [("fp32", torch.float32), ("bf16", torch.bfloat16), ("fp16", torch.float16)]
)
def test_the_network_multiplies_in_half_precision_only_in_training_and_all_else_is_float32(
    monkeypatch: pytest.MonkeyPatch, precision: str, number: torch.dtype
) -> None:
    given: set[tuple[bool, torch.dtype]] = set()
    judged: set[torch.dtype] = set()
    build, measure = module.build_network, Loss.forward

    def watched(*arguments: Any) -> torch.nn.Module:
        network = build(*arguments)
        network.register_forward_hook(lambda it, rows, out: given.add((it.training, out.dtype)))
        return network

    def heard(loss: Loss, predicted: torch.Tensor, *more: Any) -> Any:
        found = measure(loss, predicted, *more)
        judged.update({predicted.dtype, found[0].dtype, found[1].dtype})
        return found

    monkeypatch.setattr(module, "build_network", watched)
    monkeypatch.setattr(Loss, "forward", heard)
    samples, options = case_of("mixed")
    notes = Notes()
    fit(samples, replace(options, precision=precision, epochs=1), notes, console=QUIET)
    assert given == {(True, number), (False, torch.float32)}
    assert judged == {torch.float32}
    assert {str(array.dtype) for array in notes.states[1].arrays.values()} == {"float32"}


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_half_precision_stops_goes_on_to_the_bit_and_predicts_in_float32(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, precision: str
) -> None:
    monkeypatch.setattr("dlplugin.training.journal.SECONDS_BETWEEN_STATES", 0.0)
    monkeypatch.setattr("dlplugin.training.devices.strategy.FIRST_SCALE", 2.0**30)  # that moves
    options = {
        "epochs": 6,
        "batch_size": 32,
        "precision": precision,
        "auto_stop": None,
        "learning_rate": 0.01,
    }
    whole, parts = prepared(tmp_path / "whole", "m", options), prepared(tmp_path / "parts", "m", options)
    execute(whole, QUIET)
    stop_at(2)
    execute(parts, QUIET)
    assert parts.facts["epochs"] == 2
    parts.clear_stop()
    execute(parts, QUIET)
    assert parts.digest == whole.digest
    state = whole.read_state()
    assert state is not None
    scale = state.values["module"].get("scaler", {}).get("scale")
    assert scale is None if precision == "bf16" else 1.0 < scale < 2.0**30
    run = dl.load_run(whole.name, tmp_path / "whole")
    evaluated = run.history["out_of_sample_loss"].iloc[run.best_epoch - 1]
    assert predicted_loss(tmp_path / "whole", whole.read_trained()) == pytest.approx(evaluated, rel=1e-6)


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
@pytest.mark.parametrize("engine", [dl.GRU(hidden=4), dl.LSTM(hidden=4)])
def test_a_recurrent_network_trains_in_half_precision_or_says_that_it_cannot(
    precision: str, engine: Any
) -> None:
    definition = dl.Definition(
        "r", [dl.Input("RSI(14)", depth=4)], [dl.Output("ROC(5)", look_ahead=5)], engine
    )
    samples = build_samples(definition, small_dataset(), dl.resolve_split(small_dataset(), dl.Split()))
    losses = []
    for each in ("fp32", precision):
        notes, options = Notes(), dl.TrainingOptions(epochs=1, device="cpu", precision=each)  # type: ignore[arg-type]
        if (each, type(engine)) == ("fp16", dl.LSTM):  # oneDNN has it on some CPUs only
            with suppress(TrainingError):
                fit(samples, options, notes, console=QUIET)
            return
        fit(samples, options, notes, console=QUIET)
        losses.append([float(value) for value in notes.rows[0][1:3]])
    np.testing.assert_allclose(losses[1], losses[0], rtol=5e-3)


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_what_this_cpu_cannot_multiply_is_refused_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, precision: Any
) -> None:
    def lacks(*args: Any) -> None:
        raise RuntimeError("could not create a primitive descriptor")

    model = describe(tmp_path, "m")
    monkeypatch.setattr("dlplugin.engines.layers.Linear.forward", lacks)
    with pytest.raises(TrainingError) as error:
        model.train(small_dataset(), options=dl.TrainingOptions(epochs=1, device="cpu", precision=precision))
    assert str(error.value) == (
        f"precision is {precision!r}, but this device cannot do that with this engine; use 'fp32'"
    )
    assert not (tmp_path / ".runs").exists()


def predicted_loss(store: Path, trained: Any) -> float:
    """Of what its predictor makes of the out-of-sample samples."""
    definition = describe(store, "m").definition
    samples = build_samples(definition, small_dataset(), dl.resolve_split(small_dataset(), dl.Split()))
    predictor = Predictor(definition, trained.input_scaling, trained.output_scaling, trained.weights)
    rows = samples.rows["out-of-sample"]
    return float(np.square(predictor.predict_scaled(samples.matrix, rows)[0] - samples.targets[rows]).mean())


@pytest.mark.parametrize("optimizer", ["adamw", "sgd", "adagrad", "rprop"])
def test_a_step_whose_gradients_are_too_large_for_fp16_is_skipped(
    monkeypatch: pytest.MonkeyPatch, optimizer: str
) -> None:
    monkeypatch.setattr("dlplugin.training.devices.strategy.FIRST_SCALE", 2.0**30)
    samples, options = case_of("fp16")
    notes = Notes()
    decay = 0.1 if optimizer == "sgd" else 0.0
    options = replace(options, optimizer=optimizer, epochs=1, batch_size="full", weight_decay=decay)
    network = TrainingModule(samples, options).network.state_dict()
    fit(samples, options, notes, console=QUIET)
    state = notes.states[1]
    assert state.values["module"]["scaler"]["scale"] == 2.0**29
    for name, value in network.items():
        np.testing.assert_array_equal(state.arrays[f"network/{name}"], value.numpy(), "no step, and no decay")


def test_what_an_apple_gpu_lacks_is_not_asked_of_it() -> None:
    there: Any = [SimpleNamespace(device=torch.device("mps"))]
    for optimizer, calls in (("adagrad", {"foreach": True}), ("adamw", {"fused": True})):
        assert _calls(there, dl.TrainingOptions(optimizer=optimizer)) == calls  # type: ignore[arg-type]


# with a GPU


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("precision", ["fp32", "bf16", "fp16"])
def test_a_gpu_gives_the_losses_of_the_cpu_and_the_cpu_predicts_with_its_weights(
    tmp_path: Path, precision: str
) -> None:
    near = {"fp32": 1e-4, "bf16": 0.02, "fp16": 0.01}[precision]
    options = {
        "epochs": 3,
        "batch_size": 64,
        "auto_stop": None,
        "learning_rate": 0.01,
        "precision": precision,
    }
    found = {}
    for device in ("cpu", "cuda"):
        run = prepared(tmp_path / device, "m", options | {"device": device})
        execute(run, QUIET)
        assert run.facts["device"].startswith(device)
        history = run.history[["in_sample_loss", "out_of_sample_loss"]].to_numpy()
        best = dl.load_run(run.name, tmp_path / device).best_epoch
        assert predicted_loss(tmp_path / device, run.read_trained()) == pytest.approx(
            history[best - 1, 1], rel=1e-4
        )
        found[device] = history[:, 1]  # dropout draws other numbers on another device
    np.testing.assert_allclose(found["cuda"], found["cpu"], rtol=max(near, 0.05))
    dry: dict[str, Any] = {"precision": precision}
    np.testing.assert_allclose(
        trace("plain", device="cuda", **dry)[0], trace("plain", device="cpu", **dry)[0], rtol=near
    )


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("precision", ["fp32", "bf16", "fp16"])
def test_a_training_on_a_gpu_goes_on_as_if_it_had_not_been_stopped(tmp_path: Path, precision: str) -> None:
    options = {"epochs": 5, "batch_size": 64, "auto_stop": None, "device": "cuda", "precision": precision}
    whole, parts = prepared(tmp_path / "whole", "m", options), prepared(tmp_path / "parts", "m", options)
    execute(whole, QUIET)
    stop_at(2)
    execute(parts, QUIET)
    parts.clear_stop()
    execute(parts, QUIET)
    assert parts.digest == whole.digest


@pytest.mark.skipif(torch.cuda.device_count() < 2, reason="needs two GPUs")
def test_two_gpus_train_what_one_trains(tmp_path: Path) -> None:
    options = {"epochs": 3, "batch_size": 33, "auto_stop": None, "device": "cuda"}
    one, two = (prepared(tmp_path / str(count), "m", options | {"devices": count}) for count in (1, 2))
    for run in (one, two):
        execute(run, QUIET)
    for loss in ("in_sample_loss", "out_of_sample_loss"):
        np.testing.assert_allclose(two.history[loss], one.history[loss], rtol=1e-5)
