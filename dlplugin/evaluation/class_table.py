"""Predicted classes against those that came, in and out of sample."""

import textwrap
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

import pandas as pd

from dlplugin.errors import UnknownNameError
from dlplugin.evaluation.class_scores import ClassScores
from dlplugin.evaluation.confusion import LABEL, confusion_frame, confusion_html, confusion_lines, fitted
from dlplugin.evaluation.text import Line, dates, fixed, html_table, percent, plain, rich_text
from dlplugin.evaluation.uncertainty import CONFIDENT

if TYPE_CHECKING:
    from rich.text import Text

__all__ = ["ClassTable"]

MOST_SHOWN = 7  # classes, of which a table of counts has room in 100 characters
COLUMNS = {"came": 8, "predicted": 10, "precision": 10, "recall": 8, "F1": 6}  # characters
WIDTH = 100


@dataclass(frozen=True, eq=False)
class ClassTable:
    """For each class: how often it came, how often it was predicted, and how often rightly.

    Attributes:
        output: The output's name.
        labels: (C,) the classes, the lowest first.
        spans: In-sample, then the judged one where there is one.

    `print` shows plain text of 100 columns, with the counts of each class against each where there are at
    most seven; `rich.print` the same, with coloured shares; a notebook HTML tables with all errors.
    """

    output: str
    labels: tuple[str, ...]
    spans: tuple[ClassScores, ...]

    @property
    def frame(self) -> pd.DataFrame:
        """One row a class, under its label.

        For each span the columns in_sample_came and in_sample_predicted, counts; in_sample_precision,
        the share of those predicted that came; in_sample_recall, the share of those that came that were
        predicted; in_sample_f1; NaN where it is a share of nothing; the standard errors of these three,
        in_sample_precision_error and so on; and, where a class is dropped, in_sample_dropped: how many
        samples of that one were predicted to be in this. Likewise out_of_sample, or holdout.
        """
        columns: dict[str, list[float]] = {}
        for span in self.spans:
            errors = span.errors
            figures = {
                "came": span.came,
                "predicted": span.named,
                "precision": span.precision,
                "recall": span.recall,
                "f1": span.f1,
                "precision_error": errors.precision,
                "recall_error": errors.recall,
                "f1_error": errors.f1,
            } | ({} if span.with_dropped is None else {"dropped": span.dropped})
            name = span.span.replace("-", "_")
            columns |= {f"{name}_{figure}": list(values) for figure, values in figures.items()}
        return pd.DataFrame(columns, index=pd.Index(self.labels, name="label"))

    def confusion(
        self, span: str = "out-of-sample", shares: bool = False, dropped: bool = False
    ) -> pd.DataFrame:
        """Samples by the class that came (rows) and the class predicted (columns).

        Args:
            span: "in-sample", "out-of-sample" or "holdout".
            shares: Each row as shares of its sum instead, NaN where that is 0.
            dropped: With a last row of the samples of the dropped class, where there is one.

        Raises:
            UnknownNameError: There is no such span.
        """
        return confusion_frame(self._span(span), self.labels, shares, dropped)

    def reliability(self, span: str = "out-of-sample") -> pd.DataFrame:
        """The share that came by ranges of predicted probability, each 0.1 wide.

        Args:
            span: "in-sample", "out-of-sample" or "holdout".

        Returns:
            One row a class and range that occurs, under (label, start). Columns end, count, probability
            (mean of those predicted), share (that came) and error (its standard error). Empty where there
            are no probabilities.

        Raises:
            UnknownNameError: There is no such span.
        """
        columns = ("start", "end", "count", "probability", "share", "error")
        rows = [
            (self.labels[row.number], *(getattr(row, column) for column in columns))
            for row in self._span(span).reliability
        ]
        return pd.DataFrame(rows, columns=["label", *columns]).set_index(["label", "start"])

    def __str__(self) -> str:
        return plain(self.lines())

    def __rich__(self) -> "Text":
        return rich_text(self.lines())

    def lines(self) -> list[Line]:
        """The table as lines of styled pieces, to be put on a larger page."""
        panel = sum(COLUMNS.values())
        names = "".join(f"  {span.span:<{panel - 2}}" for span in self.spans)
        extents = "".join(f"  {dates(span.start, span.end):<{panel - 2}}" for span in self.spans)
        heads = "".join(f"{name:>{width}}" for name, width in COLUMNS.items()) * len(self.spans)
        lines: list[Line] = [[(f"classes of {self.output}", "bold")]]
        lines += [[(" " * LABEL + head, "bold")] for head in (names, extents, heads)]
        texts = [_texts(span) for span in self.spans]
        for row, label in enumerate(self.labels):
            cells = "".join(
                f"{cell:>{width}}"
                for each in texts
                for cell, width in zip(each[row], COLUMNS.values(), strict=True)
            )
            lines.append([(f"{fitted(label, LABEL)}{cells}", "")])
        if len(self.labels) <= MOST_SHOWN:
            for span in self.spans:
                lines += [[], *confusion_lines(span, self.labels)]
        told = [line for span in self.spans for text in _told(span) for line in textwrap.wrap(text, WIDTH)]
        return [*lines, [], *([(line, "")] for line in told)]

    def _repr_html_(self) -> str:
        names = [(name, 1) for name in COLUMNS]
        head = [
            [("", 1), *((f"{span.span} {dates(span.start, span.end)}", len(COLUMNS)) for span in self.spans)],
            [("", 1), *names * len(self.spans)],
        ]
        texts = [_texts(span, errors=True) for span in self.spans]
        rows = [
            [escape(label), *(cell for each in texts for cell in each[row])]
            for row, label in enumerate(self.labels)
        ]
        parts = [html_table(f"classes of {self.output}", head, rows)]
        for span in self.spans:
            parts.append(confusion_html(f"{self.output}, {span.span}", span, self.labels))
            parts += [f"<p>{escape(text)}</p>" for text in _told(span)]
            if span.reliability:
                parts.append(self._reliability_html(span))
        return "".join(parts)

    def _reliability_html(self, span: ClassScores) -> str:
        head = ["class", "probability", "samples", "mean probability", "share that came"]
        rows = [
            [
                escape(self.labels[row.number]),
                f"{row.start:.1f} … {row.end:.1f}",
                f"{row.count:,}",
                percent(row.probability),
                _percent(row.share, row.error),
            ]
            for row in span.reliability
        ]
        return html_table(f"{self.output}, {span.span}: reliability", [[(name, 1) for name in head]], rows)

    def _span(self, name: str) -> ClassScores:
        for scores in self.spans:
            if scores.span == name:
                return scores
        raise UnknownNameError(
            f"there is no span {name!r}; there are: {', '.join(scores.span for scores in self.spans)}"
        )


