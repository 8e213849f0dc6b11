"""Scores in plain sentences: what the model beats, by how much, against what error."""

import math
from collections.abc import Sequence

from dlplugin.evaluation.classes import ClassResult
from dlplugin.evaluation.comparison import Comparison
from dlplugin.evaluation.results import EvaluatedOutput, OutputResult, SpanScores
from dlplugin.evaluation.text import number, percent

__all__ = ["beaten_rules", "headline", "verdict"]

CONSTANT_RULES = ("in-sample mean", "zero")

CAVEAT = "The out-of-sample span chose the save point, so these figures flatter the model; "
UNSEEN = "only the holdout is unseen."
NOTHING_UNSEEN = "there is no holdout, so no days are unseen."


def verdict(
    outputs: Sequence[EvaluatedOutput],
    results: Sequence[OutputResult | ClassResult],
    selected: bool = True,
    holdout: bool = True,
    note: str = "",
) -> str:
    """A sentence for each output, and others on how far to trust it.

    Args:
        outputs: What was predicted.
        results: One for each output.
        selected: Whether the out-of-sample span chose the weights.
        holdout: Whether days were kept out of all of this.
        note: What to know of the out-of-sample samples when they are not by dates, as a clause.
    """
    said = [headline(outputs, results)]
    if not results[0].comparisons:
        return said[0]
    if note:
        said.append(f"{note[0].upper()}{note[1:]}.")
    if selected:
        said.append(CAVEAT + (UNSEEN if holdout else NOTHING_UNSEEN))
    elif not holdout:
        said.append(f"{NOTHING_UNSEEN[0].upper()}{NOTHING_UNSEEN[1:]}")
    return " ".join(said)


def headline(outputs: Sequence[EvaluatedOutput], results: Sequence[OutputResult | ClassResult]) -> str:
    """The verdict's sentences on what the model beats, one for each output; none on how far to trust them."""
    if not results[0].comparisons:
        return (
            "There is no out-of-sample span, so whether the model beats anything is not known: "
            "in-sample figures only say how well it remembers."
        )
    said = []
    for output, result in zip(outputs, results, strict=True):
        text = (
            _class_sentence(output, result) if isinstance(result, ClassResult) else _sentence(output, result)
        )
        said.append(f"For {output.name}: {text}." if len(outputs) > 1 else f"{text[0].upper()}{text[1:]}.")
    return " ".join(said)


def beaten_rules(result: OutputResult | ClassResult) -> tuple[str, ...]:
    """The rules that the model is to be credited with beating; none when constants do as well.

    None, too, when each of them does worse than an unbeaten constant, zero or the in-sample mean: to lose
    less than an overfitted ridge needs no model, and to lose less than zero where prices drift needs only
    the mean. Likewise for classes: to be right more often than the class that was most frequent in sample
    is no feat where always naming another one would have been as good, up to the comparison's error.
    """
    if not result.comparisons:
        return ()
    if isinstance(result, ClassResult):
        span = result.spans[-1]
        gain = span.accuracy - span.most_frequent
        return tuple(each.rule for each in result.comparisons if each.beaten and gain > each.error)
    losses = {rule: scores.loss for rule, scores in result.spans[-1].by_rule.items()}
    unbeaten = [
        losses[each.rule] for each in result.comparisons if each.rule in CONSTANT_RULES and not each.beaten
    ]
    beaten = tuple(each.rule for each in result.comparisons if each.beaten)
    counts = any(losses[rule] < min(unbeaten, default=math.inf) for rule in beaten)
    return beaten if counts else ()


def _sentence(output: EvaluatedOutput, result: OutputResult) -> str:
    span = result.spans[-1]
    if math.isnan(span.by_rule["model"].loss):
        return "the model beats nothing: its out-of-sample loss is not a number"
    if any(math.isnan(each.standard_error) for each in result.comparisons):
        return _too_few(output, span.days)
    beaten = beaten_rules(result)
    if not beaten:
        return _nothing(result.comparisons, span)
    return _something(result.comparisons, span, beaten)


