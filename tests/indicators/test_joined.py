"""Other symbols as of the bar, and delayed values: what they are, and that nothing leaks."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings

from dlplugin.errors import BarsError, ExpressionError
from dlplugin.indicators import Indicator, StreamSet, compute_columns, first_leak, made_up_bars

DAYS = pd.date_range("2024-01-01", periods=12, freq="D")  # a Monday
TEXTS = [
    'of("IBM", ROC(5))',
    'of("IBM", close, closes="later", max_age=2)',
    'close / of("GOOG", EMA(close, 5))',
    'SMA(of("IBM", on("1w", ROC(3))), 5)',
    'on("1mo", high - low + volume)',
    'delayed(of("GOOG", close), "3d")',
    'on("1w", delayed(RSI(3), "1w"))',
    'of("IBM", delayed(close, "36h"))',
]


def bars(closes, index):
    closes = np.asarray(closes, dtype=float)
    columns = dict.fromkeys(("open", "high", "low", "close"), closes)
    return pd.DataFrame({**columns, "volume": 1.0}, index=index)


def bits(values):
    return np.where(np.isnan(values), np.nan, values).view(np.int64)


def assert_streams(indicators, own, others):
    batch = compute_columns(indicators, own, others)
    np.testing.assert_array_equal(bits(StreamSet(indicators).replay(own, others)), bits(batch))
    return batch


def test_the_other_symbols_last_bar_not_after_the_own_one_counts():
    own = bars(range(4), DAYS[[1, 3, 5, 7]])
    other = bars([10, 20, 30, 40], DAYS[[2, 3, 4, 9]])
    assert Indicator('of("X", close)').compute(own, {"X": other}).tolist()[1:] == [20, 30, 30]
    assert np.isnan(Indicator('of("X", close)').compute(own, {"X": other})[0])


def test_it_is_computed_on_the_others_own_bars_and_then_joined():
    own, other = made_up_bars(60).iloc[::3], made_up_bars(60)
    expected = pd.Series(Indicator("ROC(5)").compute(other), other.index)[own.index]
    np.testing.assert_array_equal(Indicator('of("X", ROC(5))').compute(own, {"X": other}), expected)


def test_where_the_other_exchange_closes_later_the_bar_of_the_same_date_does_not_count():
    own = bars(range(3), DAYS[2:5])
    other = bars([10, 20, 30, 40, 50], DAYS[:5])
    assert Indicator('of("X", close)').compute(own, {"X": other}).tolist() == [30, 40, 50]
    later = Indicator('of("X", close, closes="later")')
    assert later.compute(own, {"X": other}).tolist() == [20, 30, 40]
    assert later.warm_up == 1


def test_a_same_day_bar_of_a_later_closing_exchange_leaks_unless_it_is_declared(stock, others):
    """The other's bar of date t is made from the own bar of t + 1: what a later close would know."""
    own = stock.iloc[:300]

    def leaking(text):
        def compute(part):
            told = part["close"].shift(-1).ffill()  # at its close the other has seen what comes next here
            return Indicator(text).compute(part, {"X": part.assign(close=told)})

        return first_leak(compute, own, np.random.default_rng(0), cuts=12)

    assert leaking('of("X", close)') is not None
    assert leaking('of("X", close, closes="later")') is None


def test_a_value_older_than_its_limit_is_nan():
    own, other = bars(range(10), DAYS[:10]), bars([7], DAYS[:1])
    values = Indicator('of("X", close)').compute(own, {"X": other})
    assert np.flatnonzero(np.isnan(values)).tolist() == [8, 9]
    assert np.isnan(Indicator('of("X", close, max_age=2.5)').compute(own, {"X": other})).tolist() == (
        [False] * 3 + [True] * 7
    )


def test_nan_of_the_other_symbol_stays_nan_and_is_not_skipped():
    own, other = bars(range(3), DAYS[:3]), bars([1, np.nan, 3], DAYS[:3])
    np.testing.assert_array_equal(Indicator('of("X", close)').compute(own, {"X": other}), [1, np.nan, 3])


def test_bars_within_the_day_are_joined_by_their_times():
    own = bars(range(3), pd.to_datetime(["2024-01-01 10:00", "2024-01-01 11:00", "2024-01-01 12:00"]))
    other = bars([1, 2], pd.to_datetime(["2024-01-01 10:30", "2024-01-01 12:00"]))
    np.testing.assert_array_equal(Indicator('of("X", close)').compute(own, {"X": other}), [np.nan, 1, 2])


