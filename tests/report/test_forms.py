"""The report as Markdown and as JSON."""

import dataclasses
import json
import math
import re

import pytest

from dlplugin.errors import DefinitionError
from dlplugin.report import Importance, render_json, render_markdown, render_report, write_report

HOSTILE = "<img src=x onerror=alert(1)> | **bold** [link](http://x) `code`\n# heading"


def test_markdown_has_the_same_sections_and_tables_as_the_page(make, read):
    data = make(bars=40)
    text, page = render_markdown(data), read(render_report(data))

    titles = re.findall(r"^## (.*)$", text, re.MULTILINE)
    assert titles == ["What it adds", "Tables", "Training", "Holdout", "Record"]
    assert text.startswith("# The model beats nothing.\n")
    model = data.evaluation.scores(0)[1].by_rule["model"]
    for words in (
        "**holdout opened 1 time**: those days are no longer unseen",
        f"{model.correlation:.3f}".replace("-", "−"),
        "±",
        "| in-sample mean | ",
        "What the inputs matter",
        "run-79",
        "the final check",
    ):
        assert words in text
    for name in ("ranges", "scores"):
        shown = next(rows for key, rows in page.tables.items() if key.startswith(name))
        for row in shown[2:-1]:
            assert row[0] in text
    assert [word for word in ("<svg", "hollow", "whisker", "▲", "dashed") if word in text] == [], (
        "there are no pictures"
    )


def test_tables_in_markdown_are_rectangles(make):
    lines = render_markdown(make(bars=40)).splitlines()
    widths = [len(re.findall(r"(?<!\\)\|", line)) for line in lines]
    tables = 0
    for above, line, width in zip(lines, lines[1:], widths[1:], strict=False):
        if line.startswith("|") and above.startswith("|"):
            assert width == len(re.findall(r"(?<!\\)\|", above)), line
        tables += line.startswith("| :--")
    assert tables > 10


def test_hostile_text_stays_text_in_markdown(make):
    plain = make(bars=40)
    data = dataclasses.replace(
        plain,
        model=HOSTILE,
        stop_reason=HOSTILE,
        record={HOSTILE: HOSTILE},
        importance=Importance(plain.importance.frame.assign(input=HOSTILE), HOSTILE),
    )

    text = render_markdown(data)

    assert re.search(r"(?<!\\)<img", text) is None
    assert "\n# heading" not in text
    assert re.search(r"(?<!\\)`code", text) is None


def test_the_keys_of_the_json_are_stable(make):
    document = json.loads(render_json(make(bars=40)))

    assert document["format"] == 1
    assert set(document) == {
        "format",
        "model",
        "subtitle",
        "verdict",
        "left_out",
        "evaluation",
        "importance",
        "dependence",
        "training",
        "spans",
        "backtest",
        "openings",
        "trials",
        "record",
    }
    assert set(document["training"]) == {"history", "best_epoch", "stop_reason", "effective_samples"}
    assert set(document["spans"][0]) == {"name", "start", "end", "samples", "purged", "embargoed", "dropped"}
    assert set(document["backtest"]) == {
        "strategy",
        "symbol",
        "start",
        "end",
        "cash",
        "commission",
        "figures",
        "trades",
        "equity",
        "buy_and_hold",
    }
    assert set(document["importance"][0]) == {"output", "input", "rise", "error"}
    assert {"outputs", "results", "verdict"} <= set(document["evaluation"])
    assert set(document["openings"][0]) >= {"time", "model", "purpose", "symbols", "start", "end", "reason"}


def test_the_json_holds_the_values_themselves(make):
    data = make(bars=40)
    document = json.loads(render_json(data))

    assert document["evaluation"] == json.loads(data.evaluation.to_json())
    assert document["training"]["history"]["in_sample_loss"] == data.history["in_sample_loss"].tolist()
    assert document["spans"][1]["embargoed"] == 12
    assert document["spans"][0]["start"] == "2004-01-02T00:00:00"
    assert document["importance"][2]["error"] is None
    assert document["backtest"]["trades"][2]["exit_date"] is None
    assert document["backtest"]["figures"]["sharpe"] == 0.789
    assert list(document["backtest"]["equity"].values()) == data.backtest.equity.tolist()
    assert document["record"] == {"seed": 17, "nothing": None}
    assert len(document["trials"]) == 80


def test_what_there_is_none_of_is_null(make):
    data = make(
        bars=40,
        backtest=None,
        traded=None,
        importance=None,
        openings=None,
        trials=None,
        effective_samples=math.nan,
    )
    document = json.loads(render_json(data))

    for name in ("backtest", "importance", "openings", "trials"):
        assert document[name] is None
    assert document["training"]["effective_samples"] is None


@pytest.mark.parametrize(
    ("suffix", "render"), [(".html", render_report), (".md", render_markdown), (".JSON", render_json)]
)
def test_the_suffix_says_the_form(make, tmp_path, suffix, render):
    data = make(bars=40)
    path = write_report(data, tmp_path / f"new/report{suffix}")
    assert path.read_text(encoding="utf-8") == render(data)


def test_another_suffix_is_refused_before_anything_is_written(make, tmp_path):
    with pytest.raises(DefinitionError) as refused:
        write_report(make(bars=40), tmp_path / "new" / "report.pdf")
    assert str(refused.value) == (
        "the report is to be 'report.pdf'; a page ends in .html, Markdown in .md, data in .json"
    )
    assert list(tmp_path.iterdir()) == []
