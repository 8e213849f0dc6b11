"""What training makes small: a loss for each output, and the mean of them by the outputs' weights.

Every loss is a mean over the samples whose target is known, of each of K networks by itself.
`e` is predicted − target, both scaled:

    squared      e²
    absolute     |e|
    huber        ½ e² up to delta, then delta · (|e| − ½ delta)          (Huber, 1964)
    log-cosh     log(cosh e)
    quantile     max(−q e, (1 − q) e), the pinball loss                  (Koenker and Bassett, 1978)
    quantiles    the mean of it over an output's levels
    cross-entropy    −log of the probability of the target's class: the sigmoid of the score for the
                 upper one of two classes, the softmax of the scores for more
    hinge        max(0, 1 − y s) with y = ±1 for two classes, s > 0 being the upper one; for more
                 max(0, 1 + largest other score − the class's own)       (Crammer and Singer, 2001)
"""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from dlplugin.definition import Definition, Head, Output, TrainingOptions
from dlplugin.errors import DefinitionError

__all__ = ["Loss", "balanced_weights", "class_counts"]

Targets = NDArray[np.float32]
Each = Callable[[Tensor, Tensor], Tensor]  # predicted (K, B, n), target (K, B) -> (K, B)

LOG_2 = float(np.log(2.0))


