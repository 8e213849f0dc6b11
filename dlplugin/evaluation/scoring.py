"""Numbers beside trivial rules on the same samples."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np
import pandas as pd

from dlplugin.errors import SamplesError
from dlplugin.evaluation.calibration import calibrate
from dlplugin.evaluation.comparison import Comparison, comparisons_of
from dlplugin.evaluation.cross_section import cross_section
from dlplugin.evaluation.evaluation import Evaluation
from dlplugin.evaluation.groups import Thresholds, group_scores, volatility_thresholds
from dlplugin.evaluation.metrics import Scores, score, score_errors
from dlplugin.evaluation.ranges import range_rows
from dlplugin.evaluation.results import EvaluatedOutput, OutputResult, SpanScores
from dlplugin.evaluation.rules import MEAN, directions, in_order, rule_predictions
from dlplugin.evaluation.values import FloatArray, OutputSamples, SpanValues

__all__ = ["OutputLike", "evaluate"]


class OutputLike(Protocol):
    """What `evaluate` needs of an output."""

    @property
    def name(self) -> str:
        """Its name in tables and sentences."""

    @property
    def look_ahead(self) -> int:
        """Bars."""


def evaluate(
    outputs: Sequence[OutputLike],
    output_scale: FloatArray,
    in_sample: SpanValues,
    judged: SpanValues | None,
    selected: bool = True,
    holdout: bool = True,
    note: str = "",
    span: str = "out-of-sample",
    boosting: bool = False,
) -> Evaluation:
    """Scores a model beside trivial rules, on the same samples.

    The rules are fitted on in-sample rows only. On the judged span the losses are compared with an error
    that counts days, not samples, and knows that look aheads overlap; see `mean_with_error`.

    Args:
        outputs: In the order of the columns of `predicted`.
        output_scale: (O,) what divides each output during training, so that losses have the unit of the
            training curves; where the spans have scales by symbol, those count.
        in_sample: One sample at least.
        judged: The samples that tell how good the model is; None, or no samples, where there are none.
        selected: Whether that span chose the weights or the epoch at which training stopped.
        holdout: Whether days were kept out of all of this.
        note: What to know of the out-of-sample samples when they are not by dates, as a clause.
        span: What the judged span is: "out-of-sample" or "holdout".
        boosting: Whether gradient boosting is among the rules, where scikit-learn is installed.

    Raises:
        SamplesError: There is no in-sample sample, or the shapes do not fit.
    """
    if judged is not None and len(judged) == 0:
        judged = None
    _check(outputs, output_scale, in_sample, judged, span)
    spans = {"in-sample": in_sample} | ({} if judged is None else {span: judged})
    predictions = rule_predictions(
        in_sample,
        tuple(spans.values()),
        max(output.look_ahead for output in outputs),
        np.asarray(output_scale),
        boosting,
    )
    sides = directions(tuple(spans.values()))
    described = tuple(
        EvaluatedOutput(output.name, int(output.look_ahead), float(scale))
        for output, scale in zip(outputs, output_scale, strict=True)
    )
    samples = tuple(
        tuple(
            _output_samples(name, values, output.look_ahead, column, by_rule, side)
            for (name, values), by_rule, side in zip(spans.items(), predictions, sides, strict=True)
        )
        for column, output in enumerate(described)
    )
    results = tuple(
        _evaluate_output(output, column, tuple(spans.values()), samples[column])
        for column, output in enumerate(described)
    )
    return Evaluation(described, results, selected, holdout, note, samples)


def _output_samples(
    name: str,
    values: SpanValues,
    look_ahead: int,
    column: int,
    by_rule: dict[str, FloatArray],
    sides: dict[str, FloatArray],
) -> OutputSamples:
    unknown = np.full(len(values), np.nan)
    return OutputSamples(
        span=name,
        times=values.times,
        symbols=values.symbols,
        predicted=values.predicted[:, column],
        actual=values.actual[:, column],
        by_rule={rule: predicted[:, column] for rule, predicted in by_rule.items()},
        volatility=unknown if values.volatility is None else values.volatility,
        overlap=values.overlap(look_ahead),
        sides=sides,
    )


def _evaluate_output(
    output: EvaluatedOutput,
    column: int,
    values: tuple[SpanValues, ...],
    samples: tuple[OutputSamples, ...],
) -> OutputResult:
    scales = [_scale(each, output, column) for each in values]
    thresholds = volatility_thresholds(samples[0])
    spans = tuple(_span_scores(span, scale, thresholds) for span, scale in zip(samples, scales, strict=True))
    comparisons: tuple[Comparison, ...] = ()
    if len(samples) > 1:
        comparisons = comparisons_of(samples[1], _average(values[1], column), scales[1])
    tables = {by: range_rows(samples, by=by) for by in ("width", "count")}
    return OutputResult(spans, comparisons, tables)


def _span_scores(span: OutputSamples, scale: FloatArray | float, thresholds: Thresholds) -> SpanScores:
    numbers = {"model": span.predicted} | span.by_rule
    said = numbers | span.sides
    rules = ("model", *in_order(said))
    mean = span.by_rule[MEAN]

    def scored(values: FloatArray) -> Scores:
        return score(values, span.actual, scale, mean)

    def erred(values: FloatArray) -> Scores:
        return score_errors(values, span.actual, scale, mean, span.times, span.overlap)

    return SpanScores(
        span=span.span,
        start=pd.Timestamp(span.times.min()),
        end=pd.Timestamp(span.times.max()),
        samples=len(span),
        days=len(np.unique(span.times.astype("datetime64[D]"))),
        by_rule={rule: _figures(said[rule], numbers.get(rule), scored) for rule in rules},
        errors={rule: _figures(said[rule], numbers.get(rule), erred) for rule in rules},
        cross_section=cross_section(span.predicted, span.actual, span.times, span.symbols, span.overlap),
        calibration=calibrate(span),
        groups=group_scores(span, scale, thresholds),
    )


def _figures(said: FloatArray, number: FloatArray | None, found: Callable[[FloatArray], Scores]) -> Scores:
    """Loss and R² are of the number, NaN without one; the rest of what is said, which may be only a side."""
    if number is said:
        return found(said)
    of_number = None if number is None else found(number)
    return replace(
        found(said),
        loss=math.nan if of_number is None else of_number.loss,
        r_squared=math.nan if of_number is None else of_number.r_squared,
    )


def _average(span: SpanValues, column: int) -> FloatArray:
    """(S,) the model's own average prediction on the span; at each symbol's level where scaled by symbol."""
    predicted = span.predicted[:, column]
    if span.center is None or span.scale is None:
        return np.full(len(span), predicted.mean())
    center, scale = span.center[:, column], span.scale[:, column]
    average: FloatArray = ((predicted - center) / scale).mean() * scale + center
    return average


def _scale(span: SpanValues, output: EvaluatedOutput, column: int) -> FloatArray | float:
    """What divides the output of each sample: (S,) where it is scaled by symbol."""
    return output.scale if span.scale is None else span.scale[:, column]


def _check(
    outputs: Sequence[OutputLike],
    output_scale: FloatArray,
    in_sample: SpanValues,
    judged: SpanValues | None,
    name_of_judged: str,
) -> None:
    if len(in_sample) == 0:
        raise SamplesError("there are no in-sample samples; an evaluation needs one at least")
    if judged is not None and judged.inputs.shape[1] != in_sample.inputs.shape[1]:
        raise SamplesError(
            f"{name_of_judged} inputs have {judged.inputs.shape[1]} columns, but the in-sample ones "
            f"{in_sample.inputs.shape[1]}; both spans need the same inputs"
        )
    for name, span in (("in-sample", in_sample), (name_of_judged, judged)):
        if span is not None and span.predicted.shape[1] != len(outputs):
            raise SamplesError(
                f"{name} predictions have {span.predicted.shape[1]} columns; give one for each of the "
                f"{len(outputs)} outputs"
            )
    if np.shape(output_scale) != (len(outputs),):
        raise SamplesError(
            f"output_scale is of shape {np.shape(output_scale)}; give one number for each of the "
            f"{len(outputs)} outputs"
        )
    for output, scale in zip(outputs, output_scale, strict=True):
        if not (np.isfinite(scale) and scale > 0):
            raise SamplesError(f"the scale of {output.name} is {scale}; it must be finite and above 0")
        if output.look_ahead < 1:
            raise SamplesError(f"the look ahead of {output.name} is {output.look_ahead}; give 1 or more")
