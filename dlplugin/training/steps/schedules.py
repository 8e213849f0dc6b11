"""How the learning rate changes: a function of the epoch and the minibatch, without a memory.

With `warm_up` the rate first rises in a straight line, minibatch by minibatch, from one part of it to
the whole; then the schedule begins. With t the epochs since then, n = `schedule_epochs` and
f = `schedule_factor`, from the highest rate r to the lowest m (`minimum_rate`):

    constant        r
    step            r · f^⌊t / n⌋
    exponential     r · f^t
    cosine          m + ½ (r − m)(1 + cos(π t / n)), and m from there on   (Loshchilov and Hutter, 2017)
    warm-restarts   the cosine of t mod n: back at r every n epochs        (the same)
    one-cycle       by minibatches: from r / 25 up to r in 30 % of n epochs, then down to r / 250,000,
                    along a cosine, and there from then on; the momentum stays as it is (Smith, 2018)
    on-plateau      r · f^(reductions); one after more than n epochs in a row that were not better by
                    a ten-thousandth of the best value; see `Plateau`

PyTorch's `torch.optim.lr_scheduler` gives the same rates, step for step.
"""

import math
from dataclasses import dataclass
from typing import Any

from dlplugin.definition import TrainingOptions

__all__ = ["Plateau", "Rates"]

ONE_CYCLE_RISE, ONE_CYCLE_START, ONE_CYCLE_END = 0.3, 25.0, 1e4
LEAST_IMPROVEMENT = 1e-4  # of a plateau's best value
LEAST_CHANGE = 1e-8  # reductions smaller than this are not made
FACTORS = {"step": 0.1, "exponential": 0.99, "on-plateau": 0.1}
PATIENCE = 10


@dataclass(frozen=True)
class Rates:
    """The learning rates of a training.

    Args:
        options: The schedule and its numbers.
        minibatches: Of one epoch.
    """

    options: TrainingOptions
    minibatches: int

    def moves_within(self, epoch: int) -> bool:
        """Whether the rate changes from minibatch to minibatch of this epoch (from 1)."""
        return epoch <= self.options.warm_up or self.options.schedule == "one-cycle"

    def at(self, epoch: int, minibatch: int, reductions: int = 0) -> float:
        """The rate of one step.

        Args:
            epoch: From 1.
            minibatch: From 0.
            reductions: How often a plateau has lowered it.
        """
        options = self.options
        if epoch <= options.warm_up:
            done = (epoch - 1) * self.minibatches + minibatch + 1
            return options.learning_rate * done / (options.warm_up * self.minibatches)
        since = epoch - 1 - options.warm_up
        if options.schedule == "one-cycle":
            return self._one_cycle(since * self.minibatches + minibatch)
        if options.schedule == "on-plateau":
            return self._reduced(reductions)
        return self._of_epoch(since)

    def _of_epoch(self, since: int) -> float:
        options = self.options
        rate, lowest = options.learning_rate, options.minimum_rate
        if options.schedule == "step":
            return max(rate * _factor(options) ** (since // self._length), lowest)
        if options.schedule == "exponential":
            return max(rate * _factor(options) ** since, lowest)
        if options.schedule == "cosine":
            return _cosine(rate, lowest, min(since / self._length, 1.0))
        if options.schedule == "warm-restarts":
            return _cosine(rate, lowest, since % self._length / self._length)
        return rate

    def _one_cycle(self, step: int) -> float:
        """The first part ends one step before its share of all, as PyTorch counts."""
        highest = self.options.learning_rate
        first = highest / ONE_CYCLE_START
        total = self._length * self.minibatches
        top, last = ONE_CYCLE_RISE * total - 1, total - 1
        if step <= top:
            rate = _cosine(first, highest, step / top) if top else highest
        else:
            done = min((step - top) / (last - top), 1.0)
            rate = _cosine(highest, first / ONE_CYCLE_END, done)
        return max(rate, self.options.minimum_rate)

    def _reduced(self, reductions: int) -> float:
        rate = self.options.learning_rate
        for _ in range(reductions):
            lower = max(rate * _factor(self.options), self.options.minimum_rate)
            if rate - lower <= LEAST_CHANGE:
                break
            rate = lower
        return rate

    @property
    def _length(self) -> int:
        """Epochs of a step or cycle: by default all that follow the warm-up."""
        whole = (self.options.epochs or 1) - self.options.warm_up
        return self.options.schedule_epochs or max(whole, 1)


class Plateau:
    """Counts the epochs without improvement, and the reductions they cause.

    Attributes:
        reductions: How often the rate has been lowered so far.
    """

    def __init__(self, options: TrainingOptions) -> None:
        self.reductions = 0
        self._patience = options.schedule_epochs or PATIENCE
        self._best = math.inf
        self._waited = 0

    def hear(self, value: float) -> None:
        """Takes the monitored value of one epoch; lower is better, NaN is no better."""
        enough = 0.0 if math.isinf(self._best) else LEAST_IMPROVEMENT * abs(self._best)
        if value < self._best - enough:
            self._best, self._waited = value, 0
            return
        self._waited += 1
        if self._waited > self._patience:
            self.reductions += 1
            self._waited = 0

    def to_plain(self) -> dict[str, Any]:
        """What JSON holds of it; a best value that is not there yet is None."""
        best = None if math.isinf(self._best) else self._best
        return {"best": best, "waited": self._waited, "reductions": self.reductions}

    def restore(self, plain: dict[str, Any]) -> None:
        """Goes on from what `to_plain` gave."""
        self._best = math.inf if plain["best"] is None else float(plain["best"])
        self._waited, self.reductions = int(plain["waited"]), int(plain["reductions"])


def _factor(options: TrainingOptions) -> float:
    return options.schedule_factor or FACTORS[options.schedule]


def _cosine(start: float, end: float, done: float) -> float:
    """From start to end along half a cosine; `done` is the share of the way."""
    return end + (start - end) / 2.0 * (1.0 + math.cos(math.pi * done))
