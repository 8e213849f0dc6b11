"""Every optimizer against PyTorch's own class in a plain loop, one parameter after another."""

from collections.abc import Callable

import pytest
import torch
from torch import nn

import dlplugin as dl
from dlplugin.samples import Samples
from dlplugin.training.steps.optimizers import build_optimizer
from tests.training.stepping import assert_close, bare_loop, trained, weights_of

LR, DECAY = 0.01, 0.3
Of = Callable[[list[nn.Parameter]], torch.optim.Optimizer]
OPTIMIZERS: dict[str, tuple[dict[str, object], Of]] = {
    "adamw": ({}, lambda w: torch.optim.AdamW(w, lr=LR, weight_decay=0.0, foreach=False)),
    "adam": ({}, lambda w: torch.optim.Adam(w, lr=LR, foreach=False)),
    "amsgrad": ({}, lambda w: torch.optim.Adam(w, lr=LR, amsgrad=True, foreach=False)),
    "nadam": ({}, lambda w: torch.optim.NAdam(w, lr=LR, foreach=False)),
    "radam": ({}, lambda w: torch.optim.RAdam(w, lr=LR, foreach=False)),
    "adamax": ({}, lambda w: torch.optim.Adamax(w, lr=LR, foreach=False)),
    "sgd": ({}, lambda w: torch.optim.SGD(w, lr=LR, foreach=False)),
    "sgd with momentum": (
        {"momentum": 0.8},
        lambda w: torch.optim.SGD(w, lr=LR, momentum=0.8, foreach=False),
    ),
    "sgd with nesterov": (
        {"momentum": 0.8, "nesterov": True},
        lambda w: torch.optim.SGD(w, lr=LR, momentum=0.8, nesterov=True, foreach=False),
    ),
    "rmsprop": ({}, lambda w: torch.optim.RMSprop(w, lr=LR, foreach=False)),
    "rmsprop with momentum": (
        {"momentum": 0.7},
        lambda w: torch.optim.RMSprop(w, lr=LR, momentum=0.7, foreach=False),
    ),
    "adagrad": ({}, lambda w: torch.optim.Adagrad(w, lr=LR, foreach=False)),
    "adadelta": ({}, lambda w: torch.optim.Adadelta(w, lr=LR, foreach=False)),
    "rprop": ({}, lambda w: torch.optim.Rprop(w, lr=LR, foreach=False)),
}


@pytest.mark.parametrize("decay", [0.0, DECAY])
@pytest.mark.parametrize("name", sorted(OPTIMIZERS))
def test_an_optimizer_is_pytorchs_own_and_its_weight_decay_decoupled(
    numbers: Samples, name: str, decay: float
) -> None:
    more, optimizer_of = OPTIMIZERS[name]
    options = {"epochs": 2, "batch_size": 700, "learning_rate": LR, "weight_decay": decay, **more}
    options["optimizer"] = name.partition(" ")[0]

    def shrink(network: nn.Module, optimizer: torch.optim.Optimizer) -> None:
        with torch.no_grad():
            for weight in network.parameters():
                weight -= LR * decay * weight

    module, _ = trained(numbers, **options)  # type: ignore[arg-type]
    begun = weights_of(type(module)(numbers, module.options))
    wanted = bare_loop(numbers, module.options, optimizer_of, before_step=shrink)
    assert_close(weights_of(module), wanted)
    assert all((abs(value - begun[each]) > 1e-6).any() for each, value in wanted.items())


@pytest.mark.parametrize("name", sorted(OPTIMIZERS))
def test_an_optimizer_makes_pytorchs_steps_also_after_a_large_gradient(name: str) -> None:
    more, optimizer_of = OPTIMIZERS[name]
    options = dl.TrainingOptions(optimizer=name.partition(" ")[0], learning_rate=LR, **more)  # type: ignore[arg-type]
    ours, theirs = (nn.Parameter(torch.linspace(-1, 1, 12).reshape(2, 3, 2)) for _ in range(2))
    optimizers = [build_optimizer([ours], options), optimizer_of([theirs])]
    generator = torch.Generator().manual_seed(0)
    for step in range(30):
        gradient = torch.randn(2, 3, 2, generator=generator) * (10.0 if step < 3 else 0.1)
        for weight, optimizer in zip((ours, theirs), optimizers, strict=True):
            weight.grad = gradient.clone()
            optimizer.step()
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-6)


def test_weight_decay_makes_the_weights_smaller_with_each_optimizer(numbers: Samples) -> None:
    for name in ("sgd", "rprop", "nadam"):
        sizes = []
        for decay in (0.0, 2.0):
            module, _ = trained(
                numbers, 1, optimizer=name, batch_size=700, learning_rate=LR, weight_decay=decay
            )
            sizes.append(sum(float(abs(value).sum()) for value in weights_of(module).values()))
        assert sizes[1] < 0.95 * sizes[0]


def test_all_names_of_the_options_are_tried() -> None:
    (choices,) = (
        field.type.__metadata__ and field.type.__origin__.__args__  # type: ignore[union-attr]
        for name, field in dl.TrainingOptions.__dataclass_fields__.items()
        if name == "optimizer"
    )
    assert {name.partition(" ")[0] for name in OPTIMIZERS} == set(choices)
