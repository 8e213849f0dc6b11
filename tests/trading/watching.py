"""A strategy that notes what it sees, and backtrader's modes to run it in."""

import itertools

import backtrader as bt
import pandas as pd

import dlplugin as dl

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


def mode_id(mode: dict[str, object]) -> str:
    """The mode as the name of a test case."""
    return "-".join(f"{key}={value}" for key, value in mode.items())


class Watcher(bt.Strategy):
    """Notes each prediction that a strategy sees, and when."""

    params = (("models", ()), ("output", 0))

    def __init__(self) -> None:
        self.predicted = [
            dl.DLPredictor(data, model=model, output=self.p.output)
            for data, model in zip(self.datas, itertools.cycle(self.p.models), strict=False)
        ]
        self.seen: list[dict[str, float]] = [{} for _ in self.datas]

    def next(self) -> None:
        for data, line, seen in zip(self.datas, self.predicted, self.seen, strict=True):
            seen[data.datetime.datetime(0)] = line[0]


def watched(
    feeds: list[object], models: list[object], output: int | str = 0, **mode: object
) -> list[pd.Series]:
    """What the strategy saw of each feed, by the times at which it saw it."""
    cerebro = bt.Cerebro(stdstats=False, **mode)
    for feed in feeds:
        cerebro.adddata(feed)
    cerebro.addstrategy(Watcher, models=models, output=output)
    return [pd.Series(seen, dtype=float) for seen in cerebro.run()[0].seen]
