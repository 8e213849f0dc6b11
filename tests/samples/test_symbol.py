"""Columns of the row's own symbol against an obvious table, and what is learned of none of them."""

import numpy as np
import pytest

import dlplugin as dl
from dlplugin.definition import Definition
from dlplugin.errors import PredictionError, SamplesError
from dlplugin.indicators import first_leak
from dlplugin.samples import (
    Samples,
    build_samples,
    input_matrix,
    known_inputs,
    read_samples,
    row_layout,
    samples_file,
    symbol_values,
    with_symbol,
)
from tests.engines.test_embedding import Windows, windows  # noqa: F401  # a fixture

ROC = dl.Input("ROC(5)", depth=2, increment=3)


@pytest.fixture(scope="module")
def three(us_stocks: dl.DataSet) -> dl.DataSet:
    return us_stocks.subset(["AAPL", "IBM", "MSFT"])


def pooled(*symbols: str, engine: object = "mlp", embedding: int | None = None) -> Definition:
    own = dl.Input("symbol", categories=list(symbols), embedding=embedding)
    return Definition("pooled", [ROC, own, "RSI(14)"], [dl.Output("ROC(1)", 1)], engine)  # type: ignore[arg-type]


def build(definition: Definition, dataset: dl.DataSet, split: dl.Split | None = None) -> Samples:
    return build_samples(definition, dataset, dl.resolve_split(dataset, split or dl.Split()))


@pytest.mark.parametrize(("symbol", "columns"), [("AAPL", [0, 1]), ("IBM", [1, 0]), ("MSFT", [0, 0])])
def test_every_bar_of_a_symbol_has_a_1_in_its_own_column_and_that_of_no_category_zeros(
    three: dl.DataSet, symbol: str, columns: list[int]
) -> None:
    bars = three[symbol].iloc[:400]
    matrix = input_matrix(pooled("IBM", "AAPL"), bars, symbol=symbol)
    np.testing.assert_array_equal(matrix[:, 1:3], np.tile(columns, (400, 1)))
    plain = Definition("plain", [ROC, "RSI(14)"], [dl.Output("ROC(1)", 1)])
    np.testing.assert_array_equal(matrix[:, [0, 3]], input_matrix(plain, bars))
    np.testing.assert_array_equal(
        known_inputs(pooled("IBM", "AAPL"), matrix), known_inputs(plain, input_matrix(plain, bars))
    )


def test_the_place_of_a_symbol_joins_the_values_of_the_indicators() -> None:
    own = symbol_values(pooled("IBM", "AAPL"), "AAPL")
    np.testing.assert_array_equal(own, [np.nan, 1, np.nan])
    np.testing.assert_array_equal(with_symbol(np.array([[7.0, np.nan]]), own), [[7, 1, np.nan]])
    np.testing.assert_array_equal(symbol_values(pooled("IBM"), "IBM "), [np.nan, -1, np.nan])
    with pytest.raises(PredictionError) as error:
        symbol_values(pooled("IBM"), None)
    assert str(error.value) == (
        "'pooled' has the input 'symbol' and must know whose bars these are; give symbol=, such as symbol='AAPL', or "
        "in backtrader the feed's name: dl.feed(bars, 'AAPL')"
    )


def test_a_flat_row_has_it_once(three: dl.DataSet) -> None:
    layout = row_layout(pooled("AAPL", "IBM"))
    assert layout.back.tolist() == [0, 3, 0, 0, 0]
    assert layout.column.tolist() == [0, 0, 1, 2, 3]


def test_a_window_has_it_in_every_bar(three: dl.DataSet, windows: Windows) -> None:  # noqa: F811
    own = dl.Input("symbol", categories=["AAPL", "IBM"], embedding=2)
    definition = Definition("w", [own, ROC], [dl.Output("ROC(1)", 1)], windows)
    layout = row_layout(definition)
    assert layout.back.tolist() == [3, 3, 3, 0, 0, 0]
    assert layout.column.tolist() == [0, 1, 2, 0, 1, 2]
    assert layout.shape == (2, 3)
    samples = build(definition, three.subset(["AAPL", "IBM"]))
    rows = samples.rows["in-sample"]
    seen = samples.matrix[rows[:, None] - layout.back, layout.column].reshape(-1, *layout.shape)
    wanted = np.eye(2)[samples.owner[rows]]
    for bar in range(2):
        np.testing.assert_array_equal(seen[:, bar, :2], wanted)


