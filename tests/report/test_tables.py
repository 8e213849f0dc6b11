import dataclasses
import json
import math
import xml.etree.ElementTree as ET
from types import SimpleNamespace

import pandas as pd
import pytest

from dlplugin.evaluation import Comparison
from dlplugin.evaluation.rules import in_order
from dlplugin.report.cells import difference_bar, range_bar
from dlplugin.report.tables import output_tables, score_texts, trades_table


def box(drawn):
    shape = next(each for each in ET.fromstring(drawn) if "cell-bar" in (each.get("class") or ""))
    corners = [float(corner.split(",")[0]) for corner in shape.get("points").split(" ")]
    return shape.get("class"), min(corners), max(corners), len(corners)


def test_bars_go_right_for_gains_and_left_for_losses_in_their_colours():
    middle = 104.0
    assert box(range_bar(1.0, 2.0)) == ("cell-bar gain", middle, middle + 48, 4)
    assert box(range_bar(-2.0, 2.0)) == ("cell-bar loss", middle - 96, middle, 4)


def test_a_bar_beyond_the_scale_is_pointed():
    class_, left, right, corners = box(range_bar(-9.0, 2.0))
    assert (class_, right, corners) == ("cell-bar loss", 104.0, 5)
    assert left == 104 - 96 - 6


@pytest.mark.parametrize(("average", "full"), [(math.nan, 2.0), (0.0, 2.0), (1.0, 0.0)])
def test_no_bar_without_a_value(average, full):
    assert [each.get("class") for each in ET.fromstring(range_bar(average, full))] == ["centre"]


def test_a_difference_has_its_interval_as_whisker():
    parts = {each.get("class"): each for each in ET.fromstring(difference_bar(0.5, 0.25, 1.0))}
    assert float(parts["dot model"].get("cx")) == 104 + 48
    assert float(parts["whisker"].get("x1")) == 104 + 24
    assert float(parts["whisker"].get("x2")) == 104 + 72
    assert "whisker" not in difference_bar(0.5, math.nan, 1.0)


def test_ranges_show_the_evaluation_as_it_is(evaluation):
    frame = evaluation.table(0).frame

    rows = output_tables(evaluation, 0).ranges

    assert len(rows) == len(frame)
    assert rows[0][0] == "−∞"
    assert rows[-1][1] == "∞"
    for row, expected in zip(rows, frame.itertuples(), strict=True):
        for (held, average, _), side in zip(row[2:], ("in_sample", "out_of_sample"), strict=True):
            assert int(held.replace(",", "")) == getattr(expected, f"{side}_count")
            came = getattr(expected, f"{side}_average")
            if math.isnan(came):
                assert average == "–"
            else:
                assert float(average.replace("−", "-")) == pytest.approx(came, abs=0.006)


def table_of(rows):
    columns = ["range_start", "range_end", "in_sample_count", "in_sample_average"]
    columns += ["out_of_sample_count", "out_of_sample_average"]
    return SimpleNamespace(frame=pd.DataFrame(rows, columns=columns))


def test_rows_of_few_samples_do_not_set_the_scale_and_failed_predictions_have_a_row(evaluation):
    rows = [
        (-math.inf, 0.5, 500, -1.0, 100, -2.0),
        (0.5, math.inf, 499, 1.0, 100, 1.0),
        (math.nan, math.nan, 1, 50.0, 0, math.nan),
    ]
    fake = SimpleNamespace(
        outputs=evaluation.outputs,
        scores=evaluation.scores,
        comparisons=evaluation.comparisons,
        table=lambda output: table_of(rows),
    )

    tables = output_tables(fake, 0)

    assert [row[:2] for row in tables.ranges] == [["−∞", "0.5"], ["0.5", "∞"], ["not finite", "–"]]
    assert box(tables.ranges[0][2][2])[1] == 104 - 48, "half of the largest, -2"
    assert box(tables.ranges[2][2][2])[3] == 5, "cut"
    assert "+2.00" in tables.axis


