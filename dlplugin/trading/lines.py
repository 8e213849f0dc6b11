"""The columns of a prediction as lines of a backtrader indicator."""

import keyword
import re
import unicodedata
from collections.abc import Sequence
from typing import Any

import backtrader as bt

__all__ = ["line_names", "with_lines"]

_WORDS = {"≤": " le ", "≥": " ge ", "<": " lt ", ">": " gt ", "…": " to ", "%": " percent ", "+": " plus "}
_MINUS = re.compile(r"(?<![\w)])-(?=[\d.])")  # of a number, not between words
_TAKEN = re.compile(r"l|p|cls|params|plotinfo|plotlines|dnames|d?datas|ldata|data.*|lines?.*")  # of instances


def line_names(columns: Sequence[str], indicator: Any = bt.Indicator) -> tuple[str, ...]:
    """A name for each column that backtrader and Python take, no two alike.

    >>> line_names(["ROC(1) [≤ -0.5]", "ROC(1) [≥ 0.55]", "ROC(1) spread", "p", "5 days"])
    ('ROC_1_le_minus_0_5', 'ROC_1_ge_0_55', 'ROC_1_spread', 'column_p', 'column_5_days')

    Args:
        columns: What they are called in tables.
        indicator: The class that gets these lines; what it has already keeps its name.
    """
    names: list[str] = []
    for column in columns:
        text = _MINUS.sub(" minus ", column)
        for sign, word in _WORDS.items():
            text = text.replace(sign, word)
        text = unicodedata.normalize("NFKC", text)  # as Python reads names
        letters = (letter if f"_{letter}".isidentifier() else "_" for letter in text)
        name = re.sub("_+", "_", "".join(letters)).strip("_")
        if not name.isidentifier() or _is_used(name, indicator):
            name = f"column_{name}"
        while name in names or _is_used(name, indicator):
            name += "_"
        names.append(name)
    return tuple(names)


def with_lines(indicator: Any, columns: Sequence[str], shown: int) -> Any:
    """The indicator's class with a line for each column after its own; for the same ones the same class.

    Its `line_of` tells which line a column is.

    Args:
        indicator: A class that descends from `bt.Indicator`.
        columns: What the columns are called; without any the class stays as it is.
        shown: How many of them a plot shows, the first ones.
    """
    if not columns:
        return indicator
    made: dict[object, Any] = indicator.__dict__.get("_with_lines", {})
    key = tuple(columns), shown
    if key not in made:
        names = line_names(columns, indicator)
        body = {
            "__module__": indicator.__module__,
            "__doc__": indicator.__doc__,
            "lines": names,
            "plotlines": {name: {"_plotskip": True} for name in names[shown:]},
            "line_of": dict(zip(columns, names, strict=True)),
        }
        # backtrader registers what does not begin with _, and should know the indicator itself alone
        added = type(indicator)(f"_{indicator.__name__}", (indicator,), body)
        added.__name__ = added.__qualname__ = indicator.__name__
        indicator._with_lines = made | {key: added}
        made = indicator._with_lines
    return made[key]


def _is_used(name: str, indicator: Any) -> bool:
    there = name in indicator.lines._getlines() or hasattr(indicator, name) or hasattr(indicator.lines, name)
    return there or keyword.iskeyword(name) or _TAKEN.fullmatch(name) is not None
