"""Penalties and clipping against autograd and PyTorch's own clipping."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import dlplugin as dl
from dlplugin.engines import build_network, output_layer
from dlplugin.samples import Samples
from dlplugin.training.steps.penalties import clip_norms
from tests.training.stepping import assert_close, bare_loop, trained, weights_of

COMMON: dict[str, Any] = {"optimizer": "sgd", "learning_rate": 0.1, "batch_size": 700}


def all_weights(network: nn.Module) -> list[Tensor]:
    return list(network.parameters())


def output_weights(network: nn.Module) -> list[Tensor]:
    output = network.output
    assert isinstance(output, nn.Module)
    return list(output.parameters())


@pytest.mark.parametrize(("penalty_on", "chosen"), [("all", all_weights), ("output", output_weights)])
@pytest.mark.parametrize(("l1", "l2"), [(0.02, 0.0), (0.0, 0.1), (0.01, 0.05)])
def test_penalties_are_those_of_a_loss_that_holds_them(
    numbers: Samples, penalty_on: str, chosen: Callable[[nn.Module], list[Tensor]], l1: float, l2: float
) -> None:
    module, ends = trained(numbers, 2, l1=l1, l2=l2, penalty_on=penalty_on, **COMMON)

    def penalty(network: nn.Module) -> Tensor:
        return sum(
            (l1 * weight.abs().sum() + l2 / 2 * weight.square().sum() for weight in chosen(network)),
            torch.zeros(()),
        )

    wanted = bare_loop(numbers, module.options, lambda w: torch.optim.SGD(w, lr=0.1), penalty_of=penalty)
    assert_close(weights_of(module), wanted)
    without, free = trained(numbers, 2, **COMMON)
    assert abs(weights_of(without)["output.weight"] - wanted["output.weight"]).max() > 1e-3
    hidden = abs(weights_of(without)["hidden.0.weight"] - wanted["hidden.0.weight"]).max()
    assert hidden > 1e-3 if penalty_on == "all" else hidden < 1e-2
    assert ends.losses[0].in_sample[0] == pytest.approx(
        free.losses[0].in_sample[0], rel=0.2
    )  # no penalty in it


def test_l2_is_the_weight_decay_that_pytorchs_sgd_has(numbers: Samples) -> None:
    module, _ = trained(numbers, 2, l2=0.3, **COMMON)
    wanted = bare_loop(numbers, module.options, lambda w: torch.optim.SGD(w, lr=0.1, weight_decay=0.3))
    assert_close(weights_of(module), wanted)


def test_the_output_layer_is_found_also_behind_embedded_categories(describe) -> None:
    week = dl.Input("day_of_week", depth=3, categories=range(5), embedding=2)
    network = build_network(describe(".", inputs=[week, "ROC(5)"]).definition, 2)
    layer = output_layer(network)
    assert layer is network.network.output
    engine = network.network
    del engine.output
    assert output_layer(network) is engine.hidden[0]
    assert output_layer(nn.ReLU()) is None


def test_a_gradient_is_clipped_by_norm_as_pytorch_does(numbers: Samples) -> None:
    module, _ = trained(numbers, 2, clip_norm=0.05, **COMMON)
    lengths = []

    def clip(network: nn.Module, optimizer: torch.optim.Optimizer) -> None:
        lengths.append(float(nn.utils.clip_grad_norm_(network.parameters(), 0.05)))

    wanted = bare_loop(numbers, module.options, lambda w: torch.optim.SGD(w, lr=0.1), before_step=clip)
    assert max(lengths) > 0.05
    assert_close(weights_of(module), wanted)


def test_a_gradient_is_clipped_by_value_as_pytorch_does(numbers: Samples) -> None:
    module, _ = trained(numbers, 2, clip_value=0.01, **COMMON)

    def clip(network: nn.Module, optimizer: torch.optim.Optimizer) -> None:
        largest = max(float(each.grad.abs().max()) for each in network.parameters() if each.grad is not None)
        assert largest > 0.01
        nn.utils.clip_grad_value_(network.parameters(), 0.01)

    wanted = bare_loop(numbers, module.options, lambda w: torch.optim.SGD(w, lr=0.1), before_step=clip)
    assert_close(weights_of(module), wanted)


def test_each_networks_gradient_has_a_norm_of_its_own() -> None:
    generator = torch.Generator().manual_seed(0)
    shapes = [(4, 3, 2), (4, 1, 2), (4, 5)]
    sizes = torch.tensor([0.1, 1.0, 10.0, 0.0])
    gradients = [torch.randn(shape, generator=generator) for shape in shapes]
    gradients = [each * sizes.reshape(4, *[1] * (each.dim() - 1)) for each in gradients]
    alone = [[nn.Parameter(torch.zeros_like(each[k])) for each in gradients] for k in range(4)]
    for k, parameters in enumerate(alone):
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter.grad = gradient[k].clone()
        nn.utils.clip_grad_norm_(parameters, 2.0)
    clip_norms(gradients, 2.0)
    for k, parameters in enumerate(alone):
        for parameter, gradient in zip(parameters, gradients, strict=True):
            torch.testing.assert_close(gradient[k], parameter.grad)
    norms = sum(each.flatten(1).square().sum(dim=1) for each in gradients).sqrt()  # type: ignore[union-attr]
    assert norms[2].item() == pytest.approx(2.0, rel=1e-5)
    assert norms[0] < 1.0


def test_clipping_several_networks_leaves_each_as_if_alone(numbers: Samples) -> None:
    one, _ = trained(numbers, 2, clip_norm=0.1, clip_value=0.02, l1=0.01, **COMMON)
    three, _ = trained(numbers, 2, clip_norm=0.1, clip_value=0.02, l1=0.01, networks=3, **COMMON)
    for name, value in weights_of(one).items():
        np.testing.assert_allclose(weights_of(three)[name][0], value[0], atol=1e-5)
