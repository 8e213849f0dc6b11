import dataclasses
import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlplugin.errors import DefinitionError
from dlplugin.evaluation import OutputSamples
from dlplugin.evaluation.ranges import equal_count, range_rows, refuse_unfit_range
from dlplugin.evaluation.uncertainty import mean_with_error

finite = st.floats(-1e6, 1e6, allow_subnormal=False)
awkward = st.one_of(
    st.floats(allow_nan=True, allow_infinity=True),
    st.sampled_from(
        [0.0, -0.0, 1.0, 5e-324, -5e-324, 1e300, -1.7e308, 1.7e308, math.nan, math.inf, -math.inf]
    ),
)
ways = st.sampled_from(["width", "count"])


def samples(predicted, actual=None, overlap=1):
    predicted = np.asarray(predicted, dtype=np.float64)
    S = len(predicted)
    actual = np.ones(S) if actual is None else np.asarray(actual, dtype=np.float64)
    times = (np.datetime64("2001-01-01") + np.arange(S)).astype("datetime64[ns]")
    return OutputSamples(
        "in-sample", times, np.full(S, "A"), predicted, actual, {}, np.full(S, np.nan), overlap
    )


def starts(rows):
    return [row.start for row in rows[1:]]


def counts(rows, span=0):
    return [row.cells[span].count for row in rows]


@given(
    st.lists(st.tuples(finite, finite), min_size=1, max_size=60),
    st.lists(st.tuples(finite, finite), max_size=60),
    st.integers(2, 50),
    ways,
    st.none() | st.tuples(finite, finite).map(sorted).filter(lambda pair: pair[0] < pair[1]),
)
def test_every_sample_is_in_the_range_that_holds_its_prediction(in_sample, judged, about, by, chosen):
    spans = [samples(*np.array(span).reshape(-1, 2).T) for span in (in_sample, judged)]
    rows = range_rows(spans, about, by, *(chosen or (None, None)))
    assert rows[0].start == -math.inf
    assert rows[-1].end == math.inf
    assert all(row.end == following.start for row, following in itertools.pairwise(rows))
    assert starts(rows) == sorted(set(starts(rows)))
    for position, span in enumerate(spans):
        assert sum(counts(rows, position)) == len(span)
        for row in rows:
            cell, inside = row.cells[position], (span.predicted >= row.start) & (span.predicted < row.end)
            assert cell.count == inside.sum()
            if cell.count:
                assert cell.average == pytest.approx(span.actual[inside].mean(), rel=1e-9, abs=1e-9)
            else:
                assert math.isnan(cell.average)
        if len(span):
            total = sum(
                row.cells[position].count * row.cells[position].average
                for row in rows
                if row.cells[position].count
            )
            assert total / len(span) == pytest.approx(span.actual.mean(), rel=1e-9, abs=1e-6)


@settings(max_examples=60)
@given(st.lists(awkward, min_size=1, max_size=40), st.lists(awkward, max_size=5), st.integers(2, 50), ways)
def test_no_prediction_is_too_awkward(in_sample, judged, about, by):
    rows = range_rows([samples(in_sample), samples(judged)], about, by)
    assert sum(counts(rows)) == len(in_sample)
    assert sum(counts(rows, 1)) == len(judged)
    failed = sum(not math.isfinite(value) for value in in_sample)
    there = [row for row in rows if math.isnan(row.start)]
    assert (there[0].cells[0].count if there else 0) == failed
    assert starts([row for row in rows if row not in there]) == sorted(
        set(starts(rows[: len(rows) - len(there)]))
    )


def test_ranges_are_nice_decimals_with_the_minimum_inside_and_the_maximum_outside():
    predicted = np.linspace(-0.5, 0.5, 1001)
    predicted[:3] = 0.1 + 0.2, 0.3, np.nextafter(0.3, 0)
    rows = range_rows([samples(predicted)])
    assert starts(rows) == [-0.4, -0.3, -0.2, -0.1, 0.0, 0.1, 0.2, 0.3, 0.4]
    by_start, without = (
        {row.start: row.cells[0].count for row in range_rows([samples(each)])}
        for each in (predicted, predicted[3:])
    )
    assert by_start[0.3] - without[0.3] == 2
    assert by_start[0.2] - without[0.2] == 1


