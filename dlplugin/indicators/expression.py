"""The text of an indicator to its tree; Python's own parser reads it, nothing is ever executed.

expression   comparison of sums, products, powers and signs of: numbers, columns, calls
column       a lower-case name: open, high, low, close, volume or an extra column of the bars
call         NAME(inputs..., parameters...), with .output where the function has several outputs
parameter    a number, by position or keyword; a moving average's kind also by name: matype=EMA
"""

import ast
import re
from collections.abc import Mapping
from types import MappingProxyType

from dlplugin.errors import ExpressionError, UnknownNameError
from dlplugin.indicators.catalogue import Entry, catalogue, describe, unknown_name
from dlplugin.indicators.nodes import Column, Node, Number, is_constant
from dlplugin.indicators.operators import Arithmetic, Comparison, negative
from dlplugin.indicators.signature import AVERAGES, Given, Word, bind
from dlplugin.indicators.starts import refuse_raw_starts
from dlplugin.registry import did_you_mean

__all__ = ["DEEPEST", "LONGEST_TEXT", "parse"]

LONGEST_TEXT = 4000  # characters
DEEPEST = 100  # nested steps, well inside Python's own limit

_BAR_COLUMNS = ("open", "high", "low", "close", "volume")
_COLUMN_NAME = re.compile(r"[a-z][a-z0-9_]*")

