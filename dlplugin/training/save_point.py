"""Which weights of each network are kept, and which networks have stopped improving."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from dlplugin.definition import TrainingOptions
from dlplugin.store import Weights

__all__ = ["Monitored", "SavePoint"]

Floats = NDArray[np.float64]
PREFIX = "kept/"


@dataclass(frozen=True)
class Monitored:
    """What one epoch gave, for each network.

    Attributes:
        epoch: From 1.
        values: (K,) the monitored value, turned so that lower is better; None without an out-of-sample span.
        losses: (K,) the out-of-sample losses; None likewise.
    """

    epoch: int
    values: Floats | None
    losses: Floats | None


class SavePoint:
    """The kept weights of K networks, each with its own best epoch and its own patience.

    A network that has been without an improvement for `auto_stop` epochs has ended: what it does
    later counts no more, as if it had been trained alone. Before its first best one the newest
    weights of a network stand in.

    Attributes:
        epochs: (K,) the epoch each network's kept weights are from.
        losses: (K,) the out-of-sample losses of the kept weights; NaN without such a span.
        values: (K,) the best monitored values so far, turned so that lower is better; infinite before
            the first.
        ended: (K,) the epoch at which each network's patience was over; 0 while it goes on.
        weights: Parameter name to (K, ...); empty before the first epoch's end.
    """

    def __init__(self, options: TrainingOptions) -> None:
        networks = options.networks
        self.epochs = np.zeros(networks, dtype=np.int64)
        self.losses = np.full(networks, np.nan)
        self.values = np.full(networks, np.inf)
        self.ended = np.zeros(networks, dtype=np.int64)
        self.weights: Weights = {}
        self._options = options
        self._smoothed = np.full(networks, np.nan)
        self._lowest = np.full(networks, np.inf)  # that patience knows: lowered by min_delta at least
        self._improved = np.zeros(networks, dtype=np.int64)

    @property
    def last_improvement(self) -> int:
        """The newest epoch in which any network improved."""
        return int(self._improved.max())

    def consider(self, epoch: Monitored, weights: dict[str, torch.Tensor]) -> bool:
        """Takes over the weights of the networks that have got better.

        Returns:
            Whether the save point has moved.
        """
        going = self.ended == 0
        if epoch.values is None or epoch.losses is None:
            self._take(epoch, weights, going)
            return True
        values = self._smooth(epoch.values)
        better = going & (values < self._lowest - self._options.min_delta)
        self._lowest = np.where(better, values, self._lowest)
        self._improved = np.where(better, epoch.epoch, self._improved)
        if self._options.save_point == "last":
            taken = going
        else:
            taken = going & (values < self.values) & (epoch.epoch % self._options.auto_save == 0)
        self.values = np.where(taken, values, self.values)
        self._take(epoch, weights, taken | (going & np.isinf(self.values)))
        patience = self._options.auto_stop
        if patience is not None:
            over = going & (epoch.epoch - self._improved >= patience)
            self.ended = np.where(over, epoch.epoch, self.ended)
        return bool(taken.any())

    def _smooth(self, values: Floats) -> Floats:
        if self._options.save_point != "smoothed":
            return values
        past = self._options.smoothing
        blended = past * self._smoothed + (1 - past) * values
        self._smoothed = np.where(np.isnan(self._smoothed), values, blended)
        return self._smoothed

    def _take(self, epoch: Monitored, weights: dict[str, torch.Tensor], taken: NDArray[np.bool_]) -> None:
        if not taken.any():
            return
        self.epochs = np.where(taken, epoch.epoch, self.epochs)
        if epoch.losses is not None:
            self.losses = np.where(taken, epoch.losses, self.losses)
        for name, value in weights.items():
            new = value.detach().cpu().numpy()
            if name not in self.weights:
                self.weights[name] = new.copy()
            else:
                self.weights[name][taken] = new[taken]

    def to_plain(self) -> dict[str, Any]:
        """The bookkeeping as JSON holds it; the numbers survive to the bit."""
        return {name.strip("_"): _plain(getattr(self, name)) for name in self._kept}

    def arrays(self) -> dict[str, NDArray[np.float32]]:
        """The kept weights, under names of their own."""
        return {PREFIX + name: value for name, value in self.weights.items()}

    def restore(self, plain: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> None:
        """Takes over what `to_plain` and `arrays` gave."""
        for name in self._kept:
            like = getattr(self, name)
            stored = [np.nan if value is None else float(value) for value in plain[name.strip("_")]]
            setattr(self, name, np.array(stored).astype(like.dtype))
        self.weights = {
            name.removeprefix(PREFIX): value.copy()
            for name, value in arrays.items()
            if name.startswith(PREFIX)
        }

    _kept = ("epochs", "losses", "values", "ended", "_smoothed", "_lowest", "_improved")


def _plain(values: NDArray[Any]) -> list[Any]:
    """Numbers as JSON holds them: infinite ones as text, NaN as none."""
    return [
        value if isinstance(value, int) or np.isfinite(value) else None if np.isnan(value) else str(value)
        for value in values.tolist()
    ]
