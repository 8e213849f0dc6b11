import dataclasses
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from dlplugin.report.account import account_figure, drawdown


def slow_drawdown(values, cash):
    return [min(0.0, (value / max([cash, *values[: i + 1]]) - 1) * 100) for i, value in enumerate(values)]


def test_drawdown_is_measured_from_the_highest_value_so_far():
    values = np.random.default_rng(1).normal(0, 1, 200).cumsum() + 50

    for cash in (0.0, 55.0, 1000.0):
        assert drawdown(values, cash).tolist() == pytest.approx(slow_drawdown(values.tolist(), cash))


def test_lines_end_in_their_names_and_last_values(make):
    backtest = make(bars=40).backtest

    said = [each.text for each in ET.fromstring(account_figure(backtest).body).iter("text")]

    assert f"strategy {backtest.equity.iloc[-1]:,.0f}" in said
    assert f"buy and hold {backtest.buy_and_hold.iloc[-1]:,.0f}" in said
    assert "start 10,000" in said


def test_hovering_reads_values_beside_their_drawdown(make):
    backtest = make(bars=40).backtest

    columns = account_figure(backtest).columns

    assert [column.name for column in columns] == ["strategy", "drawdown", "buy and hold", "drawdown"]
    assert columns[0].values.tolist() == backtest.equity.tolist()
    assert columns[1].values.tolist() == pytest.approx(slow_drawdown(backtest.equity.tolist(), 10_000.0))
    assert columns[2].values.tolist() == backtest.buy_and_hold.tolist()


def test_an_account_that_never_moves_is_drawn(make):
    backtest = make(bars=40).backtest
    still = backtest.equity * 0 + 10_000

    figure = account_figure(dataclasses.replace(backtest, equity=still, buy_and_hold=still))

    assert "nan" not in figure.body
    assert "strategy 0.0 %" in figure.body


def test_a_backtest_without_bars_says_so(make):
    backtest = make(bars=40).backtest
    without = dataclasses.replace(backtest, equity=backtest.equity.iloc[:0])
    assert ET.fromstring(account_figure(without).body).text == (
        "The backtest has no bars, so there is no account value to draw."
    )
