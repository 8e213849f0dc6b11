import xml.etree.ElementTree as ET

import pytest

from dlplugin.report.charts import cut, wide_of
from dlplugin.report.dots import Line, Mark, dot_plot

NAN = float("nan")


def parts(figure, name):
    return [each for each in ET.fromstring(figure.body).iter() if name in (each.get("class") or "").split()]


def texts(figure):
    return [each.text for each in ET.fromstring(figure.body).iter("text")]


def test_a_whisker_holds_its_dot_and_zero_is_on_the_scale():
    figure = dot_plot([Line("a", [Mark(2.0, 0.5, "gain")])], "label", "percent")

    dot, whisker = parts(figure, "dot")[0], parts(figure, "whisker")[0]
    left, middle, right = (float(value) for value in (whisker.get("x1"), dot.get("cx"), whisker.get("x2")))
    zero = float(parts(figure, "level")[0].get("x1"))
    assert right - middle == pytest.approx(middle - left, abs=0.2)
    assert middle - zero == pytest.approx(4 * (right - middle), abs=0.5)
    assert "percent" in texts(figure)
    assert ET.fromstring(figure.body).get("aria-label") == "label"


def test_what_is_inside_its_error_is_hollow():
    figure = dot_plot(
        [Line("a", [Mark(1.0, 2.0, "model", True)]), Line("b", [Mark(1.0, 0.5, "gain")])], "l", "x"
    )

    assert [each.get("class") for each in parts(figure, "dot")] == ["dot model hollow", "dot gain"]


def test_a_whisker_that_is_far_too_long_does_not_set_the_scale_and_ends_in_an_arrow():
    marks = [Mark(float(i), 1.0, "model") for i in range(5)]
    figure = dot_plot(
        [*(Line(str(i), [mark]) for i, mark in enumerate(marks)), Line("far", [Mark(2.0, 500.0, "model")])],
        "l",
        "x",
    )

    assert len(parts(figure, "beyond")) == 2
    plain = dot_plot([Line(str(i), [mark]) for i, mark in enumerate(marks)], "l", "x")
    assert parts(plain, "beyond") == []
    reach = [abs(float(each.get("x2")) - float(each.get("x1"))) for each in parts(figure, "whisker")]
    assert reach[0] > 50, "the others can still be read"


def test_a_figure_far_beyond_the_others_is_an_arrow_with_its_words():
    near = [Line(str(i), [Mark(float(i), 1.0, "model")]) for i in range(-2, 3)]
    figure = dot_plot([*near, Line("far", [Mark(90.0, 9.0, "gain")])], "l", "x")

    assert len(parts(figure, "dot")) == 5
    (arrow,) = parts(figure, "beyond")
    assert arrow.get("class") == "beyond gain"
    assert "+90.0 ± 9.0" in texts(figure)
    below = dot_plot([*near, Line("far", [Mark(-90.0, NAN, "loss")])], "l", "x")
    assert "−90.0000" in texts(below)
    tip, *foot = (float(corner.split(",")[0]) for corner in parts(below, "beyond")[0].get("points").split())
    assert tip < min(foot)


def test_two_figures_of_a_line_lie_one_below_the_other_in_two_shapes():
    figure = dot_plot([Line("a", [Mark(1.0, NAN, "in-sample"), Mark(1.0, NAN, "out-of-sample")])], "l", "x")

    round_, square = parts(figure, "dot")
    assert (round_.tag, square.tag) == ("circle", "polygon")
    assert float(round_.get("cy")) < float(square.get("points").split()[0].split(",")[1])
    assert parts(figure, "whisker") == [], "an error that is not known is not drawn"


def test_bars_lead_from_zero():
    figure = dot_plot(
        [Line("a", [Mark(1.0, NAN, "gain")]), Line("b", [Mark(-0.5, NAN, "loss")])], "l", "x", bars=True
    )

    zero = float(parts(figure, "level")[0].get("x1"))
    right, left = parts(figure, "bar")
    assert float(right.get("x")) == pytest.approx(zero, abs=0.2)
    assert float(left.get("x")) + float(left.get("width")) == pytest.approx(zero, abs=0.2)


def test_columns_share_one_scale():
    lines = [Line(f"a name {i}", [Mark(float(i), 1.0, "model")]) for i in range(6)]
    figure = dot_plot(lines, "l", "x", columns=2)

    zeros = [float(each.get("x1")) for each in parts(figure, "level")]
    dots = [float(each.get("cx")) for each in parts(figure, "dot")]
    assert len(zeros) == 2
    first, second = dots[1] - dots[0], dots[4] - dots[3]
    assert first == pytest.approx(second, abs=0.2)
    assert texts(figure).count("x") == 1


def test_long_names_are_cut_and_nothing_known_is_said():
    name = "a name that goes on and on, far beyond what a picture has room for"
    figure = dot_plot([Line(name, [Mark(1.0, 1.0, "model")])], "l", "x")
    assert [text for text in texts(figure) if text.endswith("…")] != []
    assert wide_of(cut("MMMMMMMMMMMM", 60.0)) <= 60
    empty = dot_plot([Line("a", [Mark(NAN, NAN, "model")])], "l", "x")
    assert ET.fromstring(empty.body).text == "None of these figures is known: there are too few samples."
