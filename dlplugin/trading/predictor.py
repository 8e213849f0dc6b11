"""DLPredictor: a trained model as a backtrader indicator."""

import os
import warnings
from typing import Any, ClassVar

import backtrader as bt
import numpy as np
import pandas as pd

from dlplugin.errors import DLPluginWarning, TradingError, users_level
from dlplugin.model import Model, load
from dlplugin.registry import did_you_mean
from dlplugin.store import ModelFolder, split_name, store_folder
from dlplugin.trading.clock import day_numbers_to_index
from dlplugin.trading.lines import with_lines
from dlplugin.trading.opened import watch_holdout
from dlplugin.trading.others import BarsSeen, feed_named, strategy_of

__all__ = ["DLPredictor"]

_PARAMS = {"model": None, "output": 0, "store": None}
_PRICES = ("open", "high", "low", "close", "volume")


class _LinesOfItsModel(type(bt.Indicator)):  # type: ignore[misc]
    """Makes an indicator of the class that has a line for each column its model predicts."""

    def doprenew(cls, *feeds: Any, **params: Any) -> tuple[Any, tuple[Any, ...], dict[str, Any]]:
        made, feeds, params = super().doprenew(*feeds, **params)
        given = made.params._getkwargsdefault() | params
        if isinstance(given["model"], str | Model) and set(params) <= set(_PARAMS):
            params["model"] = model = _model_meant(given["model"], given["store"])
            own, others = _columns_meant(model, given["output"])
            made = with_lines(made, [*own[1:], *others], len(own) - 1)
        return made, feeds, params


class DLPredictor(bt.Indicator, metaclass=_LinesOfItsModel):
    """What a model predicts, in the output's own unit, known at the close of the bar.

    Lines:
        prediction: The output's own value: the number, the middle quantile, or the number of the most
            probable class. NaN while the model warms up, and where an input is missing.

    The other columns of `model.predict` are further lines, those of this output first: probabilities of
    classes, quantiles, the spread of several networks; then those of other outputs, which plots leave
    out. `column("ROC(1) [≥ 0.55]")` is a line by its column's name; as an attribute it is called alike, as
    far as Python lets it: `lines.ROC_1_ge_0_55`.

    Params:
        model: A model's name (its newest lock, or the trained model with a warning), a version
            such as "us-5d@1", or a `dl.Model`.
        output: Which output, by name or number.
        store: The store's folder, for a name; by default `DLPLUGIN_STORE`, or ./models.

    The values are those of `model.predict` over the same bars, to the bit, in every mode of
    backtrader. A bar that is still forming (replay) has a provisional value; the last one counts.
    Other symbols that the inputs read are the feeds of those names in the same cerebro; the own symbol
    is the name of the feed.

    A strategy that trades on days of the model's holdout, wherever it runs, is recorded as an opening of it
    when it stops, once for the same days and symbols; one that only reads predictions is not. See
    `Model.openings`.
    """

    lines: Any = ("prediction",)
    params: Any = tuple(_PARAMS.items())
    line_of: ClassVar[dict[str, str]] = {}
    plotinfo = {"plothlines": [0.0]}  # noqa: RUF012  # how backtrader declares it

    def __init__(self, *feeds: Any, **params: Any) -> None:  # backtrader takes both before it gets here
        for name in params:
            hint = did_you_mean(name, _PARAMS) or f"; there are: {', '.join(_PARAMS)}"
            raise TradingError(f"DLPredictor has no parameter {name!r}{hint}")
        if not isinstance(self.p.model, str | Model):
            raise TradingError(
                f"DLPredictor needs a model, not {self.p.model!r}: DLPredictor(self.data, model='name')"
            )
        model = _model_meant(self.p.model, self.p.store)
        self._predictor = model.predictor
        if model.status != "locked":
            if self.data.islive():
                raise TradingError(
                    f"model {model.name!r} is not locked, and only locked models trade live; lock() it"
                )
            warnings.warn(
                f"model {model.name!r} is not locked: its weights can change with the next training; lock() it",
                DLPluginWarning,
                stacklevel=users_level(),
            )
        (self._name_of_first, *_), _ = _columns_meant(model, self.p.output)
        self._lines = {self._name_of_first: "prediction"} | self.line_of
        self._order = [self._predictor.columns.index(column) for column in self._lines]
        self._symbol = getattr(self.data, "_name", None) or None
        self._reference = model.reference
        self._label = f"{model.reference} {self._name_of_first}"
        self._columns = _columns(model, self.data)
        self._others = {
            symbol: BarsSeen(feed_named(self, symbol, f"model {model.reference!r}"), columns=columns)
            for symbol, columns in _other_columns(model).items()
        }
        self._refuse_short(model)
        self._live = self._predictor.live(self._symbol)
        self._pending: tuple[int, dict[str, float], pd.Timestamp] | None = None
        self._memo: tuple[int, np.ndarray] | None = None
        self.addminperiod(model.bars_needed)
        watch_holdout(strategy_of(self), model)

    def _plotlabel(self) -> list[str]:
        return [self._label]

    def __repr__(self) -> str:
        return f"<DLPredictor {self._label}>"

    def prenext(self) -> None:
        """Warming up: the bar is taken in, and there is no prediction yet."""
        self._see()

    def next(self) -> None:
        """The prediction at this bar, from what was seen bar by bar."""
        for line, value in zip(self._lines.values(), self._see().tolist(), strict=True):
            getattr(self.lines, line)[0] = value

    def once(self, start: int, end: int) -> None:
        """All predictions at once, when the whole feed is there; backtrader calls it twice."""
        count = len(self.data.close.array)
        if self._memo is None or self._memo[0] != count:
            columns = {name: np.array(getattr(self.data, name).array) for name in self._columns}
            bars = pd.DataFrame(columns, index=day_numbers_to_index(self.data.datetime.array))
            others = {symbol: seen.frame() for symbol, seen in self._others.items()}
            self._memo = (count, self._predictor.predict(bars, self._symbol, others)[:, self._order])
        for line, values in zip(self._lines.values(), self._memo[1].T, strict=True):
            kept = getattr(self.lines, line).array
            kept[start:end] = type(kept)("d", values[start:end])

    def column(self, name: str) -> Any:
        """The line of a column of `model.predict`, by the column's name.

        Raises:
            TradingError: The model predicts no such column.
        """
        if name not in self._lines:
            hint = did_you_mean(name, self._lines) or f"; there are: {', '.join(self._lines)}"
            raise TradingError(f"model {self._reference!r} predicts no {name!r}{hint}")
        return getattr(self.lines, self._lines[name])

    def _see(self) -> np.ndarray:
        """Takes the bar before for good once the next one has begun; this one may still be forming."""
        for symbol, seen in self._others.items():
            for bar, when in seen.fresh():
                self._live.update_other(symbol, bar, when)
        bars = len(self.data)
        if self._pending is not None and self._pending[0] != bars:
            self._live.take(*self._pending[1:])
        values = {name: float(getattr(self.data, name)[0]) for name in self._columns}
        time = day_numbers_to_index([self.data.datetime[0]])[0]
        self._pending = (bars, values, time)
        return self._live.peek(values, time)[self._order]

    def _refuse_short(self, model: Model) -> None:
        """Backtrader ends in an IndexError when a preloaded feed is shorter than the warm-up."""
        try:
            there = self.data.buflen()
        except (AttributeError, TypeError):
            return
        if 0 < there < model.bars_needed:
            raise TradingError(
                f"{self._symbol or 'the feed'} has {there} bars, but model {model.reference!r} needs "
                f"{model.bars_needed} until its first prediction; load more history"
            )


