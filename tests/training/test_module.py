"""What a training module is made of, and that a state taken between epochs goes on to the bit."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

import dlplugin as dl
from dlplugin.samples import Samples
from dlplugin.training.module import TrainingModule
from tests.training.stepping import bare_loop, trained, weights_of

OPTIMIZERS: dict[str, dict[str, Any]] = {
    name: {"optimizer": name}
    for name in ("adamw", "adam", "amsgrad", "nadam", "radam", "adamax", "sgd", "rmsprop", "adagrad", "adadelta", "rprop")
}  # fmt: skip
OPTIMIZERS["sgd"] |= {"momentum": 0.9, "nesterov": True}
OPTIMIZERS["rmsprop"] |= {"momentum": 0.5}
SCHEDULES: dict[str, dict[str, Any]] = {
    "constant": {"warm_up": 3},
    "step": {"schedule_epochs": 1, "schedule_factor": 0.5, "warm_up": 1},
    "exponential": {"schedule_factor": 0.7},
    "cosine": {"minimum_rate": 1e-4},
    "warm-restarts": {"schedule_epochs": 2},
    "one-cycle": {"warm_up": 1},
    "on-plateau": {"schedule_epochs": 1, "schedule_factor": 0.5},
}
EVERYTHING: dict[str, Any] = {
    "batch_size": 300,
    "learning_rate": 0.02,
    "networks": 2,
    "averaging": 0.9,
    "sampling": "over",
    "class_weights": "balanced",
    "input_noise": 0.1,
    "input_masking": 0.1,
    "input_magnitude": 0.05,
    "weight_decay": 0.01,
    "l1": 1e-4,
    "clip_norm": 1.0,
}


def all_pairs() -> list[Any]:
    """Every optimizer and every schedule once; the whole square is slow."""
    quick = {(name, "on-plateau") for name in OPTIMIZERS} | {("adamw", name) for name in SCHEDULES}
    return [
        pytest.param(one, other, marks=() if (one, other) in quick else pytest.mark.slow)
        for one in OPTIMIZERS
        for other in SCHEDULES
    ]


@pytest.mark.parametrize(("optimizer", "schedule"), all_pairs())
def test_a_training_goes_on_to_the_bit_from_the_state_of_another(
    three_classes: Samples, tmp_path: Path, optimizer: str, schedule: str
) -> None:
    options = {
        **EVERYTHING,
        **OPTIMIZERS[optimizer],
        "schedule": schedule,
        **SCHEDULES[schedule],
        "epochs": 4,
    }
    states: list[tuple[dict[str, torch.Tensor], dict[str, Any]]] = []
    _, ends = trained(three_classes, after=lambda module: states.append(module.training_state()), **options)
    assert len(states) == 4
    for done in (1, 2):
        tensors, values = states[done - 1]
        save_file(tensors, tmp_path / "state")  # plain tensors, each with memory of its own
        restored = (load_file(tmp_path / "state"), values, done)
        rest, more = trained(three_classes, restored=restored, **options)
        assert more.losses == ends.losses[done:]
        assert more.rates == ends.rates[done:]
        again, again_values = rest.training_state()
        wanted, wanted_values = states[-1]
        assert again_values == wanted_values
        assert again.keys() == wanted.keys()
        for name, value in wanted.items():
            assert torch.equal(again[name], value), name
    assert {name.partition("/")[0] for name in wanted} == {"network", "average", "optimizer"}


def test_a_state_does_not_change_when_the_training_goes_on(numbers: Samples) -> None:
    states: list[dict[str, torch.Tensor]] = []
    copies: list[dict[str, np.ndarray]] = []

    def note(module: TrainingModule) -> None:
        tensors, _ = module.training_state()
        states.append(tensors)
        copies.append({name: value.numpy().copy() for name, value in tensors.items()})

    trained(numbers, 2, after=note, batch_size=700, averaging=0.9)
    for name, value in states[0].items():
        np.testing.assert_array_equal(value.numpy(), copies[0][name])
    assert any((copies[0][name] != value).any() for name, value in copies[1].items())


def test_full_takes_all_samples_in_one_step(numbers: Samples) -> None:
    module, _ = trained(numbers, 3, batch_size="full", optimizer="sgd", learning_rate=0.1)
    count = len(numbers.rows["in-sample"])
    assert module.batch_size == module.samples_an_epoch == count
    options = replace(module.options, batch_size=count)
    wanted = bare_loop(numbers, options, lambda weights: torch.optim.SGD(weights, lr=0.1))
    for name, value in weights_of(module).items():
        np.testing.assert_allclose(value, wanted[name], atol=1e-5)


def test_sample_weights_weigh_the_loss_and_the_steps(numbers: Samples) -> None:
    count = len(numbers.rows["in-sample"])
    weights = np.linspace(0.0, 2.0, count, dtype=np.float32)
    weighted = replace(numbers, weights=weights)
    module, ends = trained(weighted, 2, optimizer="sgd", learning_rate=0.1, batch_size=700)
    held = torch.from_numpy(weights)
    seen = iter([part for epoch in (1, 2) for part in order_of(module, epoch, count).split(700)])

    def loss_of(predicted: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        return ((predicted - targets).square().mean(dim=1) * held[next(seen)]).mean()

    wanted = bare_loop(weighted, module.options, lambda w: torch.optim.SGD(w, lr=0.1), loss_of)
    for name, value in weights_of(module).items():
        np.testing.assert_allclose(value, wanted[name], atol=1e-5)
    ones = replace(numbers, weights=np.ones(count, dtype=np.float32))
    alike, _ = trained(ones, 2, optimizer="sgd", learning_rate=0.1, batch_size=700)
    plain, plain_ends = trained(numbers, 2, optimizer="sgd", learning_rate=0.1, batch_size=700)
    for name, value in weights_of(plain).items():
        np.testing.assert_allclose(weights_of(alike)[name], value, atol=1e-5)
    assert ends.losses[0].in_sample != pytest.approx(plain_ends.losses[0].in_sample, rel=1e-3)


def order_of(module: TrainingModule, epoch: int, count: int) -> torch.Tensor:
    from dlplugin.engines import seed_networks

    return seed_networks(module.network, module.options.seed, epoch, count)[0]


def test_the_running_loss_is_the_mean_of_what_the_epoch_has_seen(numbers: Samples) -> None:
    seen: list[float] = []
    _, ends = trained(numbers, 1, after=lambda m: seen.append(m.running_loss()), batch_size=700, networks=2)
    assert seen == [pytest.approx(float(np.mean(ends.losses[0].in_sample)))]


def test_the_hook_before_each_minibatch_hears_how_many_samples_are_done(three_classes: Samples) -> None:
    heard: list[tuple[int, float]] = []

    class Listening(TrainingModule):
        def on_train_epoch_start(self) -> None:
            super().on_train_epoch_start()
            self.before_minibatch = lambda done: heard.append((done, self.running_loss()))

    module, _ = trained(three_classes, 1, batch_size=500, sampling="over", of=Listening)
    whole = module.samples_an_epoch  # heard once more while the out-of-sample samples are looked at
    assert [done for done, _ in heard] == [*range(0, whole, 500), whole]
    assert heard[0][1] == 0.0
    assert all(loss > 0 for _, loss in heard[1:])


@pytest.mark.parametrize("class_loss", ["cross-entropy", "hinge"])
@pytest.mark.parametrize("kind", ["two_classes", "three_classes"])
def test_classes_that_the_inputs_tell_are_learned(
    request: pytest.FixtureRequest, kind: str, class_loss: str
) -> None:
    samples: Samples = request.getfixturevalue(kind)
    rsi = samples.matrix[:, 0]
    planted = (rsi > 0).astype(np.float32) + (rsi > 1 if kind == "three_classes" else 0)
    planted_samples = replace(samples, targets=planted[:, None].astype(np.float32))
    _, ends = trained(planted_samples, 15, class_loss=class_loss, learning_rate=0.02, batch_size=128)
    first, last = ends.losses[0], ends.losses[-1]
    assert last.in_sample[0] < 0.5 * first.in_sample[0]
    assert last.out_of_sample_accuracy is not None
    assert last.out_of_sample_accuracy[0] > 0.95


def test_the_module_begins_as_its_options_say(numbers: Samples) -> None:
    uniform, he, zeroed = (
        TrainingModule(numbers, dl.TrainingOptions(**options)).network.state_dict()  # type: ignore[arg-type]
        for options in ({}, {"initialisation": "he"}, {"zero_biases": True})
    )
    assert not torch.equal(uniform["output.weight"], he["output.weight"])
    assert (zeroed["output.bias"] == 0).all()
    assert torch.equal(uniform["output.weight"], zeroed["output.weight"])


@pytest.mark.parametrize("schedule", ["constant", "on-plateau"])
def test_weights_alone_are_enough_to_begin_with(numbers: Samples, schedule: str) -> None:
    options: dict[str, Any] = {"schedule": schedule, "averaging": 0.9, "batch_size": 700}
    first, _ = trained(numbers, 1, seed=8, **options)
    tensors = {name: each for name, each in first.training_state()[0].items() if name.startswith("network/")}
    module = TrainingModule(numbers, dl.TrainingOptions(epochs=1, **options))
    module.restore(tensors, {})
    for name, value in weights_of(first).items():
        np.testing.assert_array_equal(weights_of(module)[name], value)
    _, ends = trained(numbers, 1, restored=(tensors, {}, 0), **options)
    _, without = trained(numbers, 1, **options)
    assert ends.losses[0].in_sample[0] < without.losses[0].in_sample[0]


def test_a_plateau_goes_on_waiting_where_it_was(numbers: Samples) -> None:
    options: dict[str, Any] = {
        "epochs": 9,
        "schedule": "on-plateau",
        "schedule_epochs": 2,
        "batch_size": 5000,
    }
    options |= {"optimizer": "sgd", "learning_rate": 1e-6}  # too low to get better by enough
    states: list[tuple[dict[str, torch.Tensor], dict[str, Any]]] = []
    _, ends = trained(numbers, after=lambda module: states.append(module.training_state()), **options)
    assert len(set(ends.rates)) == 3
    for done in (2, 3, 4, 5):
        _, more = trained(numbers, restored=(*states[done - 1], done), **options)
        assert more.rates == ends.rates[done:]
