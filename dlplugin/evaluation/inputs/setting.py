"""One input of every sample set to a value, and what is predicted then."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dlplugin.definition import Input
from dlplugin.evaluation.inputs.blocks import (
    Cells,
    Judged,
    cells_of,
    input_labels,
    judged,
    named,
    output_units,
    predict_changed,
    whole_number,
)
from dlplugin.evaluation.inputs.dependence import SEES_CHANGES, DependencePoint, PartialDependence
from dlplugin.evaluation.inputs.labels import answer_unit, class_position
from dlplugin.evaluation.text import number
from dlplugin.evaluation.values import FloatArray
from dlplugin.samples import Samples, matrix_columns

if TYPE_CHECKING:
    from dlplugin.prediction import Predictor

__all__ = ["dependence_of"]


def dependence_of(
    samples: Samples,
    predictor: "Predictor",
    input: int | str,  # noqa: A002 (the word users write)
    output: int | str = 0,
    points: int = 20,
    span: str = "out-of-sample",
    label: int | str | None = None,
    newest: bool = False,
) -> PartialDependence:
    """The mean prediction when an input is set to each of some values (Friedman, 2001).

    Args:
        samples: Scaled as the predictor's training scaled them.
        predictor: Of the trained model.
        input: Position or name.
        output: Position or name. Of a number the prediction itself is shown, of quantiles the middle one,
            of classes the probability of one, or its score where the training's loss was hinge.
        points: How many; the quantiles (k + ½) / points of the in-sample values, those that are equal
            once. An input with categories has a point for each of them instead.
        span: "out-of-sample" or "in-sample"; never the holdout.
        label: Of classes the one, by position or label; the highest when not given.
        newest: Sets the newest of the input's bars alone; otherwise all its depths have the value, as if
            the input had stood there.

    Raises:
        DefinitionError: A value is wrong.
        UnknownNameError: No input, output or class goes by that name.
        SamplesError: The span has no samples.
    """
    points = whole_number("points", points, 2)
    definition = samples.definition
    item = named("input", input, input_labels(definition))
    position = named("output", output, tuple(each.name for each in definition.outputs))
    described = definition.outputs[position]
    place, chosen = class_position(described, label), judged(samples, span)
    found = _points(samples, item, points)
    by_point = [
        _answers(samples, predictor, chosen, position, place, _Set(samples, chosen, item, value, newest))
        for _, value, _ in found
    ]
    return PartialDependence(
        input=input_labels(definition)[item],
        unit=answer_unit(described, place, predictor.gives_probabilities),
        span=span,
        extent=chosen.extent,
        samples=len(chosen.rows),
        newest=newest,
        points=tuple(
            DependencePoint(words, value, float(given.mean()), *_spread(given), share)
            for (words, value, share), given in zip(found, by_point, strict=True)
        ),
        categories=bool(definition.inputs[item].labels),
        note="" if definition.spec.sees_level or newest else SEES_CHANGES,
    )


class _Set:
    """Sets the cells of an input to a value, in the scaling of each sample's symbol."""

    def __init__(self, samples: Samples, chosen: Judged, item: int, value: float, newest: bool) -> None:
        columns = matrix_columns(samples.definition)
        cells = cells_of(samples, (item,))
        self._cells = cells[samples.layout.back[cells] == 0] if newest else cells
        own = samples.layout.column[self._cells]
        described = samples.definition.inputs[item]
        if described.labels:  # 0 and 1, but for a symbol that trained nothing, which is 0 for ever
            plain = np.where(columns.category == value, 1.0, 0.0)
        else:
            plain = np.full(len(columns.input), value)
        scaled = np.stack([samples.input_scaling.of(symbol).apply(plain) for symbol in samples.symbols])
        self._values = scaled[:, own]  # (symbols, cells)
        self._owner = samples.owner[chosen.rows]

    def __call__(self, cells: Cells, part: slice) -> None:
        cells[:, self._cells] = self._values[self._owner[part]]


def _answers(
    samples: Samples, predictor: "Predictor", chosen: Judged, output: int, label: int, change: _Set
) -> FloatArray:
    """(S,) predictions of one output, in its own unit."""
    predicted = predict_changed(predictor, samples, chosen.rows, change)
    first = predictor.first[output]
    if samples.definition.outputs[output].labels:
        return predicted[:, first + 1 + label]
    center, scale = output_units(samples, chosen.rows, output)
    return predicted[:, first] * scale + center


def _spread(given: FloatArray) -> tuple[float, float]:
    low, high = np.quantile(given, [0.1, 0.9])
    return float(low), float(high)


def _points(samples: Samples, item: int, points: int) -> list[tuple[str, float, float]]:
    """What each point is called, its value, and the share of the in-sample values that are near it."""
    described, values = samples.definition.inputs[item], _in_sample_values(samples, item)
    if described.labels:
        return [
            (_category(described, index), value, float(np.mean(values == value)))
            for index, value in enumerate(described.labels)
        ]
    levels = (np.arange(points) + 0.5) / points
    chosen = np.unique(np.quantile(values, levels, method="inverted_cdf"))
    edges = (chosen[1:] + chosen[:-1]) / 2
    counts = np.bincount(np.searchsorted(edges, values), minlength=len(chosen))
    return [
        (number(float(value), 4), float(value), float(count / len(values)))
        for value, count in zip(chosen, counts, strict=True)
    ]


def _in_sample_values(samples: Samples, item: int) -> FloatArray:
    """(S,) the newest value of the input of each in-sample sample, in its own unit; categories as their values.

    Values that were clipped are the clip's; NaN is none of the categories.
    """
    rows, columns = samples.rows["in-sample"], matrix_columns(samples.definition)
    own = np.flatnonzero(columns.input == item)
    scaled: NDArray[np.float32] = samples.matrix[rows[:, None], own]
    if samples.definition.inputs[item].labels:
        one = scaled == 1
        return np.where(one.any(axis=1), columns.category[own][one.argmax(axis=1)], np.nan)
    values = np.empty(len(rows))
    owner = samples.owner[rows]
    for index, symbol in enumerate(samples.symbols):
        mine = owner == index
        if mine.any():
            scaling = samples.input_scaling.of(symbol)
            values[mine] = scaled[mine, 0].astype(np.float64) * scaling.scale[own[0]] + scaling.center[own[0]]
    return values


def _category(described: Input, index: int) -> str:
    value = (described.categories or ())[index]
    return value if isinstance(value, str) else f"{value:.15g}"
