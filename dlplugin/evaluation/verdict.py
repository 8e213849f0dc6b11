"""Scores in plain sentences: what the model beats, by how much, against what error; and how often that is wrong.

**False alarms: 2.5 % at most.** A model is credited with beating anything only where it beats every constant, by
a one-sided test at 2.5 % each; see `beaten_rules`. One that is no better than one of them passes that one's
test in 2.5 % of the cases, whatever the others say, so it passes all in no more. Measured without training, on
1,000 panels each: 2.1 % of models whose loss is exactly a constant's, looking 1 bar ahead; 0.4 % at 5 bars and
none at 20; and none of noise, of overfitted models, or of constants near the mean. Measured by training on 200
random walks, 1 or 5 bars ahead, with drift and without: 2, or 1.0 %, although their save points were
chosen on the days that judge them; on 100 more in two or three classes: none. What stands beside that, which
of the other rules are beaten too, is one test at 2.5 % for each rule.

**Power.** Where 1 % of the variance of the next return can be known, over 11 symbols and 2,300 days split 0.6, 0.2,
0.2, trained models were credited in 42 of 50 studies (84 %), and the best forecast there is in nine of ten. Of
0.5 % that forecast is credited in 63 of 100, of 0.2 % in 24, and of 1 % over a fifth of the days in 18: "beats
nothing" does not say that there is nothing.

Both are held by tests: `tests/test_verdict_rates.py` and `tests/evaluation/test_false_alarms.py`.
"""

from collections.abc import Sequence

from dlplugin.evaluation.class_sentence import class_sentence
from dlplugin.evaluation.classes import ClassResult
from dlplugin.evaluation.number_sentence import number_sentence
from dlplugin.evaluation.results import EvaluatedOutput, OutputResult

__all__ = ["headline", "verdict"]

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
    """A sentence for each output, and others on how far to trust it; of the holdout the former alone.

    Args:
        outputs: What was predicted.
        results: One for each output.
        selected: Whether the out-of-sample span chose the weights.
        holdout: Whether days were kept out of all of this.
        note: What to know of the out-of-sample samples when they are not by dates, as a clause.
    """
    said = [headline(outputs, results)]
    if not results[0].comparisons or results[0].spans[-1].span == "holdout":
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
        if isinstance(result, ClassResult):
            text = class_sentence(output, result)
        else:
            text = number_sentence(output, result)
        said.append(f"For {output.name}: {text}." if len(outputs) > 1 else f"{text[0].upper()}{text[1:]}.")
    return " ".join(said)