def test_zones_are_compared_as_instants_and_dates_as_they_are_written():
    tokyo = pd.to_datetime(["2024-01-02 15:00", "2024-01-03 15:00"]).tz_localize("Asia/Tokyo")
    york = pd.to_datetime(["2024-01-01 16:00", "2024-01-02 16:00"]).tz_localize("America/New_York")
    own, other = bars([1, 2], tokyo), bars([10, 20], york)
    assert Indicator('of("X", close)').compute(own, {"X": other}).tolist() == [10, 20]
    assert Indicator('of("X", close, closes="later")').compute(own, {"X": other}).tolist() == [10, 20]
    assert_streams(
        [Indicator('of("X", close)'), Indicator('of("X", close, closes="later")')], own, {"X": other}
    )
    with pytest.raises(BarsError) as refusal:
        Indicator('of("X", close)').compute(own.tz_localize(None), {"X": other})
    assert str(refusal.value) == (
        "the times of X have a time zone, those of the own bars have none; give both in UTC without one"
    )
    with pytest.raises(BarsError, match="the times of X have a time zone"):
        Indicator('of("X", close)').stream().replay(own.tz_localize(None), {"X": other})


def test_a_missing_symbol_is_named():
    own = bars(range(3), DAYS[:3])
    for call in (lambda: Indicator('of("SPY", close)').compute(own, {"QQQ": own, "DIA": own}),
                 lambda: Indicator('of("SPY", close)').stream().replay(own, {"QQQ": own, "DIA": own})):  # fmt: skip
        with pytest.raises(BarsError) as refusal:
            call()
        assert str(refusal.value) == (
            "the bars of 'SPY' are needed, but were not given, only of QQQ, DIA; pass others={'SPY': frame}"
        )
    assert Indicator('close / of("SPY", open + low) + of("QQQ", close)').others == {"SPY", "QQQ"}
    assert Indicator('close / of("SPY", open + low)').columns == {"close"}
    assert Indicator('close / of("SPY", open + low)').columns_of("SPY") == {"open", "low"}


def test_bars_further_apart_than_the_own_ones_are_refused_where_that_can_be_known():
    hours, days = made_up_bars(300, hourly=True), made_up_bars(300)
    days.index = days.index + (hours.index[0].normalize() - days.index[0])
    for text, fine in (('of("X", close)', False), ('of("X", close, closes="later")', True)):
        for compute in (Indicator(text).compute, Indicator(text).stream().replay):
            if fine:
                assert np.isfinite(compute(hours, {"X": days})[30:]).all()
                continue
            with pytest.raises(BarsError) as refusal:
                compute(hours, {"X": days})
            assert str(refusal.value) == (
                "the bars of 'X' are 1 day apart, the own ones 1 hour: at their time they are not known yet; "
                'write closes="later"'
            )
    weeks = made_up_bars(300).iloc[::5]
    with pytest.raises(BarsError, match=r"give X bars as fine as the own ones$"):
        Indicator('of("X", close, closes="later")').compute(made_up_bars(300), {"X": weeks})


def test_delayed_values_come_when_their_time_is_over():
    own = bars(range(8), DAYS[:8]).assign(earnings=[5.0, 5, 6, 6, 6, 7, 7, np.nan])
    np.testing.assert_array_equal(
        Indicator('delayed(earnings, "2d")').compute(own), [np.nan, np.nan, 5, 5, 6, 6, 6, 7]
    )
    np.testing.assert_array_equal(
        Indicator('delayed(earnings, "36h")').compute(own), [np.nan, np.nan, 5, 5, 6, 6, 6, 7]
    )
    assert_streams([Indicator('delayed(earnings, "2d")'), Indicator('delayed(earnings, "1w")')], own, {})


def test_canonical_text_spells_everything_out():
    for text, canonical in {
        'of("SPY", ROC(5))': 'of("SPY", ROC(close, timeperiod=5), max_age=7, closes="same")',
        "of('^GSPC', close, 3.5, 'later')": 'of("^GSPC", close, max_age=3.5, closes="later")',
        'of(x=close, symbol="SPY")': 'of("SPY", close, max_age=7, closes="same")',
        'on("1w", RSI(14))': 'on("1w", RSI(close, timeperiod=14))',
        'delayed(close, delay="2d")': 'delayed(close, "2d")',
    }.items():
        assert Indicator(text).text == canonical
        assert Indicator(canonical) == Indicator(text)


def test_streams_have_the_bits_of_the_batch(stock, others):
    values = assert_streams([Indicator(text) for text in TEXTS], stock.iloc[:1400], others)
    assert np.isfinite(values).any(axis=0).all()


def test_random_joined_expressions_stream_the_bits_of_their_batch_values(stock, others, random_trees):
    @settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(random_trees(15, 3, True))
    def check(tree):
        assert_streams([Indicator(tree.text)], stock.iloc[1100:1240], others)

    check()


