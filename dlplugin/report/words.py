"""Numbers, dates and spans as a report writes them."""

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

__all__ = [
    "CONFIDENT",
    "MISSING",
    "clean",
    "count",
    "date",
    "decimals_for",
    "decimals_of_error",
    "finite",
    "is_intraday",
    "last_known",
    "listed",
    "number",
    "percent",
    "plain_index",
    "plus_minus",
    "sentences",
    "span",
    "split_sentence",
]

MISSING = "–"
CONFIDENT = 1.96
"""Standard errors to each side of a 95 % interval; whatever follows a ± in a report is so many."""

_REPLACED: dict[int, str | None] = {
    **dict.fromkeys((*range(0x09), 0x0B, 0x0C, *range(0x0E, 0x20), *range(0x7F, 0xA0)), None),
    **dict.fromkeys((*range(0xD800, 0xE000), 0xFFFE, 0xFFFF), "\N{REPLACEMENT CHARACTER}"),
}


def clean(text: str) -> str:
    """The text without the characters that neither XML nor UTF-8 can hold."""
    return text.translate(_REPLACED)


def number(value: float | None, decimals: int, *, signed: bool = False, unit: str = "") -> str:
    """A number with thousands separators and a true minus sign; a dash where there is none.

    >>> number(-1234.5, 2), number(0.25, 1, signed=True, unit="%"), number(float("nan"), 2)
    ('−1,234.50', '+0.2 %', '–')
    """
    if value is None or math.isnan(value):
        return MISSING
    suffix = f" {unit}" if unit else ""
    if math.isinf(value):
        return f"{'∞' if value > 0 else '−∞'}{suffix}"
    text = f"{value:{'+' if signed else ''},.{decimals}f}"
    if not any(digit in text for digit in "123456789"):
        text = text.lstrip("+-")
    return text.replace("-", "−") + suffix


def percent(share: float | None, decimals: int = 1) -> str:
    """A share from 0 to 1 as percent.

    >>> percent(0.5132)
    '51.3 %'
    """
    return number(None if share is None else share * 100, decimals, unit="%")


def count(value: float | None, noun: str = "") -> str:
    """A whole number, with its noun in the plural where that is due.

    >>> count(1, "trade"), count(13905, "sample")
    ('1 trade', '13,905 samples')
    """
    text = number(value, 0)
    return f"{text} {noun}{'' if value == 1 else 's'}" if noun else text


def decimals_for(values: Iterable[float], most: int = 6) -> int:
    """How many decimals show these values in full, but no more than `most` digits that count.

    Prices of 60.959 need three, of 1.33125 five, of 1414.2 two; never fewer than two.
    """
    known = np.asarray([value for value in values if math.isfinite(value)], dtype=float)
    if not known.size:
        return 2
    size = float(np.median(np.abs(known)))
    whole = math.floor(math.log10(size)) + 1 if size > 0 else 1
    limit = min(max(most - whole, 2), 12)
    for decimals in range(2, limit):
        if np.allclose(np.round(known, decimals), known, rtol=0, atol=1e-9):
            return decimals
    return limit


def decimals_of_error(errors: Iterable[float], most: int = 10) -> int:
    """How many decimals show two digits of the smallest error, but no fewer than none.

    >>> decimals_of_error([0.0128, 3.0]), decimals_of_error([250.0])
    (3, 0)
    """
    known = [error for error in errors if math.isfinite(error) and error > 0]
    return min(max(1 - math.floor(math.log10(min(known))), 0), most) if known else 2


def plus_minus(value: float, error: float, *, signed: bool = True, unit: str = "") -> str:
    """A figure with half of its 95 % interval, in as many decimals as the error is worth.

    >>> plus_minus(0.0039, 0.0128), plus_minus(-1.25, float("nan"), unit="%")
    ('+0.004 ± 0.013', '−1.2500 %')
    """
    if not math.isfinite(error):
        return number(value, 4, signed=signed, unit=unit)
    decimals = decimals_of_error([error]) if error > 0 else 4
    return f"{number(value, decimals, signed=signed)} ± {number(error, decimals, unit=unit)}"


def plain_index(index: pd.Index) -> pd.DatetimeIndex:
    """(T,) the index without a time zone, in UTC where it had one."""
    dates = pd.DatetimeIndex(index)
    return dates.tz_convert("UTC").tz_localize(None) if dates.tz is not None else dates


def date(moment: Any, *, intraday: bool = False) -> str:
    """A date, or a date with hours and minutes; a dash for no date."""
    if pd.isna(moment):
        return MISSING
    stamp = pd.Timestamp(moment)
    if stamp.tzinfo is not None:
        stamp = stamp.tz_convert("UTC").tz_localize(None)
    hours = intraday or stamp != stamp.normalize()
    return str(stamp.strftime("%Y-%m-%d %H:%M" if hours else "%Y-%m-%d"))


def is_intraday(moments: Any) -> bool:
    """Whether any of the moments has a time of day."""
    known = plain_index(pd.DatetimeIndex(moments)).dropna()
    return bool((known != known.normalize()).any())


def span(start: Any, end: Any) -> str:
    """Two dates as the span that a caption names."""
    intraday = is_intraday([start, end])
    return f"{date(start, intraday=intraday)} – {date(end, intraday=intraday)}"


def listed(names: Sequence[str], most: int = 12) -> str:
    """Names as a list in a sentence, the last ones counted when there are many.

    >>> listed(["A", "B", "C"]), listed(["A", "B", "C", "D"], most=2)
    ('A, B, C', 'A, B and 2 more')
    """
    if len(names) <= most:
        return ", ".join(names)
    return f"{', '.join(names[:most])} and {len(names) - most} more"


def sentences(*parts: str) -> str:
    """The parts that are not empty as sentences, each with its full stop.

    >>> sentences("one", "", "Two.")
    'One. Two.'
    """
    said = (part.strip() for part in parts)
    return " ".join(f"{part[0].upper()}{part[1:]}{'' if part[-1] in '.!?' else '.'}" for part in said if part)


def split_sentence(text: str) -> tuple[str, str]:
    """The first sentence and the rest.

    >>> split_sentence("Ridge is not beaten. R² is 0.01.")
    ('Ridge is not beaten.', 'R² is 0.01.')
    """
    first, mark, rest = text.strip().partition(". ")
    return f"{first}{mark.strip()}", rest.strip()


def finite(values: Any) -> npt.NDArray[np.float64]:
    """(N,) the finite ones among the values."""
    flat = np.asarray(values, dtype=np.float64).ravel()
    return flat[np.isfinite(flat)]


def last_known(values: Any) -> float:
    """The last finite one among (N,) values; NaN when there is none."""
    known = finite(values)
    return float(known[-1]) if known.size else math.nan
