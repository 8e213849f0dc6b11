"""Expressions bar by bar, with the bits of the batch values from the same first bar."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol, final

import numpy as np

from dlplugin.errors import BarsError
from dlplugin.indicators.nodes import LIMIT, NAN, FloatArray, Live, LiveBar, LiveOther, Node, Reading
from dlplugin.indicators.times import instants
from dlplugin.indicators.view import missing_column, missing_other

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Root", "Stream", "StreamSet"]


class HasTree(Protocol):
    """What a stream needs of an `Indicator`."""

    @property
    def tree(self) -> Node:
        """The steps that compute it."""


@final
@dataclass(frozen=True)
class Root:
    """A tree that stands for an indicator.

    Attributes:
        tree: Its last step.
    """

    tree: Node


@final
class StreamSet:
    """The values of several indicators at each new bar, every shared step computed once.

    It remembers the bars it was given since it was made. It cannot be pickled: make another and
    replay the bars. Where indicators read other symbols, their bars are given to `update_other`,
    each before the own bars that may know it: the values are those of the batch as long as no bar
    comes late.

    Args:
        indicators: F indicators.
    """

    def __init__(self, indicators: Sequence[HasTree]) -> None:
        self._steps: list[Node] = []
        self._operands: list[tuple[int, ...]] = []
        places: dict[str, int] = {}
        self._outputs = [self._place(indicator.tree, places) for indicator in indicators]
        self._kept = frozenset().union(*(step.columns for step in self._steps if not step.operands()))
        self._timed = next((step.text for step in self._steps if step.timed), "")
        self._remember([step.live() for step in self._steps])

    def _place(self, step: Node, places: dict[str, int]) -> int:
        if step.text not in places:
            operands = tuple(self._place(operand, places) for operand in step.operands())
            places[step.text] = len(self._steps)
            self._steps.append(step)
            self._operands.append(operands)
        return places[step.text]

    def _remember(self, lives: Sequence[Live]) -> None:
        self._lives = lives
        self._updates = [live.update for live in lives]
        self._peeks = [live.peek for live in lives]
        self._others: dict[str, list[LiveOther]] = {}
        for live in lives:
            if isinstance(live, LiveOther):
                self._others.setdefault(live.symbol, []).append(live)

    @property
    def others(self) -> frozenset[str]:
        """The other symbols whose bars are needed."""
        return frozenset(self._others)

    def update(self, values: Mapping[str, float], time: datetime | None = None) -> FloatArray:
        """The (F,) values at a bar that has closed; NaN while warming up.

        Args:
            values: The bar's columns, at least those the indicators use.
            time: The bar's time, as in the index of its bars; needed by the calendar, by other
                symbols and timeframes, and by delays.

        Raises:
            UnknownNameError: A column is missing; the bar is then to be given again.
            BarsError: The time is missing; the bar is then to be given again.
        """
        self._refuse(values, time)
        return self._run(self._updates, LiveBar(values, time))

    def update_other(self, symbol: str, values: Mapping[str, float], time: datetime) -> None:
        """Takes a closed bar of another symbol; a symbol that nothing reads is passed over.

        Args:
            symbol: Whose bar it is.
            values: Its columns, at least those the indicators use.
            time: Its time, after that of its bar before.

        Raises:
            UnknownNameError: A column is missing.
            BarsError: The time is not after that of the bar before.
        """
        for live in self._others.get(symbol, ()):
            live.take(LiveBar(values, time))

    def peek(self, values: Mapping[str, float], time: datetime | None = None) -> FloatArray:
        """What `update` would give for a bar that is still forming; leaves no trace."""
        self._refuse(values, time)
        return self._run(self._peeks, LiveBar(values, time))

    def copy(self) -> "StreamSet":
        """An independent set that remembers the same bars."""
        twin = StreamSet(())
        twin._steps, twin._operands, twin._outputs = self._steps, self._operands, self._outputs
        twin._kept, twin._timed = self._kept, self._timed
        twin._remember([live.copy() for live in self._lives])
        return twin

    def replay(self, bars: "pd.DataFrame", others: "Mapping[str, pd.DataFrame] | None" = None) -> FloatArray:
        """Updates with T closed bars in turn; their (T, F) values.

        Args:
            bars: T bars.
            others: Other symbols' bars; each is given before the first own bar not before it.

        Raises:
            BarsError: The bars of a symbol that is needed are missing.
        """
        feeds = [self._feed(symbol, others or {}) for symbol in sorted(self.others)]
        used = sorted(frozenset().union(*(step.columns for step in self._steps)) & set(bars.columns))
        columns = [bars[name].to_numpy(dtype=np.float64).tolist() for name in used]
        values = np.empty((len(bars), len(self._outputs)))
        nows = instants(bars.index).tolist() if feeds else []
        for row, time in enumerate(bars.index):
            for feed in feeds:
                while feed and feed[-1][0] <= nows[row]:
                    _, symbol, record, there = feed.pop()
                    self.update_other(symbol, record, there)
            values[row] = self.update(
                {name: column[row] for name, column in zip(used, columns, strict=True)}, time
            )
        return values

    def _feed(self, symbol: str, others: "Mapping[str, pd.DataFrame]") -> list[Any]:
        """The other's bars, the newest first: instant, symbol, columns, time."""
        if symbol not in others:
            raise missing_other(symbol, others)
        bars = others[symbol]
        rows = zip(instants(bars.index).tolist(), bars.to_dict("records"), bars.index, strict=True)
        return [(instant, symbol, record, time) for instant, record, time in rows][::-1]

    def _refuse(self, values: Mapping[str, float], time: datetime | None) -> None:
        """Refuses what is missing before any step has remembered the bar."""
        if time is None and self._timed:
            raise BarsError(f"{self._timed} needs the time of the bar, but none was given")
        for name in self._kept:
            if name not in values:
                raise missing_column(name, values)

    def _run(self, functions: Sequence[Callable[..., Reading]], bar: LiveBar) -> FloatArray:
        readings: list[Reading] = []
        for function, operands in zip(functions, self._operands, strict=True):
            reading = function(bar, *[readings[place] for place in operands])
            if reading.__class__ is not tuple and not -LIMIT <= reading <= LIMIT:
                reading = NAN
            readings.append(reading)
        return np.array([readings[place] for place in self._outputs], dtype=np.float64)


@final
class Stream:
    """The values of one indicator at each new bar.

    Args:
        indicator: The indicator.
    """

    def __init__(self, indicator: HasTree) -> None:
        self._set = StreamSet((indicator,))

    def update(self, values: Mapping[str, float], time: datetime | None = None) -> float:
        """The value at a bar that has closed; see `StreamSet.update`."""
        return float(self._set.update(values, time)[0])

    def peek(self, values: Mapping[str, float], time: datetime | None = None) -> float:
        """What `update` would give for a bar that is still forming; leaves no trace."""
        return float(self._set.peek(values, time)[0])

    def update_other(self, symbol: str, values: Mapping[str, float], time: datetime) -> None:
        """Takes a closed bar of another symbol; see `StreamSet.update_other`."""
        self._set.update_other(symbol, values, time)

    def copy(self) -> "Stream":
        """An independent stream that remembers the same bars."""
        twin = object.__new__(Stream)
        twin._set = self._set.copy()
        return twin

    def replay(self, bars: "pd.DataFrame", others: "Mapping[str, pd.DataFrame] | None" = None) -> FloatArray:
        """Updates with T closed bars in turn; their (T,) values. See `StreamSet.replay`."""
        return self._set.replay(bars, others)[:, 0]
