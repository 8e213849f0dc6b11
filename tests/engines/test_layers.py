"""Linear maps of K networks side by side: what they compute, and the bits of a row."""

import pytest
import torch

from dlplugin.engines import Linear, Purpose, streams


def made(inputs: int, outputs: int, biases: bool = True) -> Linear:
    layer = Linear(2, inputs, outputs, biases)
    layer.initialise(streams(0, 2, 0, Purpose.ORDER))
    return layer


@pytest.mark.parametrize("biases", [True, False])
@pytest.mark.parametrize("outputs", [1, 5, 7, 8, 11, 15, 16, 33])
def test_a_map_is_the_same_when_predicting_as_when_training(outputs: int, biases: bool) -> None:
    layer = made(20, outputs, biases)
    rows = torch.randn(2, 6, 3, 20, generator=torch.Generator().manual_seed(0))
    wanted = torch.einsum("kbwi,kio->kbwo", rows, layer.weight)
    if layer.bias is not None:
        wanted = wanted + layer.bias.unsqueeze(1)
    for mode in (layer.train(), layer.eval()):
        given = mode(rows)
        assert given.is_contiguous()
        torch.testing.assert_close(given, wanted, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("biases", [True, False])
@pytest.mark.parametrize("inputs", [3, 8, 16, 33, 100])
def test_a_row_has_the_same_bits_wherever_it_stands(inputs: int, biases: bool) -> None:
    row = torch.randn(inputs, generator=torch.Generator().manual_seed(0))
    unsteady = []
    for outputs in range(1, 41):
        layer = made(inputs, outputs, biases).eval()
        for count in (32, 256, 32 * 13):
            with torch.inference_mode():
                given = layer(row.expand(2, count, inputs).contiguous())
            if not torch.equal(given, given[:, :1].expand_as(given)):
                unsteady.append((outputs, count))
    assert unsteady == []
