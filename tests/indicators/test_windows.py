import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from dlplugin.indicators.windows import by_stretch, finite_stretches

VALUES = st.lists(st.sampled_from([1.0, 2.0, np.nan]), max_size=30)


def naive_stretches(columns):
    found, start = [], None
    for bar, values in enumerate([*zip(*columns, strict=True), (np.nan,)]):
        if any(value != value for value in values):
            if start is not None:
                found.append((start, bar))
            start = None
        elif start is None:
            start = bar
    return found


@settings(deadline=None, derandomize=True)
@given(VALUES, st.integers(1, 3), st.randoms())
def test_finite_stretches_are_the_runs_of_bars_without_nan(values, inputs, random):
    columns = [random.sample(values, len(values)) for _ in range(inputs)]
    assert finite_stretches([np.array(column, dtype=float) for column in columns]) == naive_stretches(columns)


@settings(deadline=None, derandomize=True)
@given(VALUES, st.integers(0, 4))
def test_a_function_is_computed_on_each_stretch_by_itself(values, lookback):
    column = np.array(values, dtype=float)
    computed = by_stretch(np.cumsum, [column], lookback)
    expected = np.full(len(values), np.nan)
    for start, stop in naive_stretches([values]):
        for bar in range(start + lookback, stop):
            expected[bar] = sum(values[start : bar + 1])
    np.testing.assert_array_equal(computed, expected)
