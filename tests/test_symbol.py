"""Models that know whose bars they see: every way of asking gives the same bits, and what symbols differ in is learned."""

import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

import dlplugin as dl
from dlplugin.definition import EngineSpec, engines
from dlplugin.definition import settings as settings_class
from dlplugin.engines import Shapes, mlp
from dlplugin.errors import PredictionError
from dlplugin.evaluation import trained as evaluating
from dlplugin.indicators import first_leak
from dlplugin.model import reporting as assemble
from dlplugin.registry import Entry
from dlplugin.samples import build_samples
from dlplugin.training.steps.augmentation import Augmentation
from tests.test_prediction import live
from tests.trading.watching import watched

SYMBOLS = ["AAPL", "IBM", "MSFT"]
NO_SYMBOL = (
    "'pooled' has the input 'symbol' and must know whose bars these are; give symbol=, such as symbol='AAPL', or in "
    "backtrader the feed's name: dl.feed(bars, 'AAPL')"
)


def untrained(symbol: str, model: str = "pooled") -> str:
    return f"model {model!r} never trained on {symbol!r}, so its input 'symbol' is all zeros"


@settings_class
class Window:
    """An engine of windows that reads all their cells at once."""

    def weights(self, shapes: Shapes) -> int:
        return dl.MLP(hidden=[8]).weights(flattened(shapes))


class ReadsAll(nn.Module):
    def __init__(self, shapes: Shapes) -> None:
        super().__init__()
        self.cells = mlp.build(dl.MLP(hidden=[8]), flattened(shapes))

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        given: torch.Tensor = self.cells(rows.flatten(2))
        return given


def flattened(shapes: Shapes) -> Shapes:
    window, features = shapes.row
    return Shapes(shapes.networks, (window * features,), shapes.outputs)


def build_window(options: Window, shapes: Shapes) -> ReadsAll:
    return ReadsAll(shapes)


WINDOW = EngineSpec("window", Window, f"{__name__}:build_window", layout="window", chunk=64)


@pytest.fixture(scope="module", autouse=True)
def window_engine():
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(engines._all(), "window", Entry("window", f"{__name__}:WINDOW", "for these tests"))
        yield


@pytest.fixture(scope="module")
def three(us_stocks: dl.DataSet) -> dl.DataSet:
    return us_stocks.subset(SYMBOLS)


def described(store: Path, name: str, three: dl.DataSet, engine: object, embedding: int | None) -> dl.Model:
    own = dl.Input("symbol", categories=three.symbols, embedding=embedding)
    inputs = [dl.Input("RSI(14)", depth=3, increment=2), own, dl.Input("ROC(5)", depth=3, increment=2)]
    return dl.Model(name, inputs, [dl.Output("ROC(1)", 1)], engine, store=store)  # type: ignore[arg-type]


@pytest.fixture(
    scope="module",
    params=[(dl.MLP(hidden=[4]), 2), (dl.MLP(hidden=[4]), None), ("window", 2)],
    ids=["flat-embedded", "flat-one-hot", "window-embedded"],
)
def pooled(request, tmp_path_factory: pytest.TempPathFactory, three: dl.DataSet) -> dl.Model:
    """IBM is a category, too, but is held out."""
    model = described(tmp_path_factory.mktemp("pooled") / "models", "pooled", three, *request.param)
    options = dl.TrainingOptions(epochs=2, networks=2, learning_rate=0.01)
    model.train(three, dl.Split(held_out=["IBM"]), options)
    return model.lock()


@pytest.mark.filterwarnings("ignore:.*never trained on:dlplugin.DLPluginWarning")
def test_bar_by_bar_in_batch_and_after_a_reload_are_the_same_bits(
    pooled: dl.Model, three: dl.DataSet
) -> None:
    bars = three["AAPL"].iloc[:300]
    loaded = dl.load("pooled@1", pooled.store)
    assert loaded.definition == pooled.definition
    seen = {}
    for symbol in ("AAPL", "MSFT", "IBM", "NEW"):
        seen[symbol] = pooled.predict(bars, symbol).to_numpy()
        np.testing.assert_array_equal(live(pooled.predictor, bars, symbol), seen[symbol])
        np.testing.assert_array_equal(loaded.predict(bars, symbol).to_numpy(), seen[symbol])
        assert np.isnan(seen[symbol]).any(axis=1).sum() == pooled.bars_needed - 1 == 18
    assert np.nanmin(np.abs(seen["AAPL"][:, 0] - seen["MSFT"][:, 0])) > 0
    assert np.nanmin(np.abs(seen["AAPL"][:, 0] - seen["NEW"][:, 0])) > 0
    np.testing.assert_array_equal(seen["IBM"], seen["NEW"])
    inputs = pooled.predictor.live("MSFT")
    for t, (time, row) in enumerate(zip(bars.index, bars.to_dict("records"), strict=True)):
        np.testing.assert_array_equal(inputs.peek(row, time), seen["MSFT"][t])
        inputs.take(row, time)


