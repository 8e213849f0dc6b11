"""How a gradient becomes a step: PyTorch's own optimizers with its own defaults.

    adamw, adam   Adam (Kingma and Ba, 2015); one and the same here, as weight decay is always decoupled
    amsgrad       Adam that never forgets its largest gradients (Reddi, Kale and Kumar, 2018)
    nadam, radam  Adam with Nesterov's momentum (Dozat, 2016), or rectified at its start (Liu et al., 2020)
    adamax        Adam by the largest gradient (Kingma and Ba, 2015)
    sgd           plain steps, with momentum and Nesterov's look ahead if wanted (Sutskever et al., 2013)
    rmsprop, adagrad, adadelta, rprop   (Hinton, 2012; Duchi et al., 2011; Zeiler, 2012; Riedmiller, 1993)

Decoupled weight decay takes rate · weight_decay of every weight away before each step (Loshchilov and
Hutter, 2019): the gradient and its statistics do not see it.
"""

from collections.abc import Iterable
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer

from dlplugin.definition import TrainingOptions

__all__ = ["build_optimizer"]


def build_optimizer(parameters: Iterable[nn.Parameter], options: TrainingOptions) -> Optimizer:
    """The options' optimizer on these parameters, in as few calls a step as PyTorch has for it.

    With fp16 none is fused: those would scale the gradients back themselves, after they were clipped.
    """
    trained = list(parameters)
    kind, rate, decay = options.optimizer, options.learning_rate, options.weight_decay
    calls = _calls(trained, options)
    if kind in ("adamw", "adam", "amsgrad"):
        return torch.optim.AdamW(trained, lr=rate, weight_decay=decay, amsgrad=kind == "amsgrad", **calls)
    if kind in ("nadam", "radam"):
        of_adam = torch.optim.NAdam if kind == "nadam" else torch.optim.RAdam
        return of_adam(trained, lr=rate, weight_decay=decay, decoupled_weight_decay=True, foreach=True)
    optimizer = _without_decay(trained, options)
    if decay:
        optimizer.register_step_pre_hook(_Decay(decay))
    return optimizer


def _without_decay(parameters: list[nn.Parameter], options: TrainingOptions) -> Optimizer:
    """Those whose weight decay PyTorch adds to the gradient."""
    calls = _calls(parameters, options)
    rate, momentum = options.learning_rate, options.momentum
    if options.optimizer == "sgd":
        return torch.optim.SGD(parameters, lr=rate, momentum=momentum, nesterov=options.nesterov, **calls)
    if options.optimizer == "rmsprop":
        return torch.optim.RMSprop(parameters, lr=rate, momentum=momentum, foreach=True)
    if options.optimizer == "adagrad":
        return torch.optim.Adagrad(parameters, lr=rate, **calls)
    if options.optimizer == "adamax":
        return torch.optim.Adamax(parameters, lr=rate, foreach=True)
    if options.optimizer == "adadelta":
        return torch.optim.Adadelta(parameters, lr=rate, foreach=True)
    return torch.optim.Rprop(parameters, lr=rate, foreach=True)


def _calls(parameters: list[nn.Parameter], options: TrainingOptions) -> dict[str, Any]:
    """How PyTorch shall call its kernels, for optimizers that it can fuse."""
    missing = options.optimizer == "adagrad" and any(each.device.type == "mps" for each in parameters)
    return {"foreach": True} if missing or options.precision == "fp16" else {"fused": True}


class _Decay:
    """Decoupled weight decay, called before each step."""

    def __init__(self, decay: float) -> None:
        self._decay = decay

    @torch.no_grad()
    def __call__(self, optimizer: Optimizer, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        for group in optimizer.param_groups:
            moved = [parameter for parameter in group["params"] if parameter.grad is not None]
            if moved:
                torch._foreach_mul_(moved, 1.0 - group["lr"] * self._decay)
