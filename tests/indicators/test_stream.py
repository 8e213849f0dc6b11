import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlplugin.errors import ExpressionError, UnknownNameError
from dlplugin.indicators import Indicator, StreamSet, catalogue, compute_columns

MIXED = [
    "RSI(14)",
    "close / SMA(20) - 1",
    "zscore(volume, 10)",
    "rank(RSI(14), 5)",
    "MACD().hist",
    "BBANDS(20).upper",
]
MIXED += [
    "diff(log(close))",
    "day_of_week",
    "SMA(1 / (close > open), 3)",
    "diff(OBV(), 5)",
    "lag(MACD().signal, 2)",
]


def bits(values):
    return np.where(np.isnan(values), np.nan, values).view(np.int64)


def rows(bars):
    for time, row in zip(bars.index, bars.to_dict("records"), strict=True):
        yield row, time


def assert_same_bits(texts, bars):
    indicators = [Indicator(text) for text in texts]
    streamed, batch = StreamSet(indicators).replay(bars), compute_columns(indicators, bars)
    for place, text in enumerate(texts):
        wrong = np.flatnonzero(bits(streamed[:, place]) != bits(batch[:, place]))
        assert not len(wrong), (
            f"{text} at {wrong[:5]}: {streamed[wrong[:5], place]} {batch[wrong[:5], place]}"
        )


def gappy(bars, gaps):
    """Bars whose columns are NaN here and there: all of them at some bars, one of them at others."""
    bars = bars.copy()
    for bar, column in gaps:
        bars.iloc[bar, [column] if column < bars.shape[1] else slice(None)] = np.nan
    return bars


@pytest.mark.parametrize("bars", ["stock", "currency"])
def test_every_function_streams_the_bits_of_its_batch_values(bars, usages, request):
    bars = request.getfixturevalue(bars).iloc[:250]
    assert_same_bits([text for texts in usages.values() for text in texts], bars)


def test_every_function_restarts_after_nan_in_streams_as_in_batch(stock, usages):
    gaps = [(0, 9), (3, 1), (120, 9), (121, 3), (180, 0), (299, 2)]
    assert_same_bits([text for texts in usages.values() for text in texts], gappy(stock.iloc[:300], gaps))


def test_random_expressions_stream_the_bits_of_their_batch_values(stock, random_trees):
    @settings(max_examples=120, deadline=None, derandomize=True)
    @given(random_trees(15, 3), st.lists(st.tuples(st.integers(0, 99), st.integers(0, 6)), max_size=3))
    def check(tree, gaps):
        assert_same_bits([tree.text], gappy(stock.iloc[200:300], gaps))

    check()


def test_extreme_values_stream_the_bits_of_their_batch_values(stock, usages):
    bars = stock.iloc[:200].copy()
    spikes = np.random.default_rng(5).choice(
        [1e99, -1e99, 1e-300, 0.0, 1e150, -1.0], size=(20, bars.shape[1])
    )
    bars.iloc[5:200:10] = spikes
    assert_same_bits([text for texts in usages.values() for text in texts], bars)


def test_peek_gives_what_update_will_give_and_leaves_no_trace(stock, usages):
    texts = [text for texts in usages.values() for text in texts]
    bars = gappy(stock.iloc[:140], [(60, 9), (61, 3)])
    peeking = StreamSet([Indicator(text) for text in texts])
    for row, time in rows(bars):
        forming = {name: 1.01 * value for name, value in row.items()}
        first = peeking.peek(row, time)
        peeking.peek(forming, time)
        np.testing.assert_array_equal(bits(peeking.peek(row, time)), bits(first))
        np.testing.assert_array_equal(bits(peeking.update(row, time)), bits(first))


def test_a_copy_remembers_the_same_bars_and_goes_its_own_way(stock):
    indicators = [Indicator(text) for text in MIXED]
    for first in (3, 60):
        original = StreamSet(indicators)
        original.replay(stock.iloc[:first])
        twin, stray = original.copy(), original.copy()
        stray.replay(stock.iloc[first + 40 : first + 80])
        expected = bits(compute_columns(indicators, stock.iloc[: first + 60])[first:])
        for follower in (original, twin):
            np.testing.assert_array_equal(bits(follower.replay(stock.iloc[first : first + 60])), expected)


