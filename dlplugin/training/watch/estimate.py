"""What a training will take, before it begins: time, memory, and whether the network suits the samples."""

import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dlplugin.definition import TrainingOptions
from dlplugin.samples import Samples

if TYPE_CHECKING:
    from dlplugin.training.module import TrainingModule

__all__ = ["Estimate", "estimate", "recorded_effective", "too_large_warning"]

MOST_MINIBATCHES = 40  # of a small network: about 10 ms
MOST_SECONDS = 0.2  # of a large one, but never fewer than FEWEST_MINIBATCHES
FEWEST_MINIBATCHES = 3
WARMING_UP = 2  # the first ones allocate
FORWARD_SHARE = 1 / 3  # of a forward and backward pass, which multiplies each weight three times
SECONDS_AN_EPOCH = 0.002  # of Lightning's and the house's own bookkeeping
BYTES_A_CELL = 16  # of the rows read at once: an int64 index, and the float32 of this and the last reading
OWN_BYTES = 16 << 20  # of Lightning and torch, whatever the network
ROWS_TRIED = 16  # a few rows tell what the network stores of each

STATES = {
    "adadelta": 2,
    "adagrad": 1,
    "adam": 2,
    "adamax": 2,
    "adamw": 2,
    "amsgrad": 3,
    "nadam": 2,
    "radam": 2,
    "rmsprop": 1,
    "rprop": 2,
    "sgd": 0,
}
"""Numbers that each optimizer remembers of every weight, without momentum."""


@dataclass(frozen=True)
class Estimate:
    """What a training will take; its text is one line.

    Attributes:
        seconds_an_epoch: Wall time, on a machine that does little else.
        epochs: At most; None when it trains until it is stopped.
        seconds: For all of these epochs; None when there is no end.
        may_stop: Whether auto-stop may end it earlier.
        memory_bytes: For the samples and the training, besides Python and its libraries.
        networks: K.
        weights: Of each network.
        effective_samples: In-sample samples, as many as they are worth.
    """

    seconds_an_epoch: float
    epochs: int | None
    seconds: float | None
    may_stop: bool
    memory_bytes: int
    networks: int
    weights: int
    effective_samples: float

    def __str__(self) -> str:
        epoch = _duration(self.seconds_an_epoch)
        if self.epochs is None or self.seconds is None:
            span = f"about {epoch} an epoch"
        else:
            plural = "" if self.epochs == 1 else "s"
            up_to = "up to " if self.may_stop else ""
            span = f"about {_duration(self.seconds)}: {up_to}{self.epochs:,} epoch{plural} of {epoch}"
        networks = "" if self.networks == 1 else f"{self.networks:,} × "
        return (
            f"{span}; {_gigabytes(self.memory_bytes)} of memory; {networks}{self.weights:,} weights for "
            f"{self.effective_samples:,.0f} effective samples"
        )


