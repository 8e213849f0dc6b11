"""A loopback server that speaks Yahoo's chart JSON, and a session that takes the real yfinance there."""

import json
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import numpy as np
import pandas as pd
from curl_cffi import requests

OPENS, CLOSES = pd.Timedelta("9h30min"), pd.Timedelta("16h")


@dataclass
class Listing:
    """One symbol's history as Yahoo tells it today, made of what was traded and paid.

    Attributes:
        traded: (T, 5) open, high, low, close, volume as they were on the day; index of naive dates of
            the exchange, or naive UTC times within a day.
        dividends: By date, as paid on the day.
        splits: By date; 2.0 is two new shares for one.
        until: Bars after it have not happened yet.
    """

    traded: pd.DataFrame
    dividends: dict[str, float] = field(default_factory=dict)
    splits: dict[str, float] = field(default_factory=dict)
    zone: str = "America/New_York"
    kind: str = "EQUITY"
    until: pd.Timestamp | None = None
    interval: str = "1d"

    @property
    def within_a_day(self) -> bool:
        return self.interval.endswith(("m", "h"))

    def seconds(self, dates: pd.DatetimeIndex) -> np.ndarray:
        """Bars' time stamps: of the session's open for daily and longer ones."""
        utc = (
            dates.tz_localize("UTC")
            if self.within_a_day
            else (dates + (OPENS if self.interval == "1d" else pd.Timedelta(0)))
            .tz_localize(self.zone)
            .tz_convert("UTC")
        )
        return np.asarray(utc.tz_localize(None).as_unit("s").asi8)

    def today(self) -> pd.DataFrame:
        """(T, 6) with adj_close: adjusted back for all that has happened until now."""
        happened = self.traded if self.until is None else self.traded[: self.until]
        bars = happened.copy()
        if bars.empty:
            return bars.assign(adj_close=bars["close"])
        days = bars.index.normalize()
        for day, ratio in self.splits.items():
            if pd.Timestamp(day) <= days[-1]:
                bars.loc[days < day, ["open", "high", "low", "close"]] /= ratio
                bars.loc[days < day, "volume"] *= ratio
        bars["adj_close"] = bars["close"]
        for day, amount in self._paid(days).items():
            before = bars["close"][days < day]
            bars.loc[days < day, "adj_close"] *= 1 - amount / before.iloc[-1]
        return bars

    def _paid(self, days: pd.DatetimeIndex) -> dict[str, float]:
        """Dividends until now, in today's shares."""
        return {
            day: amount
            / np.prod([r for s, r in self.splits.items() if pd.Timestamp(day) < pd.Timestamp(s) <= days[-1]])
            for day, amount in self.dividends.items()
            if pd.Timestamp(day) <= days[-1]
        }

    def chart(self, first: float, last: float) -> dict[str, Any]:
        """The answer to a request for the seconds from first to last."""
        bars = self.today()
        stamps = self.seconds(pd.DatetimeIndex(bars.index))
        inside = (stamps >= first) & (stamps < last)
        kept = bars[inside]
        columns = {
            name: [None if np.isnan(value) else value for value in kept[name].tolist()]
            for name in ("open", "high", "low", "close", "volume")
        }
        result: dict[str, Any] = {
            "meta": self._meta(kept),
            "indicators": {"quote": [columns if len(kept) else {}]},
        }
        if len(kept):
            result["timestamp"] = stamps[inside].tolist()
        if not self.within_a_day:
            adjusted = [None if np.isnan(value) else value for value in kept["adj_close"].tolist()]
            result["indicators"]["adjclose"] = [{"adjclose": adjusted}]
        result["events"] = self._events(pd.DatetimeIndex(bars.index.normalize()), first, last)
        return {"chart": {"result": [result], "error": None}}

    def _meta(self, bars: pd.DataFrame) -> dict[str, Any]:
        meta: dict[str, Any] = {
            "currency": "USD",
            "symbol": "X",
            "instrumentType": self.kind,
            "exchangeTimezoneName": self.zone,
            "gmtoffset": -18000,
            "validRanges": ["1d", "5d", "1mo", "max"],
        }
        if self.within_a_day:
            days = pd.DatetimeIndex(bars.index).tz_localize("UTC").tz_convert(self.zone).normalize().unique()
            meta["tradingPeriods"] = [
                [
                    {
                        "start": int((day + OPENS).timestamp()),
                        "end": int((day + CLOSES).timestamp()),
                        "timezone": "EST",
                        "gmtoffset": -18000,
                    }
                ]
                for day in days
            ]
        return meta

    def _events(self, days: pd.DatetimeIndex, first: float, last: float) -> dict[str, Any]:
        def at(day: str) -> int:
            return int((pd.Timestamp(day) + OPENS).tz_localize(self.zone).timestamp())

        events: dict[str, Any] = {
            "dividends": {
                str(at(day)): {"amount": amount, "date": at(day)}
                for day, amount in self._paid(days).items()
                if first <= at(day) < last
            },
            "splits": {
                str(at(day)): {
                    "date": at(day),
                    "numerator": ratio,
                    "denominator": 1.0,
                    "splitRatio": f"{ratio}:1",
                }
                for day, ratio in self.splits.items()
                if first <= at(day) < last and len(days) and pd.Timestamp(day) <= days[-1]
            },
        }
        return {name: found for name, found in events.items() if found}


