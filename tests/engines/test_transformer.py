"""The transformer against loops in NumPy."""

import numpy as np
import pytest

import dlplugin as dl
from dlplugin.engines import build_network
from tests.engines.slow_encoder import slow_encoder
from tests.engines.windows import (
    keeps_what_every_engine_must,
    refusal,
    rows_of,
    slow_linear,
    weights_of,
    windowed,
)


def slow_transformer(
    weights: dict[str, np.ndarray], options: dl.Transformer, window: np.ndarray
) -> np.ndarray:
    """One network and one row, in float64."""
    places = np.stack([slow_linear(weights, "embedding", bar) for bar in window.astype(np.float64)])
    encoded = slow_encoder(weights, options, places)
    pooled = encoded[-1] if options.pooling == "last" else sum(encoded) / len(encoded)
    return slow_linear(weights, "output", pooled)


@pytest.mark.parametrize("positions", ["sinusoidal", "learned"])
@pytest.mark.parametrize("pooling", ["last", "mean"])
def test_each_network_equals_loops_in_numpy(describe, positions, pooling) -> None:
    options = dl.Transformer(6, 2, 2, 7, "silu", 0.1, positions, pooling)
    definition = windowed(describe, options, 5)
    network = build_network(definition, 3, seed=5).eval()
    weights = [weights_of(network, k, shake=0.1 * (k == 0)) for k in range(3)]
    rows = rows_of(definition, 3, 3)
    given = network(rows).detach().numpy()
    assert given.shape == (3, 3, 2)
    for k in range(3):
        for row in range(3):
            wanted = slow_transformer(weights[k], options, rows[k, row].numpy())
            np.testing.assert_allclose(given[k, row], wanted, atol=3e-6)


@pytest.mark.parametrize(
    ("options", "depth"),
    [
        (dl.Transformer(), 16),
        (dl.Transformer(15, 3, 1, 10, pooling="mean", positions="learned"), 13),
    ],
)
def test_it_keeps_what_every_engine_must(describe, options: dl.Transformer, depth: int) -> None:
    keeps_what_every_engine_must(windowed(describe, options, depth))


@pytest.mark.slow
@pytest.mark.parametrize("depth", [2, 7, 16, 33])
@pytest.mark.parametrize(("width", "heads"), [(32, 4), (15, 3), (20, 2), (10, 1), (14, 7), (64, 8)])
@pytest.mark.parametrize(("pooling", "positions"), [("last", "sinusoidal"), ("mean", "learned")])
def test_it_keeps_it_in_all_sizes(describe, width: int, heads: int, pooling, positions, depth: int) -> None:
    options = dl.Transformer(width, heads, 2, 11, pooling=pooling, positions=positions)
    keeps_what_every_engine_must(windowed(describe, options, depth), tuple(range(0, 32, 3)))


def test_what_does_not_suit_is_refused(describe) -> None:
    with pytest.raises(dl.DLPluginError) as error:
        dl.Transformer(width=30, heads=4)
    assert str(error.value) == "width is 30, which 4 heads cannot share evenly; use width=28 or 32"
    assert refusal(describe, dl.Transformer(), 1) == (
        "engine 'transformer' reads windows of 2 bars or more, but the inputs have a depth of 1 bar; give each a "
        "greater depth, such as dl.Input('RSI(14)', depth=16)"
    )
