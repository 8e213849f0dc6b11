"""Lengths of time as text, and the periods of the calendar that bars fall into.

Two clocks are read off a bar's time. The instant is nanoseconds since 1970 in UTC (a time without a
zone is taken as UTC): it orders bars of different symbols. The wall clock is what the bar's label
says, zone left out: it decides which day, week or month a bar belongs to.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, final

import numpy as np
import numpy.typing as npt

from dlplugin.errors import ExpressionError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["DAY", "IntArray", "Timeframe", "clocks", "instants", "read_delay", "walls"]

IntArray = npt.NDArray[np.int64]

_MINUTE, _HOUR = 60_000_000_000, 3_600_000_000_000
DAY = 24 * _HOUR
_WEEK = 7 * DAY
_LENGTHS = {"m": _MINUTE, "h": _HOUR, "d": DAY, "w": _WEEK}
_MONTHS = {"mo": 1, "y": 12}
_FIRST_MONDAY = -3 * DAY  # 1969-12-29
_WRITTEN = re.compile(r"([1-9]\d{0,3})(m|h|d|w|mo|y)")


def instants(index: "pd.Index[Any]") -> IntArray:
    """(T,) nanoseconds since 1970 in UTC of a DatetimeIndex."""
    return np.asarray(index.as_unit("ns").asi8)  # type: ignore[attr-defined]


def walls(index: "pd.DatetimeIndex") -> IntArray:
    """(T,) nanoseconds since 1970 as the labels read, zone left out."""
    return np.asarray(index.tz_localize(None).as_unit("ns").asi8)


def clocks(time: datetime) -> tuple[int, int]:
    """The instant and the wall clock of one time."""
    import pandas as pd

    stamp = pd.Timestamp(time).as_unit("ns")
    return stamp.value, stamp.value if stamp.tzinfo is None else stamp.tz_localize(None).value


def read_delay(text: str) -> int:
    """Nanoseconds of a delay such as "2d", "36h" or "30m".

    Raises:
        ExpressionError: It is no length of time.
    """
    written = _WRITTEN.fullmatch(text)
    if written is None or written[2] not in _LENGTHS:
        raise ExpressionError(
            f"a delay is a whole number and m, h, d or w, such as '2d' or '36h', not {text!r}"
        )
    return int(written[1]) * _LENGTHS[written[2]]


@final
@dataclass(frozen=True)
class Timeframe:
    """A period of the calendar: minutes and hours of a day, days, weeks from Monday, months, years.

    Attributes:
        count: How many units make one period.
        unit: m, h, d, w, mo or y.

    >>> Timeframe.read("1w").text
    '1w'
    """

    count: int
    unit: str

    @classmethod
    def read(cls, text: str) -> "Timeframe":
        """The timeframe of a text.

        Raises:
            ExpressionError: It is none, or minutes or hours that do not divide a day.
        """
        written = _WRITTEN.fullmatch(text)
        if written is None:
            raise ExpressionError(
                f"a timeframe is a whole number and m, h, d, w, mo or y, such as '1w' or '4h', not {text!r}"
            )
        frame = cls(int(written[1]), written[2])
        if frame.unit in ("m", "h") and DAY % (frame.count * _LENGTHS[frame.unit]):
            raise ExpressionError(f"{text} does not divide a day evenly; write one that does, such as '4h'")
        return frame

    @property
    def text(self) -> str:
        """How it is written."""
        return f"{self.count}{self.unit}"

    @property
    def usual_bars(self) -> int:
        """Bars of a usual period, for estimates: hourly ones up to a day of 7, daily ones beyond."""
        usual = {"m": 2, "h": 2, "d": 7, "w": 5, "mo": 20, "y": 250}[self.unit]
        return usual * (self.count if self.unit in ("d", "w", "mo", "y") else 1)

    def periods(self, wall: IntArray) -> IntArray:
        """(T,) the number of the period that each time on the wall clock falls into."""
        if self.unit in _MONTHS:
            months = wall.view("datetime64[ns]").astype("datetime64[M]").astype(np.int64)
            return months // (self.count * _MONTHS[self.unit])
        start = _FIRST_MONDAY if self.unit == "w" else 0
        return (wall - start) // (self.count * _LENGTHS[self.unit])

    def period(self, wall: int) -> int:
        """The number of the period of one time."""
        if self.unit in _MONTHS:
            return int(self.periods(np.array([wall]))[0])
        start = _FIRST_MONDAY if self.unit == "w" else 0
        return (wall - start) // (self.count * _LENGTHS[self.unit])
