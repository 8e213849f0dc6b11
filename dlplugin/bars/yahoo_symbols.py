"""Raw bars of several symbols at a time, out of the cache and out of Yahoo."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd

from dlplugin.bars.dates import day_text
from dlplugin.bars.yahoo_cache import DamagedCacheError, YahooCache
from dlplugin.bars.yahoo_progress import FetchProgress
from dlplugin.bars.yahoo_source import NoAnswerError, NoBarsError, Patience, YahooSource, is_intraday

__all__ = ["Found", "find"]

AT_A_TIME = 4

OVERLAP = 10
"""Bars before the last one that are fetched again, to see whether history has moved."""

OVERLAP_DAYS = 5
"""The same within a day; from midnight on, so that a day's events fall on the bar that they always do."""

REACH = {"1m": 8, "1h": 730}
REACH_OF_OTHERS = 60
"""Days that Yahoo keeps bars within a day."""

SAME_FACTOR = 1e-4
"""Share by which one factor between two series may vary by rounding."""


@dataclass
class Found:
    """What became of one symbol.

    Attributes:
        raw: (T, RAW_COLUMNS); None where there are none.
        how: What was done: "fetched", "appended", "from the cache".
        failure: Why there are none.
        stale: To when the cache goes, and why Yahoo gave nothing; empty where it did.
        notes: What else there is to know.
    """

    raw: pd.DataFrame | None = None
    how: str = "from the cache"
    failure: str = ""
    stale: str = ""
    notes: list[str] = field(default_factory=list)


def find(
    symbols: list[str],
    interval: str,
    limit: pd.Timestamp | None,
    cache: YahooCache,
    session: Any,
    patience: Patience,
    progress: FetchProgress,
) -> tuple[dict[str, Found], bool]:
    """Each symbol's raw bars, and whether Yahoo answered anything (or was not asked).

    Args:
        symbols: As Yahoo writes them.
        interval: How far apart the bars are.
        limit: Bars before it are wanted; None wants the latest.
        cache: Read first, written after.
        session: As in `YahooSource`.
        patience: As in `YahooSource`.
        progress: Told of each symbol.
    """
    found: dict[str, Found] = {}
    for symbol in symbols if limit is not None else ():
        cached = _read(cache, symbol, Found())
        if cached is not None and cached.index[-1] >= limit:
            found[symbol] = Found(cached)
            progress.end()
    rest = [symbol for symbol in symbols if symbol not in found]
    if not rest:
        return found, True

    def one(symbol: str) -> None:
        progress.begin(symbol)
        found[symbol] = _find_one(symbol, interval, cache, source)
        progress.end()

    with YahooSource(session, patience) as source, ThreadPoolExecutor(AT_A_TIME) as pool:
        try:
            for done in [pool.submit(one, symbol) for symbol in rest]:
                done.result()
        except BaseException:
            source.stop()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return {symbol: found[symbol] for symbol in symbols}, source.reached


def _find_one(symbol: str, interval: str, cache: YahooCache, source: YahooSource) -> Found:
    found = Found()
    with cache.held(symbol) as held:
        cached = _read(cache, symbol, found)
        try:
            _bring_up_to_date(symbol, interval, cached, source, found)
        except (NoBarsError, NoAnswerError) as error:
            if cached is None:
                found.failure = str(error)
            else:
                found.raw = cached
                found.stale = f"to {day_text(cached.index[-1])}, since {error}"
            return found
        if not held:
            found.notes.append("not cached, since its cache cannot be locked")
        elif found.raw is not None:
            try:
                cache.write(symbol, found.raw)
            except OSError as error:
                found.notes.append(f"not cached: {error.strerror or error}")
    return found


def _read(cache: YahooCache, symbol: str, found: Found) -> pd.DataFrame | None:
    try:
        return cache.read(symbol)
    except DamagedCacheError as error:
        found.notes.append(f"the cached file {error} was damaged and was fetched anew")
        return None


def _bring_up_to_date(
    symbol: str, interval: str, cached: pd.DataFrame | None, source: YahooSource, found: Found
) -> None:
    """The cached bars with the missing tail, or all of them anew where history has moved."""
    since = None if cached is None else _tail_start(cached, interval)
    if cached is not None and since is not None:
        tail = source.history(symbol, interval, since)
        before = cached[cached.index < tail.index[0]]
        if _overlap_is_same(cached, tail):
            found.raw, found.how = pd.concat([before, tail]), "appended"
            return
    whole = source.history(symbol, interval)
    if cached is not None and is_intraday(interval):
        whole = _with_older(cached, whole, found)
    found.raw, found.how = whole, "fetched"


def _tail_start(cached: pd.DataFrame, interval: str) -> date | None:
    """From when to fetch; None is all, where there is nothing to compare or Yahoo does not go back so far."""
    if not is_intraday(interval):
        return cached.index[-1 - OVERLAP].date() if len(cached) > OVERLAP else None
    since: date = cached.index[-1].date() - timedelta(days=OVERLAP_DAYS)
    reach = timedelta(days=REACH.get(interval, REACH_OF_OTHERS) - 1)
    return since if since > pd.Timestamp.now("UTC").date() - reach else None


def _overlap_is_same(cached: pd.DataFrame, fresh: pd.DataFrame) -> bool:
    """Whether all final bars of the time that both know are the same, to the bit, and there are some."""
    old = cached.iloc[:-1]
    old = old[old.index >= fresh.index[0]]
    new = fresh[fresh.index < cached.index[-1]]
    return len(old) > 0 and old.equals(new)


def _with_older(cached: pd.DataFrame, fresh: pd.DataFrame, found: Found) -> pd.DataFrame:
    """Puts in front what Yahoo does not keep any more, in the prices of today."""
    older: pd.DataFrame = cached[cached.index < fresh.index[0]]
    if older.empty:
        return fresh
    both = cached.iloc[:-1].index.intersection(fresh.index)
    ratios = (fresh.loc[both, "close"] / cached.loc[both, "close"]).dropna().to_numpy()
    if not len(ratios) or np.ptp(ratios) > SAME_FACTOR * ratios[0]:
        found.notes.append(
            f"{len(older)} cached bars before {day_text(fresh.index[0])} dropped, "
            "since Yahoo keeps them no more and nothing says whether a split moved them"
        )
        return fresh
    factor = float(np.median(ratios))
    if abs(factor - 1) > SAME_FACTOR:
        prices = ["open", "high", "low", "close", "adj_close", "dividends"]
        older = older.assign(**{name: older[name] * factor for name in prices})
        older["volume"] = older["volume"] / factor
        found.notes.append(f"older bars scaled by {factor:.6g} after a split")
    return pd.concat([older, fresh])