def test_a_stream_of_one_indicator_gives_floats(stock):
    indicator = Indicator("close / SMA(5)")
    stream, expected = indicator.stream(), indicator.compute(stock.iloc[:20])
    for bar, (row, time) in enumerate(rows(stock.iloc[:20])):
        peeked, twin = stream.peek(row, time), stream.copy()
        updated = stream.update(row, time)
        assert type(peeked) is type(updated) is float
        np.testing.assert_array_equal([peeked, updated, twin.update(row, time)], [expected[bar]] * 3)
    np.testing.assert_array_equal(indicator.stream().replay(stock.iloc[:20]), expected)


def test_shared_steps_are_computed_once(stock):
    both = StreamSet([Indicator("RSI(14)"), Indicator("SMA(RSI(14), 5)"), Indicator("RSI(14) / 100")])
    assert sorted(step.text for step in both._steps) == [
        "100",
        "RSI(close, timeperiod=14)",
        "RSI(close, timeperiod=14) / 100",
        "SMA(RSI(close, timeperiod=14), timeperiod=5)",
        "close",
    ]
    assert both.replay(stock.iloc[:30]).shape == (30, 3)


def test_a_missing_column_is_refused_and_the_bar_can_be_given_again(stock):
    indicator = Indicator("raw_close / SMA(close, 3)")
    stream = indicator.stream()
    for row, time in rows(stock.iloc[:10]):
        without = {name: value for name, value in row.items() if name != "raw_close"}
        with pytest.raises(UnknownNameError) as refusal:
            stream.update(without, time)
        updated = stream.update(row, time)
    assert str(refusal.value) == (
        "the bars have no column 'raw_close'; did you mean 'close'? there are: open, high, low, close, volume"
    )
    assert updated == indicator.compute(stock.iloc[:10])[-1]


def test_numbers_of_any_kind_can_be_given():
    stream = Indicator("close + 1").stream()
    assert stream.update({"close": 1}) == 2.0
    assert stream.update({"close": np.float32(2.0)}) == 3.0
    assert stream.update(pd.Series({"close": 3.0})) == 4.0
    assert np.isnan(stream.update({"close": float("inf")}))


def random_usage(entry, rng):
    words = []
    for each in entry.parameters:
        if each.kind == "average":
            words.append(f"{each.name}={rng.integers(0, 14)}")
        elif each.kind == "whole":
            words.append(f"{each.name}={rng.integers(each.least, 40)}")
        else:
            words.append(f"{each.name}={rng.uniform(max(each.least, -3), min(each.most, 3))!r}")
    x = "close / high" if entry.name in ("ACOS", "ASIN") else "close"
    inputs = [x, "5 + 6 * day_of_week"] if entry.name == "MAVP" else [x, *["open"] * (len(entry.inputs) - 1)]
    written = ([] if len(entry.inputs) > 2 else inputs) + words
    output = f".{rng.choice(entry.outputs)}" if entry.outputs else ""
    call = f"{entry.name}({', '.join(written)}){output}"
    wrapper = entry.accepted_as.split("(")[0]
    return f"{wrapper}({call}, {rng.integers(1, 9)})" if wrapper else call


@pytest.mark.slow
@pytest.mark.parametrize("bars", ["stock", "currency", "index"])
def test_every_function_with_random_parameters_streams_its_batch_bits(bars, request):
    bars, rng = request.getfixturevalue(bars), np.random.default_rng(0)
    texts = []
    for entry in catalogue().values():
        for _ in range(
            12 if entry.parameters and entry.name != "VWAP" else entry.name != "VWAP" and not entry.form
        ):
            text = random_usage(entry, rng)
            try:
                Indicator(text)
            except ExpressionError:  # TA-Lib refuses some parameters together
                continue
            texts.append(text)
    assert len(texts) > 1200
    assert_same_bits(texts, bars)
    gaps = [(bar, 9) for bar in rng.integers(0, len(bars), 12)]
    assert_same_bits(texts, gappy(bars, gaps))


@pytest.mark.slow
def test_many_random_expressions_stream_the_bits_of_their_batch_values(index, random_trees):
    @settings(max_examples=1500, deadline=None, derandomize=True)
    @given(
        random_trees(40, 4), st.integers(0, 4000), st.lists(st.tuples(st.integers(0, 299), st.integers(0, 5)))
    )
    def check(tree, first, gaps):
        assert_same_bits([tree.text], gappy(index.iloc[first : first + 300], gaps))

    check()
