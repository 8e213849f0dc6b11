"""DLPredictor in backtrader: the same bits in every mode, and clear words where it cannot work."""

import pickle
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import backtrader as bt
import numpy as np
import pytest

import dlplugin as dl
from dlplugin.errors import TradingError
from tests.trading import watching
from tests.trading.watching import MODES, Watcher, mode_id, watched


@pytest.mark.parametrize("mode", MODES, ids=mode_id)
def test_a_strategy_sees_the_bits_of_predict_in_every_mode(
    locked: dl.Model, us_stocks: dl.DataSet, mode: dict[str, object]
) -> None:
    bars = us_stocks["MSFT"].iloc[:600]
    wanted = locked.predict(bars)
    for output, name in enumerate(wanted.columns):
        (seen,) = watched([dl.feed(bars, "MSFT")], [locked], output, **mode)
        assert len(seen) == len(bars) - locked.bars_needed + 1
        np.testing.assert_array_equal(seen.to_numpy(), wanted[name].loc[seen.index].to_numpy())


def test_after_save_and_load_the_bits_are_the_same(locked: dl.Model, us_stocks: dl.DataSet) -> None:
    bars = us_stocks["MSFT"].iloc[:600]
    loaded = dl.load("locked@1", locked.store)
    assert loaded.predict(bars).equals(locked.predict(bars))
    (seen,) = watched([dl.feed(bars)], [loaded])
    np.testing.assert_array_equal(seen.to_numpy(), locked.predict(bars).loc[seen.index].iloc[:, 0].to_numpy())


@pytest.mark.parametrize("runonce", [True, False])
def test_several_feeds_with_different_calendars_each_have_their_own_predictions(
    locked: dl.Model, us_stocks: dl.DataSet, runonce: bool
) -> None:
    late = us_stocks["GOOG"].iloc[:400]
    gaps = (
        us_stocks["IBM"]
        .loc["2004-08-01":"2006-03-20"]
        .drop(us_stocks["IBM"].index[200:260:7], errors="ignore")
    )
    seen = watched([dl.feed(gaps, "IBM"), dl.feed(late, "GOOG")], [locked], runonce=runonce)
    for bars, values in zip((gaps, late), seen, strict=True):
        wanted = locked.predict(bars).iloc[:, 0].loc[values.index].to_numpy()
        np.testing.assert_array_equal(values.to_numpy(), wanted)


def test_intraday_bars_keep_their_times_to_the_bit(describe, tmp_path: Path) -> None:
    dataset = dl.DataSet.bundled("eurusd-1h")
    model = describe(tmp_path / "models", inputs=["RSI(14)", "day_of_week"])
    model.train(dataset, options=dl.TrainingOptions(epochs=1))
    bars = dataset["EURUSD"].iloc[:500]
    wanted = model.predict(bars).iloc[:, 0]
    for runonce in (True, False):
        with pytest.warns(dl.DLPluginWarning, match="not locked"):
            (seen,) = watched([dl.feed(bars)], [model], runonce=runonce)
        assert list(seen.index) == list(bars.index[model.bars_needed - 1 :])
        np.testing.assert_array_equal(seen.to_numpy(), wanted.loc[seen.index].to_numpy())


def test_a_replayed_week_has_provisional_values_and_ends_with_the_weeks_own(
    locked: dl.Model, us_stocks: dl.DataSet
) -> None:
    daily = us_stocks["MSFT"].iloc[:1500]
    cerebro = bt.Cerebro(stdstats=False)
    cerebro.replaydata(dl.feed(daily), timeframe=bt.TimeFrame.Weeks)
    calls: list[tuple[int, float, tuple[float, ...]]] = []

    class Replayed(Watcher):
        def next(self) -> None:
            data = self.data
            bar = (data.open[0], data.high[0], data.low[0], data.close[0], data.volume[0])
            calls.append((len(data), self.predicted[0][0], bar))

    cerebro.addstrategy(Replayed, models=[locked])
    cerebro.run()
    last = {length: (value, bar) for length, value, bar in calls}
    assert len(calls) > 3 * len(last)
    weeks = daily.resample("W-FRI").agg(
        {"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum"}
    )
    with pytest.warns(dl.DLPluginWarning, match="the bars are 1w apart, but 'locked' was trained on 1d"):
        wanted = locked.predict(weeks).iloc[:, 0]
    lengths = sorted(last)[:-1]
    assert len(lengths) > 200
    np.testing.assert_array_equal(
        [last[n][0] for n in lengths], wanted.iloc[[n - 1 for n in lengths]].to_numpy()
    )


