"""A report on real bars, with made-up predictions, and a reader that takes a page apart again."""

import dataclasses
import re
from collections.abc import Callable, Sequence
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pandas as pd
import pytest

from dlplugin.evaluation import EvaluatedOutput, Evaluation, SpanValues, evaluate
from dlplugin.report import Importance, ReportData, SpanRecord, Traded
from dlplugin.resources import shipped_folder

Make = Callable[..., ReportData]


@dataclasses.dataclass(frozen=True)
class FakeBacktest:
    """What a report reads of a backtest."""

    strategy: str
    symbol: str
    start: pd.Timestamp
    end: pd.Timestamp
    cash: float
    commission: float
    equity: pd.Series
    buy_and_hold: pd.Series
    trades: pd.DataFrame
    figures: dict[str, float]


@dataclasses.dataclass
class Page:
    """A page as a reader without a browser sees it."""

    html: str
    elements: list[tuple[str, dict[str, str | None]]]
    words: str
    tables: dict[str, list[list[str]]]
    """Rows of cells; what stands below in small print is parted by a space."""
    charts: list[str]

    def of(self, name: str) -> list[dict[str, str | None]]:
        return [attributes for element, attributes in self.elements if element == name]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.tables: dict[str, list[list[str]]] = {}
        self._rows: list[list[str]] = []
        self._inside: str | None = None
        self._cell = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._inside = tag if tag in ("script", "style") else None
        if tag == "table":
            self._rows = self.tables.setdefault(f"{dict(attrs)['class']} {len(self.tables)}", [])
        elif tag == "tr":
            self._rows.append([])
        elif tag in ("td", "th"):
            self._rows[-1].append("")
            self._cell = True

    def handle_endtag(self, tag: str) -> None:
        self._inside = None
        if tag in ("td", "th"):
            self._cell = False

    def handle_data(self, data: str) -> None:
        if self._inside is None:
            self.words.append(data)
        if self._cell:
            self._rows[-1][-1] += data


def _charts(html: str) -> list[str]:
    """Every outermost SVG of a page."""
    found, depth, start = [], 0, 0
    for match in re.finditer(r"<svg\b|</svg>", html):
        if match.group() == "</svg>":
            depth -= 1
            if depth == 0:
                found.append(html[start : match.end()])
        else:
            start = match.start() if depth == 0 else start
            depth += 1
    return found


@pytest.fixture(scope="session")
def read() -> Callable[[str], Page]:
    def read_page(html: str) -> Page:
        reader = _Reader()
        reader.feed(html)
        reader.close()
        words = " ".join(" ".join(reader.words).split())
        return Page(html, reader.elements, words, reader.tables, _charts(html))

    return read_page


@pytest.fixture(scope="session")
def apple() -> pd.DataFrame:
    path = shipped_folder("datasets") / "us-stocks" / "AAPL.csv.gz"
    return pd.read_csv(path, parse_dates=["date"], index_col="date").astype(float)


def _span_values(rng: np.random.Generator, start: str, days: int) -> SpanValues:
    times = np.repeat(pd.bdate_range(start, periods=days).to_numpy(), 2)
    predicted = rng.normal(0, 1, (2 * days, 1))
    return SpanValues(
        times=times,
        symbols=np.tile(np.array(["AAPL", "IBM"]), days),
        inputs=rng.normal(0, 1, (2 * days, 3)).astype(np.float32),
        predicted=predicted,
        actual=0.4 * predicted + rng.normal(0, 2, (2 * days, 1)),
    )


@pytest.fixture(scope="session")
def evaluation() -> Evaluation:
    rng = np.random.default_rng(7)
    outputs = [EvaluatedOutput("ROC(5)", 5, 2.0)]
    inside, outside = _span_values(rng, "2004-02-02", 300), _span_values(rng, "2009-07-01", 120)
    return evaluate(outputs, np.array([2.0]), inside, outside)


@pytest.fixture(scope="session")
def evaluation_in_sample_only() -> Evaluation:
    rng = np.random.default_rng(7)
    outputs = [EvaluatedOutput("ROC(5)", 5, 2.0)]
    return evaluate(outputs, np.array([2.0]), _span_values(rng, "2004-02-02", 60), None)


