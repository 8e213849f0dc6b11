"""Numbers beside three trivial rules on the same samples."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import pandas as pd

from dlplugin.errors import SamplesError
from dlplugin.evaluation.baselines import RULES, rule_predictions
from dlplugin.evaluation.comparison import Comparison, compare
from dlplugin.evaluation.evaluation import SPANS, Evaluation
from dlplugin.evaluation.metrics import score
from dlplugin.evaluation.ranges import fill_cells
from dlplugin.evaluation.results import EvaluatedOutput, OutputResult, SpanScores
from dlplugin.evaluation.values import FloatArray, SpanValues

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
    out_of_sample: SpanValues | None,
    selected: bool = True,
    holdout: bool = True,
    note: str = "",
) -> Evaluation:
    """Scores a model beside the in-sample mean, zero and ridge regression, on the same samples.

    The rules are fitted on in-sample rows only. Out of sample, the losses are compared with an error that
    counts timestamps, not samples, and knows that look aheads overlap; see `mean_with_error`.

    Args:
        outputs: In the order of the columns of `predicted`.
        output_scale: (O,) what divides each output during training, so that losses have the unit of the
            training curves; where the spans have scales by symbol, those count.
        in_sample: One sample at least.
        out_of_sample: None, or no samples, where there is no such span.
        selected: Whether that span chose the weights or the epoch at which training stopped.
        holdout: Whether days were kept out of all of this.
        note: What to know of the out-of-sample samples when they are not by dates, as a clause.

    Raises:
        SamplesError: There is no in-sample sample, or the shapes do not fit.
    """
    if out_of_sample is not None and len(out_of_sample) == 0:
        out_of_sample = None
    _check(outputs, output_scale, in_sample, out_of_sample)
    spans = (in_sample,) if out_of_sample is None else (in_sample, out_of_sample)
    predictions = rule_predictions(
        in_sample, spans, max(output.look_ahead for output in outputs), np.asarray(output_scale)
    )
    described = tuple(
        EvaluatedOutput(output.name, int(output.look_ahead), float(scale))
        for output, scale in zip(outputs, output_scale, strict=True)
    )
    results = tuple(
        _evaluate_output(output, column, spans, predictions) for column, output in enumerate(described)
    )
    return Evaluation(described, results, selected, holdout, note)


def _evaluate_output(
    output: EvaluatedOutput,
    column: int,
    spans: tuple[SpanValues, ...],
    predictions: Sequence[dict[str, FloatArray]],
) -> OutputResult:
    span_scores = []
    for name, span, by_rule in zip(SPANS, spans, predictions, strict=False):
        predicted = {"model": span.predicted[:, column]} | {rule: by_rule[rule][:, column] for rule in RULES}
        scale, mean = _scale(span, output, column), by_rule["in-sample mean"][:, column]
        scores = {
            rule: score(values, span.actual[:, column], scale, mean) for rule, values in predicted.items()
        }
        start, end = pd.Timestamp(span.times.min()), pd.Timestamp(span.times.max())
        days = len(np.unique(span.times.astype("datetime64[D]")))
        span_scores.append(SpanScores(name, start, end, len(span), days, scores))
    columns = [(span.predicted[:, column], span.actual[:, column]) for span in spans]
    comparisons = _comparisons(output, column, spans[1], predictions[1]) if len(spans) > 1 else ()
    cells = fill_cells(columns[0], columns[1] if len(columns) > 1 else None)
    return OutputResult(tuple(span_scores), comparisons, cells)


def _comparisons(
    output: EvaluatedOutput, column: int, span: SpanValues, by_rule: dict[str, FloatArray]
) -> tuple[Comparison, ...]:
    overlap = 1 + span.reach(output.look_ahead - 1)
    return tuple(
        compare(
            rule,
            by_rule[rule][:, column],
            span.predicted[:, column],
            span.actual[:, column],
            scale=_scale(span, output, column),
            times=span.times,
            overlap=overlap,
        )
        for rule in RULES
    )


def _scale(span: SpanValues, output: EvaluatedOutput, column: int) -> FloatArray | float:
    """What divides the output of each sample: (S,) where it is scaled by symbol."""
    return output.scale if span.scale is None else span.scale[:, column]


def _check(
    outputs: Sequence[OutputLike],
    output_scale: FloatArray,
    in_sample: SpanValues,
    out_of_sample: SpanValues | None,
) -> None:
    if len(in_sample) == 0:
        raise SamplesError("there are no in-sample samples; an evaluation needs one at least")
    if out_of_sample is not None and out_of_sample.inputs.shape[1] != in_sample.inputs.shape[1]:
        raise SamplesError(
            f"out-of-sample inputs have {out_of_sample.inputs.shape[1]} columns, but the in-sample ones "
            f"{in_sample.inputs.shape[1]}; both spans need the same inputs"
        )
    for name, span in (("in-sample", in_sample), ("out-of-sample", out_of_sample)):
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
