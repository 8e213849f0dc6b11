import math
from html.parser import HTMLParser
from io import StringIO

import pandas as pd
import pytest
from rich.console import Console

from dlplugin.evaluation import RangeTable
from dlplugin.evaluation.ranges import COLUMNS

IN_SAMPLE = (pd.Timestamp("2004-01-05"), pd.Timestamp("2009-06-30"))
OUT_OF_SAMPLE = (pd.Timestamp("2009-07-08"), pd.Timestamp("2011-05-06"))
NOTHING = math.nan

ROWS = [
    (-math.inf, -0.5, 1200, -2.0, 40, -1.0),
    (-0.5, 0.0, 5000, -0.25, 0, NOTHING),
    (0.0, 0.5, 5000, 0.5, 300, 0.125),
    (0.5, math.inf, 800, 1.0, 1, 9.0),
]


def table(rows=ROWS, out_of_sample=OUT_OF_SAMPLE, output="ROC(5)"):
    return RangeTable(output, pd.DataFrame(rows, columns=list(COLUMNS)), IN_SAMPLE, out_of_sample)


def test_the_text_has_both_spans_side_by_side_with_bars_around_a_centre_line():
    # the single sample that gained 9 does not set the scale of the bars
    assert str(table()) == "\n".join(
        [
            "predicted ROC(5)",
            " " * 22 + "in-sample 2004-01-05 … 2009-06-30    out-of-sample 2009-07-08 … 2011-05-06",
            "      from  to below   count   average                      count   average",
            "        -∞      -0.5   1,200     -2.00  ████████│              40     -1.00      ████│",
            "      -0.5       0.0   5,000     -0.25         █│               0         –          │",
            "       0.0       0.5   5,000      0.50          │██           300      0.12          │▌",
            "       0.5         ∞     800      1.00          │████           1      9.00          │████████",
        ]
    )


def test_without_an_out_of_sample_span_its_columns_are_not_shown():
    text = str(table(out_of_sample=None))
    assert "out-of-sample" not in text
    assert text.splitlines()[-1] == "       0.5         ∞     800      1.00          │████"


def test_predictions_that_are_not_finite_are_named():
    rows = [*ROWS, (NOTHING, NOTHING, 3, 0.5, 0, NOTHING)]
    assert str(table(rows)).splitlines()[-1].startswith("not finite         –       3      0.50")


@pytest.mark.parametrize("size", [1e-9, 1e-3, 1.0, 12345.0, 1e12])
def test_the_text_fits_into_100_columns_whatever_the_unit(size):
    rows = [(a * size, b * size, 10_000_000, c * size, 9, d * size) for a, b, _, c, _, d in ROWS]
    assert max(len(line) for line in str(table(rows)).splitlines()) <= 100


def test_the_decimals_of_the_ranges_are_those_of_the_finest_edge():
    rows = [(-math.inf, 0.25, 1, 1.0, 1, 1.0), (0.25, 0.5, 1, 1.0, 1, 1.0), (0.5, math.inf, 1, 1.0, 1, 1.0)]
    lines = str(table(rows)).splitlines()[3:]
    assert [line[:20].split() for line in lines] == [["-∞", "0.25"], ["0.25", "0.50"], ["0.50", "∞"]]


def console(**options):
    return Console(file=StringIO(), width=100, **options)


def test_colours_are_there_in_a_terminal_only():
    terminal = console(force_terminal=True, color_system="standard", no_color=False)
    terminal.print(table())
    written = terminal.file.getvalue()
    assert "\x1b[31m████████\x1b[0m" in written
    assert "\x1b[32m" in written
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
    parser = Cells()
    parser.feed(table(output="a < b")._repr_html_())
    assert parser.open == []
    assert parser.cells[0] == "predicted a < b"
    assert parser.cells[-6:] == ["0.5", "∞", "800", "1.00", "1", "9.00"]
    assert "–" in parser.cells
    assert "<script" not in table(output="<script>")._repr_html_()
