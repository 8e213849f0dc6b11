"""The moving average of the weights against PyTorch's own."""

import copy

import pytest
import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from dlplugin.engines import build_network
from dlplugin.samples import Samples
from dlplugin.training.steps.averaging import Average
from tests.training.stepping import assert_close, bare_loop, trained, weights_of

DECAY = 0.95


def test_the_average_is_that_of_pytorch(numbers: Samples) -> None:
    module, _ = trained(numbers, 3, averaging=DECAY, batch_size=500, learning_rate=0.01)
    averaged: list[AveragedModel] = []

    def follow(network: nn.Module) -> None:
        if not averaged:
            averaged.append(AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(DECAY)))
        averaged[0].update_parameters(network)

    wanted = bare_loop(
        numbers, module.options, lambda w: torch.optim.AdamW(w, lr=0.01, weight_decay=0.0), after_step=follow
    )
    assert_close(weights_of(module), wanted)
    kept = {name: value.numpy() for name, value in module.kept_weights().items()}
    assert_close(kept, {name: value.numpy() for name, value in averaged[0].module.state_dict().items()})
    assert max(abs(kept[name] - wanted[name]).max() for name in kept) > 1e-2


def test_the_average_is_the_weights_after_the_first_step_and_moves_by_its_decay(describe) -> None:
    network = build_network(describe(".").definition, 2)
    average = Average(network, 0.75)
    with torch.no_grad():
        for value in (8.0, 4.0):
            for weight in network.parameters():
                weight.fill_(value)
            average.update(network)
            wanted = 8.0 if value == 8.0 else 0.75 * 8.0 + 0.25 * 4.0
            assert all((weight == wanted).all() for weight in average.network.parameters())
    assert average.steps == 2
    assert not any(weight.requires_grad for weight in average.network.parameters())


def test_what_is_evaluated_are_the_averaged_weights(numbers: Samples) -> None:
    module, ends = trained(numbers, 2, averaging=DECAY, batch_size=500, learning_rate=0.05)
    network = copy.deepcopy(module.network)
    network.load_state_dict(module.kept_weights())
    rows = module.out_of_sample_rows
    with torch.inference_mode():
        given = network.eval()(module.reader(module.matrix, rows).unsqueeze(0))[0]
        moving = module.network.eval()(module.reader(module.matrix, rows).unsqueeze(0))[0]
    loss = nn.functional.mse_loss(given, module.targets[rows]).item()
    (seen,) = ends.losses[-1].out_of_sample or ()
    assert seen == pytest.approx(loss, rel=1e-5)
    assert nn.functional.mse_loss(moving, module.targets[rows]).item() != pytest.approx(loss, rel=1e-4)


def test_without_averaging_the_weights_themselves_are_kept(numbers: Samples) -> None:
    module, _ = trained(numbers, 1, batch_size=500)
    for name, value in module.kept_weights().items():
        assert torch.equal(value, module.network.state_dict()[name])
