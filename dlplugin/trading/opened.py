"""Trading results of days that a model has kept for its holdout: each is recorded as an opening."""

import math
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import backtrader as bt
import pandas as pd

from dlplugin.errors import DLPluginWarning, StoreError, users_level
from dlplugin.model import Model
from dlplugin.samples import Spans
from dlplugin.store import Opening, now, record_opening, shown_symbols
from dlplugin.trading.clock import day_numbers_to_index

__all__ = ["SHOWN", "Shown", "watch_holdout"]

SHOWN = "_dlplugin_shown"
_END_OF_DAY = 1 - 1 / 86_400  # of a day; backtrader's own feeds put a daily bar 10 µs before midnight
_TOLERANCE = 1e-8  # days, about a millisecond: day numbers are no exact times


@dataclass(frozen=True)
class Shown:
    """That a strategy's result is shown whatever it trades, as by `dl.backtest`; the attribute `SHOWN` of its class.

    Attributes:
        start: The first bar on which it may trade.
        symbol: What it trades; None where that has no name.
    """

    start: pd.Timestamp
    symbol: str | None


@dataclass(frozen=True)
class _Holdout:
    """The holdout of a model, as plain values: backtrader copies and pickles what its strategies hold."""

    root: Path
    definition: str
    model: str
    dataset: str
    symbols: tuple[str, ...]
    start: pd.Timestamp
    end: pd.Timestamp

    def holds(self, first: float, last: float) -> bool:
        """Whether a time from one of backtrader's day numbers to another touches it."""
        return first <= _number(self.end) + _TOLERANCE and last >= _number(self.start) - _TOLERANCE


def watch_holdout(strategy: Any, model: Model) -> None:
    """Lets a strategy that is given a model's predictions record what it trades on the model's holdout.

    Args:
        strategy: That has just begun to be made.
        model: What predicts in it.
    """
    record = model.record
    spans = Spans.from_dict(record["spans"])
    if "holdout" not in spans:
        return
    holdout = _Holdout(
        root=model.store.absolute(),
        definition=model.definition.hash,
        model=model.name,
        dataset=str(record["dataset"]["name"]),
        symbols=shown_symbols(model.definition, record),
        start=spans["holdout"].start,
        end=spans["holdout"].end,
    )
    watching = next((each for each in strategy._slave_analyzers if isinstance(each, _Opened)), None)
    if watching is None:  # a slave is none of the analyzers that the user sees
        watching = strategy._addanalyzer_slave(_Opened)
    watching.holdouts.add(holdout)


class _Opened(bt.Analyzer):
    """Records the trading results of a strategy, when it stops, that are of days of a holdout.

    A result is of such a day when a position was held on it, for as short as from one order to the next. The
    days that are recorded are those of the holdout that the strategy ran over, not those it held a position
    on: so trying out thresholds on the same days is one opening of them.
    """

    def __init__(self) -> None:
        self.holdouts: set[_Holdout] = set()
        self._first: float | None = None  # bar of the strategy, as backtrader's day number
        self._open: dict[int, tuple[str, float]] = {}  # trade to symbol and the day number it began with
        self._traded: set[tuple[_Holdout, str]] = set()

    def notify_cashvalue(self, cash: float, value: float) -> None:
        """Comes with each bar."""
        if self._first is None:
            self._first = _day_number(self.strategy.datetime[0])

    def notify_trade(self, trade: Any) -> None:
        """Comes when a position begins, and when it ends."""
        symbol = getattr(trade.data, "_name", None) or ""
        if trade.justopened:
            self._open[trade.ref] = (symbol, _day_number(trade.dtopen))
        if trade.isclosed:
            _, began = self._open.pop(trade.ref, (symbol, _day_number(trade.dtopen)))
            self._note(symbol, began, _day_number(trade.dtclose))

    def stop(self) -> None:
        """Records what there is to record: one warning where that cannot be done."""
        if self._first is None:
            return
        last = _day_number(self.strategy.datetime[0])
        for symbol, began in self._open.values():
            self._note(symbol, began, last)
        first, shown = self._first, getattr(self.strategy, SHOWN, None)
        if shown is not None:
            first = _number(shown.start)
            self._traded = {(each, shown.symbol or "") for each in self.holdouts if each.holds(first, last)}
        trouble = []
        for holdout in sorted(self.holdouts, key=lambda each: each.model):
            symbols = {symbol for each, symbol in self._traded if each == holdout}
            if symbols:
                try:
                    record_opening(holdout.root, self._opening(holdout, symbols, first, last))
                except StoreError as error:
                    trouble.append(
                        f"a trading result of holdout days of {holdout.model!r} is not recorded: {error}"
                    )
        if trouble:
            warnings.warn("; ".join(trouble), DLPluginWarning, stacklevel=users_level())

    def _note(self, symbol: str, first: float, last: float) -> None:
        self._traded |= {(each, symbol) for each in self.holdouts if each.holds(first, last)}

    def _opening(self, holdout: _Holdout, symbols: set[str], first: float, last: float) -> Opening:
        ran = day_numbers_to_index([first, last])
        named = symbols if "" not in symbols else symbols.difference([""]).union(holdout.symbols)
        return Opening(
            definition=holdout.definition,
            model=holdout.model,
            dataset=holdout.dataset,
            symbols=tuple(sorted(named)),
            trained=holdout.symbols,
            start=f"{max(ran[0], holdout.start):%Y-%m-%d}",
            end=f"{min(ran[1], holdout.end):%Y-%m-%d}",
            purpose="trading result",
            reason=type(self.strategy).__name__,
            time=now(),
        )


def _day_number(number: float) -> float:
    """A bar's day number; one in the last second of a day is the day's."""
    whole = math.floor(number)
    return float(whole) if number - whole > _END_OF_DAY else number


def _number(time: pd.Timestamp) -> float:
    """A time as backtrader counts days."""
    return float(bt.date2num(time.to_pydatetime()))
