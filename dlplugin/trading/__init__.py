"""backtrader enters here: predictor, feeds, backtests."""

from dlplugin.evaluation import Backtest, Execution, round_trips
from dlplugin.trading.backtest import backtest
from dlplugin.trading.feeds import feed
from dlplugin.trading.predictor import DLPredictor
from dlplugin.trading.register import register

__all__ = ["Backtest", "DLPredictor", "Execution", "backtest", "feed", "register", "round_trips"]
