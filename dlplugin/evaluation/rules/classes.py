"""The trivial rules for outputs in classes, fitted on in-sample rows only."""

from collections.abc import Sequence

import numpy as np

from dlplugin.evaluation.rules.boosting import boosted_classes, boosting_is_there
from dlplugin.evaluation.rules.direction import directions
from dlplugin.evaluation.rules.names import BOOSTING, FREQUENT, LAST, RIDGE
from dlplugin.evaluation.rules.ridge import fit_ridge
from dlplugin.evaluation.values import FloatArray, SpanValues

__all__ = ["class_rule_predictions"]


def class_rule_predictions(
    classes: int,
    in_sample: SpanValues,
    spans: Sequence[SpanValues],
    reach: int,
    boosting: bool = False,
) -> list[dict[str, FloatArray]]:
    """The class that each trivial rule names on each span.

    A rule that says up names the highest class, one that says down the lowest, see `directions`. Ridge is
    the class with the largest of the least-squares predictions of who is in it. Where a rule has nothing
    to say, since no side is taken or the value now is unknown or in a dropped class, it names the class
    that was the most frequent in sample, the lowest of equals.

    Args:
        classes: C, how many there are.
        in_sample: What the rules are fitted on; its (S, 1) actual values, and the current ones, are the
            numbers of classes.
        spans: What they predict.
        reach: Timestamps that an output looks ahead.
        boosting: Whether gradient boosting is wanted: it takes a second or more.

    Returns:
        One dictionary a span: rule -> (S,) the number of a class. A rule that needs prices is left out where
        they are not known, gradient boosting where scikit-learn is not installed; without an in-sample
        sample there is none.
    """
    if not len(in_sample):
        return [{} for _ in spans]
    came = in_sample.actual[:, 0].astype(np.int64)
    frequent = float(np.bincount(came, minlength=classes).argmax())
    inputs = [span.inputs for span in spans]
    ridge = fit_ridge(in_sample.inputs, np.eye(classes)[came], in_sample.times, reach)
    boosted = boosted_classes(in_sample.inputs, came, inputs) if boosting and boosting_is_there() else None
    _, *sides = directions([in_sample, *spans])
    found = []
    for index, span in enumerate(spans):
        named = {FREQUENT: np.full(len(span), frequent)}
        if span.current is not None and _known(in_sample.current):
            named[LAST] = np.where(np.isfinite(span.current[:, 0]), span.current[:, 0], frequent)
        for rule, side in sides[index].items():
            named[rule] = np.select([side > 0, side < 0], [classes - 1.0, 0.0], frequent)
        named[RIDGE] = ridge.predict(span.inputs).argmax(axis=1).astype(np.float64)
        if boosted is not None:
            named[BOOSTING] = boosted[index]
        found.append(named)
    return found


def _known(values: FloatArray | None) -> bool:
    return values is not None and bool(np.isfinite(values).any())
