"""How a model does in and out of sample, beside three trivial rules on the same samples."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pandas as pd

from dlplugin.errors import DamagedModelError, DefinitionError, SamplesError, UnknownNameError
from dlplugin.evaluation.baselines import RULES, rule_predictions
from dlplugin.evaluation.comparison import Comparison, compare
from dlplugin.evaluation.metrics import score
from dlplugin.evaluation.ranges import COLUMNS, FEWEST_ROWS, MOST_ROWS, fill_cells
from dlplugin.evaluation.results import EvaluatedOutput, OutputResult, SpanScores, without_nan
from dlplugin.evaluation.summary import summary_html, summary_lines
from dlplugin.evaluation.table import RangeTable
from dlplugin.evaluation.text import plain, rich_text
from dlplugin.evaluation.values import FloatArray, SpanValues
from dlplugin.evaluation.verdict import beaten_rules, verdict
from dlplugin.registry import did_you_mean

if TYPE_CHECKING:
    from rich.text import Text

__all__ = ["Evaluation", "OutputLike", "evaluate"]

FORMAT = 1
SPANS = ("in-sample", "out-of-sample")


class OutputLike(Protocol):
    """What `evaluate` needs of an output."""

    @property
    def name(self) -> str:
        """Its name in tables and sentences."""

    @property
    def look_ahead(self) -> int:
        """Bars."""


@dataclass(frozen=True, eq=False, repr=False)
class Evaluation:
    """What was found, small enough to be stored beside the weights: no sample is kept.

    Attributes:
        outputs: What was predicted.
        results: One for each output.
        selected: Whether the out-of-sample span chose the weights or the epoch at which training stopped.
        holdout: Whether days were kept out of all of this.
        note: What to know of the out-of-sample samples when they are not by dates, as a clause.

    `print` shows a summary in plain text of 100 columns, `rich.print` the same in colours, a notebook HTML.
    """

    outputs: tuple[EvaluatedOutput, ...]
    results: tuple[OutputResult, ...]
    selected: bool = True
    holdout: bool = True
    note: str = ""

    def scores(self, output: int | str = 0) -> tuple[SpanScores, ...]:
        """Scores of an output, by position or name: in-sample, then out-of-sample where there is one."""
        return self._result(output).spans

    def comparisons(self, output: int | str = 0) -> list[Comparison]:
        """The model against each trivial rule, out of sample; empty where there is no such span."""
        return list(self._result(output).comparisons)

    def beats(self, output: int | str = 0) -> tuple[str, ...]:
        """The rules that the verdict credits the model with beating; empty: it beats nothing.

        It beats nothing also when all it beats does worse than an unbeaten constant, zero or the mean.
        """
        return beaten_rules(self._result(output))

    def table(self, output: int | str = 0, rows: int = 10) -> RangeTable:
        """Predicted ranges against what came.

        Args:
            output: Position or name.
            rows: About how many ranges, 2 to 50; their width is 1, 2, 2.5 or 5 × 10^n.
        """
        if not FEWEST_ROWS <= rows <= MOST_ROWS:
            raise DefinitionError(f"rows is {rows}; a table has {FEWEST_ROWS} to {MOST_ROWS}")
        position = self._position(output)
        result = self.results[position]
        spans = [(span.start, span.end) for span in result.spans]
        return RangeTable(
            output=self.outputs[position].name,
            frame=pd.DataFrame(result.cells.rows(rows), columns=list(COLUMNS)),
            in_sample=spans[0],
            out_of_sample=spans[1] if len(spans) > 1 else None,
        )

    def loss(self, span: str = "out-of-sample", rule: str = "model") -> float:
        """The loss over all outputs, as in the training curves: the mean of theirs.

        Args:
            span: "in-sample" or "out-of-sample"; NaN when there is no such span.
            rule: "model" or a trivial rule.
        """
        _known("span", span, SPANS)
        _known("rule", rule, ("model", *RULES))
        losses = [
            scores.by_rule[rule].loss
            for result in self.results
            for scores in result.spans
            if scores.span == span
        ]
        return float(np.mean(losses)) if losses else math.nan

    @property
    def verdict(self) -> str:
        """In plain sentences: which rules the model beats out of sample, by how much, against what error."""
        return verdict(self.outputs, self.results, self.selected, self.holdout, self.note)

    def to_json(self) -> str:
        """The whole evaluation as JSON; NaN is null."""
        document = {
            "format": FORMAT,
            "verdict": self.verdict,
            "selected": self.selected,
            "holdout": self.holdout,
            "note": self.note,
            "outputs": [vars(output) for output in self.outputs],
            "results": [result.to_dict() for result in self.results],
        }
        return json.dumps(without_nan(document), allow_nan=False, indent=1)

    @classmethod
    def from_json(cls, text: str) -> "Evaluation":
        """The evaluation that `to_json` wrote; null is NaN.

        Raises:
            DamagedModelError: The text is not that.
        """
        try:
            document: dict[str, Any] = json.loads(text)
            written = document["format"]
            if written == FORMAT:
                return cls(
                    tuple(EvaluatedOutput(**output) for output in document["outputs"]),
                    tuple(OutputResult.from_dict(result) for result in document["results"]),
                    bool(document["selected"]),
                    bool(document["holdout"]),
                    str(document.get("note", "")),
                )
        except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
            raise DamagedModelError(
                f"the stored evaluation cannot be read ({type(error).__name__}); evaluate the model again"
            ) from error
        raise DamagedModelError(
            f"the stored evaluation has format {written!r}, but this dlplugin reads {FORMAT}; "
            "evaluate the model again"
        )

    def __repr__(self) -> str:
        return f"<Evaluation: {self.verdict}>"

    def __str__(self) -> str:
        return plain(self._lines())

    def __rich__(self) -> "Text":
        return rich_text(self._lines())

    def _repr_html_(self) -> str:
        tables = [self.table(position) for position in range(len(self.outputs))]
        return summary_html(self.verdict, self.outputs, self.results, tables)

    def _lines(self) -> list[list[tuple[str, str]]]:
        tables = [self.table(position) for position in range(len(self.outputs))]
        return summary_lines(self.verdict, self.outputs, self.results, tables)

    def _result(self, output: int | str) -> OutputResult:
        return self.results[self._position(output)]

    def _position(self, output: int | str) -> int:
        names = [each.name for each in self.outputs]
        if isinstance(output, str):
            _known("output", output, names)
            return names.index(output)
        if not 0 <= output < len(names):
            raise DefinitionError(f"output is {output}; there are {len(names)}, counted from 0")
        return output


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


def _known(kind: str, name: str, names: Sequence[str]) -> None:
    if name not in names:
        raise UnknownNameError(
            f"unknown {kind} {name!r}{did_you_mean(name, names) or ';'} there are: {', '.join(names)}"
        )
