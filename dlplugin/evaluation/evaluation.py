"""How a model does in and out of sample, beside trivial rules on the same samples."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from dlplugin.errors import DamagedModelError, DefinitionError, UnknownNameError
from dlplugin.evaluation.claims import beaten_rules
from dlplugin.evaluation.class_table import ClassTable
from dlplugin.evaluation.classes import ClassResult, ClassScores
from dlplugin.evaluation.comparison import Comparison
from dlplugin.evaluation.group_table import GroupTable
from dlplugin.evaluation.groups import KINDS
from dlplugin.evaluation.plain import from_plain, to_plain
from dlplugin.evaluation.ranges import FEWEST_ROWS, MOST_ROWS, frame_of, range_rows, refuse_unfit_range
from dlplugin.evaluation.results import EvaluatedOutput, OutputResult, SpanScores
from dlplugin.evaluation.rules import in_order
from dlplugin.evaluation.summary import Table, summary_html, summary_lines
from dlplugin.evaluation.table import RangeTable
from dlplugin.evaluation.text import plain, rich_text
from dlplugin.evaluation.values import OutputSamples
from dlplugin.evaluation.verdict import headline, verdict
from dlplugin.registry import did_you_mean

if TYPE_CHECKING:
    from rich.text import Text

__all__ = ["SPANS", "Evaluation"]

FORMAT = 2
ROWS = 10
SPANS = ("in-sample", "out-of-sample", "holdout")


@dataclass(frozen=True, eq=False, repr=False)
class Evaluation:
    """What was found. All but the samples is small, and stored beside the weights.

    Attributes:
        outputs: What was predicted.
        results: One for each output; what it holds depends on whether that is a number or in classes.
        selected: Whether the out-of-sample span chose the weights or the epoch at which training stopped.
        holdout: Whether days were kept out of all of this.
        note: What to know of the out-of-sample samples when they are not by dates, as a clause.
        samples: For each output its samples, span by span; None when the evaluation was stored.

    `print` shows a summary in plain text of 100 columns, `rich.print` the same in colours, a notebook HTML.
    """

    outputs: tuple[EvaluatedOutput, ...]
    results: tuple[OutputResult | ClassResult, ...]
    selected: bool = True
    holdout: bool = True
    note: str = ""
    samples: tuple[tuple[OutputSamples, ...], ...] | None = None

    def scores(self, output: int | str = 0) -> tuple[SpanScores, ...] | tuple[ClassScores, ...]:
        """Scores of an output, by position or name: in-sample, then out-of-sample where there is one.

        Those of classes are `ClassScores`: accuracy, correlation, log loss, precision and recall.
        """
        return self._result(output).spans

    def comparisons(self, output: int | str = 0) -> list[Comparison]:
        """The model against each trivial rule on the judged span; empty where there is none.

        Of numbers first the losses: with the constants ("in-sample mean", "zero" and "model's average",
        which is what the model itself predicts there on average), then with the other rules; then the hit
        rates. Of classes the accuracies. `figure` says which.
        """
        return list(self._result(output).comparisons)

    def beats(self, output: int | str = 0) -> tuple[str, ...]:
        """The rules that the verdict credits the model with beating; empty: it beats nothing.

        They are those whose loss, or for classes whose accuracy, is worse than the model's by more than the
        error; none where a constant is not: see `verdict`.
        """
        return beaten_rules(self._result(output))

    def table(
        self,
        output: int | str = 0,
        rows: int = ROWS,
        by: str = "width",
        low: float | None = None,
        high: float | None = None,
    ) -> Table:
        """Predicted ranges against what came; for classes each class, and how often it was right.

        Args:
            output: Position or name.
            rows: About how many ranges, 2 to 50; exactly that many between low and high. Classes have a
                row each, whatever it says.
            by: "width": ranges of one width, which is 1, 2, 2.5 or 5 × 10^n where low and high are not given;
                "count": of one number of in-sample samples.
            low: The prediction at which the rows begin; those below it are in an open-ended row before them.
            high: The prediction at which they end; those from it on are in an open-ended row after them.

        Raises:
            DefinitionError: A stored evaluation has only its tables of ten rows, or the range has one end.
        """
        if not isinstance(rows, int | np.integer) or not FEWEST_ROWS <= rows <= MOST_ROWS:
            raise DefinitionError(f"rows is {rows!r}; a table has {FEWEST_ROWS} to {MOST_ROWS}")
        refuse_unfit_range(low, high)
        position = self._position(output)
        result = self.results[position]
        if isinstance(result, ClassResult):
            return ClassTable(self.outputs[position].name, self.outputs[position].labels, result.spans)
        _known("by", by, ("width", "count"))
        if self.samples is not None:
            found = range_rows(self.samples[position], rows, by, low, high)
        elif rows == ROWS and low is None:
            found = result.ranges[by]
        else:
            wanted = f"of {rows} rows" if low is None else f"between {low} and {high}"
            raise DefinitionError(
                f"a stored evaluation has two tables of {ROWS} rows, none {wanted}; for others: "
                "model.evaluate(dataset).table(...)"
            )
        return RangeTable(
            output=self.outputs[position].name,
            frame=frame_of(found, [span.span for span in result.spans]),
            spans=tuple((span.span, span.start, span.end) for span in result.spans),
        )

    def by(self, kind: str, output: int | str = 0) -> GroupTable:
        """The figures of each symbol, of each year or of each volatility regime, with their errors.

        Args:
            kind: "symbol", "year" (of bar t) or "volatility": calm, middle and wild are the thirds of the
                volatility of the last 20 bars, each symbol's own and made of its in-sample samples.
            output: Position or name.
        """
        _known("kind", kind, KINDS)
        position = self._position(output)
        result = self.results[position]
        spans = tuple(
            (each.span, each.start, each.end, tuple(group for group in each.groups if group.kind == kind))
            for each in result.spans
        )
        return GroupTable(self.outputs[position].name, kind, isinstance(result, ClassResult), spans)

    def frame(self, output: int | str = 0) -> pd.DataFrame:
        """All samples of an output, for statistics of your own.

        Returns:
            A row for each sample: span, time (of bar t), symbol, predicted and actual, then what each trivial
            rule predicts; numbers in the output's own unit, classes by their number. NaN is a prediction
            that failed.

        Raises:
            DefinitionError: A stored evaluation has no samples.
        """
        position = self._position(output)
        if self.samples is None:
            raise DefinitionError("a stored evaluation has no samples; give model.evaluate(dataset).frame()")
        return pd.concat(
            [
                pd.DataFrame(
                    {
                        "span": each.span,
                        "time": each.times,
                        "symbol": each.symbols,
                        "predicted": each.predicted,
                        "actual": each.actual,
                        **each.by_rule,
                    }
                )
                for each in self.samples[position]
            ],
            ignore_index=True,
        )

    def loss(self, span: str = "out-of-sample", rule: str = "model") -> float:
        """The mean loss over all outputs that are not in classes; with numbers alone, as in the training curves.

        Args:
            span: "in-sample", "out-of-sample" or "holdout"; NaN when there is no such span, or
                all outputs are in classes.
            rule: "model" or a trivial rule.
        """
        _known("span", span, SPANS)
        spans = [each for result in self.results if isinstance(result, OutputResult) for each in result.spans]
        _known("rule", rule, ("model", *(in_order(spans[0].by_rule) if spans else ())))
        losses = [scores.by_rule[rule].loss for scores in spans if scores.span == span]
        return float(np.mean(losses)) if losses else math.nan

    @property
    def verdict(self) -> str:
        """In plain sentences: which rules the model beats, by how much, against what error.

        It credits a model that is no better than a constant in at most 2.5 % of the cases (2 of 200 trainings
        on random walks). Where 1 % of the variance of the next return can be known, over 11 symbols and 2,300
        days, it credited 42 of 50 trainings; a fifth of that share, or of the days, is mostly missed. A
        difference within 1.96 standard errors is called inside the error.
        """
        return verdict(self.outputs, self.results, self.selected, self.holdout, self.note)

    @property
    def headline(self) -> str:
        """The verdict's sentences on what the model beats, one for each output."""
        return headline(self.outputs, self.results)

    def to_json(self) -> str:
        """The whole evaluation as JSON; NaN is null."""
        document = {
            "format": FORMAT,
            "verdict": self.verdict,
            "selected": self.selected,
            "holdout": self.holdout,
            "note": self.note,
            "outputs": self.outputs,
            "results": [result.to_dict() for result in self.results],
        }
        return json.dumps(to_plain(document), allow_nan=False, indent=1, sort_keys=True)

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
                outputs = tuple(from_plain(EvaluatedOutput, output) for output in document["outputs"])
                results: list[OutputResult | ClassResult] = [
                    (ClassResult if output.labels else OutputResult).from_dict(result)
                    for output, result in zip(outputs, document["results"], strict=True)
                ]
                return cls(
                    outputs,
                    tuple(results),
                    bool(document["selected"]),
                    bool(document["holdout"]),
                    str(document.get("note", "")),
                )
        except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
            raise DamagedModelError(
                f"the stored evaluation cannot be read ({type(error).__name__}); "
                "make a new one with model.evaluate(dataset)"
            ) from error
        raise DamagedModelError(
            f"the stored evaluation has format {written!r}, but this dlplugin reads {FORMAT}; "
            "make a new one with model.evaluate(dataset)"
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

    def _result(self, output: int | str) -> OutputResult | ClassResult:
        return self.results[self._position(output)]

    def _position(self, output: int | str) -> int:
        names = [each.name for each in self.outputs]
        if isinstance(output, str):
            _known("output", output, names)
            return names.index(output)
        whole = isinstance(output, int | np.integer) and not isinstance(output, bool)
        if not whole or not 0 <= output < len(names):
            raise DefinitionError(f"output is {output!r}; there are {len(names)}, counted from 0")
        return output


def _known(kind: str, name: str, names: Sequence[str]) -> None:
    if name not in names:
        hint = did_you_mean(name, names) if isinstance(name, str) else ""
        raise UnknownNameError(f"unknown {kind} {name!r}{hint or ';'} there are: {', '.join(names)}")
