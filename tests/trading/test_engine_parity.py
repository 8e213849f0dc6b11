"""Every engine in backtrader: the same bits as in `predict`, in every mode."""

import io
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

import dlplugin as dl
from dlplugin.definition.engines import engines
from tests.engines.every import DEPTH, SMALL
from tests.trading.watching import MODES, mode_id, watched

OWN_MODE = [(name, MODES[number % len(MODES)]) for number, name in enumerate(SMALL)]


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory, two_stocks: dl.DataSet) -> Callable[[str], dl.Model]:
    """Two networks of an engine, hardly trained, locked and read back."""
    store: Path = tmp_path_factory.mktemp("engines")
    few = dl.DataSet.from_frames("few", {"IBM": two_stocks["IBM"].iloc[:150]})

    @cache
    def model(name: str) -> dl.Model:
        inputs = [dl.Input(text, depth=DEPTH) for text in ("ROC(1)", "ROC(5)", "close / SMA(20) - 1")]
        made = dl.Model(name, inputs, [dl.Output("ROC(5)", look_ahead=5)], SMALL[name], store=store)
        options = dl.TrainingOptions(epochs=1, networks=2)
        made.train(few, dl.Split(1.0, 0.0), options, Console(file=io.StringIO()))
        made.lock(force=True)
        return dl.load(f"{name}@1", store)

    return model


def check_parity(model: dl.Model, dataset: dl.DataSet, mode: dict[str, object]) -> None:
    bars = dataset["MSFT"].iloc[:130]
    wanted = model.predict(bars).iloc[:, 0]
    (seen,) = watched([dl.feed(bars, "MSFT")], [model], **mode)
    assert len(seen) == len(bars) - model.bars_needed + 1
    assert seen.nunique() > 0.9 * len(seen)
    np.testing.assert_array_equal(seen.to_numpy(), wanted.loc[seen.index].to_numpy())


def test_no_engine_is_left_out() -> None:
    assert {type(options) for options in SMALL.values()} == {engines[name].options for name in engines}


@pytest.mark.parametrize(("name", "mode"), OWN_MODE, ids=[name for name, _ in OWN_MODE])
def test_a_strategy_sees_the_bits_of_predict_with_each_engine(
    stored: Callable[[str], dl.Model], us_stocks: dl.DataSet, name: str, mode: dict[str, object]
) -> None:
    check_parity(stored(name), us_stocks, mode)


@pytest.mark.slow
@pytest.mark.parametrize("mode", MODES, ids=mode_id)
@pytest.mark.parametrize("name", SMALL)
def test_a_strategy_sees_the_bits_of_predict_with_each_engine_in_every_mode(
    stored: Callable[[str], dl.Model], us_stocks: dl.DataSet, name: str, mode: dict[str, object]
) -> None:
    check_parity(stored(name), us_stocks, mode)
