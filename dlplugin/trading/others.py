"""Other symbols' feeds, read beside the one that is predicted."""

from collections.abc import Iterable
from typing import Any

import backtrader as bt
import numpy as np
import pandas as pd

from dlplugin.errors import TradingError
from dlplugin.registry import did_you_mean
from dlplugin.trading.clock import day_numbers_to_index

__all__ = ["BarsSeen", "feed_named", "strategy_of"]


class BarsSeen(bt.Indicator):
    """Keeps each bar of a feed from its first one on, also where backtrader keeps only the last.

    Params:
        columns: The lines to keep.
    """

    lines: Any = ("seen",)
    params: Any = (("columns", ()),)
    plotinfo = {"plot": False}  # noqa: RUF012  # how backtrader declares it

    def __init__(self, *feeds: Any, **params: Any) -> None:  # backtrader takes both before it gets here
        self._count = 0
        self._last: dict[str, float] = {}
        self._fresh: list[tuple[dict[str, float], pd.Timestamp]] = []

    def next(self) -> None:
        """Takes the bar; backtrader also calls it when only another feed has a new one."""
        values = {name: float(getattr(self.data, name)[0]) for name in self.p.columns}
        if len(self.data) == self._count:
            if values != self._last:
                raise TradingError(
                    f"feed {self.data._name!r} changed a bar that another symbol had read; replayed feeds do that "
                    "(use resampledata), and feeds of different dates with exactbars=1 (use exactbars=False)"
                )
            return
        self._count, self._last = len(self.data), values
        self._fresh.append((values, day_numbers_to_index([self.data.datetime[0]])[0]))

    def once(self, start: int, end: int) -> None:
        """Nothing: all bars are there, see `frame`."""

    preonce = oncestart = once

    def fresh(self) -> list[tuple[dict[str, float], pd.Timestamp]]:
        """The bars since the last call, oldest first: columns and time."""
        taken, self._fresh = self._fresh, []
        return taken

    def frame(self) -> pd.DataFrame:
        """All bars of a preloaded feed."""
        columns = {name: np.array(getattr(self.data, name).array) for name in self.p.columns}
        return pd.DataFrame(columns, index=day_numbers_to_index(self.data.datetime.array))


def feed_named(indicator: Any, symbol: str, reader: str) -> Any:
    """The feed of another symbol in the strategy that an indicator belongs to.

    Args:
        indicator: In a strategy, or in another indicator of it.
        symbol: The feed's name.
        reader: What reads it, for the message.

    Raises:
        TradingError: No feed has that name.
    """
    names = {data._name: data for data in strategy_of(indicator).datas if getattr(data, "_name", None)}
    if symbol not in names:
        raise TradingError(
            f"{reader} reads {symbol}, but no feed has that name{_there(symbol, names)} add it with "
            f"cerebro.adddata(dl.feed(bars, {symbol!r}))"
        )
    return names[symbol]


def strategy_of(indicator: Any) -> Any:
    """The strategy that an indicator belongs to, itself or as part of another indicator."""
    strategy = indicator
    while not hasattr(strategy, "env"):
        strategy = strategy._owner
    return strategy


def _there(symbol: str, names: Iterable[str]) -> str:
    known = sorted(names)
    return did_you_mean(symbol, known) or (f"; there are: {', '.join(known)};" if known else ";")
