"""Models with categories, trained: every way of asking gives the same bits, and a planted effect is found."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import dlplugin as dl
from dlplugin.indicators import first_leak
from dlplugin.model import reporting as assemble
from tests.test_prediction import live
from tests.trading.test_predictor import watched

WEEK = [0, 1, 2, 3, 4]  # the hourly bars of Sunday evening are none of them
EFFECT = np.array([1.0, -1.0, 0.0, -1.0, 1.0])  # percent on the day after; no straight line shows it


@pytest.fixture(scope="module")
def hourly() -> dl.DataSet:
    return dl.DataSet.bundled("eurusd-1h")


@pytest.fixture(scope="module", params=[None, 2], ids=["one-hot", "embedded"])
def weekly(request, describe, tmp_path_factory: pytest.TempPathFactory, hourly: dl.DataSet) -> dl.Model:
    inputs = [
        "RSI(14)",
        dl.Input("day_of_week", depth=3, increment=5, categories=WEEK, embedding=request.param),
        dl.Input("month", categories=range(1, 13)),
    ]
    model = describe(tmp_path_factory.mktemp("week") / "models", "weekly", inputs=inputs)
    model.train(hourly, options=dl.TrainingOptions(epochs=1, networks=3))
    return model.lock()


def test_bar_by_bar_in_batch_and_after_a_reload_are_the_same_bits(
    weekly: dl.Model, hourly: dl.DataSet
) -> None:
    bars = hourly["EURUSD"].iloc[:400]
    assert set(bars.index.day_of_week) > set(WEEK)
    wanted = weekly.predict(bars).to_numpy()
    np.testing.assert_array_equal(live(weekly.predictor, bars), wanted)
    loaded = dl.load("weekly@1", weekly.store)
    assert loaded.definition == weekly.definition
    np.testing.assert_array_equal(loaded.predict(bars).to_numpy(), wanted)
    inputs = weekly.predictor.live()
    for t, (time, row) in enumerate(zip(bars.index, bars.to_dict("records"), strict=True)):
        np.testing.assert_array_equal(inputs.peek(row, time), wanted[t])
        inputs.take(row, time)


def test_a_bar_alone_and_among_others_has_the_same_bits(weekly: dl.Model, hourly: dl.DataSet) -> None:
    bars = hourly["EURUSD"].iloc[:900]
    whole = weekly.predict(bars).to_numpy()
    for end in (260, 333, 899):
        np.testing.assert_array_equal(weekly.predict(bars.iloc[:end]).to_numpy(), whole[:end])


@pytest.mark.filterwarnings("ignore:.*too short a history:dlplugin.DLPluginWarning")
@pytest.mark.filterwarnings("ignore:.*(unadjusted split|a jump):dlplugin.DLPluginWarning")
def test_the_prediction_does_not_look_ahead(weekly: dl.Model, hourly: dl.DataSet) -> None:
    bars = hourly["EURUSD"].iloc[:500]
    rng = np.random.default_rng(2)
    assert first_leak(lambda part: weekly.predict(part).to_numpy(), bars, rng, 8) is None


@pytest.mark.parametrize("runonce", [True, False])
def test_a_strategy_sees_the_bits_of_predict(weekly: dl.Model, hourly: dl.DataSet, runonce: bool) -> None:
    bars = hourly["EURUSD"].iloc[:500]
    (seen,) = watched([dl.feed(bars)], [weekly], runonce=runonce)
    assert list(seen.index) == list(bars.index[weekly.bars_needed - 1 :])
    np.testing.assert_array_equal(seen.to_numpy(), weekly.predict(bars).iloc[:, 0].loc[seen.index].to_numpy())


@pytest.mark.parametrize(
    ("item", "told"),
    [
        (dl.Input("month", depth=2), "month, depth 2"),
        (dl.Input("month", categories=[1, 2]), "month, depth 1, 2 categories"),
        (
            dl.Input("month", categories=[1, 2], embedding=3),
            "month, depth 1, 2 categories in vectors of 3",
        ),
    ],
)
def test_the_report_tells_categories_and_their_vectors(item: dl.Input, told: str) -> None:
    assert assemble._input(item) == told


@pytest.fixture(scope="module")
def planted(us_stocks: dl.DataSet) -> dl.DataSet:
    """Closes that gain or lose on the next day what the day of the week says, and some noise."""
    index = us_stocks["MSFT"].index[:1500]
    rng = np.random.default_rng(0)
    gains = np.zeros(len(index))
    gains[1:] = EFFECT[index.day_of_week[:-1]] + rng.normal(0, 0.5, len(index) - 1)
    close = 100 * np.cumprod(1 + gains / 100)
    before = np.append(100.0, close[:-1])
    frame = pd.DataFrame(
        {
            "open": before,
            "high": np.maximum(before, close),
            "low": np.minimum(before, close),
            "close": close,
            "volume": 1000.0,
        },
        index=index,
    )
    return dl.DataSet.from_frames("planted", {"MADE": frame})


@pytest.mark.parametrize(("embedding", "networks"), [(None, 1), (1, 1), (2, 3)])
def test_a_linear_model_learns_an_effect_of_the_day_that_one_number_cannot_show(
    describe, tmp_path: Path, planted: dl.DataSet, embedding: int | None, networks: int
) -> None:
    options = dl.TrainingOptions(epochs=30, batch_size=64, learning_rate=0.02, networks=networks)
    losses = {}
    for name, week in {
        "number": dl.Input("day_of_week"),
        "categories": dl.Input("day_of_week", categories=WEEK, embedding=embedding),
    }.items():
        model = describe(
            tmp_path / "models",
            name,
            inputs=[week],
            outputs=[dl.Output("ROC(1)", 1)],
            engine=dl.MLP(hidden=[]),
        )
        losses[name] = model.train(planted, options=options).history["out_of_sample_loss"].min()
    # noise 0.25 of a variance of about 0.25 + 0.8: what is left when the day is known
    assert losses["categories"] < 0.35
    assert losses["number"] > 0.85
