"""A trading result of holdout days is an opening, once; predictions alone are none."""

import shutil
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import backtrader as bt
import pandas as pd
import pytest

import dlplugin as dl
from dlplugin.trading import opened
from tests.trading.watching import MODES, mode_id

Opened = opened._Opened


@pytest.fixture
def model(locked: dl.Model, tmp_path: Path) -> dl.Model:
    """The locked model, in a store of the test's own without records."""
    shutil.copytree(locked.store, tmp_path / "models", ignore=shutil.ignore_patterns(".records"))
    return dl.load("locked@1", tmp_path / "models")


@pytest.fixture
def span(model: dl.Model) -> tuple[pd.Timestamp, pd.Timestamp]:
    """The first and the last day of its holdout."""
    return model.spans["holdout"].start, model.spans["holdout"].end


class Trades(bt.Strategy):
    """Reads a prediction, buys on one day and sells on another: orders are filled on the bars after them."""

    params = (("model", None), ("buys", None), ("sells", None), ("size", 10))

    def __init__(self) -> None:
        self.predicted = dl.DLPredictor(self.data, model=self.p.model)
        self.seen = 0

    def next(self) -> None:
        self.seen += self.predicted[0] == self.predicted[0]
        today = pd.Timestamp(self.data.datetime.date(0))
        if self.p.buys is not None and today == self.p.buys:
            self.buy(size=self.p.size)
        if self.p.sells is not None and today == self.p.sells:
            self.sell(size=self.p.size)


def ran(
    strategy: type,
    bars: pd.DataFrame | dict[str, pd.DataFrame],
    mode: dict[str, object] | None = None,
    **params: object,
) -> list[object]:
    """The strategies that a plain Cerebro has run."""
    cerebro = bt.Cerebro(stdstats=False, **(mode or {}))
    for name, frame in bars.items() if isinstance(bars, dict) else [("IBM", bars)]:
        cerebro.adddata(dl.feed(frame, name))
    cerebro.addstrategy(strategy, **params)
    return cerebro.run()


def around(bars: pd.DataFrame, day: pd.Timestamp, before: int = 150, after: int = 60) -> pd.DataFrame:
    """Bars enough to warm the model up, and some of the days from one on."""
    at = int(bars.index.searchsorted(day))
    return bars.iloc[at - before : at + after]


@pytest.fixture
def bars(us_stocks: dl.DataSet, span: tuple[pd.Timestamp, pd.Timestamp]) -> pd.DataFrame:
    """IBM, half a year before the holdout and three months of it."""
    return around(us_stocks["IBM"], span[0])


def day(bars: pd.DataFrame, span: tuple[pd.Timestamp, pd.Timestamp], bar: int) -> pd.Timestamp:
    """The day of a bar, counted from the holdout's first."""
    found: pd.Timestamp = bars.index[int(bars.index.searchsorted(span[0])) + bar]
    return found


ENDS = (MODES[0], MODES[-1])
QUICK_AND_SLOW = [
    pytest.param(mode, id=mode_id(mode), marks=() if mode in ENDS else pytest.mark.slow) for mode in MODES
]


@pytest.mark.parametrize("mode", QUICK_AND_SLOW)
def test_a_trade_on_a_day_of_the_holdout_is_recorded_once_in_every_mode(
    model: dl.Model, bars: pd.DataFrame, span: tuple[pd.Timestamp, pd.Timestamp], mode: dict[str, object]
) -> None:
    trade = {"model": model, "buys": day(bars, span, 3), "sells": day(bars, span, 9)}
    for _ in range(2):
        ran(Trades, bars, mode, **trade)
    (row,) = model.openings.to_dict("records")
    del row["time"]
    assert row == {
        "model": "locked",
        "purpose": "trading result",
        "symbols": ("IBM",),
        "start": span[0],
        "end": bars.index[-1],
        "reason": "Trades",
        "dataset": "us-stocks (2 of 11)",
        "definition": model.definition.hash,
    }


