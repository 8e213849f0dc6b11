"""The conformance check for indicators that others write."""

import warnings
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dlplugin.errors import DLPluginWarning, ExpressionError
from dlplugin.indicators import (
    Indicator,
    StreamSet,
    describe_function,
    first_leak,
    made_up_bars,
    own_functions,
)
from dlplugin.indicators.evaluate import evaluate
from dlplugin.indicators.own import OwnCall, OwnFunction
from dlplugin.indicators.stream import Root
from dlplugin.indicators.trial import tried

if TYPE_CHECKING:
    import pandas as pd

    from dlplugin.indicators import Node

__all__ = ["check_indicator"]

FloatArray = NDArray[np.float64]
_BARS = 260


def check_indicator(function_or_text: Callable[..., Any] | str, bars: "pd.DataFrame | None" = None) -> None:
    """Holds an indicator to what every indicator promises; returns when it keeps all of it.

    Checked in this order: one value a bar (length), numbers (type), the same values twice
    (determinism), its argument unchanged (argument), bars with NaN do not make it fail (NaN), no
    value of the past changes with the future (causality), its lookback is enough (lookback), and bar
    by bar it gives the bits of the batch (stream).

    Args:
        function_or_text: A function of a bars frame, registered with `@dl.indicator` or not, with its
            default parameters; or an expression.
        bars: T bars to check on, besides made-up ones.

    Raises:
        ExpressionError: With the name of the first check that fails, and what was seen.
    """
    samples = [made_up_bars(_BARS), made_up_bars(_BARS, hourly=True)] + ([] if bars is None else [bars])
    if isinstance(function_or_text, str):
        indicator = Indicator(function_or_text)
        for sample in samples:
            _check_tree(indicator.text, indicator.tree, _with(sample, indicator.columns), indicator)
        return
    function = _described(function_or_text)
    defaults = tuple(each.default or 0 for each in function.parameters)
    for sample in samples:
        _check_function(function, defaults, _with(sample, function.columns))
    try:
        tried(function, defaults)
    except ExpressionError as error:
        check = "causality" if "looks ahead" in str(error) else "lookback"
        raise _failed(function.name, check, str(error)) from None
    tree = OwnCall(function.name, defaults, function)
    for sample in samples:
        _check_tree(function.name, tree, _with(sample, function.columns), None)


def _described(function: Callable[..., Any]) -> OwnFunction:
    known = (each for each in own_functions().values() if each.function is function)
    return next(known, None) or describe_function(function)


def _with(bars: "pd.DataFrame", columns: "tuple[str, ...] | frozenset[str]") -> "pd.DataFrame":
    """The bars, with made-up columns where they lack some."""
    lacking = tuple(sorted(set(columns) - set(bars.columns)))
    if not lacking:
        return bars
    made_up = made_up_bars(len(bars), lacking)
    return bars.assign(**{name: made_up[name].to_numpy() for name in lacking})


def _check_function(function: OwnFunction, parameters: tuple[float, ...], bars: "pd.DataFrame") -> None:
    name, frame = function.name, bars[list(function.columns)].astype(np.float64)

    def values(given: "pd.DataFrame") -> FloatArray:
        return function.values(given, parameters)

    try:
        raw = np.asarray(function.function(frame.copy(), **function.arguments(parameters)))
    except Exception as error:
        raise _failed(name, "length", f"{type(error).__name__}: {error}") from error
    if raw.shape != (len(frame),):
        raise _failed(name, "length", f"it gives values of shape {raw.shape} for {len(frame)} bars")
    if raw.dtype.kind not in "fiub":
        raise _failed(name, "type", f"it gives values of type {raw.dtype}, not numbers")
    first, handed = values(frame.copy()), frame.copy()
    again = values(handed)
    _same(name, "determinism", first, again, "the second time it gives")
    if not handed.equals(frame) or list(handed.columns) != list(frame.columns):
        raise _failed(name, "argument", "it changes the bars it is given; work on a copy")
    gappy = frame.copy()
    gappy.iloc[100:103] = np.nan
    try:
        values(gappy)
    except ExpressionError as error:
        raise _failed(name, "NaN", f"with NaN in three bars {error}") from None


def _check_tree(name: str, tree: "Node", bars: "pd.DataFrame", indicator: Indicator | None) -> None:
    others = _others(indicator, bars)
    roots = [Root(tree)]

    def compute(given: "pd.DataFrame") -> FloatArray:
        return _computed(tree, given, others)

    before = bars.copy()
    whole = compute(bars)
    _same(name, "determinism", whole, compute(bars), "the second time it gives")
    if not bars.equals(before):
        raise _failed(name, "argument", "it changes the bars it is given; work on a copy")
    leak = first_leak(compute, bars, np.random.default_rng(0))
    if leak is not None:
        raise _failed(name, "causality", str(leak))
    gappy = bars.copy()
    gappy.iloc[100:103] = np.nan
    for sample in (bars, gappy):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DLPluginWarning)
            streamed = StreamSet(roots).replay(sample, others)[:, 0]
        _same(name, "stream", compute(sample), streamed, "bar by bar it gives")


def _computed(tree: "Node", bars: "pd.DataFrame", others: "Mapping[str, pd.DataFrame]") -> FloatArray:
    return evaluate([tree], bars, others)[0]


def _others(indicator: Indicator | None, bars: "pd.DataFrame") -> "dict[str, pd.DataFrame]":
    """Bars of other symbols: those of this one some days before, a few left out."""
    import pandas as pd

    found = {}
    for place, symbol in enumerate(sorted(indicator.others) if indicator else []):
        part = bars.drop(bars.index[3 + place :: 17]) * (2.0 + place)
        part.index = pd.DatetimeIndex(part.index) - pd.Timedelta(days=place + 1)
        found[symbol] = _with(part, indicator.columns_of(symbol)) if indicator else part
    return found


def _same(name: str, check: str, wanted: FloatArray, got: FloatArray, how: str) -> None:
    differs = np.flatnonzero(~((wanted == got) | (np.isnan(wanted) & np.isnan(got))))
    if len(differs):
        bar = int(differs[0])
        raise _failed(name, check, f"{how} {float(got[bar])!r} at bar {bar}, not {float(wanted[bar])!r}")


def _failed(name: str, check: str, reason: str) -> ExpressionError:
    return ExpressionError(f"indicator {name!r} fails the check of {check}: {' '.join(reason.split())}")
