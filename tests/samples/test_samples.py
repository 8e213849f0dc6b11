"""Samples against a slow, obvious reading of the clock, bar by bar, on real prices."""

import numpy as np
import pandas as pd
import pytest

import dlplugin as dl
from dlplugin.errors import SamplesError
from dlplugin.samples import build_samples, known_inputs, output_matrix, row_layout

EARLY = ["AAPL", "GOOG"]


@pytest.fixture(scope="module")
def dataset(us_stocks: dl.DataSet) -> dl.DataSet:
    """GOOG is listed late."""
    return us_stocks.subset(EARLY)


@pytest.fixture(scope="module")
def built(dataset: dl.DataSet, describe):
    definition = describe(".").definition
    return build_samples(definition, dataset, dl.resolve_split(dataset, dl.Split(0.5, 0.2)))


def obvious_row(bars: pd.DataFrame, t: int) -> list[float]:
    """Inputs of `describe` at bar t, from pandas alone (ROC and the mean ratio)."""
    roc = (bars["close"] / bars["close"].shift(5) - 1) * 100
    ratio = bars["close"] / bars["close"].rolling(20).mean() - 1
    return [roc.iloc[t], roc.iloc[t - 3], ratio.iloc[t]]


def test_a_row_holds_the_inputs_with_their_depths_and_its_target_is_what_came(
    built, dataset: dl.DataSet
) -> None:
    rng = np.random.default_rng(0)
    scaling = built.input_scaling.of(None)
    for name, rows in built.rows.items():
        for row in rng.choice(rows, 20):
            symbol = dataset.symbols[built.owner[row]]
            bars = dataset[symbol]
            t = int(bars.index.get_loc(pd.Timestamp(built.times[row])))
            cells = built.matrix[row - built.layout.back, built.layout.column]
            own = cells * scaling.scale[built.layout.column] + scaling.center[built.layout.column]
            assert own[3:] == pytest.approx(obvious_row(bars, t), rel=1e-4, abs=1e-5), name
            close = bars["close"].to_numpy()
            came = [(close[t + 5] / close[t] - 1) * 100, (close[t + 1] / close[t] - 1) * 100]
            assert built.actual[row] == pytest.approx(came, rel=1e-9), name


def test_spans_hold_exactly_the_known_bars_whose_outputs_end_inside(built, dataset: dl.DataSet) -> None:
    found = {name: set() for name in built.rows}
    for symbol in dataset.symbols:
        index = dataset[symbol].index
        for t in range(19, len(index) - 5):  # 19 bars: SMA(20), the slowest of the inputs
            names = {
                next(
                    (span.name for span in built.spans.spans if span.start <= index[t + step] <= span.end),
                    "none",
                )
                for step in range(1, 6)
            }
            if len(names) == 1 and "none" not in names:
                found[names.pop()].add((symbol, index[t]))
    for name, rows in built.rows.items():
        got = {(dataset.symbols[built.owner[row]], pd.Timestamp(built.times[row])) for row in rows}
        assert got == found[name]
        assert built.counts[name].samples == len(rows)
    # look ahead 5: of each symbol, the 4 bars before a boundary's last; the history's end purges none
    assert [built.counts[name].purged for name in built.rows] == [8, 8, 0]


@pytest.mark.filterwarnings("ignore:.*unadjusted split:dlplugin.DLPluginWarning")
def test_scaling_has_seen_in_sample_rows_only(built, dataset: dl.DataSet) -> None:
    own = dataset.symbols.index("AAPL")
    rows = built.rows["in-sample"]
    ratio = built.matrix[rows, 2]
    assert ratio.mean() == pytest.approx(0, abs=0.01)  # clipped at 4, so not exactly 0
    assert np.abs(built.targets[rows].mean(axis=0)).max() < 1e-5
    assert np.abs(built.targets[rows].std(axis=0) - 1).max() < 1e-5
    changed = dl.DataSet.from_frames("changed", {
        symbol: _altered_after(dataset[symbol], built.spans["in-sample"].end) for symbol in dataset.symbols
    })  # fmt: skip
    again = build_samples(built.definition, changed, built.spans)
    assert own >= 0
    np.testing.assert_array_equal(again.input_scaling.center, built.input_scaling.center)
    np.testing.assert_array_equal(again.output_scaling.scale, built.output_scaling.scale)


