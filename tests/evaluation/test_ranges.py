import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlplugin.evaluation.ranges import fill_cells

finite = st.floats(-1e6, 1e6, allow_subnormal=False)


def starts(rows):
    return [row[0] for row in rows[1:]]


@given(
    st.lists(st.tuples(finite, finite), min_size=1, max_size=60),
    st.lists(st.tuples(finite, finite), max_size=60),
    st.integers(2, 50),
)
def test_every_sample_is_in_the_range_that_holds_its_prediction(in_sample, out_of_sample, about):
    spans = [np.array(span).reshape(-1, 2).T for span in (in_sample, out_of_sample)]
    rows = fill_cells((spans[0][0], spans[0][1]), (spans[1][0], spans[1][1])).rows(about)
    assert rows[0][0] == -math.inf
    assert rows[-1][1] == math.inf
    for (_, end, *_), (start, *_) in pairwise(rows):
        assert end == start
    for start, end, *found in rows:
        for (predicted, actual), count, average in zip(spans, found[::2], found[1::2], strict=True):
            inside = (predicted >= start) & (predicted < end)
            assert count == inside.sum()
            assert (
                average == pytest.approx(actual[inside].mean(), rel=1e-6, abs=1e-6)
                if count
                else math.isnan(average)
            )


def test_ranges_are_nice_decimals_with_the_minimum_inside_and_the_maximum_outside():
    predicted = np.linspace(-0.5, 0.5, 1001)
    predicted[:3] = 0.1 + 0.2, 0.3, np.nextafter(0.3, 0)
    rows = fill_cells((predicted, predicted), None).rows(10)
    assert starts(rows) == [-0.4, -0.3, -0.2, -0.1, 0.0, 0.1, 0.2, 0.3, 0.4]
    by_start = {row[0]: row for row in rows}
    rows_without = fill_cells((predicted[3:], predicted[3:]), None).rows(10)
    without = {row[0]: row for row in rows_without}
    assert by_start[0.3][2] - without[0.3][2] == 2
    assert by_start[0.2][2] - without[0.2][2] == 1


@pytest.mark.parametrize("size", [1e-12, 1e-3, 0.7, 3.0, 1e9])
@pytest.mark.parametrize("about", [2, 5, 10, 20, 50])
def test_there_are_about_as_many_rows_as_asked_for_and_all_of_one_nice_width(size, about):
    predicted = size * np.random.default_rng(1).standard_normal(5000)
    rows = fill_cells((predicted, predicted), None).rows(about)
    assert 0.6 * about <= len(rows) <= 1.6 * about
    if about == 2:
        return
    width = starts(rows)[1] - starts(rows)[0]
    digits = width / 10 ** math.floor(math.log10(width * 1.0001))
    assert min(abs(digits - nice) for nice in (1, 2, 2.5, 5)) < 1e-6
    np.testing.assert_allclose(np.diff(starts(rows)), width)


def test_a_few_far_predictions_do_not_press_the_others_into_one_row():
    predicted = np.r_[np.linspace(-1, 1, 1000), 1e6, -1e6]
    rows = fill_cells((predicted, predicted), None).rows(10)
    assert len(rows) >= 7
    assert rows[-1][1] == math.inf
    assert sum(row[2] for row in rows) == 1002


@pytest.mark.parametrize("value", [0.0, 0.1, -3e8, 1e-320])
def test_one_and_the_same_prediction_is_one_range(value):
    predicted = np.full(7, value)
    assert fill_cells((predicted, np.arange(7.0)), None).rows(10)[0][:4] == (-math.inf, math.inf, 7, 3.0)
    assert len(fill_cells((predicted, predicted), None).rows(10)) == 1


def test_the_ranges_are_chosen_in_sample_only():
    predicted = np.linspace(0, 1, 100)
    alone = fill_cells((predicted, predicted), None).rows(10)
    both = fill_cells((predicted, predicted), (100 * predicted, predicted)).rows(10)
    assert [row[:4] for row in alone] == [row[:4] for row in both]
    assert alone[0][4] == 0
    assert math.isnan(alone[0][5])
    assert sum(row[4] for row in both) == 100


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_predictions_that_are_not_finite_have_a_row_of_their_own(bad):
    predicted = np.r_[np.linspace(0, 1, 99), bad]
    rows = fill_cells((predicted, np.ones(100)), (predicted[:10], np.ones(10))).rows(10)
    assert math.isnan(rows[-1][0])
    assert math.isnan(rows[-1][1])
    assert rows[-1][2:5] == (1, 1.0, 0)
    assert sum(row[2] for row in rows) == 100
    nothing_finite = fill_cells((np.full(3, bad), np.ones(3)), None).rows(10)
    assert [row[2] for row in nothing_finite] == [0, 3]


def test_averages_are_of_what_came_and_empty_ranges_have_none():
    predicted = np.r_[np.zeros(50), np.full(50, 1.0)]
    actual = np.r_[np.full(50, -2.0), np.full(50, 4.0)]
    rows = fill_cells((predicted, actual), None).rows(4)
    filled = [(row[0], row[2], row[3]) for row in rows if row[2]]
    assert [each[1:] for each in filled] == [(50, -2.0), (50, 4.0)]
    assert all(math.isnan(row[3]) for row in rows if not row[2])
    assert any(not row[2] for row in rows)
