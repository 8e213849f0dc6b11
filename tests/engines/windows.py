"""What the tests of engines that read windows share: descriptions, slow layers, and what each engine must keep."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import dlplugin as dl
from dlplugin.definition import Definition, EngineOptions
from dlplugin.engines import build_network, seed_networks
from tests.engines.test_mlp import ACTIVATIONS

__all__ = [
    "ACTIVATIONS",
    "keeps_what_every_engine_must",
    "refusal",
    "rows_of",
    "slow_linear",
    "slow_norm",
    "slow_softmax",
    "weights_of",
    "windowed",
]

FORMULAS = ("RSI(14)", "ROC(5)", "close / SMA(20) - 1", "ROC(1)")


def windowed(
    describe: Callable[..., dl.Model], engine: EngineOptions, depth: int, inputs: int = 3
) -> Definition:
    """(W, F) = (depth, inputs), two outputs."""
    given = [dl.Input(formula, depth=depth) for formula in FORMULAS[:inputs]]
    return describe(".", engine=engine, inputs=given).definition


def refusal(describe: Callable[..., dl.Model], engine: EngineOptions, depth: int) -> str:
    with pytest.raises(dl.DLPluginError) as error:
        windowed(describe, engine, depth)
    return str(error.value)


def rows_of(definition: Definition, networks: int, batch: int, seed: int = 1) -> Tensor:
    """(K, B, W, F)."""
    shape = definition.shapes().row
    return torch.randn(networks, batch, *shape, generator=torch.Generator().manual_seed(seed))


def weights_of(network: nn.Module, k: int, shake: float = 0.0) -> dict[str, np.ndarray]:
    """Network k's weights in float64; `shake` first moves all of them, as gains of 1 would hide an error."""
    generator = torch.Generator().manual_seed(7)
    with torch.no_grad():
        for value in network.parameters():
            value += shake * torch.randn(value.shape, generator=generator)
    return {name: value[k].detach().numpy().astype(np.float64) for name, value in network.named_parameters()}


def slow_linear(weights: dict[str, np.ndarray], name: str, row: np.ndarray) -> np.ndarray:
    """(inputs,) to (outputs,), one number after another."""
    weight, bias = weights[f"{name}.weight"], weights.get(f"{name}.bias")
    mapped = np.zeros(weight.shape[1])
    for o in range(weight.shape[1]):
        mapped[o] = sum(row[i] * weight[i, o] for i in range(len(row))) + (0 if bias is None else bias[0, o])
    return mapped


def slow_norm(weights: dict[str, np.ndarray], name: str, row: np.ndarray) -> np.ndarray:
    normed = (row - row.mean()) / np.sqrt(row.var() + 1e-5)
    return normed * weights[f"{name}.gain"][0] + weights[f"{name}.bias"][0]


def slow_softmax(scores: np.ndarray) -> np.ndarray:
    return np.exp(scores) / np.exp(scores).sum()


def keeps_what_every_engine_must(
    definition: Definition, positions: tuple[int, ...] = (0, 1, 6, 17, 31)
) -> None:
    """Its number of weights, gradients, networks side by side, streams, and the bits of a row."""
    _has_as_many_weights_as_it_says(definition)
    _learns_every_number(definition)
    _networks_are_alone(definition)
    _dropout_is_each_networks_own(definition)
    _a_row_has_the_same_bits_wherever_it_stands(definition, positions)


def _has_as_many_weights_as_it_says(definition: Definition) -> None:
    parameters = list(build_network(definition, 3).parameters())
    assert all(len(value) == 3 for value in parameters)
    assert sum(value.numel() for value in parameters) == 3 * definition.engine.weights(definition.shapes())


def _learns_every_number(definition: Definition) -> None:
    network = build_network(definition, 2).eval()
    network(rows_of(definition, 2, 64)).square().sum().backward()
    for name, value in network.named_parameters():
        assert value.grad is not None, name
        assert (value.grad != 0).all(), name


def _networks_are_alone(definition: Definition) -> None:
    three = build_network(definition, 3, seed=4).eval()
    rows = rows_of(definition, 3, 9)
    together = three(rows)
    alone = build_network(definition, 1).eval()
    for k in range(3):
        alone.load_state_dict({name: value[k : k + 1] for name, value in three.state_dict().items()})
        torch.testing.assert_close(alone(rows[k : k + 1])[0], together[k], atol=2e-6, rtol=1e-5)
    assert not torch.allclose(together[0], three(rows[:1].expand_as(rows))[1], atol=1e-3)


def _dropout_is_each_networks_own(definition: Definition) -> None:
    networks = [build_network(definition, n, seed=4).train() for n in (1, 3)]
    rows = rows_of(definition, 1, 9)
    given = []
    for network in networks:
        seed_networks(network, 4, epoch=2, samples=9)
        given.append(network(rows.expand(len(next(network.parameters())), *rows.shape[1:])))
    torch.testing.assert_close(given[0][0], given[1][0], atol=2e-6, rtol=1e-5)
    assert definition.engine.dropout > 0  # type: ignore[attr-defined]
    assert not torch.allclose(given[0], networks[0].eval()(rows), atol=1e-3)


def _a_row_has_the_same_bits_wherever_it_stands(definition: Definition, positions: tuple[int, ...]) -> None:
    chunk, threads = definition.spec.chunk, torch.get_num_threads()
    network = build_network(definition, 2).eval()
    row = rows_of(definition, 1, 1)[0, 0]
    seen = set()
    try:
        for count in (1, 2):
            torch.set_num_threads(count)
            for seed, position in enumerate(positions):
                rows = rows_of(definition, 1, chunk, seed)[0] * 10.0 ** (seed % 4)
                if seed % 3 == 2:
                    rows[:] = torch.nan
                rows[position] = row
                with torch.inference_mode():
                    given = network(rows.expand(2, *rows.shape))
                seen.add(given[:, position].numpy().tobytes())
    finally:
        torch.set_num_threads(threads)
    assert len(seen) == 1
