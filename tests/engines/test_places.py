"""What each engine gives a row does not depend on where it stands in a chunk, to the bit."""

import pytest
import torch

import dlplugin as dl
from dlplugin.engines import build_network
from tests.engines.every import DEPTH, SMALL

FIVE = dl.Output("ROC(5)", look_ahead=5, quantiles=[0.1, 0.3, 0.5, 0.7, 0.9])  # five columns


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
