"""Values of slow functions of one's own, kept on disk: found again by all they were computed from.

That is every bit of the bars that the function is given, its call with every parameter spelled out,
all that its source reaches, and the versions of what computes. Values that are quick to compute are
not kept; neither are those of a function of which it is not known what it reaches.
"""

import platform
import sys
import time
from collections.abc import Callable
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np

from dlplugin.indicators.reach import reach_of
from dlplugin.indicators.view import FloatArray

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["remembered"]

FORMAT = "1"
SLOW = 0.05
"""Seconds from which on values are kept; to hash the bars and read them again takes a few milliseconds."""

_PACKAGES = ("dlplugin", "bottleneck", "numexpr", "numba")  # pandas computes with the last three if it can


def remembered(
    function: Callable[..., Any],
    called: tuple[str, ...],
    frame: "pd.DataFrame",
    compute: Callable[[], FloatArray],
) -> FloatArray:
    """The values that `compute` gives, to the bit: from the cache where the same were computed before.

    Args:
        function: The function that computes them.
        called: Texts that say how it is called: its parameters, its window, the hash of its source.
        frame: (T, columns) float64, all that it is given; it may be spoilt by `compute`.
        compute: Gives (T,) float64.
    """
    from dlplugin.bars.cache import key_of, read_entry, write_entry

    reach = reach_of(function)
    if reach is None:
        return compute()
    key = key_of(reach, *called, *_versions(), *_content(frame))
    known = _read(read_entry("inputs", key), len(frame))
    if known is not None:
        return known
    begun = time.perf_counter()
    values = compute()
    if time.perf_counter() - begun >= SLOW:
        file = BytesIO()
        np.save(file, values, allow_pickle=False)
        write_entry("inputs", key, file.getvalue())
    return values


def _read(content: bytes | None, bars: int) -> FloatArray | None:
    if content is None:
        return None
    try:
        values: FloatArray = np.load(BytesIO(content), allow_pickle=False)
    except (ValueError, OSError, EOFError):
        return None
    return values if values.shape == (bars,) and values.dtype == np.float64 else None


def _versions() -> tuple[str, ...]:
    import pandas as pd

    packages = [str(getattr(sys.modules.get(name), "__version__", None)) for name in _PACKAGES]
    return (FORMAT, sys.version, np.__version__, pd.__version__, platform.machine(), *packages)


def _content(frame: "pd.DataFrame") -> tuple[str | bytes, ...]:
    """Every bit of a frame: its names, its times with their zone, its columns."""
    index: Any = frame.index
    columns = [frame[name].to_numpy() for name in frame.columns]
    return (repr([*map(str, frame.columns)]), str(index.dtype), index.asi8.tobytes(), *(map(_bits, columns)))


def _bits(values: FloatArray) -> bytes:
    return np.ascontiguousarray(values, dtype=np.float64).tobytes()
