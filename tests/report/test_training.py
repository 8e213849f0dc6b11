import xml.etree.ElementTree as ET

import numpy as np
import pandas as pd
import pytest

from dlplugin.report.charts import thin
from dlplugin.report.data import SpanRecord
from dlplugin.report.training import loss_figures, span_strip


def history_of(inside, outside):
    inside = np.asarray(inside, float)
    return pd.DataFrame(
        {"epoch": np.arange(1, len(inside) + 1), "in_sample_loss": inside, "out_of_sample_loss": outside}
    )


def texts(figure):
    return [element.text for element in ET.fromstring(figure.body).iter("text")]


def test_the_best_epoch_is_marked_on_both_curves_with_its_losses():
    inside, outside = loss_figures(history_of([1.0, 0.9, 0.8], [0.7, 0.5, 0.6]), best_epoch=2)

    assert "best epoch 2: 0.9000" in texts(inside)
    assert "best epoch 2: 0.5000" in texts(outside)


def test_the_mark_stands_at_its_point_of_the_curve():
    _, outside = loss_figures(history_of(np.ones(5), [0.7, 0.5, 0.6, 0.65, 0.7]), best_epoch=2)

    drawn = ET.fromstring(outside.body)
    circle = drawn.find("circle")
    path = next(each for each in drawn.iter("path") if "curve" in each.get("class"))
    points = np.array(path.get("d").removeprefix("M").split(), float).reshape(-1, 2)
    assert [float(circle.get("cx")), float(circle.get("cy"))] == pytest.approx(points[1], abs=0.11)
    assert points[1, 1] == points[:, 1].max(), "the lowest loss is the lowest point"


def test_an_epoch_that_is_not_in_the_history_is_not_marked():
    inside, _ = loss_figures(history_of([1.0, 0.9], [0.7, 0.5]), best_epoch=9)

    assert not [said for said in texts(inside) if "best" in said]


def test_first_losses_that_would_flatten_the_curve_are_named_instead():
    losses = np.r_[50.0, np.linspace(1.0, 0.9, 99)]

    inside, _ = loss_figures(history_of(losses, losses), best_epoch=100)

    assert "↑ above the scale: 50.0000 at epoch 1" in texts(inside)
    assert inside.columns[0].values[0] == 50.0, "hovering still reads it"


def test_a_curve_that_falls_steadily_is_shown_whole():
    losses = np.linspace(2.0, 1.0, 100)

    inside, _ = loss_figures(history_of(losses, losses), best_epoch=100)

    assert not [said for said in texts(inside) if "above" in said]


@pytest.mark.parametrize("loss", [[0.5], [0.5, 0.5], [np.inf, 0.5], [np.nan, 0.5, np.nan]])
def test_short_constant_and_broken_histories_are_drawn(loss):
    inside, _ = loss_figures(history_of(loss, loss), best_epoch=1)

    assert "nan" not in inside.body
    assert "inf" not in inside.body


def test_no_out_of_sample_loss_says_so():
    inside, outside = loss_figures(history_of([1.0, 0.9], [np.nan, np.nan]), best_epoch=2)

    assert "svg" in inside.body
    assert (
        ET.fromstring(outside.body).text
        == "No epoch has an out-of-sample loss, so there is no curve to draw."
    )


def test_a_hundred_thousand_epochs_are_thinned_without_losing_an_extreme():
    rng = np.random.default_rng(0)
    values = rng.normal(1, 0.1, 100_000)
    values[54_321] = -3.0

    kept = thin([values, np.zeros(100_000)], keep=[7])

    assert len(kept) < 3_000
    assert {0, 7, 54_321, 99_999, int(values.argmax())} <= set(kept.tolist())
    assert (np.diff(kept) > 0).all()


def test_few_epochs_are_all_kept():
    assert thin([np.ones(500)], keep=[]).tolist() == list(range(500))


def test_the_strip_names_spans_where_there_is_room():
    day = pd.Timestamp
    spans = (
        SpanRecord("in-sample", day("2004-01-02"), day("2009-06-29"), 13905, 55),
        SpanRecord("out-of-sample", day("2009-06-30"), day("2009-07-28"), 46, 5),
        SpanRecord("holdout", day("2009-07-29"), day("2013-03-01"), 1, 0),
    )

    drawn = ET.fromstring(span_strip(spans).body)

    inside = [each.text for each in drawn.iter("text") if each.get("class") == "inverse"]
    assert inside == ["in-sample · 13,905 samples", "holdout · 1 sample"]
    widths = [float(each.get("width")) for each in drawn.iter("rect")]
    assert widths[0] / widths[2] == pytest.approx(2005 / 1311, rel=0.01), "as long as their days"


def test_no_spans_say_so():
    assert ET.fromstring(span_strip(()).body).text == "No spans are recorded."


def test_spans_of_the_same_dates_lie_one_above_the_other():
    day = pd.Timestamp
    spans = (
        SpanRecord("in-sample", day("2004-01-02"), day("2009-06-29"), 11_000, 4),
        SpanRecord("out-of-sample", day("2004-01-02"), day("2009-06-29"), 2_900, 1),
        SpanRecord("holdout", day("2009-06-30"), day("2013-03-01"), 9_000, 0),
    )

    drawn = ET.fromstring(span_strip(spans).body)

    above, below, held = [
        {name: float(each.get(name)) for name in ("x", "y", "width", "height")} for each in drawn.iter("rect")
    ]
    assert (above["x"], above["width"]) == (below["x"], below["width"])
    assert above["y"] + above["height"] <= below["y"]
    assert held["height"] == below["y"] + below["height"]
    lines = [float(each.get("y1")) for each in drawn.iter("line") if each.get("class") == "axis"]
    assert min(lines) >= held["height"], "the years stand below"
    assert len([each for each in drawn.iter("text") if each.get("class") == "inverse"]) == 3
