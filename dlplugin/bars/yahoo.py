"""Prices from Yahoo: fetched four symbols at a time, cached raw, given out adjusted.

Raw bars are cached as Yahoo gives them, from the symbol's first day (or as far back as Yahoo keeps
bars within the day) to the latest. A later fetch asks for the missing tail and some bars before it.
When those are what is cached, to the bit, the tail is appended; when anything in them has moved, since
a split or a dividend moves the whole history, all of it is fetched again. So the cache is what a
fresh fetch would give. The last bar may not be over yet: it is never taken from the cache as final.
Where all bars asked for are in the cache and final, Yahoo is not asked.
"""

import os
import re
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd
from rich.console import Console

from dlplugin.bars.dates import day_text
from dlplugin.bars.yahoo_cache import YahooCache, cache_folder
from dlplugin.bars.yahoo_progress import FetchProgress
from dlplugin.bars.yahoo_source import INTERVALS, Patience, is_intraday
from dlplugin.bars.yahoo_symbols import Found, find
from dlplugin.errors import BarsError, DLPluginWarning
from dlplugin.registry import did_you_mean

__all__ = ["Fetched", "Moment", "adjust", "fetch", "problems", "refuse_nothing", "usable"]

PRICES = ["open", "high", "low", "close", "adj_close"]
OTHER_WORDS = {"1wk": "1w", "60m": "1h"}
"""Yahoo's names of intervals that a DataSet has another one for."""

Moment = str | date | pd.Timestamp
"""How a start or an end is given."""


@dataclass(frozen=True)
class Fetched:
    """What could be had, and what not.

    Attributes:
        bars: Each symbol's adjusted bars (see `adjust`).
        failures: The other symbols, and why.
        stale: Symbols whose bars are from the cache since Yahoo did not give them: to when, and why.
        notes: What else there is to know of a symbol, such as rows without prices that were dropped.
        reached: Whether Yahoo answered anything, or was not asked.
    """

    bars: dict[str, pd.DataFrame]
    failures: dict[str, str]
    stale: dict[str, str]
    notes: dict[str, str]
    reached: bool


def fetch(
    symbols: str | Iterable[str],
    start: Moment | None = None,
    end: Moment | None = None,
    interval: str = "1d",
    *,
    cache: str | os.PathLike[str] | None = None,
    session: Any = None,
    patience: Patience | None = None,
    console: Console | None = None,
) -> Fetched:
    """Bars of symbols, adjusted for splits and dividends, from the cache and from Yahoo.

    Args:
        symbols: As Yahoo writes them, such as "AAPL", "^GSPC", "SAP.DE", "EURUSD=X"; in any case.
        start: Date of the first bar; None is the first that there is.
        end: Date of the last bar, included; None is the latest. One without a time means the whole day.
        interval: One of `INTERVALS`. Daily and longer bars have the dates of the exchange; those within
            a day have UTC times, of their open, and go back only as far as Yahoo keeps them
            (1m: 8 days, 1h: two years, others: 60 days) or as the cache has collected.
        cache: Folder; `DLPLUGIN_CACHE` or the user's cache folder otherwise.
        session: A curl_cffi or requests Session, such as one with a proxy.
        patience: How long and how often Yahoo is asked.
        console: Where progress is shown; standard error when not given. On a terminal a bar moves,
            elsewhere one line is written at the end.

    Raises:
        BarsError: Symbols, dates or an interval that cannot be.
    """
    wanted = _symbols(symbols)
    interval = _interval(interval)
    first, limit = _span(start, end, interval)
    with FetchProgress(len(wanted), console) as progress:
        stored = YahooCache(cache_folder(cache), interval)
        found, reached = find(wanted, interval, limit, stored, session, patience or Patience(), progress)
        fetched = _collect(found, first, limit, reached)
        if fetched.bars:
            progress.close(_summary(fetched, found))
    return fetched


def adjust(raw: pd.DataFrame) -> pd.DataFrame:
    """Bars as if every dividend had been put back into the stock, from Yahoo's raw ones.

    Prices are multiplied by adj_close / close; the close is the adjusted close itself. Yahoo's prices
    and volume are adjusted for splits already, and volume needs nothing for dividends.

    Args:
        raw: (T, RAW_COLUMNS) without NaN prices.

    Returns:
        (T, 6): open, high, low, close, volume, and raw_close, which is adjusted for splits alone.
    """
    factor = (raw["adj_close"] / raw["close"]).to_numpy()
    bars = pd.DataFrame({name: raw[name].to_numpy() * factor for name in PRICES[:3]}, index=raw.index)
    return bars.assign(close=raw["adj_close"], volume=raw["volume"], raw_close=raw["close"])


def usable(fetched: Fetched, name: str) -> dict[str, pd.DataFrame]:
    """The bars that could be had, with a warning about the others.

    Args:
        fetched: What `fetch` gave.
        name: What the bars are for, for messages.

    Raises:
        BarsError: None could be had.
    """
    refuse_nothing(fetched, name)
    for problem in problems(fetched):
        warnings.warn(f"{name!r}: {problem}", DLPluginWarning, stacklevel=3)
    return fetched.bars


