"""Other timeframes: completed periods only, made of the symbol's own bars."""

import numpy as np
import pandas as pd
import pytest

from dlplugin.errors import BarsError, ExpressionError
from dlplugin.indicators import Indicator, StreamSet, compute_columns, first_leak, made_up_bars
from dlplugin.indicators.times import Timeframe

TEXTS = [
    'on("1w", RSI(3))',
    'on("1mo", close / open)',
    'on("2w", high - low)',
    'on("1w", SMA(volume, 2))',
    'on("1y", close)',
]
WEEKS = {"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum", "raw_close": "last"}


def bits(values):
    return np.where(np.isnan(values), np.nan, values).view(np.int64)


def test_a_week_counts_from_the_first_bar_of_a_later_one(stock):
    bars = stock.iloc[:400]
    weekly = bars.resample("W-SUN").agg(WEEKS).dropna()
    week_of = bars.index.to_period("W-SUN")
    for column in WEEKS:
        values = Indicator(f'on("1w", {column})').compute(bars)
        expected = weekly[column].shift(1).to_numpy()[(week_of.asi8 - week_of.asi8[0])]
        np.testing.assert_allclose(values, expected, rtol=1e-14)
    friday = np.flatnonzero(bars.index.day_of_week == 4)[5]
    values = Indicator('on("1w", close)').compute(bars)
    assert values[friday] == bars["close"].iloc[friday - 5]
    assert values[friday + 1] == bars["close"].iloc[friday]


def test_days_of_hourly_bars_and_months_of_daily_ones(currency, stock):
    daily = currency.groupby(currency.index.normalize())["high"].max()
    expected = daily.shift(1)[currency.index.normalize()].to_numpy()
    np.testing.assert_array_equal(Indicator('on("1d", high)').compute(currency), expected)
    monthly = stock.groupby(stock.index.to_period("M"))["low"].min()
    expected = monthly.shift(1)[stock.index.to_period("M")].to_numpy()
    np.testing.assert_array_equal(Indicator('on("1mo", low)').compute(stock), expected)


@pytest.mark.parametrize("bars", ["stock", "currency"])
def test_streams_have_the_bits_of_the_batch_also_with_nan_and_huge_values(bars, request):
    bars = request.getfixturevalue(bars).iloc[:600].copy()
    bars.iloc[200:203, 2] = np.nan
    bars.iloc[300] = np.nan
    bars.iloc[400, 0], bars.iloc[402, 4] = np.inf, 1e150
    texts = (
        TEXTS if (bars.index.hour == 0).all() else [*TEXTS, 'on("1d", RSI(3))', 'on("4h", SMA(volume, 2))']
    )
    indicators = [Indicator(text) for text in texts]
    batch = compute_columns(indicators, bars)
    np.testing.assert_array_equal(bits(StreamSet(indicators).replay(bars)), bits(batch))


def test_nothing_looks_ahead_and_a_running_week_that_counts_is_caught(stock, monkeypatch):
    bars, rng = stock.iloc[:300], np.random.default_rng(2)
    indicators = [Indicator(text) for text in TEXTS]
    assert first_leak(lambda part: compute_columns(indicators, part), bars, rng, cuts=20) is None

    def running(part):  # the week's own close, known only on Friday
        return part["close"].groupby(part.index.to_period("W-SUN")).transform("last")

    assert first_leak(running, bars, rng, cuts=20) is not None


def test_holidays_make_shorter_weeks_and_a_long_gap_skips_some():
    bars = made_up_bars(60)
    bars = bars.drop(bars.index[20:33])
    values = pd.Series(Indicator('on("1w", close)').compute(bars), bars.index)
    for time in bars.index[10:]:
        monday = time.normalize() - pd.Timedelta(days=time.day_of_week)
        assert values[time] == bars.loc[: monday - pd.Timedelta(seconds=1), "close"].iloc[-1]


def test_labels_with_a_zone_fall_into_their_own_days():
    bars = made_up_bars(200, hourly=True)
    zoned = bars.tz_localize("Asia/Tokyo")
    text = 'on("1d", close)'
    np.testing.assert_array_equal(Indicator(text).compute(zoned), Indicator(text).compute(bars))
    np.testing.assert_array_equal(Indicator(text).stream().replay(zoned), Indicator(text).compute(bars))


def test_a_timeframe_that_is_not_coarser_is_refused_once_that_can_be_known(stock):
    message = 'on("1d", ...) needs several bars in 1d, but the first 21 bars lie in 21 of them; write a longer timeframe'
    for compute in (Indicator('on("1d", close)').compute, Indicator('on("1d", close)').stream().replay):
        with pytest.raises(BarsError) as refusal:
            compute(stock.iloc[:21])
        assert str(refusal.value) == message
    assert (
        Indicator('on("1d", close)').compute(stock.iloc[:20])[1:].tolist()
        == stock["close"].iloc[:19].tolist()
    )
    assert len(Indicator('on("1w", close)').compute(stock.iloc[:0])) == 0


def test_timeframes_are_read_and_refused():
    assert [Timeframe.read(text).text for text in ("1w", "4h", "30m", "3mo", "1y")] == [
        "1w",
        "4h",
        "30m",
        "3mo",
        "1y",
    ]
    for text, message in {
        "7h": "7h does not divide a day evenly; write one that does, such as '4h'",
        "0d": "a timeframe is a whole number and m, h, d, w, mo or y, such as '1w' or '4h', not '0d'",
        "week": "a timeframe is a whole number and m, h, d, w, mo or y, such as '1w' or '4h', not 'week'",
    }.items():
        with pytest.raises(ExpressionError) as refusal:
            Timeframe.read(text)
        assert str(refusal.value) == message


def test_the_value_does_not_change_within_a_period():
    bars = made_up_bars(100)
    values = pd.Series(Indicator('on("1mo", RSI(2))').compute(bars), bars.index)
    assert (values.groupby(bars.index.to_period("M")).nunique(dropna=False) == 1).all()
