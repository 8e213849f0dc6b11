"""The linear networks against slow ones in NumPy."""

import numpy as np
import pytest
import torch

import dlplugin as dl
from dlplugin.engines import build_network
from dlplugin.errors import DefinitionError
from tests.engines.checking import (
    FloatArray,
    assert_near,
    check_network,
    linear,
    rows_of,
    stirred,
    weights_of,
)


def windows(describe, options, depth: int = 5):
    inputs = [dl.Input(text, depth=depth) for text in ("RSI(14)", "ROC(5)", "close / SMA(20) - 1")]
    return describe(".", inputs=inputs, engine=options).definition


def trend(window: FloatArray, kernel: int) -> FloatArray:
    """Bar by bar and input by input, with the ends repeated."""
    W, F = window.shape
    wanted = np.zeros((W, F))
    for t in range(W):
        for f in range(F):
            near = [
                window[min(max(at, 0), W - 1), f] for at in range(t - (kernel - 1) // 2, t + kernel // 2 + 1)
            ]
            assert len(near) == kernel
            wanted[t, f] = sum(near) / kernel
    return wanted


def test_linear_is_one_linear_map(describe) -> None:
    definition = describe(".", engine=dl.Linear()).definition
    network = stirred(build_network(definition, 3))
    check_network(network, definition.shapes(3), definition.weights)
    rows = rows_of(3, 11, 6)
    given = network(rows).detach().numpy()
    for k in range(3):
        wanted = linear(weights_of(network, k), "output", rows[k].double().numpy())
        assert_near(given[k], wanted)


def test_nlinear_maps_how_older_bars_differ_from_the_newest(describe) -> None:
    definition = windows(describe, dl.NLinear())
    network = stirred(build_network(definition, 3))
    check_network(network, definition.shapes(3), definition.weights)
    rows = rows_of(3, 11, 5, 3)
    given = network(rows).detach().numpy()
    for k in range(3):
        for b, window in enumerate(rows[k].double().numpy()):
            seen = np.array(
                [value - new for bar in window[:-1] for value, new in zip(bar, window[-1], strict=True)]
            )
            wanted = linear(weights_of(network, k), "output", seen)
            assert_near(given[k, b], wanted)


def test_nlinear_does_not_see_the_level(describe) -> None:
    network = build_network(windows(describe, dl.NLinear()), 2)
    rows = torch.randint(-8, 8, (2, 20, 5, 3)).float()
    level = torch.randint(-8, 8, (2, 20, 1, 3)).float()
    assert torch.equal(network(rows), network(rows + level))


@pytest.mark.parametrize(("kernel", "depth"), [(3, 5), (4, 5), (9, 5), (1000, 2)])
def test_dlinear_maps_the_trend_and_what_is_left_of_it(describe, kernel: int, depth: int) -> None:
    definition = windows(describe, dl.DLinear(kernel), depth)
    network = stirred(build_network(definition, 3))
    check_network(network, definition.shapes(3), definition.weights)
    rows = rows_of(3, 11, depth, 3)
    given = network(rows).detach().numpy()
    for k in range(3):
        for b, window in enumerate(rows[k].double().numpy()):
            smooth = trend(window, kernel)
            seen = np.concatenate([smooth.ravel(), (window - smooth).ravel()])
            wanted = linear(weights_of(network, k), "output", seen)
            assert_near(given[k, b], wanted)


def test_what_dlinear_averages_with_is_no_part_of_its_weights(describe) -> None:
    network = build_network(windows(describe, dl.DLinear(3)), 2)
    assert list(network.state_dict()) == ["output.weight", "output.bias"]


@pytest.mark.parametrize(("name", "options"), [("nlinear", dl.NLinear()), ("dlinear", dl.DLinear())])
def test_a_window_of_one_bar_is_refused(describe, name: str, options) -> None:
    with pytest.raises(DefinitionError) as error:
        windows(describe, options, 1)
    assert str(error.value) == (
        f"engine '{name}' reads windows of 2 bars or more, but the inputs have a depth of 1 bar; "
        "give each a greater depth, such as dl.Input('RSI(14)', depth=16)"
    )


def test_windows_of_different_shapes_are_refused_and_linear_takes_them(describe) -> None:
    inputs = [dl.Input("RSI(14)", depth=3), dl.Input("ROC(5)", depth=2)]
    with pytest.raises(DefinitionError) as error:
        describe(".", inputs=inputs, engine="nlinear")
    assert str(error.value) == (
        "engine 'nlinear' reads windows, but 'RSI(14)' has depth 3 and increment 1, and 'ROC(5)' depth 2 and "
        "increment 1; give all inputs the same, or use engine='mlp'"
    )
    assert describe(".", inputs=inputs, engine="linear").definition.weights == (5 + 1) * 2


def test_a_kernel_too_short_to_leave_a_remainder_everywhere_is_refused() -> None:
    with pytest.raises(DefinitionError) as error:
        dl.DLinear(kernel=2)
    assert str(error.value) == "DLinear: kernel is 2, but should be greater than or equal to 3"
