import dataclasses
import xml.etree.ElementTree as ET

import numpy as np
import pandas as pd
import pytest

from dlplugin.report.candles import candles_figure
from dlplugin.report.slots import Slots


def draw(data):
    return candles_figure(data.traded.bars, data.traded.prediction, data.traded.label, data.backtest)


def shown(data, **changes):
    return dataclasses.replace(data, traded=dataclasses.replace(data.traded, **changes))


def by_class(figure, name):
    return [each for each in ET.fromstring(figure.body).iter() if (each.get("class") or "") == name]


def column(figure, name):
    return next(column.values for column in figure.columns if column.name == name)


def test_every_bar_has_one_candle_of_its_colour(make):
    data = make(bars=40)
    rising = int((data.traded.bars["close"] >= data.traded.bars["open"]).sum())

    figure = draw(data)

    for class_, expected in (("gain", rising), ("loss", 40 - rising)):
        assert by_class(figure, f"wick {class_}")[0].get("d").count("M") == expected
        assert by_class(figure, f"body {class_}")[0].get("d").count("M") == expected


def test_a_higher_price_is_drawn_higher(make):
    data = make(bars=40)

    wicks = "".join(by_class(draw(data), f"wick {side}")[0].get("d") for side in ("gain", "loss"))

    tops = {float(x): float(rest.split("V")[0]) for x, rest in (w.split(" ") for w in wicks.split("M")[1:])}
    drawn = [tops[x] for x in sorted(tops)]
    highs = data.traded.bars["high"].to_numpy()
    slope = np.polyfit(highs, drawn, 1)
    assert slope[0] < 0
    assert np.abs(np.polyval(slope, highs) - drawn).max() < 0.11


def test_hovering_reads_the_bars_themselves(make):
    data = make(bars=40)

    figure = draw(data)

    assert column(figure, "close").tolist() == data.traded.bars["close"].tolist()
    assert column(figure, "volume").tolist() == data.traded.bars["volume"].tolist()
    assert np.array_equal(column(figure, "predicted"), data.traded.prediction.to_numpy(), equal_nan=True)
    assert list(figure.labels) == [f"{day:%Y-%m-%d}" for day in data.traded.bars.index]


def test_entries_and_exits_are_marked_at_their_bars(make, backtest):
    data = make(bars=40)
    data = dataclasses.replace(data, backtest=backtest(data.traded.bars, [(2, 9), (39, None)]))

    figure = draw(data)

    marks = by_class(figure, "mark")
    said = [mark.find("title").text for mark in marks]
    entry, leave = data.traded.bars.index[2], data.traded.bars.index[9]
    assert said[0].startswith(f"entry {entry:%Y-%m-%d} at ")
    assert said[1].startswith(f"exit {leave:%Y-%m-%d} at ")
    assert len(marks) == 3, "the open trade has no exit"
    tips = [float(mark.get("points").split(",")[0]) for mark in marks]
    assert tips == pytest.approx([figure.x[2], figure.x[9], figure.x[39]], abs=0.06)
    assert len([each for side in ("gain", "loss") for each in by_class(figure, f"trade {side}")]) == 1


def points_up(mark):
    heights = [float(corner.split(",")[1]) for corner in mark.get("points").split(" ")]
    return heights[0] < heights[1]


def test_what_is_bought_points_up_and_what_is_sold_points_down(make, backtest):
    data = make(bars=40)
    long = backtest(data.traded.bars, [(2, 9)])
    short = dataclasses.replace(long, trades=long.trades.assign(size=-100.0))

    for traded, expected in ((long, [True, False]), (short, [False, True])):
        marks = by_class(draw(dataclasses.replace(data, backtest=traded)), "mark")
        assert [points_up(mark) for mark in marks] == expected


def test_trades_outside_the_bars_are_not_marked(make, apple, backtest):
    data = make(bars=40)
    earlier = backtest(apple.iloc[:300], [(2, 9)])

    assert by_class(draw(dataclasses.replace(data, backtest=earlier)), "mark") == []


