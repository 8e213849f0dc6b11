"""A moving average of the weights over the steps, which is what is then evaluated and kept."""

from copy import deepcopy

import torch
from torch import nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

__all__ = ["Average"]


class Average(nn.Module):
    """A second network that holds a network's weights averaged (Polyak and Juditsky, 1992).

    After the first step the average is the weights themselves; after each later one it is
    decay · average + (1 − decay) · weights.

    Args:
        network: The one that is trained.
        decay: Share of the average that stays at each step; 0.99 is about a hundred steps.

    Attributes:
        network: The averaged one, never trained itself.
        steps: So many were averaged.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        super().__init__()
        self.network = deepcopy(network).requires_grad_(False)
        self.steps = 0
        self._move = get_ema_multi_avg_fn(decay)  # type: ignore[no-untyped-call]  # PyTorch's own

    @torch.no_grad()
    def update(self, network: nn.Module) -> None:
        """Takes in the weights after one step."""
        averaged, now = list(self.network.parameters()), list(network.parameters())
        if self.steps:
            self._move(averaged, now, self.steps)
        else:
            for one, other in zip(averaged, now, strict=True):
                one.copy_(other)
        for held, new in zip(self.network.buffers(), network.buffers(), strict=True):
            held.copy_(new)
        self.steps += 1
