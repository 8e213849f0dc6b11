import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings

from dlplugin.errors import ExpressionError
from dlplugin.indicators import Indicator, catalogue, compute_columns, first_leak

CHEATS = {
    "the next close": lambda bars: bars["close"].shift(-1),
    "a z-score over the whole series": lambda bars: (
        (bars["close"] - bars["close"].mean()) / bars["close"].std()
    ),
    "a centred window": lambda bars: bars["close"].rolling(5, center=True).mean(),
    "the best close to come": lambda bars: bars["close"][::-1].cummax()[::-1],
    "a fill from later bars": lambda bars: bars["close"].where(bars["close"] > bars["open"]).bfill(),
    "the last bar's close": lambda bars: np.full(len(bars), bars["close"].iloc[-1]),
    "the number of bars": lambda bars: np.full(len(bars), float(len(bars))),
}


def rng():
    return np.random.default_rng(11)


@pytest.mark.parametrize("cheat", CHEATS)
def test_a_cheat_is_caught(cheat, stock):
    leak = first_leak(CHEATS[cheat], stock.iloc[:300], rng())
    assert leak is not None
    assert leak.bar < leak.cut
    assert leak.time == stock.index[leak.bar]
    assert not np.array_equal(leak.before, leak.after)


def test_a_cheat_hidden_in_one_column_is_named(stock):
    def columns(bars):
        return pd.DataFrame({"honest": bars["close"].diff(), "cheat": bars["close"].shift(-1)})

    leak = first_leak(columns, stock.iloc[:100], rng(), cuts=[60])
    assert (leak.bar, leak.column, leak.how, leak.cut) == (59, 1, "cut", 60)
    assert leak.before == stock["close"].iloc[60]
    assert np.isnan(leak.after)
    assert str(leak) == (
        f"column 1 of bar 59 ({stock.index[59]}) was {leak.before!r} and became nan "
        "when the bars from 60 on were cut off"
    )


def test_a_cheat_that_hides_when_bars_are_missing_is_caught_on_altered_ones(stock):
    def compute(bars):
        known = len(bars) == 200
        return bars["close"].shift(-1 if known else 0).where(np.arange(len(bars)) < 150 if known else False)

    def hiding(bars):
        return compute(bars) if len(bars) == 200 else original[: len(bars)]

    original = compute(stock.iloc[:200])
    leak = first_leak(hiding, stock.iloc[:200], rng(), cuts=[120])
    assert (leak.bar, leak.how, leak.cut) == (119, "altered", 120)


def test_a_change_in_the_last_bit_counts(stock):
    def compute(bars):
        return bars["close"] if len(bars) == 50 else np.nextafter(bars["close"], 0.0)

    assert first_leak(compute, stock.iloc[:50], rng(), cuts=[20]).bar == 0


def test_altered_bars_still_look_real_and_the_earlier_ones_stay(stock):
    seen = []
    first_leak(lambda bars: seen.append(bars) or bars["close"], stock.iloc[:200], rng(), cuts=[150])
    altered = seen[2]
    pd.testing.assert_frame_equal(altered.iloc[:150], stock.iloc[:150])
    later = altered.iloc[150:]
    assert (later[["open", "low", "close"]].max(axis=1) <= later["high"]).all()
    assert (later[["open", "high", "close"]].min(axis=1) >= later["low"]).all()
    assert (later > 0).all(axis=None)
    assert not (later == stock.iloc[150:200]).any(axis=None)


def test_honest_functions_and_histories_too_short_to_cut_pass(stock):
    assert first_leak(lambda bars: bars["close"].rolling(5).mean(), stock.iloc[:100], rng()) is None
    assert first_leak(CHEATS["the next close"], stock.iloc[:1], rng()) is None
    assert first_leak(CHEATS["the next close"], stock.iloc[:0], rng()) is None


def test_a_function_that_gives_no_value_a_bar_is_refused(stock):
    with pytest.raises(ExpressionError) as refusal:
        first_leak(lambda bars: bars["close"].dropna()[3:], stock.iloc[:10], rng())
    assert str(refusal.value) == "the function gave 7 values for 10 bars; it must give one a bar"


def test_no_catalogued_function_looks_ahead(stock, usages):
    bars = stock.iloc[:350]
    indicators = [Indicator(text) for texts in usages.values() for text in texts]
    leak = first_leak(lambda bars: compute_columns(indicators, bars), bars, rng(), cuts=12)
    assert leak is None, f"{indicators[leak.column]}: {leak}"


@pytest.mark.slow
@pytest.mark.parametrize("bars", ["stock", "currency", "index"])
def test_no_catalogued_function_looks_ahead_on_whole_histories(bars, usages, request):
    bars = request.getfixturevalue(bars)
    assert set(usages) == set(catalogue())
    for texts in usages.values():
        for text in texts:
            leak = first_leak(Indicator(text).compute, bars, rng(), cuts=12)
            assert leak is None, f"{text}: {leak}"


def test_random_expressions_do_not_look_ahead(index, random_trees):
    @settings(max_examples=60, deadline=None, derandomize=True)
    @given(random_trees(20, 3))
    def check(tree):
        leak = first_leak(Indicator(tree.text).compute, index.iloc[500:650], rng(), cuts=3)
        assert leak is None, f"{tree.text}: {leak}"

    check()
