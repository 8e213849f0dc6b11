"""What an evaluation found for one output, as plain values that go into JSON and back."""

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

from dlplugin.evaluation.baselines import RULES
from dlplugin.evaluation.comparison import Comparison
from dlplugin.evaluation.metrics import Scores
from dlplugin.evaluation.ranges import Cells

__all__ = ["EvaluatedOutput", "OutputResult", "SpanScores", "without_nan"]


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
    scale: float
    labels: tuple[str, ...] = ()
    quantiles: tuple[float, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain types; what only classes and quantiles have is there for them alone."""
        return {name: value for name, value in vars(self).items() if value != ()}

    @classmethod
    def from_dict(cls, plain: dict[str, Any]) -> "EvaluatedOutput":
        """The inverse of `to_dict`."""
        lists: dict[str, Any] = {
            name: tuple(plain[name]) for name in ("labels", "quantiles") if name in plain
        }
        return cls(**(plain | lists))


@dataclass(frozen=True)
class SpanScores:
    """The figures of one output on one span.

    Attributes:
        span: "in-sample" or "out-of-sample".
        start: Bar t of the first sample.
        end: Bar t of the last sample.
        samples: How many.
        days: Calendar days with a sample.
        by_rule: Scores of "model", "in-sample mean", "zero" and "ridge".
        below: For each predicted quantile the share of samples whose actual value is below it, which
            should be about the quantile's level; none where no quantiles are predicted.
    """

    span: str
    start: pd.Timestamp
    end: pd.Timestamp
    samples: int
    days: int
    by_rule: dict[str, Scores]
    below: tuple[float, ...] = ()


@dataclass(frozen=True)
class OutputResult:
    """All that was found for one output.

    Attributes:
        spans: In-sample, then out-of-sample where there is one.
        comparisons: With each trivial rule, out of sample; empty where there is no such span.
        cells: What tables are made of.
    """

    spans: tuple[SpanScores, ...]
    comparisons: tuple[Comparison, ...]
    cells: Cells

    def to_dict(self) -> dict[str, Any]:
        """Plain types; NaN is still NaN."""
        plain = asdict(self)
        for span in plain["spans"]:
            span["start"], span["end"] = span["start"].isoformat(), span["end"].isoformat()
            if not span["below"]:
                del span["below"]
        return plain

    @classmethod
    def from_dict(cls, plain: dict[str, Any]) -> "OutputResult":
        """The inverse of `to_dict`; None stands for NaN."""
        spans = tuple(
            SpanScores(
                span=str(span["span"]),
                start=pd.Timestamp(span["start"]),
                end=pd.Timestamp(span["end"]),
                samples=int(span["samples"]),
                days=int(span["days"]),
                by_rule={
                    rule: Scores(**_numbers(span["by_rule"][rule]))
                    for rule in ("model", *RULES)
                    if rule in span["by_rule"]
                },
                below=tuple(_number(share) for share in span.get("below", ())),
            )
            for span in plain["spans"]
        )
        comparisons = tuple(Comparison.from_dict(each) for each in plain["comparisons"])
        cells = plain["cells"]
        counts, sums = cells["counts"], cells["sums"]
        return cls(
            spans,
            comparisons,
            Cells(
                exponent=int(cells["exponent"]),
                first=int(cells["first"]),
                edges=int(cells["edges"]),
                counts=(tuple(map(int, counts[0])), tuple(map(int, counts[1]))),
                sums=(tuple(map(float, sums[0])), tuple(map(float, sums[1]))),
            ),
        )


def without_nan(value: Any) -> Any:
    """The same plain value with None for every number that JSON does not know."""
    if isinstance(value, dict):
        return {key: without_nan(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [without_nan(each) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _in_order(rules: Iterable[str]) -> list[str]:
    """The model, then the rules as they always stand; stored JSON is in alphabetical order."""
    return sorted(rules, key=("model", *RULES).index)


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)


def _numbers(values: dict[str, float | None]) -> dict[str, float]:
    return {name: _number(value) for name, value in values.items()}
