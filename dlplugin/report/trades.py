"""The table of a backtest's trades."""

from typing import TYPE_CHECKING, Any

import numpy as np

from dlplugin.report.blocks import Cell, Column, Row, Table, Words
from dlplugin.report.words import count, date, decimals_for, is_intraday, number, sentences, span

if TYPE_CHECKING:
    import pandas as pd

    from dlplugin.evaluation.account import Backtest

__all__ = ["MOST_TRADES", "trades_table"]

MOST_TRADES = 1000
_COLUMNS = ("no.", "entry", "price", "exit", "price", "size", "profit", "of its cost")


def trades_table(backtest: "Backtest", caption: str) -> Table | Words:
    """All trades, or the first and the last when there are very many; a sentence where there are none.

    Args:
        backtest: What was traded.
        caption: What to know of the account.
    """
    trades = backtest.trades
    if trades.empty:
        dates = span(backtest.start, backtest.end)
        return Words(f"No trades: the strategy stayed out of the market, {dates}.", "empty")
    decimals = decimals_for([*trades["entry_price"], *trades["exit_price"]])
    intraday = is_intraday([*trades["entry_date"], *trades["exit_date"]])
    rows = [
        _trade(i, trade, decimals, intraday=intraday)
        for i, trade in enumerate(trades.to_dict("records"), start=1)
    ]
    note, half = "", MOST_TRADES // 2
    if len(rows) > MOST_TRADES:
        note = f"the first and the last {half} of {number(len(rows), 0)} trades are shown"
        rows = rows[:half] + rows[-half:]
    columns = [Column(title, "name" if i == 0 else "") for i, title in enumerate(_COLUMNS)]
    said = sentences(caption, "profit is after commission", note)
    return Table("trades", "Trades", columns, rows, said, folded=_tally(trades))


def _tally(trades: "pd.DataFrame") -> str:
    profits = trades["profit"].to_numpy(np.float64)
    closed = trades["exit_date"].notna().to_numpy()
    counts = {
        "won": closed & (profits > 0),
        "lost": closed & (profits < 0),
        "came out even": closed & (profits == 0),
        "still open": ~closed,
    }
    parts = [f"{number(int(chosen.sum()), 0)} {name}" for name, chosen in counts.items() if chosen.any()]
    return f"{count(len(trades), 'trade')}: {', '.join(parts)}"


def _trade(i: int, trade: Any, decimals: int, *, intraday: bool) -> Row:
    profit, size, price = trade["profit"], trade["size"], trade["entry_price"]
    cost = abs(size * price)
    side = "gain" if profit > 0 else "loss" if profit < 0 else "even"
    cells = [
        str(i),
        date(trade["entry_date"], intraday=intraday),
        number(price, decimals),
        date(trade["exit_date"], intraday=intraday),
        number(trade["exit_price"], decimals),
        number(size, 0 if float(size).is_integer() else 4),
    ]
    share = number(profit / cost * 100 if cost else float("nan"), 1, signed=True, unit="%")
    return Row([*map(Cell, cells), Cell(number(profit, 2, signed=True), class_=f"{side}-words"), Cell(share)])