def _output_number(model: Model, wanted: int | str) -> int:
    names = [output.name for output in model.definition.outputs]
    if isinstance(wanted, str):
        if wanted not in names:
            hint = did_you_mean(wanted, names) or f"; there are: {', '.join(names)}"
            raise TradingError(f"model {model.reference!r} has no output {wanted!r}{hint}")
        return names.index(wanted)
    if not 0 <= wanted < len(names):
        raise TradingError(f"model {model.reference!r} has no output {wanted}; give 0 to {len(names) - 1}")
    return wanted


def _columns_meant(model: Model, output: int | str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The columns of the output that is meant, its own value first, and those of the others."""
    columns, first = model.predictor.columns, model.predictor.first
    position = _output_number(model, output)
    own = slice(first[position], (*first, len(columns))[position + 1])
    return columns[own], (*columns[: own.start], *columns[own.stop :])


def _columns(model: Model, data: Any) -> tuple[str, ...]:
    """The columns that the inputs read, and the prices; each must be a line of the feed."""
    wanted = set(_PRICES)
    for each in model.definition.indicators:
        wanted |= each.columns
    missing = sorted(name for name in wanted if not hasattr(data.lines, name))
    if missing:
        raise TradingError(
            f"model {model.reference!r} reads {', '.join(missing)}, which the feed has no line for"
        )
    return tuple(sorted(wanted))


def _other_columns(model: Model) -> dict[str, tuple[str, ...]]:
    """Each other symbol that the inputs read, and the prices and further columns of it."""
    indicators = model.definition.indicators
    return {
        symbol: tuple(sorted(set(_PRICES).union(*(each.columns_of(symbol) for each in indicators))))
        for symbol in model.definition.input_others
    }


def _model_meant(model: str | Model, store: str | os.PathLike[str] | None = None) -> Model:
    """The model that a strategy means: a bare name is the newest lock."""
    if isinstance(model, str):
        name, version = split_name(model)
        versions = ModelFolder(store_folder(store), name).versions
        model = load(f"{name}@{versions[-1]}" if version is None and versions else model, store)
    return model
