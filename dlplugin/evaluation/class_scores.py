"""What was predicted and what came in classes: the counts and all that is made of them."""

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from dlplugin.evaluation.class_errors import ClassErrors, ReliabilityRow
from dlplugin.evaluation.groups import GroupScores
from dlplugin.evaluation.plain import PLAIN, Moment, Number
from dlplugin.evaluation.rule_hits import RuleHits, matthews

__all__ = ["ClassScores"]

Counts = tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class ClassScores:
    """What was predicted and what came on one span; but for log loss and Brier score, figures are of counts.

    Attributes:
        span: "in-sample", "out-of-sample" or "holdout".
        start: Bar t of the first sample.
        end: Bar t of the last sample.
        days: Calendar days with a sample.
        counts: (C, C) samples by the class that came (row) and the class predicted (column).
        failed: Samples whose prediction is not a class; with one, figures of the model are NaN.
        log_loss: Mean of -ln(probability of the class that came); NaN where there are no probabilities,
            and where that of a class that came is 0.
        brier: Mean over the samples of the sum over the classes of (probability - 1 where it came)², from
            0 to 2 (Brier, 1950); NaN where there are no probabilities.
        errors: Standard errors of the figures, under the same names.
        reliability: The share that came by ranges of predicted probability, class by class; none where
            there are no probabilities.
        with_dropped: The figures when the samples of the dropped class count as well: one more class, the
            last, that is never named, so that none of its samples is right. It has no log loss, no Brier
            score and no reliability. None where no class is dropped.
        groups: By symbol, by year and by volatility; the dropped class is in none.
        by_rule: How the trivial rules do on the same samples, those of a dropped class left out.
    """

    __pydantic_config__ = PLAIN

    span: str
    start: Moment
    end: Moment
    days: int
    counts: Counts
    failed: int
    log_loss: Number
    brier: Number
    errors: ClassErrors
    reliability: tuple[ReliabilityRow, ...] = ()
    with_dropped: "ClassScores | None" = None
    groups: tuple[GroupScores, ...] = ()
    by_rule: dict[str, RuleHits] = field(default_factory=dict)

    @property
    def samples(self) -> int:
        """How many have a class."""
        return int(self._counts.sum()) + self.failed

    @property
    def dropped(self) -> tuple[int, ...]:
        """(C,) how many samples of the dropped class were named each of the others; zeros without one."""
        classes = len(self.counts)
        return (0,) * classes if self.with_dropped is None else self.with_dropped.counts[-1][:classes]

    @property
    def came(self) -> tuple[int, ...]:
        """(C,) samples of each class, without those whose prediction failed."""
        return tuple(self._counts.sum(axis=1).tolist())

    @property
    def named(self) -> tuple[int, ...]:
        """(C,) how often each class was predicted."""
        return tuple(self._counts.sum(axis=0).tolist())

    @property
    def accuracy(self) -> float:
        """Share of the samples whose class was predicted; NaN without samples."""
        return self._share(float(np.trace(self._counts)), self.samples)

    @property
    def most_frequent(self) -> float:
        """Share of the span's own most frequent class: what always naming it would have hit."""
        return self._share(float(max(self.came, default=0)), self.samples)

    @property
    def correlation(self) -> float:
        """Matthews correlation, for several classes by Gorodkin (2004).

        1 is perfect and 0 no better than chance, whatever the shares of the classes. NaN where only one
        class came or was predicted.
        """
        return math.nan if self.failed else matthews(self._counts)

    @property
    def precision(self) -> tuple[float, ...]:
        """(C,) of the samples predicted to be in a class, the share that was; NaN where none was predicted."""
        return self._diagonal_over(self._counts.sum(axis=0))

    @property
    def recall(self) -> tuple[float, ...]:
        """(C,) of the samples in a class, the share that was predicted to be; NaN where none came."""
        return self._diagonal_over(self._counts.sum(axis=1))

    @property
    def f1(self) -> tuple[float, ...]:
        """(C,) harmonic mean of precision and recall, 2 hits / (came + predicted) (van Rijsbergen, 1979).

        NaN where the class neither came nor was predicted.
        """
        counts = self._counts
        return self._diagonal_over(counts.sum(axis=0) + counts.sum(axis=1), times=2)

    @property
    def shares(self) -> tuple[tuple[float, ...], ...]:
        """(C, C) the counts as shares of their row: of what came, what was predicted; NaN where none came."""
        rows = self._counts.astype(np.float64)
        totals = rows.sum(axis=1, keepdims=True)
        shares = np.divide(rows, totals, out=np.full(rows.shape, np.nan), where=totals > 0)
        return tuple(tuple(row) for row in shares.tolist())

    @property
    def _counts(self) -> NDArray[np.int64]:
        return np.array(self.counts, dtype=np.int64)

    def _share(self, part: float, whole: int) -> float:
        return math.nan if self.failed or not whole else part / whole

    def _diagonal_over(self, totals: NDArray[np.int64], times: int = 1) -> tuple[float, ...]:
        hits = times * np.diag(self._counts)
        return tuple(self._share(float(hit), int(total)) for hit, total in zip(hits, totals, strict=True))
