"""The verdict on an output that is a number, as a clause."""

import math
from collections.abc import Sequence

from dlplugin.evaluation.claims import beaten_rules
from dlplugin.evaluation.comparison import Comparison
from dlplugin.evaluation.phrases import WHERE, listed, others, too_few, written
from dlplugin.evaluation.results import EvaluatedOutput, OutputResult, SpanScores
from dlplugin.evaluation.rules import CONSTANTS, MEAN, OWN_AVERAGE
from dlplugin.evaluation.text import number, percent

__all__ = ["number_sentence"]


def number_sentence(output: EvaluatedOutput, result: OutputResult) -> str:
    """What the model beats on the judged span, by how much, against what error; or that it beats nothing."""
    span = result.spans[-1]
    where = WHERE[span.span]
    if math.isnan(span.by_rule["model"].loss):
        failed = sum(
            each.cells[-1].count for each in result.ranges.get("width", ()) if math.isnan(each.start)
        )
        said = f"{failed:,} of its predictions {where} are" if failed else f"its loss {where} is"
        return f"the model beats nothing: {said} not {'finite' if failed else 'a number'}"
    compared = [each for each in result.comparisons if each.figure == "loss"]
    if any(math.isnan(each.standard_error) for each in compared if each.rule in CONSTANTS):
        return too_few(output, where, span.days)
    if not beaten_rules(result):
        return _nothing(compared, span, where)
    hits = [each for each in result.comparisons if each.figure == "hit rate"]
    return _something(compared, span, where) + _more_hits(hits, span)


def _something(compared: Sequence[Comparison], span: SpanScores, where: str) -> str:
    losses = _losses(compared, span)

    def gain(each: Comparison) -> tuple[str, str]:
        by, error = (number(100 * value / losses[each.rule], 2) for value in (each.difference, each.error))
        return f"{by} %", f"{error} %"

    constants: list[str] = []
    for each in (each for each in compared if each.rule in CONSTANTS and each.rule != OWN_AVERAGE):
        by, error = gain(each)
        constants.append(f"{_the(each.rule)} by {by}{'' if constants else ' of its loss'} (±{error})")
    rest = [each for each in compared if each.rule not in CONSTANTS]
    return f"the model beats the constants {where}, {listed(constants)}{others(rest, gain)}"


def _more_hits(hits: Sequence[Comparison], span: SpanScores) -> str:
    """The rule that has the sign right most often, where the model does not by more than the error."""
    more = [each for each in hits if each.outcome == "worse"]
    if not more:
        return ""
    best = min(more, key=lambda each: each.difference)
    by_rule, by_model = (percent(span.by_rule[rule].hit_rate) for rule in (best.rule, "model"))
    return (
        f"; {_the(best.rule)} has the sign right more often, in {by_rule} and not in {by_model} "
        f"(±{100 * best.error:.1f} percentage points)"
    )


def _nothing(compared: Sequence[Comparison], span: SpanScores, where: str) -> str:
    losses = _losses(compared, span)
    constants = [each for each in compared if each.rule in CONSTANTS and not each.beaten]
    if len(constants) > 1:  # the model's average is of interest where the others are beaten
        constants = [each for each in constants if each.rule != OWN_AVERAGE]
    worse = [each for each in compared if each.rule not in CONSTANTS and each.outcome == "worse"]
    decimals = _decimals([*constants, *worse])

    def against(each: Comparison, ending: str = "'s") -> str:
        figures = f"{written(losses[each.rule], decimals)} ± {written(each.error, decimals)}"
        return f"{_the(each.rule)}{ending} ({figures})"

    inside = [against(each) for each in constants if each.outcome == "inside the error"]
    above = [against(each) for each in constants if each.outcome == "worse"]
    parts = [f"above {listed(above)} by more than the error"] if above else []
    parts += [f"inside the error of {listed(inside)}"] if inside else []
    text = f"the model beats nothing: {where} its loss {written(losses['model'], decimals)} is {', and '.join(parts)}"
    if worse:
        does = "does" if len(worse) == 1 else "do"
        text += f"; {listed([against(each, '') for each in worse])} {does} better by more than the error"
    won = [_the(each.rule) for each in compared if each.beaten and each.rule != OWN_AVERAGE]
    if won:
        best = min(constants, key=lambda each: losses[each.rule])
        text += f"; it loses less than {listed(won)}, but {_the(best.rule)} does as well"
    return text


def _losses(compared: Sequence[Comparison], span: SpanScores) -> dict[str, float]:
    """Of the model and of all it is compared with, the model's average among them."""
    model = span.by_rule["model"].loss
    return {"model": model} | {
        each.rule: model + each.difference if each.rule == OWN_AVERAGE else span.by_rule[each.rule].loss
        for each in compared
    }


def _decimals(comparisons: Sequence[Comparison]) -> int:
    """Decimals that show two digits of the smallest error, so that no difference is rounded away."""
    errors = [each.error for each in comparisons if each.error > 0]
    return min(max(1 - math.floor(math.log10(min(errors))), 0), 12) if errors else 4


def _the(rule: str) -> str:
    return {MEAN: f"the {MEAN}", OWN_AVERAGE: "its own average"}.get(rule, rule)
