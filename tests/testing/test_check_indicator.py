"""The conformance check: what it lets pass, and a wrong indicator for each thing it checks."""

import itertools

import numpy as np
import pytest

import dlplugin as dl
from dlplugin.errors import ExpressionError
from dlplugin.indicators import made_up_bars
from dlplugin.testing import check_indicator

_calls = itertools.count()


def too_short(bars):
    return bars["close"].to_numpy()[1:]


def texts(bars):
    return bars["close"].astype(str)


def random_one(bars):
    return bars["close"] * 0 + next(_calls)


def spoils_its_argument(bars):
    bars["close"] = bars["close"].shift(1)
    return bars["close"]


def fails_on_nan(bars):
    if bars["close"].isna().any():
        raise ValueError("no NaN please")
    return bars["close"]


def looks_ahead(bars):
    return bars["close"].shift(-1)


def forgets_too_soon(bars):
    return bars["close"].pct_change(5)


def honest(bars, period=7):
    """The mean of the last bars."""
    return bars["close"].rolling(period).mean()


WRONG = {
    too_short: "indicator 'too_short' fails the check of length: it gives values of shape (259,) for 260 bars",
    random_one: "indicator 'random_one' fails the check of determinism: the second time it gives 2.0 at bar 0, not 1.0",
    spoils_its_argument: "indicator 'spoils_its_argument' fails the check of argument: it changes the bars it is "
    "given; work on a copy",
    fails_on_nan: "indicator 'fails_on_nan' fails the check of NaN: with NaN in three bars indicator 'fails_on_nan' "
    "fails on 260 bars: ValueError: no NaN please",
}


@pytest.mark.parametrize("function", WRONG)
def test_a_wrong_indicator_is_caught_by_the_check_it_fails(function):
    global _calls
    _calls = itertools.count()
    with pytest.raises(ExpressionError) as refusal:
        check_indicator(function)
    assert str(refusal.value) == WRONG[function]


def test_values_that_are_no_numbers_are_caught():
    with pytest.raises(
        ExpressionError, match="indicator 'texts' fails the check of type: it gives values of type "
    ):
        check_indicator(texts)


def test_looking_ahead_is_caught():
    with pytest.raises(ExpressionError) as refusal:
        check_indicator(looks_ahead)
    assert str(refusal.value).startswith(
        "indicator 'looks_ahead' fails the check of causality: indicator 'looks_ahead' looks ahead: column 0 of bar "
    )


def test_a_lookback_too_short_is_caught(monkeypatch):
    from dlplugin.indicators import describe_function
    from dlplugin.testing import indicator

    short = describe_function(forgets_too_soon, lookback=5)
    monkeypatch.setattr(indicator, "own_functions", lambda: {short.name: short})
    with pytest.raises(ExpressionError) as refusal:
        check_indicator(forgets_too_soon)
    assert str(refusal.value).startswith(
        "indicator 'forgets_too_soon' fails the check of lookback: indicator 'forgets_too_soon' gives nan on its last "
        "5 bars, but "
    )


def test_a_stream_that_is_not_the_batch_is_caught(monkeypatch):
    from dlplugin.indicators import own

    monkeypatch.setattr(own._LiveOwn, "update", lambda self, bar: 1.0)
    with pytest.raises(ExpressionError) as refusal:
        check_indicator(honest)
    assert str(refusal.value) == (
        "indicator 'honest' fails the check of stream: bar by bar it gives 1.0 at bar 0, not nan"
    )


def test_an_honest_function_and_expressions_pass():
    check_indicator(honest, dl.DataSet.bundled("us-stocks")["AAPL"].iloc[:200])
    for text in (
        "RSI(14)",
        'close / of("SPY", close, closes="later")',
        'on("1w", RSI(3))',
        'delayed(sales, "2d")',
    ):
        check_indicator(text)


def test_made_up_bars_are_the_same_at_every_call_and_have_holidays():
    bars = made_up_bars(300, ("sales",))
    assert bars.equals(made_up_bars(300, ("sales",)))
    assert (bars["high"] >= bars[["open", "close"]].max(axis=1)).all()
    assert len(made_up_bars(100, hourly=True)) == 100
    assert np.diff(bars.index.to_numpy()).max() > np.timedelta64(3, "D")
