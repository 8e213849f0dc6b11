"""What happens at the end of each epoch: history, save point, auto-stop, progress."""

import time
from collections.abc import Callable
from typing import Any, cast

import numpy as np
import torch
from lightning.pytorch.callbacks import Callback
from numpy.typing import NDArray

from dlplugin.training.module import EpochLosses, TrainingModule

__all__ = ["EpochEnd", "History", "SavePoint"]

Weights = dict[str, NDArray[np.float32]]


class SavePoint:
    """Keeps, for each network, the weights of its lowest out-of-sample loss, or the last ones.

    Attributes:
        epochs: (K,) the epoch each network's kept weights are from.
        losses: (K,) the lowest out-of-sample loss so far.
        kept_losses: (K,) that of the kept weights.
    """

    def __init__(self, networks: int, keep_last: bool) -> None:
        self.epochs = np.zeros(networks, dtype=np.int64)
        self.losses = np.full(networks, np.inf)
        self.kept_losses = np.full(networks, np.inf)
        self.weights: Weights = {}
        self._keep_last = keep_last

    @property
    def last_improvement(self) -> int:
        """The newest epoch in which any network reached a new lowest out-of-sample loss."""
        return int(self._improved_at)

    _improved_at = 0

    def consider(self, losses: EpochLosses, network: torch.nn.Module) -> None:
        """Takes over the weights of the networks that have got better."""
        if losses.out_of_sample is None:
            self._copy(network, np.ones(len(self.losses), dtype=bool))
            self.epochs[:] = losses.epoch
            return
        now = np.array(losses.out_of_sample)
        better = now < self.losses
        self.losses = np.where(better, now, self.losses)
        if better.any():
            self._improved_at = losses.epoch
        taken = np.ones_like(better) if self._keep_last else better
        if taken.any():
            self.epochs = np.where(taken, losses.epoch, self.epochs)
            self.kept_losses = np.where(taken, now, self.kept_losses)
            self._copy(network, taken)

    def _copy(self, network: torch.nn.Module, taken: NDArray[np.bool_]) -> None:
        for name, value in network.state_dict().items():
            new = value.detach().cpu().numpy()
            if name not in self.weights:
                self.weights[name] = new.copy()
            else:
                self.weights[name][taken] = new[taken]


class History:
    """Every epoch so far, and where each goes as it happens."""

    def __init__(self, append: Callable[[tuple[float | int | str, ...]], None]) -> None:
        self._append = append

    def add(self, losses: EpochLosses, learning_rate: float, seconds: float) -> None:
        """Adds one epoch; the losses are means over the networks."""
        out = "" if losses.out_of_sample is None else repr(float(np.mean(losses.out_of_sample)))
        row = (
            losses.epoch,
            repr(float(np.mean(losses.in_sample))),
            out,
            repr(learning_rate),
            f"{seconds:.6f}",
        )
        self._append(row)


class EpochEnd(Callback):
    """Runs the house's own bookkeeping at the end of each epoch, in one place and one order.

    Attributes:
        reason: Why the training stopped; empty while it goes on.
        finite: Whether every loss so far was a number.
        epochs: Epochs done.
    """

    def __init__(
        self,
        save_point: SavePoint,
        history: History,
        auto_stop: int | None,
        show: Callable[[EpochLosses, SavePoint], None],
    ) -> None:
        self.reason = ""
        self.finite = True
        self.epochs = 0
        self._save_point = save_point
        self._history = history
        self._auto_stop = auto_stop
        self._show = show
        self._started = 0.0

    def request_stop(self, reason: str) -> None:
        """Ends the training after the epoch under way."""
        self.reason = self.reason or reason

    def on_train_epoch_start(self, trainer: Any, pl_module: Any) -> None:
        """Starts the epoch's clock."""
        self._started = time.perf_counter()

    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        """Losses, save point, history, progress; then whether to go on."""
        module = cast(TrainingModule, pl_module)
        losses = module.epoch_losses()
        finite = np.isfinite([*losses.in_sample, *(losses.out_of_sample or ())]).all()
        if finite:
            self._save_point.consider(losses, module.network)
        else:
            self.finite = False
            self.request_stop(f"the loss is not finite in epoch {losses.epoch}")
        self.epochs = losses.epoch
        self._history.add(losses, module.learning_rate, time.perf_counter() - self._started)
        self._show(losses, self._save_point)
        patience, since = self._auto_stop, losses.epoch - self._save_point.last_improvement
        if patience is not None and losses.out_of_sample is not None and since >= patience:
            self.request_stop(f"no lower out-of-sample loss for {patience} epochs")
        if self.reason:
            trainer.should_stop = True
