"""Bars from a folder that holds one CSV, CSV.gz or Parquet file a symbol."""

import csv
import gzip
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from dlplugin.bars.dates import DATE_COLUMNS
from dlplugin.bars.form import tidy_name
from dlplugin.bars.parsed import parsed
from dlplugin.errors import BarsError

__all__ = ["folder_sources", "read_file"]

CSV_SUFFIXES = (".csv.gz", ".csv")
PARQUET_SUFFIXES = (".parquet", ".pq")
SEPARATORS = ",;\t"

# Before 3.1 pandas read numbers with an error in the last bit unless told not to.
_EXACT: dict[str, Any] = (
    {"float_precision": "round_trip"} if tuple(map(int, pd.__version__.split(".")[:2])) < (3, 1) else {}
)


def folder_sources(folder: Path) -> dict[str, Callable[[], pd.DataFrame]]:
    """Every symbol and what reads its bars; a symbol is its file's name without the suffix.

    Hidden files, folders and files of other kinds, such as a README, are passed over.

    Args:
        folder: Where the files lie.

    Raises:
        BarsError: No such folder, no files in it, or two of one symbol.
    """
    return {symbol: partial(read_file, path, symbol) for symbol, path in _files(folder).items()}


def read_file(path: Path, symbol: str) -> pd.DataFrame:
    """One file's bars as they are written; dates of a CSV file stay text.

    CSV columns are separated by comma, semicolon or tab, and the first line names them.

    Raises:
        BarsError: The file cannot be read.
    """
    try:
        if path.stat().st_size == 0:
            raise BarsError(f"{path} is empty; write bars into it or remove it")
        if path.name.casefold().endswith(PARQUET_SUFFIXES):
            return pd.read_parquet(path, engine="pyarrow")
        return parsed(path, partial(_read_csv, path, symbol))
    except (OSError, ValueError, NotImplementedError, EOFError, zlib.error, csv.Error) as error:
        strerror = error.strerror if isinstance(error, OSError) else None
        reason = (strerror or str(error) or type(error).__name__).splitlines()[0].rstrip(". ")
        raise BarsError(f"cannot read {path}: {reason}") from error


def _files(folder: Path) -> dict[str, Path]:
    if not folder.exists():
        raise BarsError(f"there is no folder {str(folder)!r}; name one with a CSV or Parquet file a symbol")
    if not folder.is_dir():
        raise BarsError(f"{str(folder)!r} is a file; name the folder that it lies in")
    try:
        paths = sorted(folder.iterdir())
    except OSError as error:
        raise BarsError(f"cannot read the folder {str(folder)!r}: {error.strerror}") from error
    files: dict[str, Path] = {}
    taken: dict[str, Path] = {}
    for path in paths:
        symbol = _symbol(path)
        if symbol is None:
            continue
        # Two names that differ in case alone are one file on some systems.
        first = taken.setdefault(symbol.casefold(), path)
        if first != path:
            raise BarsError(
                f"{str(folder)!r} has two files of {symbol}: {first.name} and {path.name}; keep one"
            )
        files[symbol] = path
    if not files:
        raise BarsError(
            f"the folder {str(folder)!r} has no .csv, .csv.gz or .parquet file; put one a symbol there"
        )
    return files


def _symbol(path: Path) -> str | None:
    """The symbol whose bars a file holds, None for a file that is passed over."""
    for suffix in (*CSV_SUFFIXES, *PARQUET_SUFFIXES):
        if path.name.casefold().endswith(suffix) and not path.name.startswith(".") and path.is_file():
            return path.name[: -len(suffix)]
    return None


def _read_csv(path: Path, symbol: str) -> pd.DataFrame:
    header, separator = _header(path, symbol)
    frame: pd.DataFrame = pd.read_csv(
        path,
        sep=separator,
        names=header,
        header=0,
        skipinitialspace=True,
        # Dates stay text, so that 20200403 and 03/04/2020 are read by one rule.
        dtype={name: str for name in header if tidy_name(name) in DATE_COLUMNS},
        encoding="utf-8-sig",
        low_memory=False,
        **_EXACT,
    )
    if not isinstance(frame.index, pd.RangeIndex):
        raise BarsError(f"{path} has rows of more values than its first line has names; name every column")
    return frame


def _header(path: Path, symbol: str) -> tuple[list[str], str]:
    """The columns' names in a CSV file's first line, and what separates them."""
    opened = gzip.open if path.name.casefold().endswith(".gz") else open
    with opened(path, "rt", encoding="utf-8-sig", newline="") as file:
        line = next((line for line in file if line.strip()), "")
    if not line:
        raise BarsError(f"{path} is empty; write bars into it or remove it")
    separator = max(SEPARATORS, key=line.count)
    names = next(csv.reader([line], delimiter=separator, skipinitialspace=True))
    for name in names:
        if names.count(name) > 1:
            raise BarsError(f"{symbol} has two columns {name!r}; remove one")
    return names, separator
