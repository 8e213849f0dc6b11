"""Indicators: parsed expressions that compute columns from bars, in batch and bar by bar."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self, final

import numpy as np

from dlplugin.indicators.calls import TalibCall
from dlplugin.indicators.evaluate import evaluate
from dlplugin.indicators.expression import parse
from dlplugin.indicators.joined import Of
from dlplugin.indicators.nodes import FloatArray, Node, steps_of
from dlplugin.indicators.own import OwnCall, OwnFunction
from dlplugin.indicators.stream import Stream

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Indicator", "compute_columns"]


@final
@dataclass(frozen=True)
class Indicator:
    """One column computed from bars; the value of bar t is known at its close.

    Two indicators are equal when their canonical texts are.

    Args:
        text: An expression, such as "close / SMA(20) - 1".

    Attributes:
        text: Its canonical text, with every input and parameter spelled out.
        tree: Its steps.

    Raises:
        ExpressionError: The text is no indicator.

    >>> Indicator("RSI(14)").text
    'RSI(close, timeperiod=14)'
    """

    text: str
    tree: Node = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        tree = parse(self.text)
        object.__setattr__(self, "tree", tree)
        object.__setattr__(self, "text", tree.text)

    @classmethod
    def parse(cls, text: str) -> Self:
        """The indicator of a text; the same as `Indicator(text)`."""
        return cls(text)

    def __reduce__(self) -> tuple[type["Indicator"], tuple[str]]:
        return (Indicator, (self.text,))

    def __str__(self) -> str:
        return self.text

    @property
    def warm_up(self) -> int:
        """Leading bars that are NaN, on bars whose columns are finite."""
        return self.tree.warm_up

    @property
    def unstable(self) -> bool:
        """Whether bars before the warm-up fade from its values without ever being forgotten."""
        return any(isinstance(step, TalibCall | OwnCall) and step.fades for step in steps_of(self.tree))

    @property
    def steady_bars(self) -> int:
        """Bars of history after which an earlier first bar would not have changed its value.

        For a function of a window this is its warm-up and one. For one whose past fades it is an
        estimate to float32's precision of the function's own spread, measured on made-up prices;
        the estimates of nested functions add up.
        """
        return self.tree.steady + 1

    @property
    def columns(self) -> frozenset[str]:
        """The columns of the bars it reads."""
        return self.tree.columns

    @property
    def own_functions(self) -> tuple[OwnFunction, ...]:
        """The functions of a user's own that it is computed with, by name."""
        calls = {step.name: step.function for step in steps_of(self.tree) if isinstance(step, OwnCall)}
        return tuple(calls[name] for name in sorted(calls))

    @property
    def others(self) -> frozenset[str]:
        """The other symbols whose bars it reads."""
        return frozenset(step.symbol for step in steps_of(self.tree) if isinstance(step, Of))

    def columns_of(self, symbol: str) -> frozenset[str]:
        """The columns of another symbol's bars it reads."""
        read = (step for step in steps_of(self.tree) if isinstance(step, Of) and step.symbol == symbol)
        return frozenset().union(*(step.step.columns for step in read))

    def compute(self, bars: "pd.DataFrame", others: "Mapping[str, pd.DataFrame] | None" = None) -> FloatArray:
        """Its values over one symbol's bars.

        Args:
            bars: T bars, oldest first; T may be 0.
            others: The bars of the symbols in `others`; more do no harm.

        Returns:
            (T,) in the indicator's own unit; NaN while warming up, and where it cannot be computed
            (a division by zero, a logarithm of nothing). A function that looks back starts anew
            after a NaN of its input.

        Raises:
            UnknownNameError: The bars lack a column.
            BarsError: The bars of another symbol are missing.
        """
        return compute_columns((self,), bars, others)[:, 0]

    def stream(self) -> Stream:
        """A fresh stream: the same values bar by bar, to the bit, from the same first bar."""
        return Stream(self)


def compute_columns(
    indicators: Sequence[Indicator],
    bars: "pd.DataFrame",
    others: "Mapping[str, pd.DataFrame] | None" = None,
) -> FloatArray:
    """The values of several indicators, every shared step computed once.

    Args:
        indicators: F indicators.
        bars: T bars of one symbol, oldest first; T may be 0.
        others: The bars of every other symbol that they read.

    Returns:
        (T, F), column by column what `Indicator.compute` gives.

    Raises:
        UnknownNameError: The bars lack a column.
        BarsError: The bars of another symbol are missing.
    """
    matrix = np.empty((len(bars), len(indicators)))
    for place, values in enumerate(evaluate([indicator.tree for indicator in indicators], bars, others)):
        matrix[:, place] = values
    return matrix