def estimate(samples: Samples, options: TrainingOptions) -> Estimate:
    """Times a few real minibatches on a network that is then thrown away, and adds up the memory.

    A small network costs about 20 ms, a large one a fifth of a second or three minibatches.

    Args:
        samples: What it will train on.
        options: How.

    Raises:
        TrainingError: The device is not there.
    """
    from dlplugin.training.module import TrainingModule

    module = TrainingModule(samples, options)
    weights = sum(parameter[0].numel() for parameter in module.network.parameters())
    memory = _memory(module, samples, options, weights)
    seen = len(samples.rows.get("out-of-sample", ()))
    minibatch = _seconds_a_minibatch(module, options)
    minibatches = -(-module.samples_an_epoch // module.batch_size) + FORWARD_SHARE * seen / module.batch_size
    epoch = minibatches * minibatch + SECONDS_AN_EPOCH
    return Estimate(
        seconds_an_epoch=epoch,
        epochs=options.epochs,
        seconds=None if options.epochs is None else options.epochs * epoch,
        may_stop=options.auto_stop is not None and seen > 0,
        memory_bytes=memory,
        networks=options.networks,
        weights=weights,
        effective_samples=samples.effective,
    )


def too_large_warning(weights: int | None, effective_samples: float | None) -> str | None:
    """A sentence when a network has more weights than its samples are worth; None when all is well, or unknown."""
    if weights is None or effective_samples is None or weights <= effective_samples:
        return None
    return (
        f"the network has {weights:,} weights for {effective_samples:,.0f} effective samples: enough to learn them "
        "by heart"
    )


def recorded_effective(facts: Mapping[str, Any]) -> float | None:
    """The effective in-sample samples that a run has recorded; their plain number where it did not."""
    if facts.get("effective_samples") is not None:
        return float(facts["effective_samples"])
    counted = facts.get("counts", {}).get("in-sample", {}).get("samples")
    return None if counted is None else float(counted)


class _EnoughError(Exception):
    """Ends the trial in the middle of an epoch."""


def _seconds_a_minibatch(module: "TrainingModule", options: TrainingOptions) -> float:
    """Median wall time of a minibatch, from a training that is broken off."""
    import torch
    from lightning.pytorch.callbacks import Callback

    from dlplugin.training.trainer import make_trainer, quiet, threads_for

    marks: list[float] = []

    def mark(done: int) -> None:
        if module.device.type == "cuda":
            torch.cuda.synchronize(module.device)
        elif module.device.type == "mps":
            torch.mps.synchronize()
        marks.append(time.perf_counter())
        count = len(marks) - 1
        slow = marks[-1] - marks[0] > MOST_SECONDS and count >= FEWEST_MINIBATCHES
        if slow or count >= MOST_MINIBATCHES:
            raise _EnoughError

    module.before_minibatch = mark
    long_enough = replace(options, epochs=MOST_MINIBATCHES + 1)  # an epoch can be one minibatch
    with quiet(), threads_for(module), torch.random.fork_rng([]), suppress(_EnoughError):
        make_trainer(long_enough, Callback()).fit(module)
    steps = np.diff(marks)
    return float(np.median(steps[WARMING_UP:]))


def _memory(module: "TrainingModule", samples: Samples, options: TrainingOptions, weights: int) -> int:
    """Bytes: samples, weights with all that goes with them, the rows read at once, and activations."""
    from dlplugin.training.module import CELLS_AT_ONCE

    networks, rows = options.networks, module.samples_an_epoch
    arrays: list[NDArray[Any]] = [
        samples.matrix,
        samples.targets,
        samples.actual,
        samples.owner,
        samples.times,
    ]
    held = sum(array.nbytes for array in arrays + list(samples.rows.values()))
    copies = _numbers_a_weight(options)
    cells = module.reader.cells.numel()
    at_once = max(module.batch_size, CELLS_AT_ONCE // (cells * networks))
    seen = len(samples.rows.get("out-of-sample", ()))
    stored, largest = _bytes_a_row(module)
    read = min(at_once, max(rows, seen)) * networks * cells * BYTES_A_CELL
    train = 2 * min(module.batch_size, rows) * stored  # values and their gradients
    evaluate = 2 * min(module.rows_evaluated_at_once, seen) * largest  # a layer's inputs and outputs
    return int(held + 4 * copies * networks * weights + read + max(train, evaluate) + OWN_BYTES)


def _numbers_a_weight(options: TrainingOptions) -> int:
    """The weight, its gradient, the optimizer's states, the average; the save point; and all of it while it is written.

    The save point is held as it is, and as it was in the newest state. A state is copied, made bytes
    tensor by tensor, and those are joined.
    """
    momentum = int(options.momentum > 0)
    states = STATES[options.optimizer] + momentum + int(options.averaging is not None)
    kept = 3  # the third while its own file is written
    return 2 + states + kept + (1 + states) + 2 * (2 + states)


def _bytes_a_row(module: "TrainingModule") -> tuple[int, int]:
    """What all networks together store of a row for the way back, and the largest piece of it."""
    import torch

    from dlplugin.engines import seed_networks

    networks = module.options.networks
    rows = module.in_sample_rows[:ROWS_TRIED]
    own = {parameter.untyped_storage().data_ptr() for parameter in module.network.parameters()}
    pieces: dict[int, int] = {}

    def keep(value: Any) -> Any:
        storage = value.untyped_storage()
        if storage.data_ptr() not in own:
            pieces[storage.data_ptr()] = storage.nbytes()
        return value

    seed_networks(module.network, module.options.seed, 1, 1)  # dropout has streams
    inputs = module.reader(module.matrix, rows)
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda value: value):
        outputs = module.network(inputs.expand(networks, *inputs.shape).contiguous())
    pieces[outputs.untyped_storage().data_ptr()] = outputs.untyped_storage().nbytes()
    return sum(pieces.values()) // len(rows), max(pieces.values()) // len(rows)


def _duration(seconds: float) -> str:
    """The seconds in the unit that suits them."""
    units = ((1e-3, "ms"), (1, "s"), (60, "min"), (3600, "h"), (86400, "days"))
    size, unit = next(
        (pair for pair in units if seconds < (999.5 if pair[0] < 1 else 99.5) * pair[0]), units[-1]
    )
    value = max(seconds, 1e-4) / size
    return f"{value:.{0 if value >= 9.95 else 1}f}".removesuffix(".0") + f" {unit}"


def _gigabytes(size: int) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 95e6 else f"{size / 1e6:.0f} MB"
