import base64
import dataclasses
import hashlib
import json
import math
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET

import numpy as np
import pandas as pd
import pytest

from dlplugin.evaluation.rules import in_order
from dlplugin.report import Importance, Traded, render_report, write_report

HOSTILE = "<img src=x onerror=alert(1)>\"'&amp;</script></style><script>alert(1)</script>{{ 7 * 6 }}\x00"
SHOWN = HOSTILE.removesuffix("\x00")


@pytest.fixture(scope="module")
def data(make):
    return make()


@pytest.fixture(scope="module")
def page(data, read):
    return read(render_report(data))


def cells(page, name):
    """Rows of the table of that class, without its heads."""
    return next(rows for key, rows in page.tables.items() if key.startswith(name))


def test_the_page_asks_for_nothing_from_elsewhere(page):
    loaders = {
        "link",
        "img",
        "iframe",
        "object",
        "embed",
        "base",
        "form",
        "audio",
        "video",
        "source",
        "image",
        "use",
    }
    assert loaders & {name for name, _ in page.elements} == set()
    attributes = [(key, value) for _, found in page.elements for key, value in found.items()]
    assert [
        value
        for key, value in attributes
        if key in ("src", "srcset", "action", "data", "poster", "xlink:href")
    ] == []
    assert all(value.startswith("#") for key, value in attributes if key == "href")
    assert re.findall(r"https?:|url\(|@import|fetch\(|XMLHttpRequest|WebSocket", page.html) == []


def test_every_link_leads_to_a_part_of_the_page(page):
    ids = {found["id"] for _, found in page.elements if "id" in found}
    assert {found["href"].removeprefix("#") for found in page.of("a")} <= ids


def test_the_policy_allows_its_own_style_and_script_and_nothing_else(page):
    policy = next(
        found["content"] for found in page.of("meta") if found.get("http-equiv") == "Content-Security-Policy"
    )

    def digest(name):
        inside = re.search(rf"<{name}>(.*?)</{name}>", page.html, re.DOTALL).group(1)
        return base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()

    assert policy == (
        f"default-src 'none'; style-src 'sha256-{digest('style')}'; script-src 'sha256-{digest('script')}'; "
        "base-uri 'none'; form-action 'none'"
    )


def test_nothing_on_the_page_needs_what_the_policy_forbids(page):
    attributes = {key for _, found in page.elements for key in found}
    assert [key for key in attributes if key == "style" or key.startswith("on")] == []


def test_every_chart_is_well_formed_and_says_what_it_is(page):
    assert len(page.charts) > 5
    for chart in page.charts:
        root = ET.fromstring(chart)
        assert root.get("aria-hidden") == "true" or (root.get("role") == "img" and root.get("aria-label"))
        assert not re.search(r'="[^"]*\b(nan|inf)\b', chart)


def test_the_verdict_comes_first(page, data):
    assert [name for name, _ in page.elements].count("h1") == 1
    places = [
        page.words.index(words)
        for words in (
            "The model beats nothing.",
            "It has lost money, too.",
            "holdout opened 1 time",
            "R² against",
            "How much less it loses",
            "What the inputs matter",
            "What came after each range",
            "In-sample loss",
            "the account against buy and hold",
            "Samples of each span",
        )
    ]
    assert places == sorted(places)
    assert data.evaluation.verdict in page.words, "what the scores say is not left out"


def test_a_verdict_that_is_that_of_the_scores_is_said_once(make, read, evaluation):
    page = read(render_report(make(verdict=evaluation.verdict)))

    assert page.words.count(evaluation.verdict.split(". ")[0]) == 1


def test_key_figures_are_those_of_the_data_with_their_errors(page, data):
    inside, scores = data.evaluation.scores(0)
    model, error = scores.by_rule["model"], scores.errors["model"]
    for words in (
        f"Correlation {model.correlation:.3f} ± {1.96 * error.correlation:.3f}".replace("-", "−"),
        f"Hit rate {model.hit_rate * 100:.1f} % ± {196 * error.hit_rate:.1f} %",
        f"Loss {model.loss:.4f} ± {1.96 * error.loss:.4f} in-sample {inside.by_rule['model'].loss:.4f}; "
        f"predicting the mean {scores.by_rule['in-sample mean'].loss:.4f}",
        "Return +12.3 % buy and hold −5.7 %",
        "Largest drawdown 21.3 % buy and hold 38.0 %",
        "Sharpe ratio, a year 0.79 ± 1.45, inside the error buy and hold −0.56 ± 1.43",
        "Exposure 43.2 %",
        "Trades 3 commission 1,234.57",
    ):
        assert words in page.words


