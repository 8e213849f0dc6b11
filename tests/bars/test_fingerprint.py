import hashlib
import struct

import numpy as np
import pytest

from dlplugin.bars import DataSet, check_bars, fingerprint_bars

GOLDEN = {
    "SP500": "9008cc2a098e1352bd0f496072138a5300c1c53eb82899ceb2d6304ac411d5c8",
    "EURUSD": "44af6f1688d76c00bc33e615bb9f28e26d85a32c869174e37dd72239f13953e0",
    "GOOG": "35bf9ce993549e3764ff1841b023814c349fb6ce4a9c2a043a142f07e8b70d10",
}


def test_the_bytes_hashed_are_those_the_docstring_tells(bars):
    names = '["open", "high", "low", "close", "volume", "raw_close"]'
    told = b"dlplugin bars 1\n" + names.encode() + b"\n" + struct.pack("<q", 10)
    told += b"".join(struct.pack("<q", date.value) for date in bars.index)
    told += b"".join(struct.pack("<d", value) for name in bars for value in bars[name])
    assert fingerprint_bars(bars) == hashlib.sha256(told).hexdigest()


@pytest.mark.parametrize("place", [("sp500", "SP500"), ("eurusd-1h", "EURUSD"), ("us-stocks", "GOOG")])
def test_bundled_bars_have_the_same_fingerprint_for_ever(place):
    name, symbol = place
    assert DataSet.bundled(name).fingerprint[symbol] == GOLDEN[symbol]


def test_each_bit_of_the_content_counts(bars):
    whole = fingerprint_bars(bars)
    changed = bars.copy()
    changed.iloc[4, 3] = np.nextafter(changed.iloc[4, 3], 9.0)
    renamed = bars.rename(columns={"raw_close": "real_close"})
    later = bars.set_axis(bars.index + np.timedelta64(1, "ns"), axis=0)
    others = [changed, renamed, later, bars.iloc[:-1], bars.drop(columns="raw_close")]
    assert len({whole, *(fingerprint_bars(frame) for frame in others)}) == 6


def test_what_is_equal_has_one_fingerprint(bars):
    bars["extra"] = np.nan
    bars["zero"] = 0.0
    same = bars.copy()
    same["zero"] = -0.0
    same["extra"] = np.full(10, 0x7FF8000000000001, dtype=np.int64).view(np.float64)
    same = check_bars(same.iloc[:, ::-1].set_axis(same.index.as_unit("s"), axis=0), "AAPL")
    assert fingerprint_bars(same) == fingerprint_bars(check_bars(bars, "AAPL"))