@pytest.mark.parametrize("size", [1e-12, 1e-3, 0.7, 3.0, 1e9, 1e306])
@pytest.mark.parametrize("about", [2, 5, 10, 20, 50])
def test_there_are_about_as_many_rows_as_asked_for_and_all_of_one_nice_width(size, about):
    rows = range_rows([samples(size * np.random.default_rng(1).standard_normal(5000))], about)
    assert 0.6 * about <= len(rows) <= 1.6 * about
    if about == 2:
        return
    width = starts(rows)[1] - starts(rows)[0]
    digits = width / 10 ** math.floor(math.log10(width * 1.0001))
    assert min(abs(digits - nice) for nice in (1, 2, 2.5, 5)) < 1e-6
    np.testing.assert_allclose(np.diff(starts(rows)), width)


@pytest.mark.parametrize("about", [2, 3, 7, 10, 50])
@pytest.mark.parametrize(("low", "high"), [(-2.0, 2.0), (0.0, 0.7), (-1 / 3, 5.0), (0.0, 3e5)])
def test_a_chosen_range_has_exactly_that_many_equal_rows_and_one_beyond_each_end(about, low, high):
    rows = range_rows([samples(np.random.default_rng(1).standard_normal(500))], about, "width", low, high)
    assert len(rows) == about + 2
    assert (rows[0].end, rows[-1].start) == (low, high)
    np.testing.assert_allclose(np.diff(starts(rows)), (high - low) / about, rtol=1e-7)


def test_the_edges_of_a_chosen_range_are_written_short():
    predicted = [samples(np.zeros(3))]
    assert starts(range_rows(predicted, 10, "width", -2, 2)) == [
        -2,
        -1.6,
        -1.2,
        -0.8,
        -0.4,
        0,
        0.4,
        0.8,
        1.2,
        1.6,
        2,
    ]
    assert starts(range_rows(predicted, 3, "width", 0, 1)) == [0, 0.3333333333, 0.6666666667, 1]
    assert starts(range_rows(predicted, 50, "width", 1.0, np.nextafter(1.0, 2))) == [
        1.0,
        np.nextafter(1.0, 2),
    ]


@pytest.mark.parametrize("about", [2, 5, 10, 20])
def test_rows_of_equal_count_hold_equal_counts_between_short_edges(about):
    predicted = np.random.default_rng(1).standard_t(3, 6000)
    rows = range_rows([samples(predicted)], about, "count")
    assert len(rows) == about
    assert max(abs(count - 6000 / about) for count in counts(rows)) < 0.15 * 6000 / about
    assert max(len(repr(start)) for start in starts(rows)) <= 6
    inside = range_rows([samples(predicted)], about, "count", -1.0, 1.0)
    assert len(inside) == about + 2
    held = int(((predicted >= -1) & (predicted < 1)).sum())
    assert max(abs(count - held / about) for count in counts(inside)[1:-1]) < 0.15 * held / about


def test_ties_are_never_parted_and_an_edge_that_is_a_prediction_begins_its_row():
    rows = range_rows([samples([0.123456789] * 50 + [0.123456790] * 50 + [7.0] * 100)], 4, "count")
    assert counts(rows) == [50, 50, 100]
    assert starts(rows) == [0.12345679, 7.0]
    assert counts(range_rows([samples([0.3] * 5 + [0.1] * 5)], 10, "count")) == [5, 5]


def test_cuts_of_equal_count_are_values_that_are_there():
    assert equal_count(np.arange(10.0), 10).tolist() == list(range(1, 10))
    assert equal_count(np.array([1.0, 1.0, 1.0, 2.0]), 4).tolist() == [2.0]
    assert equal_count(np.ones(5), 10).tolist() == []


def test_a_few_far_predictions_do_not_press_the_others_into_one_row():
    rows = range_rows([samples(np.r_[np.linspace(-1, 1, 1000), 1e6, -1e6])])
    assert len(rows) >= 7
    assert rows[-1].end == math.inf
    assert sum(counts(rows)) == 1002


