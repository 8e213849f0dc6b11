"""What bars must be, and the checks that hold them to it.

Bars are a DataFrame with one row a bar, oldest first:

- index: a DatetimeIndex named "date", in nanoseconds, without a time zone, each date once; a bar's
  date is the vendor's label of it, and its values are known at its close;
- float64 columns open, high, low, close (prices, above 0) and volume (0 or more), then any extra
  columns in the order of their names. Extras may be NaN where nothing is known; the five may not.

`CHECKS` lists what may be wrong with a bar, in the order in which it is looked for.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from dlplugin.bars.dates import day_text, split_dates
from dlplugin.errors import BarsError
from dlplugin.registry import did_you_mean

__all__ = ["CHECKS", "COLUMNS", "PRICES", "ROUNDING", "Check", "check_bars", "tidy_name"]

PRICES = ("open", "high", "low", "close")
COLUMNS = (*PRICES, "volume")
FEWEST_BARS = 2
NUMBER_KINDS = ("string", "decimal", "floating", "integer", "mixed-integer", "mixed-integer-float", "empty")
"""What `pandas.api.types.infer_dtype` calls a column that may be read as numbers."""

ROUNDING = 1e-3
"""Share of the price by which open and close may lie outside high and low: what rounding of
adjusted prices does to cheap stocks. The bundled sets need none of it."""

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Check:
    """One thing that may be wrong with a bar.

    Attributes:
        name: What is wrong, in a few words.
        offends: Bars (T, columns) to (T,), True where a bar offends.
        says: Bars and the row of an offending bar to what is wrong there, with its value and date.
        remedy: What would be right.
    """

    name: str
    offends: Callable[[pd.DataFrame], BoolArray]
    says: Callable[[pd.DataFrame, int], str]
    remedy: str


def check_bars(frame: pd.DataFrame, symbol: str, date_format: str | None = None) -> pd.DataFrame:
    """Bars in their one form, or an error that names symbol, date and value.

    Accepted: column names in any case ("Close", "Adj Close" becomes adj_close), dates as index or as
    a column (date, datetime, timestamp, time ...; see `dates`), numbers of any type.

    Args:
        frame: (T, columns) bars; never changed.
        symbol: Whose bars they are, for messages.
        date_format: How dates that are text are written, as in `datetime.strptime`; None reads ISO
            dates.

    Returns:
        (T, columns) bars as this module describes them. A frame that has passed before passes again
        without its values being copied.

    Raises:
        BarsError: The first thing that is wrong, with the fix.
    """
    bars = frame if _is_tidy(frame) else _tidy(frame, symbol, date_format)
    if len(bars) < FEWEST_BARS:
        raise BarsError(f"{symbol} has fewer than {FEWEST_BARS} bars ({len(bars)}); load more history")
    for check in CHECKS:
        offending = check.offends(bars)
        if offending.any():
            count = np.count_nonzero(offending)
            among = f" (the first of {count})" if count > 1 else ""
            says = check.says(bars, int(offending.argmax()))
            raise BarsError(f"{symbol} has {says}{among}; {check.remedy}")
    return bars.copy(deep=False)


def tidy_name(label: object) -> str:
    """A column's name as bars have it: lower case, with underscores.

    >>> [tidy_name(label) for label in ("Close", " Adj Close", "adjclose", "Gmt time", "Unnamed: 0")]
    ['close', 'adj_close', 'adj_close', 'gmt_time', '']
    """
    name = re.sub(r"[\s.\-]+", "_", str(label).strip().casefold()).strip("_")
    if name in ("adjclose", "adjusted_close"):
        return "adj_close"
    return "" if re.fullmatch(r"unnamed:_\d+", name) else name


def _is_tidy(frame: object) -> bool:
    """Whether a frame has the form of bars already, whatever its values are."""
    if not isinstance(frame, pd.DataFrame) or not isinstance(frame.index, pd.DatetimeIndex):
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


def _tidy(frame: object, symbol: str, date_format: str | None) -> pd.DataFrame:
    if not isinstance(frame, pd.DataFrame):
        raise BarsError(f"{symbol} is a {type(frame).__name__}; bars are a pandas DataFrame")
    named = frame.set_axis(_tidy_names(frame.columns, symbol), axis=1)
    dates, columns = split_dates(named, symbol, date_format)
    _refuse_missing_columns(list(columns.columns), symbol)
    index = _tidy_index(dates, symbol)
    return pd.DataFrame(
        {name: _numbers(columns[name], index, symbol) for name in _in_order(list(columns.columns))},
        index=index,
    )


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


def _tidy_index(dates: pd.DatetimeIndex, symbol: str) -> pd.DatetimeIndex:
    if dates.tz is not None:
        raise BarsError(
            f"{symbol} has dates in the time zone {dates.tz}; make them plain UTC: "
            "frame.index = frame.index.tz_convert('UTC').tz_localize(None)"
        )
    missing = dates.isna()
    if missing.any():
        raise BarsError(
            f"{symbol} has no date in row {missing.argmax() + 1}; drop that row or write its date"
        )
    try:
        nanoseconds = dates.as_unit("ns")
    except pd.errors.OutOfBoundsDatetime as error:
        raise BarsError(
            f"{symbol} has dates from {day_text(dates.min())} to {day_text(dates.max())}; "
            "dates lie between 1678 and 2261"
        ) from error
    return pd.DatetimeIndex(nanoseconds.to_numpy(), name="date")


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


def _steps(bars: pd.DataFrame) -> npt.NDArray[np.int64]:
    """(T,) nanoseconds from the bar before; 1 at the first."""
    dates = bars.index.to_numpy().view(np.int64)
    steps: npt.NDArray[np.int64] = np.diff(dates, prepend=dates[0] - 1)
    return steps


def _any_of(
    columns: tuple[str, ...] | None, offends: Callable[[FloatArray], BoolArray]
) -> tuple[Callable[[pd.DataFrame], BoolArray], Callable[[pd.DataFrame, int], str]]:
    """`offends` and `says` of a check on single values, of some columns or of all (None)."""

    def rows(bars: pd.DataFrame) -> BoolArray:
        found = np.zeros(len(bars), dtype=bool)
        for name in columns or bars.columns:
            found |= offends(bars[name].to_numpy())
        return found

    def says(bars: pd.DataFrame, row: int) -> str:
        for name in columns or bars.columns:
            value = bars[name].to_numpy()[row : row + 1]
            if offends(value).any():
                return f"{name} {float(value[0])!r} at {_date(bars, row)}"
        raise LookupError(f"no value of row {row} offends")

    return rows, says


def _beyond(bars: pd.DataFrame, name: str) -> BoolArray:
    """(T,) whether the open or the close lies outside high and low by more than rounding."""
    price = bars[name].to_numpy()
    above = price > bars["high"].to_numpy() * (1 + ROUNDING)
    below = price < bars["low"].to_numpy() * (1 - ROUNDING)
    beyond: BoolArray = above | below
    return beyond


def _say_beyond(bars: pd.DataFrame, row: int) -> str:
    name = "open" if _beyond(bars.iloc[row : row + 1], "open").any() else "close"
    value, low, high = (float(bars[column].iloc[row]) for column in (name, "low", "high"))
    return f"{name} {value!r} outside low {low!r} and high {high!r} at {_date(bars, row)}"


def _date(bars: pd.DataFrame, row: int) -> str:
    return day_text(bars.index[row])


CHECKS: tuple[Check, ...] = (
    Check(
        "unsorted dates",
        lambda bars: _steps(bars) < 0,
        lambda bars, row: f"{_date(bars, row)} after {_date(bars, row - 1)}",
        "sort the bars by date, oldest first",
    ),
    Check(
        "duplicate dates",
        lambda bars: _steps(bars) == 0,
        lambda bars, row: f"two bars at {_date(bars, row)}",
        "keep one bar a date",
    ),
    Check("missing value", *_any_of(COLUMNS, np.isnan), "fill it or drop that bar"),
    Check("infinite value", *_any_of(None, np.isinf), "correct it or drop that bar"),
    Check(
        "price not above 0",
        *_any_of(PRICES, lambda price: price <= 0),
        "prices are above 0: correct it or drop that bar",
    ),
    Check(
        "negative volume",
        *_any_of(("volume",), lambda volume: volume < 0),
        "volume is 0 or more: correct it or drop that bar",
    ),
    Check(
        "high below low",
        lambda bars: bars["high"].to_numpy() < bars["low"].to_numpy(),
        lambda bars, row: (
            f"high {float(bars['high'].iloc[row])!r} below low {float(bars['low'].iloc[row])!r} "
            f"at {_date(bars, row)}"
        ),
        "correct it or drop that bar",
    ),
    Check(
        "open or close outside the bar",
        lambda bars: _beyond(bars, "open") | _beyond(bars, "close"),
        _say_beyond,
        "correct it or drop that bar",
    ),
)
"""What may be wrong with a bar, in the order in which it is looked for."""
