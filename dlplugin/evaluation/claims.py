"""What a model is credited with beating; how often that is wrong is in `verdict`."""

from dlplugin.evaluation.classes import ClassResult
from dlplugin.evaluation.results import OutputResult
from dlplugin.evaluation.rules import CONSTANTS, FREQUENT, OWN_AVERAGE

__all__ = ["beaten_rules"]


def beaten_rules(result: OutputResult | ClassResult) -> tuple[str, ...]:
    """The rules that the model is to be credited with beating; none when a constant does as well.

    Of numbers the constants are the in-sample mean, zero and the model's own average prediction on the judged
    span. That one is there because levels drift: where volatility has fallen, a model that knows nothing but
    has forgotten a part of the in-sample mean is nearer to what came than that mean, and no better than
    a constant. To lose less than an overfitted ridge, or than zero where prices drift, takes no model.

    Of classes the constants are always to name the class that was most frequent in sample, and the one that
    turned out to be on the judged span; of the latter the gain has to exceed the error of the former.

    Returns:
        In the order of the comparisons, those of losses or of accuracies that are beaten.
    """
    compared = [each for each in result.comparisons if each.figure != "hit rate"]
    beaten = [each.rule for each in compared if each.beaten]
    if isinstance(result, ClassResult):
        first = next((each for each in compared if each.rule == FREQUENT), None)
        span = result.spans[-1]
        if first is None or not (first.beaten and span.accuracy - span.most_frequent > first.error):
            return ()
    elif not set(CONSTANTS) <= set(beaten):
        return ()
    return tuple(rule for rule in beaten if rule != OWN_AVERAGE)
