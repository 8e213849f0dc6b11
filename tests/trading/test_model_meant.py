"""Which model a strategy means by a name."""

import shutil
import warnings
from pathlib import Path

import backtrader as bt
import numpy as np
import pandas as pd
import pytest

import dlplugin as dl
from dlplugin.prediction import Predictor


class Watcher(bt.Strategy):
    """Notes each prediction that a strategy sees."""

    params = (("model", None), ("store", None))

    def __init__(self) -> None:
        self.predicted = dl.DLPredictor(self.data, model=self.p.model, store=self.p.store)
        self.seen: list[float] = []

    def next(self) -> None:
        self.seen.append(self.predicted[0])


def watched(bars: pd.DataFrame, runonce: bool = True, **params: object) -> list[float]:
    cerebro = bt.Cerebro(stdstats=False, runonce=runonce)
    cerebro.adddata(dl.feed(bars))
    cerebro.addstrategy(Watcher, **params)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        seen: list[float] = cerebro.run()[0].seen
    return seen


@pytest.fixture(scope="module")
def twice(locked: dl.Model, two_stocks: dl.DataSet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with a second version of the locked model, of other weights."""
    store = tmp_path_factory.mktemp("twice") / "models"
    shutil.copytree(locked.store, store)
    model = dl.load("locked", store)
    model.unlock()
    model.train(two_stocks, options=dl.TrainingOptions(epochs=1, seed=1))
    model.lock()
    return store


@pytest.mark.parametrize("draft", [False, True])
def test_a_bare_name_is_the_newest_of_several_versions(
    twice: Path, us_stocks: dl.DataSet, tmp_path: Path, draft: bool
) -> None:
    store = tmp_path / "models"
    shutil.copytree(twice, store)
    if draft:
        dl.load("locked", store).unlock()
    bars = us_stocks["MSFT"].iloc[:150]
    first, second = (
        dl.load(f"locked@{number}", store).predict(us_stocks["MSFT"]).iloc[:150, 0].dropna().to_numpy()
        for number in (1, 2)
    )
    assert not np.allclose(first, second)
    np.testing.assert_array_equal(watched(bars, model="locked", store=str(store)), second)
    np.testing.assert_array_equal(watched(bars, model="locked@1", store=str(store)), first)


def test_a_name_is_looked_up_in_the_store_that_is_given(
    locked: dl.Model, twice: Path, us_stocks: dl.DataSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    bars = us_stocks["MSFT"].iloc[:150]
    monkeypatch.setenv("DLPLUGIN_STORE", str(locked.store))
    by_default = watched(bars, model="locked")
    there = watched(bars, model="locked", store=twice)
    wanted = dl.load("locked@2", twice).predict(us_stocks["MSFT"]).iloc[:150, 0].dropna()
    np.testing.assert_array_equal(there, wanted.to_numpy())
    assert not np.allclose(there, by_default)


def test_the_whole_feed_is_predicted_once_a_run(
    locked: dl.Model, us_stocks: dl.DataSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[int] = []
    predict = Predictor.predict

    def counted(predictor: Predictor, bars: pd.DataFrame, *others: object) -> object:
        calls.append(len(bars))
        return predict(predictor, bars, *others)  # type: ignore[arg-type]

    monkeypatch.setattr(Predictor, "predict", counted)
    bars = us_stocks["MSFT"].iloc[:150]
    assert len(watched(bars, model=locked)) == 150 - locked.bars_needed + 1
    assert calls == [150]
    watched(bars, runonce=False, model=locked)
    assert calls == [150]
