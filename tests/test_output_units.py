"""Predictions come in the outputs' own units, symbol by symbol."""

from pathlib import Path

import numpy as np
import pytest

import dlplugin as dl


@pytest.fixture
def levels(us_stocks: dl.DataSet) -> dl.DataSet:
    """One price path at two levels, a hundredfold apart."""
    bars = us_stocks["IBM"][["open", "high", "low", "close", "volume"]]
    prices = ["open", "high", "low", "close"]
    return dl.DataSet.from_frames(
        "levels", {"CHEAP": bars, "DEAR": bars.assign(**{name: bars[name] * 100 for name in prices})}
    )


def test_an_output_scaled_by_symbol_is_predicted_at_the_symbols_own_level(
    describe, tmp_path: Path, levels: dl.DataSet
) -> None:
    model = describe(
        tmp_path / "models",
        inputs=["RSI(14)", "ROC(5)"],
        outputs=[dl.Output("close", look_ahead=1, pooled=False)],
    )
    model.train(levels, options=dl.TrainingOptions(epochs=2))
    cheap, dear = (model.predict(levels[symbol], symbol).to_numpy() for symbol in ("CHEAP", "DEAR"))
    known = np.isfinite(cheap)
    assert known.sum() > 1000
    np.testing.assert_allclose(dear[known], cheap[known] * 100, rtol=1e-4)
    close = levels["CHEAP"]["close"]
    assert close.min() < cheap[known].min() < cheap[known].max() < close.max()


def test_bar_by_bar_too_each_symbol_has_its_own_level(describe, tmp_path: Path, levels: dl.DataSet) -> None:
    model = describe(
        tmp_path / "models", inputs=["ROC(5)"], outputs=[dl.Output("close", look_ahead=1, pooled=False)]
    )
    model.train(levels, options=dl.TrainingOptions(epochs=1))
    seen = {}
    for symbol in levels.symbols:
        bars, live = levels[symbol].iloc[:60], model.predictor.live(symbol)
        told = zip(bars.index, bars.to_dict("records"), strict=True)
        seen[symbol] = np.array([live.update(bar, time) for time, bar in told])
        np.testing.assert_array_equal(seen[symbol], model.predict(levels[symbol], symbol).to_numpy()[:60])
    np.testing.assert_allclose(seen["DEAR"], seen["CHEAP"] * 100, rtol=1e-4)
