"""Backtests against an account kept by hand."""

import importlib.util
import math
from pathlib import Path

import backtrader as bt
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dlplugin as dl
from dlplugin.errors import TradingError
from dlplugin.resources import shipped_folder
from dlplugin.trading import Execution, round_trips


def script(name: str):
    path = shipped_folder("strategies") / f"{name}.py"
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class EveryOtherWeek(bt.Strategy):
    """Buys ten shares on every 10th bar, sells them five bars later."""

    def next(self) -> None:
        if len(self) % 10 == 0:
            self.buy(size=10)
        elif len(self) % 10 == 5 and self.position:
            self.sell(size=10)


def test_the_account_is_that_of_a_book_kept_by_hand(us_stocks: dl.DataSet) -> None:
    bars = us_stocks["MSFT"].iloc[:200]
    start = bars.index[80]
    result = dl.backtest(EveryOtherWeek, bars, "MSFT", start=start, cash=10_000, commission=0.002)

    cash, held, equity, paid, trades = 10_000.0, 0, {}, 0.0, []
    for t in range(80, 200):
        done = t - 1 + 1  # len(self) at the close before: orders given then are filled at this open
        price = bars["open"].iloc[t]
        if done % 10 == 0 or (done % 10 == 5 and held):
            size = 10 if done % 10 == 0 else -10
            fee = 10 * price * 0.002
            cash, held, paid = cash - size * price - fee, held + size, paid + fee
            trades.append((bars.index[t], size, price))
        equity[bars.index[t]] = cash + held * bars["close"].iloc[t]

    np.testing.assert_allclose(result.equity.to_numpy(), list(equity.values()), rtol=1e-12)
    assert [(e.date, e.size, e.price) for e in result.executions] == trades
    assert result.figures["commission_paid"] == pytest.approx(paid)
    assert result.figures["return_percent"] == pytest.approx((list(equity.values())[-1] / 10_000 - 1) * 100)
    assert (result.start, result.end) == (start, bars.index[-1])
    assert result.trades["profit"].sum() == pytest.approx(list(equity.values())[-1] - 10_000)


def test_buy_and_hold_is_what_backtrader_makes_of_all_the_cash_in_whole_shares(us_stocks: dl.DataSet) -> None:
    bars = us_stocks["IBM"].iloc[:400]
    start = bars.index[100]
    shares = 100_000 // (bars["open"].iloc[100] * 1.001)

    class Exactly(bt.Strategy):
        def next(self) -> None:
            if not self.position:
                self.buy(size=shares)

    # twice the cash, because backtrader refuses an order that the close before it could not pay
    result = dl.backtest(Exactly, bars, "IBM", start=start, cash=200_000)
    hold = dl.backtest(Exactly, bars, "IBM", start=start).buy_and_hold
    np.testing.assert_allclose(result.equity.to_numpy() - 100_000, hold.to_numpy(), rtol=1e-12)
    assert result.figures["exposure_percent"] == 100.0
    assert 0 <= 100_000 - shares * bars["open"].iloc[100] * 1.001 < bars["open"].iloc[100] * 1.001


def test_figures_equal_a_slow_recomputation(us_stocks: dl.DataSet) -> None:
    bars = us_stocks["AMD"].iloc[:500]
    result = dl.backtest(EveryOtherWeek, bars, "AMD", cash=1_000)
    values = [1_000.0, *result.equity]
    returns = pd.Series(values).pct_change().dropna()
    years = (result.end - result.start).days / 365.25
    sharpe = returns.mean() / returns.std() * math.sqrt(len(returns) / years)
    assert result.figures["sharpe"] == pytest.approx(sharpe)
    slow_error = math.sqrt(
        (1 + (returns.mean() / returns.std()) ** 2 / 2) / len(returns) * len(returns) / years
    )
    assert result.figures["sharpe_error"] == pytest.approx(slow_error)
    deepest = max(1 - values[j] / max(values[: j + 1]) for j in range(len(values)))
    assert result.figures["max_drawdown_percent"] == pytest.approx(deepest * 100)


def test_nothing_is_traded_before_the_start_and_indicators_are_warm_there(us_stocks: dl.DataSet) -> None:
    bars = us_stocks["MSFT"].iloc[:300]

    class AboveAverage(bt.Strategy):
        def __init__(self) -> None:
            self.average = bt.ind.SMA(period=100)

        def next(self) -> None:
            if not self.position:
                self.buy(size=1)

    result = dl.backtest(AboveAverage, bars, "MSFT", start=bars.index[150])
    assert result.executions[0].date == bars.index[150]
    late = dl.backtest(AboveAverage, bars, "MSFT", start=bars.index[20])
    assert late.executions[0].date == bars.index[100]
    assert (late.equity.iloc[:79] == 100_000).all()
    assert len(late.equity) == 280


def test_a_span_without_bars_and_a_history_that_is_all_warm_up_are_refused(us_stocks: dl.DataSet) -> None:
    bars = us_stocks["MSFT"].iloc[:50]
    with pytest.raises(TradingError) as error:
        dl.backtest(EveryOtherWeek, bars, "MSFT", start="2030-01-01")
    assert str(error.value) == "MSFT has no bars between 2030-01-01 and the end to trade on"
    assert dl.backtest(EveryOtherWeek, bars, "MSFT", end="2004-02-10").end == pd.Timestamp("2004-02-10")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"cash": 0}, "cash is 0, but must be above 0"),
        ({"cash": math.nan}, "cash is nan, but must be above 0"),
        ({"commission": -1}, "commission is -1, but must be a share from 0 to below 1, such as 0.001"),
        ({"commission": math.nan}, "commission is nan, but must be a share from 0 to below 1, such as 0.001"),
        ({"start": "foo"}, "start is 'foo', but dates are written 2009-12-31"),
        ({"start": "2009-01-01T00:00Z"},
         "start is 2009-01-01T00:00Z, but dates are without a time zone, in the bars' own time"),
        ({"strategy": "S"}, "strategy is 'S', but must be a class that descends from bt.Strategy"),
    ],
)  # fmt: skip
def test_wrong_values_are_refused(us_stocks: dl.DataSet, wrong: dict[str, object], message: str) -> None:
    with pytest.raises(TradingError) as error:
        dl.backtest(
            **({"strategy": EveryOtherWeek, "bars": us_stocks["MSFT"].iloc[:50], "symbol": "MSFT"} | wrong)
        )
    assert str(error.value) == message


