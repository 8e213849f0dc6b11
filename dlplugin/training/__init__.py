"""Training. Lightning enters in `fit` and `module`, which are imported when a training begins."""

from dlplugin.training.background import train_in_background
from dlplugin.training.prepare import prepare
from dlplugin.training.run import Run, best_epoch, end_script
from dlplugin.training.stretch import evaluation_of, execute

__all__ = [
    "Run",
    "best_epoch",
    "end_script",
    "evaluation_of",
    "execute",
    "prepare",
    "train_in_background",
]
