"""The chart of the account: its value against buy-and-hold, and the drawdown below."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dlplugin.report import svg
from dlplugin.report.charts import FULL, Column, Figure, Panel, date_axis, drawing, empty, end_labels
from dlplugin.report.scales import Scale, padded
from dlplugin.report.slots import LEFT, RIGHT, Slots
from dlplugin.report.svg import FloatArray
from dlplugin.report.words import date, finite, last_known, number

if TYPE_CHECKING:
    from dlplugin.evaluation.account import Backtest

__all__ = ["account_figure", "drawdown"]


@dataclass(frozen=True, eq=False)
class _Line:
    """An account's value (T,) and its drawdown (T,), with the class that colours both."""

    name: str
    values: FloatArray
    drop: FloatArray
    class_: str

    @property
    def value_label(self) -> tuple[float, str, str]:
        last = last_known(self.values)
        return last, f"{self.name} {number(last, 0)}", self.class_

    @property
    def drop_label(self) -> tuple[float, str, str]:
        last = last_known(self.drop)
        return last, f"{self.name} {number(last, 1, unit='%')}", self.class_


def account_figure(backtest: "Backtest", group: str = "account") -> Figure:
    """The account's value against buy-and-hold, and how far each was below its highest value so far.

    Args:
        backtest: What was traded.
        group: Charts that share its cross-hair.
    """
    if backtest.equity.empty:
        return empty("The backtest has no bars, so there is no account value to draw.")
    slots = Slots.of(backtest.equity.index)
    lines = _lines(backtest)
    x = Scale(0, len(slots.x), LEFT, RIGHT)
    known = finite([*(line.values for line in lines), np.full(len(slots.index), backtest.cash)])
    value = Panel(x, Scale(*padded(float(known.min()), float(known.max())), 232, 24))
    deepest = float(finite([line.drop for line in lines]).min(initial=-0.1))
    drop = Panel(x, Scale(deepest * 1.08, 0.0, 376, 280))
    start = (backtest.cash, f"start {number(backtest.cash, 0)}", "reference")
    parts = [
        date_axis(drop, slots.dates, slots.x, value.top),
        value.title("Account value, in the currency of the prices"),
        value.grid(5),
        value.level(backtest.cash),
        drop.title("Drawdown from the highest value so far"),
        drop.grid(4, unit="%"),
        svg.area(slots.x, drop.y(slots.reduce(lines[0].drop, np.fmin)), drop.top, "tint loss"),
        end_labels(value, [*(line.value_label for line in lines), start]),
        end_labels(drop, [line.drop_label for line in lines]),
    ]
    for line in reversed(lines):
        parts.append(svg.polyline(slots.x, value.y(slots.lasts(line.values)), f"curve {line.class_}"))
        parts.append(svg.polyline(slots.x, drop.y(slots.reduce(line.drop, np.fmin)), f"curve {line.class_}"))
    label = f"Account value and drawdown, {date(slots.index[0])} to {date(slots.index[-1])}"
    columns = [Column(line.name, slots.lasts(line.values), 2) for line in lines]
    columns += [Column("drawdown", slots.reduce(line.drop, np.fmin), 1, "%") for line in lines]
    # each line's drawdown is read out beside its value
    columns = [columns[0], columns[2], columns[1], columns[3]]
    return Figure(drawing(FULL, 416, label, *parts), group, slots.x, slots.labels, columns)


def _lines(backtest: "Backtest") -> tuple[_Line, _Line]:
    equity = backtest.equity.to_numpy(np.float64)
    held = backtest.buy_and_hold.reindex(backtest.equity.index).to_numpy(np.float64)
    cash = backtest.cash
    return (
        _Line("strategy", equity, drawdown(equity, cash), "model"),
        _Line("buy and hold", held, drawdown(held, cash), "reference"),
    )


def drawdown(values: FloatArray, cash: float) -> FloatArray:
    """(T,) how far the value lies below its highest so far, start cash included; percent, never above 0.

    >>> drawdown(np.array([90.0, 120.0, 60.0]), cash=100.0).round(1).tolist()
    [-10.0, 0.0, -50.0]
    """
    peak = np.fmax.accumulate(np.concatenate(([cash], values)))[1:]
    return np.asarray((values / peak - 1) * 100)
