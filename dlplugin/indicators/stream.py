"""Expressions bar by bar, with the bits of the batch values from the same first bar."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Protocol, final

import numpy as np

from dlplugin.indicators.nodes import LIMIT, NAN, FloatArray, Live, LiveBar, Node, Reading

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Stream", "StreamSet"]


class HasTree(Protocol):
    """What a stream needs of an `Indicator`."""

    @property
    def tree(self) -> Node:
        """The steps that compute it."""


@final
class StreamSet:
    """The values of several indicators at each new bar, every shared step computed once.

    It remembers the bars it was given since it was made. It cannot be pickled: make another and
    replay the bars.

    Args:
        indicators: F indicators.
    """

    def __init__(self, indicators: Sequence[HasTree]) -> None:
        self._steps: list[Node] = []
        self._operands: list[tuple[int, ...]] = []
        places: dict[str, int] = {}
        self._outputs = [self._place(indicator.tree, places) for indicator in indicators]
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

    def update(self, values: Mapping[str, float], time: datetime | None = None) -> FloatArray:
        """The (F,) values at a bar that has closed; NaN while warming up.

        Args:
            values: The bar's columns, at least those the indicators use.
            time: The bar's time, as in the index of its bars; only the calendar needs it.

        Raises:
            UnknownNameError: A column is missing; the bar is then to be given again.
        """
        return self._run(self._updates, LiveBar(values, time))

    def peek(self, values: Mapping[str, float], time: datetime | None = None) -> FloatArray:
        """What `update` would give for a bar that is still forming; leaves no trace."""
        return self._run(self._peeks, LiveBar(values, time))

    def copy(self) -> "StreamSet":
        """An independent set that remembers the same bars."""
        twin = StreamSet(())
        twin._steps, twin._operands, twin._outputs = self._steps, self._operands, self._outputs
        twin._remember([live.copy() for live in self._lives])
        return twin

    def replay(self, bars: "pd.DataFrame") -> FloatArray:
        """Updates with T closed bars in turn; their (T, F) values."""
        used = sorted(frozenset().union(*(step.columns for step in self._steps)) & set(bars.columns))
        columns = [bars[name].to_numpy(dtype=np.float64).tolist() for name in used]
        values = np.empty((len(bars), len(self._outputs)))
        for row, time in enumerate(bars.index):
            values[row] = self.update(
                {name: column[row] for name, column in zip(used, columns, strict=True)}, time
            )
        return values

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

    def copy(self) -> "Stream":
        """An independent stream that remembers the same bars."""
        twin = object.__new__(Stream)
        twin._set = self._set.copy()
        return twin

    def replay(self, bars: "pd.DataFrame") -> FloatArray:
        """Updates with T closed bars in turn; their (T,) values."""
        return self._set.replay(bars)[:, 0]
