"""How good predicted classes are, beside always naming the class that was most frequent in sample."""

import math
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dlplugin.evaluation.comparison import Comparison
from dlplugin.evaluation.plain import PLAIN, Moment, Number, from_plain, to_plain
from dlplugin.evaluation.rule_hits import RuleHits, rule_hits
from dlplugin.evaluation.rules import FREQUENT, in_order
from dlplugin.evaluation.uncertainty import mean_with_error
from dlplugin.evaluation.values import FloatArray

__all__ = ["ClassResult", "ClassScores", "ClassValues", "evaluate_classes", "score_classes"]

Counts = tuple[tuple[int, ...], ...]


@dataclass(frozen=True, eq=False)
class ClassValues:
    """The samples of one span that have a class; those of a dropped class are left out.

    Attributes:
        start: Bar t of the span's first sample, dropped ones included.
        end: Bar t of its last sample.
        times: (S,) datetime64, bar t of each sample, rising.
        actual: (S,) int64, the number of the class that came.
        predicted: (S,) the number of the class predicted; NaN for a prediction that failed.
        probabilities: (S, C) of each class; None where the model gives scores only.
        overlap: Timestamps that one output goes over, at least 1.
        by_rule: Rule to (S,) the number of the class that it names, beside the most frequent one in sample.
    """

    start: pd.Timestamp
    end: pd.Timestamp
    times: NDArray[np.datetime64]
    actual: NDArray[np.int64]
    predicted: FloatArray
    probabilities: FloatArray | None
    overlap: int
    by_rule: dict[str, FloatArray] = field(default_factory=dict)


@dataclass(frozen=True)
class ClassScores:
    """What was predicted and what came on one span; all figures but the log loss are made of the counts.

    Attributes:
        span: "in-sample" or "out-of-sample".
        start: Bar t of the first sample.
        end: Bar t of the last sample.
        days: Calendar days with a sample.
        counts: (C, C) samples by the class that came (row) and the class predicted (column).
        failed: Samples whose prediction is not a class; with one, figures of the model are NaN.
        log_loss: Mean of -ln(probability of the class that came); NaN where there are no probabilities,
            and where that of a class that came is 0.
        by_rule: How the trivial rules do on the same samples.
    """

    __pydantic_config__ = PLAIN

    span: str
    start: Moment
    end: Moment
    days: int
    counts: Counts
    failed: int
    log_loss: Number
    by_rule: dict[str, RuleHits] = field(default_factory=dict)

    @property
    def samples(self) -> int:
        """How many have a class."""
        return int(self._counts.sum()) + self.failed

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
        counts = self._counts.astype(np.float64)
        total, came, named = counts.sum(), counts.sum(axis=1), counts.sum(axis=0)
        spread = (total**2 - came @ came) * (total**2 - named @ named)
        if self.failed or not spread > 0:
            return math.nan
        return float((np.trace(counts) * total - came @ named) / math.sqrt(spread))

    @property
    def precision(self) -> tuple[float, ...]:
        """(C,) of the samples predicted to be in a class, the share that was; NaN where none was predicted."""
        return self._diagonal_over(self._counts.sum(axis=0))

    @property
    def recall(self) -> tuple[float, ...]:
        """(C,) of the samples in a class, the share that was predicted to be; NaN where none came."""
        return self._diagonal_over(self._counts.sum(axis=1))

    @property
    def _counts(self) -> NDArray[np.int64]:
        return np.array(self.counts, dtype=np.int64)

    def _share(self, part: float, whole: int) -> float:
        return math.nan if self.failed or not whole else part / whole

    def _diagonal_over(self, totals: NDArray[np.int64]) -> tuple[float, ...]:
        hits = np.diag(self._counts)
        return tuple(self._share(float(hit), int(total)) for hit, total in zip(hits, totals, strict=True))


