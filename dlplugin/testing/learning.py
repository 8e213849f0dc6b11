"""Checks of an engine in dlplugin's own training, on made-up bars, and of what is stored of it."""

import io
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Console

from dlplugin.bars import DataSet
from dlplugin.definition import Definition, Input, Output, Split, TrainingOptions, to_plain
from dlplugin.errors import EngineError
from dlplugin.prediction import Predictor
from dlplugin.samples import Samples, build_samples, resolve_split
from dlplugin.store import Trained, TrainingState, trained_files
from dlplugin.store.contents import read_trained
from dlplugin.store.state import read_state
from dlplugin.testing.subject import Subject
from dlplugin.training.control import Control
from dlplugin.training.save_point import SavePoint

__all__ = ["check_storage", "check_training"]

BARS = 120  # that are predicted, besides those that warm up
EPOCHS = 3
QUIET = Console(file=io.StringIO())
LOSSES: tuple[dict[str, Any], ...] = (
    {"loss": "squared", "class_loss": "cross-entropy"},
    {"loss": "absolute", "class_loss": "hinge"},
    {"loss": "huber", "initialisation": "orthogonal", "zero_biases": True},
    {"loss": "log-cosh", "averaging": 0.5},
    {"loss": "quantile", "quantile": 0.3, "optimizer": "adamw", "weight_decay": 0.01},
)


def check_training(subject: Subject) -> None:
    """Its loss is finite and falls, for every kind of loss and of output, with an embedded input, too."""
    samples = _samples(subject)
    for loss in LOSSES:
        journal = _train(samples, _options(**loss))
        losses = [float(row[1]) for row in journal.rows]
        words = ", ".join(f"{name}={value!r}" for name, value in loss.items())
        if not losses[-1] < losses[0]:
            raise EngineError(
                f"trained with {words}, its loss does not fall: {', '.join(f'{loss:.4g}' for loss in losses)}"
            )


def check_storage(subject: Subject) -> None:
    """What is stored predicts the same bits, and a training goes on as if it had not been stopped."""
    samples, options = _samples(subject), _options()
    whole, half = _train(samples, options), _train(samples, options, stop=1)
    with TemporaryDirectory() as folder:
        (Path(folder) / "state").write_bytes(half.state.to_bytes())
        rest = _train(samples, options, read_state(Path(folder) / "state"))
        if not all(np.array_equal(value, rest.weights[name]) for name, value in whole.weights.items()):
            raise EngineError(
                "after a stop it does not train on as without one; register what training changes as a buffer, K first"
            )
        trained = _trained(samples, whole, options)
        for file, content in trained_files(trained).items():
            (Path(folder) / file).write_bytes(content)
        stored = read_trained(Path(folder))
    wanted, got = (_predicted(each, samples) for each in (trained, stored))
    if stored.definition != trained.definition or not np.array_equal(wanted, got):
        raise EngineError("stored and loaded it predicts other values")


def _samples(subject: Subject) -> Samples:
    """Of a definition with every kind of output and an embedded input."""
    inputs = [
        Input("close / SMA(3) - 1", depth=subject.depth),
        Input("ROC(3)", depth=subject.depth),
        Input("day_of_week", depth=subject.depth, categories=[0, 1, 2, 3, 4], embedding=2),
    ]
    outputs = [
        Output("ROC(3)", look_ahead=3, name="number"),
        Output("ROC(3)", look_ahead=3, name="quantiles", quantiles=[0.1, 0.5, 0.9]),
        Output("ROC(3)", look_ahead=3, name="two", classes=[0.0]),
        Output("ROC(3)", look_ahead=3, name="three", classes=[-2.0, 2.0]),
    ]
    definition = Definition("check", inputs, outputs, subject.options)
    dataset = DataSet.from_frames("made-up", {"SWING": _swinging_bars(definition.bars_needed + BARS)})
    return build_samples(definition, dataset, resolve_split(dataset, Split(0.8, 0.2)))


def _swinging_bars(length: int) -> pd.DataFrame:
    """Bars of a price that swings, so that there is something to learn: its past tells its future."""
    time = np.arange(length)
    noise = 0.003 * np.random.default_rng(0).standard_normal(length)
    close = 100.0 * np.exp(0.05 * np.sin(2.0 * np.pi * time / 13.0) + noise)
    opened = np.concatenate([close[:1], close[:-1]])
    return pd.DataFrame(
        {
            "open": opened,
            "high": 1.001 * np.maximum(opened, close),
            "low": 0.999 * np.minimum(opened, close),
            "close": close,
            "volume": 1e6,
        },
        index=pd.bdate_range("2015-01-01", periods=length, name="date").as_unit("ns"),
    )


def _options(**options: Any) -> TrainingOptions:
    small: dict[str, Any] = {
        "epochs": EPOCHS,
        "auto_stop": None,
        "save_point": "last",
        "batch_size": 16,
        "learning_rate": 0.01,
        "networks": 2,
        "device": "cpu",
    }
    return TrainingOptions(**(small | options))


@dataclass
class _Journal:
    """A training's journal, in memory.

    Attributes:
        control: Is asked to stop after `stop` epochs; 0 never.
        stop: See control.
        rows: Of the history.
        state: The newest.
        weights: The kept ones.
    """

    control: Control
    stop: int = 0
    kept_epoch: int = 0
    wants_state: bool = False
    rows: list[tuple[float | int | str, ...]] = field(default_factory=list)
    state: TrainingState = field(default_factory=lambda: TrainingState({}, {"epoch": 0}))
    weights: dict[str, Any] = field(default_factory=dict)

    def add_epoch(self, row: tuple[float | int | str, ...]) -> None:
        self.rows.append(row)
        if row[0] == self.stop:
            self.control.request("stopped by the check")

    def keep(self, state: TrainingState, save_point: SavePoint) -> None:
        copies = {name: np.array(value) for name, value in state.arrays.items()}
        self.state, self.kept_epoch = TrainingState(copies, state.values), state.epoch
        self.weights = {name: np.array(value) for name, value in save_point.weights.items()}

    def show(self, epoch: int, done: float, loss: float) -> None:
        """Nobody looks."""

    def close(self) -> None:
        """Nothing is open."""


def _train(
    samples: Samples, options: TrainingOptions, state: TrainingState | None = None, stop: int = 0
) -> _Journal:
    from dlplugin.training.fit import fit  # Lightning: 2 s that the other checks need not wait for

    control = Control()
    journal = _Journal(control, stop, state.epoch if state else 0)
    fit(samples, options, journal, control, QUIET, state)
    return journal


def _trained(samples: Samples, journal: _Journal, options: TrainingOptions) -> Trained:
    scaling = (samples.input_scaling, samples.output_scaling)
    return Trained(samples.definition, *scaling, journal.weights, {"options": to_plain(options)})


def _predicted(trained: Trained, samples: Samples) -> Any:
    predictor = Predictor(
        trained.definition, trained.input_scaling, trained.output_scaling, trained.weights, trained.class_loss
    )
    return predictor.predict_rows(samples.matrix, samples.rows["out-of-sample"])