@pytest.mark.parametrize("runonce", [True, pytest.param(False, marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    ("buys", "sells", "counts"),
    [
        (None, None, False),
        (-40, -20, False),
        (-40, -3, False),  # sold on the day before the last one before the holdout
        (-40, -2, False),  # sold on the last one
        (-40, -1, True),  # sold at the holdout's first open
        (-40, None, True),  # held into the holdout
        (-1, None, True),
        (-2, None, True),
        (None, 20, True),  # short
        (57, 58, True),
    ],
)
def test_a_position_on_a_day_of_the_holdout_counts_and_predictions_do_not(
    model: dl.Model,
    bars: pd.DataFrame,
    span: tuple[pd.Timestamp, pd.Timestamp],
    runonce: bool,
    buys: int | None,
    sells: int | None,
    counts: bool,
) -> None:
    when = [None if one is None else day(bars, span, one) for one in (buys, sells)]
    (strategy,) = ran(Trades, bars, {"runonce": runonce}, model=model, buys=when[0], sells=when[1])
    assert strategy.seen > 100
    assert len(model.openings) == counts


def test_nothing_is_recorded_where_the_days_are_all_before_or_after_the_holdout(
    model: dl.Model, us_stocks: dl.DataSet, span: tuple[pd.Timestamp, pd.Timestamp]
) -> None:
    before = us_stocks["IBM"].loc[: span[0] - pd.Timedelta(days=1)].iloc[-120:]
    ran(Trades, before, model=model, buys=before.index[60])
    dl.backtest(Trades, before, "IBM", model=model, buys=before.index[60])
    after = us_stocks["IBM"].iloc[:200].copy()
    after.index = pd.bdate_range(span[1] + pd.Timedelta(days=1), periods=200, name="date")
    ran(Trades, after, model=model, buys=after.index[100])
    assert model.openings.empty


def test_another_strategy_on_the_same_days_adds_nothing_and_on_other_days_or_symbols_it_does(
    model: dl.Model, us_stocks: dl.DataSet, bars: pd.DataFrame, span: tuple[pd.Timestamp, pd.Timestamp]
) -> None:
    ran(Trades, bars, model=model, buys=day(bars, span, 3))
    ran(Trades, bars, model=model, buys=day(bars, span, 30), size=1)
    assert len(model.openings) == 1
    ran(Trades, around(us_stocks["IBM"], span[0], after=90), model=model, buys=day(bars, span, 3))
    assert len(model.openings) == 2
    ran(Trades, {"AAPL": around(us_stocks["AAPL"], span[0])}, model=model, buys=day(bars, span, 3))
    assert list(model.openings["symbols"]) == [("IBM",), ("IBM",), ("AAPL",)]


def test_a_symbol_that_was_not_trained_on_counts_by_its_name_and_one_without_a_name_for_all(
    model: dl.Model, us_stocks: dl.DataSet, span: tuple[pd.Timestamp, pd.Timestamp]
) -> None:
    bars = around(us_stocks["MSFT"], span[0])
    for name in ("MSFT", ""):
        ran(Trades, {name: bars}, model=model, buys=day(bars, span, 3))
    assert list(model.openings["symbols"]) == [("MSFT",), ("AAPL", "IBM")]


class TradesTheOther(bt.Strategy):
    """Predicts one feed and trades another; two predictors of one model."""

    params = (("model", None), ("buys", None))

    def __init__(self) -> None:
        self.predicted = [dl.DLPredictor(self.data, model=self.p.model, output=output) for output in (0, 1)]

    def next(self) -> None:
        if pd.Timestamp(self.data.datetime.date(0)) == self.p.buys:
            self.buy(self.data1, size=1)


def test_what_is_traded_counts_and_not_what_is_predicted(
    model: dl.Model, us_stocks: dl.DataSet, bars: pd.DataFrame, span: tuple[pd.Timestamp, pd.Timestamp]
) -> None:
    other = around(us_stocks["MSFT"], span[0])
    (strategy,) = ran(TradesTheOther, {"IBM": bars, "MSFT": other}, model=model, buys=day(bars, span, 3))
    assert list(model.openings["symbols"]) == [("MSFT",)]
    assert sum(isinstance(each, Opened) for each in strategy._slave_analyzers) == 1
    assert list(strategy.analyzers) == []


def test_several_symbols_traded_in_one_backtest_are_one_opening(
    model: dl.Model, us_stocks: dl.DataSet, bars: pd.DataFrame, span: tuple[pd.Timestamp, pd.Timestamp]
) -> None:
    class Both(Trades):
        def next(self) -> None:
            if pd.Timestamp(self.data.datetime.date(0)) == self.p.buys:
                for data in self.datas:
                    self.buy(data, size=1)

    frames = {"IBM": bars, "AAPL": around(us_stocks["AAPL"], span[0], after=40)}
    ran(Both, frames, model=model, buys=day(bars, span, 3))
    assert list(model.openings["symbols"]) == [("AAPL", "IBM")]


@pytest.mark.slow
def test_two_models_in_one_strategy_are_an_opening_each_and_each_counts_for_both(
    model: dl.Model, bars: pd.DataFrame, span: tuple[pd.Timestamp, pd.Timestamp], two_stocks: dl.DataSet
) -> None:
    other = dl.Model("other", ["ROC(5)"], [dl.Output("ROC(5)", look_ahead=5)], dl.MLP([4]), store=model.store)
    other.train(two_stocks, options=dl.TrainingOptions(epochs=1))
    lock = other.lock()

    class Two(Trades):
        def __init__(self) -> None:
            super().__init__()
            self.second = dl.DLPredictor(self.data, model=lock)

    ran(Two, bars, model=model, buys=day(bars, span, 3))
    assert list(model.openings["model"]) == list(lock.openings["model"]) == ["locked", "other"]


@pytest.mark.slow
def test_a_model_without_a_holdout_is_not_watched(
    tmp_path: Path, describe: Callable[..., dl.Model], two_stocks: dl.DataSet, bars: pd.DataFrame
) -> None:
    model = describe(tmp_path / "models")
    model.train(two_stocks, dl.Split(0.7, 0.3), dl.TrainingOptions(epochs=1))
    lock = model.lock()
    (strategy,) = ran(Trades, bars, model=lock, buys=bars.index[100])
    assert strategy._slave_analyzers == []
    assert dl.openings(lock.store).empty


def test_signals_and_optimisations_count_too(
    model: dl.Model, bars: pd.DataFrame, span: tuple[pd.Timestamp, pd.Timestamp]
) -> None:
    cerebro = bt.Cerebro(stdstats=False)
    cerebro.adddata(dl.feed(bars, "IBM"))
    cerebro.add_signal(bt.SIGNAL_LONGSHORT, dl.DLPredictor, model=model)
    cerebro.run()
    assert list(model.openings["reason"]) == ["SignalStrategy"]
    shutil.rmtree(model.store / ".records")
    cerebro = bt.Cerebro(stdstats=False, maxcpus=1)
    cerebro.adddata(dl.feed(bars, "IBM"))
    cerebro.optstrategy(Trades, model=[model], buys=[day(bars, span, 3)], size=[1, 2, 3])
    assert len(cerebro.run()) == 3
    assert list(model.openings["reason"]) == ["Trades"]


def test_a_backtest_counts_once_whether_it_trades_or_not(
    model: dl.Model, us_stocks: dl.DataSet, span: tuple[pd.Timestamp, pd.Timestamp]
) -> None:
    bars = us_stocks["IBM"].loc[span[0] - pd.Timedelta(days=90) :]
    for buys in (None, span[0] + pd.Timedelta(days=30), None):
        result = dl.backtest(Trades, bars, "IBM", start=span[0], model=model, buys=buys)
    assert len(result.executions) == 0
    (row,) = model.openings.to_dict("records")
    assert (row["symbols"], row["start"], row["end"]) == (("IBM",), *span)
    assert (row["purpose"], row["reason"]) == ("trading result", "Trades")
    ran(Trades, bars, model=model, buys=span[0] + pd.Timedelta(days=30))
    assert len(model.openings) == 1, "the same days in a plain Cerebro"


def test_a_backtest_is_of_the_days_that_it_was_asked_for(
    model: dl.Model, us_stocks: dl.DataSet, span: tuple[pd.Timestamp, pd.Timestamp]
) -> None:
    bars = us_stocks["IBM"].loc[span[0] - pd.Timedelta(days=90) :]
    inside = bars.loc[span[0] :].index
    dl.backtest(Trades, bars, "IBM", start=inside[10], end=inside[30], model=model)
    assert (model.openings["start"][0], model.openings["end"][0]) == (inside[10], inside[30])
    dl.backtest(Trades, bars, "IBM", end=span[0] - pd.Timedelta(days=1), model=model)
    assert len(model.openings) == 1


def test_a_backtest_of_bars_without_a_name_is_of_all_symbols(
    model: dl.Model, bars: pd.DataFrame, span: tuple[pd.Timestamp, pd.Timestamp]
) -> None:
    dl.backtest(Trades, bars, start=span[0], model=model)
    assert list(model.openings["symbols"]) == [("AAPL", "IBM")]


def test_a_strategys_own_attributes_are_not_in_the_way(
    model: dl.Model, bars: pd.DataFrame, span: tuple[pd.Timestamp, pd.Timestamp]
) -> None:
    class Mine(Trades):
        shown = Shown = holdouts = "mine"

    result = dl.backtest(Mine, bars, "IBM", start=span[0], model=model)
    assert (result.strategy, len(model.openings)) == ("Mine", 1)


def test_bars_of_backtraders_own_feeds_end_their_day_and_count_for_it(
    model: dl.Model, us_stocks: dl.DataSet, span: tuple[pd.Timestamp, pd.Timestamp], tmp_path: Path
) -> None:
    """Their daily bars are stamped a moment before midnight."""
    path = tmp_path / "IBM.csv"

    def run(bars: pd.DataFrame, buys: pd.Timestamp) -> None:
        bars[["open", "high", "low", "close", "volume"]].assign(openinterest=0).to_csv(path)
        cerebro = bt.Cerebro(stdstats=False)
        cerebro.adddata(bt.feeds.GenericCSVData(dataname=str(path), dtformat="%Y-%m-%d", name="IBM"))
        cerebro.addstrategy(Trades, model=model, buys=buys)
        cerebro.run()

    bars = us_stocks["IBM"]
    before = bars.loc[: span[0] - pd.Timedelta(days=1)].iloc[-120:].copy()
    before.index = before.index[:-1].append(pd.DatetimeIndex([span[0] - pd.Timedelta(days=1)]))
    run(before.rename_axis("date"), before.index[-20])
    assert model.openings.empty, "the moment before midnight is not the next day's"
    run(bars.iloc[-120:], bars.index[-2])
    assert (model.openings["start"][0], model.openings["end"][0]) == (bars.index[-120], span[1])


def test_a_store_that_cannot_be_written_is_one_warning_and_the_backtest_goes_on(
    model: dl.Model, bars: pd.DataFrame, span: tuple[pd.Timestamp, pd.Timestamp]
) -> None:
    (model.store / ".records").write_text("not a folder")
    with pytest.warns(dl.DLPluginWarning) as caught:
        result = dl.backtest(Trades, bars, "IBM", start=span[0], model=model, buys=day(bars, span, 3))
    path = model.store / ".records" / "openings.jsonl"
    assert [str(one.message) for one in caught] == [
        f"a trading result of holdout days of 'locked' is not recorded: {path} cannot be read: Not a directory"
    ]
    assert caught[0].filename == __file__
    assert len(result.executions) == 1


def test_what_is_recorded_already_needs_no_store_that_can_be_written(
    model: dl.Model,
    bars: pd.DataFrame,
    span: tuple[pd.Timestamp, pd.Timestamp],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    dl.backtest(Trades, bars, "IBM", start=span[0], model=model)

    def locked_out(*given: object) -> Iterator[None]:
        raise dl.errors.StoreError("cannot write")

    monkeypatch.setattr("dlplugin.store.lines.hold", locked_out)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        dl.backtest(Trades, bars, "IBM", start=span[0], model=model)


def test_a_run_with_thousands_of_trades_keeps_none_of_them(
    model: dl.Model, bars: pd.DataFrame, span: tuple[pd.Timestamp, pd.Timestamp]
) -> None:
    class EveryBar(Trades):
        def next(self) -> None:
            self.close() if self.position else self.buy(size=1)

    (strategy,) = ran(EveryBar, bars, model=model)
    (watching,) = strategy._slave_analyzers
    assert len(watching._open) <= 1
    assert len(watching._traded) == 1
    assert len(model.openings) == 1
