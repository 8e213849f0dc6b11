import dataclasses
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from dlplugin.evaluation import Comparison
from dlplugin.evaluation.cross_section import CrossSection
from dlplugin.evaluation.groups import GroupScores
from dlplugin.report.groups import group_charts
from dlplugin.report.pictures import calibration_chart, forest_charts, order_chart

NAN = float("nan")


def compared(evaluation, *found):
    return dataclasses.replace(evaluation.results[0], comparisons=found)


def rows(chart):
    return [[cell.text for cell in row.cells] for row in chart.table.rows]


def dots(chart):
    return [
        each.get("class")
        for each in ET.fromstring(chart.figure.body).iter()
        if (each.get("class") or "").startswith("dot")
    ]


def test_the_forest_says_of_each_rule_what_follows(evaluation):
    loss = evaluation.scores(0)[1].by_rule["model"].loss
    found = compared(
        evaluation,
        Comparison("zero", loss, 0.1 * loss, True),
        Comparison("ridge", -0.5 * loss, 0.01 * loss, False),
        Comparison("in-sample mean", 0.25 * loss, 0.2 * loss, False),
        Comparison("last value", 0.25 * loss, NAN, False),
    )

    (chart,) = forest_charts(found, "0")

    # a rule that loses twice as much: the model loses 50 % less
    assert rows(chart) == [
        ["zero", "+50.0 ± 9.8", "beats it"],
        ["ridge", "−100.0 ± 3.9", "is beaten"],
        ["in-sample mean", "+20.0 ± 31.4", "inside the error"],
        ["last value", "+20.0 ± –", "too few days to tell"],
    ]
    assert dots(chart) == ["dot gain", "dot loss", "dot model hollow", "dot model hollow"]
    assert "120 days" in chart.reading


def test_there_is_no_forest_without_rules_to_compare_with(evaluation_in_sample_only):
    assert forest_charts(evaluation_in_sample_only.results[0], "0") == []


def test_the_calibration_shows_each_tenth_where_it_was_predicted(evaluation):
    chart = calibration_chart(evaluation, 0, "calibration")

    found = rows(chart)
    for position, samples in enumerate(evaluation.samples[0]):
        own = [row for row in found if row[0] == samples.span]
        tenths = evaluation.results[0].ranges["count"]
        for row, each in zip(own, tenths, strict=True):
            chosen = (samples.predicted >= each.start) & (samples.predicted < each.end)
            assert float(row[1].replace("−", "-")) == pytest.approx(
                samples.predicted[chosen].mean(), abs=6e-5
            )
            assert int(row[3].replace(",", "")) == chosen.sum() == each.cells[position].count
            assert float(row[2].split(" ±")[0].replace("−", "-")) == pytest.approx(
                samples.actual[chosen].mean(), abs=0.06
            )
    assert "slope" in chart.reading
    assert len(dots(chart)) == 20 + 2, "two more name the spans"


def test_a_stored_evaluation_has_its_calibration_too(evaluation):
    stored = type(evaluation).from_json(evaluation.to_json())

    fresh, again = (rows(calibration_chart(each, 0, "c")) for each in (evaluation, stored))

    assert [row[2:] for row in fresh] == [row[2:] for row in again]
    middles = [[float(row[1].replace("−", "-")) for row in each] for each in (fresh, again)]
    assert np.corrcoef(*middles)[0, 1] > 0.95


def test_the_order_of_symbols_is_told_with_its_errors(evaluation):
    result = evaluation.results[0]
    assert order_chart(result, "order") is None, "of two symbols"
    section = CrossSection(120, 0.05, 0.01, 0.3, -0.02, 0.04, -0.1)
    spans = tuple(dataclasses.replace(scores, cross_section=section) for scores in result.spans)

    chart = order_chart(dataclasses.replace(result, spans=spans), "order")

    assert rows(chart)[:2] == [
        ["IC", "in-sample", "+0.050 ± 0.020", "0.300"],
        ["IC", "out-of-sample", "+0.050 ± 0.020", "0.300"],
    ]
    assert [class_.endswith("hollow") for class_ in dots(chart)] == [False, False, True, True]


def groups_of(kind, figures, errors):
    return tuple(
        GroupScores(kind, name, 100, 50, {"gain": value}, {"gain": error})
        for (name, value), error in zip(figures.items(), errors, strict=True)
    )


def test_groups_are_shown_by_kind_with_their_errors(evaluation):
    result = evaluation.results[0]
    inside = groups_of("year", {"2004": 0.01, "2005": -0.02}, [0.002, 0.05])
    outside = (
        *groups_of("year", {"2009": 0.03}, [NAN]),
        *groups_of("symbol", {"A": 0.1, "B": 0.3, "C": -0.2}, [0.01] * 3),
    )
    spans = tuple(
        dataclasses.replace(scores, groups=groups)
        for scores, groups in zip(result.spans, (inside, outside), strict=True)
    )

    years, symbols = group_charts(dataclasses.replace(result, spans=spans), "group-0")

    assert (years.name, years.title) == ("group-0-year", "Gain by year")
    assert rows(years) == [
        ["2004", "in-sample", "+1.00 ± 0.39 %", "100"],
        ["2005", "in-sample", "−2.0 ± 9.8 %", "100"],
    ]
    assert "Left out for too few days: 2009." in years.reading
    assert dots(years) == ["dot in-sample", "dot in-sample hollow"]
    assert [row[0] for row in rows(symbols)] == ["B", "A", "C"]


def test_very_many_symbols_are_the_best_and_the_worst(evaluation):
    result = evaluation.results[0]
    many = groups_of("symbol", {f"S{i:03d}": i / 1000 for i in range(300)}, [0.01] * 300)
    spans = tuple(dataclasses.replace(scores, groups=many) for scores in result.spans)

    (chart,) = group_charts(dataclasses.replace(result, spans=spans), "group-0")

    assert len(rows(chart)) == 120
    assert [rows(chart)[i][0] for i in (0, 59, 60, -1)] == ["S299", "S240", "S059", "S000"]
    assert "the best and the worst 60 of 300" in chart.reading
    assert chart.wide


def test_evaluations_without_groups_have_no_such_charts(evaluation):
    result = evaluation.results[0]
    spans = tuple(dataclasses.replace(scores, groups=()) for scores in result.spans)
    assert group_charts(dataclasses.replace(result, spans=spans), "group-0") == []
