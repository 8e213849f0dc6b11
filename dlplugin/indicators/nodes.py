"""The tree of an expression: frozen steps, each computed in batch and bar by bar with the same bits.

A step is one of many kinds; a new kind is a frozen dataclass that fills in `Node`. Nothing else
needs to know it: printing, warm-up, batch and live evaluation go by these methods alone.

Numbers. Every value is finite or NaN: what comes out infinite, or beyond `LIMIT`, is NaN (an
intermediate overflow inside TA-Lib would otherwise differ between batch and live).
NaN. A step without memory gives NaN where one of its inputs is NaN. A step that looks back is
computed on each finite stretch of its inputs by itself: a NaN restarts it, warm-up included.
"""

# ruff: noqa: D102 (what a step's methods give is documented once, on Node)

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol, Self, TypeAlias, final, runtime_checkable

import numpy as np

from dlplugin.indicators.view import LIMIT, NAN, BarsView, FloatArray, LiveBar, missing_column

__all__ = [
    "LIMIT",
    "NAN",
    "BarsView",
    "Column",
    "FloatArray",
    "Live",
    "LiveBar",
    "LiveOther",
    "Node",
    "Number",
    "Precedence",
    "Reading",
    "Stateless",
    "bracketed",
    "is_constant",
    "number_text",
    "steps_of",
]

Reading: TypeAlias = Any  # one bar's value: a float, or a tuple of floats where a step has several outputs


class Precedence:
    """How tightly a step's text binds, as in Python's own grammar; higher binds tighter."""

    COMPARISON = 1
    SUM = 2
    PRODUCT = 3
    NEGATION = 4
    POWER = 5
    ATOM = 6


class Live(Protocol):
    """A step's memory between bars."""

    def update(self, bar: LiveBar, *inputs: Reading) -> Reading:
        """The value of a closed bar, which is remembered."""

    def peek(self, bar: LiveBar, *inputs: Reading) -> Reading:
        """The value `update` would give; leaves no trace."""

    def copy(self) -> Self:
        """An independent memory of the same bars."""


@runtime_checkable
class LiveOther(Protocol):
    """The memory of a step that reads another symbol's bars, too."""

    symbol: str

    def take(self, bar: LiveBar) -> None:
        """Remembers a closed bar of the other symbol."""


@final
class Stateless:
    """The live form of a step that remembers nothing.

    Args:
        function: The value from the bar and the values of the step's inputs.
    """

    def __init__(self, function: Callable[..., Reading]) -> None:
        self.update = function
        self.peek = function

    def copy(self) -> Self:
        """Itself: there is nothing to copy."""
        return self


class Node(ABC):
    """One step of an expression; subclasses are frozen dataclasses, equal when their text is."""

    @property
    @abstractmethod
    def text(self) -> str:
        """The canonical text: parses to an equal step, with every parameter spelled out."""

    @property
    def precedence(self) -> int:
        """How tightly `text` binds; see `Precedence`."""
        return Precedence.ATOM

    def operands(self) -> tuple["Node", ...]:
        """The steps whose values this one is computed from."""
        return ()

    def elsewhere(self) -> tuple["Node", ...]:
        """The steps that this one computes by itself, on other bars than its own."""
        return ()

    @property
    def timed(self) -> bool:
        """Whether the step itself needs the times of the bars."""
        return False

    @property
    def lookback(self) -> int:
        """Finite bars of its inputs the step itself needs before its first value."""
        return 0

    @property
    def settling(self) -> int:
        """Bars after the first value until what came before the first bar no longer matters.

        Not zero where the past fades without ever ending, as in an exponential average: a measured
        estimate, to float32's precision of the step's own spread.
        """
        return 0

    @abstractmethod
    def batch(self, bars: BarsView, *inputs: FloatArray) -> FloatArray:
        """(T,) values; or (outputs, T) where a step has several outputs."""

    @abstractmethod
    def live(self) -> Live:
        """A fresh memory, before the first bar."""

    @cached_property
    def warm_up(self) -> int:
        """Leading bars without a value, on bars whose columns are finite from the first one."""
        return max((step.warm_up for step in self.operands()), default=0) + self.lookback

    @cached_property
    def steady(self) -> int:
        """Leading bars after which an earlier first bar would not have changed the value."""
        before = max((step.steady for step in self.operands()), default=0)
        return before + self.lookback + self.settling

    @cached_property
    def columns(self) -> frozenset[str]:
        """The columns of the bars that the step reads."""
        return frozenset().union(*(step.columns for step in self.operands()))

    def __str__(self) -> str:
        return self.text


@final
@dataclass(frozen=True)
class Column(Node):
    """A column of the bars.

    Attributes:
        name: open, high, low, close, volume or the name of an extra column.
    """

    name: str

    @property
    def text(self) -> str:
        return self.name

    @cached_property
    def columns(self) -> frozenset[str]:
        return frozenset((self.name,))

    def batch(self, bars: BarsView, *inputs: FloatArray) -> FloatArray:
        return bars.column(self.name)

    def live(self) -> Live:
        name = self.name

        def read(bar: LiveBar) -> float:
            try:
                return float(bar.values[name])
            except KeyError:
                raise missing_column(name, bar.values) from None

        return Stateless(read)


@final
@dataclass(frozen=True)
class Number(Node):
    """The same number at every bar.

    Attributes:
        value: Finite; a negative zero is taken as zero.
    """

    value: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "value", float(self.value) + 0.0)  # -0.0 becomes 0.0

    @cached_property
    def text(self) -> str:
        return number_text(self.value)

    @property
    def precedence(self) -> int:
        return Precedence.NEGATION if self.value < 0 else Precedence.ATOM

    def batch(self, bars: BarsView, *inputs: FloatArray) -> FloatArray:
        return np.full(bars.length, self.value)

    def live(self) -> Live:
        value = self.value
        return Stateless(lambda bar: value)


def number_text(value: float) -> str:
    """The shortest text of a number that reads back as the same float.

    >>> number_text(2.0), number_text(0.02), number_text(1e22)
    ('2', '0.02', '1e+22')
    """
    return repr(float(value)).removesuffix(".0")


def bracketed(step: Node, least: int) -> str:
    """A step's text for a place where at least this precedence is needed."""
    return step.text if step.precedence >= least else f"({step.text})"


def steps_of(root: Node) -> Iterator[Node]:
    """The step and all that it is computed from, here and elsewhere."""
    yield root
    for step in (*root.operands(), *root.elsewhere()):
        yield from steps_of(step)


def is_constant(step: Node) -> bool:
    """Whether a step is a number, or computed from numbers alone."""
    operands = step.operands()
    return isinstance(step, Number) or (bool(operands) and all(map(is_constant, operands)))
