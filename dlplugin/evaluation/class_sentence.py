"""The verdict on an output in classes, as a clause."""

import math

from dlplugin.evaluation.claims import beaten_rules
from dlplugin.evaluation.classes import ClassResult
from dlplugin.evaluation.comparison import Comparison
from dlplugin.evaluation.phrases import WHERE, listed, others, too_few
from dlplugin.evaluation.results import EvaluatedOutput
from dlplugin.evaluation.rules import FREQUENT
from dlplugin.evaluation.text import percent

__all__ = ["class_sentence"]


def class_sentence(output: EvaluatedOutput, result: ClassResult) -> str:
    """What the model beats on the judged span, by how much, against what error; or that it beats nothing."""
    span = result.spans[-1]
    first = next(each for each in result.comparisons if each.rule == FREQUENT)
    rest = [each for each in result.comparisons if each.rule != FREQUENT]
    where = WHERE[span.span]
    if span.failed:
        return f"the model beats nothing: {span.failed:,} of its predictions {where} are not a class"
    if math.isnan(first.standard_error):
        return too_few(output, where, span.days)
    if beaten_rules(result):
        right, by_rule = percent(span.accuracy), percent(result.rule_accuracy(-1))
        gain, error = _points(first)
        return (
            f"the model beats {_always(output, result)}: {where} it is right in {right} of the samples and not "
            f"in {by_rule}, a gain of {gain} percentage points (±{error}){others(rest, _points)}"
        )
    worse = [each for each in rest if each.outcome == "worse"]
    text = _nothing(output, result, first, where)
    if not worse:
        return text
    right_in = [f"{each.rule} ({percent(span.by_rule[each.rule].accuracy)})" for each in worse]
    return f"{text}; {listed(right_in)} {'does' if len(worse) == 1 else 'do'} better by more than the error"


def _nothing(output: EvaluatedOutput, result: ClassResult, first: Comparison, where: str) -> str:
    span = result.spans[-1]
    rule, error = _always(output, result), _points(first)[1]
    right, by_rule = percent(span.accuracy), percent(result.rule_accuracy(-1))
    named = [label for label, count in zip(output.labels, span.named, strict=True) if count]
    if len(named) == 1:
        return (
            f"the model beats nothing: {where} it names {named[0]!r} in every sample, which is right in {right}; "
            f"{rule}, is right in {by_rule}"
        )
    said = f"the model beats nothing: {where} it is right in {right} of the samples,"
    if first.beaten:
        frequent = output.labels[span.came.index(max(span.came))]
        return (
            f"{said} more often than {rule} ({by_rule}), but always naming {frequent!r} would have been in "
            f"{percent(span.most_frequent)} (±{error} percentage points)"
        )
    if first.outcome == "worse":
        return (
            f"{said} less often than {rule} ({by_rule}), by more than the error (±{error} percentage points)"
        )
    return f"{said} which is inside the error of the {by_rule} of {rule} (±{error} percentage points)"


def _always(output: EvaluatedOutput, result: ClassResult) -> str:
    return f"always naming {output.labels[result.named_always]!r}, the most frequent class in sample"


def _points(each: Comparison) -> tuple[str, str]:
    """Difference and error in percentage points."""
    return f"{100 * each.difference:.1f}", f"{100 * each.error:.1f}"