def _texts(span: ClassScores, errors: bool = False) -> list[list[str]]:
    """A row of `COLUMNS` for each class; with errors where these are known and asked for."""
    found = []
    for number in range(len(span.counts)):
        precision, recall, f1 = (
            (each[number] if errors else float("nan"))
            for each in (span.errors.precision, span.errors.recall, span.errors.f1)
        )
        found.append(
            [
                f"{span.came[number]:,}",
                f"{span.named[number]:,}",
                _percent(span.precision[number], precision),
                _percent(span.recall[number], recall),
                _number(span.f1[number], f1, 2),
            ]
        )
    return found


def _told(span: ClassScores) -> list[str]:
    """The figures of all classes together with their 95 % intervals, without and with the dropped class."""
    errors = span.errors
    figures = [
        f"accuracy {_percent(span.accuracy, errors.accuracy)}",
        f"Matthews {_number(span.correlation, errors.correlation, 3)}",
        f"log loss {_number(span.log_loss, errors.log_loss, 4)}",
        f"Brier {_number(span.brier, errors.brier, 4)}",
    ]
    told = [f"{span.span} (± 95 %): {', '.join(figures)}"]
    both = span.with_dropped
    if both is not None:
        told.append(
            f"with the {both.samples - span.samples:,} samples of the dropped class, none of which can be right: "
            f"accuracy {_percent(both.accuracy, both.errors.accuracy)}, "
            f"Matthews {_number(both.correlation, both.errors.correlation, 3)}"
        )
    return told


def _percent(share: float, error: float) -> str:
    return percent(share) + (f" ± {100 * CONFIDENT * error:.1f}" if error == error else "")


def _number(value: float, error: float, decimals: int) -> str:
    return fixed(value, decimals) + (f" ± {CONFIDENT * error:.{decimals}f}" if error == error else "")
