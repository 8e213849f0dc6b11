"""What an evaluation found for one output that is a number, as plain values that go into JSON and back."""

from dataclasses import dataclass, field
from typing import Any

from dlplugin.evaluation.calibration import Calibration
from dlplugin.evaluation.comparison import Comparison
from dlplugin.evaluation.cross_section import CrossSection
from dlplugin.evaluation.groups import GroupScores
from dlplugin.evaluation.metrics import Scores
from dlplugin.evaluation.plain import PLAIN, Moment, Number, from_plain, to_plain
from dlplugin.evaluation.ranges import RangeRow

__all__ = ["EvaluatedOutput", "OutputResult", "SpanScores"]


@dataclass(frozen=True)
class EvaluatedOutput:
    """An output as far as its evaluation needs it.

    Attributes:
        name: As in the definition.
        look_ahead: Bars.
        scale: What divides it during training; 1 for classes.
        labels: Its classes in words, the lowest first; none for numbers.
        quantiles: The levels that are predicted; none for others.
    """

    name: str
    look_ahead: int
    scale: Number
    labels: tuple[str, ...] = ()
    quantiles: tuple[float, ...] = ()


@dataclass(frozen=True)
class SpanScores:
    """The figures of one output on one span.

    Attributes:
        span: "in-sample", "out-of-sample" or "holdout".
        start: Bar t of the first sample.
        end: Bar t of the last sample.
        samples: How many.
        days: Calendar days with a sample.
        by_rule: Scores of "model" and of each trivial rule.
        errors: Standard errors of these scores, under the same names; see `mean_with_error`.
        cross_section: How predictions order the symbols of a day; None with fewer than three symbols.
        calibration: The line through what came against what was predicted.
        groups: By symbol, by year and by volatility.
        below: For each predicted quantile the share of samples whose actual value is below it, which
            should be about the quantile's level; none where no quantiles are predicted.
    """

    __pydantic_config__ = PLAIN

    span: str
    start: Moment
    end: Moment
    samples: int
    days: int
    by_rule: dict[str, Scores]
    errors: dict[str, Scores] = field(default_factory=dict)
    cross_section: CrossSection | None = None
    calibration: Calibration | None = None
    groups: tuple[GroupScores, ...] = ()
    below: tuple[Number, ...] = ()


@dataclass(frozen=True)
class OutputResult:
    """All that was found for one output.

    Attributes:
        spans: In-sample, then out-of-sample or the holdout where that was judged.
        comparisons: With each trivial rule, on the judged span; empty where there is none.
        ranges: Tables of ten predicted ranges, of equal width ("width") and of equal count ("count").
    """

    spans: tuple[SpanScores, ...]
    comparisons: tuple[Comparison, ...]
    ranges: dict[str, tuple[RangeRow, ...]]

    def to_dict(self) -> dict[str, Any]:
        """Plain types."""
        plain: dict[str, Any] = to_plain(self)
        return plain

    @classmethod
    def from_dict(cls, plain: dict[str, Any]) -> "OutputResult":
        """The inverse of `to_dict`."""
        return from_plain(cls, plain)
