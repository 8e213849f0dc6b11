"""Checks of an engine's numbers: that all learn, that none is infinite, and that all move to another device."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from dlplugin.engines import seed_networks
from dlplugin.errors import EngineError
from dlplugin.testing.subject import Subject

__all__ = ["check_devices", "check_finite", "check_gradients"]

TRIES = 10  # seeds: a unit behind a ReLU can be silent with one
STEPS = 3  # of each: what is multiplied by a weight that begins at 0 learns from the second step on
NOTHING = {torch.float64: 1e-13, torch.float32: 0.0}  # of the largest gradient: what rounding leaves of 0
HUGE = 1e6
MOVERS = {"_to_copy", "copy_", "index", "index_put_"}  # what PyTorch does across devices


def check_gradients(subject: Subject) -> None:
    """Every number of every weight has a gradient other than 0, with one seed and step of several."""
    silent: dict[str, Tensor] = {}
    for seed in range(TRIES):
        network, rows = subject.network(1, seed), subject.rows(1, 64, seed)
        with suppress(RuntimeError):  # an engine that makes float32 numbers of its own stays with those
            network.double()(rows.double())
            rows = rows.double()
        network.to(rows.dtype)
        for _ in range(STEPS):
            for name, gradient in _step(network, rows).items():
                silent[name] = silent.get(name, torch.tensor(True)) & ~gradient
            if not any(bool(each.any()) for each in silent.values()):
                return
    for name, each in silent.items():
        count, numbers = int(each.sum()), each.numel()
        if count:
            raise EngineError(
                f"{count} of the {numbers} numbers of its weight {name!r} have no gradient with any of {TRIES} seeds; "
                "they would never learn: leave them out"
            )


def _step(network: nn.Module, rows: Tensor) -> dict[str, Tensor]:
    """Name to (K, ...): whether there is a gradient. Then goes a step along it."""
    network.zero_grad()
    given = network(rows)
    wanted = torch.randn(given.shape, generator=torch.Generator().manual_seed(1)).to(given.dtype)
    (given - wanted).square().mean().backward()
    found = {
        name: torch.zeros_like(value) if value.grad is None else value.grad.abs()
        for name, value in network.named_parameters()
    }
    most = max(float(value.max()) for value in found.values())
    with torch.no_grad():
        for value in network.parameters():
            if value.grad is not None:
                value.sub_(0.01 * value.grad)
    return {name: value > most * NOTHING[rows.dtype] for name, value in found.items()}


def check_finite(subject: Subject) -> None:
    """Outputs and gradients are numbers for rows that are constant, very large or very small."""
    for what, rows in _odd_rows(subject):
        for training in (False, True):
            network = subject.network(2).train(training)
            seed_networks(network, 0, epoch=1, samples=1)
            given = network(rows)
            if not torch.isfinite(given).all():
                raise EngineError(f"it gives {_first(given)} for {what}")
            given.sum().backward()
            for name, weight in network.named_parameters():
                if weight.grad is not None and not torch.isfinite(weight.grad).all():
                    raise EngineError(f"the gradient of {name!r} is {_first(weight.grad)} for {what}")


def _odd_rows(subject: Subject) -> Iterator[tuple[str, Tensor]]:
    rows = subject.rows(2, 8)
    yield "rows of zeros", torch.zeros_like(rows)
    yield "rows whose values are all one", torch.ones_like(rows)
    if rows.dim() == 4:
        yield "windows that do not change", rows[:, :, :1].expand_as(rows).contiguous()
    yield "values of ± 1000", 1000.0 * torch.sign(rows)
    huge = rows.clone()
    huge.view(2, 8, -1)[:, :, 0] = HUGE
    yield f"rows with one value of {HUGE:g}", huge
    yield "values of 1e-30", 1e-30 * rows
    yield "values too small for full precision", 1e-41 * rows


def _first(values: Tensor) -> float:
    """The first that is not finite."""
    return float(values.detach()[~torch.isfinite(values)][0])


def check_devices(subject: Subject) -> None:
    """All that it calculates with goes to the device of its rows; seen on "meta", which has shapes and no values."""
    network, rows = subject.network(2).to("meta"), subject.rows(2, 5).to("meta")
    mode = _OneDevice()  # type: ignore[no-untyped-call]  # PyTorch's own
    with suppress(NotImplementedError, RuntimeError), torch.no_grad(), mode:
        network(rows)  # one that looks at values ends there, and is seen up to there


class _OneDevice(TorchDispatchMode):  # type: ignore[no-untyped-call]  # PyTorch's own
    """Refuses to calculate with tensors of two devices; single numbers may be anywhere."""

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        given = [
            each for each in tree_leaves((args, kwargs or {})) if isinstance(each, Tensor) and each.dim()
        ]
        strays = [each for each in given if each.device.type != "meta"]
        if strays and len(strays) < len(given) and func.__name__.partition(".")[0] not in MOVERS:
            raise EngineError(
                f"it calculates with a tensor of shape {tuple(strays[0].shape)} that stays on the CPU when the network "
                "is on a GPU; keep it with register_buffer(..., persistent=False), or make it with device=rows.device"
            )
        return func(*args, **(kwargs or {}))