def test_the_model_comes_first_whatever_order_an_evaluation_was_stored_in(evaluation):
    read = type(evaluation).from_json(json.dumps(json.loads(evaluation.to_json()), sort_keys=True))

    rows = output_tables(read, 0).scores

    assert [row[0] for row in rows] == ["model", *in_order(evaluation.scores(0)[0].by_rule)]


def test_an_undefined_score_is_a_dash(evaluation):
    inside = evaluation.scores(0)[0]

    texts = score_texts(inside.by_rule["zero"])

    assert (texts["correlation"], texts["rank correlation"]) == ("–", "–")
    assert texts["loss"] == f"{inside.by_rule['zero'].loss:.4f}"


def compared(evaluation, *found):
    fake = SimpleNamespace(
        outputs=evaluation.outputs,
        scores=evaluation.scores,
        table=evaluation.table,
        comparisons=lambda output: list(found),
    )
    return [[*row[:3], row[4]] for row in output_tables(fake, 0).comparisons]


def test_comparisons_say_what_follows_from_them(evaluation):
    nan = math.nan
    assert compared(
        evaluation,
        Comparison("zero", 0.02, 0.005, True),
        Comparison("ridge", -0.00123, 0.005, False),
        Comparison("in-sample mean", 0.5, nan, False),
    ) == [
        ["zero", "+0.0200", "± 0.0098", "beaten"],
        ["ridge", "−0.0012", "± 0.0098", "inside the error"],
        ["in-sample mean", "+0.5000", "± –", "too few days to tell"],
    ]


def test_without_an_out_of_sample_span_there_is_nothing_to_compare(evaluation_in_sample_only):
    tables = output_tables(evaluation_in_sample_only, 0)

    assert [head.name for head in tables.spans] == ["in-sample"]
    assert tables.comparisons == []
    assert all(len(row) == 3 for row in tables.ranges)


def test_trades_are_shown_as_they_are_and_tallied(make):
    backtest = make(bars=40).backtest
    trades = backtest.trades.assign(profit=[10.5, -2.25, 3.0])

    table = trades_table(dataclasses.replace(backtest, trades=trades))

    assert table.summary == "3 trades: 1 won, 1 lost, 1 still open"
    first, _, last = table.rows
    entry, leave = trades["entry_date"].iloc[0], trades["exit_date"].iloc[0]
    assert (first["entry"], first["exit"]) == (f"{entry:%Y-%m-%d}", f"{leave:%Y-%m-%d}")
    assert float(first["entry_price"]) == trades["entry_price"].iloc[0]
    assert (first["size"], first["profit"], first["side"]) == ("100", "+10.50", "gain")
    assert first["share"] == f"+{10.5 / trades['entry_price'].iloc[0]:.1f} %"
    assert (last["exit"], last["exit_price"]) == ("–", "–")


def test_very_many_trades_are_cut_in_the_middle_and_it_says_so(make):
    backtest = make(bars=40).backtest
    many = pd.concat([backtest.trades.iloc[:1]] * 1200, ignore_index=True)

    table = trades_table(dataclasses.replace(backtest, trades=many))

    assert [row["no"] for row in table.rows] == [str(i) for i in (*range(1, 501), *range(701, 1201))]
    assert table.note == "The first and the last 500 of 1,200 trades are shown."


def test_no_trades_say_why(make):
    backtest = make(bars=40).backtest

    idle = trades_table(dataclasses.replace(backtest, trades=backtest.trades.iloc[:0]))

    dates = f"{backtest.start:%Y-%m-%d} – {backtest.end:%Y-%m-%d}"
    assert (idle.rows, idle.summary) == ((), f"No trades: the strategy stayed out of the market, {dates}.")
    assert trades_table(None).summary == "No trades: there is no backtest of this model."