@pytest.mark.slow
def test_many_random_joined_expressions_stream_the_bits_of_their_batch_values(stock, others, random_trees):
    @settings(max_examples=500, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(random_trees(20, 4, True))
    def check(tree):
        assert Indicator(tree.text).tree == tree
        assert_streams([Indicator(tree.text)], stock.iloc[1050:1250], others)

    check()


def cut_others(indicators, own, others, how):
    """Computes on the own bars given, with the others' later bars cut off or replaced."""

    def compute(part):
        end = part.index[-1]
        known = {name: frame[frame.index <= end] for name, frame in others.items()}
        if how == "altered" and len(part) == len(own):
            known = others
        return compute_columns(indicators, part, known)

    return compute


def test_cutting_and_altering_later_bars_of_both_symbols_changes_nothing(stock, others):
    indicators, rng = [Indicator(text) for text in TEXTS], np.random.default_rng(4)
    own = stock.iloc[1000:1400]
    whole = compute_columns(indicators, own, others)
    assert first_leak(cut_others(indicators, own, others, "cut"), own, rng, cuts=10) is None
    for cut in rng.integers(20, 400, 12).tolist():
        known = own.index[cut - 1]
        changed = {name: alter_after(frame, known, rng) for name, frame in others.items()}
        again = compute_columns(indicators, alter_after(own, known, rng), changed)
        np.testing.assert_array_equal(bits(again[:cut]), bits(whole[:cut]))
        assert not np.array_equal(bits(again), bits(whole))


def alter_after(frame, known, rng):
    """The frame with every bar after a time at other prices, and some of them gone."""
    altered = frame.copy()
    later = np.flatnonzero(altered.index > known)
    altered.iloc[later] *= np.exp(0.1 * rng.standard_normal((len(later), 1)))
    gone = rng.choice(later, len(later) // 5, replace=False) if len(later) > 10 else []
    return altered if len(altered) == len(later) else altered.drop(altered.index[np.intersect1d(gone, later)])


def test_the_check_itself_catches_a_join_that_takes_the_next_bar(stock, others, monkeypatch):
    from dlplugin.indicators import joined

    def next_bar(values, instants, found, oldest):
        return values[np.minimum(found + 1, len(values) - 1)]

    monkeypatch.setattr(joined, "_as_of", next_bar)
    indicators, own = [Indicator('of("GOOG", close)')], stock.iloc[1100:1400]
    assert first_leak(cut_others(indicators, own, others, "cut"), own, np.random.default_rng(4)) is not None


def test_random_joined_expressions_do_not_look_ahead(stock, others, random_trees):
    own = stock.iloc[1100:1220]

    @settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(random_trees(15, 3, True))
    def check(tree):
        compute = cut_others([Indicator(tree.text)], own, others, "cut")
        assert first_leak(compute, own, np.random.default_rng(1), cuts=3) is None

    check()


def test_peek_leaves_no_trace_and_copies_go_their_own_way(stock, others):
    indicators = [Indicator(text) for text in TEXTS]
    own = stock.iloc[1100:1260]
    wanted = bits(compute_columns(indicators, own, others))
    feeds = {name: frame[frame.index <= own.index[-1]] for name, frame in others.items()}
    stream, given = StreamSet(indicators), dict.fromkeys(feeds, 0)
    for place, (time, row) in enumerate(zip(own.index, own.to_dict("records"), strict=True)):
        for name, frame in feeds.items():
            while given[name] < len(frame) and frame.index[given[name]] <= time:
                bar = frame.iloc[given[name]].to_dict()
                stream.update_other(name, bar, frame.index[given[name]])
                given[name] += 1
        stream.peek({name: 1.3 * value for name, value in row.items()}, time)
        np.testing.assert_array_equal(bits(stream.peek(row, time)), wanted[place])
        twin = stream.copy()
        twin.peek(row, time)
        np.testing.assert_array_equal(bits(twin.update(row, time)), wanted[place])
        if place % 2:
            stream, twin = twin, stream
            continue
        np.testing.assert_array_equal(bits(stream.update(row, time)), wanted[place])


def test_bars_of_the_other_symbol_may_come_early_but_not_out_of_order():
    own, other = bars(range(5), DAYS[:5]), bars([10, 20, 30, 40, 50], DAYS[:5])
    stream = Indicator('of("X", close)').stream()
    for time, row in zip(other.index, other.to_dict("records"), strict=True):
        stream.update_other("X", row, time)
    stream.update_other("unread", {}, DAYS[0])
    with pytest.raises(BarsError) as refusal:
        stream.update_other("X", other.iloc[2].to_dict(), DAYS[2])
    assert str(refusal.value) == "the bar of 'X' at 2024-01-03 00:00:00 is not after the one before it"
    values = [stream.update(row, time) for time, row in zip(own.index, own.to_dict("records"), strict=True)]
    assert values == [10, 20, 30, 40, 50]


def test_a_bar_without_its_time_is_refused_and_can_be_given_again():
    stream = Indicator('SMA(close, 2) + on("1w", close) + delayed(close, "1d")').stream()
    row = {"close": 1.0}
    with pytest.raises(BarsError) as refusal:
        stream.update(row)
    assert str(refusal.value) == 'on("1w", close) needs the time of the bar, but none was given'
    assert np.isnan(stream.update(row, DAYS[0]))


def test_raw_totals_of_another_symbol_are_refused_too():
    with pytest.raises(ExpressionError, match=r"^OBV depends on where the history starts"):
        Indicator('of("SPY", OBV())')
    assert Indicator('of("SPY", diff(OBV(), 5))').warm_up == 5
