"""Buys on the first day and holds: what every other strategy has to beat. It uses no model."""

import argparse

import backtrader as bt

import dlplugin as dl


class BuyAndHold(bt.Strategy):
    """Puts the share `target` of the account into the stock, once."""

    params = (("target", 0.95),)

    def next(self) -> None:
        if not self.position:
            self.order_target_percent(target=self.p.target)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dataset", default="us-stocks", help="a bundled DataSet (%(default)s)")
    parser.add_argument("--symbol", default="AAPL", help="what to trade (%(default)s)")
    parser.add_argument(
        "--commission", type=float, default=0.001, help="share of the value, a side (%(default)s)"
    )
    args = parser.parse_args()

    try:
        dataset = dl.DataSet.bundled(args.dataset)
        bars = dataset[args.symbol]
        start = dl.resolve_split(dataset, dl.Split())["holdout"].start
        print(dl.backtest(BuyAndHold, bars, args.symbol, start=start, commission=args.commission))
    except dl.DLPluginError as error:
        parser.error(str(error))


if __name__ == "__main__":
    main()
