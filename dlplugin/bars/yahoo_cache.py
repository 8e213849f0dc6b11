"""Raw bars from Yahoo on disk, so that they are fetched once and appended to.

FOLDER/yahoo/INTERVAL/SYMBOL.parquet     one symbol's raw bars, as Yahoo gave them
FOLDER/yahoo/INTERVAL/.locks/...         who is writing; held by the operating system
"""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import pandas as pd
from filelock import FileLock, Timeout

from dlplugin.bars.cache import cache_folder
from dlplugin.bars.fingerprint import fingerprint_bars
from dlplugin.bars.yahoo_source import RAW_COLUMNS

__all__ = ["DamagedCacheError", "YahooCache", "cache_folder"]

FORMAT = b"1"
SECONDS_TO_WAIT = 300.0
"""For another process that fetches the same symbol; its patience is bounded, so it ends before."""


class DamagedCacheError(Exception):
    """A cached file is not what was written."""


class YahooCache:
    """Raw bars by symbol, of one interval.

    Args:
        folder: What `cache_folder` gives.
        interval: How far apart the bars are.
    """

    def __init__(self, folder: Path, interval: str) -> None:
        self._folder = folder / "yahoo" / interval

    @contextmanager
    def held(self, symbol: str) -> Iterator[bool]:
        """Holds a symbol while a block reads, fetches and writes it.

        Yields:
            Whether it is held; not when the folder cannot be written or somebody holds it too long.
        """
        lock = FileLock(self._folder / ".locks" / f"{_file_name(symbol)}.lock", thread_local=False)
        try:
            Path(lock.lock_file).parent.mkdir(parents=True, exist_ok=True)
            lock.acquire(timeout=SECONDS_TO_WAIT)
        except (OSError, Timeout, NotImplementedError):
            yield False
            return
        try:
            yield True
        finally:
            lock.release()

    def read(self, symbol: str) -> pd.DataFrame | None:
        """A symbol's raw bars (T, RAW_COLUMNS); None when there are none.

        Raises:
            DamagedCacheError: The file is not what was written.
        """
        import pyarrow.parquet as pq

        path = self._path(symbol)
        if not path.exists():
            return None
        try:
            table = pq.read_table(path, partitioning=None)
            said = table.schema.metadata or {}
            raw: pd.DataFrame = table.to_pandas()
            if said.get(b"dlplugin.format") != FORMAT or tuple(raw.columns) != RAW_COLUMNS or raw.empty:
                raise ValueError("another format")
            if said.get(b"dlplugin.fingerprint") != fingerprint_bars(raw).encode():
                raise ValueError("its fingerprint is another")
        except Exception as error:  # a damaged Parquet file raises anything at all
            raise DamagedCacheError(str(path)) from error
        raw.index = pd.DatetimeIndex(raw.index.to_numpy().astype("datetime64[ns]"), name="date")
        return raw

    def write(self, symbol: str, raw: pd.DataFrame) -> None:
        """Writes beside, then renames: a reader sees the old file or the new one, also after a kill.

        Call it while the symbol is held.

        Raises:
            OSError: The disk is full, or the folder is not writable.
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        path = self._path(symbol)
        for left_over in path.parent.glob(f".{_file_name(symbol)}.*.part"):
            left_over.unlink(missing_ok=True)
        table = pa.Table.from_pandas(raw)
        said = {b"dlplugin.format": FORMAT, b"dlplugin.fingerprint": fingerprint_bars(raw).encode()}
        table = table.replace_schema_metadata({**table.schema.metadata, **said})
        beside = path.with_name(f".{_file_name(symbol)}.{secrets.token_hex(4)}.part")
        try:
            with open(beside, "wb") as file:
                pq.write_table(table, file)
                file.flush()
                os.fsync(file.fileno())
            os.replace(beside, path)
        except BaseException:
            beside.unlink(missing_ok=True)
            raise

    def _path(self, symbol: str) -> Path:
        return self._folder / f"{_file_name(symbol)}.parquet"


def _file_name(symbol: str) -> str:
    """A symbol as a file's name: what no letter, digit, dot, dash or underscore is, in hexadecimal.

    >>> _file_name("BRK-B"), _file_name("^GSPC"), _file_name("EURUSD=X")
    ('BRK-B', '%5EGSPC', 'EURUSD%3DX')
    """
    return quote(symbol, safe="")
