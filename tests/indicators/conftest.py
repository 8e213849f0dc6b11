"""Real bars, a usage of every catalogued function, and random expressions."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import strategies as st

from dlplugin.errors import ExpressionError
from dlplugin.indicators import Entry, Node, catalogue, plugins
from dlplugin.indicators.expression import parse
from dlplugin.indicators.joined import Delayed, Of
from dlplugin.indicators.nodes import Column, Number, is_constant
from dlplugin.indicators.operators import ARITHMETIC, COMPARISONS, Arithmetic, Comparison, negative
from dlplugin.indicators.own import OwnFunction
from dlplugin.indicators.periods import On
from dlplugin.indicators.signature import Parameter
from dlplugin.indicators.starts import START_DEPENDENT
from dlplugin.indicators.times import Timeframe
from dlplugin.resources import shipped_folder

OTHERS = ("GOOG", "IBM")
COLUMNS = ("open", "high", "low", "close", "volume")


def _read(file: str) -> pd.DataFrame:
    bars = pd.read_csv(shipped_folder("datasets") / file, index_col=0, parse_dates=True)
    return bars.astype(np.float64)


@pytest.fixture(scope="session")
def stock() -> pd.DataFrame:
    """Daily bars of one stock, with an extra column raw_close."""
    return _read("us-stocks/AAPL.csv.gz")


@pytest.fixture(scope="session")
def currency() -> pd.DataFrame:
    """Hourly bars of a currency pair: another scale, another clock."""
    return _read("eurusd-1h/EURUSD.csv.gz")


@pytest.fixture(scope="session")
def index() -> pd.DataFrame:
    """Daily bars of an index over twenty years."""
    return _read("sp500/SP500.csv.gz")


def _inputs(entry: Entry) -> str:
    if entry.name in ("ACOS", "ASIN"):
        return "close / high"
    if entry.name in ("COSH", "EXP", "SINH"):
        return "close / 1000"
    if entry.name == "MAVP":
        return "close, 5 + 6 * day_of_week"
    return "close, open" if entry.name in ("min", "max") else "close" if entry.inputs else ""


def usages_of(entry: Entry) -> list[str]:
    """Expressions that show every output of a function, in its accepted form."""
    if entry.name == "VWAP" or entry.form:
        return []  # the one has no accepted form; forms that take text have tests of their own
    needs_inputs = not entry.signature.defaults or entry.name in ("ACOS", "ASIN", "COSH", "EXP", "SINH")
    arguments = [_inputs(entry)] if needs_inputs and entry.inputs else []
    arguments += [f"{each.name}=20" for each in entry.parameters if each.default is None]
    calls = [f"{entry.name}({', '.join(arguments)})"]
    calls = [f"{calls[0]}.{output}" for output in entry.outputs] or calls
    rule = START_DEPENDENT.get(entry.name)
    return [f"{rule.wrapper}({call}, 5)" for call in calls] if rule else calls


@pytest.fixture(scope="session")
def others() -> dict[str, pd.DataFrame]:
    """Stocks beside `stock`: one with holidays of its own, one listed late."""
    early = _read("us-stocks/IBM.csv.gz").iloc[100:]
    return {"IBM": early.drop(early.index[5::11]), "GOOG": _read("us-stocks/GOOG.csv.gz")}


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> dict[str, OwnFunction]:
    """An empty registry of functions of one's own, and no installed packages."""
    fresh: dict[str, OwnFunction] = {}
    monkeypatch.setattr(plugins, "_registered", fresh)
    monkeypatch.setattr(plugins, "_entry_points_read", [True])
    return fresh


@pytest.fixture(scope="session")
def usages() -> dict[str, list[str]]:
    """For every catalogued function, expressions that show each of its outputs."""
    return {name: usages_of(entry) for name, entry in catalogue().items()}


def _values(parameter: Parameter, longest: int) -> st.SearchStrategy[float]:
    if parameter.kind == "whole":
        return st.integers(int(parameter.least), longest)
    if parameter.kind == "average":
        return st.integers(0, int(parameter.most))
    least, most = max(parameter.least, -50.0), min(parameter.most, 50.0)
    return st.floats(least, most, allow_nan=False)


