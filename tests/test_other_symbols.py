"""Models that read other symbols and timeframes: the same bits in batch, live and in backtrader."""

from pathlib import Path

import backtrader as bt
import numpy as np
import pandas as pd
import pytest

import dlplugin as dl
from dlplugin.errors import BarsError, SamplesError, TradingError

INPUTS = [
    dl.Input("RSI(14)", depth=2),
    dl.Input('of("IBM", close / EMA(30) - 1)', depth=3),
    'close / of("GOOG", SMA(5), closes="later", max_age=400)',
    'on("1w", ROC(2))',
    'delayed(ROC(3), "3d")',
]
MODES = [
    {"runonce": True, "preload": True, "exactbars": False},
    {"runonce": True, "preload": False, "exactbars": False},
    {"runonce": False, "preload": True, "exactbars": False},
    {"runonce": False, "preload": False, "exactbars": False},
    {"runonce": False, "preload": True, "exactbars": -1},
    {"runonce": False, "preload": True, "exactbars": -2},
    {"runonce": False, "preload": False, "exactbars": -1},
    {"runonce": False, "preload": False, "exactbars": 1},
]


@pytest.fixture(scope="module")
def dataset(us_stocks: dl.DataSet) -> dl.DataSet:
    return us_stocks.subset(["AAPL", "GOOG", "IBM"])


@pytest.fixture(scope="module")
def joined(describe, dataset: dl.DataSet, tmp_path_factory: pytest.TempPathFactory) -> dl.Model:
    model = describe(tmp_path_factory.mktemp("joined") / "models", "joined", inputs=INPUTS)
    model.train(dataset, options=dl.TrainingOptions(epochs=1))
    return model.lock()


@pytest.fixture(scope="module")
def frames(dataset: dl.DataSet) -> dict[str, pd.DataFrame]:
    """Different first bars, last bars and holidays; GOOG is listed after the own first bar."""
    own = dataset["AAPL"].loc["2004-06-01":"2006-06-30"]
    ibm = dataset["IBM"].loc["2004-03-01":"2006-06-20"]
    goog = dataset["GOOG"].loc[:"2006-12-31"]
    return {
        "AAPL": own.drop(own.index[100:140:3]),
        "IBM": ibm.drop(ibm.index[300:360:4]),
        "GOOG": goog.drop(goog.index[50:80:2]),
    }


def wanted(model: dl.Model, frames: dict[str, pd.DataFrame]) -> pd.DataFrame:
    return model.predict(frames["AAPL"], "AAPL", {name: frames[name] for name in ("IBM", "GOOG")})


def test_training_takes_the_others_from_the_dataset_and_names_one_that_is_missing(
    joined: dl.Model, dataset: dl.DataSet, tmp_path: Path, describe
) -> None:
    assert joined.definition.others == ("GOOG", "IBM")
    assert joined.evaluate(dataset).table() is not None
    model = describe(tmp_path / "models", inputs=INPUTS)
    with pytest.raises(SamplesError) as refusal:
        model.train(dataset.subset(["AAPL", "IBM"], name="two"))
    assert str(refusal.value) == (
        "small reads GOOG, which DataSet 'two' does not have; add its bars, for example with dl.DataSet.union"
    )
    output = describe(
        tmp_path / "models", inputs=["RSI(14)"], outputs=[dl.Output('of("MSFT", ROC(1))', look_ahead=1)]
    )
    with pytest.raises(SamplesError, match="small reads MSFT, which DataSet "):
        output.train(dataset)
    assert output.definition.input_others == ()


def test_a_missing_symbol_is_named_when_predicting_and_a_dataset_can_be_given(
    joined: dl.Model, frames: dict[str, pd.DataFrame], dataset: dl.DataSet
) -> None:
    with pytest.raises(BarsError) as refusal:
        joined.predict(frames["AAPL"], "AAPL", {"IBM": frames["IBM"]})
    assert str(refusal.value) == (
        "the bars of 'GOOG' are needed, but were not given, only of AAPL, IBM; pass others={'GOOG': frame}"
    )
    by_dataset = joined.predict(dataset["AAPL"], "AAPL", dataset)
    by_frames = joined.predict(dataset["AAPL"], others={name: dataset[name] for name in ("IBM", "GOOG")})
    assert by_dataset.equals(by_frames)
    own = joined.predict(dataset["IBM"], "IBM", {"GOOG": dataset["GOOG"]})
    assert own.equals(joined.predict(dataset["IBM"], "IBM", dataset))