def test_neighbouring_bars_share_a_candle_when_there_are_very_many(apple):
    bars = apple.iloc[:1803]

    figure = candles_figure(bars, bars["close"] * 0 + np.arange(1803), "n", None)

    groups = [bars.iloc[i : i + 4] for i in range(0, 1803, 4)]
    assert column(figure, "open").tolist() == [group["open"].iloc[0] for group in groups]
    assert column(figure, "high").tolist() == [group["high"].max() for group in groups]
    assert column(figure, "low").tolist() == [group["low"].min() for group in groups]
    assert column(figure, "close").tolist() == [group["close"].iloc[-1] for group in groups]
    assert column(figure, "volume").tolist() == [group["volume"].sum() for group in groups]
    assert column(figure, "predicted").tolist() == [*range(3, 1803, 4), 1802]


@pytest.mark.parametrize("length", [1, 2, 600, 601, 1199, 1200, 1201])
def test_slots_cover_all_bars_once(length):
    index = pd.bdate_range("2001-01-01", periods=length)

    slots = Slots.of(index)

    assert len(slots.x) <= 600
    assert [slots.at(moment) for moment in slots.dates] == list(range(len(slots.x)))
    assert slots.dates[-1] == index[-1]
    assert slots.reduce(np.ones(length), np.add).sum() == length


def test_a_date_finds_its_bar_and_none_outside():
    slots = Slots.of(pd.bdate_range("2001-01-01", periods=10, tz="UTC"))

    assert slots.at(pd.Timestamp("2001-01-03")) == 2
    assert slots.at(pd.Timestamp("2001-01-12 23:59")) == 9
    assert slots.at(pd.Timestamp("2001-01-06")) == 4, "a Saturday belongs to the bar before"
    assert [
        slots.at(moment) for moment in (pd.NaT, pd.Timestamp("2000-12-31"), pd.Timestamp("2001-01-13"))
    ] == [None] * 3


def test_bars_without_volume_say_so(make):
    data = make(bars=40)

    figure = draw(shown(data, bars=data.traded.bars.assign(volume=0.0)))

    assert "These bars carry no volume." in figure.body


def test_bars_without_a_prediction_say_so(make):
    data = make(bars=40)

    figure = draw(shown(data, prediction=data.traded.prediction * np.nan))

    assert "There is no prediction on any of these bars: the model was still warming up." in figure.body


def test_a_predicted_level_far_from_zero_fills_its_panel(make):
    data = make(bars=40)
    level = pd.Series(np.linspace(50.0, 60.0, 40), index=data.traded.bars.index)

    figure = draw(shown(data, prediction=level))

    path = by_class(figure, "curve model")[0].get("d").removeprefix("M")
    heights = np.array(path.split(), float)[1::2]
    assert np.ptp(heights) > 100


def test_no_bars_say_so(make):
    data = make(bars=40)
    none = data.traded.bars.iloc[:0]

    figure = candles_figure(none, data.traded.prediction.iloc[:0], "n", None)

    assert ET.fromstring(figure.body).text == (
        "No bars lie in the holdout, so there is nothing to draw: the split leaves none."
    )


def test_missing_prices_leave_a_gap_and_no_broken_path(make):
    data = make(bars=40)
    bars = data.traded.bars.copy()
    bars.iloc[5] = np.nan
    bars.iloc[39] = np.nan

    figure = draw(shown(data, bars=bars))

    assert "nan" not in figure.body


def test_trades_at_one_place_are_marked_once_and_listed(make, apple, backtest):
    bars = apple.iloc[:1800]
    traded = backtest(bars, [(0, 40), (1, 41), (2, 42), (100, 200)])

    marks = by_class(candles_figure(bars, bars["close"] * np.nan, "n", traded), "mark")

    said = [mark.find("title").text for mark in marks]
    assert len(said) == 5, "entries in one candle of three bars; exits in two"
    assert said[0].count("entry") == 2
    assert said[0].endswith("and 1 more")
