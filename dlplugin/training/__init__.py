"""Training. Lightning enters in `fit` and `module`, which are imported when a training begins."""

from dlplugin.training.run import Run, best_epoch, train

__all__ = ["Run", "best_epoch", "train"]
