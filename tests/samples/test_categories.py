"""Columns of categories against an obvious table, and what stays as it is beside them."""

import numpy as np
import pytest

import dlplugin as dl
from dlplugin.indicators import first_leak
from dlplugin.samples import build_samples, input_matrix, known_inputs, matrix_columns, row_layout

INPUTS = [
    dl.Input("ROC(5)", depth=2, increment=3),
    dl.Input("day_of_week", depth=3, categories=[4, 0, 2]),
    dl.Input("lag(month, 1)", categories=range(1, 13), embedding=2),
]


@pytest.fixture(scope="module")
def definition(describe):
    return describe(".", inputs=INPUTS).definition


def test_each_category_has_a_column_of_0_and_1_as_an_obvious_table_has_it(definition, two_stocks) -> None:
    bars = two_stocks["IBM"].iloc[:600]
    columns = [(bars["close"] / bars["close"].shift(5) - 1) * 100]
    columns += [(bars.index.day_of_week == day).astype(float) for day in (4, 0, 2)]
    month = np.concatenate([[np.nan], bars.index.month[:-1]])
    columns += [
        np.array([np.nan if np.isnan(m) else float(m == wanted) for m in month]) for wanted in range(1, 13)
    ]
    np.testing.assert_allclose(input_matrix(definition, bars), np.column_stack(columns), rtol=1e-9, atol=1e-9)


def test_a_value_that_is_no_category_is_a_row_of_zeros_and_nan_is_unknown(definition) -> None:
    matrix = matrix_columns(definition).of(
        np.array([[7.0, 1.0, 13.0], [8.0, 4.0, np.nan], [np.nan, 0.5, 1.0]])
    )
    wanted = np.zeros((3, 16))
    wanted[:, 0] = [7, 8, np.nan]
    wanted[1, 1] = 1
    wanted[1, 4:] = np.nan
    wanted[2, 4] = 1
    np.testing.assert_array_equal(matrix, wanted)
    assert known_inputs(definition, np.vstack([np.zeros((6, 16)), matrix])).tolist() == (
        [False] * 3 + [True] * 4 + [False] * 2
    )


def test_a_row_holds_the_categories_of_each_depth_side_by_side(definition) -> None:
    layout = row_layout(definition)
    assert layout.back.tolist() == [0, 3, 0, 0, 0, 1, 1, 1, 2, 2, 2] + [0] * 12
    assert layout.column.tolist() == [0, 0] + [1, 2, 3] * 3 + list(range(4, 16))
    assert layout.shape == (definition.width,) == (23,)


def test_categories_are_not_scaled_and_the_statistics_are_those_of_the_indicator(
    definition, two_stocks
) -> None:
    samples = build_samples(definition, two_stocks, dl.resolve_split(two_stocks, dl.Split()))
    scaling = samples.input_scaling
    np.testing.assert_array_equal(scaling.center[:, 1:], np.zeros((1, 15)))
    np.testing.assert_array_equal(scaling.scale[:, 1:], np.ones((1, 15)))
    assert scaling.center[0, 0] != 0
    week = samples.matrix[:, 1:4]
    assert set(np.unique(week)) == {0.0, 1.0}
    assert samples.matrix.shape[1] == 16
    table = samples.statistics.loc["input"]
    assert list(table.index) == ["ROC(5)", "day_of_week", "lag(month, 1)"]
    assert table.loc["day_of_week", ["minimum", "maximum", "missing"]].tolist() == [0, 4, 0]
    assert table.loc["lag(month, 1)", ["minimum", "maximum", "missing"]].tolist() == [1, 12, 2]


def test_columns_of_categories_do_not_look_ahead(definition, us_stocks) -> None:
    bars = us_stocks["GOOG"].iloc[:500]
    assert first_leak(lambda part: input_matrix(definition, part), bars, np.random.default_rng(1), 12) is None