@dataclass(frozen=True)
class ClassResult:
    """All that was found for one output in classes.

    Attributes:
        spans: In-sample, then out-of-sample where there is one.
        comparisons: With each trivial rule on the judged span, first with always naming the class that was
            most frequent in sample: the difference is that of the accuracies. Empty where there is no such
            span.
    """

    spans: tuple[ClassScores, ...]
    comparisons: tuple[Comparison, ...]

    @property
    def named_always(self) -> int:
        """The class that was the most frequent in sample, the lowest of equals."""
        return int(np.argmax(self.spans[0].came))

    def rule_accuracy(self, span: int) -> float:
        """The accuracy on a span, by position, of always naming the in-sample span's most frequent class."""
        scores = self.spans[span]
        return math.nan if not sum(scores.came) else scores.came[self.named_always] / sum(scores.came)

    def rule_log_loss(self, span: int) -> float:
        """The log loss on a span, by position, of giving each class its in-sample share as probability."""
        known, came = np.array(self.spans[0].came), np.array(self.spans[span].came)
        if not came.sum() or (known[came > 0] == 0).any():
            return math.nan
        shares = known[came > 0] / known.sum()
        return float(-(came[came > 0] @ np.log(shares)) / came.sum())

    def to_dict(self) -> dict[str, Any]:
        """Plain types."""
        plain: dict[str, Any] = to_plain(self)
        return plain

    @classmethod
    def from_dict(cls, plain: dict[str, Any]) -> "ClassResult":
        """The inverse of `to_dict`."""
        return from_plain(cls, plain)


def evaluate_classes(
    classes: int, in_sample: ClassValues, judged: ClassValues | None, span: str = "out-of-sample"
) -> ClassResult:
    """Scores predicted classes, and compares them on the judged span with trivial rules.

    Args:
        classes: C, how many there are.
        in_sample: Its most frequent class, the lowest of equals, is what the first rule names.
        judged: None where there is no such span.
        span: What that is: "out-of-sample" or "holdout".
    """
    given = {"in-sample": in_sample} | ({} if judged is None else {span: judged})
    plain = ClassResult(tuple(score_classes(name, classes, values) for name, values in given.items()), ())
    spans, named = [], {}
    for scores, values in zip(plain.spans, given.values(), strict=True):
        named = values.by_rule | {FREQUENT: np.full(len(values.actual), float(plain.named_always))}
        hits = {
            rule: rule_hits(classes, values.actual, said, values.times, values.overlap)
            for rule, said in named.items()
        }
        spans.append(replace(scores, by_rule=hits))
    if judged is None:
        return ClassResult(tuple(spans), ())
    right = (judged.predicted == judged.actual).astype(np.float64)
    right[~np.isfinite(judged.predicted)] = np.nan
    comparisons = tuple(
        Comparison.of(
            rule,
            *mean_with_error(right - (named[rule] == judged.actual), judged.times, judged.overlap),
            "accuracy",
        )
        for rule in in_order(named)
    )
    return ClassResult(tuple(spans), comparisons)


def score_classes(name: str, classes: int, values: ClassValues) -> ClassScores:
    """The figures of one span.

    Args:
        name: Of the span.
        classes: C.
        values: Its samples.
    """
    known = np.isfinite(values.predicted)
    cells = values.actual[known] * classes + values.predicted[known].astype(np.int64)
    counts = np.bincount(cells, minlength=classes * classes).reshape(classes, classes)
    return ClassScores(
        span=name,
        start=values.start,
        end=values.end,
        days=len(np.unique(values.times.astype("datetime64[D]"))),
        counts=tuple(tuple(row) for row in counts.tolist()),
        failed=int((~known).sum()),
        log_loss=_log_loss(values),
    )


def _log_loss(values: ClassValues) -> float:
    if values.probabilities is None or not len(values.actual):
        return math.nan
    given = values.probabilities[np.arange(len(values.actual)), values.actual]
    return float(-np.log(given).mean()) if (given > 0).all() else math.nan
