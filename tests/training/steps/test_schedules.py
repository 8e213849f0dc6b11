"""Learning rates against PyTorch's schedulers, step for step."""

import math
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
import torch
from torch.optim import lr_scheduler

import dlplugin as dl
from dlplugin.samples import Samples
from dlplugin.training.steps.schedules import Plateau, Rates
from tests.training.stepping import assert_close, bare_loop, trained, weights_of

LR, EPOCHS, MINIBATCHES = 0.2, 12, 5


def options_of(schedule: str, **more: Any) -> dl.TrainingOptions:
    return dl.TrainingOptions(**({"epochs": EPOCHS, "learning_rate": LR, "schedule": schedule} | more))


def sgd() -> torch.optim.Optimizer:
    return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=LR)


def of_pytorch(scheduler_of: Callable[[torch.optim.Optimizer], Any], steps: int) -> list[float]:
    """The rate of each step."""
    optimizer = sgd()
    scheduler = scheduler_of(optimizer)
    rates = []
    for _ in range(steps):
        rates.append(float(optimizer.param_groups[0]["lr"]))
        optimizer.step()
        scheduler.step()
    return rates


def by_epoch(options: dl.TrainingOptions, epochs: int = EPOCHS) -> list[float]:
    rates = Rates(options, MINIBATCHES)
    for epoch in range(1, epochs + 1):
        assert len({rates.at(epoch, minibatch) for minibatch in range(MINIBATCHES)}) == 1
        assert not rates.moves_within(epoch)
    return [rates.at(epoch, 0) for epoch in range(1, epochs + 1)]


def by_minibatch(options: dl.TrainingOptions, epochs: int = EPOCHS) -> list[float]:
    rates = Rates(options, MINIBATCHES)
    return [rates.at(epoch, each) for epoch in range(1, epochs + 1) for each in range(MINIBATCHES)]


BY_EPOCH: dict[str, tuple[dl.TrainingOptions, Callable[[torch.optim.Optimizer], Any]]] = {
    "constant": (options_of("constant"), lambda o: lr_scheduler.ConstantLR(o, 1.0)),
    "step": (options_of("step", schedule_epochs=4), lambda o: lr_scheduler.StepLR(o, 4)),
    "step by a factor": (
        options_of("step", schedule_epochs=3, schedule_factor=0.5),
        lambda o: lr_scheduler.StepLR(o, 3, 0.5),
    ),
    "exponential": (options_of("exponential"), lambda o: lr_scheduler.ExponentialLR(o, 0.99)),
    "exponential by a factor": (
        options_of("exponential", schedule_factor=0.8),
        lambda o: lr_scheduler.ExponentialLR(o, 0.8),
    ),
    "cosine": (options_of("cosine"), lambda o: lr_scheduler.CosineAnnealingLR(o, EPOCHS)),
    "cosine to a minimum": (
        options_of("cosine", minimum_rate=0.03),
        lambda o: lr_scheduler.CosineAnnealingLR(o, EPOCHS, 0.03),
    ),
    "warm-restarts": (
        options_of("warm-restarts", schedule_epochs=5, minimum_rate=0.01),
        lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, 5, 1, 0.01),
    ),
}


@pytest.mark.parametrize("name", sorted(BY_EPOCH))
def test_a_schedule_of_epochs_is_pytorchs(name: str) -> None:
    options, scheduler_of = BY_EPOCH[name]
    np.testing.assert_allclose(by_epoch(options), of_pytorch(scheduler_of, EPOCHS), rtol=1e-12)


def test_one_cycle_is_pytorchs_minibatch_for_minibatch() -> None:
    for epochs in (1, 2, EPOCHS):
        options = options_of("one-cycle", schedule_epochs=epochs)
        total = epochs * MINIBATCHES
        wanted = of_pytorch(
            lambda o, total=total: lr_scheduler.OneCycleLR(o, LR, total_steps=total), total - 1
        )
        np.testing.assert_allclose(by_minibatch(options, epochs)[:-1], wanted, rtol=1e-12)
        assert by_minibatch(options, epochs)[-1] == pytest.approx(LR / 25 / 1e4)
    rates = by_minibatch(options_of("one-cycle"))
    assert max(rates) == pytest.approx(LR)
    assert rates.index(max(rates)) == round(0.3 * EPOCHS * MINIBATCHES) - 1
    assert Rates(options_of("one-cycle"), MINIBATCHES).moves_within(7)


