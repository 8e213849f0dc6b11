"""The Lightning Trainer that a training runs in: quiet, without files of its own, on as many threads as help."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import lightning
import torch
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch.callbacks import Callback

from dlplugin.definition import TrainingOptions
from dlplugin.errors import TrainingError
from dlplugin.training.devices.found import choose_devices
from dlplugin.training.devices.share import ALONE, Share
from dlplugin.training.devices.strategy import SharedBatches, precision_plugins
from dlplugin.training.module import TrainingModule

__all__ = ["make_trainer", "quiet", "threads_for"]

MULTIPLICATIONS_WORTH_SHARING = 1 << 26  # in one step; below it one thread is as fast as several


def make_trainer(
    options: TrainingOptions, callback: Callback, done: int = 0, share: Share = ALONE
) -> lightning.Trainer:
    """A Trainer for the epochs that are left, on this device.

    Args:
        options: How many epochs, and which device.
        callback: What happens at their ends.
        done: Epochs done before.
        share: This process's part in the training; the others have to be there already.

    Raises:
        TrainingError: The device is not there.
    """
    kind = choose_devices(options).kind
    try:
        return lightning.Trainer(
            max_epochs=-1 if options.epochs is None else options.epochs - done,
            accelerator=kind,
            devices=share.local_processes,
            num_nodes=share.machines,
            strategy="auto" if share.alone else SharedBatches(share),
            plugins=precision_plugins(options.precision, kind),
            callbacks=[callback],
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            num_sanity_val_steps=0,
            use_distributed_sampler=False,  # a number of a step is no sample: each process does all steps
            log_every_n_steps=1 << 30,
        )
    except MisconfigurationException as error:
        reason = " ".join(str(error).split())
        raise TrainingError(f"device is {options.device!r}, but: {reason}; use device='auto'") from None


@contextmanager
def threads_for(module: TrainingModule, threads: int | None = None) -> Iterator[None]:
    """One thread for small steps: sharing them out costs more than it saves, above all on a busy machine.

    Args:
        module: Its network and batch size are a step's.
        threads: That a training began with: it goes on with as many, for the last bits of a sum depend
            on it.
    """
    before, share = torch.get_num_threads(), module.share
    if threads is not None:
        torch.set_num_threads(threads)
    elif not share.alone:
        torch.set_num_threads(max(1, before // share.local_processes))
    weights = sum(parameter.numel() for parameter in module.network.parameters())
    if weights * module.batch_size // share.processes < MULTIPLICATIONS_WORTH_SHARING:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def quiet() -> Iterator[None]:
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
