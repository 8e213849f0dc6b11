"""The figures of a backtest where the answer is known beforehand."""

import backtrader as bt
import pandas as pd
import pytest

import dlplugin as dl


def bars_of(opens: list[float], closes: list[float], **index: object) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "open": opens,
            "high": [max(pair) for pair in zip(opens, closes, strict=True)],
            "low": [min(pair) for pair in zip(opens, closes, strict=True)],
            "close": closes,
            "volume": 1000.0,
        },
        index=pd.date_range("2020-01-06", periods=len(opens), **({"freq": "B"} | index)),  # type: ignore[call-overload]
    )


class Hold(bt.Strategy):
    """Takes a position of `size` at the first chance and gives it up after so many `closes`."""

    params = (("size", 10), ("closes", 1000), ("warm_up", 1))

    def __init__(self) -> None:
        self.average = bt.ind.SMA(period=self.p.warm_up)
        self.held = 0

    def next(self) -> None:
        self.held += self.position.size != 0
        if self.held == 0:
            self.buy(size=self.p.size) if self.p.size > 0 else self.sell(size=-self.p.size)
        elif self.held == self.p.closes:
            self.close()


def test_a_fall_on_the_very_first_bar_is_a_drawdown_from_the_start_cash() -> None:
    bars = bars_of([100, 100, 90, 91, 92], [100, 90, 91, 92, 93])
    result = dl.backtest(Hold, bars, cash=1_000, commission=0, size=5)
    assert result.equity.tolist() == [950, 955, 960, 965]
    assert result.figures["max_drawdown_percent"] == pytest.approx(5.0)
    assert result.figures["buy_and_hold_drawdown_percent"] == pytest.approx(10.0)


def test_an_account_that_only_rises_has_no_drawdown() -> None:
    result = dl.backtest(Hold, bars_of([10, 10, 11, 12], [10, 11, 12, 13]), cash=1_000, commission=0)
    assert result.figures["max_drawdown_percent"] == 0.0
    assert result.figures["buy_and_hold_drawdown_percent"] == 0.0


@pytest.mark.parametrize("size", [10, -10])
def test_exposure_is_the_share_of_closes_with_a_position_long_or_short(size: int) -> None:
    bars = bars_of([10.0] * 9, [10.0] * 9)
    result = dl.backtest(Hold, bars, size=size, closes=2)
    assert len(result.equity) == 8
    assert result.figures["exposure_percent"] == 25.0


def test_bars_on_which_the_strategy_still_warms_up_count_as_not_invested() -> None:
    bars = bars_of([10.0] * 9, [10.0] * 9)
    result = dl.backtest(Hold, bars, warm_up=5)
    assert result.figures["exposure_percent"] == 50.0  # bought at the open after the 5th close: 4 of 8


def test_nothing_after_the_end_counts_and_the_end_itself_does() -> None:
    bars = bars_of([100, 100, 101, 102, 103, 90], [100, 101, 102, 103, 90, 80])
    result = dl.backtest(Hold, bars, end="2020-01-09", commission=0)
    cut = dl.backtest(Hold, bars.iloc[:4], commission=0)
    assert result.end == pd.Timestamp("2020-01-09")
    assert result.equity.equals(cut.equity)
    assert result.figures["return_percent"] == cut.figures["return_percent"] == pytest.approx(0.03)


def test_an_end_given_as_a_date_includes_the_bars_of_its_whole_day() -> None:
    prices = [100.0 + hour % 5 for hour in range(72)]
    bars = bars_of(prices, prices, freq="h")
    assert dl.backtest(Hold, bars, end="2020-01-07").end == pd.Timestamp("2020-01-07 23:00")
    assert dl.backtest(Hold, bars, end="2020-01-07 12:00").end == pd.Timestamp("2020-01-07 12:00")
