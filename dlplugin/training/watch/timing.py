"""How long one step of a network's training takes here, beside that of other networks. This loads torch."""

import time
from collections.abc import Callable, Sequence
from statistics import median

import torch

from dlplugin.definition import Definition, TrainingOptions
from dlplugin.engines import build_network, seed_networks
from dlplugin.training.steps.optimizers import build_optimizer

__all__ = ["step_times"]

FEWEST_ROUNDS = 3  # however slow a network is
WARMING_UP = 1  # the first round allocates


def step_times(definitions: Sequence[Definition], rows: int = 256, seconds: float = 0.3) -> list[float]:
    """The median time of a step of each network on one thread of the CPU; they take turns.

    A step is what a training does with a minibatch: forward, squared error, backward, and a step of the
    default optimizer. The rows are random numbers.

    Args:
        definitions: Whose networks, each as one (K = 1).
        rows: Samples of a minibatch.
        seconds: Measured for so long, but for three rounds at least.

    Returns:
        Seconds a step, as the definitions.
    """
    steps = [_step_of(definition, rows) for definition in definitions]
    taken: list[list[float]] = [[] for _ in steps]
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        end = time.perf_counter() + seconds
        while len(taken[0]) < FEWEST_ROUNDS or time.perf_counter() < end:
            for step, times in zip(steps, taken, strict=True):
                begin = time.perf_counter()
                step()
                times.append(time.perf_counter() - begin)
    finally:
        torch.set_num_threads(threads)
    return [median(times[WARMING_UP:]) for times in taken]


def _step_of(definition: Definition, rows: int) -> Callable[[], None]:
    network = build_network(definition, 1)
    seed_networks(network, 0, 1, rows)  # dropout has streams
    optimizer = build_optimizer(network.parameters(), TrainingOptions())
    shapes, drawn = definition.shapes(), torch.Generator().manual_seed(0)
    inputs = torch.randn(1, rows, *shapes.row, generator=drawn)
    targets = torch.randn(1, rows, shapes.outputs, generator=drawn)

    def step() -> None:
        optimizer.zero_grad()
        torch.nn.functional.mse_loss(network(inputs), targets).backward()  # type: ignore[no-untyped-call]
        optimizer.step()

    return step