def test_an_output_is_chosen_by_name_or_number(locked: dl.Model, us_stocks: dl.DataSet) -> None:
    bars = us_stocks["MSFT"].iloc[:300]
    by_number, by_name = (watched([dl.feed(bars)], [locked], output)[0] for output in (1, "ROC(1)"))
    assert by_number.equals(by_name)
    with pytest.raises(TradingError) as error:
        watched([dl.feed(bars)], [locked], "roc(1)")
    assert str(error.value) == "model 'locked@1' has no output 'roc(1)'; did you mean 'ROC(1)'?"
    with pytest.raises(TradingError) as error:
        watched([dl.feed(bars)], [locked], 2)
    assert str(error.value) == "model 'locked@1' has no output 2; give 0 to 1"


def test_a_bare_name_is_the_newest_lock_even_while_a_draft_is_being_made(
    locked: dl.Model, us_stocks: dl.DataSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(locked.store, tmp_path / "models")
    monkeypatch.setenv("DLPLUGIN_STORE", str(tmp_path / "models"))
    dl.load("locked").unlock()
    bars = us_stocks["MSFT"].iloc[:300]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        (seen,) = watched([dl.feed(bars)], ["locked"])
    np.testing.assert_array_equal(seen.to_numpy(), locked.predict(bars).iloc[:, 0].loc[seen.index].to_numpy())


def test_a_trained_model_that_is_not_locked_works_with_one_warning(describe, tmp_path, two_stocks) -> None:
    model = describe(tmp_path / "models")
    model.train(two_stocks, options=dl.TrainingOptions(epochs=1))
    bars = two_stocks["IBM"].iloc[:300]
    with pytest.warns(dl.DLPluginWarning) as caught:
        watched([dl.feed(bars)], [model])
    assert [str(warning.message) for warning in caught] == [
        "model 'small' is not locked: its weights can change with the next training; lock() it"
    ]
    assert caught[0].filename == watching.__file__  # where the strategy is


def test_a_draft_a_missing_model_and_no_model_are_refused(
    describe, tmp_path: Path, us_stocks: dl.DataSet
) -> None:
    feed = dl.feed(us_stocks["MSFT"].iloc[:300])
    with pytest.raises(dl.DLPluginError) as error:
        watched([feed], [describe(tmp_path / "models")])
    assert str(error.value) == "model 'small' is a draft; train it first"
    with pytest.raises(TradingError) as error:
        watched([feed], [None])
    assert str(error.value) == "DLPredictor needs a model, not None: DLPredictor(self.data, model='name')"


def test_a_misspelt_parameter_is_refused(locked: dl.Model, us_stocks: dl.DataSet) -> None:
    class Misspelt(bt.Strategy):
        def __init__(self) -> None:
            dl.DLPredictor(self.data, model=locked, outptu=1)

    cerebro = bt.Cerebro()
    cerebro.adddata(dl.feed(us_stocks["MSFT"].iloc[:100]))
    cerebro.addstrategy(Misspelt)
    with pytest.raises(TradingError) as error:
        cerebro.run()
    assert str(error.value) == "DLPredictor has no parameter 'outptu'; did you mean 'output'?"


def test_feeds_with_extra_columns_can_be_pickled_for_other_processes(us_stocks: dl.DataSet) -> None:
    bars = us_stocks["MSFT"].iloc[:100]
    feeds = [dl.feed(bars), dl.feed(bars.iloc[:50]), dl.feed(bars.drop(columns="raw_close"))]
    assert type(feeds[0]) is type(feeds[1])
    assert type(feeds[0]) is not type(feeds[2])
    assert type(pickle.loads(pickle.dumps(type(feeds[0])))) is type(type(feeds[0]))


def test_a_feed_shorter_than_the_warm_up_is_refused_before_backtrader_breaks(
    locked: dl.Model, us_stocks: dl.DataSet
) -> None:
    bars = us_stocks["MSFT"].iloc[: locked.bars_needed - 1]
    with pytest.raises(TradingError) as error:
        watched([dl.feed(bars, "MSFT")], [locked])
    assert str(error.value) == (
        f"MSFT has {len(bars)} bars, but model 'locked@1' needs {locked.bars_needed} until its first prediction; "
        "load more history"
    )


def test_an_input_column_needs_a_line_of_the_feed(describe, tmp_path: Path, two_stocks: dl.DataSet) -> None:
    model = describe(tmp_path / "models", inputs=["raw_close / lag(raw_close, 1)"])
    model.train(two_stocks, options=dl.TrainingOptions(epochs=1))
    locked = model.lock()
    bars = two_stocks["IBM"].iloc[:100]
    (seen,) = watched([dl.feed(bars)], [locked])
    np.testing.assert_array_equal(seen.to_numpy(), locked.predict(bars).iloc[:, 0].loc[seen.index].to_numpy())
    with pytest.raises(TradingError) as error:
        watched([dl.feed(bars.drop(columns="raw_close"))], [locked])
    assert str(error.value) == "model 'small@1' reads raw_close, which the feed has no line for"


def test_bars_that_backtrader_would_run_wrongly_do_not_become_a_feed(us_stocks: dl.DataSet) -> None:
    bars = us_stocks["MSFT"].iloc[:100]
    for wrong in (bars.iloc[::-1], bars.assign(close=np.nan), bars.tz_localize("UTC")):
        with pytest.raises(dl.DLPluginError, match="MSFT"):
            dl.feed(wrong, "MSFT")


def test_it_names_itself_shortly(locked: dl.Model, us_stocks: dl.DataSet) -> None:
    names = []

    class Named(bt.Strategy):
        def __init__(self) -> None:
            names.append(dl.DLPredictor(self.data, model=locked))

        def next(self) -> None:
            pass

    cerebro = bt.Cerebro()
    cerebro.adddata(dl.feed(us_stocks["MSFT"].iloc[:100]))
    cerebro.addstrategy(Named)
    cerebro.run()
    assert repr(names[0]) == "<DLPredictor locked@1 ROC(5)>"
    assert names[0]._plotlabel() == ["locked@1 ROC(5)"]


def test_daily_feeds_of_backtrader_stamp_the_end_of_the_day_and_mean_that_day(
    describe, tmp_path: Path, us_stocks: dl.DataSet
) -> None:
    model = describe(tmp_path / "models", inputs=["ROC(5)", "day_of_week", "month"])
    model.train(us_stocks.subset(["IBM"]), options=dl.TrainingOptions(epochs=1))
    locked = model.lock()
    bars = us_stocks["MSFT"].iloc[:300].drop(columns="raw_close")
    bars.to_csv(tmp_path / "MSFT.csv")
    wanted = locked.predict(bars).iloc[:, 0]
    for runonce in (True, False):
        data = bt.feeds.GenericCSVData(
            dataname=str(tmp_path / "MSFT.csv"), dtformat="%Y-%m-%d", openinterest=-1
        )
        (seen,) = watched([data], [locked], runonce=runonce)
        assert str(seen.index[0]).endswith("23:59:59.999989")
        np.testing.assert_array_equal(seen.to_numpy(), wanted.loc[seen.index.normalize()].to_numpy())


def test_an_unlocked_model_does_not_trade_live(describe, tmp_path: Path, two_stocks: dl.DataSet) -> None:
    model = describe(tmp_path / "models")
    model.train(two_stocks, options=dl.TrainingOptions(epochs=1))

    class Live(bt.feeds.PandasData):
        def islive(self) -> bool:
            return True

    with pytest.raises(TradingError) as error:
        watched([Live(dataname=two_stocks["IBM"].iloc[:300])], [model])
    assert str(error.value) == "model 'small' is not locked, and only locked models trade live; lock() it"


def test_extra_columns_keep_their_names_whatever_they_are(us_stocks: dl.DataSet) -> None:
    bars = us_stocks["MSFT"].iloc[:30].drop(columns="raw_close")
    one, other = dl.feed(bars.assign(a=1.0, b_c=2.0)), dl.feed(bars.assign(a_b=1.0, c=2.0))
    assert {"a", "b_c"} <= set(one.lines.getlinealiases())
    assert {"a_b", "c"} <= set(other.lines.getlinealiases())
    with pytest.raises(dl.DLPluginError) as error:
        dl.feed(bars.assign(timeframe=1.0), "MSFT")
    assert str(error.value) == "MSFT has a column 'timeframe', which backtrader's feeds use; rename it"


def test_a_feed_class_is_made_anew_in_a_process_that_has_never_seen_it(us_stocks: dl.DataSet) -> None:
    name = type(dl.feed(us_stocks["MSFT"].iloc[:30])).__name__
    code = f"import dlplugin.trading.feeds as f; print(getattr(f, {name!r}).lines._getlines()[-1])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "raw_close"
