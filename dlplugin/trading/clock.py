"""backtrader's day numbers to the bars' own times, the same for one bar and for all of them."""

from typing import Any

import numpy as np
import pandas as pd

__all__ = ["day_numbers_to_index"]

# backtrader counts days from year 1 in float64, which is exact to about 10 µs: a millisecond is safe
_DAY_OF_1970 = 719163
_MILLISECONDS_A_DAY = 86_400_000


def day_numbers_to_index(numbers: Any) -> pd.DatetimeIndex:
    """(T,) backtrader datetimes to times, to the millisecond.

    >>> day_numbers_to_index([732312.0])
    DatetimeIndex(['2006-01-01'], dtype='datetime64[ns]', name='date', freq=None)
    """
    days = np.asarray(numbers, dtype=np.float64)
    milliseconds = np.rint((days - _DAY_OF_1970) * _MILLISECONDS_A_DAY).astype(np.int64)
    return pd.DatetimeIndex(milliseconds.astype("datetime64[ms]").astype("datetime64[ns]"), name="date")