def test_scores_stand_side_by_side_as_they_are(page, data):
    inside, outside = data.evaluation.scores(0)

    rows = {row[0]: row[1:] for row in cells(page, "scores")[2:]}

    assert list(rows) == ["model", *in_order(inside.by_rule)]
    for rule, shown in rows.items():
        for scores, values in ((inside, shown[:5]), (outside, shown[5:])):
            figures = scores.by_rule[rule]
            expected = [figures.loss, figures.r_squared, figures.correlation, figures.rank_correlation]
            read = [
                math.nan if value == "–" else float(value.split()[0].replace("−", "-"))
                for value in values[:4]
            ]
            assert read == pytest.approx(expected, abs=5.01e-4, nan_ok=True)
            hits = "–" if math.isnan(figures.hit_rate) else f"{figures.hit_rate * 100:.1f} %"
            assert values[4].startswith(hits)


def test_every_table_and_chart_names_its_dates_and_symbols(page, data):
    inside, outside = data.evaluation.scores(0)
    spans = [f"{each.start:%Y-%m-%d} – {each.end:%Y-%m-%d}" for each in (inside, outside)]
    for name in ("ranges", "scores"):
        heads = cells(page, name)[0][1:]
        assert [f"{span} · " in head for span, head in zip(spans, heads, strict=True)] == [True, True]
    bars = f"{data.traded.bars.index[0]:%Y-%m-%d} – {data.traded.bars.index[-1]:%Y-%m-%d}"
    for words in (
        "In-sample 2004-01-02 – 2009-06-29, 13,905 samples; ",
        "out-of-sample 2009-06-30 – 2011-04-28, 4,610 samples; AAPL, IBM.",
        f"AAPL, {bars}, 450 bars.",
        f"AAPL, {bars}, BuyPredictedGain. The account starts with 10,000.00. Commission is 0.1 % of",
        f"Out of sample {spans[1]} · ROC(5) · AAPL, IBM",
        f"Traded on the holdout {bars} · BuyPredictedGain · AAPL",
        "Out-of-sample, 240 samples on 120 days.",
    ):
        assert words in page.words


def test_what_limits_the_figures_is_told_at_the_top(page):
    for words in (
        "holdout opened 1 time those days are no longer unseen",
        "80 trials on these days at most one in forty that learn nothing is credited by chance, 2 of 80",
        "13,905 in-sample samples worth at most 2,781 independent ones",
    ):
        assert words in page.words


def test_a_sealed_holdout_and_what_is_not_known_are_told(make, read, data):
    sealed = read(render_report(make(bars=40, openings=data.openings.iloc[:0], backtest=None, trials=None)))
    assert "holdout sealed nothing of its days was ever shown" in sealed.words
    assert "model.open_holdout(reason=…)" in sealed.words
    assert "trials" not in sealed.words.split("Holdout")[0]
    unknown = read(render_report(make(bars=40, openings=None, effective_samples=math.nan)))
    assert "How often the holdout was opened is not recorded in this store." in unknown.words
    assert "independent ones" not in unknown.words


def test_of_many_openings_the_last_are_listed_and_all_are_counted(make, read, data):
    many = pd.concat([data.openings.assign(reason=f"look {i}") for i in range(33)], ignore_index=True)
    page = read(render_report(make(bars=40, openings=many)))

    assert "holdout opened 33 times" in page.words
    assert [row[-1] for row in cells(page, "openings")[1:]] == [f"look {i}" for i in range(13, 33)]
    assert "The last 20 are here, all of them in model.openings." in page.words