@pytest.mark.parametrize("by", ["width", "count"])
@pytest.mark.parametrize("value", [0.0, 0.1, -3e8, 1e-320, 1.7e308])
def test_one_and_the_same_prediction_is_one_range(value, by):
    (row,) = range_rows([samples(np.full(7, value), np.arange(7.0))], by=by)
    assert (row.start, row.end, row.cells[0].count, row.cells[0].average) == (-math.inf, math.inf, 7, 3.0)


@pytest.mark.parametrize("by", ["width", "count"])
def test_the_ranges_are_chosen_in_sample_only(by):
    predicted = np.linspace(0, 1, 100)
    alone = range_rows([samples(predicted)], by=by)
    both = range_rows([samples(predicted), samples(100 * predicted)], by=by)
    assert [(row.start, row.cells[0]) for row in alone] == [(row.start, row.cells[0]) for row in both]
    assert sum(counts(both, 1)) == 100


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_predictions_that_are_not_finite_have_a_row_of_their_own(bad):
    predicted = np.r_[np.linspace(0, 1, 99), bad]
    rows = range_rows([samples(predicted), samples(predicted[:10])])
    assert math.isnan(rows[-1].start)
    assert math.isnan(rows[-1].end)
    assert counts(rows[-1:]) + counts(rows[-1:], 1) == [1, 0]
    assert sum(counts(rows)) == 100
    assert counts(range_rows([samples(np.full(3, bad))])) == [0, 3]


def test_the_error_of_an_average_counts_the_days_of_its_own_row():
    random = np.random.default_rng(1)
    predicted = np.zeros(180)
    predicted[::13] = 1.0  # fourteen samples on as many of the sixty days
    span = samples(predicted, random.standard_normal(180), overlap=5)
    span = dataclasses.replace(span, times=np.repeat(span.times[:60], 3))
    low, high = (row.cells[0] for row in range_rows([span], 20, "count"))
    chosen = predicted == 0
    assert (low.average, low.error) == mean_with_error(span.actual[chosen], span.times[chosen], 5)
    assert high.count == 14
    assert math.isnan(high.error)  # not three look aheads


@pytest.mark.slow
@pytest.mark.parametrize("look_ahead", [1, 5])
def test_the_interval_of_a_row_holds_the_truth_about_as_often_as_it_says(look_ahead):
    """Eleven symbols that move together, overlapping look aheads; predictions that stay for some days."""
    random, held = np.random.default_rng(1), []
    for _ in range(150):
        returns = 0.6 * random.standard_normal((420, 1)) + 0.8 * random.standard_normal((420, 11))
        walk = returns.cumsum(axis=0)
        actual = (walk[look_ahead:] - walk[:-look_ahead])[:400]
        steps = random.standard_normal((440, 11)).cumsum(axis=0)
        predicted = (steps[20:] - steps[:-20])[:400]
        times = np.repeat(np.datetime64("2001-01-01", "ns") + np.arange(400) * np.timedelta64(1, "D"), 11)
        span = OutputSamples(
            "in-sample",
            times,
            np.tile("A", 4400),
            predicted.ravel(),
            actual.ravel(),
            {},
            np.zeros(4400),
            look_ahead,
        )
        cells = [row.cells[0] for row in range_rows([span], by="count")]
        held += [abs(cell.average) <= 1.96 * cell.error for cell in cells]
    assert 0.92 <= np.mean(held) <= 0.995


@pytest.mark.parametrize(
    ("low", "high", "message"),
    [
        (0.0, None, "low is 0.0, but high is not given; give both, or neither"),
        (None, 2, "high is 2, but low is not given; give both, or neither"),
        (1.0, 1.0, "low is 1.0 and high is 1.0; give two numbers, the lower one as low"),
        (0.0, math.inf, "low is 0.0 and high is inf; give two numbers, the lower one as low"),
        (math.nan, 1.0, "low is nan and high is 1.0; give two numbers, the lower one as low"),
    ],
)
def test_a_range_without_two_ends_is_refused(low, high, message):
    with pytest.raises(DefinitionError) as refused:
        refuse_unfit_range(low, high)
    assert str(refused.value) == message
