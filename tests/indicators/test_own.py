"""Functions of one's own: registered, tried, used in expressions, streamed."""

import sys
import textwrap

import numpy as np
import pandas as pd
import pytest

import dlplugin as dl
from dlplugin.errors import DLPluginWarning, ExpressionError, UnknownNameError
from dlplugin.indicators import Indicator, StreamSet, catalogue, compute_columns, describe, own, plugins

pytestmark = pytest.mark.usefixtures("registry")


def bits(values):
    return np.where(np.isnan(values), np.nan, values).view(np.int64)


def change(bars, period=5, scale=100.0):
    """Percent change over some bars.

    More about it.
    """
    return scale * bars["close"].pct_change(period)


def mean_of_twenty(bars):
    return bars["close"].rolling(20).mean()


def faded(bars, alpha=0.2):
    return bars["close"].ewm(alpha=alpha).mean()


def register(function, **options):
    return dl.indicator(**options)(function) if options else dl.indicator(function)


def refused(function, **options):
    with pytest.raises(ExpressionError) as refusal:
        register(function, **options)
    return str(refusal.value)


def test_a_registered_function_is_used_by_its_name_with_its_own_parameters(stock):
    assert register(change, lookback=lambda period, scale: period + 1) is change
    for text, canonical, values in (
        ("change()", "change(period=5, scale=100)", change(stock)),
        ("change(7)", "change(period=7, scale=100)", change(stock, 7)),
        ("change(scale=1, period=2)", "change(period=2, scale=1)", change(stock, 2, 1.0)),
    ):
        indicator = Indicator(text)
        assert indicator.text == canonical
        np.testing.assert_array_equal(indicator.compute(stock), values)
    assert Indicator("change(7)").warm_up == 7
    assert Indicator("SMA(change(7), 3)").warm_up == 9
    assert Indicator("change(7)").steady_bars == 8
    assert [each.name for each in Indicator("change(7) / SMA(5)").own_functions] == ["change"]


def test_it_has_an_entry_in_the_catalogue(registry):
    register(change, name="percent", lookback=lambda period, scale: period + 1)
    entry = describe("percent")
    assert entry is not None
    assert "percent" in catalogue()
    assert (entry.group, entry.usage, entry.warm_up) == (
        "Your Own Indicators",
        "percent(period=5, scale=100)",
        5,
    )
    assert entry.description == "Percent change over some bars."
    assert entry.checked
    registry.clear()
    with pytest.raises(UnknownNameError):
        describe("percent")


def test_it_streams_the_bits_of_its_batch_with_a_lookback_and_without(stock, monkeypatch):
    monkeypatch.setattr(own, "_warned", set())
    register(change, lookback=lambda period, scale: period + 1)
    register(mean_of_twenty, lookback=20)
    register(faded)
    bars = stock.iloc[:300].copy()
    bars.iloc[150, 3] = np.nan
    bars.iloc[160, 3] = np.inf
    texts = ["change(3)", "SMA(change(4), 5)", "mean_of_twenty() / close", 'on("1w", change(2))', "faded()"]
    indicators = [Indicator(text) for text in texts]
    with pytest.warns(DLPluginWarning) as warned:
        stream = StreamSet(indicators)
    assert [str(each.message) for each in warned] == [
        "indicator 'faded' has no lookback: bar by bar it is computed over all bars again and gets ever slower; "
        "declare how many it needs: @dl.indicator(lookback=...)"
    ]
    batch = compute_columns(indicators, bars)
    wanted = bits(batch)
    for place, (time, row) in enumerate(zip(bars.index, bars.to_dict("records"), strict=True)):
        np.testing.assert_array_equal(bits(stream.peek(row, time)), wanted[place])
        twin = stream.copy()
        np.testing.assert_array_equal(bits(twin.update(row, time)), wanted[place])
        stream = twin
    assert Indicator("faded()").unstable
    assert not Indicator("change()").unstable


def test_with_a_lookback_the_value_is_that_on_the_last_bars_alone_to_the_bit(stock):
    register(mean_of_twenty, lookback=20)
    values = Indicator("mean_of_twenty()").compute(stock.iloc[:200])
    alone = [mean_of_twenty(stock.iloc[bar - 19 : bar + 1]).iloc[-1] for bar in range(19, 200)]
    np.testing.assert_array_equal(values[19:], alone)
    assert np.isnan(values[:19]).all()
    assert (mean_of_twenty(stock.iloc[:200]).to_numpy()[19:] != alone).any()  # one pass rounds otherwise


def test_what_cannot_be_an_indicator_is_refused_with_the_reason():
    leak = refused(lambda bars: bars["close"].shift(-1), name="peeking")
    assert leak.startswith("indicator 'peeking' looks ahead: column 0 of bar ")
    assert leak.endswith("; use only the bars up to each one, or accept it with @dl.indicator(check=False)")
    assert refused(change, lookback=3).startswith("indicator 'change' gives nan on its last 3 bars, but ")
    assert refused(change, lookback=0) == (
        "lookback of indicator 'change' is 0, but must be a whole number of bars from 1 to 100000"
    )
    assert refused(lambda bars: bars["earnings"], name="e") == (
        "indicator 'e' finds no 'earnings'; it is given the columns open, high, low, close, volume, others must be "
        "declared: @dl.indicator(columns=[...])"
    )
    assert (
        refused(lambda bars: 1 / 0, name="e")
        == "indicator 'e' fails on 400 bars: ZeroDivisionError: division by zero"
    )
    assert refused(lambda bars: bars["close"][1:], name="e") == (
        "indicator 'e' gives 399 values for 400 bars; it must give one a bar"
    )
    assert refused(lambda bars: bars["close"] * np.nan, name="e") == (
        "indicator 'e' gives no value on 400 made-up bars; it must give numbers"
    )
    assert refused(lambda bars, kind="fast": bars["close"], name="e") == (
        "parameter 'kind' of indicator 'e' must have a number as its default, such as kind=14"
    )
    assert refused(lambda: 1, name="e") == (
        "indicator 'e' must take the bars first, as in def e(bars, period=14)"
    )
    assert refused(change, name="my change") == (
        "an indicator cannot be called 'my change'; give it a name of letters, digits and _ with name="
    )
    for name in ("RSI", "lag", "month", "of", "zscore"):
        assert refused(change, name=name) == (
            f"{name!r} is one of the built-in indicators; give yours another name with name="
        )
    with pytest.raises(UnknownNameError):
        Indicator("e()")


