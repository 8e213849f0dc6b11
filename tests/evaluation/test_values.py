import re

import numpy as np
import pytest

from dlplugin.errors import SamplesError
from dlplugin.evaluation import SpanValues


def span(**changes):
    values = {
        "times": np.array(["2001-01-01", "2001-01-02"], dtype="datetime64[ns]"),
        "symbols": np.array(["A", "A"]),
        "inputs": np.zeros((2, 3), dtype=np.float32),
        "predicted": np.zeros((2, 1)),
        "actual": np.zeros((2, 1)),
    }
    return SpanValues(**(values | changes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"times": np.array([1, 2])}, "times are int64 of shape (2,); give one datetime64 a sample"),
        ({"symbols": np.array(["A"])}, "symbols are of shape (1,); 2 times need (2,)"),
        ({"actual": np.zeros(2)}, "actual are of shape (2,); 2 times need (2, columns)"),
        ({"inputs": np.zeros((3, 3))}, "inputs are of shape (3, 3); 2 times need (2, columns)"),
        (
            {"predicted": np.zeros((2, 2))},
            "predicted are of shape (2, 2), but actual of (2, 1); give one column an output",
        ),
        (
            {"times": np.array(["2001-01-01", "NaT"], dtype="datetime64[ns]")},
            "1 times are missing; every sample needs one",
        ),
        (
            {"actual": np.array([[1.0], [np.nan]])},
            "1 actual are not finite; only samples with all values known count",
        ),
        (
            {"inputs": np.full((2, 3), np.inf)},
            "6 inputs are not finite; only samples with all values known count",
        ),
    ],
)
def test_arrays_that_do_not_fit_are_refused(changes, message):
    with pytest.raises(SamplesError, match=f"^{re.escape(message)}$"):
        span(**changes)


def test_a_failed_prediction_is_let_through_to_be_scored_as_failed():
    assert len(span(predicted=np.array([[np.nan], [1.0]]))) == 2


def panel_of(positions_by_symbol):
    times, symbols = [], []
    for symbol, positions in positions_by_symbol.items():
        times += list(np.datetime64("2001-01-01", "ns") + np.asarray(positions) * np.timedelta64(1, "D"))
        symbols += [symbol] * len(positions)
    S = len(times)
    return SpanValues(
        np.array(times), np.array(symbols), np.zeros((S, 1)), np.zeros((S, 1)), np.zeros((S, 1))
    )


def test_bars_reach_as_many_timestamps_when_all_share_a_calendar():
    values = panel_of({"A": range(50), "B": range(50)})
    assert [values.reach(bars) for bars in (0, 1, 4)] == [0, 1, 4]


def test_gaps_that_all_symbols_share_do_not_lengthen_the_reach():
    every_other_week = [day for day in range(200) if day % 14 < 7]
    assert panel_of({"A": every_other_week, "B": every_other_week}).reach(4) == 4


def test_a_symbol_without_weekends_beside_one_with_them_lengthens_the_reach():
    weekdays = [day for day in range(140) if day % 7 < 5]
    assert panel_of({"stock": weekdays, "coin": range(140)}).reach(4) == 6


def test_a_span_shorter_than_the_look_ahead_reaches_what_it_is_told():
    assert panel_of({"A": range(3)}).reach(5) == 5


def test_one_long_gap_does_not_set_the_reach():
    with_gap = [*range(100), *range(180, 300)]
    assert panel_of({"A": with_gap, "B": range(300)}).reach(4) == 4


def test_bars_of_different_symbols_are_not_counted_together():
    short = {f"S{i:02}": range(100 * (i % 2), 100 * (i % 2) + 6) for i in range(40)}
    assert panel_of({**short, "long": range(106)}).reach(4) == 4
