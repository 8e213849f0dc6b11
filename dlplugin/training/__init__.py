"""Training. Lightning enters in `fit` and `module`, which are imported when a training begins."""

from dlplugin.training.background import train_in_background
from dlplugin.training.begin import begin_run, leaving_nothing
from dlplugin.training.listing import runs
from dlplugin.training.outcome import best_epoch
from dlplugin.training.prepare import prepare
from dlplugin.training.run import Run, end_script
from dlplugin.training.stretch import evaluation_of, execute

__all__ = [
    "Run",
    "begin_run",
    "best_epoch",
    "end_script",
    "evaluation_of",
    "execute",
    "leaving_nothing",
    "prepare",
    "runs",
    "train_in_background",
]
