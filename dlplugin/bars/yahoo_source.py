"""Bars straight from Yahoo through yfinance, asked again patiently when it does not answer.

Yahoo's prices are adjusted for splits already, and its adjusted close for dividends too; both move
back through the whole history with the next event.
"""

import functools
import logging
import math
import random
import re
import threading
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from types import TracebackType
from typing import Any, Self

import numpy as np
import pandas as pd

__all__ = [
    "INTERVALS",
    "RAW_COLUMNS",
    "NoAnswerError",
    "NoBarsError",
    "Patience",
    "YahooSource",
    "is_intraday",
]

INTERVALS = {
    **{name: name for name in ("1m", "2m", "5m", "15m", "30m", "1h", "90m", "1d", "1mo", "3mo")},
    "1w": "1wk",
}
"""The intervals as a DataSet names them, and as Yahoo does."""

_NAMES = {
    "Open": "open",
    "High": "high",
    "Low": "low",
    "Close": "close",
    "Volume": "volume",
    "Adj Close": "adj_close",
    "Dividends": "dividends",
    "Stock Splits": "splits",
}
RAW_COLUMNS = tuple(_NAMES.values())
"""The columns of raw bars: as Yahoo gives them, adjusted for splits alone; then what adjusts them."""

CHART = "/v8/finance/chart/"
OK, NOT_FOUND = 200, 404
REFUSED = (400, 422)
"""Yahoo's answers to what it does not keep, such as minutes of last year; asking again changes nothing."""

SECONDS_FOR_COOKIES = 5.0
"""Charts come without Yahoo's cookie too, so little time is given to it."""

TRIES_WITHOUT_NETWORK = 2
"""Of a symbol, while Yahoo has not answered anything yet."""

_one_at_a_time = threading.RLock()
"""yfinance has one session and one configuration for the whole process."""


class NoBarsError(Exception):
    """Yahoo answered that it has no such bars; the message says why."""


class NoAnswerError(Exception):
    """Yahoo did not answer, however often it was asked; the message says why."""


@dataclass(frozen=True)
class Patience:
    """How long and how often Yahoo is asked.

    Attributes:
        tries: Of one request of one symbol.
        wait: Seconds before the second try; doubled before each further one.
        limited: The same after "too many requests" (429); all symbols wait for it.
        timeout: Seconds for an answer.
    """

    tries: int = 4
    wait: float = 1.0
    limited: float = 10.0
    timeout: float = 15.0


