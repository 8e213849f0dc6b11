"""What is done to the gradients before a step: L1 and L2 penalties, clipping by norm and by value.

"Weights" are all numbers that are trained, biases too, as PyTorch's weight decay counts them. Every
parameter has the K networks as its first dimension, and each network is treated by itself.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from dlplugin.definition import TrainingOptions
from dlplugin.engines import output_layer

__all__ = ["Penalties", "clip_norms"]


class Penalties:
    """The options' penalties and clipping.

    l1 · Σ|w| and l2 · ½ Σw² are added to the loss by their gradients, l1 · sign(w) and l2 · w; the
    losses that are shown never hold them. Then gradients are clipped, by norm first.

    Args:
        network: Whose trained weights.
        options: How much.

    Attributes:
        active: Whether there is anything to do.
    """

    def __init__(self, network: nn.Module, options: TrainingOptions) -> None:
        self._l1, self._l2 = options.l1, options.l2
        self._norm, self._value = options.clip_norm, options.clip_value
        self.active = bool(self._l1 or self._l2 or self._norm or self._value)
        self._trained = [each for each in network.parameters() if each.requires_grad]
        layer = output_layer(network) if options.penalty_on == "output" else network
        self._penalised = [] if layer is None else [each for each in layer.parameters() if each.requires_grad]

    @torch.no_grad()
    def __call__(self) -> None:
        """Changes the gradients in place, after a backward pass and before the step."""
        if self._l1 or self._l2:
            for weight in self._penalised:
                if weight.grad is None:
                    continue
                if self._l1:
                    weight.grad.add_(weight.sign(), alpha=self._l1)
                if self._l2:
                    weight.grad.add_(weight, alpha=self._l2)
        gradients = [weight.grad for weight in self._trained if weight.grad is not None]
        if self._norm is not None:
            clip_norms(gradients, self._norm)
        if self._value is not None:
            for gradient in gradients:
                gradient.clamp_(-self._value, self._value)


def clip_norms(gradients: Sequence[Tensor], longest: float) -> None:
    """Shortens each network's gradient to this Euclidean norm over all its weights, if it is longer.

    Args:
        gradients: (K, ...) each, changed in place.
        longest: As `torch.nn.utils.clip_grad_norm_` takes it for one network.
    """
    if not gradients:
        return
    squares = torch.stack([gradient.flatten(1).square().sum(dim=1) for gradient in gradients])  # (P, K)
    factor = (longest / (squares.sum(dim=0).sqrt() + 1e-6)).clamp(max=1.0)  # (K,)
    for gradient in gradients:
        gradient.mul_(factor.reshape(-1, *[1] * (gradient.dim() - 1)))
