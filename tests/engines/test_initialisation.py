"""How weights begin: distributions, orthogonality, and the same whatever the number of networks."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import dlplugin as dl
from dlplugin.engines import LayerNorm, Linear, Purpose, build_network, mlp, streams

KINDS = ("uniform", "xavier", "he", "orthogonal")


def layer(kind: str, inputs: int = 120, outputs: int = 80, zero_biases: bool = False) -> Linear:
    made = Linear(2, inputs, outputs)
    made.initialise(streams(0, 2, 0, Purpose.ORDER), kind, zero_biases)  # type: ignore[arg-type]
    return made


@pytest.mark.parametrize(("kind", "bound"), [("uniform", 120**-0.5), ("xavier", (6 / 200) ** 0.5)])
def test_uniform_and_xavier_fill_their_bounds_evenly(kind: str, bound: float) -> None:
    weight = layer(kind).weight.detach()
    assert float(weight.abs().max()) <= bound
    assert float(weight.abs().max()) > 0.999 * bound
    assert float(weight.std()) == pytest.approx(bound / 3**0.5, rel=0.02)


def test_xavier_and_he_are_pytorchs_own() -> None:
    for kind, fill in (("xavier", nn.init.xavier_uniform_), ("he", nn.init.kaiming_normal_)):
        made, generators = layer(kind), streams(0, 2, 0, Purpose.ORDER)
        for k, generator in enumerate(generators):
            wanted = torch.empty(120, 80).T
            more = {"nonlinearity": "relu"} if kind == "he" else {}
            fill(wanted, generator=generator, **more)  # type: ignore[operator]
            assert torch.equal(made.weight[k].T, wanted)


def test_he_is_normal_with_variance_two_over_the_inputs() -> None:
    weight = layer("he", 300, 200).weight.detach()
    assert float(weight.std()) == pytest.approx((2 / 300) ** 0.5, rel=0.02)
    assert float(weight.abs().max()) > 3 * (2 / 300) ** 0.5  # not cut off as a uniform one would be


@pytest.mark.parametrize(("inputs", "outputs"), [(30, 30), (50, 20), (20, 50)])
def test_orthogonal_has_orthogonal_rows_or_columns_of_length_one(inputs: int, outputs: int) -> None:
    for weight in layer("orthogonal", inputs, outputs).weight.detach():
        product: Tensor = weight @ weight.T if inputs <= outputs else weight.T @ weight
        torch.testing.assert_close(product, torch.eye(min(inputs, outputs)), atol=1e-5, rtol=0)


@pytest.mark.parametrize("kind", KINDS)
def test_network_k_begins_alike_whatever_the_number_of_networks(describe, kind: str) -> None:
    definition = describe(".", engine=dl.MLP([5, 4], normalisation="layer")).definition
    networks = [build_network(definition, n, 9, kind) for n in (1, 3)]  # type: ignore[arg-type]
    one, three = (network.state_dict() for network in networks)
    norms = [name for name, each in networks[0].named_modules() if isinstance(each, LayerNorm)]
    assert len(norms) == 2
    for name, value in one.items():
        assert torch.equal(three[name][0], value[0])
        if name.rpartition(".")[0] in norms:
            assert (three[name] == float(name.endswith("gain"))).all()
        else:
            assert not torch.equal(three[name][1], value[0])


@pytest.mark.parametrize("kind", KINDS)
def test_zero_biases_change_the_biases_alone(describe, kind: str) -> None:
    definition = describe(".", engine=dl.MLP([5, 4])).definition
    plain, zeroed = (build_network(definition, 2, 9, kind, zero).state_dict() for zero in (False, True))
    for name, value in plain.items():
        if name.endswith("bias"):
            assert (zeroed[name] == 0).all()
            assert (value != 0).all()
        else:
            assert torch.equal(zeroed[name], value)


def test_uniform_is_what_it_was_before_there_was_a_choice(describe) -> None:
    network = build_network(describe(".", engine=dl.MLP([5])).definition, 1, 3)
    state = np.random.SeedSequence([3, 0, 0, 0]).generate_state(2, np.uint32)
    generator = torch.Generator().manual_seed(int(state[0]) << 31 | int(state[1]))
    for name, shape, bound in (
        ("hidden.0.weight", (6, 5), 6**-0.5),
        ("hidden.0.bias", (1, 5), 6**-0.5),
        ("output.weight", (5, 2), 5**-0.5),
        ("output.bias", (1, 2), 5**-0.5),
    ):
        wanted = torch.empty(shape).uniform_(-bound, bound, generator=generator)
        assert torch.equal(network.state_dict()[name][0], wanted)


class Own(nn.Module):
    """A layer of somebody else's, with initial weights of its own: as many as the output's biases."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.empty(2, 1, 2))

    def initialise(self, generators: list[torch.Generator]) -> None:
        with torch.no_grad():
            for k, generator in enumerate(generators):
                self.scale[k].uniform_(5, 6, generator=generator)


def test_a_layer_with_an_initialise_of_its_own_begins_as_that_says(describe, monkeypatch) -> None:
    def build(options: dl.MLP, shapes) -> nn.Module:
        network = mlp.MLPNetwork(options, shapes)
        network.output.bias, network.own = None, Own()
        return network

    monkeypatch.setattr(mlp, "build", build)
    scale = build_network(describe(".").definition, 2, initialisation="he").own.scale.detach()
    assert ((scale >= 5) & (scale <= 6)).all()
    assert (scale[0] != scale[1]).all()