class Loss(nn.Module):
    """The loss of a definition under these options.

    A target that is NaN is unknown: that sample does not count for that output. Outputs are combined
    by their `weight`, divided by the sum of the weights; an output none of whose targets is known
    counts 0.

    With class weights the loss of a sample of class c is multiplied by w(c), whose mean over the
    in-sample samples is 1: so the loss keeps its size, and a list means what its multiples mean.
    "balanced" is w(c) = samples / (classes that occur · samples of class c), as in scikit-learn; a
    class that never occurs in-sample has weight 1.

    Args:
        definition: Its outputs.
        options: Which losses, and the class weights.
        in_sample: (S, O) targets of the in-sample samples.
        others: (S', O) targets of samples that the loss will be asked of besides these.

    Attributes:
        plain: Whether all outputs are numbers that are always known and weigh alike.

    Raises:
        DefinitionError: A list of class weights does not fit the classes.
    """

    _weights: Tensor

    def __init__(
        self,
        definition: Definition,
        options: TrainingOptions,
        in_sample: Targets,
        others: Targets | None = None,
    ) -> None:
        super().__init__()
        self.heads = definition.heads
        given = torch.tensor([output.weight for output in definition.outputs], dtype=torch.float64)
        self.register_buffer("_weights", (given / given.sum()).float(), persistent=False)
        self._number = _number_loss(options)
        known = not np.isnan(in_sample).any() and (others is None or not np.isnan(others).any())
        alike = len({output.weight for output in definition.outputs}) == 1
        self.plain = known and alike and all(head.kind == "number" for head in self.heads)
        self._each = nn.ModuleList(
            _each(output, head, options, in_sample[:, index], self._number)
            for index, (output, head) in enumerate(zip(definition.outputs, self.heads, strict=True))
        )

    def forward(
        self, predicted: Tensor, targets: Tensor, weights: Tensor | None = None
    ) -> tuple[Tensor, Tensor, Tensor | int]:
        """The losses over one minibatch, and what to add up for those of an epoch.

        Args:
            predicted: (K, B, N).
            targets: (K, B, O), or (B, O) for all networks alike; NaN where unknown.
            weights: (K, B), what each sample counts; all alike when None. The sum is divided by the
                number of samples, so weights of mean 1 over all samples leave the loss its size.

        Returns:
            (K,) losses; and without their gradients sums and counts, which added up over minibatches
            give `mean` the losses of all their samples together.
        """
        if not self.plain:
            sums, counts = self._sums(predicted, targets, weights)
            return self.mean(sums, counts), sums.detach(), counts
        each = self._number(predicted - targets)
        if weights is None:
            losses = each.mean(dim=(1, 2))
        else:
            losses = (each.mean(dim=2) * weights).mean(dim=1)
        count = predicted.shape[1]
        return losses, losses.detach() * count, count

    def of_part(
        self,
        predicted: Tensor,
        targets: Tensor,
        weights: Tensor | None = None,
        whole: Tensor | None = None,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """What some samples add to the losses of their minibatch; over all its samples these are `forward`'s.

        Args:
            predicted: (K, b, N); b may be 0.
            targets: (K, b, O) or (b, O).
            weights: (K, b).
            whole: (K, B, O) the targets of the whole minibatch; these targets are all when None.

        Returns:
            As `forward`, sums and counts those of these samples.
        """
        sums, counts = self._sums(predicted, targets, weights)
        known = counts if whole is None else (~torch.isnan(whole)).sum(dim=1)
        return self.mean(sums, known), sums.detach(), counts

    def mean(self, sums: Tensor, counts: Tensor | int) -> Tensor:
        """(K,) losses from added up sums and counts."""
        if isinstance(counts, int):
            return sums / counts
        return (sums / counts.clamp(min=1)) @ self._weights

    def _sums(self, predicted: Tensor, targets: Tensor, weights: Tensor | None) -> tuple[Tensor, Tensor]:
        """(K, O) sums of the losses of samples with known targets, and (K, O) how many these are."""
        targets = targets.expand(*predicted.shape[:2], targets.shape[-1])
        known = ~torch.isnan(targets)
        sums = []
        for index, (head, each) in enumerate(zip(self.heads, self._each, strict=True)):
            target = torch.where(known[..., index], targets[..., index], 0.0)
            losses = each(predicted[..., head.columns], target) * known[..., index]
            sums.append((losses if weights is None else losses * weights).sum(dim=1))
        return torch.stack(sums, dim=1), known.sum(dim=1)


class _Number(nn.Module):
    """One column that is a number."""

    def __init__(self, loss: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self._loss = loss

    def forward(self, predicted: Tensor, target: Tensor) -> Tensor:
        return self._loss(predicted[..., 0] - target)


class _Quantiles(nn.Module):
    """A column for each level; the mean of their pinball losses."""

    levels: Tensor

    def __init__(self, levels: Sequence[float]) -> None:
        super().__init__()
        self.register_buffer("levels", torch.tensor(levels), persistent=False)

    def forward(self, predicted: Tensor, target: Tensor) -> Tensor:
        return _pinball(predicted - target.unsqueeze(-1), self.levels).mean(dim=-1)


class _Classes(nn.Module):
    """One score for two classes, a score a class for more."""

    class_weights: Tensor | None

    def __init__(self, loss: Each, class_weights: NDArray[np.float64] | None) -> None:
        super().__init__()
        self._loss = loss
        weights = None if class_weights is None else torch.from_numpy(class_weights).float()
        self.register_buffer("class_weights", weights, persistent=False)

    def forward(self, predicted: Tensor, target: Tensor) -> Tensor:
        losses = self._loss(predicted, target)
        return losses if self.class_weights is None else losses * self.class_weights[target.long()]


def class_counts(targets: Targets, classes: int) -> NDArray[np.int64]:
    """(classes,) how many of (S,) targets are of each class; NaN is none."""
    return np.bincount(targets[~np.isnan(targets)].astype(np.int64), minlength=classes)


def balanced_weights(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """(classes,) samples / (classes that occur · samples of the class); 1 for one that does not occur."""
    occur = counts > 0
    weights = counts.sum() / (max(occur.sum(), 1) * np.maximum(counts, 1))
    return np.where(occur, weights, 1.0)


def _each(
    output: Output, head: Head, options: TrainingOptions, targets: Targets, number: Callable[[Tensor], Tensor]
) -> nn.Module:
    if head.kind == "number":
        return _Number(number)
    if head.kind == "quantiles":
        return _Quantiles(output.quantiles or ())
    two = head.classes == 2
    if options.class_loss == "hinge":
        loss = _hinge if two else _crammer_singer
    else:
        loss = _binary_cross_entropy if two else _cross_entropy
    return _Classes(loss, _class_weights(output, head, options, class_counts(targets, head.classes)))


def _class_weights(
    output: Output, head: Head, options: TrainingOptions, counts: NDArray[np.int64]
) -> NDArray[np.float64] | None:
    if options.class_weights == "none":
        return None
    if options.class_weights == "balanced":
        return balanced_weights(counts)
    given = np.array(options.class_weights, dtype=np.float64)
    if len(given) != head.classes:
        raise DefinitionError(
            f"class_weights is {list(options.class_weights)!r}, but {output.name!r} has {head.classes} classes: "
            f"{', '.join(output.labels)}; give {head.classes} numbers"
        )
    total = float(given @ counts)
    if not total:
        raise DefinitionError(
            f"class_weights is {list(options.class_weights)!r}, but all in-sample samples of {output.name!r} are of "
            "classes that count 0; give these a number above 0"
        )
    weights: NDArray[np.float64] = given * (counts.sum() / total)
    return weights


def _number_loss(options: TrainingOptions) -> Callable[[Tensor], Tensor]:
    """Scaled errors (...) to losses (...)."""
    if options.loss == "squared":
        return torch.square
    if options.loss == "absolute":
        return torch.abs
    if options.loss == "log-cosh":
        return _log_cosh
    if options.loss == "quantile":
        return lambda errors: _pinball(errors, options.quantile)
    return lambda errors: functional.huber_loss(
        errors, torch.zeros_like(errors), reduction="none", delta=options.huber_delta
    )


def _log_cosh(errors: Tensor) -> Tensor:
    """log(cosh e) = |e| + log(1 + exp(−2|e|)) − log 2, which never overflows."""
    size = errors.abs()
    return size + functional.softplus(-2.0 * size) - LOG_2


def _pinball(errors: Tensor, level: Tensor | float) -> Tensor:
    return torch.maximum(-level * errors, (1.0 - level) * errors)


def _binary_cross_entropy(scores: Tensor, target: Tensor) -> Tensor:
    return functional.binary_cross_entropy_with_logits(scores[..., 0], target, reduction="none")


def _cross_entropy(scores: Tensor, target: Tensor) -> Tensor:
    return functional.cross_entropy(scores.movedim(-1, 1), target.long(), reduction="none")


def _hinge(scores: Tensor, target: Tensor) -> Tensor:
    return functional.relu(1.0 - (2.0 * target - 1.0) * scores[..., 0])


def _crammer_singer(scores: Tensor, target: Tensor) -> Tensor:
    place = target.long().unsqueeze(-1)
    own = scores.gather(-1, place).squeeze(-1)
    others = scores.scatter(-1, place, -torch.inf).amax(dim=-1)
    return functional.relu(1.0 + others - own)
