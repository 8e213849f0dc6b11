"""The trivial rules for outputs that are numbers, fitted on in-sample rows only."""

from collections.abc import Sequence

import numpy as np

from dlplugin.evaluation.rules.boosting import boosted_numbers, boosting_is_there
from dlplugin.evaluation.rules.direction import PAIRS, directions
from dlplugin.evaluation.rules.names import BOOSTING, LAST, MEAN, RIDGE, ZERO
from dlplugin.evaluation.rules.ridge import fit_ridge
from dlplugin.evaluation.values import FloatArray, SpanValues

__all__ = ["rule_predictions"]


def rule_predictions(
    in_sample: SpanValues,
    spans: Sequence[SpanValues],
    look_ahead: int,
    output_scale: FloatArray,
    boosting: bool = False,
) -> list[dict[str, FloatArray]]:
    """What each trivial rule predicts on each span, fitted to the scaled outputs as the model is.

    "last value" is the output's own indicator at bar t, the in-sample mean where that is not known. A rule
    that only says up or down, see `directions`, predicts what came on average on its side in sample: two
    constants. Its reverse has the same two, and so is left out here.

    Args:
        in_sample: What the rules are fitted on; one sample at least.
        spans: What they predict.
        look_ahead: Bars, the largest of the outputs.
        output_scale: (O,) what divides each output where one scaling serves all symbols.
        boosting: Whether gradient boosting is wanted: it takes a second or more.

    Returns:
        One dictionary a span: rule -> (S, O) in the outputs' own units. A rule that needs prices is left
        out where they are not known, gradient boosting where scikit-learn is not installed.
    """
    units = [span.units(output_scale) for span in spans]
    center, scale = in_sample.units(output_scale)
    scaled = (in_sample.actual - center) / scale
    mean = scaled.mean(axis=0)
    inputs = [span.inputs for span in spans]
    ridge = fit_ridge(in_sample.inputs, scaled, in_sample.times, in_sample.reach(look_ahead))
    fitted = {
        MEAN: [np.broadcast_to(mean, span.actual.shape) for span in spans],
        **_directed(in_sample, spans, scaled),
        RIDGE: [ridge.predict(each) for each in inputs],
    }
    if boosting and boosting_is_there():
        fitted[BOOSTING] = boosted_numbers(in_sample.inputs, scaled, inputs)
    found = []
    for index, (span, (center, scale)) in enumerate(zip(spans, units, strict=True)):
        predicted = {rule: values[index] * scale + center for rule, values in fitted.items()}
        predicted[ZERO] = np.zeros(span.actual.shape)
        if span.current is not None and _known(in_sample.current):
            predicted[LAST] = np.where(np.isfinite(span.current), span.current, predicted[MEAN])
        found.append(predicted)
    return found


def _directed(
    in_sample: SpanValues, spans: Sequence[SpanValues], scaled: FloatArray
) -> dict[str, list[FloatArray]]:
    """For the first of each pair the in-sample average of its side, (S, O) for each span."""
    own, *others = directions([in_sample, *spans])
    mean = scaled.mean(axis=0)
    predicted: dict[str, list[FloatArray]] = {}
    for rule, _ in PAIRS:
        if rule in own:
            down, up = (scaled[own[rule] == side] for side in (-1, 1))
            levels = np.stack([each.mean(axis=0) if len(each) else mean for each in (down, scaled, up)])
            predicted[rule] = [levels[each[rule].astype(np.int64) + 1] for each in others]
    return predicted


def _known(values: FloatArray | None) -> bool:
    return values is not None and bool(np.isfinite(values).any(axis=0).all())
