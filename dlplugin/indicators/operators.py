"""Arithmetic and comparison of columns, the same to the bit for arrays and for single floats."""

# ruff: noqa: D102 (what a step's methods give is documented once, on Node)

import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any, final

import numpy as np

from dlplugin.indicators.nodes import (
    NAN,
    BarsView,
    FloatArray,
    Live,
    Node,
    Number,
    Precedence,
    Stateless,
    bracketed,
)

__all__ = ["ARITHMETIC", "COMPARISONS", "Arithmetic", "Comparison", "Negative", "negative"]


def _divided(left: float, right: float) -> float:
    return left / right if right else NAN


def _power(base: float, exponent: float) -> float:
    # the C library's pow in batch, too: numpy's vector code for powers differs from it in the last bit
    if base != base or exponent != exponent:
        return NAN
    try:
        return math.pow(base, exponent)
    except (ValueError, OverflowError):
        return NAN


def _powers(base: FloatArray, exponent: FloatArray) -> FloatArray:
    return np.fromiter(map(_power, base.tolist(), exponent.tolist()), np.float64, len(base))


@dataclass(frozen=True)
class _Operator:
    arrays: Callable[[Any, Any], FloatArray]
    floats: Callable[[float, float], float]
    precedence: int


ARITHMETIC: Mapping[str, _Operator] = MappingProxyType(
    {
        "+": _Operator(operator.add, operator.add, Precedence.SUM),
        "-": _Operator(operator.sub, operator.sub, Precedence.SUM),
        "*": _Operator(operator.mul, operator.mul, Precedence.PRODUCT),
        "/": _Operator(operator.truediv, _divided, Precedence.PRODUCT),
        "**": _Operator(_powers, _power, Precedence.POWER),
    }
)

COMPARISONS: Mapping[str, Callable[[Any, Any], Any]] = MappingProxyType(
    {
        "<": operator.lt,
        "<=": operator.le,
        ">": operator.gt,
        ">=": operator.ge,
        "==": operator.eq,
        "!=": operator.ne,
    }
)


@final
@dataclass(frozen=True)
class Arithmetic(Node):
    """Two steps added, subtracted, multiplied, divided or raised; a division by zero is NaN.

    Attributes:
        operator: "+", "-", "*", "/" or "**".
        left: The first operand.
        right: The second operand.
    """

    operator: str
    left: Node
    right: Node

    @cached_property
    def text(self) -> str:
        own = self.precedence
        if self.operator == "**":  # binds to the right, and a sign before its exponent needs no bracket
            left, right = bracketed(self.left, Precedence.ATOM), bracketed(self.right, Precedence.NEGATION)
        else:
            left, right = bracketed(self.left, own), bracketed(self.right, own + 1)
        return f"{left} {self.operator} {right}"

    @property
    def precedence(self) -> int:
        return ARITHMETIC[self.operator].precedence

    def operands(self) -> tuple[Node, ...]:
        return (self.left, self.right)

    def batch(self, bars: BarsView, *inputs: FloatArray) -> FloatArray:
        return ARITHMETIC[self.operator].arrays(*inputs)

    def live(self) -> Live:
        function = ARITHMETIC[self.operator].floats
        return Stateless(lambda bar, left, right: function(left, right))


@final
@dataclass(frozen=True)
class Comparison(Node):
    """1 where the comparison holds, 0 where it does not, NaN where an operand is NaN.

    Attributes:
        operator: "<", "<=", ">", ">=", "==" or "!=".
        left: The first operand.
        right: The second operand.
    """

    operator: str
    left: Node
    right: Node

    @cached_property
    def text(self) -> str:
        left, right = (bracketed(step, Precedence.SUM) for step in self.operands())
        return f"{left} {self.operator} {right}"

    @property
    def precedence(self) -> int:
        return Precedence.COMPARISON

    def operands(self) -> tuple[Node, ...]:
        return (self.left, self.right)

    def batch(self, bars: BarsView, *inputs: FloatArray) -> FloatArray:
        left, right = inputs
        holds = COMPARISONS[self.operator](left, right).astype(np.float64)
        holds[np.isnan(left) | np.isnan(right)] = NAN
        return holds  # type: ignore[no-any-return]

    def live(self) -> Live:
        holds = COMPARISONS[self.operator]

        def compare(bar: object, left: float, right: float) -> float:
            if left != left or right != right:
                return NAN
            return 1.0 if holds(left, right) else 0.0

        return Stateless(compare)


@final
@dataclass(frozen=True)
class Negative(Node):
    """A step with its sign changed; build it with `negative`, which folds signs into numbers.

    Attributes:
        operand: The step; not a number.
    """

    operand: Node

    @cached_property
    def text(self) -> str:
        return f"-{bracketed(self.operand, Precedence.NEGATION)}"

    @property
    def precedence(self) -> int:
        return Precedence.NEGATION

    def operands(self) -> tuple[Node, ...]:
        return (self.operand,)

    def batch(self, bars: BarsView, *inputs: FloatArray) -> FloatArray:
        return -inputs[0]

    def live(self) -> Live:
        return Stateless(lambda bar, value: -value)


def negative(operand: Node) -> Node:
    """The step with its sign changed, as the parser reads a minus sign."""
    return Number(-operand.value) if isinstance(operand, Number) else Negative(operand)
