import itertools
import math
import re
from html.parser import HTMLParser
from io import StringIO

import pandas as pd
import pytest
from rich.console import Console

from dlplugin.evaluation import RangeTable
from dlplugin.evaluation.ranges import RangeCell, RangeRow, frame_of
from dlplugin.evaluation.table import LEGEND

IN_SAMPLE = ("in-sample", pd.Timestamp("2004-01-05"), pd.Timestamp("2009-06-30"))
JUDGED = ("out-of-sample", pd.Timestamp("2009-07-08"), pd.Timestamp("2011-05-06"))
NOTHING = math.nan

ROWS = [
    (-math.inf, -0.5, (1200, -2.0, 0.1), (40, -1.0, 0.25)),
    (-0.5, 0.0, (5000, -0.25, 0.2), (0, NOTHING, NOTHING)),
    (0.0, 0.5, (5000, 0.5, 0.1), (300, 0.125, 0.15)),
    (0.5, math.inf, (800, 1.0, 0.6), (1, 9.0, NOTHING)),
]


def table(rows=ROWS, spans=(IN_SAMPLE, JUDGED), output="ROC(5)"):
    found = [RangeRow(low, high, tuple(RangeCell(*cell) for cell in cells)) for low, high, *cells in rows]
    return RangeTable(output, frame_of(found, [name for name, _, _ in spans]), spans)


def test_the_text_has_both_spans_side_by_side_with_errors_and_bars_around_a_centre_line():
    # the single sample that gained 9 does not set the scale of the bars, and is not known to differ from 0
    assert str(table()).splitlines() == [
        "predicted ROC(5)",
        " " * 22 + "in-sample 2004-01-05 … 2009-06-30       out-of-sample 2009-07-08 … 2011-05-06",
        "      from  to below   count   average                         count   average",
        "        -∞      -0.5   1,200     -2.00 ± 0.20  ██████│            40     -1.00 ± 0.49     ███│",
        "      -0.5       0.0   5,000     -0.25 ± 0.39       ▒│             0         –               │",
        "       0.0       0.5   5,000      0.50 ± 0.20        │█▌         300      0.12 ± 0.29        │▒",
        "       0.5         ∞     800      1.00 ± 1.18        │▒▒▒          1      9.00               │▒▒▒▒▒▒",
        LEGEND,
    ]


def test_the_frame_has_1_96_standard_errors():
    frame = table().frame
    assert list(frame) == [
        *("range_start", "range_end"),
        *(
            f"{span}_{name}"
            for span in ("in_sample", "out_of_sample")
            for name in ("count", "average", "error")
        ),
    ]
    assert frame["in_sample_error"].tolist() == pytest.approx([0.196, 0.392, 0.196, 1.176])
    assert math.isnan(frame["out_of_sample_error"].iloc[3])


def test_a_table_of_the_holdout_says_so():
    held = table(spans=(IN_SAMPLE, ("holdout", *JUDGED[1:])))
    assert "holdout 2009-07-08 … 2011-05-06" in str(held)
    assert held.frame["holdout_count"].sum() == 341


def test_without_a_judged_span_its_columns_are_not_shown():
    text = str(table([row[:3] for row in ROWS], (IN_SAMPLE,)))
    assert "out-of-sample" not in text
    assert text.splitlines()[-2] == "       0.5         ∞     800      1.00 ± 1.18        │▒▒▒"


def test_predictions_that_are_not_finite_are_named():
    rows = [*ROWS, (NOTHING, NOTHING, (3, 0.5, NOTHING), (0, NOTHING, NOTHING))]
    assert str(table(rows)).splitlines()[-2].startswith("not finite         –       3      0.50")


@pytest.mark.parametrize("size", [1e-300, 1e-9, 1e-3, 1.0, 12345.0, 1e12, 1e300])
def test_the_text_fits_into_100_columns_and_no_column_touches_the_next_whatever_the_unit(size):
    rows = [
        (low * size, high * size, *((10_000_000, value * size, error * size) for _, value, error in cells))
        for low, high, *cells in ROWS
    ]
    lines = str(table(rows)).splitlines()
    assert max(map(len, lines)) <= 100
    for line in lines[3:-1]:
        words = re.sub("[±│█▒▌▐]", " ", line).split()
        assert words.count("10,000,000") == 2
        assert len(words) in (6, 7, 8)


@pytest.mark.parametrize(
    ("edges", "shown"),
    [
        ([0.25, 0.5], ["0.25", "0.50"]),
        ([100000.1, 100000.2, 100000.35], ["100000.10", "100000.20", "100000.35"]),
        ([1000000.1, 1000000.2], ["1000000.1", "1000000.2"]),
        ([-12345.678, 0.00001], ["-1.235e+04", "1e-05"]),
        ([1e-7, 1.00001e-7, 2e-7], ["1e-07", "1.00001e-07", "2e-07"]),
        ([-1e300, 1e300], ["-1e+300", "1e+300"]),
    ],
)
def test_the_edges_have_the_decimals_or_digits_that_part_them(edges, shown):
    limits = [-math.inf, *edges, math.inf]
    rows = [(low, high, (1, 1.0, NOTHING)) for low, high in itertools.pairwise(limits)]
    lines = str(table(rows, (IN_SAMPLE,))).splitlines()[3:-1]
    cut = [each if len(each) < 10 else f"{edge:.2e}" for each, edge in zip(shown, edges, strict=True)]
    assert [line[:20].split() for line in lines] == list(
        map(list, zip(["-∞", *cut], [*cut, "∞"], strict=True))
    )


def console(**options):
    return Console(file=StringIO(), width=100, **options)


def test_colours_are_there_in_a_terminal_only():
    terminal = console(force_terminal=True, color_system="standard", no_color=False)
    terminal.print(table())
    written = terminal.file.getvalue()
    assert "\x1b[31m██████\x1b[0m" in written
    assert "\x1b[32m█▌" in written
    elsewhere = console(force_terminal=False)
    elsewhere.print(table())
    assert "\x1b" not in elsewhere.file.getvalue()
    assert [line.rstrip() for line in elsewhere.file.getvalue().splitlines()] == str(table()).splitlines()


class Cells(HTMLParser):
    def __init__(self):
        super().__init__()
        self.cells, self.open = [], []

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.cells.append(data)


def test_the_html_is_well_formed_and_says_the_same():
    html = table(output="a < b")._repr_html_()
    parser = Cells()
    parser.feed(html)
    assert parser.open == []
    assert parser.cells[0] == "predicted a < b"
    assert parser.cells[-9:-1] == ["0.5", "∞", "800", "1.00", "1.18", "1", "9.00", "–"]
    assert html.count("opacity") == 4
    assert html.count("#00796b") == 4
    assert html.count("#c83c1e") == 3
    assert "<script" not in table(output="<script>")._repr_html_()
