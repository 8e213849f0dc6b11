"""Every engine trains in half precision, on a CPU too."""

from collections.abc import Callable

import pytest
import torch

import dlplugin as dl
from dlplugin.engines import build_network
from dlplugin.training.devices.strategy import FIRST_SCALE
from tests.engines.checking import rows_of
from tests.engines.every import DEPTH, SMALL
from tests.engines.windows import windowed


@pytest.mark.parametrize(("precision", "near"), [(torch.bfloat16, 0.05), (torch.float16, 0.01)])
@pytest.mark.parametrize("engine", SMALL)
def test_outputs_and_gradients_in_half_precision_are_near_those_in_float32(
    describe: Callable[..., dl.Model], engine: str, precision: torch.dtype, near: float
) -> None:
    definition = windowed(describe, SMALL[engine], DEPTH)
    network = build_network(definition, 2)
    rows = rows_of(2, 16, *definition.shapes(2).row)
    seen = {}
    for half in (False, True):
        network.zero_grad()
        with torch.autocast("cpu", precision, enabled=half):
            given = network(rows)
        assert given.dtype is (precision if half else torch.float32)
        (FIRST_SCALE * given.float().square().mean()).backward()  # scaled as in training
        gradients = [parameter.grad for parameter in network.parameters()]
        seen[half] = [given.detach().float(), *(each for each in gradients if each is not None)]
        assert len(seen[half]) == 1 + len(gradients)
    for full, other in zip(seen[False], seen[True], strict=True):
        assert (other - full).norm() < near * full.norm()
