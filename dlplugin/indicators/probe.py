"""Made-up bars to try functions on."""

from typing import TYPE_CHECKING

import numpy as np

from dlplugin.indicators.settling import made_up_prices

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["made_up_bars"]


def made_up_bars(length: int, columns: tuple[str, ...] = (), hourly: bool = False) -> "pd.DataFrame":
    """Bars of a price that walks at random, the same at every call.

    Args:
        length: T.
        columns: Further columns; each walks around 1.
        hourly: Bars of seven hours a day at a thousandth of the prices; otherwise of business days.

    Returns:
        (T, 5 + further columns); the business days have a few holidays.
    """
    import pandas as pd

    bars = pd.DataFrame(made_up_prices(length))
    random = np.random.default_rng(1)
    for name in columns:
        if name not in bars:
            bars[name] = 1.0 + 0.1 * random.standard_normal(length)
    if hourly:
        days = pd.bdate_range("2021-03-01", periods=length // 7 + 1)
        hours = [day + pd.Timedelta(hours=hour) for day in days for hour in range(9, 16)]
        bars[["open", "high", "low", "close"]] /= 1000.0
        index = pd.DatetimeIndex(hours[:length])
    else:
        days = pd.bdate_range("2015-01-01", periods=length + length // 20 + 1)
        index = days.delete(np.arange(10, len(days), 21))[:length]
    bars.index = pd.DatetimeIndex(index, name="date").as_unit("ns")
    return bars
