"""Integrated gradients: how much each input, at each depth, moves the predictions away from a baseline."""

import math
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from dlplugin.evaluation.inputs.blocks import (
    Cells,
    IntArray,
    input_labels,
    judged,
    named,
    output_units,
    read_cells,
    whole_number,
)
from dlplugin.evaluation.inputs.labels import answer_unit, class_position
from dlplugin.evaluation.plain import PLAIN, Moment, Number, to_plain
from dlplugin.evaluation.text import (
    Line,
    bar,
    dates,
    html_bar,
    html_table,
    number,
    percent,
    plain,
    rich_text,
    wrapped,
)
from dlplugin.evaluation.values import FloatArray
from dlplugin.samples import Samples, matrix_columns

if TYPE_CHECKING:
    from rich.text import Text

    from dlplugin.prediction import Predictor

__all__ = ["Attributions", "attributions_of"]

NAME, FIGURE, HALF_BAR = 34, 12, 7  # characters
BLOCKS = "▁▂▃▄▅▆▇█"
MOST_BLOCKS = 24
TOLERANCE = 0.01  # of what all attributions add up to; quadrature and rounding stay far below


@dataclass(frozen=True, repr=False)
class Attributions:
    """What each input, at each depth, adds to the predictions; by integrated gradients, in the output's unit.

    The attributions of one sample add up to its prediction less that at the baseline, where every scaled
    column is at its in-sample mean.

    Attributes:
        output: The output's name.
        unit: What is attributed: the output's name, or "probability of [...]", "score of [...]".
        span: "out-of-sample" or "in-sample".
        extent: Bar t of the first and of the last sample.
        samples: How many of the span were looked at, drawn without replacement.
        steps: At which the gradient was taken.
        seed: Of the draw.
        rows: For each input and depth: the input, bars back, the mean absolute attribution, the mean.
        gap: Mean absolute difference between a sample's attributions together and what they should add up
            to, as a share of the mean absolute of the latter; NaN where a prediction failed.
    """

    __pydantic_config__ = PLAIN

    output: str
    unit: str
    span: str
    extent: tuple[Moment, Moment]
    samples: int
    steps: int
    seed: int
    rows: tuple[tuple[str, int, Number, Number], ...]
    gap: Number

    @property
    def complete(self) -> bool:
        """The attributions add up to the predictions to 1 % (`gap`); otherwise give more steps."""
        return self.gap <= TOLERANCE

    @property
    def frame(self) -> pd.DataFrame:
        """A row for each input and depth: input, bars_back, mean_absolute, mean, in the output's unit."""
        return pd.DataFrame(list(self.rows), columns=["input", "bars_back", "mean_absolute", "mean"])

    @property
    def by_input(self) -> pd.DataFrame:
        """A row for each input, the largest first: the sums of `mean_absolute` and of `mean` over its depths."""
        together = self.frame.groupby("input", sort=False)[["mean_absolute", "mean"]].sum()
        return together.sort_values("mean_absolute", ascending=False, kind="stable")

    def to_dict(self) -> dict[str, Any]:
        """Plain types as JSON holds them; None stands for NaN."""
        document: dict[str, Any] = to_plain(self)
        return document

    def __repr__(self) -> str:
        largest = ", ".join(str(name) for name in self.by_input.index[:3])
        return f"<Attributions to predicted {self.unit}: {largest} first>"

    def __str__(self) -> str:
        return plain(self.lines())

    def __rich__(self) -> "Text":
        return rich_text(self.lines())

    @property
    def title(self) -> str:
        """What was looked at, in one line."""
        kept = "complete" if self.complete else "incomplete, give more steps"
        return (
            f"attributions to predicted {self.unit}, {self.span} {dates(*self.extent)}: {self.samples:,} samples, "
            f"{self.steps} steps, {kept} (gap {percent(self.gap, 2)})"
        )

    def lines(self) -> list[Line]:
        """The table as lines of styled pieces, to be put on a larger page."""
        together = self.by_input
        full = float(together["mean_absolute"].max())
        head = f"{'input':<{NAME}}{'mean size':>{FIGURE}}{'mean':>{FIGURE}}"
        lines: list[Line] = [
            *wrapped(self.title, "bold"),
            [],
            [(f"{head}{'':{2 * HALF_BAR + 5}}by depth, newest last", "bold")],
        ]
        for name, figures in together.iterrows():
            label = str(name) if len(str(name)) < NAME else f"{str(name)[: NAME - 3]}…"
            size, mean = float(figures["mean_absolute"]), float(figures["mean"])
            words = f"{label:<{NAME}}{number(size, 3):>{FIGURE}}{number(mean, 3):>{FIGURE}}  "
            lines.append([(words, ""), *bar(size, full, HALF_BAR), (f"  {self._by_depth(str(name))}", "")])
        return lines

    def _repr_html_(self) -> str:
        together = self.by_input
        full = float(together["mean_absolute"].max())
        rows = [
            [
                escape(str(name)),
                number(float(figures["mean_absolute"]), 3),
                number(float(figures["mean"]), 3),
                html_bar(float(figures["mean_absolute"]), full),
                self._by_depth(str(name)),
            ]
            for name, figures in together.iterrows()
        ]
        head = [[(each, 1) for each in ("input", "mean size", "mean", "", "by depth, newest last")]]
        return html_table(self.title, head, rows)

    def _by_depth(self, name: str) -> str:
        """A block for each bar back, the newest last; the newest ones where there are many."""
        own = [row for row in self.rows if row[0] == name][:MOST_BLOCKS]
        highest = max((row[2] for row in self.rows), default=0.0)
        if len(own) < 2 or not highest > 0:
            return ""
        return "".join(BLOCKS[min(7, int(8 * row[2] / highest))] for row in reversed(own))


