"""Real bars, and one small trained and locked model that many tests share."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import dlplugin as dl

if TYPE_CHECKING:
    from tests.bars.yahoo_server import Yahoo


@pytest.fixture(scope="session", autouse=True)
def _nothing_of_the_users(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The tests neither use nor fill the cache of whoever runs them, nor a project of theirs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DLPLUGIN_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.delenv("DLPLUGIN_PROJECT", raising=False)
        yield


@pytest.fixture
def without_boosting(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if scikit-learn were not installed: then an evaluation has the rules of that at a training's end."""
    from dlplugin.evaluation.rules import boosting

    monkeypatch.setattr(boosting, "find_spec", lambda name: None)


@pytest.fixture(scope="session")
def us_stocks() -> dl.DataSet:
    return dl.DataSet.bundled("us-stocks")


@pytest.fixture(scope="session")
def two_stocks(us_stocks: dl.DataSet) -> dl.DataSet:
    return us_stocks.subset(["AAPL", "IBM"])


def describe_model(store: Path, name: str = "small", **changes: object) -> dl.Model:
    """Three inputs of different warm-up and depth, two outputs of different look ahead."""
    settings: dict[str, object] = {
        "inputs": [
            dl.Input("RSI(14)", depth=3),
            dl.Input("ROC(5)", depth=2, increment=3),
            dl.Input("close / SMA(20) - 1", clip=4.0),
        ],
        "outputs": [dl.Output("ROC(5)", look_ahead=5), dl.Output("ROC(1)", look_ahead=1)],
        "engine": dl.MLP(hidden=[8], dropout=0.1),
    }
    return dl.Model(name, store=store, **(settings | changes))  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def describe() -> Callable[..., dl.Model]:
    """Makes a description: (store, name, changes) -> model."""
    return describe_model


@pytest.fixture
def model(tmp_path: Path) -> dl.Model:
    """A description in an empty store."""
    return describe_model(tmp_path / "models")


@pytest.fixture(scope="session")
def locked(tmp_path_factory: pytest.TempPathFactory, two_stocks: dl.DataSet) -> dl.Model:
    """Trained for a few epochs on two stocks, and locked; tests do not change its store."""
    model = describe_model(tmp_path_factory.mktemp("store") / "models", "locked")
    model.train(two_stocks, options=dl.TrainingOptions(epochs=3, learning_rate=0.01))
    return model.lock(note="for the tests")


KINDS: dict[str, tuple[list[dl.Output], dict[str, object]]] = {
    "classes": ([dl.Output("ROC(1)", look_ahead=1, classes=[-0.5, 0.55])], {}),
    "scores": (
        [dl.Output("ROC(5)", look_ahead=5, classes=[-1, 1], drop="middle", name="way")],
        {"class_loss": "hinge", "networks": 2},
    ),
    "quantiles": ([dl.Output("ROC(5)", look_ahead=5, quantiles=[0.1, 0.25, 0.5, 0.9])], {"networks": 2}),
    "networks": (
        [dl.Output("ROC(5)", look_ahead=5), dl.Output("ROC(1)", look_ahead=1)],
        {"networks": 3},
    ),
}


@pytest.fixture(scope="session")
def kinds(tmp_path_factory: pytest.TempPathFactory, two_stocks: dl.DataSet) -> dict[str, dl.Model]:
    """A locked model for each kind of outputs; tests do not change their store."""
    store = tmp_path_factory.mktemp("kinds") / "models"
    made = {}
    for name, (outputs, options) in KINDS.items():
        model = describe_model(store, name, outputs=outputs)
        model.train(two_stocks, options=dl.TrainingOptions(epochs=2, learning_rate=0.01, **options))  # type: ignore[arg-type]
        made[name] = model.lock()
    return made


@pytest.fixture
def yahoo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> "Iterator[Yahoo]":
    """A loopback Yahoo that lists nothing yet; yfinance as in a new process, and an empty cache."""
    import yfinance as yf
    from yfinance.data import YfData

    from tests.bars.yahoo_server import Yahoo

    yf.set_tz_cache_location(str(tmp_path / "yfinance"))
    monkeypatch.setenv("DLPLUGIN_CACHE", str(tmp_path / "cache"))
    shared = YfData()
    shared._crumb, shared._cookie, shared._cookie_strategy = None, None, "basic"
    server = Yahoo()
    yield server
    server.close()