def test_it_is_not_scaled_and_statistics_count_only_bars_of_no_category(three: dl.DataSet) -> None:
    validation = dl.DataSet.from_frames("other", {"XYZ": three["MSFT"].iloc[:500]})
    dataset, definition = three.subset(["AAPL", "IBM"]), pooled("AAPL", "IBM")
    with pytest.warns(dl.DLPluginWarning, match="on the days that trained the weights"):
        spans = dl.resolve_split(dataset, dl.Split(0.8, 0.0), validation)
    samples = build_samples(definition, dataset, spans, validation=validation)
    assert samples.input_scaling.center[0, 1:3].tolist() == [0, 0]
    assert samples.input_scaling.scale[0, 1:3].tolist() == [1, 1]
    np.testing.assert_array_equal(samples.matrix[:, 1:3], np.eye(3, 2)[samples.owner])
    row = samples.statistics.loc["input"].loc["symbol"]
    assert row["missing"] == 500
    assert row[["minimum", "maximum", "mean", "standard_deviation"]].isna().all()


def test_a_held_out_symbol_and_one_that_is_not_there_are_zeros_although_they_are_categories(
    three: dl.DataSet,
) -> None:
    definition = pooled("AAPL", "GONE", "IBM", "MSFT")
    samples = build(definition, three, dl.Split(held_out=["IBM"]))
    assert samples.symbols == ("AAPL", "IBM", "MSFT")
    wanted = np.array([[1, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 1]])
    np.testing.assert_array_equal(samples.matrix[:, 1:5], wanted[samples.owner])
    for symbol, row in {"AAPL": 0, "IBM": 1, "MSFT": 2, "GONE": 1}.items():
        matrix = input_matrix(definition, three["AAPL"].iloc[:50], symbol=symbol)
        scaled = samples.input_scaling.of(symbol).apply(matrix)
        np.testing.assert_array_equal(scaled[:, 1:5], np.tile(wanted[row], (50, 1)))


def test_samples_on_file_are_the_same_to_the_bit(three: dl.DataSet) -> None:
    definition = pooled("AAPL", "IBM", "MSFT", embedding=2)
    samples = build(definition, three, dl.Split(held_out=["IBM"]))
    again = read_samples(samples_file(samples), definition)
    assert again.fingerprint == samples.fingerprint
    assert again.input_scaling.to_dict() == samples.input_scaling.to_dict()
    assert again.input_scaling.clip[2] == 0
    assert again.statistics.equals(samples.statistics)
    with pytest.raises(SamplesError, match="build them again"):
        read_samples(samples_file(samples), pooled("AAPL", "MSFT", "IBM", embedding=2))


def test_a_symbol_that_trains_must_be_a_category_and_one_that_only_validates_need_not(
    three: dl.DataSet,
) -> None:
    with pytest.raises(SamplesError) as error:
        build(pooled("AAPL", "MSFT"), three)
    assert str(error.value) == (
        "IBM trains the weights, but is none of the categories of 'symbol'; give categories=dataset.symbols, or leave "
        "it out of the DataSet"
    )
    samples = build(pooled("AAPL", "MSFT"), three, dl.Split(held_out=["IBM"]))
    np.testing.assert_array_equal(samples.matrix[samples.owner == 1, 1:3], 0)


def test_it_does_not_look_ahead(three: dl.DataSet) -> None:
    bars, definition = three["AAPL"].iloc[:400], pooled("AAPL", "IBM")
    rng = np.random.default_rng(1)
    assert first_leak(lambda part: input_matrix(definition, part, symbol="AAPL"), bars, rng, 12) is None


def test_a_column_of_that_name_is_not_read(three: dl.DataSet) -> None:
    bars = three["AAPL"].iloc[:100].assign(symbol=1.0)
    matrix = input_matrix(pooled("AAPL", "IBM"), bars, symbol="AAPL")
    np.testing.assert_array_equal(matrix[:, 1:3], np.tile([1, 0], (100, 1)))
