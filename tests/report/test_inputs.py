"""Charts of what the inputs matter, and of predicted against what came."""

import xml.etree.ElementTree as ET
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from dlplugin.evaluation.inputs.dependence import DependencePoint, PartialDependence
from dlplugin.report.agreement import Agreement, Place, agreement_figure
from dlplugin.report.dependence import dependence_figure
from dlplugin.report.sections import sections

NAN = float("nan")


def by_class(figure, name):
    return [each for each in ET.fromstring(figure.body).iter() if name in (each.get("class") or "").split()]


def chart(data, name):
    return next(
        block for section in sections(data) for block in section.blocks if getattr(block, "name", "") == name
    )


def test_inputs_are_ordered_by_what_they_matter_and_what_is_inside_the_error_is_hollow(make):
    found = chart(make(bars=40), "importance-0")

    assert [[cell.text for cell in row.cells] for row in found.table.rows] == [
        ["ROC(5)", "+0.050 ± 0.010", "told from nothing"],
        ["RSI(14)", "+0.020 ± 0.030", "inside the error"],
        ["close", "−0.0100", "inside the error"],
    ]
    assert ["hollow" in each.get("class") for each in by_class(found.figure, "dot")] == [False, True, True]
    assert "240 samples, 10 permutations" in found.reading


def test_what_came_stands_at_what_was_predicted_with_its_error():
    places = [Place(0.0, 0.5, 0.25, 100), Place(1.0, 1.0, 0.25, 80), Place(2.0, NAN, NAN, 0)]
    figure = agreement_figure([Agreement("out-of-sample", places)], "label", "predicted", "came")

    dots = [
        [tuple(map(float, corner.split(","))) for corner in each.get("points").split()]
        for each in by_class(figure, "dot")
    ]
    middles = [(corners[0][0], corners[1][1]) for corners in dots]
    whiskers = by_class(figure, "whisker")
    assert len(whiskers) == 2
    for (x, y), whisker in zip(middles, whiskers, strict=False):
        low, high = float(whisker.get("y1")), float(whisker.get("y2"))
        assert float(whisker.get("x1")) == pytest.approx(x, abs=0.1)
        assert low - y == pytest.approx(y - high, abs=0.2)
        assert low - high > 20
    line = by_class(figure, "diagonal")[0]
    x1, y1, x2, y2 = (float(line.get(name)) for name in ("x1", "y1", "x2", "y2"))
    at = middles[1][0]
    assert y1 + (at - x1) / (x2 - x1) * (y2 - y1) == pytest.approx(middles[1][1], abs=0.3), (
        "1 came where 1 was predicted"
    )
    said = [each.text for each in ET.fromstring(figure.body).iter("title")]
    assert said[0] == "out-of-sample: predicted 0.00, came 0.50 ± 0.25, 100 samples"


def test_no_samples_to_hold_against_are_said():
    figure = agreement_figure([Agreement("in-sample", [])], "label", "x", "y")
    assert ET.fromstring(figure.body).text == "There are no samples to hold predictions against."


def dependence(points, categories=False):
    day = pd.Timestamp("2010-01-04")
    return PartialDependence(
        "RSI(14)", "ROC(5)", "out-of-sample", (day, day), 100, False, tuple(points), categories
    )


def test_the_curve_is_the_mean_within_its_band():
    points = [DependencePoint(f"{x}", float(x), x**2, x**2 - 1, x**2 + 2, 0.1) for x in range(6)]
    figure = dependence_figure(dependence(points))

    def heights(d):
        return np.array(d.strip("Mz").split(), float)[1::2]

    curve = heights(by_class(figure, "curve")[0].get("d"))
    band = heights(by_class(figure, "tint")[0].get("d"))
    below, above = band[:6] - curve, curve - band[6:][::-1]
    assert above == pytest.approx(2 * below, abs=0.3)
    assert (below > 3).all()
    assert (np.diff(curve) < 0).all(), "pixels go down"
    assert len(by_class(figure, "rug")) == 6


def test_categories_are_a_dot_each_and_one_value_is_no_curve():
    points = [
        DependencePoint(name, float(i), 0.1 * i, NAN, NAN, 0.5) for i, name in enumerate(["AAPL", "IBM"])
    ]
    figure = dependence_figure(dependence(points, categories=True))
    assert len(by_class(figure, "dot")) == 2
    alone = dependence_figure(dependence([points[0]]))
    assert ET.fromstring(alone.body).text == "RSI(14) has one value only, so there is no curve to draw."


def test_a_report_of_several_outputs_has_each_outputs_own_importance(make):
    data = make(bars=40)
    assert chart(data, "importance-0").title == "What the inputs matter"
    other = data.importance.frame.assign(output="another")
    none = make(bars=40, importance=SimpleNamespace(frame=other, note=""))
    names = [getattr(block, "name", "") for section in sections(none) for block in section.blocks]
    assert "importance-0" not in names