@pytest.mark.usefixtures("without_boosting")
def test_the_evaluation_is_of_the_same_predictions(pooled: dl.Model, three: dl.DataSet) -> None:
    evaluation = pooled.evaluate(three)
    assert evaluation.to_json() == pooled.evaluation.to_json()


@pytest.mark.filterwarnings("ignore:.*too short a history:dlplugin.DLPluginWarning")
@pytest.mark.filterwarnings("ignore:.*(unadjusted split|a jump):dlplugin.DLPluginWarning")
def test_the_prediction_does_not_look_ahead(pooled: dl.Model, three: dl.DataSet) -> None:
    bars, rng = three["AAPL"].iloc[:400], np.random.default_rng(2)
    assert first_leak(lambda part: pooled.predict(part, "AAPL").to_numpy(), bars, rng, 8) is None


@pytest.mark.parametrize("runonce", [True, False])
def test_a_strategy_sees_the_bits_of_predict_for_the_symbol_that_each_feed_is_named_by(
    pooled: dl.Model, three: dl.DataSet, runonce: bool
) -> None:
    names = ["AAPL", "MSFT"]
    feeds = [dl.feed(three["AAPL"].iloc[:300], name) for name in names]
    for name, seen in zip(names, watched(feeds, [pooled], runonce=runonce), strict=True):
        wanted = pooled.predict(three["AAPL"].iloc[:300], name).iloc[:, 0]
        assert len(seen) == 300 - 18
        np.testing.assert_array_equal(seen.to_numpy(), wanted.loc[seen.index].to_numpy())


def test_no_symbol_is_refused_in_one_line(pooled: dl.Model, three: dl.DataSet) -> None:
    bars = three["AAPL"].iloc[:300]
    for ask in (
        lambda: pooled.predict(bars),
        lambda: pooled.predictor.live(),
        lambda: watched([dl.feed(bars)], [pooled]),
    ):
        with pytest.raises(PredictionError) as error:
            ask()
        assert str(error.value) == NO_SYMBOL


def test_a_symbol_that_it_never_trained_on_is_told_once(pooled: dl.Model, three: dl.DataSet) -> None:
    bars = three["AAPL"].iloc[:300]
    asked = {
        "predict": lambda model, symbol: model.predict(bars, symbol),
        "live": lambda model, symbol: model.predictor.live(symbol),
        "strategy": lambda model, symbol: watched([dl.feed(bars, symbol)], [model]),
    }
    for name, ask in asked.items():
        model = dl.load("pooled@1", pooled.store)
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            for symbol in ("IBM", "NEW", "AAPL", "NEW", "IBM", "aapl"):
                ask(model, symbol)
        meant = untrained("aapl") + "; did you mean 'AAPL'?"
        assert [str(each.message) for each in told] == [untrained("IBM"), untrained("NEW"), meant]
        assert {each.category for each in told} == {dl.DLPluginWarning}
        users = Path(__file__).parent / "trading/watching.py" if name == "strategy" else Path(__file__)
        assert {Path(each.filename) for each in told} == {users}


def test_vectors_of_another_models_symbols_are_told_when_a_training_starts_from_them(
    pooled: dl.Model, three: dl.DataSet, tmp_path: Path
) -> None:
    options = dl.TrainingOptions(epochs=1, networks=2)
    item = pooled.definition.inputs[1]
    turned = dl.Input("symbol", categories=SYMBOLS[::-1], embedding=item.embedding)
    for name, own, words in (("same", item, ""), ("turned", turned, "symbol (AAPL IBM MSFT)")):
        inputs = [pooled.definition.inputs[0], own, pooled.definition.inputs[2]]
        model = dl.Model(
            name, inputs, pooled.definition.outputs, pooled.definition.engine, store=pooled.store
        )
        starts = str(model.train(three, options=options, start_from="pooled@1").facts["starts"])
        assert ("mind that" in starts) is bool(words)
        assert words in starts


