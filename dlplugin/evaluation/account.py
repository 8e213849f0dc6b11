"""What a backtest came to: the account at each close, trades from flat to flat, and figures with errors."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from dlplugin.evaluation.uncertainty import CONFIDENT

__all__ = ["Backtest", "Execution", "round_trips", "settle"]


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
            f"Sharpe ratio {f['sharpe']:.2f} ± {CONFIDENT * f['sharpe_error']:.2f} (95 %), buy-and-hold "
            f"{f['buy_and_hold_sharpe']:.2f} ± {CONFIDENT * f['buy_and_hold_sharpe_error']:.2f}\n"
            f"deepest drawdown {f['max_drawdown_percent']:.1f} %, buy-and-hold "
            f"{f['buy_and_hold_drawdown_percent']:.1f} %; {f['trades']:.0f} trades, invested on "
            f"{f['exposure_percent']:.0f} % of the bars\n"
            f"orders are filled at the next open; commission {100 * self.commission:.2f} % a side, "
            f"{f['commission_paid']:,.0f} of {self.cash:,.0f} cash"
        )


def settle(
    strategy: str,
    symbol: str,
    traded: pd.DataFrame,
    account: pd.DataFrame,
    executions: tuple[Execution, ...],
    cash: float,
    commission: float,
) -> Backtest:
    """A finished run to its result.

    Args:
        strategy: Its name.
        symbol: What it traded.
        traded: The bars from the first one on which an order could be filled.
        account: value and position at each close; closes that are missing are from before the strategy's
            indicators were warm, when it held cash.
        executions: Every filled order.
        cash: Start cash.
        commission: Share of the traded value, paid on each side.
    """
    account = account.reindex(traded.index)
    equity, position = account["value"].fillna(cash), account["position"].fillna(0.0)
    hold = _buy_and_hold(traded, cash, commission)
    trades = round_trips(executions, float(traded["close"].iloc[-1]))
    sharpe, sharpe_error = _sharpe(equity, cash)
    hold_sharpe, hold_sharpe_error = _sharpe(hold, cash)
    figures = {
        "return_percent": (equity.iloc[-1] / cash - 1) * 100,
        "buy_and_hold_percent": (hold.iloc[-1] / cash - 1) * 100,
        "sharpe": sharpe,
        "sharpe_error": sharpe_error,
        "buy_and_hold_sharpe": hold_sharpe,
        "buy_and_hold_sharpe_error": hold_sharpe_error,
        "max_drawdown_percent": _drawdown(equity, cash),
        "buy_and_hold_drawdown_percent": _drawdown(hold, cash),
        "exposure_percent": float((position != 0).mean()) * 100,
        "trades": float(len(trades)),
        "commission_paid": sum(execution.commission for execution in executions),
    }
    start, end = traded.index[0], traded.index[-1]
    return Backtest(strategy, symbol, start, end, cash, commission, equity, hold, executions, trades, figures)


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