def test_bar_by_bar_and_in_batch_are_the_same_bits(joined: dl.Model, frames: dict[str, pd.DataFrame]) -> None:
    live = joined.predictor.live("AAPL")
    feeds = {name: list(frames[name].iterrows()) for name in ("IBM", "GOOG")}
    seen = []
    for time, row in frames["AAPL"].iterrows():
        for name, rows in feeds.items():
            while rows and rows[0][0] <= time:
                when, bar = rows.pop(0)
                live.update_other(name, bar.to_dict(), when)
        live.peek((row * 1.01).to_dict(), time)
        peeked = live.peek(row.to_dict(), time)
        seen.append(live.update(row.to_dict(), time))
        np.testing.assert_array_equal(peeked, seen[-1])
    values = wanted(joined, frames).to_numpy()
    assert np.isfinite(values).any()
    np.testing.assert_array_equal(np.array(seen), values)


@pytest.mark.filterwarnings("ignore:.*(unadjusted split|a jump|the same prices):dlplugin.DLPluginWarning")
def test_the_prediction_does_not_look_ahead_in_either_symbol(
    joined: dl.Model, frames: dict[str, pd.DataFrame]
) -> None:
    whole, rng = wanted(joined, frames).to_numpy(), np.random.default_rng(5)
    assert np.isfinite(whole).sum() > 500
    for cut in (250, 301, 302, 303, 400, 480):
        last = frames["AAPL"].index[cut - 1]
        known = {name: frame.loc[:last] for name, frame in frames.items()}
        later = {name: frame.copy() for name, frame in frames.items()}
        for frame in later.values():
            frame.loc[frame.index > last] *= rng.uniform(0.5, 2)
        for changed in (known, later):
            np.testing.assert_array_equal(wanted(joined, changed).to_numpy()[:cut], whole[:cut])


class Watcher(bt.Strategy):
    params = (("model", None),)

    def __init__(self) -> None:
        self.predicted = dl.DLPredictor(self.data, model=self.p.model)
        self.seen: dict[object, float] = {}

    def next(self) -> None:
        self.seen[self.data.datetime.datetime(0)] = self.predicted[0]


def watched(model: dl.Model, frames: dict[str, pd.DataFrame], **mode: object) -> pd.Series:
    cerebro = bt.Cerebro(stdstats=False, **mode)
    for name, frame in frames.items():
        cerebro.adddata(dl.feed(frame, name))
    cerebro.addstrategy(Watcher, model=model)
    return pd.Series(cerebro.run()[0].seen, dtype=float)


@pytest.mark.filterwarnings("ignore:.*(unadjusted split|a jump|the same prices):dlplugin.DLPluginWarning")
@pytest.mark.parametrize("mode", MODES, ids=lambda mode: "-".join(map(str, mode.values())))
def test_a_strategy_sees_the_bits_of_predict_in_every_mode(
    joined: dl.Model, frames: dict[str, pd.DataFrame], mode: dict[str, object]
) -> None:
    if mode["exactbars"] == 1:  # backtrader itself cannot hold back a feed there: the same dates for all
        frames = {name: frame.reindex(frames["AAPL"].index).ffill().bfill() for name, frame in frames.items()}
    seen = watched(joined, frames, **mode)
    values = wanted(joined, frames).iloc[:, 0].loc[seen.index]
    assert values.notna().sum() > 400
    np.testing.assert_array_equal(seen.to_numpy(), values.to_numpy())


def test_a_feed_that_is_missing_is_named(joined: dl.Model, frames: dict[str, pd.DataFrame]) -> None:
    with pytest.raises(TradingError) as refusal:
        watched(joined, {"AAPL": frames["AAPL"], "GOOGL": frames["GOOG"], "IBM": frames["IBM"]})
    assert str(refusal.value) == (
        "model 'joined@1' reads GOOG, but no feed has that name; did you mean 'GOOGL'? add it with "
        "cerebro.adddata(dl.feed(bars, 'GOOG'))"
    )


def test_feeds_of_different_dates_that_backtrader_spoils_with_exactbars_1_are_refused(
    joined: dl.Model, frames: dict[str, pd.DataFrame]
) -> None:
    with pytest.raises(TradingError) as refusal:
        watched(joined, frames, runonce=False, preload=False, exactbars=1)
    assert str(refusal.value) == (
        "feed 'GOOG' changed a bar that another symbol had read; replayed feeds do that (use resampledata), and feeds "
        "of different dates with exactbars=1 (use exactbars=False)"
    )