def test_the_record_is_complete(page, data):
    assert cells(page, "spans")[1:] == [
        ["in-sample", "2004-01-02", "2009-06-29", "13,905", "55", "0", "0"],
        ["out-of-sample", "2009-06-30", "2011-04-28", "4,610", "54", "12", "345"],
        ["holdout", "2011-04-29", "2013-03-01", "4,930", "0", "0", "0"],
    ]
    opened = ["2026-03-02 12:30", "us-5d", "AAPL, IBM", "2011-04-29 – 2013-03-01", "score", "the final check"]
    assert cells(page, "openings")[1:] == [opened]
    trials = cells(page, "trials")[1:]
    assert [row[2] for row in trials] == [f"run-{i}" for i in range(70, 80)]
    assert trials[0] == ["2026-03-01 09:00", "us-5d", "run-70", "us-stocks"]
    assert "seed 17 torch 2.13.0" in page.words
    assert "60 epochs in 3.0 s; the save point is epoch 41. No better loss for 19 epochs." in page.words


def test_every_trade_has_its_row(page, data):
    rows = cells(page, "trades")[1:]

    assert [row[1] for row in rows] == [f"{day:%Y-%m-%d}" for day in data.backtest.trades["entry_date"]]
    assert page.of("details") == [{"class": "wide"}], "folded away at first"


def test_hovering_reads_what_the_data_are(page, data):
    readings = json.loads(re.search(r'id="readings">(.*?)</script>', page.html, re.DOTALL).group(1))

    assert set(readings) == {"epochs", "bars"}, "candles and account share one cross-hair"
    columns = {column["name"]: column["values"] for column in readings["bars"]["figures"]["candles"]}
    assert columns["close"] == data.traded.bars["close"].round(4).tolist()
    assert columns["predicted"][:2] == [None, None]
    assert {found["data-figure"] for found in page.of("figure") if "data-figure" in found} == {
        name for group in readings.values() for name in group["figures"]
    }


def test_an_account_on_other_dates_has_a_cross_hair_of_its_own(make, apple, backtest):
    html = render_report(make(bars=40, backtest=backtest(apple.iloc[-60:], [(2, 4)])))

    readings = json.loads(re.search(r'id="readings">(.*?)</script>', html, re.DOTALL).group(1))
    assert set(readings) == {"epochs", "bars", "account"}


def test_hostile_text_is_shown_and_never_run(make, read, evaluation):
    plain = make(bars=40)
    outputs = tuple(dataclasses.replace(output, name=HOSTILE) for output in evaluation.outputs)
    data = dataclasses.replace(
        plain,
        model=HOSTILE,
        subtitle=HOSTILE,
        verdict=HOSTILE,
        stop_reason=HOSTILE,
        left_out=HOSTILE,
        openings=plain.openings.assign(model=HOSTILE, reason=HOSTILE),
        trials=plain.trials.assign(run=HOSTILE),
        importance=Importance(plain.importance.frame.assign(input=HOSTILE, output=HOSTILE), HOSTILE),
        traded=dataclasses.replace(plain.traded, label=HOSTILE),
        symbols=(HOSTILE,),
        record={HOSTILE: HOSTILE},
        evaluation=dataclasses.replace(evaluation, outputs=outputs),
        backtest=dataclasses.replace(plain.backtest, strategy=HOSTILE, symbol=HOSTILE),
    )

    page = read(render_report(data))

    assert len(page.of("script")) == 2
    assert page.of("img") == []
    assert "\x00" not in page.html
    assert page.words.count(SHOWN) > 12
    for chart in page.charts:
        ET.fromstring(chart)


def test_a_holdout_without_bars_is_said(make, read, apple):
    none = apple.iloc[:0]
    traded = Traded(none, pd.Series(dtype=float, index=none.index), "ROC(5)")
    page = read(render_report(make(traded=traded)))

    assert "No bars lie in the holdout" in page.words


def test_without_a_backtest_there_is_no_account(make, read):
    page = read(render_report(make(traded=None, backtest=None)))

    assert "Return" not in page.words
    assert [name for name in page.tables if name.startswith("trades")] == []
    assert "The holdout was opened 1 time" in page.words


def test_missing_spans_are_said(make, read, evaluation_in_sample_only):
    whole = make(bars=40)
    page = read(
        render_report(dataclasses.replace(whole, spans=whole.spans[:1], evaluation=evaluation_in_sample_only))
    )

    assert "There is no out-of-sample and no holdout span." in page.words
    assert "In sample; there is no out-of-sample span" in page.words
    assert "Traded; there is no holdout" in page.words
    assert len(cells(page, "scores")[2]) == 6