def _altered_after(bars: pd.DataFrame, end: pd.Timestamp) -> pd.DataFrame:
    altered = bars.copy()
    altered.loc[altered.index > end] *= 3.0
    return altered


def test_statistics_are_those_of_the_columns(built, dataset: dl.DataSet) -> None:
    table = built.statistics
    bars = [dataset[symbol] for symbol in dataset.symbols]
    ratio = pd.concat([frame["close"] / frame["close"].rolling(20).mean() - 1 for frame in bars])
    row = table.loc[("input", "close / SMA(20) - 1")]
    assert row["missing"] == 2 * 19
    assert row["mean"] == pytest.approx(ratio.mean())
    assert row["minimum"] == pytest.approx(ratio.min())
    assert row["maximum"] == pytest.approx(ratio.max())
    assert row["standard_deviation"] == pytest.approx(ratio.std(ddof=0))
    assert table.loc[("output", "ROC(5)"), "missing"] == 2 * 5
    assert list(table.index.get_level_values("kind")) == ["input"] * 3 + ["output"] * 2


def test_an_in_sample_span_that_ends_before_the_first_sample_is_the_culprit(
    dataset: dl.DataSet, describe
) -> None:
    definition = describe(".").definition
    bars = dataset["AAPL"]
    needed = definition.bars_needed + definition.look_ahead

    def build(end: pd.Timestamp) -> None:
        split = dl.Split(in_sample_end=end, holdout_start="2012-01-01")
        build_samples(definition, dataset, dl.resolve_split(dataset, split))

    with pytest.raises(SamplesError) as error:
        build(bars.index[9])
    first = bars.index[needed - 1]
    assert str(error.value) == (
        f"the in-sample span has no samples: it ends {bars.index[9]:%Y-%m-%d}, after 10 bars of AAPL, and depth 4, "
        f"warm-up 16 and look ahead 5 need {needed}; end it {first:%Y-%m-%d} at the earliest (in_sample_end or "
        "in_sample), or shorten the depth"
    )
    build(first + pd.Timedelta(days=3))  # a date earlier than promised, and it would be refused
    with pytest.raises(SamplesError):
        build(bars.index[needed - 2])


def test_too_few_bars_are_refused_with_what_is_needed(us_stocks: dl.DataSet, describe) -> None:
    short = dl.DataSet.from_frames("short", {"AAPL": us_stocks["AAPL"].iloc[:41]})
    definition = describe(".", inputs=[dl.Input("SMA(20)", depth=32)]).definition
    with pytest.raises(SamplesError) as error:
        build_samples(definition, short, dl.resolve_split(short, dl.Split()))
    assert str(error.value) == (
        "the in-sample span has no samples: AAPL has 41 bars, and depth 32, warm-up 19 and look ahead 5 need 56 "
        "before the span ends; load more history or shorten the depth"
    )


def test_flat_rows_go_back_from_the_newest_bar_input_by_input(describe) -> None:
    layout = row_layout(describe(".").definition)
    assert layout.back.tolist() == [0, 1, 2, 0, 3, 0]
    assert layout.column.tolist() == [0, 0, 0, 1, 1, 2]
    assert layout.shape == (6,)


def test_known_inputs_need_every_cell_of_the_row(describe) -> None:
    definition = describe(".").definition
    matrix = np.ones((10, 3))
    matrix[4, 1] = np.nan
    assert known_inputs(definition, matrix).tolist() == [False] * 3 + [
        True,
        False,
        True,
        True,
        False,
        True,
        True,
    ]


def test_an_output_is_unknown_where_its_bar_is_not_there(us_stocks: dl.DataSet, describe) -> None:
    came = output_matrix(describe(".").definition, us_stocks["AAPL"].iloc[:30])
    assert np.isnan(came[-5:, 0]).all()
    assert np.isfinite(came[:25, 0]).all()
    assert np.isfinite(came[:29, 1]).all()
