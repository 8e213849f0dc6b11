"""The chart of the traded bars: candles and trades, volume, and the model's prediction below."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from markupsafe import Markup

from dlplugin.report import svg
from dlplugin.report.charts import FULL, Column, Figure, Panel, date_axis, drawing, empty, end_labels
from dlplugin.report.scales import Scale, padded
from dlplugin.report.slots import LEFT, RIGHT, Slots
from dlplugin.report.svg import FloatArray
from dlplugin.report.words import date, decimals_for, finite, last_known, listed, number

if TYPE_CHECKING:
    from dlplugin.evaluation.account import Backtest

__all__ = ["candles_figure"]

_UNITS = ((1e9, "Volume, billions"), (1e6, "Volume, millions"), (1.0, "Volume"))


@dataclass(frozen=True, eq=False)
class _Candles:
    """(N,) columns, one value a slot."""

    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    volume: FloatArray

    @classmethod
    def of(cls, slots: Slots, bars: pd.DataFrame) -> "_Candles":
        return cls(
            slots.firsts(bars["open"]),
            slots.reduce(bars["high"], np.fmax),
            slots.reduce(bars["low"], np.fmin),
            slots.lasts(bars["close"]),
            slots.reduce(np.nan_to_num(bars["volume"].to_numpy(np.float64)), np.add),
        )

    def columns(self, decimals: int) -> list[Column]:
        prices = {"open": self.open, "high": self.high, "low": self.low, "close": self.close}
        return [
            *(Column(name, values, decimals) for name, values in prices.items()),
            Column("volume", self.volume, 0),
        ]


def candles_figure(
    bars: pd.DataFrame, prediction: "pd.Series[float]", label: str, backtest: "Backtest | None"
) -> Figure:
    """Candles, volume, the model's prediction on the same dates, and where trades began and ended.

    Args:
        bars: (T,) bars.
        prediction: (T,) on the same index.
        label: What is predicted, with its unit.
        backtest: Its trades are marked; None marks nothing.
    """
    if bars.empty:
        return empty("No bars lie in the holdout, so there is nothing to draw: the split leaves none.")
    slots = Slots.of(bars.index)
    candles = _Candles.of(slots, bars)
    predicted = slots.lasts(prediction)
    known = finite([candles.low, candles.high])
    limits = padded(float(known.min()), float(known.max())) if known.size else (0.0, 1.0)
    x = Scale(0, len(slots.x), LEFT, RIGHT)
    price = Panel(x, Scale(*limits, 376, 24))
    volume = Panel(x, Scale(0, float(candles.volume.max()) or 1.0, 456, 408))
    below = Panel(x, Scale(*_near_zero(predicted), 624, 496))
    decimals = decimals_for(bars["close"])
    last = last_known(candles.close)
    trades = _trades(backtest)
    body = drawing(
        FULL,
        664,
        f"Candles, volume, prediction and trades, {date(slots.index[0])} to {date(slots.index[-1])}",
        _held(slots, trades, (price, below)),
        date_axis(below, slots.dates, slots.x, price.top),
        price.grid(7),
        price.title("Price"),
        _price(slots, price, candles),
        _marks(slots, trades, price, candles, decimals),
        end_labels(price, [(last, f"close {number(last, decimals)}", "strong")]),
        _volume(slots, volume, candles),
        _prediction(slots, below, predicted, label),
    )
    columns = [*candles.columns(decimals), Column("predicted", predicted, 4)]
    return Figure(body, "bars", slots.x, slots.labels, columns)


def _near_zero(values: FloatArray) -> tuple[float, float]:
    """Limits that hold all values, and zero too unless it is far away."""
    known = finite(values)
    if not known.size:
        return -1.0, 1.0
    low, high = float(known.min()), float(known.max())
    # a predicted level, as an RSI or a price, would be a flat line if zero had to be on its axis
    if low - (high - low) <= 0 <= high + (high - low):
        low, high = min(low, 0.0), max(high, 0.0)
    return padded(low, high)


def _boxes(
    slots: Slots, chosen: npt.NDArray[np.intp], upper: FloatArray, lower: FloatArray, least: float
) -> str:
    """One path of upright rectangles, as wide as two thirds of a slot and at least `least` high."""
    width = max(1.0, min(9.0, slots.step * 0.66))
    return "".join(
        f"M{svg.coordinate(slots.x[i] - width / 2)} {svg.coordinate(upper[i])}h{svg.coordinate(width)}"
        f"v{svg.coordinate(max(least, lower[i] - upper[i]))}h{svg.coordinate(-width)}z"
        for i in chosen
    )


def _price(slots: Slots, panel: Panel, candles: _Candles) -> Markup:
    parts = []
    high, low = panel.y(candles.high), panel.y(candles.low)
    first, last = panel.y(candles.open), panel.y(candles.close)
    known = np.isfinite(high + low + first + last)
    for class_, rising in (("gain", True), ("loss", False)):
        chosen = np.flatnonzero(known & ((candles.close >= candles.open) == rising))
        if chosen.size:
            points = [
                (svg.coordinate(slots.x[i]), svg.coordinate(high[i]), svg.coordinate(low[i])) for i in chosen
            ]
            wicks = "".join(f"M{x} {top}V{bottom}" for x, top, bottom in points)
            bodies = _boxes(slots, chosen, np.fmin(first, last), np.fmax(first, last), least=0.8)
            parts.append(svg.tag("path", d=wicks, class_=f"wick {class_}"))
            parts.append(svg.tag("path", d=bodies, class_=f"body {class_}"))
    return Markup().join(parts)


def _volume(slots: Slots, panel: Panel, candles: _Candles) -> Markup:
    most = float(candles.volume.max())
    if not most > 0:
        return panel.title("Volume") + panel.says("These bars carry no volume.")
    unit, words = next((unit for unit in _UNITS if most >= unit[0]), _UNITS[-1])
    scaled = Panel(panel.x, Scale(0, most / unit, panel.y.start, panel.y.stop))
    top = panel.y(candles.volume)
    boxes = _boxes(slots, np.flatnonzero(candles.volume > 0), top, np.full_like(top, panel.bottom), least=0.5)
    return panel.title(words) + scaled.grid(3) + svg.tag("path", d=boxes, class_="volume")


def _prediction(slots: Slots, panel: Panel, predicted: FloatArray, label: str) -> Markup:
    parts = [panel.title(f"Predicted {label}")]
    known = finite(predicted)
    if not known.size:
        words = "There is no prediction on any of these bars: the model was still warming up."
        return parts[0] + panel.says(words)
    parts.append(panel.grid(4))
    if panel.y.low < 0 < panel.y.high:
        zero = panel.y(0.0)
        parts.append(svg.area(slots.x, panel.y(np.maximum(predicted, 0)), zero, "tint gain"))
        parts.append(svg.area(slots.x, panel.y(np.minimum(predicted, 0)), zero, "tint loss"))
        parts.append(panel.level(0.0))
    last = last_known(predicted)
    words = f"model {number(last, 2, signed=True)}"
    parts.append(svg.polyline(slots.x, panel.y(predicted), "curve model"))
    parts.append(end_labels(panel, [(last, words, "model")]))
    return Markup().join(parts)


@dataclass(frozen=True)
class _Trade:
    entry: Any
    entry_price: float
    exit: Any
    exit_price: float
    size: float
    profit: float


def _trades(backtest: "Backtest | None") -> list[_Trade]:
    if backtest is None:
        return []
    columns = ["entry_date", "entry_price", "exit_date", "exit_price", "size", "profit"]
    return [_Trade(*row) for row in backtest.trades[columns].itertuples(index=False, name=None)]


def _held(slots: Slots, trades: list[_Trade], panels: Sequence[Panel]) -> Markup:
    """Bands behind the panels while a position was open."""
    pairs = {(slots.at(trade.entry), slots.at(trade.exit)): None for trade in trades}
    found = []
    for start, stop in pairs:
        if start is not None:
            left, right = slots.x[start], slots.x[-1 if stop is None else stop]
            across = f"h{svg.coordinate(max(1.0, right - left))}"
            found += [
                f"M{svg.coordinate(left)} {svg.coordinate(panel.top)}{across}"
                f"V{svg.coordinate(panel.bottom)}H{svg.coordinate(left)}z"
                for panel in panels
            ]
    return svg.tag("path", d="".join(found), class_="held") if found else Markup()


def _marks(slots: Slots, trades: list[_Trade], panel: Panel, candles: _Candles, decimals: int) -> Markup:
    """Each trade as a line from entry to exit, with a triangle at both; those at one place are drawn once."""
    pen = _Marker(slots, panel, candles, size=float(np.clip(40 / np.sqrt(len(trades) + 1), 2.5, 5.0)))
    lines: dict[tuple[int, int], Markup] = {}
    marks: dict[tuple[int, bool], list[str]] = {}
    for trade in trades:
        start, stop = slots.at(trade.entry), slots.at(trade.exit)
        long = not trade.size < 0
        if start is not None:
            price = number(trade.entry_price, decimals)
            words = f"entry {date(trade.entry)} at {price}, size {number(trade.size, 0)}"
            marks.setdefault((start, long), []).append(words)
        if stop is not None:
            profit = number(trade.profit, 2, signed=True)
            words = f"exit {date(trade.exit)} at {number(trade.exit_price, decimals)}, profit {profit}"
            marks.setdefault((stop, not long), []).append(words)
        if start is not None and stop is not None:
            ends = slots.x[start], panel.y(trade.entry_price), slots.x[stop], panel.y(trade.exit_price)
            lines[start, stop] = svg.line(*ends, "trade gain" if trade.profit > 0 else "trade loss")
    drawn = (pen.triangle(i, bought=bought, words=listed(words, 2)) for (i, bought), words in marks.items())
    return Markup().join([*lines.values(), *drawn])


@dataclass(frozen=True, eq=False)
class _Marker:
    """Draws triangles of `size` pixels to each side beside the candles."""

    slots: Slots
    panel: Panel
    candles: _Candles
    size: float

    def triangle(self, i: int, *, bought: bool, words: str) -> Markup:
        """▲ below the candle where something was bought, ▼ above it where it was sold."""
        level = self.candles.low[i] if bought else self.candles.high[i]
        side = 1 if bought else -1
        x, tip = self.slots.x[i], self.panel.y(level) + 4 * side
        foot = tip + 1.6 * self.size * side
        corners = ((x, tip), (x - self.size, foot), (x + self.size, foot))
        points = " ".join(f"{svg.coordinate(a)},{svg.coordinate(b)}" for a, b in corners)
        return svg.tag("polygon", svg.tag("title", words), points=points, class_="mark")
