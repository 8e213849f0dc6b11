"""The sets of real bars that ship with dlplugin, for demonstrations and tests without a network."""

from pathlib import Path

from dlplugin.errors import BarsError
from dlplugin.registry import did_you_mean
from dlplugin.resources import shipped_folder

__all__ = ["BUNDLED", "bundled_folder"]

BUNDLED = {
    "us-stocks": "eleven US stocks, daily, 2004 to 2013, adjusted for splits and dividends",
    "sp500": "the S&P 500 index, daily, 1999 to 2018",
    "eurusd-1h": "EUR/USD ask, hourly, 2017",
}
"""Each set's name and what it holds."""


def bundled_folder(name: str) -> Path:
    """Where a bundled set lies.

    Raises:
        BarsError: No set of that name ships with dlplugin.
    """
    if name not in BUNDLED:
        hint = did_you_mean(str(name), BUNDLED) or ";"
        raise BarsError(f"unknown bundled DataSet {name!r}{hint} there are: {', '.join(BUNDLED)}")
    try:
        return shipped_folder("datasets") / name
    except FileNotFoundError as error:
        raise BarsError(str(error)) from error
