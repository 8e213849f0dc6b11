"""The layers of a network: names, shapes and weights."""

import pytest
import torch
from torch import nn

import dlplugin as dl
from dlplugin.definition import Definition, EngineSpec, Shapes, engines
from dlplugin.definition import settings as settings_class
from dlplugin.engines import build_network
from dlplugin.engines.layers import Linear
from dlplugin.engines.summary import LayerSummary, layers_of
from dlplugin.registry import Entry

OUTPUTS = [dl.Output("ROC(5)", look_ahead=5), dl.Output("ROC(1)", look_ahead=1)]


def described(engine: object, depth: int = 12) -> Definition:
    inputs = [
        dl.Input("RSI(14)", depth=depth),
        dl.Input("ROC(5)", depth=depth),
        dl.Input("ROC(9)", depth=depth),
    ]
    return Definition("m", inputs, OUTPUTS, engine)  # type: ignore[arg-type]


def test_a_perceptron_s_layers_are_listed_in_their_order() -> None:
    layers = layers_of(described(dl.MLP(hidden=[5], normalisation="layer", dropout=0.1)))
    assert layers == (
        LayerSummary("hidden.0", "Linear", "K × B × 5", 37 * 5),
        LayerSummary("hidden.1", "LayerNorm", "K × B × 5", 10),
        LayerSummary("hidden.2", "ReLU", "K × B × 5", 0),
        LayerSummary("hidden.3", "Dropout", "K × B × 5", 0),
        LayerSummary("output", "Linear", "K × B × 2", 12),
    )


def test_embeddings_are_layers_and_rows_have_the_categories_columns() -> None:
    day = dl.Input("day_of_week", categories=[0, 1, 2, 3, 4], embedding=3, depth=2)
    definition = Definition("m", ["RSI(14)", day], OUTPUTS, dl.MLP(hidden=[4]))
    first, second, *_ = layers_of(definition)
    assert first == LayerSummary("embeddings.1", "Embedding", "K × B × 6", 15)
    assert second == LayerSummary("network.hidden.0", "Linear", "K × B × 4", 8 * 4)
    assert sum(layer.weights for layer in layers_of(definition)) == definition.weights


@pytest.mark.parametrize("name", list(engines))
def test_the_layers_hold_all_weights_of_every_engine(name: str) -> None:
    definition = described(name)
    layers = layers_of(definition)
    assert sum(layer.weights for layer in layers) == definition.weights
    names = {layer.name for layer in layers}
    own = {
        each.rpartition(".")[0] or "network" for each, _ in build_network(definition, 1).named_parameters()
    }
    assert own <= names
    assert layers[-1].gives == "K × B × 2"
    assert not any("?" in layer.gives for layer in layers)


@settings_class
class Odd:
    """Folds its dimensions in many ways."""

    def weights(self, shapes: Shapes) -> int:
        return 7 + 2 * shapes.outputs


class Given(nn.Module):
    def forward(self, value: object) -> object:
        return value


class OddNetwork(nn.Module):
    def __init__(self, networks: int) -> None:
        super().__init__()
        self.raw = nn.Parameter(torch.zeros(networks, 7))
        self.folded, self.merged, self.turned, self.several, self.uncalled = (Given() for _ in range(5))
        self.nothing = nn.Identity()
        self.text = Given()
        self.output = Linear(networks, 1, 2)

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        K, B, W, F = rows.shape
        self.folded(rows.transpose(2, 3).reshape(K, B * F, W))
        self.merged(rows.reshape(K * B, W, F))
        self.turned(rows.permute(2, 0, 1, 3))
        self.several((rows, rows))
        self.text("no tensor")
        self.nothing(rows)
        predicted: torch.Tensor = self.output(rows[:, :, 0, :1])
        return predicted


def build_odd(options: Odd, shapes: Shapes) -> nn.Module:
    return OddNetwork(shapes.networks)


ODD = EngineSpec("odd", Odd, f"{__name__}:build_odd", layout="window", chunk=8)


def test_folded_and_turned_dimensions_keep_their_letters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(engines._all(), "odd", Entry("odd", f"{__name__}:ODD", "for these tests"))
    layers = {layer.name: layer for layer in layers_of(described(Odd(), depth=15))}
    assert {name: layer.gives for name, layer in layers.items()} == {
        "network": "K × B × 2",
        "folded": "K × B·3 × 15",
        "merged": "K·B × 15 × 3",
        "turned": "15 × K × B × 3",
        "several": "K × B × 15 × 3",
        "uncalled": "",
        "text": "",
        "output": "K × B × 2",
    }
    assert (layers["network"].kind, layers["network"].weights, layers["output"].weights) == (
        "OddNetwork",
        7,
        4,
    )