@given(
    st.lists(st.tuples(st.sampled_from([-30, -10, 5, 10, 40]), st.floats(1, 100)), min_size=1, max_size=25)
)
def test_trades_add_up_to_the_cash_of_their_executions(orders: list[tuple[int, float]]) -> None:
    executions = [
        Execution(pd.Timestamp("2020-01-01") + pd.Timedelta(days=day), size, price, 0.1)
        for day, (size, price) in enumerate(orders)
    ]
    trades = round_trips(executions, last_close=50.0)
    held = sum(e.size for e in executions)
    cash = -sum(e.size * e.price + e.commission for e in executions)
    assert trades["profit"].sum() == pytest.approx(cash + held * 50.0)
    assert trades["exit_date"].isna().sum() == (held != 0)
    for trade in trades.itertuples():
        assert trade.size != 0
        assert trade.entry_price > 0


def test_a_reversal_closes_one_trade_and_opens_the_next() -> None:
    days = pd.date_range("2020-01-01", periods=2)
    trades = round_trips(
        [Execution(days[0], 10, 5.0, 1.0), Execution(days[1], -25, 6.0, 2.5)], last_close=4.0
    )
    assert trades.loc[0, ["entry_price", "exit_price", "size", "profit"]].tolist() == [
        5.0,
        6.0,
        10.0,
        10 - 1 - 1.0,
    ]
    assert trades.loc[1, ["entry_price", "size"]].tolist() == [6.0, -15.0]
    assert trades.loc[1, "profit"] == pytest.approx(15 * 2.0 - 1.5)


def test_the_result_prints_its_figures_with_the_costs(us_stocks: dl.DataSet) -> None:
    result = dl.backtest(EveryOtherWeek, us_stocks["MSFT"].iloc[:200], "MSFT", commission=0.002)
    text, figures = str(result), result.figures
    assert "EveryOtherWeek on MSFT, 2004-01-05 …" in text
    assert "buy-and-hold" in text
    assert "orders are filled at the next open; commission 0.20 % a side" in text
    ratios = [
        f"{figures[name]:.2f} ± {1.96 * figures[name + '_error']:.2f}"
        for name in ("sharpe", "buy_and_hold_sharpe")
    ]
    assert f"Sharpe ratio {ratios[0]} (95 %), buy-and-hold {ratios[1]}\n" in text


def test_buy_and_hold_runs_as_a_script(
    us_stocks: dl.DataSet, capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = script("buy_and_hold")
    monkeypatch.setattr("sys.argv", ["buy_and_hold.py", "--symbol", "IBM"])
    module.main()
    printed = capsys.readouterr().out
    start = dl.resolve_split(us_stocks, dl.Split())["holdout"].start
    bars = us_stocks["IBM"].loc[start:]
    assert f"BuyAndHold on IBM, {start:%Y-%m-%d} … {bars.index[-1]:%Y-%m-%d}" in printed
    shares = 95_000 // us_stocks["IBM"]["close"].shift(1)[start]
    gain = shares * (bars["close"].iloc[-1] - bars["open"].iloc[0] * 1.001) / 100_000 * 100
    assert f": {gain:+.1f} %," in printed


def test_buy_predicted_gain_trains_once_locks_and_trades_the_holdout(
    tmp_path: Path, capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = script("buy_predicted_gain")
    monkeypatch.setenv("DLPLUGIN_STORE", str(tmp_path / "models"))
    monkeypatch.setattr(module.dl, "TrainingOptions", lambda **_: dl.definition.TrainingOptions(epochs=2))
    monkeypatch.setattr("sys.argv", ["buy_predicted_gain.py", "--symbol", "MSFT", "--buy-above", "0.2"])
    module.main()
    first = capsys.readouterr().out
    assert dl.load("us-5d").status == "locked"
    assert "BuyPredictedGain on MSFT, 2011-04-29 … 2013-03-01" in first
    module.main()
    assert capsys.readouterr().out == first
    monkeypatch.setattr("sys.argv", ["buy_predicted_gain.py", "--symbol", "MSFF"])
    with pytest.raises(SystemExit) as stop:
        module.main()
    assert stop.value.code == 2
    assert "MSFF" in capsys.readouterr().err.splitlines()[-1]


def test_a_strategy_that_begins_in_nextstart_does_not_trade_early_and_begins_once(
    us_stocks: dl.DataSet,
) -> None:
    bars = us_stocks["MSFT"].iloc[:200]

    class Begins(bt.Strategy):
        begun: list[int] = []  # noqa: RUF012

        def nextstart(self) -> None:
            self.begun.append(len(self))
            self.buy(size=1)

        def prenext(self) -> None:
            self.buy(size=1)

    result = dl.backtest(Begins, bars, "MSFT", start=bars.index[100])
    assert Begins.begun == [100]
    assert [execution.date for execution in result.executions] == [bars.index[100]]
