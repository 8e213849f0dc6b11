"""The table of permutation importance: what the model loses without each input, and with what error."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from dlplugin.evaluation.plain import PLAIN, Moment, Number, to_plain
from dlplugin.evaluation.text import (
    Line,
    bar,
    dates,
    fixed,
    html_bar,
    html_table,
    number,
    plain,
    rich_text,
    wrapped,
)
from dlplugin.evaluation.uncertainty import CONFIDENT

if TYPE_CHECKING:
    from rich.text import Text

__all__ = ["Importance", "OutputImportance", "Rise"]

NAME, FIGURE, HALF_BAR = 34, 11, 9  # characters


@dataclass(frozen=True)
class Rise:
    """How much the loss rises when some inputs are permuted together.

    Attributes:
        inputs: One, or those of a group.
        rise: Mean over the samples and the permutations, in the unit of the loss.
        standard_error: Of the rise; NaN where there are too few days to tell.
    """

    inputs: tuple[str, ...]
    rise: Number
    standard_error: Number

    @property
    def error(self) -> float:
        """Half the width of the 95 % interval: 1.96 standard errors."""
        return CONFIDENT * self.standard_error

    @property
    def beyond_error(self) -> bool:
        """The rise exceeds 1.96 standard errors: the model does worse without the inputs."""
        return bool(self.rise > self.error)

    @property
    def finding(self) -> str:
        """In words; empty where the model does worse without the inputs by more than the error."""
        if self.beyond_error:
            return ""
        if math.isnan(self.standard_error):
            return "too few days to tell"
        return "better without it" if self.rise < -self.error else "not told from nothing"


@dataclass(frozen=True)
class OutputImportance:
    """The inputs' importance for one output.

    Attributes:
        name: The output's.
        look_ahead: Bars.
        loss_name: What rises: see `SampleLoss`.
        loss: With the inputs as they are.
        single: For each input, in their order.
        groups: For each group of two or more inputs that move together.
    """

    name: str
    look_ahead: int
    loss_name: str
    loss: Number
    single: tuple[Rise, ...]
    groups: tuple[Rise, ...]

    def group_of(self, one: Rise) -> Rise:
        """The group that an input is in: itself where it is alone."""
        return next((group for group in self.groups if one.inputs[0] in group.inputs), one)


@dataclass(frozen=True, repr=False)
class Importance:
    """What each input matters: the rise of the loss when its values are permuted among the samples.

    Inputs that move together stand in for each other, so that each alone seems to matter little; what
    they matter together is the rise of their group. Of many inputs that matter nothing, one in forty
    seems to by chance.

    Attributes:
        outputs: One for each.
        span: "out-of-sample" or "in-sample".
        extent: Bar t of the first and of the last sample.
        samples: How many.
        days: Calendar days with a sample.
        repeats: Permutations.
        seed: Of these.
        together: Mean absolute rank correlation in sample from which inputs are a group (average linkage).

    `print` shows a table in plain text, `rich.print` the same in colours, a notebook HTML.
    """

    __pydantic_config__ = PLAIN

    outputs: tuple[OutputImportance, ...]
    span: str
    extent: tuple[Moment, Moment]
    samples: int
    days: int
    repeats: int
    seed: int
    together: float

    @property
    def frame(self) -> pd.DataFrame:
        """A row for each output and input.

        Columns output, input, rise, error (1.96 standard errors), beyond_error; then group, the inputs that are
        permuted with it, and group_rise, group_error and group_beyond_error: its own where it is alone.
        """
        rows = []
        for output in self.outputs:
            for one in output.single:
                group = output.group_of(one)
                rows.append(
                    {
                        "output": output.name,
                        "input": one.inputs[0],
                        "rise": one.rise,
                        "error": one.error,
                        "beyond_error": one.beyond_error,
                        "group": " + ".join(group.inputs),
                        "group_rise": group.rise,
                        "group_error": group.error,
                        "group_beyond_error": group.beyond_error,
                    }
                )
        return pd.DataFrame(rows)

    def to_dict(self) -> dict[str, Any]:
        """Plain types as JSON holds them; None stands for NaN."""
        document: dict[str, Any] = to_plain(self)
        return document

    def __repr__(self) -> str:
        found = sum(one.beyond_error for output in self.outputs for one in output.single)
        figures = sum(len(output.single) for output in self.outputs)
        return f"<Importance: {found} of {figures} rises are beyond their errors>"

    def __str__(self) -> str:
        return plain(self.lines())

    def __rich__(self) -> "Text":
        return rich_text(self.lines())

    @property
    def title(self) -> str:
        """What was looked at, in one line."""
        return (
            f"importance by {self.repeats} permutations, {self.span} {dates(*self.extent)}: "
            f"{self.samples:,} samples, {self.days:,} days"
        )

    def lines(self) -> list[Line]:
        """The table as lines of styled pieces, to be put on a larger page."""
        lines = wrapped(self.title, "bold")
        for output in self.outputs:
            full, decimals = _full(output), _decimals(_full(output))
            lines += [
                [],
                [(_caption(output), "bold")],
                [(f"{'input':<{NAME}}{'rise':>{FIGURE}}{'±':>{FIGURE}}", "bold")],
            ]
            for one in _by_rise(output.single):
                lines.append(_line(_shortened(one.inputs[0]), one, full, decimals))
            for group in _by_rise(output.groups):
                words = f"permuted together, for they move together: {' + '.join(group.inputs)}"
                lines += [[(words, "")], _line(f"  {len(group.inputs)} inputs", group, full, decimals)]
        return lines

    def _repr_html_(self) -> str:
        parts = [f"<p>{escape(self.title)}</p>"]
        for output in self.outputs:
            full, decimals = _full(output), _decimals(_full(output))
            rows = [
                [
                    escape(" + ".join(one.inputs)),
                    fixed(one.rise, decimals),
                    fixed(one.error, decimals),
                    html_bar(one.rise, full),
                    one.finding,
                ]
                for one in (*_by_rise(output.single), *_by_rise(output.groups))
            ]
            parts += [
                html_table(_caption(output), [[(each, 1) for each in ("input", "rise", "±", "", "")]], rows)
            ]
        return "<div>" + "".join(parts) + "</div>"


def _caption(output: OutputImportance) -> str:
    bars = f"{output.look_ahead} bar{'s' if output.look_ahead != 1 else ''} ahead"
    return f"{output.name}, {bars}: rise of the {output.loss_name}, which is {number(output.loss, 4)}"


def _line(label: str, one: Rise, full: float, decimals: int) -> Line:
    figures = f"{fixed(one.rise, decimals):>{FIGURE}}{fixed(one.error, decimals):>{FIGURE}}  "
    return [(f"{label:<{NAME}}{figures}", ""), *bar(one.rise, full, HALF_BAR), (f"  {one.finding}", "")]


def _by_rise(rises: Sequence[Rise]) -> list[Rise]:
    return sorted(rises, key=lambda one: math.inf if math.isnan(one.rise) else -one.rise)


def _shortened(name: str) -> str:
    return name if len(name) < NAME else f"{name[: NAME - 3]}…"


def _full(output: OutputImportance) -> float:
    """The rise that fills a bar: the largest."""
    sizes = [abs(one.rise) for one in (*output.single, *output.groups) if math.isfinite(one.rise)]
    return max(sizes, default=0.0)


def _decimals(full: float) -> int:
    return int(np.clip(2 - np.floor(np.log10(full)), 2, 8)) if full > 0 else 4