def _class_sentence(output: EvaluatedOutput, result: ClassResult) -> str:
    span, (comparison,) = result.spans[-1], result.comparisons
    if span.failed:
        return f"the model beats nothing: {span.failed:,} of its predictions out of sample are not a class"
    if math.isnan(comparison.standard_error):
        return _too_few(output, span.days)
    rule = f"always naming {output.labels[result.named_always]!r}, the most frequent class in sample"
    right, by_rule = percent(span.accuracy), percent(result.rule_accuracy(-1))
    gain, error = (f"{100 * value:.1f}" for value in (comparison.difference, comparison.error))
    if beaten_rules(result):
        return (
            f"the model beats {rule}: out of sample it is right in {right} of the samples and not in {by_rule}, "
            f"a gain of {gain} percentage points (±{error})"
        )
    named = [label for label, count in zip(output.labels, span.named, strict=True) if count]
    if len(named) == 1:
        return (
            f"the model beats nothing: out of sample it names {named[0]!r} in every sample, which is right in {right}; "
            f"{rule}, is right in {by_rule}"
        )
    if comparison.beaten:
        frequent = output.labels[span.came.index(max(span.came))]
        return (
            f"the model beats nothing: out of sample it is right in {right} of the samples, more often than "
            f"{rule} ({by_rule}), but always naming {frequent!r} would have been in {percent(span.most_frequent)} "
            f"(±{error} percentage points)"
        )
    text = (
        f"the model beats nothing: out of sample it is right in {right} of the samples, which is not above the "
        f"{by_rule} of {rule}, by more than the error (±{error} percentage points)"
    )
    return f"{text}; that does better by more than the error" if _worse(comparison) else text


def _too_few(output: EvaluatedOutput, days: int) -> str:
    there = f"{days:,} days out of sample are" if days != 1 else "1 day out of sample is"
    bars = f"{output.look_ahead} bar{'s' if output.look_ahead != 1 else ''}"
    return f"the model beats nothing: {there} too few to tell at a look ahead of {bars}"


def _something(comparisons: Sequence[Comparison], span: SpanScores, beaten: Sequence[str]) -> str:
    parts = []
    for index, each in enumerate(each for each in comparisons if each.rule in beaten):
        rule_loss = span.by_rule[each.rule].loss
        gain, error = (number(100 * value / rule_loss, 2) for value in (each.difference, each.error))
        parts.append(f"{_the(each.rule)} by {gain} %{'' if index else ' of its loss'} (±{error} %)")
    decimals = _decimals(comparisons)
    loss = f"{span.by_rule['model'].loss:.{decimals}f}"
    if len(beaten) == len(comparisons):
        return f"the model beats all three rules out of sample, where its loss is {loss}: {_list(parts)}"
    others = []
    for each in (each for each in comparisons if each.rule not in beaten):
        against = f"{span.by_rule[each.rule].loss:.{decimals}f} ± {each.error:.{decimals}f}"
        others.append(f"{_the(each.rule)} ({against}{', which beats it' if _worse(each) else ''})")
    return f"out of sample the model (loss {loss}) beats {_list(parts)}, but not {_list(others, 'nor')}"


def _nothing(comparisons: Sequence[Comparison], span: SpanScores) -> str:
    """Every comparison is either lost, or won against a rule that a constant beats as well."""
    decimals = _decimals(comparisons)
    lost: list[str] = []
    for each in (each for each in comparisons if not each.beaten):
        form = "{}'s ({} ± {})" if lost else "{}'s ({}) by more than the error (±{})"
        loss = span.by_rule[each.rule].loss
        lost.append(form.format(_the(each.rule), f"{loss:.{decimals}f}", f"{each.error:.{decimals}f}"))
    model = f"{span.by_rule['model'].loss:.{decimals}f}"
    text = f"the model beats nothing: out of sample its loss {model} is not below {_list(lost, 'nor')}"
    won = [_the(each.rule) for each in comparisons if each.beaten]
    if won:
        text += f"; it loses less than {_list(won)}, but so does a constant"
    worse = [_the(each.rule) for each in comparisons if _worse(each)]
    if worse:
        text += f"; {_list(worse)} {'does' if len(worse) == 1 else 'do'} better by more than the error"
    return text


def _worse(each: Comparison) -> bool:
    return each.difference < -each.error


def _decimals(comparisons: Sequence[Comparison]) -> int:
    """Decimals that show two digits of the smallest error, so that no difference is rounded away."""
    errors = [each.error for each in comparisons if each.error > 0]
    return min(max(1 - math.floor(math.log10(min(errors))), 0), 12) if errors else 4


def _the(rule: str) -> str:
    return f"the {rule}" if rule == "in-sample mean" else rule


def _list(parts: Sequence[str], last: str = "and") -> str:
    """Joined for reading.

    >>> _list(["a", "b", "c"]), _list(["a", "b"], "nor"), _list(["a"])
    ('a, b and c', 'a nor b', 'a')
    """
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} {last} {parts[-1]}"
