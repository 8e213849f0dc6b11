"""The text of an indicator to its tree; Python's own parser reads it, nothing is ever executed.

expression   comparison of sums, products, powers and signs of: numbers, columns, calls
column       a lower-case name: open, high, low, close, volume or an extra column of the bars; symbol is
             none, but the symbol that a row is of, which only an input by itself can be
call         NAME(inputs..., parameters...), with .output where the function has several outputs
form         of("SPY", x), on("1w", x), delayed(x, "2d"): the only ones that take text in quotes
parameter    a number, by position or keyword; a moving average's kind also by name: matype=EMA
"""

import ast
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TypeVar

from dlplugin.errors import ExpressionError, UnknownNameError
from dlplugin.indicators.catalogue import Entry, describe, find, unknown_name
from dlplugin.indicators.forms import FORMS, Argument, Text
from dlplugin.indicators.nodes import Column, Node, Number, is_constant
from dlplugin.indicators.operators import Arithmetic, Comparison, negative
from dlplugin.indicators.signature import AVERAGES, Given, Word, bind, culprit
from dlplugin.indicators.starts import refuse_raw_starts
from dlplugin.registry import did_you_mean

__all__ = ["DEEPEST", "LONGEST_TEXT", "parse"]

T = TypeVar("T")

LONGEST_TEXT = 4000  # characters
DEEPEST = 100  # nested steps, well inside Python's own limit

_BAR_COLUMNS = ("open", "high", "low", "close", "volume")
_SYMBOL = "symbol"
_SYMBOL_ALONE = "it stands alone, as dl.Input('symbol', categories=dataset.symbols)"
_POSITION = re.compile(r" \(column \d+ of ")
_COLUMN_NAME = re.compile(r"[a-z][a-z0-9_]*")

