"""Dates of bars, from an index, a column or text, with no guess about which number is the day.

Text is read as ISO dates (2020-04-03, 2020-04-03 15:30, 2020/04/03, 20200403), which may end in a
zone (2020-04-03 15:30:00-04:00), or as day and month in front of the year (03/04/2020) where some
value of the file has a number above 12 that decides which of the two is the day. Every other way of
writing needs a `date_format`. Dates keep the zone that they come with; of several offsets, UTC.
"""

import re
from typing import Literal

import pandas as pd

from dlplugin.errors import BarsError

__all__ = ["DATE_COLUMNS", "day_text", "split_dates", "to_dates"]

DATE_COLUMNS = ("date", "datetime", "date_time", "timestamp", "time", "gmt_time", "")
"""Tidied names a column of dates may have, in order of preference; "" is a column without a name."""

ISO = "ISO8601"
UNIX_UNITS: dict[str, Literal["s", "ms", "us", "ns"]] = {"s": "s", "ms": "ms", "us": "us", "ns": "ns"}

_TIME = r"(?:[T ]\d{1,2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?)?"
_OFFSET = r" ?(?:Z|UTC|GMT|[+-]\d{2}:?\d{2})$"
_ZONED = r"\d{4}-\d{1,2}-\d{1,2}[T ]\d{1,2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?" + _OFFSET
_ISO_TEXT = rf"\d{{4}}[-/.]\d{{1,2}}[-/.]\d{{1,2}}{_TIME}|\d{{8}}"
_DAY_AND_MONTH = rf"\d{{1,2}}[-/.]\d{{1,2}}[-/.]\d{{4}}{_TIME}"
_ZONE = r":\d{2}(?:\.\d+)? ?(?:Z|UTC|GMT|[+-]\d{2}:?\d{2})$"
_HOW = "write ISO dates such as 2020-04-03, or pass date_format="


def day_text(moment: pd.Timestamp) -> str:
    """A date as messages show it: without the time when that is midnight.

    >>> day_text(pd.Timestamp("2020-04-03")), day_text(pd.Timestamp("2020-04-03 15:30"))
    ('2020-04-03', '2020-04-03 15:30:00')
    """
    return str(moment).removesuffix(" 00:00:00")


def split_dates(
    frame: pd.DataFrame, symbol: str, date_format: str | None = None
) -> tuple[pd.DatetimeIndex, pd.DataFrame]:
    """Takes the dates out of a frame: its index of dates, else its date column, else its index of text.

    A text column "time" beside "date" is the time of day, and both together are the date.

    Args:
        frame: (T, any) with tidied column names.
        symbol: Whose bars they are, for messages.
        date_format: How text is written, as in `to_dates`.

    Returns:
        The T dates and the frame without its date columns.

    Raises:
        BarsError: No dates, or dates that cannot be read without guessing.
    """
    if isinstance(frame.index, pd.DatetimeIndex):
        return frame.index, frame
    name = next((name for name in DATE_COLUMNS if name in frame.columns), None)
    if name is not None:
        values, used = frame[name], [name]
        if name == "date" and "time" in frame.columns and _is_text(values) and _is_text(frame["time"]):
            values, used = values + " " + frame["time"], ["date", "time"]
        return to_dates(values, symbol, date_format), frame.drop(columns=used)
    if _is_text(frame.index.to_series()):
        return to_dates(frame.index.to_series(), symbol, date_format), frame
    raise BarsError(
        f"{symbol} has no dates: its index is a {type(frame.index).__name__} and no column is named "
        f"{', '.join(filter(None, DATE_COLUMNS))}; the columns are: {', '.join(frame.columns)}"
    )


def to_dates(values: pd.Series, symbol: str, date_format: str | None = None) -> pd.DatetimeIndex:
    """Dates from a column of dates or text.

    Args:
        values: (T,) dates, or text.
        symbol: Whose bars they are, for messages.
        date_format: How text is written, as in `datetime.strptime` ("%d/%m/%Y"), or "s", "ms", "us"
            or "ns" for numbers since 1970. None reads ISO dates, and refuses what has two meanings.

    Returns:
        (T,) dates, in the order given; NaT only where a date that is no text is missing.

    Raises:
        BarsError: The first value that cannot be read.
    """
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        return pd.DatetimeIndex(values)
    kind = pd.api.types.infer_dtype(values, skipna=True)
    if kind in ("date", "datetime", "datetime64"):
        return _object_dates(values, symbol)
    if date_format in UNIX_UNITS:
        return _unix_dates(values, symbol, UNIX_UNITS[date_format])
    if kind not in ("string", "empty"):
        first = values.dropna().iloc[0]
        raise BarsError(f"{symbol} has dates such as {first} ({kind}); {_HOW} to DataSet.from_folder")
    return _text_dates(values, symbol, date_format)


def _object_dates(values: pd.Series, symbol: str) -> pd.DatetimeIndex:
    """Dates of Python objects, which may have several zones: an offset for summer, another for winter."""
    moments = [pd.Timestamp(value) for value in values]
    zoned = [moment.tzinfo is not None for moment in moments if not pd.isna(moment)]
    if any(zoned) and not all(zoned):
        raise BarsError(f"{symbol} has dates with and without a time zone; make them all plain UTC dates")
    try:
        return pd.DatetimeIndex(pd.to_datetime(values))
    except ValueError:
        return _one_zone(pd.Series([moment.tz_localize(None) for moment in moments]), values)


