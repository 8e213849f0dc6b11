"""A row's bits do not depend on where it stands in a chunk: of linear layers of every size, and of engines."""

import pytest
import torch

import dlplugin as dl
from dlplugin.engines import Linear, build_network
from dlplugin.engines.streams import Purpose, streams
from tests.engines.every import DEPTH, SMALL

FIVE = dl.Output(
    "ROC(5)", look_ahead=5, quantiles=[0.1, 0.3, 0.5, 0.7, 0.9]
)  # five columns of the output layer


@pytest.mark.parametrize("biases", [True, False])
def test_a_linear_layer_gives_a_row_the_same_bits_at_every_place(biases: bool) -> None:
    uneven = []
    for outputs in range(1, 34):
        for inputs in (3, 8, 9, 17, 32):
            layer = Linear(2, inputs, outputs, biases).eval()
            layer.initialise(streams(outputs, 2, 0, Purpose.ORDER))
            row = torch.randn(2, 1, inputs, generator=torch.Generator().manual_seed(inputs))
            for rows in (32, 256):
                with torch.inference_mode():
                    given = layer(row.expand(-1, rows, -1).contiguous())
                assert given.shape == (2, rows, outputs)
                if not torch.equal(given, given[:, :1].expand_as(given)):
                    uneven.append((inputs, outputs))
            wanted = row.double() @ layer.weight.double() + (layer.bias.double() if biases else 0)  # type: ignore[union-attr]
            torch.testing.assert_close(given[:, :1].double(), wanted, atol=1e-6, rtol=1e-6)
            torch.testing.assert_close(layer.train()(row), given[:, :1], atol=1e-6, rtol=1e-6)
    assert not uneven


@pytest.mark.parametrize("name", SMALL)
def test_an_engine_gives_a_row_the_same_bits_at_every_place(describe, name: str) -> None:
    inputs = [dl.Input(text, depth=DEPTH) for text in ("RSI(14)", "ROC(5)", "close / SMA(20) - 1")]
    definition = describe(".", inputs=inputs, outputs=[FIVE], engine=SMALL[name]).definition
    network = build_network(definition, 2).eval()
    generator = torch.Generator().manual_seed(1)
    chunk, shape = definition.spec.chunk, definition.shapes().row
    row = torch.randn(*shape, generator=generator)
    given = []
    with torch.inference_mode():
        for place in range(0, chunk, 5):
            rows = torch.randn(chunk, *shape, generator=generator)
            rows[place] = row
            given.append(network(rows.expand(2, *rows.shape))[:, place])
    assert all(torch.equal(each, given[0]) for each in given)
