"""The transformer over patches against loops in NumPy."""

import numpy as np
import pytest
import torch

import dlplugin as dl
from dlplugin.definition import Shapes
from dlplugin.engines import build_network
from dlplugin.engines.patchtst import build
from tests.engines.slow_encoder import slow_encoder
from tests.engines.windows import (
    keeps_what_every_engine_must,
    refusal,
    rows_of,
    slow_linear,
    weights_of,
    windowed,
)


def slow_patches(series: np.ndarray, patch: int, stride: int) -> list[list[float]]:
    """From the newest patch back to the first one that holds the oldest bar; in order of time."""
    cut: list[list[float]] = []
    end = len(series)
    while not cut or end - patch + stride > 0:
        cut.insert(0, [float(series[max(bar, 0)]) for bar in range(end - patch, end)])
        end -= stride
    return cut


def slow_patchtst(weights: dict[str, np.ndarray], options: dl.PatchTST, window: np.ndarray) -> np.ndarray:
    """One network and one row, one input after another, in float64."""
    encoded = []
    for series in window.astype(np.float64).T:
        cut = slow_patches(series, options.patch, options.stride)
        places = np.stack([slow_linear(weights, "embedding", np.array(patch)) for patch in cut])
        encoded += [number for place in slow_encoder(weights, options, places) for number in place]
    return slow_linear(weights, "output", np.array(encoded))


@pytest.mark.parametrize(
    ("options", "depth"),
    [
        (dl.PatchTST(4, 2, 6, 2, 2, 7, "silu"), 8),
        (dl.PatchTST(4, 3, 6, 3, 1, 5, positions="sinusoidal"), 9),  # the oldest bar is repeated
        (dl.PatchTST(1, 1, 4, 1, 1, 5, "tanh"), 3),
    ],
)
def test_each_network_equals_loops_in_numpy(describe, options: dl.PatchTST, depth: int) -> None:
    definition = windowed(describe, options, depth)
    network = build_network(definition, 3, seed=5).eval()
    weights = [weights_of(network, k, shake=0.1 * (k == 0)) for k in range(3)]
    rows = rows_of(definition, 3, 3)
    given = network(rows).detach().numpy()
    assert given.shape == (3, 3, 2)
    for k in range(3):
        for row in range(3):
            wanted = slow_patchtst(weights[k], options, rows[k, row].numpy())
            np.testing.assert_allclose(given[k, row], wanted, atol=3e-6)


@pytest.mark.parametrize(
    ("window", "patch", "stride", "wanted"),
    [
        (6, 4, 2, [[0, 1, 2, 3], [2, 3, 4, 5]]),
        (7, 4, 2, [[0, 0, 1, 2], [1, 2, 3, 4], [3, 4, 5, 6]]),
        (5, 2, 2, [[0, 0], [1, 2], [3, 4]]),
        (5, 4, 4, [[0, 0, 0, 0], [1, 2, 3, 4]]),
        (3, 1, 1, [[0], [1], [2]]),
    ],
)
def test_patches_end_at_the_newest_bar_and_repeat_the_oldest(
    window: int, patch: int, stride: int, wanted
) -> None:
    options = dl.PatchTST(patch, stride)
    network = build(options, Shapes(1, (window, 2), 1))
    bars = torch.arange(float(window))
    cut = network.cut(torch.stack([bars, 10 * bars], dim=-1).expand(1, 3, window, 2))
    assert cut.shape == (1, 3, 2, options.patches(window), patch)
    assert cut[0, 2, 0].tolist() == wanted
    assert cut[0, 1, 1].tolist() == (10 * torch.tensor(wanted)).tolist()


def test_inputs_do_not_meet_before_the_output(describe) -> None:
    definition = windowed(describe, dl.PatchTST(4, 2, 6, 2), 8)
    network = build_network(definition, 1).eval()
    rows = rows_of(definition, 1, 1)
    changed = rows.clone()
    changed[..., 1] += 1
    before, after = (network.encoder(network.embedding(network.cut(each)), 3) for each in (rows, changed))
    assert [torch.equal(before[:, :, index], after[:, :, index]) for index in range(3)] == [True, False, True]


@pytest.mark.parametrize(
    ("options", "depth"),
    [(dl.PatchTST(), 16), (dl.PatchTST(5, 3, 15, 3, 1, 10, positions="sinusoidal"), 13)],
)
def test_it_keeps_what_every_engine_must(describe, options: dl.PatchTST, depth: int) -> None:
    keeps_what_every_engine_must(windowed(describe, options, depth))


@pytest.mark.slow
@pytest.mark.parametrize("depth", [9, 16, 33])
@pytest.mark.parametrize(("width", "heads"), [(32, 4), (15, 3), (20, 2), (10, 1), (64, 8)])
@pytest.mark.parametrize(("patch", "stride"), [(8, 4), (5, 3), (1, 1), (7, 7)])
def test_it_keeps_it_in_all_sizes(
    describe, patch: int, stride: int, width: int, heads: int, depth: int
) -> None:
    options = dl.PatchTST(patch, stride, width, heads, 2, 11)
    keeps_what_every_engine_must(windowed(describe, options, depth), tuple(range(0, 32, 3)))


def test_what_does_not_suit_is_refused(describe) -> None:
    for made, wanted in (
        (lambda: dl.PatchTST(width=30, heads=4), "width is 30, which 4 heads cannot share evenly; use width=28 or 32"),
        (lambda: dl.PatchTST(patch=4, stride=5),
         "stride is 5, but a patch has 4 bars, so that some would be seen by none; use stride=4 at most"),
    ):  # fmt: skip
        with pytest.raises(dl.DLPluginError) as error:
            made()
        assert str(error.value) == wanted
    assert refusal(describe, dl.PatchTST(), 8) == (
        "engine 'patchtst' cuts windows into patches of 8 bars, but the inputs have a depth of 8; give a greater "
        "depth, or a patch of fewer bars"
    )
    windowed(describe, dl.PatchTST(), 9)
    assert refusal(describe, dl.PatchTST(1, 1), 1) == (
        "engine 'patchtst' reads windows of 2 bars or more, but the inputs have a depth of 1 bar; give each a "
        "greater depth, such as dl.Input('RSI(14)', depth=16)"
    )