def test_a_name_is_taken_once_but_the_same_function_may_be_loaded_again():
    register(change)
    register(change)
    assert refused(faded, name="change") == (
        f"an indicator 'change' is registered already, from {__name__}; give yours another name with name="
    )


def test_parameters_are_tried_too_when_they_are_written():
    register(change, lookback=lambda period, scale: 6)
    with pytest.raises(
        ExpressionError, match=r"indicator 'change' gives nan on its last 6 bars, but .*column 1 of"
    ):
        Indicator("change(9)")
    with pytest.raises(ExpressionError) as refusal:
        Indicator("change(0)")
    assert str(refusal.value) == (
        "period of change must be a whole number from 1 to 100000, not 0 (column 8 of 'change(0)')"
    )


def test_a_leak_can_be_let_in_untried_and_that_is_recorded(stock):
    register(lambda bars: bars["close"].shift(-1), name="cheat", check=False)
    assert not describe("cheat").checked
    np.testing.assert_array_equal(Indicator("cheat()").compute(stock), stock["close"].shift(-1))


def test_it_is_given_the_columns_it_declares_and_cannot_spoil_the_bars(stock):
    def spoiling(bars):
        assert list(bars.columns) == ["raw_close", "close"]
        assert isinstance(bars.index, pd.DatetimeIndex)
        bars["raw_close"] = bars["raw_close"] / bars["close"]
        return bars["raw_close"]

    register(spoiling, columns=["raw_close", "close"], lookback=1)
    before = stock.copy()
    values = Indicator("spoiling()").compute(stock)
    pd.testing.assert_frame_equal(stock, before)
    np.testing.assert_array_equal(values, stock["raw_close"] / stock["close"])
    assert Indicator("spoiling()").columns == {"raw_close", "close"}
    with pytest.raises(UnknownNameError, match="the bars have no column 'raw_close'"):
        Indicator("spoiling()").compute(stock.drop(columns="raw_close"))


def test_the_hash_is_that_of_the_functions_source(registry):
    def one(bars):
        return bars["close"] + 1

    def other(bars):
        return bars["close"] + 2

    for name, function in (("a", one), ("b", other), ("c", one)):
        register(function, name=name)
    assert registry["a"].sha256 == registry["c"].sha256 != registry["b"].sha256
    scope: dict = {}
    exec("def f(bars): return bars['close'] + 1\ndef g(bars): return bars['close'] + 2", scope)
    assert plugins._source_hash(scope["f"]) != plugins._source_hash(scope["g"])


def test_modules_are_loaded_by_name_and_failures_named(tmp_path, monkeypatch, registry):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "my_indicators_a.py").write_text(
        textwrap.dedent("""
            import dlplugin as dl

            @dl.indicator(lookback=1)
            def middle(bars):
                return (bars["high"] + bars["low"]) / 2
        """)
    )
    (tmp_path / "my_indicators_b.py").write_text("1 / 0")
    dl.load_plugins(["my_indicators_a"])
    assert set(registry) == {"middle"}
    with pytest.raises(ExpressionError) as refusal:
        dl.load_plugins(["my_indicators_b"])
    assert str(refusal.value) == (
        "plugin 'my_indicators_b' cannot be imported: ZeroDivisionError: division by zero"
    )
    with pytest.raises(ExpressionError, match="plugin 'nowhere' cannot be imported: ModuleNotFoundError"):
        dl.load_plugins(["nowhere"])
    sys.modules.pop("my_indicators_a")


def test_a_package_that_fails_is_named_and_the_others_still_work(monkeypatch):
    from importlib import metadata

    points = [
        metadata.EntryPoint("broken", "no_such_module:f", plugins.GROUP),
        metadata.EntryPoint("mean20", f"{__name__}:mean_of_twenty", plugins.GROUP),
    ]
    monkeypatch.setitem(sys.modules, __name__, sys.modules.get(__name__) or type(sys)(__name__))
    monkeypatch.setattr(sys.modules[__name__], "mean_of_twenty", mean_of_twenty, raising=False)
    monkeypatch.setattr(metadata, "entry_points", lambda group: points)
    monkeypatch.setattr(plugins, "_entry_points_read", [])
    with pytest.warns(
        DLPluginWarning, match="indicator 'broken' of an installed package cannot be used: Module"
    ):
        assert Indicator("mean20()").warm_up == 19


def test_a_warning_about_a_missing_lookback_comes_once(monkeypatch):
    monkeypatch.setattr(own, "_warned", set())
    register(faded)
    with pytest.warns(DLPluginWarning):
        Indicator("faded()").stream()
    Indicator("faded(0.3)").stream()
