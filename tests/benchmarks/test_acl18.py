"""The protocol's pieces on made-up prices; the figures themselves need the real ones."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, matthews_corrcoef

import dlplugin as dl
from benchmarks import acl18

DAYS = pd.bdate_range("2013-11-01", "2016-01-15")
LISTED = DAYS[(DAYS <= "2015-12-31") & (DAYS != "2015-10-14")]
STARTS = {"AA": 0, "BB": 200, "CC": 250, "DD": 300, "EE": 350, "GMRE": 0}


@pytest.fixture(scope="module")
def prices(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One symbol is left out, four begin late, and a day is not listed."""
    rng = np.random.default_rng(3)
    folder = tmp_path_factory.mktemp("acl18")
    tables = []
    for symbol, start in STARTS.items():
        close = 50 * np.exp(np.cumsum(rng.normal(0, 0.01, len(DAYS))))
        table = pd.DataFrame({"symbol": symbol, "date": DAYS, "open": close * 1.001, "high": close * 1.01})
        table = table.assign(low=close * 0.99, close=close, adj_close=close * 0.9, volume=1000.0)
        tables.append(table.iloc[start:])
    pd.concat(tables).to_parquet(folder / "prices.parquet")
    pd.Series(LISTED.strftime("%Y-%m-%d")).to_csv(folder / "trading_dates.csv", header=False, index=False)
    return folder / "prices.parquet"


@pytest.fixture(scope="module")
def dataset(prices: Path) -> dl.DataSet:
    return dl.DataSet.from_frames("made-up", acl18.bars(prices, prices.with_name("trading_dates.csv")))


def slow_counts(dataset: dl.DataSet) -> dict[str, int]:
    """By the output's day, once 30 bars of mean and 5 of depth are there, and if it moved far enough."""
    counts = {"in-sample": 0, "out-of-sample": 0, "holdout": 0}
    for symbol in dataset.symbols:
        price = dataset[symbol]["adj_close"]
        for place in range(34, len(price)):
            day, move = price.index[place], 100 * (price.iloc[place] / price.iloc[place - 1] - 1)
            if -0.5 < move < 0.55 or day < pd.Timestamp("2014-01-02"):
                continue
            late = (day >= pd.Timestamp("2015-08-03")) + (day >= pd.Timestamp("2015-10-01"))
            counts[list(counts)[late]] += 1
    return counts


def test_only_listed_dates_and_symbols_are_left(dataset: dl.DataSet) -> None:
    assert {symbol: len(LISTED) - len(dataset[symbol]) for symbol in dataset.symbols} == {
        symbol: start for symbol, start in STARTS.items() if symbol != "GMRE"
    }
    assert pd.Timestamp("2015-10-14") not in dataset["AA"].index


def test_a_run_is_counted_and_judged_and_what_is_off_is_told(
    prices: Path, dataset: dl.DataSet, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(acl18, "EPOCHS", 2)
    counts = slow_counts(dataset)

    assert acl18.main(["--prices", str(prices), "--seeds", "1"]) == 1

    printed, told = capsys.readouterr()
    assert sum(line.startswith("seed") for line in printed.splitlines()) == 1
    assert f"test span: {counts['holdout']} samples" in printed
    assert f"in-sample has {counts['in-sample']:,} samples, not 20,315" in told
    assert f"out-of-sample has {counts['out-of-sample']:,} samples, not 2,555" in told
    assert f"holdout has {counts['holdout']:,} samples, not 3,720" in told
    assert "always up hits" in told
    assert "by its evaluation" not in told


def test_an_evaluation_that_is_not_the_predictions_is_told(
    dataset: dl.DataSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(acl18, "EPOCHS", 1)
    monkeypatch.setattr(acl18, "opened", lambda model: acl18.Score(0.5, 0.02, 0.0, 0.04))
    assert acl18.measure(dataset, 1)[0].startswith(
        "seed 0 has  50.00 ± 2.00 %   0.000 ± 0.040 by its evaluation, but"
    )


def test_a_score_is_that_of_independent_figures() -> None:
    rng = np.random.default_rng(0)
    days = np.repeat(pd.bdate_range("2015-10-01", periods=40).to_numpy(), 20)
    up = rng.integers(0, 2, 800).astype(float)
    named = [np.where(rng.random(800) < share, up, 1 - up) for share in (0.55, 0.6)]

    found = acl18.score(named, up, days)

    assert found.accuracy == pytest.approx(np.mean([accuracy_score(up, one) for one in named]))
    assert found.correlation == pytest.approx(np.mean([matthews_corrcoef(up, one) for one in named]))


def test_nothing_is_off_where_the_protocol_is_met() -> None:
    score = acl18.Score(0.55, 0.02, 0.1, 0.04)
    assert acl18.faults(acl18.COUNTS, acl18.RULES, score) == []
    assert acl18.faults(acl18.COUNTS, acl18.RULES, acl18.Score(0.52, 0.02, float("nan"), 0.04)) == [
        "accuracy is 52.00 %, not 53.5 to 56.5 %",
        "correlation is nan, not 0.07 to 0.13",
    ]