def _trades(bars: pd.DataFrame, held: Sequence[tuple[int, int | None]]) -> pd.DataFrame:
    rows = []
    for entry, leave in held:
        price = bars["open"].iloc[entry]
        left = float("nan") if leave is None else bars["open"].iloc[leave]
        gain = (bars["close"].iloc[-1] if leave is None else left) - price
        rows.append(
            (
                bars.index[entry],
                price,
                pd.NaT if leave is None else bars.index[leave],
                left,
                100.0,
                100 * gain,
            )
        )
    columns = ["entry_date", "entry_price", "exit_date", "exit_price", "size", "profit"]
    return pd.DataFrame(rows, columns=columns)


def backtest_on(bars: pd.DataFrame, held: Sequence[tuple[int, int | None]]) -> Any:
    closes = bars["close"]
    equity = 10_000 + 50 * (closes - closes.iloc[0])
    return FakeBacktest(
        strategy="BuyPredictedGain",
        symbol="AAPL",
        start=bars.index[0],
        end=bars.index[-1],
        cash=10_000.0,
        commission=0.001,
        equity=equity,
        buy_and_hold=10_000 * closes / closes.iloc[0],
        trades=_trades(bars, held),
        figures={
            "return_percent": 12.34,
            "buy_and_hold_percent": -5.678,
            "sharpe": 0.789,
            "sharpe_error": 0.741,
            "buy_and_hold_sharpe": -0.561,
            "buy_and_hold_sharpe_error": 0.732,
            "max_drawdown_percent": 21.26,
            "buy_and_hold_drawdown_percent": 38.04,
            "exposure_percent": 43.21,
            "trades": float(len(held)),
            "commission_paid": 1234.567,
        },
    )


@pytest.fixture(scope="session")
def backtest() -> Callable[..., Any]:
    return backtest_on


@pytest.fixture(scope="session")
def make(apple: pd.DataFrame, evaluation: Evaluation) -> Make:
    def make_data(bars: int = 450, **changes: Any) -> ReportData:
        shown = apple.iloc[-bars:]
        rng = np.random.default_rng(3)
        prediction = pd.Series(rng.normal(0.2, 1, bars), index=shown.index)
        prediction.iloc[:2] = np.nan
        epochs = np.arange(1, 61)
        history = pd.DataFrame(
            {
                "epoch": epochs,
                "in_sample_loss": 0.9 + 0.1 / epochs,
                "out_of_sample_loss": 0.8 + 0.0001 * (epochs - 41.0) ** 2,
                "learning_rate": 0.001,
                "seconds": 0.05,
            }
        )
        day = pd.Timestamp
        settings: dict[str, Any] = {
            "model": "us-5d",
            "subtitle": "MLP 9→32→16→1 · 881 weights",
            "verdict": "The model beats nothing. It has lost money, too.",
            "evaluation": evaluation,
            "history": history,
            "best_epoch": 41,
            "stop_reason": "no better loss for 19 epochs",
            "spans": (
                SpanRecord("in-sample", day("2004-01-02"), day("2009-06-29"), 13905, 55),
                SpanRecord("out-of-sample", day("2009-06-30"), day("2011-04-28"), 4610, 54, 12, 345),
                SpanRecord("holdout", day("2011-04-29"), day("2013-03-01"), 4930, 0),
            ),
            "traded": Traded(shown, prediction, "ROC(5), look ahead 5, %"),
            "backtest": backtest_on(shown, [(2, 4), (6, 7), (bars - 2, None)]),
            "record": {"seed": "17", "torch": "2.13.0"},
            "facts": {"seed": 17, "nothing": float("nan")},
            "effective_samples": 2781.4,
            "importance": Importance(
                pd.DataFrame(
                    {
                        "output": "ROC(5)",
                        "input": ["RSI(14)", "ROC(5)", "close"],
                        "rise": [0.02, 0.05, -0.01],
                        "error": [0.03, 0.01, float("nan")],
                    }
                ),
                "out-of-sample, 240 samples, 10 permutations",
            ),
            "openings": pd.DataFrame(
                {
                    "time": [pd.Timestamp("2026-03-02 12:30", tz="UTC")],
                    "model": ["us-5d"],
                    "purpose": ["score"],
                    "symbols": [("AAPL", "IBM")],
                    "start": [day("2011-04-29")],
                    "end": [day("2013-03-01")],
                    "reason": ["the final check"],
                }
            ),
            "trials": pd.DataFrame(
                {
                    "time": [pd.Timestamp("2026-03-01 09:00", tz="UTC")] * 80,
                    "model": ["us-5d"] * 80,
                    "run": [f"run-{i}" for i in range(80)],
                    "dataset": ["us-stocks"] * 80,
                }
            ),
            "symbols": ("AAPL", "IBM"),
        }
        return ReportData(**(settings | changes))

    return make_data