def _one_zone(clocks: pd.Series, moments: pd.Series) -> pd.DatetimeIndex:
    """Dates of several offsets as UTC dates; days, which are midnight by every clock, stay days."""
    local = pd.DatetimeIndex(pd.to_datetime(clocks))
    if (local == local.normalize()).all():
        return local.tz_localize("UTC")
    return pd.DatetimeIndex(pd.to_datetime(moments, utc=True, format=ISO))


def _is_text(values: pd.Series) -> bool:
    return bool(pd.api.types.infer_dtype(values, skipna=True) == "string")


def _unix_dates(values: pd.Series, symbol: str, unit: Literal["s", "ms", "us", "ns"]) -> pd.DatetimeIndex:
    numbers = pd.to_numeric(values, errors="coerce")
    _refuse_first(numbers.isna(), values, symbol, f"is not a number of {unit} since 1970")
    try:
        return pd.DatetimeIndex(pd.to_datetime(numbers, unit=unit))
    except (ValueError, OverflowError) as error:
        raise BarsError(
            f"{symbol} has dates such as {values.iloc[0]}, too large for numbers of {unit} since 1970; "
            f"date_format may be {', '.join(UNIX_UNITS)}"
        ) from error


def _text_dates(values: pd.Series, symbol: str, date_format: str | None) -> pd.DatetimeIndex:
    texts = values.astype("object").where(values.notna(), "").str.strip()
    empty = texts.eq("").to_numpy()
    if empty.any():
        raise BarsError(f"{symbol} has no date in row {empty.argmax() + 1}; drop that row or write its date")
    if date_format is not None and "%" not in date_format:
        raise BarsError(f"date_format {date_format!r} has no directive; write it like '%d/%m/%Y' or 'ms'")
    if date_format is None and texts.str.fullmatch(_ZONED).all():
        return _zoned_dates(texts, symbol)
    written = date_format or _format_of(texts, symbol)
    try:
        dates = pd.to_datetime(texts, format=written, errors="coerce")
    except ValueError as error:
        reason = str(error).splitlines()[0]
        raise BarsError(f"{symbol} has dates that {written!r} cannot read: {reason}") from error
    what = "is not a date" if written == ISO else f"does not fit the format {written!r}"
    _refuse_first(dates.isna(), texts, symbol, what)
    return pd.DatetimeIndex(dates)


def _zoned_dates(texts: pd.Series, symbol: str) -> pd.DatetimeIndex:
    clocks = texts.str.replace(_OFFSET, "", regex=True)
    universal = texts.str.replace(r" ?(?:UTC|GMT)$", "Z", regex=True)
    what = "is not a date"
    _refuse_first(pd.to_datetime(clocks, format=ISO, errors="coerce").isna(), texts, symbol, what)
    return _one_zone(pd.to_datetime(clocks, format=ISO), universal)


def _format_of(texts: pd.Series, symbol: str) -> str:
    """The one format that all the texts are written in, as `pandas.to_datetime` takes it."""
    iso = texts.str.fullmatch(_ISO_TEXT)
    if iso.all():
        return ISO
    zoned = texts.str.contains(_ZONE, regex=True)
    if zoned.any():
        raise BarsError(
            f"{symbol} has dates with a time zone such as {texts[zoned].iloc[0]!r}; "
            "write them in UTC, without the zone"
        )
    ordered = texts.str.fullmatch(_DAY_AND_MONTH)
    _refuse_first(~(iso | ordered), texts, symbol, f"is not an ISO date; {_HOW} to DataSet.from_folder")
    if iso.any():
        raise BarsError(
            f"{symbol} has dates written in two ways, {texts[iso].iloc[0]!r} and {texts[~iso].iloc[0]!r}; "
            "write them all like 2020-04-03"
        )
    return _day_or_month_first(texts, symbol)


def _day_or_month_first(texts: pd.Series, symbol: str) -> str:
    numbers = texts.str.extract(r"^(\d+)[-/.](\d+)").astype("int64")
    day_first, month_first = numbers[0] > 12, numbers[1] > 12
    if day_first.any() and month_first.any():
        raise BarsError(
            f"{symbol} has the day first in {texts[day_first].iloc[0]!r} and the month first in "
            f"{texts[month_first].iloc[0]!r}; write ISO dates such as 2020-04-03"
        )
    if not day_first.any() and not month_first.any():
        first = texts.iloc[0]
        raise BarsError(
            f"{symbol} has dates such as {first!r}, in which no value tells the day from the month; "
            f"{_HOW}{_strptime(first, '%d', '%m')!r} (or {_strptime(first, '%m', '%d')!r}) "
            "to DataSet.from_folder"
        )
    return _strptime(texts.iloc[0], *(("%d", "%m") if day_first.any() else ("%m", "%d")))


def _strptime(example: str, first: str, second: str) -> str:
    """The `strptime` format of an example such as "03/04/2020 15:30"."""
    written = re.sub(r"^\d+([-/.])\d+([-/.])\d{4}", rf"{first}\1{second}\2%Y", example)
    for time, directives in (
        (r"\d+:\d+:\d+\.\d+", "%H:%M:%S.%f"),
        (r"\d+:\d+:\d+", "%H:%M:%S"),
        (r"\d+:\d+", "%H:%M"),
    ):
        written = re.sub(rf"{time}$", directives, written)
    return written


def _refuse_first(bad: pd.Series, values: pd.Series, symbol: str, what: str) -> None:
    if bad.any():
        row = int(bad.to_numpy().argmax())
        raise BarsError(f"{symbol} has the date {str(values.iloc[row])!r} in row {row + 1}, which {what}")