def _numbers() -> st.SearchStrategy[Node]:
    simple = st.integers(-20, 20).map(float)
    return (simple | st.floats(allow_nan=False, allow_infinity=False)).map(Number)


@st.composite
def _calls(draw: st.DrawFn, steps: st.SearchStrategy[Node], longest: int) -> Node:
    entries = [entry for entry in catalogue().values() if entry.name != "VWAP" and not entry.form]
    entry = draw(st.sampled_from(entries))
    count = len(entry.inputs) + (draw(st.integers(0, 2)) if entry.signature.repeats else 0)
    inputs = tuple(draw(steps) for _ in range(count))
    if entry.parameters:  # there, a number would be read as a parameter
        inputs = tuple(Column("close") if isinstance(step, Number) else step for step in inputs)
    if inputs and all(map(is_constant, inputs)):
        inputs = (Column("close"), *inputs[1:])
    parameters = tuple(draw(_values(parameter, longest)) for parameter in entry.parameters)
    output = draw(st.sampled_from(entry.outputs)) if entry.outputs else ""
    try:
        call = entry.build(inputs, parameters, output)
    except ExpressionError:  # TA-Lib refuses some parameters together
        return Column("close")
    rule = START_DEPENDENT.get(entry.name)
    return catalogue()[rule.wrapper].build((call,), (draw(st.integers(1, 9)),), "") if rule else call


@st.composite
def _joined(draw: st.DrawFn, longest: int, depth: int, where: str) -> Node:
    """A form that reads other bars: of anywhere but in of and on, on anywhere but in on."""
    kinds = ["delayed", *(["of"] if where == "own" else []), *(["on"] if where != "on" else [])]
    kind = draw(st.sampled_from(kinds))
    inside = {"delayed": where, "of": "of", "on": "on"}[kind]
    step = draw(_trees(longest, depth, inside).filter(lambda tree: not is_constant(tree)))
    if kind == "delayed":
        return Delayed(step, draw(st.sampled_from(["1d", "30h", "3d", "2w"])))
    if kind == "on":
        return On(Timeframe.read(draw(st.sampled_from(["2d", "1w", "1mo"]))), step)
    age = draw(st.sampled_from([1.0, 2.5, 7.0, 400.0]))
    return Of(draw(st.sampled_from(OTHERS)), step, age, draw(st.sampled_from(["same", "later"])))


@st.composite
def _trees(draw: st.DrawFn, longest: int, depth: int, where: str = "") -> Node:
    """`where` is empty for trees without forms that read other bars; otherwise own, of or on."""
    if depth == 0:
        return draw(st.sampled_from([*map(Column, COLUMNS), *map(parse, ("day_of_week", "month"))]))
    steps = _trees(longest, depth - 1, where) | _numbers()
    kinds = ["leaf", "arithmetic", "comparison", "negative", "call", "call"]
    kind = draw(st.sampled_from(kinds + ["joined"] * 3 if where else kinds))
    if kind == "leaf":
        return draw(_trees(longest, 0))
    if kind == "joined":
        return draw(_joined(longest, depth - 1, where))
    if kind == "call":
        return draw(_calls(steps, longest))
    if kind == "negative":
        return negative(draw(steps))
    left, right = draw(steps), draw(steps)
    if kind == "comparison":
        return Comparison(draw(st.sampled_from(list(COMPARISONS))), left, right)
    return Arithmetic(draw(st.sampled_from(list(ARITHMETIC))), left, right)


@pytest.fixture(scope="session")
def random_trees() -> Callable[[int, int], st.SearchStrategy[Node]]:
    """Makes strategies of trees as the parser builds them: (longest period, depth, joined) to a strategy.

    Joined ones read the other symbols of the fixture `others`, other timeframes and delayed values.
    """

    def strategy(longest: int = 30, depth: int = 3, joined: bool = False) -> st.SearchStrategy[Node]:
        return _trees(longest, depth, "own" if joined else "").filter(lambda tree: not is_constant(tree))

    return strategy
