"""A line for each column of a prediction: named so that backtrader takes it, the same bits in every mode."""

import keyword
from pathlib import Path

import backtrader as bt
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dlplugin as dl
from dlplugin.errors import TradingError
from dlplugin.trading.lines import line_names
from tests.conftest import KINDS
from tests.trading.test_predictor import MODES


class AllLines(bt.Strategy):
    """Notes every line of a prediction at each bar."""

    params = (("model", None), ("output", 0))

    def __init__(self) -> None:
        self.predicted = dl.DLPredictor(self.data, model=self.p.model, output=self.p.output)
        self.seen: dict[object, list[float]] = {}

    def next(self) -> None:
        self.seen[self.data.datetime.datetime(0)] = [line[0] for line in self.predicted.lines]


def strategy_on(
    bars: pd.DataFrame, model: dl.Model, strategy: type = AllLines, output: int | str = 0, **mode: object
) -> bt.Strategy:
    cerebro = bt.Cerebro(stdstats=False, **mode)
    cerebro.adddata(dl.feed(bars, "MSFT"))
    cerebro.addstrategy(strategy, model=model, output=output)
    return cerebro.run()[0]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mode", [MODES[0], MODES[2], MODES[7]], ids=["once", "next", "exactbars"])
def test_each_line_has_the_bits_of_its_column(
    kinds: dict[str, dl.Model], us_stocks: dl.DataSet, kind: str, mode: dict[str, object]
) -> None:
    model, bars = kinds[kind], us_stocks["MSFT"].iloc[:300]
    strategy = strategy_on(bars, model, **mode)
    wanted = model.predict(bars)
    assert len(strategy.seen) == len(bars) - model.bars_needed + 1
    np.testing.assert_array_equal(list(strategy.seen.values()), wanted.loc[list(strategy.seen)].to_numpy())
    for column in wanted:
        assert strategy.predicted.column(column)[0] == wanted[column].iloc[-1]


def test_the_lines_are_called_as_the_columns(kinds: dict[str, dl.Model], us_stocks: dl.DataSet) -> None:
    bars = us_stocks["MSFT"].iloc[:300]
    names = {kind: strategy_on(bars, model).predicted.getlinealiases() for kind, model in kinds.items()}
    assert names == {
        "classes": ("prediction", "ROC_1_le_minus_0_5", "ROC_1_minus_0_5_to_0_55", "ROC_1_ge_0_55"),
        "scores": ("prediction", "way_le_minus_1", "way_ge_1", "way_spread"),
        "quantiles": ("prediction", *(f"ROC_5_q_0_{level}" for level in (1, 25, 5, 9)), "ROC_5_spread"),
        "networks": ("prediction", "ROC_5_spread", "ROC_1", "ROC_1_spread"),
    }


def test_the_first_line_is_that_of_the_output_asked_for_and_plots_show_that_output_alone(
    kinds: dict[str, dl.Model], us_stocks: dl.DataSet
) -> None:
    bars, model = us_stocks["MSFT"].iloc[:300], kinds["networks"]
    predicted = strategy_on(bars, model, output="ROC(1)").predicted
    wanted = model.predict(bars).iloc[-1]
    assert predicted.getlinealiases() == ("prediction", "ROC_1_spread", "ROC_5", "ROC_5_spread")
    assert predicted.lines.prediction[0] == predicted[0] == wanted["ROC(1)"]
    assert predicted.lines.ROC_5[0] == wanted["ROC(5)"]
    skipped = [
        name
        for name in predicted.getlinealiases()
        if hasattr(getattr(predicted.plotlines, name, None), "_plotskip")
    ]
    assert skipped == ["ROC_5", "ROC_5_spread"]


def test_a_column_that_is_not_predicted_is_answered_with_those_that_are(
    kinds: dict[str, dl.Model], us_stocks: dl.DataSet
) -> None:
    predicted = strategy_on(us_stocks["MSFT"].iloc[:300], kinds["scores"]).predicted
    with pytest.raises(TradingError) as error:
        predicted.column("way [≥ 2]")
    assert str(error.value) == "model 'scores@1' predicts no 'way [≥ 2]'; did you mean 'way [≥ 1]'?"


