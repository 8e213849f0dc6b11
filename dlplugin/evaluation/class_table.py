"""Predicted classes against those that came, in and out of sample."""

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

import pandas as pd

from dlplugin.errors import UnknownNameError
from dlplugin.evaluation.classes import ClassScores
from dlplugin.evaluation.text import Line, dates, html_table, percent, plain, rich_text

if TYPE_CHECKING:
    from rich.text import Text

__all__ = ["ClassTable"]

LABEL, COLUMN = 20, 10  # characters
MOST_SHOWN = 7  # classes, of which a table of counts has room in 100 characters
COLUMNS = ("came", "predicted", "precision", "recall")


@dataclass(frozen=True, eq=False)
class ClassTable:
    """For each class: how often it came, how often it was predicted, and how often rightly.

    Attributes:
        output: The output's name.
        labels: (C,) the classes, the lowest first.
        spans: In-sample, then out-of-sample where there is one.

    `print` shows plain text of 100 columns, with the counts of each class against each where there are at
    most seven; `rich.print` the same, a notebook an HTML table.
    """

    output: str
    labels: tuple[str, ...]
    spans: tuple[ClassScores, ...]

    @property
    def frame(self) -> pd.DataFrame:
        """One row a class, under its label.

        For each span the columns in_sample_came and in_sample_predicted, counts; in_sample_precision,
        the share of those predicted that came; in_sample_recall, the share of those that came that were
        predicted; NaN where it is a share of nothing. Likewise out_of_sample.
        """
        columns = {
            f"{span.span.replace('-', '_')}_{name}": list(values)
            for span in self.spans
            for name, values in zip(COLUMNS, _figures(span), strict=True)
        }
        return pd.DataFrame(columns, index=pd.Index(self.labels, name="label"))

    def confusion(self, span: str = "out-of-sample") -> pd.DataFrame:
        """Samples by the class that came (rows) and the class predicted (columns).

        Args:
            span: "in-sample" or "out-of-sample".

        Raises:
            UnknownNameError: There is no such span.
        """
        for scores in self.spans:
            if scores.span == span:
                return pd.DataFrame(
                    list(scores.counts),
                    index=pd.Index(self.labels, name="came"),
                    columns=pd.Index(self.labels, name="predicted"),
                )
        raise UnknownNameError(
            f"there is no span {span!r}; there are: {', '.join(scores.span for scores in self.spans)}"
        )

    def __str__(self) -> str:
        return plain(self.lines())

    def __rich__(self) -> "Text":
        return rich_text(self.lines())

    def lines(self) -> list[Line]:
        """The table as lines of styled pieces, to be put on a larger page."""
        panel = COLUMN * len(COLUMNS)
        head = "".join(f"  {_title(span):<{panel - 2}}" for span in self.spans)
        names = "".join(f"{name:>{COLUMN}}" for name in COLUMNS) * len(self.spans)
        lines: list[Line] = [
            [(f"classes of {self.output}", "bold")],
            [(" " * LABEL + head, "bold")],
            [(" " * LABEL + names, "bold")],
        ]
        texts = [_texts(span) for span in self.spans]
        for row, label in enumerate(self.labels):
            cells = "".join(f"{cell:>{COLUMN}}" for each in texts for cell in each[row])
            lines.append([(f"{_fitted(label, LABEL)}{cells}", "")])
        if len(self.labels) <= MOST_SHOWN:
            for span in self.spans:
                lines += [[], *self._counts(span)]
        return lines

    def _counts(self, span: ClassScores) -> list[Line]:
        width = max(COLUMN, *(len(label) + 2 for label in self.labels))
        width = min(width, (100 - LABEL) // len(self.labels))
        head = "".join(_fitted(label, width).strip().rjust(width) for label in self.labels)
        lines: list[Line] = [
            [(f"{span.span}: what came (rows) against what was predicted (columns)", "bold")],
            [(" " * LABEL + head, "bold")],
        ]
        for label, row in zip(self.labels, span.counts, strict=True):
            cells = "".join(f"{count:>{width},}" for count in row)
            lines.append([(f"{_fitted(label, LABEL)}{cells}", "")])
        if span.failed:
            lines.append([(f"{span.failed:,} predictions failed", "")])
        return lines

    def _repr_html_(self) -> str:
        head = [
            [("", 1), *((_title(span), len(COLUMNS)) for span in self.spans)],
            [("", 1), *[(name, 1) for name in COLUMNS] * len(self.spans)],
        ]
        texts = [_texts(span) for span in self.spans]
        rows = [
            [escape(label), *(cell for each in texts for cell in each[row])]
            for row, label in enumerate(self.labels)
        ]
        tables = [html_table(f"classes of {self.output}", head, rows)]
        for span in self.spans:
            counts = [
                [escape(label), *(f"{count:,}" for count in row)]
                for label, row in zip(self.labels, span.counts, strict=True)
            ]
            names = [[("came \\ predicted", 1), *((label, 1) for label in self.labels)]]
            tables.append(html_table(f"{self.output}, {span.span}", names, counts))
        return "".join(tables)


def _figures(span: ClassScores) -> tuple[tuple[float, ...], ...]:
    return span.came, span.named, span.precision, span.recall


def _texts(span: ClassScores) -> list[list[str]]:
    """A row of `COLUMNS` for each class."""
    return [
        [f"{came:,}", f"{named:,}", percent(precision), percent(recall)]
        for came, named, precision, recall in zip(*_figures(span), strict=True)
    ]


def _title(span: ClassScores) -> str:
    return f"{span.span} {dates(span.start, span.end)}"


def _fitted(label: str, width: int) -> str:
    return label.ljust(width) if len(label) < width else f"{label[: width - 2]}… "
