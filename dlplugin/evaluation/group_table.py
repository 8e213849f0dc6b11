"""The figures of each symbol, year or volatility regime, to be read."""

import math
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

import pandas as pd

from dlplugin.evaluation.groups import CLASS_FIGURES, FIGURES, GroupScores
from dlplugin.evaluation.text import Line, days, html_table, plain, rich_text, with_error
from dlplugin.evaluation.uncertainty import CONFIDENT

if TYPE_CHECKING:
    from rich.text import Text

__all__ = ["GroupTable"]

NAME, COUNT, FIGURE = 20, 10, 20  # characters
SHARES = {"gain": 2, "hit_rate": 1, "accuracy": 1}  # shown as per cent, with that many decimals
HEADS = {
    "gain": "gain on the mean",
    "correlation": "correlation",
    "hit_rate": "hits",
    "accuracy": "accuracy",
}
LEGEND = "± is the 95 % interval; without one there are too few days to tell"
GAIN = "gain on the mean: how much of the in-sample mean's squared error is gone"
VOLATILITY = (
    "calm, middle, wild: by the last 20 bars' volatility, thirds of each symbol's own in-sample samples"
)
MATTHEWS = "Matthews"


@dataclass(frozen=True, eq=False)
class GroupTable:
    """For each group of samples: how many, and how good the predictions were, against what error.

    Attributes:
        output: The output's name.
        kind: "symbol", "year" (of bar t) or "volatility" (calm, middle and wild: the thirds of the volatility of
            the last 20 bars known at t, each symbol's own, made of the in-sample samples).
        in_classes: Whether the output is in classes.
        spans: Name, first and last bar and groups of each span: in-sample, then the judged one.

    `print` shows plain text of 100 columns, `rich.print` the same with bold figures where they are beyond
    their error of 0, a notebook an HTML table.
    """

    output: str
    kind: str
    in_classes: bool
    spans: tuple[tuple[str, pd.Timestamp, pd.Timestamp, tuple[GroupScores, ...]], ...]

    @property
    def frame(self) -> pd.DataFrame:
        """A row for each span and group, under (span, its name): samples, days, then each figure and its error.

        For numbers gain (the share of the in-sample mean's squared error that is gone), correlation and
        hit_rate; for classes accuracy and correlation (Matthews). NAME_error is half the width of the 95 %
        interval, 1.96 standard errors; NaN where there are too few days to tell.
        """
        rows = {
            (span, group.name): {"samples": group.samples, "days": group.days}
            | {
                key: value
                for name in self._figures
                for key, value in (
                    (name, group.figures[name]),
                    (f"{name}_error", CONFIDENT * group.errors[name]),
                )
            }
            for span, _, _, groups in self.spans
            for group in groups
        }
        index = pd.MultiIndex.from_tuples(list(rows), names=["span", self.kind])
        return pd.DataFrame(list(rows.values()), index=index)

    def __str__(self) -> str:
        return plain(self.lines())

    def __rich__(self) -> "Text":
        return rich_text(self.lines())

    def lines(self) -> list[Line]:
        """The table as lines of styled pieces, to be put on a larger page."""
        lines: list[Line] = [[(f"predicted {self.output} by {self.kind}", "bold")]]
        heads = "".join(f"{head:>{FIGURE}}" for head in self._heads)
        for span, start, end, groups in self.spans:
            lines += [
                [(f"{span} {days(start, end)}", "bold")],
                [(f"{self.kind:<{NAME}}{'samples':>{COUNT}}{'days':>{COUNT}}{heads}", "bold")],
            ]
            for group in groups:
                name = group.name if len(group.name) < NAME else f"{group.name[: NAME - 2]}…"
                line: Line = [(f"{name:<{NAME}}{group.samples:>{COUNT},}{group.days:>{COUNT},}", "")]
                line += [(f"{_shown(group, each):>{FIGURE}}", _style(group, each)) for each in self._figures]
                lines.append(line)
            lines.append([])
        return [*lines, *([(words, "dim")] for words in self._legends)]

    def _repr_html_(self) -> str:
        tables = []
        for span, start, end, groups in self.spans:
            head = [[(text, 1) for text in (self.kind, "samples", "days", *self._heads)]]
            rows = [
                [
                    escape(group.name),
                    f"{group.samples:,}",
                    f"{group.days:,}",
                    *(_shown(group, each) for each in self._figures),
                ]
                for group in groups
            ]
            tables.append(html_table(f"predicted {self.output}, {span} {days(start, end)}", head, rows))
        return f"<div>{''.join(tables)}<p>{'<br>'.join(self._legends)}</p></div>"

    @property
    def _figures(self) -> tuple[str, ...]:
        return CLASS_FIGURES if self.in_classes else FIGURES

    @property
    def _legends(self) -> list[str]:
        """What the columns and the rows mean, a line each."""
        gain = [] if self.in_classes else [GAIN]
        return [LEGEND, *gain, *([VOLATILITY] if self.kind == "volatility" else [])]

    @property
    def _heads(self) -> list[str]:
        heads = HEADS | ({"correlation": MATTHEWS} if self.in_classes else {})
        return [heads[name] for name in self._figures]


def _shown(group: GroupScores, name: str) -> str:
    value, error = group.figures[name], CONFIDENT * group.errors[name]
    if name in SHARES:
        return with_error(100 * value, 100 * error, SHARES[name], " %")
    return with_error(value, error, 3)


def _style(group: GroupScores, name: str) -> str:
    """Bold where a figure that is 0 for knowing nothing is beyond its error of it."""
    value, error = group.figures[name], CONFIDENT * group.errors[name]
    known = name in ("gain", "correlation") and not math.isnan(error) and abs(value) > error
    return "bold" if known else ""
