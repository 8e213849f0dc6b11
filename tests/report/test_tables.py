import dataclasses
import json
import math
import xml.etree.ElementTree as ET

import pandas as pd
import pytest

from dlplugin.evaluation.ranges import RangeCell, RangeRow
from dlplugin.evaluation.rules import in_order
from dlplugin.report.cells import range_bar
from dlplugin.report.tables import output_tables, score_cells
from dlplugin.report.trades import trades_table


def box(drawn):
    shape = next(each for each in ET.fromstring(drawn) if "cell-bar" in (each.get("class") or ""))
    corners = [float(corner.split(",")[0]) for corner in shape.get("points").split(" ")]
    return shape.get("class"), min(corners), max(corners), len(corners)


def tables_of(evaluation):
    return {
        table.name: table
        for table in output_tables(evaluation.outputs[0], evaluation.results[0], "AAPL, IBM")
    }


def texts(row):
    return [cell.text for cell in row.cells]


def as_number(text):
    return math.nan if text == "–" else float(text.replace("−", "-").replace(",", ""))


def test_bars_go_right_for_gains_and_left_for_losses_in_their_colours():
    middle = 104.0
    assert box(range_bar(1.0, 2.0)) == ("cell-bar gain", middle, middle + 48, 4)
    assert box(range_bar(-2.0, 2.0)) == ("cell-bar loss", middle - 96, middle, 4)
    assert box(range_bar(-2.0, 2.0, faint=True))[0] == "cell-bar loss hollow"


def test_a_bar_beyond_the_scale_is_pointed():
    class_, left, right, corners = box(range_bar(-9.0, 2.0))
    assert (class_, right, corners) == ("cell-bar loss", 104.0, 5)
    assert left == 104 - 96 - 6


@pytest.mark.parametrize(("average", "full"), [(math.nan, 2.0), (0.0, 2.0), (1.0, 0.0)])
def test_no_bar_without_a_value(average, full):
    assert [each.get("class") for each in ET.fromstring(range_bar(average, full))] == ["centre"]


def test_ranges_show_the_evaluation_as_it_is_with_errors(evaluation):
    found = evaluation.results[0].ranges["width"]

    rows = tables_of(evaluation)["ranges"].rows

    assert len(rows) == len(found)
    assert rows[0].cells[0].text == "−∞"
    assert rows[-1].cells[1].text == "∞"
    for row, expected in zip(rows, found, strict=True):
        for position, cell in enumerate(expected.cells):
            held, average, bar = row.cells[2 + 3 * position : 5 + 3 * position]
            assert as_number(held.text) == cell.count
            assert as_number(average.text) == pytest.approx(cell.average, abs=0.006, nan_ok=True)
            if math.isnan(cell.error):
                assert average.small == ""
            else:
                assert as_number(average.small.removeprefix("± ")) == pytest.approx(
                    1.96 * cell.error, abs=0.006
                )
                faint = abs(cell.average) <= 1.96 * cell.error
                assert ("faint" in average.class_) == faint
                assert ("hollow" in bar.picture) == faint


def test_rows_of_few_samples_do_not_set_the_scale_and_failed_predictions_have_a_row(evaluation):
    nan = math.nan

    def row(start, end, *cells):
        return RangeRow(start, end, tuple(RangeCell(*cell) for cell in cells))

    rows = (
        row(-math.inf, 0.5, (500, -1.0, 0.1), (100, -2.0, 0.1)),
        row(0.5, math.inf, (499, 1.0, 0.1), (100, 1.0, nan)),
        row(nan, nan, (1, 50.0, nan), (0, nan, nan)),
    )
    result = dataclasses.replace(evaluation.results[0], ranges={"width": rows, "count": rows})

    table = output_tables(evaluation.outputs[0], result, "")[0]

    assert [texts(row)[:2] for row in table.rows] == [["−∞", "0.5"], ["0.5", "∞"], ["not finite", "–"]]
    assert box(table.rows[0].cells[4].picture)[1] == 104 - 48, "half of the largest, -2"
    assert box(table.rows[2].cells[4].picture)[3] == 5, "cut"
    assert "+2.00" in table.foot[4].picture


def test_the_model_comes_first_whatever_order_an_evaluation_was_stored_in(evaluation):
    read = type(evaluation).from_json(json.dumps(json.loads(evaluation.to_json()), sort_keys=True))

    rules = [row.cells[0].text for row in tables_of(read)["scores"].rows]

    assert rules == ["model", *in_order(evaluation.scores(0)[0].by_rule)]
    assert rules == [row.cells[0].text for row in tables_of(evaluation)["scores"].rows]


def test_an_undefined_score_is_a_dash_and_a_defined_one_has_its_error(evaluation):
    inside = evaluation.scores(0)[0]

    cells = score_cells(inside.by_rule["zero"], inside.errors.get("zero"))

    assert [cell.text for cell in cells[2:4]] == ["–", "–"]
    assert [cell.small for cell in cells[2:4]] == ["", ""]
    assert cells[0].text == f"{inside.by_rule['zero'].loss:.4f}"
    assert cells[0].small == f"± {1.96 * inside.errors['zero'].loss:.4f}"


def test_without_an_out_of_sample_span_there_is_one_of_each(evaluation_in_sample_only):
    tables = tables_of(evaluation_in_sample_only)

    assert [group.title for group in tables["ranges"].groups] == ["predicted", "in-sample"]
    assert all(len(row.cells) == 5 for row in tables["ranges"].rows)
    assert all(len(row.cells) == 6 for row in tables["scores"].rows)


def test_trades_are_shown_as_they_are_and_tallied(make):
    backtest = make(bars=40).backtest
    trades = backtest.trades.assign(profit=[10.5, -2.25, 3.0])

    table = trades_table(dataclasses.replace(backtest, trades=trades), "")

    assert table.folded == "3 trades: 1 won, 1 lost, 1 still open"
    first, _, last = (texts(row) for row in table.rows)
    entry, leave = trades["entry_date"].iloc[0], trades["exit_date"].iloc[0]
    assert (first[1], first[3]) == (f"{entry:%Y-%m-%d}", f"{leave:%Y-%m-%d}")
    assert float(first[2]) == trades["entry_price"].iloc[0]
    assert (first[5], first[6], table.rows[0].cells[6].class_) == ("100", "+10.50", "gain-words")
    assert first[7] == f"+{10.5 / trades['entry_price'].iloc[0]:.1f} %"
    assert last[3:5] == ["–", "–"]


def test_very_many_trades_are_cut_in_the_middle_and_it_says_so(make):
    backtest = make(bars=40).backtest
    many = pd.concat([backtest.trades.iloc[:1]] * 1200, ignore_index=True)

    table = trades_table(dataclasses.replace(backtest, trades=many), "the account")

    assert [texts(row)[0] for row in table.rows] == [str(i) for i in (*range(1, 501), *range(701, 1201))]
    assert table.caption == (
        "The account. Profit is after commission. The first and the last 500 of 1,200 trades are shown."
    )


def test_no_trades_say_why(make):
    backtest = make(bars=40).backtest

    idle = trades_table(dataclasses.replace(backtest, trades=backtest.trades.iloc[:0]), "")

    dates = f"{backtest.start:%Y-%m-%d} – {backtest.end:%Y-%m-%d}"
    assert idle.text == f"No trades: the strategy stayed out of the market, {dates}."