def test_augmentation_leaves_it_alone(three: dl.DataSet, tmp_path: Path) -> None:
    definition = described(tmp_path, "m", three, "window", 2).definition
    options = dl.TrainingOptions(input_noise=0.3, input_masking=0.5, input_magnitude=0.2)
    augment = Augmentation(definition, options)
    augment.begin(1, 2)
    rows = torch.ones(2, 50, 3, 5)
    changed = augment(rows)
    assert torch.equal(changed[..., 1:4], rows[..., 1:4])
    assert (changed[..., [0, 4]] != 1).all()


@pytest.mark.parametrize("engine", [dl.MLP(hidden=[4]), "window"])
def test_ridge_sees_the_symbol_once(three: dl.DataSet, tmp_path: Path, engine: object) -> None:
    definition = described(tmp_path, "m", three, engine, 2).definition
    samples = build_samples(definition, three, dl.resolve_split(three, dl.Split()))
    rows = samples.rows["in-sample"]
    seen = evaluating._told(samples, rows)
    assert seen.shape == (len(rows), 3 + 3 + 3)
    labelled = np.isin(seen, (0, 1)).all(axis=0)
    np.testing.assert_array_equal(seen[:, labelled], np.eye(3)[samples.owner[rows]])


def test_the_report_tells_it(three: dl.DataSet) -> None:
    hot = dl.Input("symbol", categories=three.symbols)
    assert assemble._input(hot) == "symbol, 3 categories"
    own = dl.Input("symbol", categories=three.symbols, embedding=4)
    assert assemble._input(own) == "symbol, 3 categories in vectors of 4"


def made_up(sign: int, seed: int, count: int = 600) -> pd.DataFrame:
    """Closes that gain on the next day what x says, or lose it, and some noise: all in percent."""
    rng = np.random.default_rng(seed)
    x, gains = rng.normal(size=count), rng.normal(0, 0.2, count)
    gains[1:] += sign * x[:-1]
    close = 100 * np.cumprod(1 + gains / 100)
    before = np.append(100.0, close[:-1])
    prices = {"open": before, "high": np.maximum(before, close), "low": np.minimum(before, close)}
    index = pd.bdate_range("2010-01-04", periods=count)
    return pd.DataFrame(prices | {"close": close, "volume": 1000.0, "x": x}, index=index)


def r_squared(model: dl.Model, dataset: dl.DataSet) -> float:
    """Out of sample, over both symbols: 1 − squared errors / squares of what came."""
    span, errors, squares = model.spans["out-of-sample"], 0.0, 0.0
    for symbol in dataset.symbols:
        came = (dataset[symbol]["close"].pct_change().shift(-1) * 100).loc[span.start : span.end][:-1]
        predicted = model.predict(dataset[symbol], symbol).iloc[:, 0].loc[came.index]
        errors += float(((came - predicted) ** 2).sum())
        squares += float((came**2).sum())
    return 1 - errors / squares


@pytest.mark.parametrize("embedding", [2, None])
@pytest.mark.parametrize(
    ("engine", "depth"),
    [(dl.MLP(hidden=[8]), 1), pytest.param("window", 3, marks=pytest.mark.slow)],
    ids=["flat", "window"],
)
def test_opposite_signs_of_one_input_are_learned_with_the_symbol_and_cannot_be_without(
    tmp_path: Path, engine: object, depth: int, embedding: int | None
) -> None:
    dataset = dl.DataSet.from_frames("made", {"A": made_up(1, 1), "B": made_up(-1, 2)})
    x, outputs = dl.Input("x", depth=depth), [dl.Output("ROC(1)", 1)]
    own = dl.Input("symbol", categories=dataset.symbols, embedding=embedding)
    options = dl.TrainingOptions(epochs=40, batch_size=64, learning_rate=0.02)
    found = {}
    for name, inputs in {"without": [x], "with": [x, own]}.items():
        model = dl.Model(name, inputs, outputs, engine, store=tmp_path)  # type: ignore[arg-type]
        model.train(dataset, options=options)
        found[name] = r_squared(model, dataset)
    assert abs(found["without"]) < 0.1
    assert found["with"] > 0.8
