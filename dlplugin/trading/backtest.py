"""One strategy on one symbol's bars, with costs and next-open fills, beside buy-and-hold."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import backtrader as bt
import numpy as np
import pandas as pd

from dlplugin.bars import check_bars
from dlplugin.errors import TradingError
from dlplugin.trading.clock import day_numbers_to_index
from dlplugin.trading.feeds import feed

__all__ = ["Backtest", "Execution", "backtest", "round_trips"]


@dataclass(frozen=True)
class Execution:
    """One filled order: positive size bought, negative sold."""

    date: pd.Timestamp
    size: float
    price: float
    commission: float


@dataclass(frozen=True, eq=False, repr=False)
class Backtest:
    """What a strategy did over a span of dates.

    Attributes:
        strategy: Its class's name.
        symbol: What it traded.
        start: First bar on which an order could be filled.
        end: Last bar.
        cash: Start cash.
        commission: Share of the traded value, paid on each side.
        equity: Account value at each bar's close.
        buy_and_hold: The same cash, all of it in whole shares bought at the first open with the same
            commission and held; its value at each bar's close.
        executions: Every filled order.
        trades: A row from flat to flat: entry_date, entry_price, exit_date, exit_price, size, profit
            (net of commission, in cash). An open trade has no exit, and its profit is as of the last close.
        figures: return_percent, buy_and_hold_percent; sharpe and buy_and_hold_sharpe (of bar returns,
            a year, no risk-free rate; NaN when nothing moved) with their standard errors sharpe_error
            and buy_and_hold_sharpe_error (independent returns; Lo, 2002); max_drawdown_percent,
            buy_and_hold_drawdown_percent; exposure_percent (share of closes with a position); trades;
            commission_paid.
    """

    strategy: str
    symbol: str
    start: pd.Timestamp
    end: pd.Timestamp
    cash: float
    commission: float
    equity: pd.Series
    buy_and_hold: pd.Series
    executions: tuple[Execution, ...]
    trades: pd.DataFrame
    figures: dict[str, float]

    def __repr__(self) -> str:
        return f"<Backtest {str(self).splitlines()[0]}>"

    def __str__(self) -> str:
        f = self.figures
        return (
            f"{self.strategy} on {self.symbol}, {self.start:%Y-%m-%d} … {self.end:%Y-%m-%d}: "
            f"{f['return_percent']:+.1f} %, buy-and-hold {f['buy_and_hold_percent']:+.1f} %\n"
            f"Sharpe ratio {f['sharpe']:.2f} ± {f['sharpe_error']:.2f}, buy-and-hold "
            f"{f['buy_and_hold_sharpe']:.2f} ± {f['buy_and_hold_sharpe_error']:.2f}; deepest drawdown "
            f"{f['max_drawdown_percent']:.1f} %, buy-and-hold {f['buy_and_hold_drawdown_percent']:.1f} %\n"
            f"{f['trades']:.0f} trades, invested on {f['exposure_percent']:.0f} % of the bars; "
            f"orders are filled at the next open; commission {self.commission:.2%} a side, "
            f"{f['commission_paid']:,.0f} of {self.cash:,.0f} cash"
        )


def backtest(
    strategy: type,
    bars: pd.DataFrame,
    symbol: str = "bars",
    start: pd.Timestamp | str | None = None,
    end: pd.Timestamp | str | None = None,
    cash: float = 100_000.0,
    commission: float = 0.001,
    **params: Any,
) -> Backtest:
    """Runs a backtrader strategy.

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
    if not (isinstance(strategy, type) and issubclass(strategy, bt.Strategy)):
        raise TradingError(f"strategy is {strategy!r}, but must be a class that descends from bt.Strategy")
    if not (math.isfinite(cash) and cash > 0):
        raise TradingError(f"cash is {cash}, but must be above 0")
    if not 0 <= commission < 1:
        raise TradingError(
            f"commission is {commission}, but must be a share from 0 to below 1, such as 0.001"
        )
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
    cerebro.addstrategy(_traded_from(strategy, first), **params)
    ran = cerebro.run()
    if not ran:
        raise TradingError(
            f"{strategy.__name__} did not run: all {len(checked)} bars of {symbol} are warm-up"
        )
    record = ran[0].analyzers.record
    traded = checked.iloc[first:]
    equity = pd.Series(record.values, index=day_numbers_to_index(record.times), dtype=float)
    equity = equity.reindex(traded.index).fillna(cash)  # before its indicators are warm it holds cash
    position = pd.Series(record.positions, index=day_numbers_to_index(record.times), dtype=float)
    executions = tuple(record.executions)
    hold = _buy_and_hold(traded, cash, commission)
    trades = round_trips(executions, float(traded["close"].iloc[-1]))
    sharpe, sharpe_error = _sharpe(equity, cash)
    hold_sharpe, hold_sharpe_error = _sharpe(hold, cash)
    return Backtest(
        strategy=strategy.__name__,
        symbol=symbol,
        start=traded.index[0],
        end=traded.index[-1],
        cash=cash,
        commission=commission,
        equity=equity,
        buy_and_hold=hold,
        executions=executions,
        trades=trades,
        figures={
            "return_percent": (equity.iloc[-1] / cash - 1) * 100,
            "buy_and_hold_percent": (hold.iloc[-1] / cash - 1) * 100,
            "sharpe": sharpe,
            "sharpe_error": sharpe_error,
            "buy_and_hold_sharpe": hold_sharpe,
            "buy_and_hold_sharpe_error": hold_sharpe_error,
            "max_drawdown_percent": _drawdown(equity, cash),
            "buy_and_hold_drawdown_percent": _drawdown(hold, cash),
            "exposure_percent": float((position.reindex(traded.index).fillna(0.0) != 0).mean()) * 100,
            "trades": float(len(trades)),
            "commission_paid": sum(execution.commission for execution in executions),
        },
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


def round_trips(executions: Sequence[Execution], last_close: float) -> pd.DataFrame:
    """Executions to trades from flat to flat; a reversal closes one and opens the next.

    Args:
        executions: In order of time.
        last_close: Values a trade that is still open.

    Returns:
        A row a trade; see `Backtest.trades`. Prices are averages over the shares; size is the largest
        position, negative when short.
    """
    rows: list[dict[str, Any]] = []
    legs: list[Execution] = []
    held = 0.0
    for execution in executions:
        closing = -held if held * (held + execution.size) < 0 else execution.size
        share = closing / execution.size
        legs.append(Execution(execution.date, closing, execution.price, execution.commission * share))
        held += closing
        if held == 0:
            rows.append(_trade(legs, None))
            legs = []
        rest = execution.size - closing
        if rest:
            legs.append(Execution(execution.date, rest, execution.price, execution.commission * (1 - share)))
            held = rest
    if legs:
        rows.append(_trade(legs, last_close))
    columns = ["entry_date", "entry_price", "exit_date", "exit_price", "size", "profit"]
    return pd.DataFrame(rows, columns=columns)


def _trade(legs: list[Execution], last_close: float | None) -> dict[str, Any]:
    side = math.copysign(1.0, legs[0].size)
    entries = [leg for leg in legs if leg.size * side > 0]
    exits = [leg for leg in legs if leg.size * side < 0]
    open_size = sum(leg.size for leg in legs) if last_close is not None else 0.0
    cash = -sum(leg.size * leg.price + leg.commission for leg in legs)
    is_open = last_close is not None
    return {
        "entry_date": entries[0].date,
        "entry_price": _average_price(entries),
        "exit_date": pd.NaT if is_open else exits[-1].date,
        "exit_price": math.nan if is_open else _average_price(exits),
        "size": float(max(np.cumsum([leg.size for leg in legs]) * side) * side),
        "profit": cash + open_size * (last_close or 0.0),
    }


def _average_price(legs: list[Execution]) -> float:
    return sum(leg.size * leg.price for leg in legs) / sum(leg.size for leg in legs)


def _buy_and_hold(traded: pd.DataFrame, cash: float, commission: float) -> pd.Series:
    cost = float(traded["open"].iloc[0]) * (1 + commission)
    size = cash // cost
    return cash - size * cost + size * traded["close"]


def _sharpe(equity: pd.Series, cash: float) -> tuple[float, float]:
    """Sharpe ratio a year and its standard error, √((1 + ratio²/2) / bars) a bar (Lo, 2002)."""
    values = np.concatenate([[cash], equity.to_numpy()])
    returns = values[1:] / values[:-1] - 1
    years = (equity.index[-1] - equity.index[0]) / pd.Timedelta(days=365.25)
    spread = returns.std(ddof=1) if len(returns) > 1 else 0.0
    if not spread or not years:
        return math.nan, math.nan
    ratio = returns.mean() / spread
    error = math.sqrt((1 + ratio**2 / 2) / len(returns))
    a_year = math.sqrt(len(returns) / years)
    return float(ratio * a_year), error * a_year


def _drawdown(equity: pd.Series, cash: float) -> float:
    """The deepest fall from a peak, in percent of the peak."""
    values = np.concatenate([[cash], equity.to_numpy()])
    return float((1 - values / np.maximum.accumulate(values)).max() * 100)


def _traded_from(strategy: type, first: int) -> type:
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