def test_an_empty_history_and_missing_figures_are_dashes_and_sentences(make, read):
    whole = make(bars=40)
    data = dataclasses.replace(
        whole,
        history=whole.history.iloc[:0],
        backtest=dataclasses.replace(whole.backtest, figures={"sharpe": math.nan}),
        record={},
    )

    page = read(render_report(data))

    assert page.words.count("No epoch is recorded, so there is no curve to draw.") == 2
    assert "Return – buy and hold –" in page.words
    assert "Sharpe ratio, a year – buy and hold – ± –" in page.words


def test_several_outputs_have_tables_each(make, read, evaluation):
    twice = dataclasses.replace(
        evaluation,
        outputs=(evaluation.outputs[0], dataclasses.replace(evaluation.outputs[0], name="ROC(1)")),
        results=evaluation.results * 2,
        samples=evaluation.samples * 2,
    )

    page = read(render_report(make(bars=40, evaluation=twice)))

    assert page.words.count("ROC(1) 5 bars ahead") == 2
    ids = [found["data-figure"] for found in page.of("figure") if "data-figure" in found]
    assert len(ids) == len(set(ids))
    assert len([name for name in page.tables if name.startswith("ranges")]) == 2


def test_hourly_bars_show_their_hours(make, read, apple, backtest):
    index = pd.date_range("2013-02-01 09:00", periods=60, freq="h")
    bars = apple.iloc[-60:].set_axis(index)
    page = read(
        render_report(
            make(traded=Traded(bars, bars["close"] * 0 + 1, "ROC(5)"), backtest=backtest(bars, [(0, 15)]))
        )
    )

    assert "2013-02-01 09:00 – 2013-02-03 20:00, 60 bars" in page.words
    row = cells(page, "trades")[1]
    assert (row[1], row[3]) == ("2013-02-01 09:00", "2013-02-02 00:00")


def test_the_page_is_small_however_many_bars_and_epochs(make, apple, backtest):
    assert len(render_report(make(bars=450)).encode()) < 250_000
    rng = np.random.default_rng(0)
    epochs = 50_000
    history = pd.DataFrame(
        {
            "epoch": np.arange(epochs),
            "in_sample_loss": rng.normal(1, 0.1, epochs),
            "out_of_sample_loss": rng.normal(1, 0.1, epochs),
            "learning_rate": 0.001,
            "seconds": 0.01,
        }
    )
    bars = pd.concat([apple, apple.set_axis(apple.index + pd.DateOffset(years=20))])
    traded = backtest(bars, [(i, i + 2) for i in range(0, 4_000, 2)])
    prediction = pd.Series(rng.normal(0, 1, len(bars)), index=bars.index)
    page = render_report(make(history=history, traded=Traded(bars, prediction, "ROC(5)"), backtest=traded))
    assert len(page.encode()) < 1_000_000


def test_the_same_data_give_the_same_page(data):
    assert render_report(data) == render_report(data)


def test_the_report_is_written_whole_and_its_folder_is_made(data, tmp_path):
    path = tmp_path / "new" / "report.html"

    assert write_report(data, path) == path

    assert path.read_text(encoding="utf-8") == render_report(data)
    assert [each.name for each in path.parent.iterdir()] == ["report.html"]


@pytest.mark.parametrize("failing", ["fsync", "replace"])
def test_a_write_that_fails_leaves_the_old_report_and_nothing_else(data, tmp_path, monkeypatch, failing):
    path = tmp_path / "report.html"
    path.write_text("the old report")

    def fail(*args):
        raise OSError("no space left on device")

    monkeypatch.setattr(os, failing, fail)
    with pytest.raises(OSError, match="no space left"):
        write_report(data, path)

    assert path.read_text() == "the old report"
    assert [each.name for each in tmp_path.iterdir()] == ["report.html"]


def test_importing_the_report_loads_no_network_and_no_host():
    code = (
        "import sys, dlplugin.report; "
        "print([m for m in ('torch', 'lightning', 'backtrader', 'matplotlib') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
