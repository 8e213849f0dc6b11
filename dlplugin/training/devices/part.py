"""One process's part of every batch: its rows, its part of the losses, and the sum of all gradients."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from dlplugin.engines import Dropout
from dlplugin.training.devices.share import Share
from dlplugin.training.steps.losses import Loss
from dlplugin.training.tally import Tally

__all__ = ["Part"]


class Part:
    """What a share means for a network in training.

    Args:
        network: Its dropout draws for the whole batch, as that of one process would.
        loss: Of the whole batch.
        share: Which part of it.
    """

    def __init__(self, network: nn.Module, loss: Loss, share: Share) -> None:
        self._network = network
        self._loss = loss
        self._share = share
        self._dropouts = [layer for layer in network.modules() if isinstance(layer, Dropout)]

    def rows(self, rows: Tensor) -> tuple[Tensor, int]:
        """This process's of some rows, one at least, and how many of them count."""
        own = self._share.of(len(rows))
        return rows[self._share.read(len(rows))], own.stop - own.start

    def losses(
        self,
        predict: Callable[[Tensor], Tensor],
        inputs: Tensor,
        targets: Tensor,
        weights: Tensor | None,
    ) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """What this process's rows add to the losses of a minibatch.

        Args:
            predict: Inputs to (K, b, N).
            inputs: (K, B, D) or (K, B, W, F) of the whole minibatch.
            targets: (K, B, O) likewise.
            weights: (K, B) likewise.

        Returns:
            As `Loss.of_part`, and predictions and targets of the rows that count.
        """
        count = inputs.shape[1]
        own, read = self._share.of(count), self._share.read(count)
        for layer in self._dropouts:
            layer.place = (count, read)
        predicted = predict(inputs[:, read])[:, : own.stop - own.start]
        weighed = None if weights is None else weights[:, own]
        part = self._loss.of_part(predicted, targets[:, own], weighed, targets)
        return *part, predicted, targets[:, own]

    def look_at(
        self, network: nn.Module, pieces: Iterable[tuple[Tensor, Tensor]], count: int, tally: Tally
    ) -> None:
        """Adds up what a network makes, in float32, of rows that train nothing; all processes together.

        Args:
            network: The one in training, or the average of it.
            pieces: Inputs (K, n, ...) and targets (n, O) of this process's rows.
            count: How many of them count, from `rows`.
            tally: Where they are added up.
        """
        measure = self._loss if self._share.alone else self._loss.of_part
        network.eval()
        with torch.inference_mode():
            for inputs, targets in pieces:
                predicted = network(inputs)[:, :count]
                _, sums, counts = measure(predicted, targets[:count])
                tally.add(sums, counts, predicted, targets[:count])
        network.train()
        if not self._share.alone:
            tally.add_others(self._share)

    @contextmanager
    def without_dropout(self) -> Iterator[None]:
        """The network as it trains, but for its dropout."""
        for layer in self._dropouts:
            layer.eval()
        yield
        for layer in self._dropouts:
            layer.train()

    def sum_gradients(self) -> None:
        """Makes the mean over all processes, which DDP leaves, their sum."""
        found = [each.grad for each in self._network.parameters() if each.grad is not None]
        torch._foreach_mul_(found, float(self._share.processes))
