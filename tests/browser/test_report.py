"""Reports in a real browser: nothing cut, overlapping or unlabelled, on screens and in print."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import dlplugin as dl
from dlplugin import actions
from tests.browser.chromium import launched
from tests.browser.looking import cut, overflow, overlaps, split, unnamed

pytestmark = pytest.mark.browser

REPORTS = ("demo", "classes", "three classes", "in sample only", "many symbols", "without its data")
PAGE = (1032, 703)  # CSS pixels of A4 landscape within its margins
SECTIONS = ("What it adds", "Tables", "Training", "Holdout", "Record")
BREAK = {  # what each check must find: a style or an element that breaks the page
    "overlap": "document.querySelector('.more').style.marginTop = '-20px'",
    "svg overlap": "document.querySelectorAll('svg .tick')[1].setAttribute('x', document.querySelectorAll('svg .tick')[0].getAttribute('x')); document.querySelectorAll('svg .tick')[1].setAttribute('text-anchor', document.querySelectorAll('svg .tick')[0].getAttribute('text-anchor') || 'start'); document.querySelectorAll('svg .tick')[1].setAttribute('y', document.querySelectorAll('svg .tick')[0].getAttribute('y'))",
    "cut": "document.querySelector('.tiles dt').style.cssText = 'width: 20px; overflow: hidden; white-space: nowrap'",
    "svg cut": "document.querySelector('svg text').setAttribute('x', -20)",
    "overflow": "document.querySelector('h2').style.cssText = 'width: 3000px'",
    "unnamed": "document.querySelector('svg.chart').removeAttribute('aria-label')",
    "untitled": "document.querySelector('figure h3').textContent = ''",
    "unlabelled": "document.querySelectorAll('svg.chart')[0].querySelectorAll('.axis-title').forEach((each) => each.remove())",
    "split": "document.querySelector('figure').style.breakInside = 'auto'",
    "tall": "document.querySelector('figure').style.minHeight = '900px'",
}


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    with launched() as found:
        yield found


def walks(symbols: list[str], days: int, seed: int = 3) -> dl.DataSet:
    rng, frames = np.random.default_rng(seed), {}
    for symbol in symbols:
        close = 50 * np.exp(np.cumsum(rng.normal(0, 0.02, days)))
        before = np.append(50.0, close[:-1])
        frames[symbol] = pd.DataFrame(
            {
                "open": before,
                "high": np.maximum(before, close) * 1.01,
                "low": np.minimum(before, close) * 0.99,
                "close": close,
                "volume": 1e6,
            },
            index=pd.bdate_range("2012-01-02", periods=days, name="date"),
        )
    return dl.DataSet.from_frames("a name of a set that says at length what it is", frames)


@pytest.fixture(scope="session")
def reports(
    tmp_path_factory: pytest.TempPathFactory, describe: Callable[..., dl.Model], two_stocks: dl.DataSet
) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("reports")
    store, quick = folder / "models", dl.TrainingOptions(epochs=2, learning_rate=0.01)
    found = {"demo": actions.demo(folder / "demo").report}

    def made(name: str, model: dl.Model, data: dl.DataSet, **how: Any) -> dl.Model:
        model.train(data, options=quick, **how)
        found[name] = model.report(folder / f"{name.replace(' ', '-')}.html", data)
        return model

    model = made(
        "classes",
        describe(store, "up-down", outputs=[dl.Output("ROC(1)", look_ahead=1, classes=[0])]),
        two_stocks,
    )
    model.open_holdout("to see it in the report", two_stocks)
    three = [dl.Output("ROC(5)", look_ahead=5, classes=[-1, 1])]
    made("three classes", describe(store, "three", outputs=three), two_stocks)
    made("in sample only", describe(store, "inside"), two_stocks, split=dl.Split(1.0, 0.0))
    many = [f"SYMBOL-{i:02d}.LONGNAME" for i in range(88)]
    long = dl.Input(
        "close / SMA(20) - 1",
        name="the close over its mean of twenty days, less one, as it is known at the close",
    )
    inputs = [long, *(dl.Input(f"ROC({i})") for i in range(1, 18))]
    outputs = [
        dl.Output(
            "ROC(5)", look_ahead=5, name="the change of the close over the five days that follow the bar"
        )
    ]
    wide = made(
        "many symbols",
        describe(store, "a-model-with-a-long-name-that-says-what-it-is", inputs=inputs, outputs=outputs),
        walks(many, 400),
    )
    found["without its data"] = wide.report(folder / "without.html")
    return found


@pytest.fixture(params=REPORTS)
def report(request: pytest.FixtureRequest, reports: dict[str, Path]) -> Path:
    return reports[request.param]


@pytest.fixture
def opened(browser: Any) -> Iterator[Callable[..., Any]]:
    """Opens a report; afterwards nothing was asked of the network, and nothing was complained of."""
    pages, asked, said = [], [], []

    def open_page(
        path: Path, width: int = 1280, media: str = "screen", scheme: str = "light", height: int = 900
    ) -> Any:
        page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.emulate_media(media=media, color_scheme=scheme)
        page.goto(path.as_uri())
        pages.append((page, path.as_uri()))
        return page

    yield open_page
    for page, _ in pages:
        page.close()
    assert said == []
    assert [url for url in asked if url not in {own for _, own in pages}] == []


@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_is_cut_or_lies_on_another(report: Path, opened: Callable[..., Any], width: int) -> None:
    page = opened(report, width)

    assert overflow(page) == 0
    assert overlaps(page) == []
    assert cut(page, scrolls=width < 900) == []


def test_nothing_is_cut_where_the_folded_is_opened(
    reports: dict[str, Path], opened: Callable[..., Any]
) -> None:
    page = opened(reports["demo"])
    page.evaluate("document.querySelectorAll('details').forEach((each) => (each.open = true))")

    assert overlaps(page) == []
    assert cut(page) == []


def test_everything_has_a_name(report: Path, opened: Callable[..., Any]) -> None:
    assert unnamed(opened(report)) == []


def test_pointing_reads_out_values_and_moves_nothing(
    reports: dict[str, Path], opened: Callable[..., Any]
) -> None:
    page = opened(reports["demo"])
    chart = page.locator("[data-figure=candles] svg")
    chart.scroll_into_view_if_needed()
    before = page.evaluate("document.documentElement.scrollHeight")
    chart.hover(position={"x": 500, "y": 200})

    read = page.locator("[data-figure=candles] .reading").inner_text()
    assert re.search(r"^20\d\d-\d\d-\d\d · open [\d.]+ · high", read)
    assert page.locator("[data-figure=account] .reading").inner_text().startswith(read[:10])
    assert page.evaluate("document.documentElement.scrollHeight") == before
    assert overlaps(page) == []
    assert overflow(page) == 0


def test_dark_screens_show_the_same(reports: dict[str, Path], opened: Callable[..., Any]) -> None:
    page = opened(reports["demo"], scheme="dark")

    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == "rgb(15, 18, 22)"
    assert overlaps(page) == []


def test_print_splits_and_cuts_nothing(report: Path, opened: Callable[..., Any]) -> None:
    page = opened(report, PAGE[0], "print", height=PAGE[1])
    page.evaluate("dispatchEvent(new Event('beforeprint'))")

    assert split(page, *PAGE) == []
    assert overlaps(page) == []
    assert cut(page) == []
    assert overflow(page) == 0


def test_paper_is_light_whatever_the_screen_is(reports: dict[str, Path], opened: Callable[..., Any]) -> None:
    page = opened(reports["demo"], PAGE[0], "print", "dark")

    assert page.evaluate("getComputedStyle(document.querySelector('h1')).color") == "rgb(28, 33, 39)"
    assert page.evaluate("getComputedStyle(document.body).printColorAdjust") == "exact"


def test_the_printed_report_has_all_sections_on_a_few_pages(
    report: Path, opened: Callable[..., Any], tmp_path: Path
) -> None:
    page = opened(report, media="print")
    page.pdf(path=str(tmp_path / "report.pdf"), prefer_css_page_size=True, outline=True, tagged=True)

    pdf = (tmp_path / "report.pdf").read_bytes()
    pages = len(re.findall(rb"/Type /Page\b(?!s)", pdf))
    assert 3 <= pages <= 14
    assert {*re.findall(rb"/MediaBox \[([^\]]*)\]", pdf)} <= {
        b"0 0 841.91998 595.91998",
        b"0 0 842.88 595.91998",
        b"0 0 841.91998 594.95996",
    }
    titles = [title.decode("latin-1") for title in re.findall(rb"/Title \(([^)]*)\)", pdf)]
    assert [title for title in titles if title in SECTIONS] == [*SECTIONS]


@pytest.mark.parametrize("broken", BREAK)
def test_each_check_finds_what_is_broken(
    broken: str, reports: dict[str, Path], opened: Callable[..., Any]
) -> None:
    printed = broken in ("split", "tall")
    page = opened(reports["demo"], PAGE[0] if printed else 1280, "print" if printed else "screen")
    page.evaluate(BREAK[broken])

    if printed:
        assert split(page, *PAGE) != []
    elif "overlap" in broken:
        assert overlaps(page) != []
    elif "cut" in broken:
        assert cut(page) != []
    elif broken == "overflow":
        assert overflow(page) > 0
    else:
        assert unnamed(page) != []
