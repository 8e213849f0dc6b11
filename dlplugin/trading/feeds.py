"""Checked bars as a backtrader feed."""

from typing import Any

import backtrader as bt
import pandas as pd

from dlplugin.bars import check_bars

__all__ = ["feed"]


def feed(bars: pd.DataFrame, name: str = "") -> Any:
    """A feed of checked bars, extra columns as further lines.

    Args:
        bars: A symbol's history.
        name: The symbol; signals and models scaled by symbol know the feed by it.

    Raises:
        BarsError: The bars cannot be used; backtrader itself would run them wrongly.
    """
    checked = check_bars(bars, name or "bars")
    extras = tuple(
        column for column in checked.columns if column not in ("open", "high", "low", "close", "volume")
    )
    return _feed_class(extras)(dataname=checked, name=name or None)


def _feed_class(extras: tuple[str, ...]) -> Any:
    """The feed class with these lines, made once and kept in this module, where pickle looks for it."""
    name = "_".join(("BarsFeed", *extras))
    if name not in globals():
        body = {"__module__": __name__, "lines": extras, "params": tuple((column, -1) for column in extras)}
        globals()[name] = type(name, (bt.feeds.PandasData,), body)
    return globals()[name]
