"""Training. Lightning enters in `fit` and `module`, which are imported when a training begins."""

from dlplugin.training.background import train_in_background
from dlplugin.training.begin import begin_run, leaving_nothing
from dlplugin.training.listing import newest_runs, runs
from dlplugin.training.outcome import best_epoch, best_epoch_so_far
from dlplugin.training.prepare import prepare
from dlplugin.training.run import Run, end_script, resume_run
from dlplugin.training.stretch import evaluation_of, execute

__all__ = [
    "Run",
    "begin_run",
    "best_epoch",
    "best_epoch_so_far",
    "end_script",
    "evaluation_of",
    "execute",
    "leaving_nothing",
    "newest_runs",
    "prepare",
    "resume_run",
    "runs",
    "train_in_background",
]
