"""Frozen layers stay as they are, to the bit."""

import numpy as np
import pytest

import dlplugin as dl
from dlplugin.engines import build_network
from dlplugin.errors import DefinitionError
from dlplugin.samples import Samples
from dlplugin.training.module import TrainingModule
from dlplugin.training.steps.freezing import freeze
from tests.training.stepping import trained, weights_of


@pytest.mark.parametrize(
    ("names", "still"),
    [
        (["hidden"], {"hidden.0.weight", "hidden.0.bias"}),
        (["output"], {"output.weight", "output.bias"}),
        (["hidden.0.weight", "output.bias"], {"hidden.0.weight", "output.bias"}),
    ],
)
@pytest.mark.parametrize(
    "options",
    [
        {"weight_decay": 0.5, "clip_norm": 1.0},
        {"optimizer": "sgd", "weight_decay": 0.5, "l1": 0.1, "l2": 0.1},
        {"optimizer": "sgd", "l2": 0.1, "averaging": 0.9},
    ],
)
def test_a_frozen_layer_has_no_step_no_decay_and_no_penalty(
    numbers: Samples, names: list[str], still: set[str], options: dict[str, object]
) -> None:
    module, _ = trained(numbers, 2, freeze=names, batch_size=700, learning_rate=0.02, networks=2, **options)
    begun = weights_of(TrainingModule(numbers, module.options))
    for name, value in weights_of(module).items():
        assert np.array_equal(value, begun[name]) == (name in still)
        assert np.array_equal(module.kept_weights()[name].numpy(), begun[name]) == (name in still)


def test_a_name_is_a_layers_whole_name_or_its_beginning_up_to_a_dot(describe) -> None:
    network = build_network(describe(".", engine=dl.MLP([3] * 11)).definition, 1)
    freeze(network, ["hidden.2"])
    frozen = {name for name, each in network.named_parameters() if not each.requires_grad}
    assert frozen == {"hidden.2.weight", "hidden.2.bias"}
    freeze(network, ["hidden."])
    left = {name for name, each in network.named_parameters() if each.requires_grad}
    assert left == {"output.weight", "output.bias"}


def test_a_name_that_no_layer_has_is_refused_with_those_that_exist(describe) -> None:
    network = build_network(describe(".", engine=dl.MLP([3, 3])).definition, 1)
    with pytest.raises(DefinitionError) as error:
        freeze(network, ["hidden.0", "hid"])
    assert str(error.value) == (
        "freeze has 'hid', but there is no such layer; there are: hidden.0, hidden.2, output"
    )
    with pytest.raises(DefinitionError) as error:
        freeze(network, ["hidden", "output"])
    assert str(error.value) == "freeze is ['hidden', 'output'], which are all layers; leave one to train"
