"""What the steps of an expression read: one symbol's bars in batch, or one bar of them live."""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeAlias, final

import numpy as np
import numpy.typing as npt

from dlplugin.errors import BarsError, UnknownNameError
from dlplugin.indicators.times import IntArray, instants, walls
from dlplugin.registry import did_you_mean

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "LIMIT",
    "NAN",
    "BarsView",
    "FloatArray",
    "LiveBar",
    "bounded",
    "missing_column",
    "missing_other",
    "refuse_mixed_zones",
]

FloatArray: TypeAlias = npt.NDArray[np.float64]

LIMIT = 1e100
NAN = float("nan")


class Step(Protocol):
    """What a view needs of a step to compute it."""

    @property
    def text(self) -> str:
        """Steps with the same text are the same step."""

    def operands(self) -> "tuple[Any, ...]":
        """The steps it is computed from."""

    def batch(self, bars: "BarsView", *inputs: FloatArray) -> FloatArray:
        """Its values."""


@final
class BarsView:
    """What steps read in batch: columns, times and already computed steps of one symbol's bars.

    Args:
        frame: T bars with a float64 column for each name.
        others: Other symbols' bars, where steps read them.
    """

    def __init__(self, frame: "pd.DataFrame", others: "Mapping[str, pd.DataFrame] | None" = None) -> None:
        self._frame = frame
        self._others = {} if others is None else others
        self._computed: dict[str, FloatArray] = {}
        self._derived: dict[str, BarsView] = {}
        self.length = len(frame)

    def values(self, step: Step) -> FloatArray:
        """A step's values on these bars, finite or NaN, computed once; copy before writing."""
        known = self._computed.get(step.text)
        if known is None:
            with np.errstate(all="ignore"):
                known = bounded(step.batch(self, *map(self.values, step.operands())))
            self._computed[step.text] = known
        return known

    def column(self, name: str) -> FloatArray:
        """(T,) values of one column.

        Raises:
            UnknownNameError: The bars have no such column.
        """
        if name not in self._frame.columns:
            raise missing_column(name, self._frame.columns)
        return np.ascontiguousarray(self._frame[name].to_numpy(), dtype=np.float64)

    def table(self, names: tuple[str, ...]) -> "pd.DataFrame":
        """A frame of its own with these columns, every value finite or NaN.

        Raises:
            UnknownNameError: The bars lack one of them.
        """
        import pandas as pd

        return pd.DataFrame({name: bounded(self.column(name)).copy() for name in names}, index=self.times())

    def times(self) -> "pd.DatetimeIndex":
        """The T times of the bars.

        Raises:
            BarsError: The bars are not indexed by time.
        """
        index = self._frame.index
        if not hasattr(index, "day_of_week"):
            raise BarsError(f"bars are indexed by a {type(index).__name__}; they need a DatetimeIndex")
        return index  # type: ignore[return-value]

    @cached_property
    def instants(self) -> IntArray:
        """(T,) nanoseconds since 1970 in UTC."""
        return instants(self.times())

    @cached_property
    def walls(self) -> IntArray:
        """(T,) nanoseconds since 1970 as the bars' labels read."""
        return walls(self.times())

    def other(self, symbol: str) -> "BarsView":
        """Another symbol's bars.

        Raises:
            BarsError: They were not given, or have a zone where these have none.
        """
        if symbol not in self._derived:
            if symbol not in self._others:
                raise missing_other(symbol, self._others)
            view = BarsView(self._others[symbol])
            refuse_mixed_zones(symbol, view.times().tz, self.times().tz)
            self._derived[symbol] = view
        return self._derived[symbol]

    def derived(self, key: str, make: "Callable[[], pd.DataFrame]") -> "BarsView":
        """Bars made of these, made once; a key with a space in front is never a symbol's."""
        if key not in self._derived:
            self._derived[key] = BarsView(make())
        return self._derived[key]

    @property
    def column_names(self) -> list[str]:
        """The names of all columns."""
        return [str(name) for name in self._frame.columns]


class LiveBar(NamedTuple):
    """What steps read bar by bar: the columns and the time of one bar, closed or forming."""

    values: Mapping[str, float]
    time: datetime | None


def bounded(values: FloatArray) -> FloatArray:
    """The values, with NaN for what is infinite or beyond `LIMIT`."""
    beyond = np.abs(values) > LIMIT
    return np.where(beyond, NAN, values) if beyond.any() else values


def missing_column(name: str, columns: Any) -> UnknownNameError:
    """The error for a column that the bars do not have."""
    have = [str(column) for column in columns]
    hint = did_you_mean(name, have)
    there = f"there are: {', '.join(have)}"
    return UnknownNameError(f"the bars have no column {name!r}{hint or ';'} {there}")


def missing_other(symbol: str, given: Any) -> BarsError:
    """The error for another symbol whose bars are needed."""
    have = f", only of {', '.join(map(str, given))}" if len(given) else ""
    return BarsError(
        f"the bars of {symbol!r} are needed, but were not given{have}; pass others={{{symbol!r}: frame}}"
    )


def refuse_mixed_zones(symbol: str, theirs: object, own: object) -> None:
    """Refuses times with a zone beside times without: which comes first is not known.

    Raises:
        BarsError: One has a zone, and the other has none.
    """
    if (theirs is None) != (own is None):
        zoned, plain = (symbol, "the own bars") if own is None else ("the own bars", symbol)
        raise BarsError(
            f"the times of {zoned} have a time zone, those of {plain} have none; give both in UTC without one"
        )
