"""A trained model on samples to an evaluation."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dlplugin.definition import Output
from dlplugin.errors import SamplesError
from dlplugin.evaluation.classes import ClassResult, ClassValues, DroppedValues, evaluate_classes
from dlplugin.evaluation.evaluation import Evaluation
from dlplugin.evaluation.groups import class_group_scores, volatility_thresholds
from dlplugin.evaluation.market import Market, market_of
from dlplugin.evaluation.results import EvaluatedOutput, OutputResult
from dlplugin.evaluation.rules import class_rule_predictions
from dlplugin.evaluation.scoring import evaluate
from dlplugin.evaluation.values import FloatArray, OutputSamples, SpanValues, days_overlapped, reach
from dlplugin.samples import Samples, matrix_columns, rows_with_dropped

if TYPE_CHECKING:
    from dlplugin.prediction import Predictor

__all__ = ["evaluate_samples"]

MOST_RIDGE_INPUTS = 1_000  # its memory grows with the square of them, its time with the cube


def evaluate_samples(
    samples: Samples,
    predictor: "Predictor",
    selected: bool,
    span: str = "out-of-sample",
    boosting: bool = False,
) -> Evaluation:
    """Predicts the samples of two spans and scores them; the holdout stays closed unless it is asked for.

    Args:
        samples: Scaled as the predictor's training scaled them.
        predictor: Of the trained model.
        selected: Whether the out-of-sample span chose the weights or the epoch at which training stopped.
        span: The judged one: "out-of-sample" or "holdout".
        boosting: Whether gradient boosting is among the rules, where scikit-learn is installed; it takes
            a second or more.

    Returns:
        The evaluation. Its losses have the unit of the training curves, but a clip= on an output is not
        applied to what came. Ridge and gradient boosting see all the numbers that the network sees (the
        symbol of a window once, not in each of its bars), or the newest 1,000 of them when there are more.
        A sample of a dropped class is left out for that output, but for the figures `with_dropped`.

    Raises:
        SamplesError: There is no in-sample sample.
    """
    if not len(samples.rows["in-sample"]):
        raise SamplesError("there are no in-sample samples; an evaluation needs one at least")
    names = [name for name in ("in-sample", span) if name in samples.rows and len(samples.rows[name])]
    spans = [_predicted(samples, predictor, name) for name in names]
    market = market_of(samples)
    outputs = samples.definition.outputs
    numbers = [index for index, output in enumerate(outputs) if not output.labels]
    results: dict[int, OutputResult | ClassResult] = {}
    kept: dict[int, tuple[OutputSamples, ...]] = {}
    for index, output in enumerate(outputs):
        if output.labels:
            by_rule = _class_rules(samples, spans, index, market, boosting)
            values = [
                _class_values(samples, predictor, each, index, rules)
                for each, rules in zip(spans, by_rule, strict=True)
            ]
            classes = len(output.labels)
            judged = evaluate_classes(classes, values[0], values[1] if len(values) > 1 else None, span)
            kept[index] = tuple(
                _class_samples(name, samples, market, each, value, index)
                for name, each, value in zip(names, spans, values, strict=True)
            )
            results[index] = _grouped(judged, kept[index], classes)
    scale = samples.output_scaling.scale.mean(axis=0)  # where outputs are scaled by symbol, not used
    if numbers:
        given = [_span_values(samples, predictor, each, numbers, market.of(each.rows)) for each in spans]
        found = evaluate(
            [outputs[index] for index in numbers],
            scale[numbers],
            given[0],
            given[1] if len(given) > 1 else None,
            span=span,
            boosting=boosting,
        )
        kept |= dict(zip(numbers, found.samples or (), strict=True))
        for index, result in zip(numbers, found.results, strict=True):
            if isinstance(result, OutputResult):
                results[index] = _calibrated(result, outputs[index], samples, predictor, spans, index)
    return Evaluation(
        tuple(_described(output, float(one)) for output, one in zip(outputs, scale, strict=True)),
        tuple(results[index] for index in range(len(outputs))),
        selected and (samples.later is None or samples.later.chose),
        "holdout" in samples.spans,
        samples.note if span == "out-of-sample" else "",
        tuple(kept[index] for index in range(len(outputs))),
    )


@dataclass(frozen=True, eq=False)
class _Span:
    """The samples of one span, ordered by time, then symbol, with all columns of their predictions.

    Where all outputs drop a class, samples that all of them drop are among them.
    """

    rows: NDArray[np.int64]  # (S,)
    times: NDArray[np.datetime64]  # (S,)
    predicted: FloatArray  # (S, P)


def _predicted(samples: Samples, predictor: "Predictor", name: str) -> _Span:
    rows = rows_with_dropped(samples, name)
    rows = rows[np.lexsort((samples.owner[rows], samples.times[rows]))]
    predicted = np.empty((len(rows), len(predictor.columns)))
    for index, symbol in enumerate(samples.symbols):
        mine = samples.owner[rows] == index
        predicted[mine] = predictor.predict_rows(samples.matrix, rows[mine], symbol)
    return _Span(rows, samples.times[rows], predicted)


def _described(output: Output, scale: float) -> EvaluatedOutput:
    return EvaluatedOutput(
        output.name, output.look_ahead, scale, output.labels, tuple(output.quantiles or ())
    )


def _class_values(
    samples: Samples, predictor: "Predictor", span: _Span, output: int, by_rule: dict[str, FloatArray]
) -> ClassValues:
    described = samples.definition.outputs[output]
    came = samples.targets[span.rows, output]
    known = ~np.isnan(came)
    first = predictor.first[output]
    classes = slice(first + 1, first + 1 + len(described.labels))
    start, end = span.times.min(), span.times.max()
    # dropped samples lie between others, so the distance of bars is that on all bars of these dates
    there = (samples.times >= start) & (samples.times <= end)
    return ClassValues(
        start=pd.Timestamp(start),
        end=pd.Timestamp(end),
        times=span.times[known],
        actual=came[known].astype(np.int64),
        predicted=span.predicted[known, first],
        probabilities=span.predicted[known, classes] if predictor.gives_probabilities else None,
        overlap=days_overlapped(samples.times[there], samples.owner[there], described.look_ahead),
        dropped=None
        if described.drop is None
        else DroppedValues(span.times[~known], span.predicted[~known, first]),
        by_rule=by_rule,
    )


def _class_samples(
    name: str, samples: Samples, market: Market, span: _Span, values: ClassValues, output: int
) -> OutputSamples:
    """The samples that have a class, with the numbers of the classes that came and were predicted."""
    rows = span.rows[~np.isnan(samples.targets[span.rows, output])]
    return OutputSamples(
        span=name,
        times=values.times,
        symbols=np.array(samples.symbols)[samples.owner[rows]],
        predicted=values.predicted,
        actual=values.actual.astype(np.float64),
        by_rule=values.by_rule,
        volatility=market.volatility[rows],
        overlap=values.overlap,
    )


def _grouped(result: ClassResult, samples: tuple[OutputSamples, ...], classes: int) -> ClassResult:
    """With the figures by symbol, year and volatility."""
    thresholds = volatility_thresholds(samples[0])
    spans = [
        replace(scores, groups=class_group_scores(span, classes, thresholds))
        for scores, span in zip(result.spans, samples, strict=True)
    ]
    return replace(result, spans=tuple(spans))


def _class_rules(
    samples: Samples, spans: list[_Span], output: int, market: Market, boosting: bool
) -> list[dict[str, FloatArray]]:
    """What the trivial rules name on each span, where a class came that is not dropped."""
    described = samples.definition.outputs[output]
    values = []
    for span in spans:
        came = samples.targets[span.rows, output]
        rows = span.rows[~np.isnan(came)]
        known = market.of(rows)
        column = came[~np.isnan(came), None].astype(np.float64)
        values.append(
            SpanValues(
                times=samples.times[rows],
                symbols=np.array(samples.symbols)[samples.owner[rows]],
                inputs=_told(samples, rows),
                predicted=column,
                actual=column,
                last_return=known.last_return,
                side=known.side,
                current=described.classify(known.current[:, output])[:, None],
            )
        )
    first = spans[0].times
    there = (samples.times >= first.min()) & (samples.times <= first.max())
    bars = reach(samples.times[there], samples.owner[there], described.look_ahead)
    return class_rule_predictions(len(described.labels), values[0], values, bars, boosting)


def _calibrated(
    result: OutputResult,
    output: Output,
    samples: Samples,
    predictor: "Predictor",
    spans: list[_Span],
    index: int,
) -> OutputResult:
    """With the share of actual values below each quantile, where quantiles are predicted."""
    if output.quantiles is None:
        return result
    first = predictor.first[index] + 1
    scores = []
    for span, one in zip(spans, result.spans, strict=True):
        given = span.predicted[:, first : first + len(output.quantiles)]
        below = np.where(np.isfinite(given), samples.actual[span.rows, index, None] < given, np.nan)
        scores.append(replace(one, below=tuple(below.mean(axis=0).tolist())))
    return replace(result, spans=tuple(scores))


def _span_values(
    samples: Samples, predictor: "Predictor", span: _Span, outputs: list[int], market: Market
) -> SpanValues:
    rows = span.rows
    scaling, symbols = samples.output_scaling, np.array(samples.symbols)[samples.owner[rows]]
    groups = [scaling.symbols.index(symbol) for symbol in symbols] if scaling.symbols else None
    return SpanValues(
        times=span.times,
        symbols=symbols,
        inputs=_told(samples, rows),
        predicted=_of_columns(span.predicted, [predictor.first[index] for index in outputs]),
        actual=_of_columns(samples.actual[rows], outputs),
        center=None if groups is None else _of_columns(scaling.center[groups], outputs),
        scale=None if groups is None else _of_columns(scaling.scale[groups], outputs),
        last_return=market.last_return,
        side=market.side,
        volatility=market.volatility,
        current=_of_columns(market.current, outputs),
    )


def _told(samples: Samples, rows: NDArray[np.int64]) -> NDArray[np.float32]:
    """(S, D) what ridge and gradient boosting see: the newest 1,000 of the numbers that the network sees."""
    layout = samples.layout
    symbol = np.array([item.is_symbol for item in samples.definition.inputs])
    repeated = symbol[matrix_columns(samples.definition).input[layout.column]] & (layout.back > 0)
    told = np.flatnonzero(~repeated)
    newest = told[np.sort(np.argsort(layout.back[told], kind="stable")[:MOST_RIDGE_INPUTS])]
    inputs: NDArray[np.float32] = samples.matrix[rows[:, None] - layout.back[newest], layout.column[newest]]
    return inputs


def _of_columns(values: FloatArray, columns: list[int]) -> FloatArray:
    """Rows side by side in memory, whatever is left out: the last bits of a mean depend on it."""
    return np.ascontiguousarray(values[:, columns])
