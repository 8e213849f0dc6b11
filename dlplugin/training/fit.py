"""One training from samples to kept weights: the Lightning Trainer, quiet, interruptible and resumable."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import lightning
import numpy as np
import torch
from lightning.fabric.utilities.exceptions import MisconfigurationException
from rich.console import Console

from dlplugin.definition import TrainingOptions
from dlplugin.errors import TrainingError
from dlplugin.samples import Samples
from dlplugin.store import TrainingState
from dlplugin.training.callbacks import EpochAbandoned, EpochEnd, auto_stop_reason
from dlplugin.training.control import Control
from dlplugin.training.journal import Journal
from dlplugin.training.metrics import metric_columns
from dlplugin.training.module import TrainingModule
from dlplugin.training.progress import TrainingProgress
from dlplugin.training.save_point import SavePoint

__all__ = ["Fitted", "fit"]

MULTIPLICATIONS_WORTH_SHARING = 1 << 26  # in one step; below it one thread is as fast as several


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

    Raises:
        TrainingError: The loss was not finite before there was anything to keep.
        StoreError: The journal could not be written.
    """
    control = control or Control()
    module, save_point = TrainingModule(samples, options), SavePoint(options)
    _restore(module, save_point, state)
    reason = _end_reached(module, save_point, options)
    if reason:
        return Fitted(save_point, module.first_epoch, reason, True, "cpu")
    progress = TrainingProgress(samples.definition.name, options, module.first_epoch, console)
    columns = metric_columns(samples.definition, options)
    watch = EpochEnd(module, save_point, journal, control, progress, columns)
    with _quiet(), _threads_for(module, state), progress:
        try:
            trainer = _trainer(options, watch, module.first_epoch)
            trainer.fit(module)
        except EpochAbandoned:
            watch.reason = control.reason
        except SystemExit:
            if not control.signal:
                raise
            raise KeyboardInterrupt from None  # what Lightning makes of a second Ctrl-C
        finally:
            journal.close()
    if not watch.finite and not save_point.weights:
        raise TrainingError(
            f"{watch.reason}; try a lower learning_rate than {options.learning_rate:g}, or clip= on inputs with "
            "extreme values"
        )
    device = str(trainer.strategy.root_device)
    epochs = min(watch.epochs, journal.kept_epoch) if control.reason and watch.finite else watch.epochs
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
    return f"all {done} epochs done" if options.epochs is not None and done >= options.epochs else ""


def _trainer(options: TrainingOptions, watch: EpochEnd, done: int) -> lightning.Trainer:
    try:
        return lightning.Trainer(
            max_epochs=-1 if options.epochs is None else options.epochs - done,
            accelerator=options.device,
            devices=1,
            callbacks=[watch],
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            num_sanity_val_steps=0,
            log_every_n_steps=1 << 30,
        )
    except MisconfigurationException as error:
        reason = " ".join(str(error).split())
        raise TrainingError(f"device is {options.device!r}, but: {reason}; use device='auto'") from None


@contextmanager
def _threads_for(module: TrainingModule, state: TrainingState | None) -> Iterator[None]:
    """One thread for small steps: sharing them out costs more than it saves, above all on a busy machine.

    A training goes on with the number that it began with, on which the last bits of a sum depend.
    """
    before = torch.get_num_threads()
    if state is not None and "threads" in state.values:
        torch.set_num_threads(state.values["threads"])
    weights = sum(parameter.numel() for parameter in module.network.parameters())
    if weights * module.batch_size < MULTIPLICATIONS_WORTH_SHARING:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keeps Lightning's chatter off the screen, for this training only."""
    loggers = [logging.getLogger(name) for name in ("lightning.pytorch", "lightning.fabric")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="lightning")
        try:
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)
