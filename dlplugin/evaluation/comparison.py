"""Whether a model is better than a trivial rule by more than chance: days, not samples, are counted."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from dlplugin.evaluation.metrics import hit_rate
from dlplugin.evaluation.plain import Number
from dlplugin.evaluation.rules import CONSTANTS, OWN_AVERAGE, in_order
from dlplugin.evaluation.uncertainty import CONFIDENT, mean_with_error
from dlplugin.evaluation.values import FloatArray, OutputSamples

__all__ = ["Comparison", "Figure", "Outcome", "compare", "compare_hits", "comparisons_of"]

Figure = Literal["loss", "hit rate", "accuracy"]
Outcome = Literal["beaten", "worse", "inside the error", "unknown"]


@dataclass(frozen=True)
class Comparison:
    """A model beside a trivial rule on the judged span.

    Attributes:
        rule: The trivial rule.
        difference: The rule's loss less the model's, or the model's hit rate or accuracy less the rule's:
            mean over the samples; above 0 when the model is the better one.
        standard_error: Of the difference; NaN when there are too few days to tell.
        beaten: The difference exceeds 1.96 standard errors, which happens in 2.5 % of the cases where the
            two are as good as each other.
        figure: What is compared: "loss", "hit rate" or "accuracy".
    """

    rule: str
    difference: Number
    standard_error: Number
    beaten: bool
    figure: Figure = "loss"

    @property
    def error(self) -> float:
        """Half the width of the 95 % interval: 1.96 standard errors."""
        return CONFIDENT * self.standard_error

    @property
    def outcome(self) -> Outcome:
        """Of the two: "beaten", the rule is; "worse", the model is, by more than the error; "inside the error".

        "unknown" where there are too few days to tell, or predictions failed.
        """
        if math.isnan(self.difference) or math.isnan(self.standard_error):
            return "unknown"
        if self.beaten:
            return "beaten"
        return "worse" if self.difference < -self.error else "inside the error"

    @classmethod
    def of(cls, rule: str, difference: float, standard_error: float, figure: Figure = "loss") -> "Comparison":
        """Whether the difference is beyond its error is found here."""
        return cls(rule, difference, standard_error, bool(difference > CONFIDENT * standard_error), figure)


def compare(
    rule: str,
    by_rule: FloatArray,
    by_model: FloatArray,
    actual: FloatArray,
    *,
    scale: FloatArray | float,
    times: NDArray[np.datetime64],
    overlap: int,
) -> Comparison:
    """Compares the squared errors of a rule and of the model, sample by sample.

    Args:
        rule: The rule's name.
        by_rule: (S,) its predictions.
        by_model: (S,) the model's predictions; one that is not finite makes the comparison NaN.
        actual: (S,) what came.
        scale: What divides the output during training; (S,) where that differs by symbol.
        times: (S,) bar t of each sample.
        overlap: Days that one output goes over; see `SpanValues.overlap`.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        # (a - r)² - (a - m)², factored: the squares may be all but equal
        differences = ((by_model - by_rule) / scale) * ((2 * actual - by_model - by_rule) / scale)
        mean, standard_error = mean_with_error(differences, times, overlap)
    return Comparison.of(rule, mean, standard_error)


def compare_hits(
    rule: str,
    by_rule: FloatArray,
    by_model: FloatArray,
    actual: FloatArray,
    *,
    times: NDArray[np.datetime64],
    overlap: int,
) -> Comparison:
    """Compares how often the signs of a rule and of the model are those of what came; see `hit_rate`.

    The arguments are those of `compare`; of a rule that only says up or down, its sides.
    """
    signs = np.sign(actual)
    hits = (np.sign(by_model) == signs).astype(np.float64) - (np.sign(by_rule) == signs)
    hits[~np.isfinite(by_model)] = np.nan
    return Comparison.of(rule, *mean_with_error(hits, times, overlap), "hit rate")


def comparisons_of(
    span: OutputSamples, average: FloatArray, scale: FloatArray | float
) -> tuple[Comparison, ...]:
    """Of the losses of all rules that predict a number, the constants first; then of hit rates.

    There is one of hit rates with each rule that takes a side, if the model takes one.

    Args:
        span: The judged one.
        average: (S,) the model's own average prediction, which is one of the constants.
        scale: What divides the output during training; (S,) where that differs by symbol.
    """
    times, overlap, actual = span.times, span.overlap, span.actual
    by_rule = span.by_rule | {OWN_AVERAGE: average}
    found = [
        compare(rule, by_rule[rule], span.predicted, actual, scale=scale, times=times, overlap=overlap)
        for rule in (*CONSTANTS, *in_order(span.by_rule.keys() - set(CONSTANTS)))
    ]
    sides = span.by_rule | span.sides
    if not np.isfinite(span.predicted).all() or not math.isnan(hit_rate(span.predicted, actual)):
        found += [
            compare_hits(rule, sides[rule], span.predicted, actual, times=times, overlap=overlap)
            for rule in in_order(sides)
            if not math.isnan(hit_rate(sides[rule], actual))
        ]
    return tuple(found)