def test_a_schedule_that_has_come_to_its_end_stays_there() -> None:
    cosine = by_epoch(options_of("cosine", schedule_epochs=4, minimum_rate=0.01))
    assert cosine[4:] == [0.01] * (EPOCHS - 4)
    one_cycle = by_minibatch(options_of("one-cycle", schedule_epochs=4))
    assert one_cycle[4 * MINIBATCHES - 1 :] == pytest.approx([LR / 25e4] * (8 * MINIBATCHES + 1))


@pytest.mark.parametrize(
    ("schedule", "more"),
    [
        ("step", {"schedule_epochs": 1}),
        ("exponential", {"schedule_factor": 0.3}),
        ("cosine", {}),
        ("warm-restarts", {"schedule_epochs": 6}),
        ("one-cycle", {}),
    ],
)
def test_no_schedule_takes_the_rate_below_the_minimum(schedule: str, more: dict[str, Any]) -> None:
    low = min(by_minibatch(options_of(schedule, **more)))
    rates = by_minibatch(options_of(schedule, minimum_rate=0.05, **more))
    assert low < 0.04
    assert 0.05 <= min(rates) < 0.1
    assert max(rates) <= LR


def test_warm_up_is_a_straight_line_by_minibatches_and_the_schedule_begins_after_it() -> None:
    steps = 3 * MINIBATCHES
    for schedule, more in (
        ("cosine", {}),
        ("constant", {}),
        ("step", {"schedule_epochs": 2}),
        ("one-cycle", {}),
    ):
        options = options_of(schedule, warm_up=3, **more)
        rates = by_minibatch(options)
        wanted = of_pytorch(
            lambda o: lr_scheduler.LinearLR(o, start_factor=1 / steps, total_iters=steps - 1), steps
        )
        np.testing.assert_allclose(rates[:steps], wanted, rtol=1e-9)
        assert rates[steps - 1] == pytest.approx(LR)
        alone = by_minibatch(options_of(schedule, **{"schedule_epochs": EPOCHS - 3, **more})
                             if schedule != "constant" else options_of("constant"))  # fmt: skip
        assert rates[steps:] == alone[: len(rates) - steps]
        assert [Rates(options, MINIBATCHES).moves_within(epoch) for epoch in (1, 3)] == [True, True]
    assert Rates(options_of("constant", warm_up=1), 1).at(1, 0) == LR


VALUES = [
    1.0,
    0.9,
    0.9,
    0.90001,
    0.99998,
    0.95,
    0.8999,
    0.5,
    0.6,
    0.6,
    math.nan,
    0.6,
    0.6,
    0.49999,
    0.6,
    0.6,
    0.6,
    0.1,
]


def plateau_rates(options: dl.TrainingOptions, values: Sequence[float]) -> list[float]:
    plateau, rates = Plateau(options), []
    for value in values:
        plateau.hear(value)
        rates.append(Rates(options, MINIBATCHES).at(1, 0, plateau.reductions))
    return rates


@pytest.mark.parametrize(("mode", "sign"), [("min", 1.0), ("max", -1.0)])
@pytest.mark.parametrize("minimum", [0.0, 0.03])
def test_a_plateau_reduces_the_rate_as_pytorch_does_whichever_sign_is_better(
    mode: str, sign: float, minimum: float
) -> None:
    for patience, factor in ((None, None), (1, 0.5), (2, 0.3)):
        options = options_of(
            "on-plateau", schedule_epochs=patience, schedule_factor=factor, minimum_rate=minimum
        )
        optimizer = sgd()
        scheduler = lr_scheduler.ReduceLROnPlateau(
            optimizer,
            mode,
            factor=factor or 0.1,
            patience=10 if patience is None else patience,
            min_lr=minimum,
        )  # type: ignore[arg-type]
        wanted = []
        for value in (sign * each if mode == "min" else each for each in VALUES):
            scheduler.step(value)
            wanted.append(float(optimizer.param_groups[0]["lr"]))
        rates = plateau_rates(options, [sign * value for value in VALUES])
        assert rates == pytest.approx(wanted, rel=1e-12)
        if patience is not None:
            assert len(set(rates)) > 2