_ARITHMETIC: Mapping[type[ast.operator], str] = MappingProxyType(
    {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Pow: "**"}
)
_COMPARISONS: Mapping[type[ast.cmpop], str] = MappingProxyType(
    {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!="}
)
_OPERATORS = "the operators are + - * / ** and < <= > >= == !="
_SUCH_AS = "write one such as close / SMA(20) - 1"
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
        What is wrong with a text is told with the column where it is.

    Raises:
        UnknownNameError: No function, parameter or output goes by a name in it.
        ExpressionError: It is no expression, or asks for something that cannot be computed.

    >>> parse("close / SMA(20) - 1").text
    'close / SMA(close, timeperiod=20) - 1'
    """
    if not isinstance(text, str):
        raise ExpressionError(f"an indicator is written as text, such as 'RSI(14)', not {text!r}")
    return _Reader(re.sub(r"\s", " ", text).strip()).read()


class _Reader:
    """Walks the syntax tree of one text."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._depth = 0
        self._places: list[tuple[object, int]] = []  # arguments, and where they are written

    def read(self) -> Node:
        if not self._source:
            raise self._refusal(0, "an indicator cannot be empty; write one, such as RSI(14)")
        if len(self._source) > LONGEST_TEXT:
            length = len(self._source)
            raise self._refusal(
                LONGEST_TEXT, f"the expression has {length} characters; at most {LONGEST_TEXT} are read"
            )
        for position, character in enumerate(self._source):
            if not " " <= character <= "~" or character in "#\\":
                raise self._refusal(position, f"{character!r} is not part of the language; {_OPERATORS}")
        try:
            tree = ast.parse(self._source, mode="eval")
        except SyntaxError as error:
            raise self._unreadable(error) from None
        except (RecursionError, MemoryError, ValueError):
            raise self._refusal(
                0, "the expression nests too deep or holds too long a number; split it up"
            ) from None
        root = self._step(tree.body)
        if is_constant(root):
            raise self._refusal(
                0, f"{root.text} uses no column of the bars; an indicator must, such as close"
            )
        try:
            refuse_raw_starts(root)
        except ExpressionError as error:
            name = str(error).partition(" ")[0]
            raise self._refusal(self._source.find(name), str(error)) from None
        return root

    def _unreadable(self, error: SyntaxError) -> ExpressionError:
        if not error.offset:
            return self._refusal(len(self._source), f"the expression ends too early; {_SUCH_AS}")
        reason = error.msg.removesuffix(" (detected at line 1)").lower()
        return self._refusal(error.offset - 1, f"the expression cannot be read: {reason}; {_SUCH_AS}")

    def _refusal(self, position: int, message: str) -> ExpressionError:
        position = min(max(position, 0), len(self._source))
        shown = (
            self._source if len(self._source) <= 60 else f"...{self._source[max(0, position - 25) :][:50]}..."
        )
        return ExpressionError(f"{message} (column {position + 1} of {shown!r})")

    def _placed(self, error: ExpressionError, part: ast.expr) -> ExpressionError:
        """The error with the position of the argument it blames, or else of the call."""
        at = culprit(error)
        position = next((place for given, place in self._places if given is at), part.col_offset)
        return type(error)(str(self._refusal(position, str(error))))

    def _refused(self, part: ast.expr | ast.keyword, message: str) -> ExpressionError:
        return self._refusal(part.col_offset, message)

    def _step(self, part: ast.expr) -> Node:
        self._depth += 1
        if self._depth > DEEPEST:
            raise self._refused(part, f"the expression nests more than {DEEPEST} steps deep; split it up")
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
        entry = find(name)
        if entry is not None and entry.usage == name:
            return entry.build((), (), "")
        if entry is not None:
            raise self._refused(part, f"{name} is a function; write {entry.usage}")
        if name == _SYMBOL:
            raise self._refused(
                part, f"{name} is the symbol that a row is of, and no number; {_SYMBOL_ALONE}"
            )
        if _COLUMN_NAME.fullmatch(name) is None:
            hint = did_you_mean(name, _BAR_COLUMNS)
            if hint and not name.isupper():
                raise self._placed(UnknownNameError(f"unknown column {name!r}{hint}"), part)
            raise self._placed(unknown_name(name), part)
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
        form = FORMS.get(part.func.id)
        try:
            if form is not None:
                if output:
                    raise ExpressionError(f"{form.name} has one output; leave .{output} out")
                texts = [self._text_or_step(argument) for argument in part.args]
                return form.read(texts, self._keywords(part, self._text_or_step))
            entry = describe(part.func.id)
            written = [self._argument(argument) for argument in part.args]
            inputs, parameters = bind(entry.signature, written, self._keywords(part, self._argument))
            return entry.build(inputs, parameters, _output(entry, output))
        except ExpressionError as error:
            if _POSITION.search(str(error)):
                raise
            raise self._placed(error, part) from None

    def _keywords(self, part: ast.Call, read: Callable[[ast.expr], T]) -> dict[str, T]:
        keywords: dict[str, T] = {}
        for keyword in part.keywords:
            if keyword.arg is None:
                raise self._refused(keyword, "two stars are not part of the language; write each parameter")
            if keyword.arg in keywords:
                name = part.func.id if isinstance(part.func, ast.Name) else "the call"
                raise self._refused(keyword, f"{keyword.arg} of {name} is given twice")
            keywords[keyword.arg] = read(keyword.value)
            self._places.append((keywords[keyword.arg], keyword.col_offset))
        return keywords

    def _argument(self, part: ast.expr) -> Given:
        given: Given
        if isinstance(part, ast.Name) and part.id in AVERAGES:
            given = Word(part.id)
        elif isinstance(part, ast.Constant) and isinstance(part.value, str) and part.value in AVERAGES:
            given = Word(part.value)
        else:
            given = self._step(part)
        self._places.append((given, part.col_offset))
        return given

    def _text_or_step(self, part: ast.expr) -> Argument:
        if isinstance(part, ast.Name) and find(part.id) is None and not _COLUMN_NAME.fullmatch(part.id):
            raise self._refused(part, f'{part.id} is not known; text is written in quotes: "{part.id}"')
        text = isinstance(part, ast.Constant) and isinstance(part.value, str)
        given = Text(part.value) if text else self._step(part)  # type: ignore[attr-defined]
        self._places.append((given, part.col_offset))
        return given


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
