"""A model reads the data of its training again, and refuses what is not what it was."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import dlplugin as dl
from dlplugin.bars.yahoo_source import Patience
from dlplugin.errors import BarsError
from dlplugin.model.data import training_data
from dlplugin.training.prepare import _data
from tests.bars.yahoo_server import Listing, Yahoo, walk

OPTIONS = dl.TrainingOptions(epochs=1)


def record(dataset: dl.DataSet, validation: dl.DataSet | None = None) -> dict[str, Any]:
    """What a run of these holds of them."""
    more = {} if validation is None else {"validation": _data(validation)}
    return {"model": "small", "dataset": _data(dataset), **more}


def refusal(recorded: dict[str, Any]) -> str:
    with pytest.raises(BarsError) as caught:
        training_data(recorded)
    return str(caught.value)


def write(folder: Path, **frames: pd.DataFrame) -> dl.DataSet:
    folder.mkdir(exist_ok=True)
    for symbol, bars in frames.items():
        bars.to_csv(folder / f"{symbol}.csv")
    return dl.DataSet.from_folder(folder)


@pytest.fixture
def frames(us_stocks: dl.DataSet) -> dict[str, pd.DataFrame]:
    return {symbol: us_stocks[symbol].iloc[:400] for symbol in ("AAPL", "IBM")}


def test_a_locked_model_has_its_dataset_and_is_evaluated_on_it(
    locked: dl.Model, two_stocks: dl.DataSet
) -> None:
    assert (locked.dataset.name, locked.dataset.fingerprint) == (two_stocks.name, two_stocks.fingerprint)
    assert locked.dataset.origin == two_stocks.origin
    assert locked.evaluate().to_json() == locked.evaluate(two_stocks).to_json()


def test_a_model_validated_on_another_set_reads_both(
    model: dl.Model, us_stocks: dl.DataSet, frames: dict[str, pd.DataFrame], tmp_path: Path
) -> None:
    folder = write(tmp_path / "prices", **frames)
    other = us_stocks.subset("MSFT")
    model.train(folder, options=OPTIONS, validation=other)
    assert model.evaluate().to_json() == model.evaluate(folder, other).to_json()
    (tmp_path / "prices").rename(tmp_path / "moved")
    with pytest.raises(BarsError) as caught:
        model.evaluate(validation=other)
    assert str(caught.value) == (
        f"model 'small' was trained on 'prices', but there is no folder {str(tmp_path / 'prices')!r}; give dataset="
    )


def test_a_validation_in_memory_can_be_given_and_does_not_stand_before_the_dataset(
    model: dl.Model, two_stocks: dl.DataSet
) -> None:
    mine = dl.DataSet.from_frames("mine", {"A": two_stocks["IBM"]})
    model.train(two_stocks, options=OPTIONS, validation=mine)
    assert model.dataset.fingerprint == two_stocks.fingerprint
    again = model.evaluate(two_stocks, mine).to_json()
    assert model.evaluate().to_json() == again  # on the samples that its run keeps
    (model.run.path / "samples.safetensors").unlink()
    assert model.evaluate(validation=mine).to_json() == again
    with pytest.raises(BarsError) as caught:
        model.evaluate()
    assert str(caught.value) == ("model 'small' was validated on 'mine', frames in memory; give validation=")


def test_frames_in_memory_must_be_given(frames: dict[str, pd.DataFrame]) -> None:
    assert refusal(record(dl.DataSet.from_frames("mine", frames))) == (
        "model 'small' was trained on 'mine', frames in memory; give dataset="
    )


def test_new_bars_and_new_symbols_of_a_folder_are_cut_off(
    frames: dict[str, pd.DataFrame], us_stocks: dl.DataSet, tmp_path: Path
) -> None:
    frames["AAPL"] = frames["AAPL"].iloc[100:300]
    before = write(tmp_path / "prices", **frames)
    recorded = record(before)
    write(tmp_path / "prices", **{symbol: us_stocks[symbol] for symbol in ("AAPL", "IBM", "MSFT")})
    found, validation = training_data(recorded)
    assert (found.name, found.fingerprint, validation) == (before.name, before.fingerprint, None)
    assert record(found)["dataset"]["symbols"] == recorded["dataset"]["symbols"]
    again, _ = training_data(record(found))  # of a model trained on them
    assert again.fingerprint == before.fingerprint


def test_new_bars_within_the_last_day_are_cut_off(tmp_path: Path) -> None:
    hours = dl.DataSet.bundled("eurusd-1h")["EURUSD"]
    before = write(tmp_path / "hours", EURUSD=hours.iloc[:1000])
    recorded = record(before)
    write(tmp_path / "hours", EURUSD=hours.iloc[:1003])
    assert training_data(recorded)[0].fingerprint == before.fingerprint


@pytest.mark.parametrize("change", ["fewer", "other", "none"])
def test_bars_that_have_changed_are_refused(
    frames: dict[str, pd.DataFrame], tmp_path: Path, change: str
) -> None:
    recorded = record(write(tmp_path / "prices", **frames))
    ibm = frames["IBM"].drop(frames["IBM"].index[7])
    if change == "other":
        ibm = frames["IBM"].copy()
        ibm.iloc[7, ibm.columns.get_loc("volume")] += 1
    write(tmp_path / "prices", IBM=ibm)
    if change == "none":
        (tmp_path / "prices" / "IBM.csv").unlink()
    now = {"fewer": "there are 399", "other": "they have other values", "none": "there are none"}[change]
    assert refusal(recorded) == (
        "the bars of IBM in 'prices' are not those that model 'small' was trained on: there were 400 from 2004-01-02 "
        f"to 2005-08-03, now {now}; give dataset=, or train it again"
    )


def test_symbols_of_yahoo_are_read_again_until_a_dividend_moves_them(
    yahoo: Yahoo, monkeypatch: pytest.MonkeyPatch
) -> None:
    import dlplugin.bars.dataset as module

    quick = {"session": yahoo.session(), "patience": Patience(tries=1, wait=0.01, limited=0.02, timeout=3.0)}
    fetch = module.fetch
    monkeypatch.setattr(module, "fetch", lambda *given, cache=None, session=None: fetch(*given, **quick))
    days = pd.date_range("2020-01-01", periods=300, freq="B")
    yahoo.listings["AAPL"] = Listing(walk(days), until=days[200])
    before = dl.DataSet.from_yahoo("tech", "AAPL", "2020-03-02")
    recorded = record(before)
    yahoo.listings["AAPL"] = Listing(walk(days))
    found, _ = training_data(recorded)
    assert (found.name, found.fingerprint) == ("tech", before.fingerprint)
    yahoo.listings["AAPL"] = Listing(walk(days), dividends={str(days[-2].date()): 2.0})
    last = days[200].date()
    assert refusal(recorded) == (
        "the bars of AAPL in 'tech' are not those that model 'small' was trained on: there were "
        f"{len(before['AAPL'])} from 2020-03-02 to {last}, now they have other values, as Yahoo gives them after each "
        "dividend or split; give dataset=, or train it again"
    )


def test_records_without_an_origin_find_bundled_sets_by_name_and_bars(two_stocks: dl.DataSet) -> None:
    recorded = record(two_stocks)
    del recorded["dataset"]["origin"]
    found, _ = training_data(recorded)
    assert (found.name, found.fingerprint) == (two_stocks.name, two_stocks.fingerprint)
    recorded["dataset"]["symbols"]["IBM"]["fingerprint"] = "other"
    assert refusal(recorded) == (
        "model 'small' was trained on 'us-stocks (2 of 11)', frames in memory; give dataset="
    )
