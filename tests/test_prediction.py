"""One prediction, every way of asking for it: the same bits."""

import numpy as np
import pandas as pd
import pytest
import torch

import dlplugin as dl
from dlplugin.errors import DamagedModelError
from dlplugin.prediction import Predictor
from dlplugin.samples import input_matrix


def live(predictor: Predictor, bars: pd.DataFrame, symbol: str | None = None) -> np.ndarray:
    inputs = predictor.live(symbol)
    return np.array(
        [inputs.update(row, time) for time, row in zip(bars.index, bars.to_dict("records"), strict=True)]
    )


def test_bar_by_bar_and_in_batch_are_the_same_bits(locked: dl.Model, us_stocks: dl.DataSet) -> None:
    bars = us_stocks["MSFT"].iloc[:700]
    np.testing.assert_array_equal(live(locked.predictor, bars), locked.predict(bars).to_numpy())


def test_a_bar_predicted_alone_among_others_and_at_any_place_has_the_same_bits(
    locked: dl.Model, us_stocks: dl.DataSet
) -> None:
    bars = us_stocks["MSFT"]
    predictor = locked.predictor
    matrix = predictor._input_scaling.of(None).apply(input_matrix(locked.definition, bars))
    rows = np.arange(100, 1500)
    together = predictor.predict_rows(matrix, rows)
    rng = np.random.default_rng(3)
    shuffled = rng.permutation(len(rows))
    np.testing.assert_array_equal(predictor.predict_rows(matrix, rows[shuffled]), together[shuffled])
    for one in rng.integers(0, len(rows), 30):
        np.testing.assert_array_equal(predictor.predict_rows(matrix, rows[one : one + 1])[0], together[one])


def test_the_number_of_threads_does_not_matter(locked: dl.Model, us_stocks: dl.DataSet) -> None:
    bars = us_stocks["MSFT"]
    before = torch.get_num_threads()
    found = []
    for threads in (1, 2, 4):
        torch.set_num_threads(threads)
        found.append(locked.predict(bars).to_numpy())
        assert torch.get_num_threads() == threads
    torch.set_num_threads(before)
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_array_equal(found[0], found[2])


def test_peeking_at_a_forming_bar_leaves_no_trace(locked: dl.Model, us_stocks: dl.DataSet) -> None:
    bars = us_stocks["MSFT"].iloc[:260]
    wanted = locked.predict(bars).to_numpy()
    inputs = locked.predictor.live()
    for t, (time, row) in enumerate(zip(bars.index, bars.to_dict("records"), strict=True)):
        forming = row | {"close": row["low"]}
        inputs.peek(forming, time)
        np.testing.assert_array_equal(inputs.peek(row, time), wanted[t])
        inputs.take(row, time)


def test_warm_up_is_nan_and_the_first_prediction_comes_when_promised(
    locked: dl.Model, us_stocks: dl.DataSet
) -> None:
    predicted = locked.predict(us_stocks["MSFT"])
    known = predicted.notna().all(axis=1).to_numpy()
    assert not known[: locked.bars_needed - 1].any()
    assert known[locked.bars_needed - 1 :].all()
    assert list(predicted.columns) == ["ROC(5)", "ROC(1)"]


def test_the_mean_of_many_networks_is_the_same_alone_and_among_others(describe, tmp_path, two_stocks) -> None:
    model = describe(tmp_path / "models", outputs=[dl.Output("ROC(5)", look_ahead=5)])
    model.train(two_stocks, options=dl.TrainingOptions(epochs=1, networks=17))
    bars = two_stocks["IBM"].iloc[:400]
    np.testing.assert_array_equal(live(model.predictor, bars), model.predict(bars).to_numpy())


def test_a_model_scaled_by_symbol_uses_the_symbols_own_scaling(describe, tmp_path, two_stocks) -> None:
    model = describe(tmp_path / "models", inputs=[dl.Input("close", pooled=False)])
    model.train(two_stocks, options=dl.TrainingOptions(epochs=1))
    bars = two_stocks["IBM"]
    with pytest.raises(dl.DLPluginError, match=r"trained on AAPL, IBM, not on None; give symbol="):
        model.predict(bars)
    one, other = (model.predict(bars, symbol).to_numpy() for symbol in ("IBM", "AAPL"))
    assert not np.array_equal(one, other)
    np.testing.assert_array_equal(live(model.predictor, bars.iloc[:50], "IBM"), one[:50])


def test_a_history_too_short_for_steady_inputs_warns(locked: dl.Model, us_stocks: dl.DataSet) -> None:
    steady = locked.definition.steady_bars
    assert steady > locked.bars_needed
    with pytest.warns(dl.DLPluginWarning) as caught:
        locked.predict(us_stocks["MSFT"].iloc[:40])
    assert str(caught[0].message) == (
        f"40 bars are too short a history for steady inputs of 'locked': they differ from those of a longer one "
        f"until bar {steady}"
    )


def test_weights_of_another_network_are_refused(locked: dl.Model) -> None:
    one = locked.predictor
    weights = {name: value.numpy() for name, value in one._network.state_dict().items()}
    weights["output.weight"] = weights["output.weight"][:, :3]
    with pytest.raises(DamagedModelError, match="the weights of 'locked' do not fit its engine"):
        Predictor(locked.definition, one._input_scaling, one._output_scaling, weights)
