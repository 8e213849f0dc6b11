"""What is added up over the minibatches of an epoch: the loss, the accuracy, the correlation."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from dlplugin.definition import Head
from dlplugin.training.devices.share import Share
from dlplugin.training.steps.losses import Loss

__all__ = ["EpochLosses", "Tally"]


@dataclass(frozen=True)
class EpochLosses:
    """The losses of one epoch in the scaled unit of the outputs, without penalties.

    Attributes:
        epoch: From 1.
        in_sample: (K,) as met while the weights moved, dropout included.
        out_of_sample: (K,) with the weights at the epoch's end, or their average where that is what
            is kept; None when there is no such span.
        in_sample_accuracy: (K,) share of right classes, met likewise; None without classes.
        out_of_sample_accuracy: (K,) likewise.
        out_of_sample_correlation: (K,) Pearson's r of predicted and target; None unless monitored.
    """

    epoch: int
    in_sample: tuple[float, ...]
    out_of_sample: tuple[float, ...] | None
    in_sample_accuracy: tuple[float, ...] | None = None
    out_of_sample_accuracy: tuple[float, ...] | None = None
    out_of_sample_correlation: tuple[float, ...] | None = None


class Tally:
    """Sums over minibatches, of each of K networks by itself.

    Args:
        loss: Its sums are added up, and its heads say which outputs are classes.
        correlation: Whether the correlation is wanted too; it costs more than the others.

    Attributes:
        samples: How many samples were seen.
    """

    def __init__(self, loss: Loss, correlation: bool = False) -> None:
        self.samples = 0
        self._loss = loss
        self._sums: Tensor | int = 0
        self._counts: Tensor | int = 0
        self._classes = [(index, head) for index, head in enumerate(loss.heads) if head.kind == "classes"]
        self._right: Tensor | int = 0
        self._judged: Tensor | int = 0
        others = [(index, head) for index, head in enumerate(loss.heads) if head.kind != "classes"]
        self._correlations = [_Correlation(*each) for each in others] if correlation else []

    def add(self, sums: Tensor, counts: Tensor | int, predicted: Tensor, targets: Tensor) -> None:
        """Adds a minibatch.

        Args:
            sums: From the loss.
            counts: From the loss.
            predicted: (K, B, N).
            targets: (K, B, O) or (B, O).
        """
        self.samples += predicted.shape[1]
        self._sums += sums
        self._counts += counts
        if self._classes:
            right, judged = _judge(self._classes, predicted.detach(), targets)
            self._right += right
            self._judged += judged
        for correlation in self._correlations:
            correlation.add(predicted.detach(), targets)

    def add_others(self, share: Share) -> None:
        """Adds what the other processes have seen; all of them have to ask it at the same moment."""
        self._sums, self._counts, self._right, self._judged = (
            each if isinstance(each, int) else share.total(each)
            for each in (self._sums, self._counts, self._right, self._judged)
        )
        for correlation in self._correlations:
            correlation.add_others(share)

    def loss(self) -> Tensor:
        """(K,) the mean loss of the samples seen; 0 before there is one."""
        if isinstance(self._sums, int):
            return torch.zeros(1)
        return self._loss.mean(self._sums, self._counts)

    def accuracy(self) -> tuple[float, ...] | None:
        """(K,) share of right classes, the mean over the outputs with classes that were known; None without."""
        if isinstance(self._right, int) or isinstance(self._judged, int):
            return None
        shares = self._right / self._judged  # 0 / 0 is NaN
        return tuple(shares.nanmean(dim=1).tolist())

    def correlation(self) -> tuple[float, ...] | None:
        """(K,) Pearson's r of predicted and target, the mean over the outputs that are numbers; None unless wanted."""
        if not self._correlations:
            return None
        each = torch.stack([correlation.value() for correlation in self._correlations])  # (O', K)
        return tuple(each.mean(dim=0).tolist())


def _judge(classes: Sequence[tuple[int, Head]], predicted: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """(K, C) right predictions and (K, C) known targets of C outputs with classes.

    The predicted class of two is the upper one at a score above 0; of more it has the highest score.
    """
    right, judged = [], []
    for index, head in classes:
        scores = predicted[..., head.columns]
        chosen = scores[..., 0] > 0 if head.classes == 2 else scores.argmax(dim=-1)
        target = targets[..., index].expand(chosen.shape)
        right.append((chosen == target).sum(dim=1))  # NaN equals nothing
        judged.append((~torch.isnan(target)).sum(dim=1))
    return torch.stack(right, dim=1), torch.stack(judged, dim=1)


class _Correlation:
    """Pearson's r of one output over many minibatches.

    Of quantiles the middle one counts, or the mean of the two in the middle, after they were put in
    order as predictions are. Sums are kept in float64 on the CPU, as not every device has it; r is 0
    where one side never changes.
    """

    def __init__(self, index: int, head: Head) -> None:
        self._index = index
        self._head = head
        self._sums: Tensor | int = 0

    def add(self, predicted: Tensor, targets: Tensor) -> None:
        columns, size = predicted[..., self._head.columns].cpu().double(), self._head.size
        given = columns.sort(dim=-1).values[..., (size - 1) // 2 : size // 2 + 1].mean(dim=-1)  # (K, B)
        came = targets[..., self._index].cpu().double().expand(given.shape)
        known = ~torch.isnan(came)
        x, y = torch.where(known, given, 0.0), torch.where(known, came, 0.0)
        self._sums += torch.stack([known.double(), x, y, x * x, y * y, x * y]).sum(dim=-1)

    def add_others(self, share: Share) -> None:
        self._sums = share.total(torch.as_tensor(self._sums))

    def value(self) -> Tensor:
        """(K,) float64."""
        n, x, y, xx, yy, xy = torch.as_tensor(self._sums)  # (6, K)
        spread = (xx - x * x / n).clamp(min=0) * (yy - y * y / n).clamp(min=0)
        flat = spread <= 1e-24 * (xx * yy)
        return torch.where(flat, 0.0, (xy - x * y / n) / spread.sqrt().where(~flat, 1.0))