def test_predictors_of_the_same_columns_share_a_class_and_stay_predictors(
    kinds: dict[str, dl.Model], us_stocks: dl.DataSet
) -> None:
    bars = us_stocks["MSFT"].iloc[:300]
    one, other = (strategy_on(bars, kinds["classes"]).predicted for _ in range(2))
    assert type(one) is type(other) is not dl.DLPredictor
    assert isinstance(one, dl.DLPredictor)
    assert dl.DLPredictor.lines._getlines() == ("prediction",)
    dl.register()
    assert bt.indicators.DLPredictor is dl.DLPredictor


def test_an_indicator_that_extends_it_keeps_its_own_lines(
    kinds: dict[str, dl.Model], us_stocks: dl.DataSet
) -> None:
    class Doubled(dl.DLPredictor):
        lines = ("twice",)

        def next(self) -> None:
            super().next()
            self.lines.twice[0] = 2 * self.lines.prediction[0]

    class Own(AllLines):
        def __init__(self) -> None:
            self.predicted = Doubled(self.data, model=self.p.model)
            self.seen = {}

    bars = us_stocks["MSFT"].iloc[:300]
    predicted = strategy_on(bars, kinds["quantiles"], Own, runonce=False).predicted
    assert predicted.getlinealiases()[:3] == ("prediction", "twice", "ROC_5_q_0_1")
    wanted = kinds["quantiles"].predict(bars).iloc[-1]
    assert predicted.lines.twice[0] == 2 * wanted["ROC(5)"]
    assert predicted.lines.ROC_5_q_0_9[0] == wanted["ROC(5) [q 0.9]"]


@pytest.mark.parametrize("kind", ["classes", "quantiles"])
def test_a_backtest_trades_on_any_column(
    kinds: dict[str, dl.Model], us_stocks: dl.DataSet, kind: str
) -> None:
    model, bars = kinds[kind], us_stocks["MSFT"]
    column = model.predictor.columns[-2]
    values = model.predict(bars)[column]
    middle = float(values.median())

    class OnColumn(bt.Strategy):
        def __init__(self) -> None:
            self.column = dl.DLPredictor(self.data, model=model).column(column)

        def next(self) -> None:
            if self.column[0] > middle and not self.position:
                self.buy(size=1)
            elif self.column[0] <= middle and self.position:
                self.close()

    found = dl.backtest(OnColumn, bars, "MSFT", start="2012-01-03", end="2012-12-31")
    held = (values > middle).loc[:"2012-12-31"].iloc[:-1]
    held = held[held.index >= bars.index[bars.index.searchsorted(pd.Timestamp("2012-01-03")) - 1]]
    entries = held.to_numpy() & ~np.r_[False, held.to_numpy()[:-1]]
    assert len(found.trades) == entries.sum() > 3


@given(st.lists(st.text(max_size=12), min_size=1, max_size=6))
def test_any_text_becomes_names_that_python_and_backtrader_take(columns: list[str]) -> None:
    names = line_names([*columns, "p", "data", "lines", "class", "next", "prediction"], dl.DLPredictor)
    assert len(set(names)) == len(names)
    for name in names:
        assert name.isidentifier()
        assert not keyword.iskeyword(name)
        assert not hasattr(dl.DLPredictor, name)
        assert name not in ("p", "data", "lines", "prediction")


def test_outputs_with_names_that_backtrader_uses_work(
    describe, tmp_path: Path, two_stocks: dl.DataSet
) -> None:
    outputs = [
        dl.Output("ROC(1)", look_ahead=1, name=name) for name in ("size", "p", "data", "5 %", "next", "close")
    ]
    model = describe(tmp_path / "models", outputs=outputs)
    model.train(two_stocks, options=dl.TrainingOptions(epochs=1))
    bars = two_stocks["IBM"].iloc[:300]
    locked = model.lock()
    strategy = strategy_on(bars, locked)
    wanted = locked.predict(bars)
    assert list(strategy.seen.values())[-1] == wanted.iloc[-1].tolist()
    assert strategy.predicted.getlinealiases() == (
        ("prediction", "column_p", "column_data", "column_5_percent", "column_next", "close")
    )
