"""Embedded categories in front of a network: against loops in NumPy, alone and among others."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch
from torch import nn

import dlplugin as dl
from dlplugin.definition import Definition, EngineSpec, engines
from dlplugin.definition import settings as settings_class
from dlplugin.engines import Shapes, build_network
from dlplugin.engines.embedding import Embedded
from dlplugin.registry import Entry
from dlplugin.samples import row_layout


@settings_class
class Windows:
    """An engine of windows that gives its rows as they come to it."""

    def weights(self, shapes: Shapes) -> int:
        return 0


class Seen(nn.Module):
    def __init__(self, shapes: Shapes) -> None:
        super().__init__()
        self.shapes = shapes

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        return rows


def build_seen(options: Windows, shapes: Shapes) -> Seen:
    return Seen(shapes)


WINDOWS = EngineSpec("windows", Windows, f"{__name__}:build_seen", layout="window", chunk=8)


@pytest.fixture
def windows(monkeypatch: pytest.MonkeyPatch) -> Windows:
    monkeypatch.setitem(engines._all(), "windows", Entry("windows", f"{__name__}:WINDOWS", "for these tests"))
    return Windows()


@dataclass(frozen=True)
class Slow:
    """Looks each category up in its table, one row, one depth and one input after another."""

    definition: Definition
    weights: dict[str, np.ndarray]

    def bar(self, k: int, index: int, block: np.ndarray) -> list[float]:
        item = self.definition.inputs[index]
        if item.embedding is None:
            return block.tolist()
        table = self.weights[f"embeddings.{index}.weight"][k]
        return table[np.flatnonzero(block)[0]].tolist() if block.any() else [0.0] * item.embedding

    def flat(self, k: int, row: np.ndarray) -> list[float]:
        seen, at = [], 0
        for index, item in enumerate(self.definition.inputs):
            for _ in range(item.depth):
                seen += self.bar(k, index, row[at : at + item.columns])
                at += item.columns
        return seen

    def window(self, k: int, row: np.ndarray) -> list[list[float]]:
        seen = []
        for bar in row:
            at, values = 0, []
            for index, item in enumerate(self.definition.inputs):
                values += self.bar(k, index, bar[at : at + item.columns])
                at += item.columns
            seen.append(values)
        return seen


def rows_of(definition: Definition, networks: int, seed: int = 0) -> np.ndarray:
    """Random rows whose blocks of categories hold one 1, or none."""
    rng = np.random.default_rng(seed)
    matrix = [rng.normal(size=(500, 1)) if item.categories is None
              else np.eye(item.columns + 1, item.columns)[rng.integers(0, item.columns + 1, 500)]
              for item in definition.inputs]  # fmt: skip
    layout = row_layout(definition)
    at = rng.integers(layout.back.max(), 500, (networks, 40, 1))
    cells = np.concatenate(matrix, axis=1)[at - layout.back, layout.column]
    return cells.reshape(networks, 40, *layout.shape).astype(np.float32)


WEEK = dl.Input("day_of_week", depth=3, categories=range(5), embedding=2)
MONTH = dl.Input("month", depth=3, categories=range(1, 13), embedding=4)
HOT = dl.Input("month", depth=3, categories=[1, 12])


def test_flat_rows_reach_the_network_with_vectors_in_place_of_categories(describe) -> None:
    inputs = [WEEK, dl.Input("ROC(5)", depth=2), MONTH, HOT, "RSI(14)"]
    definition = describe(".", inputs=inputs, engine=dl.MLP(hidden=[])).definition
    network = build_network(definition, 3, seed=4)
    assert isinstance(network, Embedded)
    weights = {name: value.numpy() for name, value in network.state_dict().items()}
    assert {name: value.shape for name, value in weights.items()} == {
        "embeddings.0.weight": (3, 5, 2),
        "embeddings.2.weight": (3, 12, 4),
        "network.output.weight": (3, 3 * 2 + 2 + 3 * 4 + 3 * 2 + 1, 2),
        "network.output.bias": (3, 1, 2),
    }
    rows, slow = rows_of(definition, 3), Slow(definition, weights)
    given = network(torch.from_numpy(rows)).detach().numpy()
    for k in range(3):
        seen = np.array([slow.flat(k, row) for row in rows[k]], dtype=np.float64)
        wanted = seen @ weights["network.output.weight"][k] + weights["network.output.bias"][k]
        np.testing.assert_allclose(given[k], wanted, atol=2e-6)


def test_windows_reach_the_network_bar_by_bar_with_vectors_to_the_bit(describe, windows: Windows) -> None:
    definition = describe(
        ".", inputs=[dl.Input("RSI(14)", depth=3), WEEK, HOT, MONTH], engine=windows
    ).definition
    network = build_network(definition, 3, seed=4)
    assert network.network.shapes == Shapes(3, (3, 1 + 2 + 2 + 4), 2)
    weights = {name: value.numpy() for name, value in network.state_dict().items()}
    rows, slow = rows_of(definition, 3), Slow(definition, weights)
    given = network(torch.from_numpy(rows)).detach().numpy()
    for k in range(3):
        np.testing.assert_array_equal(
            given[k], np.array([slow.window(k, row) for row in rows[k]], np.float32)
        )


def test_network_k_starts_from_the_same_vectors_whatever_the_number_of_networks(describe) -> None:
    definition = describe(".", inputs=[WEEK, "ROC(5)"]).definition
    one, three = build_network(definition, 1, seed=9), build_network(definition, 3, seed=9)
    for name, value in one.state_dict().items():
        assert torch.equal(three.state_dict()[name][0], value[0])
        assert not torch.equal(three.state_dict()[name][1], value[0])
    wide = describe(".", inputs=[dl.Input("month", categories=range(1000), embedding=50)]).definition
    table = build_network(wide, 1, seed=1).state_dict()["embeddings.0.weight"]
    assert float(table.mean()) == pytest.approx(0, abs=0.02)
    assert float(table.std()) == pytest.approx(1, abs=0.02)


def test_without_embedding_the_network_is_the_engines_own(describe) -> None:
    network = build_network(describe(".", inputs=[HOT, "ROC(5)"], engine=dl.MLP([4])).definition, 2)
    assert list(network.state_dict()) == ["hidden.0.weight", "hidden.0.bias", "output.weight", "output.bias"]
    assert network.state_dict()["hidden.0.weight"].shape == (2, 3 * 2 + 1, 4)
