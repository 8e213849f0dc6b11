"""One strategy on one symbol's bars, with costs and next-open fills, beside buy-and-hold."""

import math
from typing import Any

import backtrader as bt
import pandas as pd

from dlplugin.bars import check_bars
from dlplugin.errors import TradingError
from dlplugin.evaluation import Backtest, Execution, settle
from dlplugin.trading.clock import day_numbers_to_index
from dlplugin.trading.feeds import feed
from dlplugin.trading.opened import SHOWN, Shown

__all__ = ["backtest"]

UNNAMED = "bars"


def backtest(
    strategy: type,
    bars: pd.DataFrame,
    symbol: str = UNNAMED,
    start: pd.Timestamp | str | None = None,
    end: pd.Timestamp | str | None = None,
    cash: float = 100_000.0,
    commission: float = 0.001,
    **params: Any,
) -> Backtest:
    """Runs a backtrader strategy.

    Where it runs over days of the holdout of a model that predicts in it (`DLPredictor`), that is recorded as
    an opening, whether it trades or not: the result is of those days. See `Model.openings`.

    Args:
        strategy: A `bt.Strategy` class.
        bars: The history; bars before `start` warm indicators up and are not traded.
        symbol: Its name.
        start: First bar on which an order may be filled: the strategy's `next` runs from the bar before.
        end: Last bar.
        cash: Start cash.
        commission: Share of the traded value, paid on each side.
        params: The strategy's own parameters.

    Raises:
        BarsError: The bars cannot be used.
        TradingError: No bar lies between start and end.
    """
    _refuse_wrong(strategy, cash, commission)
    checked = check_bars(bars, symbol).loc[: _date(end, "end")]
    begin = _date(start, "start")
    first = 1 if begin is None else max(1, int(checked.index.searchsorted(begin)))
    if first >= len(checked):
        raise TradingError(f"{symbol} has no bars between {start} and {end or 'the end'} to trade on")
    cerebro = bt.Cerebro(stdstats=False)
    cerebro.adddata(feed(checked, symbol))
    cerebro.broker.setcash(cash)
    cerebro.broker.setcommission(commission=commission)
    cerebro.addanalyzer(_Record, _name="record")
    shown = Shown(checked.index[first], None if symbol == UNNAMED else symbol)
    cerebro.addstrategy(_traded_from(strategy, first, shown), **params)
    ran = cerebro.run()
    if not ran:
        raise TradingError(
            f"{strategy.__name__} did not run: all {len(checked)} bars of {symbol} are warm-up"
        )
    record = ran[0].analyzers.record
    account = pd.DataFrame(
        {"value": record.values, "position": record.positions},
        index=day_numbers_to_index(record.times),
        dtype=float,
    )
    executions = tuple(record.executions)
    return settle(strategy.__name__, symbol, checked.iloc[first:], account, executions, cash, commission)


def _refuse_wrong(strategy: object, cash: float, commission: float) -> None:
    if not (isinstance(strategy, type) and issubclass(strategy, bt.Strategy)):
        raise TradingError(f"strategy is {strategy!r}, but must be a class that descends from bt.Strategy")
    if not (math.isfinite(cash) and cash > 0):
        raise TradingError(f"cash is {cash}, but must be above 0")
    if not 0 <= commission < 1:
        raise TradingError(
            f"commission is {commission}, but must be a share from 0 to below 1, such as 0.001"
        )


def _date(value: pd.Timestamp | str | None, name: str) -> pd.Timestamp | None:
    """Dates as people write them; the end of a day includes its bars."""
    if value is None:
        return None
    try:
        date = pd.Timestamp(value)
    except (ValueError, TypeError):
        raise TradingError(f"{name} is {value!r}, but dates are written 2009-12-31") from None
    if date.tzinfo is not None:
        raise TradingError(f"{name} is {value}, but dates are without a time zone, in the bars' own time")
    if name == "end" and date == date.normalize():
        date += pd.Timedelta(days=1) - pd.Timedelta(nanoseconds=1)
    return date


def _traded_from(strategy: type, first: int, shown: Shown) -> type:
    """The strategy, silent until the bar before the first one on which it may trade."""

    class Traded(strategy):
        _begun = False

        def prenext(self) -> None:
            if len(self.data) >= first:
                super().prenext()

        def nextstart(self) -> None:
            self.next()

        def next(self) -> None:
            if len(self.data) < first:
                return
            if self._begun:
                super().next()
            else:
                self._begun = True
                super().nextstart()

    setattr(Traded, SHOWN, shown)
    Traded.__name__ = Traded.__qualname__ = strategy.__name__
    return Traded


class _Record(bt.Analyzer):
    """Account value and position at each close, and every filled order."""

    def start(self) -> None:
        self.times: list[float] = []
        self.values: list[float] = []
        self.positions: list[float] = []
        self.executions: list[Execution] = []

    def next(self) -> None:
        self.times.append(self.strategy.data.datetime[0])
        self.values.append(self.strategy.broker.getvalue())
        self.positions.append(self.strategy.position.size)

    def notify_order(self, order: Any) -> None:
        if order.status != order.Completed:
            return
        done = order.executed
        date = day_numbers_to_index([done.dt])[0]
        self.executions.append(Execution(date, done.size, done.price, done.comm))
