"""The temporal convolutional network against loops in NumPy and PyTorch's own convolution."""

from itertools import pairwise

import numpy as np
import pytest
import torch

import dlplugin as dl
from dlplugin.engines import Purpose, build_network, streams
from dlplugin.engines.tcn import Convolution
from tests.engines.windows import (
    ACTIVATIONS,
    keeps_what_every_engine_must,
    refusal,
    rows_of,
    slow_linear,
    slow_norm,
    weights_of,
    windowed,
)


def slow_convolution(
    weights: dict[str, np.ndarray], name: str, values: np.ndarray, kernel: int, dilation: int
) -> np.ndarray:
    """(W, C) to (W, outputs): at each bar the bars seen side by side, zeros before the window."""
    rows = []
    for bar in range(len(values)):
        seen = []
        for back in range(kernel - 1, -1, -1):
            at = bar - back * dilation
            seen.append(values[at] if at >= 0 else np.zeros(values.shape[1]))
        rows.append(slow_linear(weights, f"{name}.map", np.concatenate(seen)))
    return np.stack(rows)


def slow_tcn(weights: dict[str, np.ndarray], options: dl.TCN, window: np.ndarray) -> np.ndarray:
    """One network and one row, all bars of every layer, in float64."""
    active = ACTIVATIONS[options.activation]
    values = window.astype(np.float64)
    for index, (inputs, outputs) in enumerate(pairwise((window.shape[1], *options.channels))):
        name, inner = f"blocks.{index}", values
        for step in ("first", "second"):
            inner = slow_convolution(weights, f"{name}.{step}", inner, options.kernel, 2**index)
            if options.normalisation == "layer":
                inner = np.stack([slow_norm(weights, f"{name}.after_{step}.0", row) for row in inner])
            inner = active(inner)
        if inputs != outputs:
            values = np.stack([slow_linear(weights, f"{name}.skip", row) for row in values])
        values = active(values + inner)
    return slow_linear(weights, "output", values[-1])


@pytest.mark.parametrize(
    ("options", "depth"),
    [
        (dl.TCN([4, 5, 3], kernel=3), 20),
        (dl.TCN([4, 5], kernel=3, activation="silu", normalisation="layer"), 13),
        (dl.TCN([3, 3, 4], kernel=2, activation="tanh", normalisation="layer"), 6),  # zeros are seen
        (dl.TCN([6], kernel=4, activation="gelu"), 4),
    ],
)
def test_each_network_equals_loops_in_numpy(describe, options: dl.TCN, depth: int) -> None:
    definition = windowed(describe, options, depth)
    network = build_network(definition, 3, seed=5).eval()
    weights = [weights_of(network, k, shake=0.1 * (k == 0)) for k in range(3)]
    rows = rows_of(definition, 3, 4)
    given = network(rows).detach().numpy()
    assert given.shape == (3, 4, 2)
    for k in range(3):
        for row in range(4):
            wanted = slow_tcn(weights[k], options, rows[k, row].numpy())
            np.testing.assert_allclose(given[k, row], wanted, atol=3e-6)


@pytest.mark.parametrize(("kernel", "dilation"), [(2, 1), (3, 4), (5, 2)])
def test_a_convolution_is_pytorchs_own_padded_on_the_old_side(kernel: int, dilation: int) -> None:
    made = Convolution(2, 3, 4, kernel, dilation)
    made.map.initialise(streams(0, 2, 0, Purpose.ORDER))
    values = torch.randn(2, 5, 9, 3, generator=torch.Generator().manual_seed(0))
    for k in range(2):
        weight = made.map.weight[k].view(kernel, 3, 4).permute(2, 1, 0)
        padded = torch.nn.functional.pad(values[k].transpose(1, 2), (made.reach, 0))
        wanted = torch.nn.functional.conv1d(padded, weight, made.map.bias[k, 0], dilation=dilation)  # type: ignore[index]
        for bars in (1, 4, 9):
            given = made(values, bars)[k].transpose(1, 2)
            torch.testing.assert_close(given, wanted[..., -bars:], atol=2e-6, rtol=1e-5)


def test_a_convolution_sees_its_own_bar_and_older_ones_alone() -> None:
    made = Convolution(1, 2, 3, kernel=3, dilation=2)
    made.map.initialise(streams(0, 1, 0, Purpose.ORDER))
    values = torch.randn(1, 1, 9, 2, generator=torch.Generator().manual_seed(0))
    before = made(values, 9)[0, 0]
    for bar in range(9):
        changed = values.clone()
        changed[:, :, bar] += 1
        differs = (made(changed, 9)[0, 0] != before).any(dim=-1)
        assert differs.nonzero().flatten().tolist() == [w for w in (bar, bar + 2, bar + 4) if w < 9]


def test_every_bar_of_the_longest_window_is_seen_and_longer_ones_are_refused(describe) -> None:
    options = dl.TCN([4, 4], kernel=3, activation="tanh")
    assert options.depths == range(5, 14)  # 1 + 2 · 2 · (1 + 2) at most
    definition = windowed(describe, options, 13)
    network = build_network(definition, 1).eval()
    rows = rows_of(definition, 1, 1)
    before = network(rows)
    for bar in range(13):
        changed = rows.clone()
        changed[:, :, bar] += 1
        assert not torch.equal(network(changed), before)
    assert refusal(describe, options, 14) == (
        "engine 'tcn' with kernel 3 and 2 blocks sees 5 to 13 bars, but the inputs have a depth of 14; give them one "
        "of these, or more channels=, one for each block"
    )


@pytest.mark.parametrize(
    ("options", "depth"),
    [
        (dl.TCN(activation="silu", dropout=0.2), 16),
        (dl.TCN([7, 5, 5], kernel=2, activation="gelu", normalisation="layer", dropout=0.2), 13),
    ],
)
def test_it_keeps_what_every_engine_must(describe, options: dl.TCN, depth: int) -> None:
    keeps_what_every_engine_must(windowed(describe, options, depth))


@pytest.mark.slow
@pytest.mark.parametrize("depth", [5, 8, 13])
@pytest.mark.parametrize("normalisation", ["none", "layer"])
@pytest.mark.parametrize("channels", [[32, 32], [7, 5], [10], [6, 9, 11], [16, 3]])
@pytest.mark.parametrize("kernel", [2, 3])
def test_it_keeps_it_in_all_sizes(describe, channels, kernel: int, normalisation, depth: int) -> None:
    options = dl.TCN(channels, kernel, "silu", 0.2, normalisation)
    if depth in options.depths:
        keeps_what_every_engine_must(windowed(describe, options, depth), tuple(range(0, 32, 3)))


def test_windows_that_the_last_block_spans_beyond_are_refused(describe) -> None:
    assert refusal(describe, dl.TCN([8, 8, 8], kernel=3), 8) == (
        "engine 'tcn' with kernel 3 and 3 blocks sees 9 to 29 bars, but the inputs have a depth of 8; give them one of "
        "these, or fewer channels=, one for each block"
    )
    windowed(describe, dl.TCN([8, 8, 8], kernel=3), 9)
    assert refusal(describe, dl.TCN([8], kernel=2), 1) == (
        "engine 'tcn' reads windows of 2 bars or more, but the inputs have a depth of 1 bar; give each a greater "
        "depth, such as dl.Input('RSI(14)', depth=16)"
    )