_ARITHMETIC: Mapping[type[ast.operator], str] = MappingProxyType(
    {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Pow: "**"}
)
_COMPARISONS: Mapping[type[ast.cmpop], str] = MappingProxyType(
    {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!="}
)
_OPERATORS = "the operators are + - * / ** and < <= > >= == !="
_KINDS: Mapping[type[ast.AST], str] = MappingProxyType(
    {
        ast.UnaryOp: "~",
        ast.NamedExpr: ":=",
        ast.JoinedStr: "an f-string",
        ast.GeneratorExp: "a comprehension",
        ast.ListComp: "a comprehension",
        ast.List: "a list",
        ast.Set: "a set",
        ast.Dict: "a dict",
    }
)
_HINTS: Mapping[type[ast.AST], str] = MappingProxyType(
    {
        ast.BoolOp: "and, or are not part of the language; multiply comparisons for and, take max for or",
        ast.Subscript: "square brackets are not part of the language; an earlier bar is lag(close, 1)",
        ast.Slice: "square brackets are not part of the language; an earlier bar is lag(close, 1)",
        ast.IfExp: "if is not part of the language; multiply by a comparison",
        ast.Starred: "a star before an argument is not part of the language; write each argument",
        ast.Tuple: "a comma stands outside a call; one expression gives one value",
    }
)


def parse(text: str) -> Node:
    """The tree of an expression.

    Args:
        text: One expression, such as "close / SMA(20) - 1".

    Returns:
        The tree; its `text` spells every input and parameter out and parses to the same tree.

    Raises:
        UnknownNameError: No function, parameter or output goes by a name in it.
        ExpressionError: It is no expression, or asks for something that cannot be computed.

    >>> parse("close / SMA(20) - 1").text
    'close / SMA(close, timeperiod=20) - 1'
    """
    if not isinstance(text, str):
        raise ExpressionError(f"an indicator is written as text, such as 'RSI(14)', not {text!r}")
    source = re.sub(r"\s", " ", text).strip()
    root = _Reader(source).read()
    if is_constant(root):
        raise ExpressionError(f"{root.text} uses no column of the bars; an indicator must, such as close")
    refuse_raw_starts(root)
    return root


class _Reader:
    """Walks the syntax tree of one text."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._depth = 0

    def read(self) -> Node:
        if not self._source:
            raise ExpressionError("an indicator cannot be empty; write one, such as RSI(14)")
        if len(self._source) > LONGEST_TEXT:
            length = len(self._source)
            raise ExpressionError(f"the expression has {length} characters; at most {LONGEST_TEXT} are read")
        for position, character in enumerate(self._source):
            if not " " <= character <= "~" or character in "#\\":
                raise self._refusal(position, f"{character!r} is not part of the language")
        try:
            tree = ast.parse(self._source, mode="eval")
        except SyntaxError as error:
            raise self._unreadable(error) from None
        except (RecursionError, MemoryError, ValueError):
            raise ExpressionError(
                "the expression cannot be read; it nests too deep or holds too long a number"
            ) from None
        return self._step(tree.body)

    def _unreadable(self, error: SyntaxError) -> ExpressionError:
        if not error.offset:
            return self._refusal(len(self._source), "the expression ends too early")
        reason = error.msg.removesuffix(" (detected at line 1)").lower()
        return self._refusal(error.offset - 1, f"the expression cannot be read: {reason}")

    def _refusal(self, position: int, message: str) -> ExpressionError:
        position = min(max(position, 0), len(self._source))
        shown = (
            self._source if len(self._source) <= 60 else f"...{self._source[max(0, position - 25) :][:50]}..."
        )
        return ExpressionError(f"{message} (column {position + 1} of {shown!r})")

    def _refused(self, part: ast.expr | ast.keyword, message: str) -> ExpressionError:
        return self._refusal(part.col_offset, message)

    def _step(self, part: ast.expr) -> Node:
        self._depth += 1
        if self._depth > DEEPEST:
            raise ExpressionError(f"the expression nests more than {DEEPEST} steps deep; split it up")
        try:
            return self._any(part)
        finally:
            self._depth -= 1

    def _any(self, part: ast.expr) -> Node:
        match part:
            case ast.Constant():
                return self._number(part)
            case ast.Name():
                return self._name(part)
            case ast.UnaryOp(op=ast.USub()):
                return negative(self._step(part.operand))
            case ast.UnaryOp(op=ast.UAdd()):
                return self._step(part.operand)
            case ast.UnaryOp(op=ast.Not()):
                raise self._refused(part, "not is not part of the language; write 1 - (comparison)")
            case ast.BinOp():
                return self._arithmetic(part)
            case ast.Compare():
                return self._comparison(part)
            case ast.Call():
                return self._call(part, output="")
            case ast.Attribute(value=ast.Call() as call):
                return self._call(call, output=part.attr)
            case ast.Attribute():
                raise self._refused(part, f"only a call has outputs; .{part.attr} follows no call")
        kind = _KINDS.get(type(part), type(part).__name__.lower())
        raise self._refused(part, _HINTS.get(type(part), f"{kind} is not part of the language; {_OPERATORS}"))

    def _number(self, part: ast.Constant) -> Node:
        value = part.value
        if isinstance(value, bool) or not isinstance(value, int | float):
            right = "write 1 or 0" if isinstance(value, bool) else "write a number, a column or a call"
            raise self._refused(part, f"{value!r} is not a number; {right}")
        try:
            number = float(value)
        except OverflowError:
            number = float("inf")
        if number in (float("inf"), float("-inf")):
            raise self._refused(part, "the number is too large; the largest is about 1.8e308")
        return Number(number)

    def _name(self, part: ast.Name) -> Node:
        name = part.id
        entry = catalogue().get(name)
        if entry is not None and not entry.inputs:
            return entry.build((), (), "")
        if entry is not None:
            raise self._refused(part, f"{name} is a function; write {entry.usage}")
        if _COLUMN_NAME.fullmatch(name) is None:
            hint = did_you_mean(name, _BAR_COLUMNS)
            if hint and not name.isupper():
                raise UnknownNameError(f"unknown column {name!r}{hint}")
            raise unknown_name(name)
        return Column(name)

    def _arithmetic(self, part: ast.BinOp) -> Node:
        symbol = _ARITHMETIC.get(type(part.op))
        if symbol is None:
            raise self._refused(part.right, f"unknown operator before this place; {_OPERATORS}")
        return Arithmetic(symbol, self._step(part.left), self._step(part.right))

    def _comparison(self, part: ast.Compare) -> Node:
        if len(part.ops) > 1:
            raise self._refused(part, "chained comparison; write (1 < x) * (x < 2) for 1 < x < 2")
        symbol = _COMPARISONS.get(type(part.ops[0]))
        if symbol is None:
            raise self._refused(part.comparators[0], f"unknown operator before this place; {_OPERATORS}")
        return Comparison(symbol, self._step(part.left), self._step(part.comparators[0]))

    def _call(self, part: ast.Call, output: str) -> Node:
        if not isinstance(part.func, ast.Name):
            raise self._refused(part.func, "only a function's name can be called, such as SMA(close, 20)")
        if part.func.id in _BAR_COLUMNS:
            raise self._refused(part.func, f"{part.func.id} is a column, not a function; write it without ()")
        entry = describe(part.func.id)
        written = [self._argument(argument) for argument in part.args]
        keywords: dict[str, Given] = {}
        for keyword in part.keywords:
            if keyword.arg is None:
                raise self._refused(keyword, "two stars are not part of the language; write each parameter")
            if keyword.arg in keywords:
                raise self._refused(keyword, f"{keyword.arg} of {entry.name} is given twice")
            keywords[keyword.arg] = self._argument(keyword.value)
        inputs, parameters = bind(entry.signature, written, keywords)
        return entry.build(inputs, parameters, _output(entry, output))

    def _argument(self, part: ast.expr) -> Given:
        if isinstance(part, ast.Name) and part.id in AVERAGES:
            return Word(part.id)
        if isinstance(part, ast.Constant) and isinstance(part.value, str) and part.value in AVERAGES:
            return Word(part.value)
        return self._step(part)


def _output(entry: Entry, written: str) -> str:
    if not written:
        if entry.outputs:
            choices = ", ".join(f".{name}" for name in entry.outputs)
            raise ExpressionError(f"{entry.name} has several outputs; add one of {choices} after the call")
        return ""
    if not entry.outputs:
        raise ExpressionError(f"{entry.name} has one output; leave .{written} out")
    chosen = entry.aliases.get(written, written)
    if chosen not in entry.outputs:
        hint = did_you_mean(written, (*entry.outputs, *entry.aliases)) or ";"
        choices = ", ".join(f".{name}" for name in entry.outputs)
        raise ExpressionError(f"{entry.name} has no output {written!r}{hint} it has {choices}")
    return chosen
