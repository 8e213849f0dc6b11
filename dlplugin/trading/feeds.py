"""Checked bars as a backtrader feed."""

import json
from typing import Any

import backtrader as bt
import pandas as pd

from dlplugin.bars import check_bars
from dlplugin.errors import BarsError

__all__ = ["feed"]

_PRICES = ("open", "high", "low", "close", "volume")


def feed(bars: pd.DataFrame, name: str = "") -> Any:
    """A feed of checked bars, extra columns as further lines.

    Args:
        bars: A symbol's history.
        name: The symbol; signals, and models that are scaled by symbol or have it as an input, know the
            feed by it.

    Raises:
        BarsError: The bars cannot be used, or backtrader itself would run them wrongly.
    """
    checked = check_bars(bars, name or "bars")
    extras = tuple(str(column) for column in checked.columns if column not in _PRICES)
    for extra in extras:
        if hasattr(bt.feeds.PandasData, extra) or extra in bt.feeds.PandasData.params._getkeys():
            raise BarsError(
                f"{name or 'bars'} has a column {extra!r}, which backtrader's feeds use; rename it"
            )
    return _feed_class(extras)(dataname=checked, name=name or None)


def _feed_class(extras: tuple[str, ...]) -> Any:
    """The feed class with these lines, made once and kept in this module, where pickle looks for it."""
    name = f"BarsFeed_{json.dumps(extras).encode().hex()}"
    if name not in globals():
        body = {"__module__": __name__, "lines": extras, "params": tuple((extra, -1) for extra in extras)}
        globals()[name] = type(name, (bt.feeds.PandasData,), body)
    return globals()[name]


def __getattr__(name: str) -> Any:
    """Makes the class that a pickle from another process names."""
    if name.startswith("BarsFeed_"):
        return _feed_class(tuple(json.loads(bytes.fromhex(name.removeprefix("BarsFeed_")))))
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