class Yahoo:
    """The server: what is listed, what goes wrong, and what it was asked.

    Attributes:
        listings: By symbol.
        troubles: By symbol, what happens to its next charts, one after the other: a status, "cut",
            "garbage", or seconds to sleep.
        asked: (symbol, query) of every chart with prices asked for.
        most_at_once: How many charts were under way together.
    """

    def __init__(self) -> None:
        self.listings: dict[str, Listing] = {}
        self.troubles: dict[str, list[Any]] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.delay = 0.0
        self.most_at_once = 0
        self._at_once = 0
        self._lock = threading.Lock()
        yahoo = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                with suppress(ConnectionError):  # who asked may have waited long enough
                    yahoo.answer(self)

            def log_message(self, *said: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=lambda: self._server.serve_forever(0.02), daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def session(self) -> "requests.Session":
        return LoopbackSession(self.port)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def since(self) -> list[int]:
        """Where each chart asked for began, in seconds since 1970; forgets them."""
        asked, self.asked = self.asked, []
        return [int(query["period1"]) for _, query in asked]

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        parts = urlsplit(handler.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if parts.path == "/v1/test/getcrumb":
            return _send(handler, 200, b"crumb", "text/plain")
        if not parts.path.startswith("/v8/finance/chart/"):
            return _send_json(handler, 404, {"finance": {"result": None, "error": {"code": "Not Found"}}})
        symbol = unquote(parts.path.rpartition("/")[2])
        if "period1" in query:
            with self._lock:
                self.asked.append((symbol, query))
            with self._under_way():
                time.sleep(self.delay)
        trouble = self.troubles[symbol].pop(0) if self.troubles.get(symbol) else None
        if trouble is not None and self._troubled(handler, trouble):
            return None
        return self._chart(handler, symbol, query)

    def _chart(self, handler: BaseHTTPRequestHandler, symbol: str, query: dict[str, str]) -> None:
        listing = self.listings.get(symbol)
        if listing is None:
            error = {"code": "Not Found", "description": "No data found, symbol may be delisted"}
            return _send_json(handler, 404, {"chart": {"result": None, "error": error}})
        first, last = float(query.get("period1", 0)), float(query.get("period2", "inf"))
        return _send_json(handler, 200, listing.chart(first, last))

    def _troubled(self, handler: BaseHTTPRequestHandler, trouble: Any) -> bool:
        """Whether the answer has been given, or not, by what goes wrong."""
        if isinstance(trouble, float):
            time.sleep(trouble)
            return False
        if trouble == "cut":
            handler.send_response(200)
            handler.send_header("Content-Length", "100000")
            handler.end_headers()
            handler.wfile.write(b'{"chart": {"result": [')
            handler.wfile.flush()
            handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            handler.connection.close()
            handler.close_connection = True
        elif trouble == "garbage":
            _send(handler, 200, b"<html>oops</html>", "text/html")
        else:
            _send(handler, int(trouble), b"Too Many Requests" if trouble == 429 else b"<html>", "text/html")
        return True

    @contextmanager
    def _under_way(self) -> Iterator[None]:
        with self._lock:
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            yield
        finally:
            with self._lock:
                self._at_once -= 1


def _send(handler: BaseHTTPRequestHandler, status: int, body: bytes, kind: str) -> None:
    handler.send_response(status)
    handler.send_header("Content-Type", kind)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def _send_json(handler: BaseHTTPRequestHandler, status: int, value: object) -> None:
    _send(handler, status, json.dumps(value).encode(), "application/json")


class LoopbackSession(requests.Session):
    """curl_cffi's session, with every host taken to a port of this machine."""

    def __init__(self, port: int) -> None:
        super().__init__(impersonate="chrome", trust_env=False)
        self._port = port

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
        parts = urlsplit(url)
        here = parts._replace(scheme="http", netloc=f"127.0.0.1:{self._port}").geturl()
        return super().request(method, here, *args, **kwargs)  # type: ignore[arg-type]


def walk(dates: pd.DatetimeIndex, seed: int = 0) -> pd.DataFrame:
    """(T, 5) bars of a random walk around 100, whose prices have no more digits than Yahoo's."""
    rng = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(rng.normal(0, 0.01, len(dates))))
    opened = close * np.exp(rng.normal(0, 0.005, len(dates)))
    high = np.maximum(opened, close) * np.exp(np.abs(rng.normal(0, 0.005, len(dates))))
    low = np.minimum(opened, close) * np.exp(-np.abs(rng.normal(0, 0.005, len(dates))))
    columns = {"open": opened, "high": high, "low": low, "close": close}
    bars = pd.DataFrame({name: values.round(4) for name, values in columns.items()}, index=dates)
    return bars.assign(volume=rng.integers(1_000_000, 9_000_000, len(dates)).astype(float))
