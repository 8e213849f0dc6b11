"""Which samples an epoch trains on, when classes are to be as frequent as each other."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dlplugin.definition import TrainingOptions
from dlplugin.engines import Purpose, streams

__all__ = ["Sampler"]


class Sampler:
    """Draws every epoch's samples, for each network by itself.

    "over" takes every class as often as the most frequent one: each sample of a class the same number
    of times, and what is then missing at random. "under" takes as many of each class as the rarest
    has, at random. Samples without a class (dropped, but known to another output) come once.

    Args:
        targets: (S,) class number of each in-sample sample; NaN where it has none.
        options: `sampling` and the seed.

    Attributes:
        samples: How many an epoch has, always the same.
    """

    def __init__(self, targets: NDArray[np.float32], options: TrainingOptions) -> None:
        self._seed = options.seed
        classes = np.unique(targets[~np.isnan(targets)])
        self._members = [torch.from_numpy(np.flatnonzero(targets == each)) for each in classes]
        sizes = [len(members) for members in self._members]
        self._each = (max if options.sampling == "over" else min)(sizes, default=0)
        self._rest = torch.from_numpy(np.flatnonzero(np.isnan(targets)))
        self.samples = self._each * len(sizes) + len(self._rest)

    def order(self, epoch: int, networks: int) -> Tensor:
        """The samples of an epoch (from 1), in the order in which they are trained on.

        Returns:
            (K, samples) int64; network k's draws do not depend on K.
        """
        return torch.stack(
            [self._drawn(generator) for generator in streams(self._seed, networks, epoch, Purpose.SAMPLING)]
        )

    def _drawn(self, generator: torch.Generator) -> Tensor:
        chosen = [self._rest]
        for members in self._members:
            times, missing = divmod(self._each, len(members))
            at_random = torch.randperm(len(members), generator=generator)[:missing]
            chosen += [members.repeat(times), members[at_random]]
        together = torch.cat(chosen)
        return together[torch.randperm(len(together), generator=generator)]
