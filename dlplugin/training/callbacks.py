"""What happens while an epoch goes on, and at its end: history, save point, state, auto-stop, progress."""

import math
import time
from collections.abc import Sequence
from copy import deepcopy
from typing import Any, Protocol, cast

import numpy as np
import torch
from lightning.pytorch.callbacks import Callback

from dlplugin.definition import TrainingOptions
from dlplugin.store import TrainingState
from dlplugin.training.control import Control
from dlplugin.training.journal import Journal
from dlplugin.training.module import TrainingModule
from dlplugin.training.save_point import Monitored, SavePoint
from dlplugin.training.tally import EpochLosses

__all__ = ["EpochAbandoned", "EpochEnd", "Screen", "auto_stop_reason"]

SECONDS_BETWEEN_LOOKS = 0.1
SECONDS_OF_A_LONG_EPOCH = 0.2
SECONDS_TO_FINISH = 0.4  # that a short epoch under way has, after it was asked to stop


class EpochAbandoned(BaseException):
    """Raised in the middle of an epoch that will be done again from its start."""


class Screen(Protocol):
    """Where progress is shown."""

    def show(self, losses: EpochLosses, save_point: SavePoint) -> None:
        """Tells of the epoch that has just ended."""

    def show_running(self, epoch: int, done: float, loss: float) -> None:
        """Tells how far a long epoch is, and its in-sample loss so far."""


class EpochEnd(Callback):
    """Runs the house's own bookkeeping, in one place and one order.

    Attributes:
        reason: Why the training stopped; empty while it goes on.
        finite: Whether every loss so far was a number.
        epochs: Epochs done.
        kept: The save point as it was in the newest state that was kept.
    """

    def __init__(
        self,
        module: TrainingModule,
        save_point: SavePoint,
        journal: Journal,
        control: Control,
        screen: Screen,
        columns: Sequence[str],
    ) -> None:
        self.reason = ""
        self.finite = True
        self.epochs = module.first_epoch
        self.kept = deepcopy(save_point)
        self._module = module
        self._options = module.options
        self._save_point = save_point
        self._journal = journal
        self._control = control
        self._screen = screen
        self._columns = columns
        self._started = 0.0
        self._next_look = 0.0
        self._asked: float | None = None
        module.before_minibatch = self.look

    def on_train_start(self, trainer: Any, pl_module: Any) -> None:
        """Signals are a clean stop."""
        self._control.listen()

    def on_train_epoch_start(self, trainer: Any, pl_module: Any) -> None:
        """Starts the epoch's clock."""
        self._started = time.perf_counter()

    def look(self, done: int) -> None:
        """Between two minibatches, ten times a second: whether to stop, and how far the epoch is.

        Raises:
            EpochAbandoned: It shall stop, and the state at this epoch's start is written.
        """
        now = time.perf_counter()
        if now < self._next_look:
            return
        self._next_look = now + SECONDS_BETWEEN_LOOKS
        if self._control.look():
            self._asked = self._asked or now
            if self._journal.kept_epoch == self.epochs or now - self._asked > SECONDS_TO_FINISH:
                raise EpochAbandoned
        if now - self._started > SECONDS_OF_A_LONG_EPOCH:
            share, loss = done / self._module.samples_an_epoch, self._module.running_loss()
            self._journal.show(self.epochs + 1, share, loss)
            self._screen.show_running(self.epochs + 1, share, loss)

    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        """Losses, save point, history, state, progress; then whether to go on."""
        module = cast(TrainingModule, pl_module)
        losses = module.epoch_losses()
        self.finite = bool(np.isfinite([*losses.in_sample, *(losses.out_of_sample or ())]).all())
        monitored, moved = self._monitored(losses), False
        if self.finite:
            moved = self._save_point.consider(monitored, module.kept_weights())
            module.end_epoch(None if monitored.values is None else float(monitored.values.mean()))
        else:
            self.reason = f"the loss is not finite in epoch {losses.epoch}"
        self._journal.add_epoch(self._row(losses, moved))
        self.epochs = losses.epoch
        self._decide(monitored)
        if self.finite and (self.reason or self.epochs == self._options.epochs or self._journal.wants_state):
            self._journal.keep(self.state(), self._save_point)
            self.kept = deepcopy(self._save_point)
        self._screen.show(losses, self._save_point)
        if self.reason:
            trainer.should_stop = True

    def state(self) -> TrainingState:
        """The training as it is between two epochs."""
        tensors, values = self._module.training_state()
        arrays = {name: tensor.detach().cpu().numpy() for name, tensor in tensors.items()}
        return TrainingState(
            {**arrays, **self._save_point.arrays()},
            {
                "epoch": self.epochs,
                "module": values,
                "save_point": self._save_point.to_plain(),
                "threads": torch.get_num_threads(),
            },
        )

    def _decide(self, monitored: Monitored) -> None:
        if not self.reason and monitored.values is not None and self._save_point.ended.all():
            self.reason = auto_stop_reason(self._options)
        if not self.reason and self.epochs != self._options.epochs and self._control.look():
            self.reason = self._control.reason

    def _monitored(self, losses: EpochLosses) -> Monitored:
        if losses.out_of_sample is None:
            return Monitored(losses.epoch, None, None)
        out_of_sample = np.array(losses.out_of_sample)
        if self._options.monitor == "loss":
            return Monitored(losses.epoch, out_of_sample, out_of_sample)
        better = np.array(getattr(losses, f"out_of_sample_{self._options.monitor}"))
        return Monitored(losses.epoch, -better, out_of_sample)

    def _row(self, losses: EpochLosses, moved: bool) -> tuple[float | int | str, ...]:
        """A line of the history: means over the networks."""
        metrics = [_mean(getattr(losses, name)) for name in self._columns]
        seconds = f"{time.perf_counter() - self._started:.6f}"
        return (
            losses.epoch,
            _mean(losses.in_sample),
            _mean(losses.out_of_sample),
            repr(self._module.learning_rate),
            seconds,
            *metrics,
            int(moved),
        )


def auto_stop_reason(options: TrainingOptions) -> str:
    """Why auto-stop ends a training, in words."""
    better = "lower out-of-sample loss" if options.monitor == "loss" else f"better {options.monitor}"
    return f"no {better} for {options.auto_stop} epoch{'' if options.auto_stop == 1 else 's'}"


def _mean(values: tuple[float, ...] | None) -> str:
    """The mean over the networks, to the bit; empty where there is none."""
    if values is None:
        return ""
    mean = math.fsum(values) / len(values)
    return repr(mean)
