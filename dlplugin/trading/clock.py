"""backtrader's day numbers to the bars' own times, the same for one bar and for all of them."""

from typing import Any

import numpy as np
import pandas as pd

__all__ = ["day_numbers_to_index"]

# backtrader counts days from year 1 in float64, which is exact to about 10 µs: a millisecond is safe
_DAY_OF_1970 = 719163
_MILLISECONDS_A_DAY = 86_400_000
_END_OF_DAY = 1_000  # milliseconds; backtrader's own feeds put a daily bar 10 µs before midnight


def day_numbers_to_index(numbers: Any) -> pd.DatetimeIndex:
    """(T,) backtrader datetimes to times, to the millisecond.

    A bar in the last second of a day is that day's: backtrader's own daily feeds stamp 23:59:59.99999.

    >>> [str(time) for time in day_numbers_to_index([732312.0, 732312.75, 732312.999999])]
    ['2006-01-01 00:00:00', '2006-01-01 18:00:00', '2006-01-01 00:00:00']
    """
    days = np.asarray(numbers, dtype=np.float64)
    milliseconds = np.rint((days - _DAY_OF_1970) * _MILLISECONDS_A_DAY).astype(np.int64)
    whole = np.floor(days).astype(np.int64) - _DAY_OF_1970
    ends = milliseconds - whole * _MILLISECONDS_A_DAY > _MILLISECONDS_A_DAY - _END_OF_DAY
    milliseconds = np.where(ends, whole * _MILLISECONDS_A_DAY, milliseconds)
    return pd.DatetimeIndex(milliseconds.astype("datetime64[ms]").astype("datetime64[ns]"), name="date")
