"""One training from samples to kept weights: the Lightning Trainer, quiet, interruptible and resumable."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass

import numpy as np
import torch
from rich.console import Console

from dlplugin.definition import TrainingOptions
from dlplugin.errors import TrainingError
from dlplugin.samples import Samples
from dlplugin.store import TrainingState
from dlplugin.training.callbacks import EpochAbandoned, EpochEnd, auto_stop_reason
from dlplugin.training.control import Control
from dlplugin.training.devices.share import ALONE, Share
from dlplugin.training.journal import Journal
from dlplugin.training.metrics import metric_columns
from dlplugin.training.module import TrainingModule
from dlplugin.training.progress import TrainingProgress
from dlplugin.training.save_point import SavePoint
from dlplugin.training.trainer import make_trainer, quiet, threads_for

__all__ = ["Fitted", "fit"]


@dataclass(frozen=True)
class Fitted:
    """How a training ended.

    Attributes:
        save_point: The kept weights of each network, with their epochs and losses.
        epochs: Epochs done, those before a resume included.
        stop_reason: In words.
        finished: Whether it came to its own end: all epochs, or auto-stop.
        device: What it ran on.
    """

    save_point: SavePoint
    epochs: int
    stop_reason: str
    finished: bool
    device: str


def fit(
    samples: Samples,
    options: TrainingOptions,
    journal: Journal,
    control: Control | None = None,
    console: Console | None = None,
    state: TrainingState | None = None,
    share: Share = ALONE,
    begins: Callable[[], None] = lambda: None,
) -> Fitted:
    """Trains until the epochs are done, auto-stop, or the control's wish to stop.

    Args:
        samples: The in-sample rows train; the out-of-sample rows are only looked at.
        options: How.
        journal: Where history, states and save points go.
        control: Who may stop it.
        console: Where progress is shown; standard error when not given.
        state: Where to go on from: the end of an epoch of the same training; or, at epoch 0, weights to begin
            with, by the names of the network's parameters.
        share: This process's part in the training; the process group is there if there are others.
        begins: Called before the first epoch, with as many threads as it will have.

    Raises:
        TrainingError: The loss was not finite before there was anything to keep.
        StoreError: The journal could not be written.
    """
    control = control or Control()
    module, save_point = TrainingModule(samples, options, share), SavePoint(options)
    _restore(module, save_point, state)
    reason = _end_reached(module, save_point, options)
    if reason:
        return Fitted(save_point, module.first_epoch, reason, True, "cpu")
    progress = TrainingProgress(samples.definition.name, options, module.first_epoch, console)
    columns = metric_columns(samples.definition, options)
    watch = EpochEnd(module, save_point, journal, control, progress, columns)
    threads = None if state is None else state.values.get("threads")
    with quiet(), threads_for(module, threads), closing(journal):
        begins()
        try:
            with progress:
                trainer = make_trainer(options, watch, module.first_epoch, share)
                trainer.fit(module)
        except EpochAbandoned:
            watch.reason = control.reason
        except RuntimeError:  # of torch, when the connection to the other processes broke
            if not control.overdue:
                raise
            watch.reason = control.reason
        except SystemExit:
            if not control.signal:
                raise
            raise KeyboardInterrupt from None  # what Lightning makes of a second Ctrl-C
    if not watch.finite and not save_point.weights:
        raise TrainingError(
            f"{watch.reason}; try a lower learning_rate than {options.learning_rate:g}, or clip= on inputs with "
            "extreme values"
        )
    device = str(trainer.strategy.root_device)
    epochs = watch.epochs
    if control.reason and watch.finite and journal.kept_epoch < epochs:  # they will be done again
        epochs, save_point = journal.kept_epoch, watch.kept
    reason = watch.reason or _end_reached(module, save_point, options, watch.epochs)
    return Fitted(save_point, epochs, reason, watch.finite and reason != control.reason, device)


def _restore(module: TrainingModule, save_point: SavePoint, state: TrainingState | None) -> None:
    if state is None:
        return
    tensors = {name: torch.from_numpy(np.array(array)) for name, array in state.arrays.items()}
    if not state.epoch:
        module.network.load_state_dict(tensors)
        return
    module.restore(tensors, state.values["module"])
    module.first_epoch = state.epoch
    save_point.restore(state.values["save_point"], dict(state.arrays))


def _end_reached(
    module: TrainingModule, save_point: SavePoint, options: TrainingOptions, epochs: int | None = None
) -> str:
    """Why there is nothing left to do; empty where there is."""
    done = module.first_epoch if epochs is None else epochs
    if save_point.ended.all():
        return auto_stop_reason(options)
    if options.epochs is None or done < options.epochs:
        return ""
    return "its 1 epoch is done" if done == 1 else f"all {done} epochs done"
