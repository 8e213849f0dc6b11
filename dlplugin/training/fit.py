"""One training from samples to kept weights: the Lightning Trainer, quiet and interruptible."""

import logging
import signal
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

import lightning
import torch
from lightning.fabric.utilities.exceptions import MisconfigurationException
from rich.console import Console

from dlplugin.definition import TrainingOptions
from dlplugin.errors import TrainingError
from dlplugin.samples import Samples
from dlplugin.training.callbacks import EpochEnd, History, SavePoint
from dlplugin.training.module import TrainingModule
from dlplugin.training.progress import TrainingProgress

__all__ = ["Fitted", "fit"]

MULTIPLICATIONS_WORTH_SHARING = 1 << 26  # in one step; below it one thread is as fast as several


@dataclass(frozen=True)
class Fitted:
    """How a training ended.

    Attributes:
        save_point: The kept weights of each network, with their epochs and losses.
        epochs: Epochs done.
        stop_reason: In words.
        finished: Whether it came to its own end: all epochs, or auto-stop.
        interrupted: Whether Ctrl-C ended it.
        device: What it ran on.
    """

    save_point: SavePoint
    epochs: int
    stop_reason: str
    finished: bool
    interrupted: bool
    device: str


def fit(
    samples: Samples,
    options: TrainingOptions,
    append_history: Callable[[tuple[float | int | str, ...]], None],
    console: Console | None = None,
) -> Fitted:
    """Trains until the epochs are done, auto-stop or Ctrl-C.

    Raises:
        TrainingError: The loss was not finite before there was anything to keep.
    """
    module = TrainingModule(samples, options)
    save_point = SavePoint(options.networks, keep_last=options.save_point == "last")
    name = samples.definition.name
    with (
        _quiet(),
        _threads_for(module),
        TrainingProgress(name, options.epochs, options.auto_stop, console) as progress,
    ):
        watch = EpochEnd(save_point, History(append_history), options.auto_stop, progress.show)
        trainer = _trainer(options, watch)
        with _ctrl_c(watch) as pressed:
            try:
                trainer.fit(module)
            except SystemExit:
                if not pressed:
                    raise
                raise KeyboardInterrupt from None  # what Lightning makes of a second Ctrl-C
    if not save_point.weights:
        raise TrainingError(
            f"{watch.reason or 'the training ended before its first epoch'}; try a lower learning_rate than "
            f"{options.learning_rate:g}, or clip= on inputs with extreme values"
        )
    reason = watch.reason or f"all {watch.epochs} epochs done"
    finished = not pressed and watch.finite
    return Fitted(
        save_point, watch.epochs, reason, finished, bool(pressed), str(trainer.strategy.root_device)
    )


def _trainer(options: TrainingOptions, watch: EpochEnd) -> lightning.Trainer:
    try:
        return lightning.Trainer(
            max_epochs=options.epochs or -1,
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
def _ctrl_c(watch: EpochEnd) -> Iterator[list[int]]:
    """Makes Ctrl-C a clean stop at the end of the epoch; a second one ends at once.

    Lightning would turn it into SystemExit. Off the main thread Python allows no handlers.
    """
    pressed: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield pressed
        return
    before = signal.getsignal(signal.SIGINT)

    def stop(number: int, frame: FrameType | None) -> None:
        if pressed:
            raise KeyboardInterrupt
        pressed.append(number)
        watch.request_stop("stopped by Ctrl-C")

    signal.signal(signal.SIGINT, stop)
    try:
        yield pressed
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def _threads_for(module: TrainingModule) -> Iterator[None]:
    """One thread for small steps: sharing them out costs more than it saves, above all on a busy machine."""
    before = torch.get_num_threads()
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
