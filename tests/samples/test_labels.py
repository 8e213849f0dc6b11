"""Classes as targets, and their balance, against an obvious reading of the bars."""

import numpy as np
import pandas as pd
import pytest

import dlplugin as dl
from dlplugin.errors import SamplesError
from dlplugin.samples import balance_lines, build_samples

SPLIT = dl.Split(0.5, 0.2)
WAY = dl.Output("ROC(5)", look_ahead=5, classes=[-1, 1.5], drop="middle", name="way")
DAY = dl.Output("ROC(1)", look_ahead=1, classes=[-0.5, 0.55], name="day")
LEVELS = dl.Output("ROC(1)", look_ahead=1, quantiles=[0.1, 0.9], name="levels")
NUMBER = dl.Output("ROC(5)", look_ahead=5)


@pytest.fixture(scope="module")
def built(describe, two_stocks: dl.DataSet):
    spans = dl.resolve_split(two_stocks, SPLIT)

    def build(*outputs: dl.Output):
        return build_samples(describe(".", outputs=list(outputs)).definition, two_stocks, spans)

    return build


def obvious_classes(closes: pd.Series, bars: int, low: float, high: float) -> pd.Series:
    """0, 1 and 2 from pandas alone, at the bar that asks."""
    came = ((closes / closes.shift(bars) - 1) * 100).shift(-bars)
    classes = pd.Series(1.0, index=closes.index).mask(came <= low, 0.0).mask(came >= high, 2.0)
    return classes.mask(came.isna())


def test_a_target_is_the_class_that_came_and_nan_where_it_is_dropped_or_unknown(built, two_stocks) -> None:
    samples = built(DAY, WAY, NUMBER)
    for index, symbol in enumerate(samples.symbols):
        mine = samples.targets[samples.owner == index]
        closes = two_stocks[symbol]["close"]
        np.testing.assert_array_equal(mine[:, 0], obvious_classes(closes, 1, -0.5, 0.55))
        kept = obvious_classes(closes, 5, -1, 1.5).replace({1.0: np.nan, 2.0: 1.0})
        np.testing.assert_array_equal(mine[:, 1], kept)
    known = samples.targets[samples.rows["in-sample"]]
    assert np.isnan(known[:, 1]).any()
    assert not np.isnan(known[:, [0, 2]]).any()


def test_numbers_and_quantiles_are_scaled_and_classes_are_not(built) -> None:
    mixed, plain = built(NUMBER, LEVELS, DAY), built(NUMBER)
    rows = mixed.rows["in-sample"]
    np.testing.assert_array_equal(mixed.targets[:, 0], plain.targets[:, 0])
    assert mixed.targets[rows, 1].std() == pytest.approx(1, abs=1e-5)
    assert (mixed.output_scaling.center[0, 2], mixed.output_scaling.scale[0, 2]) == (0.0, 1.0)
    assert set(mixed.targets[rows, 2].tolist()) == {0.0, 1.0, 2.0}
    assert np.abs(mixed.actual[rows, 2]).max() > 5  # what came stays in its own unit


def test_a_sample_needs_one_output_that_is_not_dropped(built) -> None:
    alone, beside = built(WAY), built(WAY, NUMBER)
    for name, rows in alone.rows.items():
        assert not np.isnan(alone.targets[rows]).any()
        wanted = beside.rows[name][~np.isnan(beside.targets[beside.rows[name], 0])]
        np.testing.assert_array_equal(rows, wanted)
        assert 0 < len(rows) < len(beside.rows[name])
    both = built(WAY, dl.Output("ROC(1)", look_ahead=1, classes=[-0.5, 0.55], drop=0, name="other"))
    known = ~np.isnan(both.targets[both.rows["in-sample"]])
    assert known.any(axis=1).all()
    assert not known.all(axis=1).all()


def test_the_balance_counts_the_samples_of_each_class_and_leaves_the_holdout_closed(built) -> None:
    samples = built(NUMBER, DAY, WAY)
    table = samples.balance
    assert list(table.index) == [
        ("day", "≤ -0.5"), ("day", "-0.5 … 0.55"), ("day", "≥ 0.55"), ("way", "≤ -1"), ("way", "≥ 1.5"),
    ]  # fmt: skip
    assert list(table) == ["class", "in_sample", "in_sample_share", "out_of_sample", "out_of_sample_share"]
    for (name, _), row in table.iterrows():
        column = {"day": 1, "way": 2}[name]
        for span in ("in-sample", "out-of-sample"):
            targets = samples.targets[samples.rows[span], column]
            side = span.replace("-", "_")
            assert row[side] == (targets == row["class"]).sum() > 0
            assert row[f"{side}_share"] == pytest.approx(row[side] / (~np.isnan(targets)).sum())
    assert built(NUMBER).balance.empty


def test_the_balance_in_words_has_a_line_for_each_output_and_span(built) -> None:
    lines = balance_lines(built(DAY, NUMBER).balance)
    assert [line.split(":")[0] for line in lines] == ["day, in-sample", "day, out-of-sample"]
    assert lines[0].count(" % (") == 3
    assert balance_lines(built(NUMBER).balance) == []


def test_a_user_sees_the_balance_before_training_also_of_a_class_that_never_comes(
    describe, tmp_path, two_stocks: dl.DataSet, built
) -> None:
    model = describe(tmp_path / "models", outputs=[DAY])
    pd.testing.assert_frame_equal(model.labels(two_stocks, SPLIT), built(DAY).balance)
    never = describe(tmp_path / "models", outputs=[dl.Output("ROC(1)", look_ahead=1, classes=[-0.5, 500])])
    assert never.labels(two_stocks)["in_sample"].tolist()[2] == 0
    assert never.status == "draft"


def test_a_class_without_an_in_sample_sample_is_refused_with_the_counts(built) -> None:
    with pytest.raises(SamplesError) as error:
        built(NUMBER, dl.Output("ROC(1)", look_ahead=1, classes=[-0.5, 500], name="day"))
    three = built(NUMBER, DAY)
    low = int(three.balance["in_sample"].iloc[0])
    rest = len(three.rows["in-sample"]) - low
    assert str(error.value) == (
        f"output 'day' has no in-sample sample in class '≥ 500' ({low:,} in '≤ -0.5', {rest:,} in '-0.5 … 500', "
        "0 in '≥ 500'); move the thresholds, or load more history"
    )


def test_thresholds_that_drop_every_sample_are_refused(built) -> None:
    with pytest.raises(SamplesError) as error:
        built(dl.Output("ROC(1)", look_ahead=1, classes=[-900, 900], drop="middle", name="day"))
    rows = len(built(dl.Output("ROC(1)", look_ahead=1)).rows["in-sample"])
    assert str(error.value) == (
        f"all {rows:,} in-sample samples fall into the dropped class of 'day'; move the thresholds"
    )
