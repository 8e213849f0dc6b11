"""A matrix of 20 indicators for many symbols, against the raw TA-Lib calls."""

import talib
from measure import medians

import dlplugin as dl
from dlplugin.indicators import Indicator, compute_columns

CALLS = [("RSI", period) for period in range(5, 15)] + [("SMA", period) for period in range(10, 110, 10)]


def measure(quick: bool) -> dict[str, float]:
    """Name of the comparison to our time over the other's."""
    bars = dl.DataSet.bundled("sp500")["SP500"].iloc[:5000]
    close = bars["close"].to_numpy()
    indicators = [Indicator(f"{name}({period})") for name, period in CALLS]
    symbols = 20 if quick else 100

    def raw() -> None:
        for _ in range(symbols):
            for name, period in CALLS:
                getattr(talib, name)(close, timeperiod=period)

    def ours() -> None:
        for _ in range(symbols):
            compute_columns(indicators, bars)

    seconds = medians({"ours": ours, "raw": raw}, 5)
    return {f"20 indicators × {symbols} symbols × 5,000 bars / raw TA-Lib": seconds["ours"] / seconds["raw"]}
