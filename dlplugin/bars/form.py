"""Frames of any form, brought into the one form of bars; values are taken as they are."""

import re
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from dlplugin.bars.dates import day_text, split_dates
from dlplugin.errors import BarsError
from dlplugin.registry import did_you_mean

__all__ = ["COLUMNS", "PRICES", "Formed", "Zone", "tidy", "tidy_name"]

PRICES = ("open", "high", "low", "close")
COLUMNS = (*PRICES, "volume")
NUMBER_KINDS = ("string", "decimal", "floating", "integer", "mixed-integer", "mixed-integer-float", "empty")
"""What `pandas.api.types.infer_dtype` calls a column that may be read as numbers."""

FloatArray = npt.NDArray[np.float64]


class Zone(NamedTuple):
    """The time zone that dates came with.

    Attributes:
        name: As pandas names it.
        whole_days: Whether all dates are midnight there: days, not moments.
        first: The first date as it came.
    """

    name: str
    whole_days: bool
    first: pd.Timestamp


class Formed(NamedTuple):
    """A frame in the form of bars, rows in the order they came in, values unchecked."""

    bars: pd.DataFrame
    zone: Zone | None


def tidy_name(label: object) -> str:
    """A column's name as bars have it: lower case, with underscores.

    >>> [tidy_name(label) for label in ("Close", " Adj Close", "adjclose", "Gmt time", "Unnamed: 0")]
    ['close', 'adj_close', 'adj_close', 'gmt_time', '']
    """
    name = re.sub(r"[\s.\-]+", "_", str(label).strip().casefold()).strip("_")
    if name in ("adjclose", "adjusted_close"):
        return "adj_close"
    return "" if re.fullmatch(r"unnamed:_\d+", name) else name


def tidy(frame: object, symbol: str, date_format: str | None = None) -> Formed:
    """A frame in the form of bars.

    Dates with a time zone become UTC; where all of them are midnight in their zone they are days,
    and keep their day.

    Raises:
        BarsError: Not a frame, or columns or dates that are missing or cannot be read.
    """
    if not isinstance(frame, pd.DataFrame):
        raise BarsError(f"{symbol} is a {type(frame).__name__}; bars are a pandas DataFrame")
    if _is_tidy(frame):
        return Formed(frame, None)
    named = frame.set_axis(_tidy_names(frame.columns, symbol), axis=1)
    dates, columns = split_dates(named, symbol, date_format)
    _refuse_missing_columns(list(columns.columns), symbol)
    index, zone = _tidy_index(dates, symbol)
    values = {name: _numbers(columns[name], index, symbol) for name in _in_order(list(columns.columns))}
    return Formed(pd.DataFrame(values, index=index), zone)


def _is_tidy(frame: pd.DataFrame) -> bool:
    """Whether a frame has the form of bars already, whatever its values are."""
    if not isinstance(frame.index, pd.DatetimeIndex):
        return False
    names = list(frame.columns)
    return (
        frame.index.name == "date"
        and frame.index.dtype == "datetime64[ns]"
        and frame.index.freq is None
        and not frame.index.hasnans
        and all(isinstance(name, str) and name and name == tidy_name(name) for name in names)
        and names == _in_order(names)
        and all(dtype == np.float64 for dtype in frame.dtypes)
    )


def _in_order(names: list[str]) -> list[str]:
    return [*COLUMNS, *sorted(set(names) - set(COLUMNS))]


def _tidy_names(labels: pd.Index, symbol: str) -> list[str]:
    if labels.nlevels > 1:
        raise BarsError(
            f"{symbol} has columns of {labels.nlevels} levels, such as {labels[0]}; "
            f"take one symbol's: frame.xs({symbol!r}, axis=1, level=1)"
        )
    names: dict[str, object] = {}
    for label in labels:
        name = tidy_name(label)
        if name in names:
            raise BarsError(f"{symbol} has two columns {name!r}: {names[name]!r} and {label!r}; remove one")
        names[name] = label
    return list(names)


def _refuse_missing_columns(names: list[str], symbol: str) -> None:
    there = ", ".join(names) or "none"
    for column in COLUMNS:
        if column not in names:
            others = [name for name in names if name not in COLUMNS]
            hint = did_you_mean(column, others) or ";"
            raise BarsError(f"{symbol} has no column {column!r}{hint} the columns are: {there}")
    if "" in names:
        raise BarsError(f"{symbol} has a column without a name; name it or remove it")


def _tidy_index(dates: pd.DatetimeIndex, symbol: str) -> tuple[pd.DatetimeIndex, Zone | None]:
    missing = dates.isna()
    if missing.any():
        raise BarsError(
            f"{symbol} has no date in row {missing.argmax() + 1}; drop that row or write its date"
        )
    zone = None
    if dates.tz is not None:
        if len(dates):
            zone = Zone(str(dates.tz), bool((dates == dates.normalize()).all()), dates[0])
        dates = dates.tz_localize(None) if zone and zone.whole_days else dates.tz_convert(None)
    try:
        nanoseconds = dates.as_unit("ns")
    except pd.errors.OutOfBoundsDatetime as error:
        raise BarsError(
            f"{symbol} has dates from {day_text(dates.min())} to {day_text(dates.max())}; "
            "dates lie between 1678 and 2261"
        ) from error
    return pd.DatetimeIndex(nanoseconds.to_numpy(), name="date"), zone


def _numbers(column: pd.Series, index: pd.DatetimeIndex, symbol: str) -> FloatArray:
    """(T,) float64 of a column of numbers of any type, or of text that says numbers; missing is NaN."""
    values: FloatArray
    if column.dtype.kind in "biuf":
        values = column.to_numpy(dtype=np.float64, na_value=np.nan)
        return values
    kind = pd.api.types.infer_dtype(column, skipna=True)
    if kind in NUMBER_KINDS:
        numbers = pd.to_numeric(column.astype("object"), errors="coerce")
        bad = (numbers.isna() & column.notna()).to_numpy()
        values = numbers.to_numpy(dtype=np.float64, na_value=np.nan)
    else:
        bad = np.ones(len(column), dtype=bool)
    if bad.any():
        row = int(bad.argmax())
        raise BarsError(
            f"{symbol} has {column.name} {str(column.iloc[row])!r} at {day_text(index[row])}, which is not "
            f"a number; {'correct it' if column.name in COLUMNS else 'remove the column, or write numbers'}"
        )
    return values
