"""Permutation importance: what is lost when an input's values come from another sample."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dlplugin.evaluation.inputs.blocks import (
    Cells,
    IntArray,
    Judged,
    cells_of,
    input_labels,
    judged,
    overlap_of,
    predict_changed,
    read_cells,
    whole_number,
)
from dlplugin.evaluation.inputs.groups import MOVE_TOGETHER, average_linkage, input_correlations
from dlplugin.evaluation.inputs.importance import Importance, OutputImportance, Rise
from dlplugin.evaluation.inputs.losses import SampleLoss
from dlplugin.evaluation.uncertainty import mean_with_error
from dlplugin.evaluation.values import FloatArray
from dlplugin.samples import Samples

if TYPE_CHECKING:
    from dlplugin.prediction import Predictor

__all__ = ["importance_of"]


def importance_of(
    samples: Samples,
    predictor: "Predictor",
    span: str = "out-of-sample",
    repeats: int = 10,
    seed: int = 0,
    together: float = MOVE_TOGETHER,
) -> Importance:
    """How much the loss rises when an input's values are permuted among the samples (Breiman, 2001).

    All depths of an input move together, so that a sample gets the whole history of the input that another
    sample had; so does each group of inputs that move together. One permutation serves all inputs and
    outputs of a repeat.

    The error is 1.96 standard errors from `mean_with_error`, so days are counted, and overlapping look
    aheads known of. A sample counts with its own mean rise over the repeats and, since the rise is a mean
    over pairs, also with what its values did to the samples that received them (Hoeffding, 1948): without
    that, 95 % intervals would hold 83 %. With fewer than about ten repeats the error is too wide.

    Args:
        samples: Scaled as the predictor's training scaled them.
        predictor: Of the trained model.
        span: "out-of-sample" or "in-sample"; never the holdout.
        repeats: Permutations.
        seed: Of the permutations.
        together: Mean absolute rank correlation in sample from which inputs are permuted as a group.

    Raises:
        DefinitionError: A value is wrong.
        SamplesError: The span has no samples.
    """
    repeats, seed = whole_number("repeats", repeats, 1), whole_number("seed", seed, 0)
    chosen = judged(samples, span)
    labels, outputs = input_labels(samples.definition), range(len(samples.definition.outputs))
    groups = [group for group in average_linkage(input_correlations(samples), together) if len(group) > 1]
    losses = [SampleLoss(samples, predictor, chosen.rows, output) for output in outputs]
    as_it_is = predict_changed(predictor, samples, chosen.rows)
    base = [loss(as_it_is) for loss in losses]
    rises: dict[tuple[int, ...], list[Rise]] = {}
    for block in [*((index,) for index in range(len(labels))), *groups]:
        permuted = [_Permuted(loss.known) for loss in losses]
        for repeat in range(repeats):
            donors = np.random.default_rng([seed, repeat]).permutation(len(chosen.rows))
            predicted = _permuted(predictor, samples, chosen.rows, donors, block)
            for loss, sums in zip(losses, permuted, strict=True):
                sums.add(loss(predicted), donors)
        members = tuple(labels[index] for index in block)
        rises[block] = [
            _rise(members, base[output], permuted[output], samples, chosen, output) for output in outputs
        ]
    return Importance(
        outputs=tuple(
            OutputImportance(
                name=described.name,
                look_ahead=described.look_ahead,
                loss_name=losses[output].name,
                loss=_mean(base[output], losses[output].known),
                single=tuple(rises[(index,)][output] for index in range(len(labels))),
                groups=tuple(rises[group][output] for group in groups),
            )
            for output, described in enumerate(samples.definition.outputs)
        ),
        span=span,
        extent=chosen.extent,
        samples=len(chosen.rows),
        days=chosen.days,
        repeats=repeats,
        seed=seed,
        together=together,
    )


@dataclass
class _Permuted:
    """Losses of permuted samples added up: by the sample that lost, and by the one that gave its values."""

    known: NDArray[np.bool_]
    received: FloatArray = field(init=False)
    gave: FloatArray = field(init=False)
    given: FloatArray = field(init=False)
    repeats: int = 0

    def __post_init__(self) -> None:
        self.received, self.gave, self.given = np.zeros((3, len(self.known)))

    def add(self, losses: FloatArray, donors: IntArray) -> None:
        """One permutation: (S,) losses, 0 where not known, and (S,) which sample each got its values from."""
        self.received += losses
        self.gave[donors] += losses
        self.given[donors] += self.known
        self.repeats += 1


def _rise(
    members: tuple[str, ...],
    base: FloatArray,
    permuted: _Permuted,
    samples: Samples,
    chosen: Judged,
    output: int,
) -> Rise:
    known, repeats = permuted.known, permuted.repeats
    count = int(known.sum())
    if not count:
        return Rise(members, float("nan"), float("nan"))
    rises = permuted.received / repeats - base
    mean = float(rises.sum() / count)
    as_donor = (permuted.gave - permuted.given * (permuted.received.sum() / repeats / count)) / repeats
    influence = (known * (rises - mean) + as_donor) * (len(known) / count)
    overlap = overlap_of(samples, chosen, samples.definition.outputs[output].look_ahead)
    _, standard_error = mean_with_error(influence, chosen.times, overlap)
    return Rise(members, mean, standard_error)


def _permuted(
    predictor: "Predictor", samples: Samples, rows: IntArray, donors: IntArray, block: tuple[int, ...]
) -> FloatArray:
    own = cells_of(samples, block)

    def change(cells: Cells, part: slice) -> None:
        cells[:, own] = read_cells(samples, rows[donors[part]], own)

    return predict_changed(predictor, samples, rows, change)


def _mean(losses: FloatArray, known: NDArray[np.bool_]) -> float:
    return float(losses.sum() / known.sum()) if known.any() else float("nan")
