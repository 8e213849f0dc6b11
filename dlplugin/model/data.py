"""The data of a training, read again from where they came."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from dlplugin.bars import BUNDLED, DataSet, fingerprint_bars
from dlplugin.bars.dates import day_text
from dlplugin.bars.origin import DataOrigin
from dlplugin.errors import BarsError

__all__ = ["origin_of", "training_data"]


def training_data(
    record: Mapping[str, Any], validation: DataSet | None = None
) -> tuple[DataSet, DataSet | None]:
    """The DataSet of a training, and the other one that validated it, with the very bars that it saw.

    Bars that have come since, before the first or after the last ones, are cut off. All others are held
    against the training's fingerprints.

    Args:
        record: The model's or the run's.
        validation: Taken as it is where it is given, instead of what is recorded.

    Returns:
        The two; the second is None where the training had none.

    Raises:
        BarsError: They were frames in memory, cannot be read any more, or have changed.
    """
    model = record["model"]
    dataset = _again(record["dataset"], f"model {model!r}", "trained on", "dataset=")
    if validation is None and "validation" in record:
        validation = _again(record["validation"], f"model {model!r}", "validated on", "validation=")
    return dataset, validation


def origin_of(recorded: Mapping[str, Any], who: str, ask: str) -> DataOrigin:
    """Where the data of a training came from.

    Args:
        recorded: What a record has under "dataset" or "validation".
        who: Who used them, for messages: "model 'x' was trained on".
        ask: What helps where they cannot be found.

    Raises:
        BarsError: They were frames in memory, or their folder is gone.
    """
    name = recorded["name"]
    try:
        origin = DataOrigin.of(recorded["origin"]) if "origin" in recorded else _bundled(recorded)
    except BarsError as error:
        raise BarsError(f"{who} {name!r}, but {_first_clause(error)}; {ask}") from error
    if origin is None:
        raise BarsError(f"{who} {name!r}, frames in memory; {ask}")
    return origin


def _bundled(recorded: Mapping[str, Any]) -> DataOrigin | None:
    """A bundled set, by its name and its bars, of a record from before there were origins."""
    name, symbols = recorded["name"], recorded["symbols"]
    bundled = next((each for each in BUNDLED if name == each or name.startswith(f"{each} (")), None)
    if bundled is None:
        return None
    some = {"symbols": list(symbols), "name": name} if name != bundled else {}
    origin = DataOrigin.of({"bundled": bundled, **some})
    same = origin.load().fingerprint == {symbol: each["fingerprint"] for symbol, each in symbols.items()}
    return origin if same else None


def _again(recorded: Mapping[str, Any], whose: str, verb: str, argument: str) -> DataSet:
    name = recorded["name"]
    origin = origin_of(recorded, f"{whose} was {verb}", f"give {argument}")
    try:
        found = origin.load()
    except BarsError as error:
        raise BarsError(
            f"{whose} was {verb} {name!r}, but {_first_clause(error)}; give {argument}"
        ) from error
    symbols = recorded["symbols"]
    if found.fingerprint == {symbol: was["fingerprint"] for symbol, was in symbols.items()}:
        return found
    dates = {
        symbol: (pd.Timestamp(was["first"]), pd.Timestamp(was["last"])) for symbol, was in symbols.items()
    }
    for symbol, (first, last) in dates.items():
        change = _change(found, symbol, symbols[symbol], (first, last))
        if change:
            raise BarsError(
                f"the bars of {symbol} in {name!r} are not those that {whose} was {verb}: there were "
                f"{symbols[symbol]['bars']:,} from {day_text(first)} to {day_text(last)}, now {change}; "
                f"give {argument}, or train it again"
            )
    return found.subset(dates, name).between(dates)


def _change(
    found: DataSet, symbol: str, was: Mapping[str, Any], dates: tuple[pd.Timestamp, pd.Timestamp]
) -> str:
    """What is other than it was in the bars of the recorded dates; empty where they are the same."""
    if symbol not in found:
        return "there are none"
    now = found[symbol].loc[dates[0] : dates[1]]
    if fingerprint_bars(now) == was["fingerprint"]:
        return ""
    if len(now) != was["bars"]:
        return f"there are {len(now):,}"
    yahoo = "yahoo" in (found.origin or {})
    return f"they have other values{', as Yahoo gives them after each dividend or split' if yahoo else ''}"


def _first_clause(error: BarsError) -> str:
    """What is wrong, without what to do about it."""
    return str(error).partition("; ")[0]
