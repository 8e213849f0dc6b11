import math
from dataclasses import replace

import numpy as np
import pytest

from dlplugin.evaluation.rules import DIRECTIONS, directions


@pytest.fixture
def span(one_symbol):
    known = {
        "last_return": np.array([0.5, -0.1, 0.0, math.nan, 1e-9]),
        "side": np.array([math.nan, 1.0, -1.0, 0.0, 1.0]),
    }
    return replace(one_symbol(np.zeros(5), np.zeros(5)), **known)


def test_sides_are_those_of_each_sample(span):
    (found,) = directions([span])
    assert tuple(found) == DIRECTIONS
    assert found["last return's sign"].tolist() == [1, -1, 0, 0, 1]
    assert found["last return reversed"].tolist() == [-1, 1, 0, 0, -1]
    assert found["above 10-day mean"].tolist() == [0, 1, -1, 0, 1]
    assert found["below 10-day mean"].tolist() == [0, -1, 1, 0, -1]


def test_a_pair_is_left_out_of_all_spans_where_the_first_has_no_prices(span):
    bare = replace(span, side=np.full(5, math.nan))
    assert [list(each) for each in directions([bare, span])] == [list(DIRECTIONS[:2])] * 2
    assert directions([replace(span, side=None, last_return=None)]) == [{}]
    assert list(directions([span, bare])[1]) == list(DIRECTIONS)
    assert not directions([span, bare])[1]["above 10-day mean"].any()