def test_a_plateau_goes_on_from_what_it_wrote() -> None:
    options = options_of("on-plateau", schedule_epochs=2, schedule_factor=0.3)
    whole = plateau_rates(options, VALUES)
    for cut in range(len(VALUES)):
        first, second = Plateau(options), Plateau(options)
        for value in VALUES[:cut]:
            first.hear(value)
        second.restore(first.to_plain())
        for value in VALUES[cut:]:
            second.hear(value)
        assert Rates(options, 1).at(1, 0, second.reductions) == whole[-1]


def plain(samples: Samples, options: dl.TrainingOptions, **more: Any) -> dict[str, np.ndarray]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a last step of the scheduler that nothing follows
        return bare_loop(samples, options, lambda w: torch.optim.SGD(w, lr=options.learning_rate), **more)


def test_training_follows_a_schedule_of_epochs(numbers: Samples) -> None:
    module, ends = trained(numbers, 3, optimizer="sgd", learning_rate=LR, schedule="exponential",
                           schedule_factor=0.5, batch_size=500)  # fmt: skip
    wanted = plain(numbers, module.options, scheduler_of=lambda o: lr_scheduler.ExponentialLR(o, 0.5))
    assert_close(weights_of(module), wanted)
    assert ends.rates == pytest.approx([LR, LR / 2, LR / 4])


def test_training_follows_a_schedule_of_minibatches_and_notes_the_last_rate(numbers: Samples) -> None:
    module, ends = trained(
        numbers, 3, optimizer="sgd", learning_rate=LR, schedule="one-cycle", batch_size=500
    )
    steps = 3 * -(-len(numbers.rows["in-sample"]) // 500)

    module_rates = Rates(module.options, steps // 3)
    assert ends.rates == [module_rates.at(epoch, steps // 3 - 1) for epoch in (1, 2, 3)]

    class Ours:
        """The schedule of exactly so many steps, which PyTorch's would refuse to step past."""

        def __init__(self, optimizer: torch.optim.Optimizer) -> None:
            self.optimizer, self.done = optimizer, 0
            self.rates = of_pytorch(
                lambda o: lr_scheduler.OneCycleLR(o, LR, total_steps=steps, cycle_momentum=False), steps - 1
            )
            self.rates += [LR / 25e4] * 2
            self.step()

        def step(self) -> None:
            self.optimizer.param_groups[0]["lr"] = self.rates[self.done]
            self.done += 1

    assert_close(weights_of(module), plain(numbers, module.options, scheduler_of=Ours, by_minibatch=True))


def test_training_lowers_the_rate_on_a_plateau_of_what_it_monitors_but_not_while_warming_up(
    numbers: Samples,
) -> None:
    _, ends = trained(numbers, 12, optimizer="sgd", learning_rate=1e-9, warm_up=4, schedule="on-plateau",
                      schedule_epochs=2, schedule_factor=0.5, batch_size=5000)  # fmt: skip
    rate = 1e-9
    assert ends.rates == pytest.approx([rate / 4, rate / 2, rate * 3 / 4] + [rate] * 9)
    _, ends = trained(numbers, 12, optimizer="sgd", learning_rate=1e-6, warm_up=4, schedule="on-plateau",
                      schedule_epochs=2, schedule_factor=0.5, batch_size=5000)  # fmt: skip
    rate = 1e-6  # epoch 5 is the first that counts, 6 to 8 are no better by enough, and so on
    assert ends.rates[3:] == pytest.approx([rate] * 5 + [rate / 2] * 3 + [rate / 4])
