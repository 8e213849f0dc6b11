"""Buys while a model predicts a gain over the next five days, and sells when it predicts a loss.

Trains and locks the model when there is no locked one, then trades the days it has never seen.
"""

import argparse
from typing import Any

import backtrader as bt
import pandas as pd

import dlplugin as dl


class BuyPredictedGain(bt.Strategy):
    """Thresholds are in the output's unit: percent over five days."""

    params = (("model", "us-5d"), ("buy_above", 0.5), ("sell_below", 0.0))

    def __init__(self) -> None:
        self.predicted = dl.DLPredictor(self.data, model=self.p.model)

    def next(self) -> None:
        if not self.position and self.predicted[0] > self.p.buy_above:
            self.order_target_percent(target=0.95)
        elif self.position and self.predicted[0] < self.p.sell_below:
            self.close()


def trained(dataset: dl.DataSet, store: str | None = None) -> tuple[dl.Model, bool]:
    """The locked model, and whether it was trained just now."""
    model = dl.Model(
        "us-5d",
        inputs=[
            dl.Input("RSI(14)", depth=3),
            dl.Input("ROC(5)", depth=3),
            dl.Input("close / SMA(20) - 1", depth=3),
        ],
        outputs=[dl.Output("ROC(5)", look_ahead=5)],
        engine=dl.MLP(hidden=[32, 16], dropout=0.1),
        store=store,
    )
    if model.status == "locked":
        return model, False
    model.train(dataset, split=dl.Split(0.6, 0.2), options=dl.TrainingOptions(epochs=300, auto_stop=50))
    return model.lock(note="trained by buy_predicted_gain"), True


def trade(model: dl.Model, bars: pd.DataFrame, symbol: str, **options: Any) -> dl.Backtest:
    """Trades the holdout."""
    start = model.spans["holdout"].start
    return dl.backtest(BuyPredictedGain, bars, symbol, start=start, model=model, **options)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--symbol", default="AAPL", help="what to trade (%(default)s)")
    parser.add_argument("--buy-above", type=float, default=0.5, help="percent over five days (%(default)s)")
    parser.add_argument("--sell-below", type=float, default=0.0, help="percent over five days (%(default)s)")
    parser.add_argument(
        "--commission", type=float, default=0.001, help="share of the value, a side (%(default)s)"
    )
    options = vars(parser.parse_args())
    symbol = options.pop("symbol")

    dataset = dl.DataSet.bundled("us-stocks")
    try:
        bars = dataset[symbol]
        model, _ = trained(dataset)
        print(model.evaluation, trade(model, bars, symbol, **options), sep="\n\n")
    except dl.DLPluginError as error:
        parser.error(str(error))


if __name__ == "__main__":
    main()
