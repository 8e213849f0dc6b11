"""A hash of bars that tells whether two histories are the same, whatever file they came from."""

import hashlib
import json

import numpy as np
import pandas as pd

__all__ = ["fingerprint_bars"]


def fingerprint_bars(bars: pd.DataFrame) -> str:
    r"""SHA-256 of the bars' content, in hexadecimal.

    Hashed, one after the other: the line `dlplugin bars 1\n`; a JSON list of the columns' names, as
    UTF-8 and a line feed; T as a little-endian int64; the T dates as little-endian int64 nanoseconds
    since 1970; each column's T values as little-endian float64, with one bit pattern for NaN and
    -0.0 as 0.0.

    Args:
        bars: (T, columns) as `check_bars` returns them.
    """
    digest = hashlib.sha256(b"dlplugin bars 1\n")
    digest.update(json.dumps(list(bars.columns), ensure_ascii=False).encode() + b"\n")
    digest.update(np.array(len(bars), dtype="<i8").tobytes())
    dates = bars.index.to_numpy().astype("datetime64[ns]")
    digest.update(dates.astype("<i8").tobytes())
    for name in bars.columns:
        values = bars[name].to_numpy().astype("<f8") + 0.0
        digest.update(np.where(np.isnan(values), np.nan, values).astype("<f8").tobytes())
    return digest.hexdigest()
