import xml.etree.ElementTree as ET

import numpy as np

from dlplugin.report import svg


def test_text_and_attributes_are_escaped():
    drawn = svg.tag("text", "</text><script>", svg.tag("b"), aria_label='"><i>&\x00')

    read = ET.fromstring(str(drawn))
    assert read.text == "</text><script>"
    assert read.get("aria-label") == '"><i>&'
    assert [child.tag for child in read] == ["b"]


def test_a_line_is_broken_where_values_are_missing():
    x = np.arange(6.0)
    y = np.array([1.0, 2.0, np.nan, 3.0, np.inf, 4.0])

    assert ET.fromstring(svg.polyline(x, y, "curve")).get("d") == "M0 1 1 2M3 3h.01M5 4h.01"


def test_an_area_goes_back_to_its_base_before_each_gap():
    x, y = np.arange(4.0), np.array([1.0, 2.0, np.nan, 3.0])

    assert ET.fromstring(svg.area(x, y, 9.0, "tint")).get("d") == "M0 9L0 1 1 2V9zM3 9L3 3V9z"


def test_nothing_is_drawn_of_nothing():
    nothing = np.array([np.nan, np.nan])

    assert svg.polyline(np.arange(2.0), nothing, "curve") == ""
    assert svg.area(np.arange(2.0), nothing, 0.0, "tint") == ""
