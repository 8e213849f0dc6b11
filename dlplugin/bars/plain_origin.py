"""Where bars came from, as a plain mapping that JSON holds and `DataOrigin.of` reads."""

from collections.abc import Iterable, Sequence
from typing import Any

from dlplugin.bars.yahoo import Moment

__all__ = ["origin_of_some", "union_origin", "yahoo_origin"]


def yahoo_origin(
    symbols: Iterable[str], start: Moment | None, end: Moment | None, interval: str, name: str
) -> dict[str, Any]:
    """Symbols of Yahoo; a date that is not text becomes ISO text."""
    dates = {
        key: moment if isinstance(moment, str) else moment.isoformat()
        for key, moment in (("start", start), ("end", end))
        if moment is not None
    }
    return {"yahoo": list(symbols), **dates, "interval": interval, "name": name}


def origin_of_some(origin: dict[str, Any] | None, symbols: Iterable[str], name: str) -> dict[str, Any] | None:
    """Some of the symbols of an origin, under another name; None of none."""
    if origin is None:
        return None
    return origin | {"yahoo" if "yahoo" in origin else "symbols": list(symbols), "name": name}


def union_origin(origins: Sequence[dict[str, Any] | None], name: str) -> dict[str, Any] | None:
    """Several origins in one; None where one of them is none."""
    parts = [origin for origin in origins if origin is not None]
    return {"union": parts, "name": name} if len(parts) == len(origins) else None
