"""Puts the model type into backtrader itself: `bt.ind.DLPredictor`."""

__all__ = ["register"]


def register() -> None:
    """Makes DLPredictor one of backtrader's indicators; importing dlplugin after backtrader does it."""
    import backtrader as bt

    from dlplugin.trading.predictor import DLPredictor

    bt.indicators.DLPredictor = DLPredictor
