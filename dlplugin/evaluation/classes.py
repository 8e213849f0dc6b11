"""How good predicted classes are, beside always naming the class that was most frequent in sample."""

import math
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dlplugin.evaluation.class_errors import brier_values, class_errors, reliability
from dlplugin.evaluation.class_scores import ClassScores
from dlplugin.evaluation.comparison import Comparison
from dlplugin.evaluation.plain import from_plain, to_plain
from dlplugin.evaluation.rule_hits import rule_hits
from dlplugin.evaluation.rules import FREQUENT, in_order
from dlplugin.evaluation.uncertainty import mean_with_error
from dlplugin.evaluation.values import FloatArray

__all__ = [
    "ClassResult",
    "ClassScores",
    "ClassValues",
    "DroppedValues",
    "evaluate_classes",
    "score_classes",
]


@dataclass(frozen=True, eq=False)
class DroppedValues:
    """The samples of one span that came in the dropped class.

    Attributes:
        times: (D,) datetime64, bar t of each.
        predicted: (D,) the number of the class predicted, which cannot be right; NaN for one that failed.
    """

    times: NDArray[np.datetime64]
    predicted: FloatArray


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
        overlap: Days that one output goes over, at least 1.
        dropped: The samples of the span that came in the dropped class; None where no class is dropped.
        by_rule: Rule to (S,) the number of the class that it names, beside the most frequent one in sample.
    """

    start: pd.Timestamp
    end: pd.Timestamp
    times: NDArray[np.datetime64]
    actual: NDArray[np.int64]
    predicted: FloatArray
    probabilities: FloatArray | None
    overlap: int
    dropped: DroppedValues | None = None
    by_rule: dict[str, FloatArray] = field(default_factory=dict)


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
    plain = _scores(name, classes, values)
    if values.dropped is None:
        return plain
    both = _with_dropped(classes, values, values.dropped)
    return replace(plain, with_dropped=_scores(name, classes + 1, both))


def _scores(name: str, classes: int, values: ClassValues) -> ClassScores:
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
        brier=_brier(values),
        errors=class_errors(
            classes, values.actual, values.predicted, values.probabilities, values.times, values.overlap
        ),
        reliability=reliability(values.probabilities, values.actual, values.times, values.overlap),
    )


def _with_dropped(classes: int, values: ClassValues, dropped: DroppedValues) -> ClassValues:
    """The samples of all classes, the dropped one being the last."""
    times = np.concatenate([values.times, dropped.times])
    order = np.argsort(times, kind="stable")
    actual = np.concatenate([values.actual, np.full(len(dropped.times), classes)])
    predicted = np.concatenate([values.predicted, dropped.predicted])
    return ClassValues(
        values.start, values.end, times[order], actual[order], predicted[order], None, values.overlap
    )


def _brier(values: ClassValues) -> float:
    if values.probabilities is None or not len(values.actual):
        return math.nan
    return float(brier_values(values.probabilities, values.actual).mean())


def _log_loss(values: ClassValues) -> float:
    if values.probabilities is None or not len(values.actual):
        return math.nan
    given = values.probabilities[np.arange(len(values.actual)), values.actual]
    return float(-np.log(given).mean()) if (given > 0).all() else math.nan