def refuse_nothing(fetched: Fetched, name: str) -> None:
    """Ends where there are no bars at all.

    Raises:
        BarsError: None could be had.
    """
    if fetched.bars:
        return
    failures = _grouped(fetched.failures)
    if fetched.reached:
        raise BarsError(f"nothing could be fetched for {name!r}: {failures}")
    raise BarsError(
        f"Yahoo cannot be reached and the cache has nothing for {name!r}: {failures}; "
        "connect to the internet, or load files with DataSet.from_folder"
    )


def problems(fetched: Fetched) -> list[str]:
    """What a user must know: symbols left out, and symbols that are not up to date; a line each."""
    lines = []
    if fetched.failures:
        lines.append(f"left out: {_grouped(fetched.failures)}")
    if fetched.stale:
        lines.append(f"not up to date, from the cache: {_grouped(fetched.stale)}")
    return lines


def _grouped(said: dict[str, str]) -> str:
    """One part a reason, with all the symbols that have it.

    >>> _grouped({"A": "gone", "B": "odd", "C": "gone"})
    'A, C: gone; B: odd'
    """
    symbols: dict[str, list[str]] = {}
    for symbol, reason in said.items():
        symbols.setdefault(reason, []).append(symbol)
    return "; ".join(f"{', '.join(names)}: {reason}" for reason, names in symbols.items())


def _collect(
    found: dict[str, Found], first: pd.Timestamp | None, limit: pd.Timestamp | None, reached: bool
) -> Fetched:
    fetched = Fetched({}, {}, {}, {}, reached)
    for symbol, one in found.items():
        if one.raw is None:
            fetched.failures[symbol] = one.failure
            continue
        dates = one.raw.index
        raw = one.raw[(dates >= (first or dates[0])) & (dates < (limit or pd.Timestamp.max))]
        priced = (raw[PRICES] > 0).all(axis=1)
        bars = adjust(raw[priced])
        if bars.empty:
            fetched.failures[symbol] = _no_bars(one, dates)
            continue
        fetched.bars[symbol] = bars
        if one.stale:
            fetched.stale[symbol] = one.stale
        dropped = int((~priced).sum())
        notes = [f"{dropped} rows without prices dropped" if dropped > 1 else "1 row without prices dropped"]
        notes = [*one.notes, *(notes if dropped else [])]
        if notes:
            fetched.notes[symbol] = ", ".join(notes)
    return fetched


def _no_bars(one: Found, dates: pd.Index) -> str:
    where = "in the cache" if one.stale else "at Yahoo"
    reason = f"no bars between start and end {where}, which has them from {day_text(dates[0])} to {day_text(dates[-1])}"
    return f"{reason}; Yahoo: {one.stale.partition(', since ')[2]}" if one.stale else reason


def _summary(fetched: Fetched, found: dict[str, Found]) -> str:
    """What happened, in one line."""
    hows = [one.how for symbol, one in found.items() if symbol in fetched.bars]
    counted = ", ".join(f"{hows.count(how)} {how}" for how in dict.fromkeys(hows))
    line = f"Yahoo: {len(fetched.bars)} of {len(found)} symbols" + (f" ({counted})" if counted else "")
    return "; ".join(filter(None, [line, _grouped(fetched.notes)]))


def _symbols(symbols: object) -> list[str]:
    given = [symbols] if isinstance(symbols, str) else symbols
    if not isinstance(given, Iterable):
        raise BarsError(f"symbols are {given!r}; give a list such as ['AAPL', '^GSPC']")
    wanted = []
    for symbol in given:
        if not isinstance(symbol, str) or not re.fullmatch(r"[^\s/\\.][^\s/\\]*", symbol.strip()):
            raise BarsError(f"the symbol is {symbol!r}; write it as Yahoo does, such as 'AAPL' or '^GSPC'")
        wanted.append(symbol.strip().upper())
    if not wanted:
        raise BarsError("no symbols are given; name one or more, such as 'AAPL'")
    return list(dict.fromkeys(wanted))


def _interval(interval: object) -> str:
    name = OTHER_WORDS.get(str(interval), interval)
    if not isinstance(name, str) or name not in INTERVALS:
        hint = did_you_mean(str(interval), INTERVALS) or ";"
        raise BarsError(f"Yahoo has no interval {interval!r}{hint} there are: {', '.join(INTERVALS)}")
    return name


def _span(
    start: Moment | None, end: Moment | None, interval: str
) -> tuple[pd.Timestamp | None, pd.Timestamp | None]:
    """The date of the first bar, and the one that all bars are before."""
    first = None if start is None else _moment("start", start, interval)
    last = None if end is None else _moment("end", end, interval)
    if first is not None and last is not None and first > last:
        raise BarsError(f"start {day_text(first)} is after end {day_text(last)}; exchange them")
    if last is None:
        return first, None
    whole_day = last == last.normalize()
    return first, last + (pd.Timedelta(1, "D") if whole_day else pd.Timedelta(1, "ns"))


def _moment(name: str, given: Moment, interval: str) -> pd.Timestamp:
    """In UTC for bars within a day, else the date as written; without a zone."""
    wrong = BarsError(f"{name} is {given!r}; give a date such as '2020-04-03'")
    if not isinstance(given, str | date):
        raise wrong
    try:
        moment = pd.Timestamp(given)
    except ValueError:
        raise wrong from None
    if pd.isna(moment):
        raise wrong
    if moment.tz is not None:
        moment = (moment.tz_convert("UTC") if is_intraday(interval) else moment).tz_localize(None)
    return moment if is_intraday(interval) else moment.normalize()
