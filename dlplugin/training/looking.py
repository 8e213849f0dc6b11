"""How the kept weights do on samples that train nothing."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from dlplugin.training.tally import Tally

if TYPE_CHECKING:
    from dlplugin.training.module import TrainingModule

__all__ = ["look_at"]


def look_at(module: "TrainingModule", network: nn.Module, pieces: Iterable[Tensor], count: int) -> Tally:
    """What a network makes of some rows, in float32; all processes together.

    Args:
        module: Whose samples; it hears of every piece.
        network: Its network, or the average of it.
        pieces: (n,) rows each, read at once.
        count: How many rows of a piece count at most; 0 where this process has none of its own.
    """
    tally = Tally(module.loss, correlation=module.options.monitor == "correlation")
    measure = module.loss if module.share.alone else module.loss.of_part
    network.eval()
    with torch.inference_mode():
        for rows in pieces:
            module.before_minibatch(module.samples_an_epoch)
            inputs = module.reader(module.matrix, rows)  # (n, D) or (n, W, F)
            predicted = network(inputs.expand(module.options.networks, *inputs.shape))[:, :count]
            targets = module.targets[rows][:count]
            _, sums, counts = measure(predicted, targets)
            tally.add(sums, counts, predicted, targets)
    network.train()
    if not module.share.alone:
        tally.add_others(module.share)
    return tally