class YahooSource:
    """What Yahoo has, as raw bars; a context manager, for several threads of its own.

    While it is open, yfinance raises what it otherwise logs, and its session is this one's; both are
    put back at the end. One is open at a time in a process; a second thread waits for it.

    Args:
        session: A curl_cffi or requests Session; yfinance's own when not given.
        patience: How long and how often Yahoo is asked.
    """

    def __init__(self, session: Any = None, patience: Patience | None = None) -> None:
        self._session = session
        self._patience = patience or Patience()
        self._restore: Callable[[], None] = lambda: None
        self._answer = threading.local()
        self._answered = -math.inf  # when Yahoo did so last, on the monotonic clock
        self._given_up: str | None = None
        self._not_before = 0.0
        self._stopped = threading.Event()

    def __enter__(self) -> Self:
        _one_at_a_time.acquire()
        try:
            self._prepare()
        except BaseException:
            _one_at_a_time.release()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._restore()
        finally:
            _one_at_a_time.release()

    def stop(self) -> None:
        """Ends all waiting; what is asked for later is not tried."""
        self._stopped.set()

    def history(self, symbol: str, interval: str, since: date | None = None) -> pd.DataFrame:
        """Raw bars of one symbol.

        Args:
            symbol: As Yahoo writes it.
            interval: One of `INTERVALS`.
            since: Date at the exchange of the first bar; None is as far back as Yahoo goes.

        Returns:
            (T, RAW_COLUMNS) to the latest bar, which may not be over yet. Rows that Yahoo delivers
            without prices are kept, as NaN. Dates are the exchange's, or UTC within a day.

        Raises:
            NoBarsError: Yahoo has none.
            NoAnswerError: It cannot be had from Yahoo now.
        """
        reason, limited, started = "", False, time.monotonic()
        for attempt in range(self._patience.tries):
            self._wait()
            if self._given_up is not None or self._stopped.is_set():
                raise NoAnswerError(self._given_up or "stopped")
            try:
                return self._ask(symbol, interval, since)
            except Exception as error:  # yfinance raises whatever its reading of the answer trips over
                reason, limited = self._why(error)
            if attempt + 1 >= (self._patience.tries if self.reached else TRIES_WITHOUT_NETWORK):
                break
            self._back_off(attempt, limited)
        if limited or self._answered < started:
            self._given_up = reason  # the other symbols would only wait as long for nothing
        raise NoAnswerError(reason)

    @property
    def reached(self) -> bool:
        """Whether Yahoo has answered anything."""
        return self._answered > -math.inf

    def _ask(self, symbol: str, interval: str, since: date | None) -> pd.DataFrame:
        import yfinance as yf
        from yfinance.data import YfData

        self._answer.status = None
        YfData.cache_get.cache_clear()  # it would repeat a failed answer, or one from before a split
        frame = yf.Ticker(symbol, session=self._session).history(
            **({"period": "max"} if since is None else {"start": since}),
            interval=INTERVALS[interval],
            auto_adjust=False,
            actions=True,
            keepna=interval != "30m",  # made of 15 minutes by yfinance, with empty rows all night
            timeout=self._patience.timeout,
        )
        if frame.empty:
            raise NoBarsError(f"Yahoo has no bars of {interval}")
        return _raw_bars(frame, interval)

    def _why(self, error: Exception) -> tuple[str, bool]:
        """Why a try failed, and whether by "too many requests"; raises when another one cannot help."""
        from yfinance.exceptions import YFException, YFRateLimitError, YFTickerMissingError

        if isinstance(error, NoBarsError):
            raise error
        if isinstance(error, YFRateLimitError):
            return "Yahoo says too many requests (429)", True
        said = getattr(error, "yahoo_reason", None)
        status = getattr(self._answer, "status", None)
        if status == NOT_FOUND:
            raise NoBarsError("unknown to Yahoo, or delisted") from error
        if status in REFUSED or (status == OK and isinstance(error, YFTickerMissingError)):
            raise NoBarsError(_plain(said or "Yahoo has no bars of it")) from error
        if isinstance(error, OSError):
            return _plain(str(error) or type(error).__name__), False
        if isinstance(error, YFException):
            return _plain(str(error)), False
        return f"Yahoo's answer cannot be read ({type(error).__name__}: {_plain(str(error))})", False

    def _back_off(self, attempt: int, limited: bool) -> None:
        wait = self._patience.limited if limited else self._patience.wait
        wait *= 2**attempt * (1 + random.random() / 4)  # so that four do not knock at once
        if limited:
            self._not_before = max(self._not_before, time.monotonic() + wait)
        else:
            self._stopped.wait(wait)

    def _wait(self) -> None:
        """Until "too many requests" is over."""
        while (left := self._not_before - time.monotonic()) > 0 and not self._stopped.wait(left):
            pass

    def _prepare(self) -> None:
        import yfinance as yf
        from yfinance.data import YfData

        debug, hidden = yf.config.debug, yf.config.debug.hide_exceptions
        logger = logging.getLogger("yfinance")
        level = logger.level
        shared = YfData()
        before = shared._session
        session = self._session or before
        asked = session.request
        caught = warnings.catch_warnings()

        def restore() -> None:
            caught.__exit__(None, None, None)
            debug.hide_exceptions = hidden
            logger.setLevel(level)
            session.request = asked
            YfData(session=before)

        self._restore = restore
        caught.__enter__()
        # What yfinance should write otherwise for the next pandas is nothing that our users can act on.
        warnings.filterwarnings("ignore", category=DeprecationWarning, module="yfinance")
        debug.hide_exceptions = False
        logger.setLevel(logging.CRITICAL)  # what went wrong is reported once, by symbol
        session.request = self._watched(asked)
        self._session = session

    def _watched(self, request: Callable[..., Any]) -> Callable[..., Any]:
        """A session's `request` that notes what Yahoo answered; yfinance does not hand it on."""

        @functools.wraps(request)
        def watched(method: str, url: str, *args: Any, **kwargs: Any) -> Any:
            chart = CHART in url
            kwargs["timeout"] = min(self._patience.timeout, math.inf if chart else SECONDS_FOR_COOKIES)
            response = request(method, url, *args, **kwargs)
            self._answered = time.monotonic()
            if chart:
                self._answer.status = response.status_code
            if response.status_code >= 500:
                raise ConnectionError(f"Yahoo answers with the error {response.status_code}")
            return response

        return watched


def is_intraday(interval: str) -> bool:
    """Whether bars have a time of day."""
    return interval.endswith(("m", "h"))


def _raw_bars(frame: pd.DataFrame, interval: str) -> pd.DataFrame:
    dates = pd.DatetimeIndex(frame.index)
    if is_intraday(interval):
        dates = dates.tz_convert("UTC")
    index = pd.DatetimeIndex(dates.tz_localize(None).as_unit("ns").to_numpy(), name="date")
    raw = pd.DataFrame(
        {name: frame[label].to_numpy(dtype=np.float64, na_value=np.nan) for label, name in _NAMES.items()},
        index=index,
    )
    return raw[~index.duplicated(keep="last")].sort_index()


def _plain(text: str) -> str:
    """An error's own words in one line, without the address of a manual.

    >>> _plain("Failed to perform, curl: (6) Could not resolve host: yahoo.com. See https://curl.se/x first.")
    'could not resolve host: yahoo.com'
    """
    line = " ".join(text.split())
    found = re.search(r"curl: \(\d+\) (.*?)\.?(?: See https?://.*)?$", line)
    if found:
        line = re.sub(r" after \d+ (ms|milliseconds)", "", found[1][:1].lower() + found[1][1:])
    return line.rstrip(". ")
