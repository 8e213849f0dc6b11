"""The report of outputs in classes and quantiles."""

import re

import backtrader as bt
import pytest

import dlplugin as dl
from dlplugin.evaluation.rules import in_order
from dlplugin.model import reporting as assemble
from dlplugin.model.reporting import report_data
from dlplugin.report import render_report


class NeverTrades(bt.Strategy):
    pass


@pytest.fixture(scope="module")
def page(kinds: dict[str, dl.Model], two_stocks: dl.DataSet, read):
    def render(kind: str):
        backtest = dl.backtest(NeverTrades, two_stocks["IBM"], "IBM", start="2012-01-03")
        return read(render_report(report_data(kinds[kind], two_stocks, backtest)))

    return render


def table(page, name: str) -> list[list[str]]:
    return next(rows for title, rows in page.tables.items() if title.startswith(name))


@pytest.mark.parametrize("kind", ["classes", "scores"])
def test_classes_their_counts_and_their_figures_are_shown(
    kinds: dict[str, dl.Model], two_stocks: dl.DataSet, page, kind: str
) -> None:
    shown, found = page(kind), kinds[kind].evaluate(two_stocks)
    labels = found.outputs[0].labels
    inside, outside = found.scores()
    rows = table(shown, "classes")[2:]
    assert [row[0] for row in rows] == list(labels)
    assert [row[1].replace(",", "") for row in rows] == [str(count) for count in inside.came]
    assert rows[0][9].startswith(f"{100 * outside.recall[0]:.1f}")
    assert rows[0][10].startswith(f"{100 * outside.f1[0]:.1f}")
    counts = [rows for title, rows in shown.tables.items() if title.startswith("counts")]
    assert [[int(cell.split()[-1].replace(",", "")) for cell in row[1:]] for row in counts[1][1:]] == [
        list(row) for row in outside.counts
    ]
    for row, cells in zip(outside.shares, counts[1][1:], strict=True):
        assert [cell.split()[0] for cell in cells[1:]] == [f"{100 * share:.1f}" for share in row]
    scores = table(shown, "scores")[2:]
    dropped = ["model, dropped class too"] if kind == "scores" else []
    assert [row[0] for row in scores] == ["model", *dropped, *in_order(inside.by_rule), "in-sample shares"]
    for row in scores[1 + len(dropped) : -1]:
        hits = outside.by_rule[row[0]]
        assert row[5].startswith(f"{100 * hits.accuracy:.1f} % ± {196 * hits.accuracy_error:.1f}")
    if dropped:
        assert scores[1][5].startswith(f"{100 * outside.with_dropped.accuracy:.1f}")
    assert scores[0][5].startswith(f"{100 * outside.accuracy:.1f}")
    assert (scores[0][7] == "–") == (kind == "scores")
    assert "How much oftener it is right" in shown.words
    assert ("Whether a probability of" in shown.words) == (kind == "classes")
    assert found.verdict.split(". ")[0] in shown.words


def test_cells_of_the_confusion_are_shaded_by_their_share(kinds: dict[str, dl.Model], page) -> None:
    outside = kinds["classes"].evaluation.scores()[1]
    shades = re.findall(r'class="shade-(\d+)"', page("classes").html)
    assert [int(shade) for shade in shades[-9:]] == [
        round(10 * share) for row in outside.shares for share in row
    ]


def test_the_key_figures_are_those_of_classes(kinds: dict[str, dl.Model], page) -> None:
    words = page("classes").words
    outside = kinds["classes"].evaluation.scores()[1]
    assert f"Accuracy {100 * outside.accuracy:.1f}" in words
    assert "Always the most frequent class" in words
    assert "Matthews correlation" in words


def test_quantiles_are_shown_with_the_share_below_each(kinds: dict[str, dl.Model], page) -> None:
    rows = table(page("quantiles"), "quantiles")
    below = [scores.below for scores in kinds["quantiles"].evaluation.scores()]
    assert rows[0] == ["quantile", "in-sample", "out-of-sample"]
    assert [row[0] for row in rows[1:]] == ["0.1", "0.25", "0.5", "0.9"]
    for row, *shares in zip(rows[1:], *below, strict=True):
        assert [cell.split("\u202f")[0].split(" ")[0].split("\xa0")[0] for cell in row[1:]] == [
            f"{100 * share:.1f}" for share in shares
        ]


def test_the_record_tells_classes_and_quantiles() -> None:
    day = dl.Output("ROC(1)", look_ahead=1, classes=[0])
    assert assemble._output(day) == "ROC(close, timeperiod=1), look ahead 1, classes < 0 | ≥ 0"
    levels = dl.Output("ROC(1)", look_ahead=2, quantiles=[0.1, 0.9])
    assert assemble._output(levels) == "ROC(close, timeperiod=1), look ahead 2, quantiles 0.1 | 0.9"
