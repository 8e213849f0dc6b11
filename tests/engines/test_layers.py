"""Linear layers of a prediction: a row's bits at every place."""

from collections.abc import Iterator

import pytest
import torch

from dlplugin.engines import Linear, Purpose, streams

PLACES = 32


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """As a prediction has it."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def differing(inputs: int, outputs: int, networks: int, biases: bool) -> bool:
    """Whether one row repeated gives another result at some place, or another one than with a gradient."""
    layer = Linear(networks, inputs, outputs, biases)
    layer.initialise(streams(1, networks, 0, Purpose.ORDER))
    generator = torch.Generator().manual_seed(inputs)
    rows = torch.randn(networks, 1, inputs, generator=generator).expand(networks, PLACES, inputs).contiguous()
    with torch.inference_mode():
        given = layer(rows)
        deeper = layer(rows.unflatten(1, (4, 8)))
    assert torch.equal(deeper.flatten(1, 2), given)
    torch.testing.assert_close(given, layer(rows), atol=2e-6, rtol=0)
    return not bool((given == given[:, :1]).all())


@pytest.mark.parametrize("networks", [1, 3])
@pytest.mark.parametrize("biases", [True, False])
def test_a_row_has_the_same_bits_at_every_place(networks: int, biases: bool) -> None:
    sizes = [(inputs, outputs) for inputs in (9, 16, 33) for outputs in range(1, 15)]
    assert [size for size in sizes if differing(*size, networks, biases)] == []