def attributions_of(
    samples: Samples,
    predictor: "Predictor",
    output: int | str = 0,
    span: str = "out-of-sample",
    most: int = 2000,
    steps: int = 64,
    label: int | str | None = None,
    seed: int = 0,
) -> Attributions:
    """Integrated gradients of each input and depth (Sundararajan, Taly and Yan, 2017), by captum.

    Args:
        samples: Scaled as the predictor's training scaled them.
        predictor: Of the trained model; with several networks their mean is attributed.
        output: Position or name. Of a number the prediction itself is attributed, of quantiles the middle
            one, of classes the probability of one, or its score where the training's loss was hinge.
        span: "out-of-sample" or "in-sample"; never the holdout.
        most: Samples; where the span has more, so many are drawn.
        steps: At which the gradient is taken, by Gauss-Legendre quadrature.
        label: Of classes the one, by position or label; the highest when not given.
        seed: Of the draw.

    Raises:
        DLPluginError: captum is not installed.
        DefinitionError: A value is wrong.
        UnknownNameError: No output or class goes by that name.
        SamplesError: The span has no samples.
    """
    most, steps = whole_number("samples", most, 1), whole_number("steps", steps, 1)
    seed = whole_number("seed", seed, 0)
    position = named("output", output, tuple(each.name for each in samples.definition.outputs))
    described = samples.definition.outputs[position]
    place = class_position(described, label)
    chosen = judged(samples, span)
    rows = chosen.rows
    if len(rows) > most:
        rows = rows[np.sort(np.random.default_rng(seed).choice(len(rows), most, replace=False))]
    shape = samples.layout.shape
    given, gaps = predictor.attribute(
        read_cells(samples, rows).reshape(-1, *shape),
        _baseline(samples).reshape(shape),
        position,
        place,
        steps,
    )
    scale = np.ones(len(rows)) if described.labels else output_units(samples, rows, position)[1]
    found = given.reshape(len(rows), -1) * scale[:, None]
    keys, added = _by_depth(samples, found)
    labels = input_labels(samples.definition)
    should = np.abs(found.sum(axis=1) - gaps * scale).mean()
    return Attributions(
        output=described.name,
        unit=answer_unit(described, place, predictor.gives_probabilities),
        span=span,
        extent=chosen.extent,
        samples=len(rows),
        steps=steps,
        seed=seed,
        rows=tuple(
            (labels[item], back, float(size), float(mean))
            for (item, back), size, mean in zip(
                keys, np.abs(added).mean(axis=0), added.mean(axis=0), strict=True
            )
        ),
        gap=_share(float(np.abs(gaps * scale).mean()), float(should)),
    )


def _baseline(samples: Samples) -> Cells:
    """(D,), each cell at the in-sample mean of its column."""
    mean = samples.matrix[samples.rows["in-sample"]].mean(axis=0, dtype=np.float64)
    baseline: Cells = mean.astype(np.float32)[samples.layout.column]
    return baseline


def _by_depth(samples: Samples, found: FloatArray) -> tuple[list[tuple[int, int]], FloatArray]:
    """Inputs with their bars back, newest first, and (S, ...) attributions of each, categories added up.

    The row's own symbol stands in every bar of a window and is one.
    """
    owner: IntArray = matrix_columns(samples.definition).input[samples.layout.column]
    symbol = np.array([item.is_symbol for item in samples.definition.inputs])
    back = np.where(symbol[owner], 0, samples.layout.back)
    keys, place = np.unique(np.stack([owner, back], axis=1), axis=0, return_inverse=True)
    added = np.zeros((len(found), len(keys)))
    for cell, key in enumerate(place.ravel()):
        added[:, key] += found[:, cell]
    return [(int(item), int(bars)) for item, bars in keys], added


def _share(missed: float, should: float) -> float:
    """0 where nothing was to be added up, and nothing was."""
    if should == 0:
        return 0.0 if missed == 0 else math.inf
    return missed / should
