"""Every option of training changes a training; what each of them does to the numbers is held in steps/."""

import hashlib
import io
from dataclasses import fields
from typing import Any

import numpy as np
import pytest
from rich.console import Console

import dlplugin as dl
from dlplugin.samples import Samples, build_samples
from dlplugin.training.fit import fit
from tests.training.notes import Notes
from tests.training.trainings import small_dataset

PLAIN: dict[str, Any] = {"epochs": 6, "batch_size": 64, "learning_rate": 0.01, "auto_stop": None}

# an option, and beside it what it needs to do anything
CHANGES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "epochs": ({"epochs": 5}, {}),
    "auto_stop": ({"auto_stop": 1}, {"learning_rate": 0.5}),
    "min_delta": ({"min_delta": 10.0}, {"auto_stop": 2}),
    "auto_save": ({"auto_save": 4}, {}),
    "save_point": ({"save_point": "last"}, {"learning_rate": 0.1}),
    "smoothing": ({"smoothing": 0.1}, {"save_point": "smoothed", "learning_rate": 0.3, "epochs": 12}),
    "monitor": ({"monitor": "correlation"}, {}),
    "averaging": ({"averaging": 0.9}, {}),
    "batch_size": ({"batch_size": "full"}, {}),
    "learning_rate": ({"learning_rate": 0.02}, {}),
    "optimizer": ({"optimizer": "rprop"}, {}),
    "momentum": ({"momentum": 0.9}, {"optimizer": "sgd"}),
    "nesterov": ({"nesterov": True}, {"optimizer": "sgd", "momentum": 0.9}),
    "schedule": ({"schedule": "cosine"}, {}),
    "warm_up": ({"warm_up": 2}, {}),
    "schedule_epochs": ({"schedule_epochs": 3}, {"schedule": "cosine"}),
    "schedule_factor": ({"schedule_factor": 0.5}, {"schedule": "exponential"}),
    "minimum_rate": ({"minimum_rate": 0.005}, {"schedule": "cosine"}),
    "loss": ({"loss": "absolute"}, {}),
    "huber_delta": ({"huber_delta": 0.2}, {"loss": "huber"}),
    "quantile": ({"quantile": 0.9}, {"loss": "quantile"}),
    "class_loss": ({"class_loss": "hinge"}, {}),
    "class_weights": ({"class_weights": [1.0, 5.0]}, {}),
    "l1": ({"l1": 0.01}, {}),
    "l2": ({"l2": 0.1}, {}),
    "penalty_on": ({"penalty_on": "output"}, {"l2": 0.1}),
    "weight_decay": ({"weight_decay": 0.1}, {}),
    "clip_norm": ({"clip_norm": 0.001}, {"optimizer": "sgd"}),
    "clip_value": ({"clip_value": 0.001}, {"optimizer": "sgd"}),
    "input_noise": ({"input_noise": 0.5}, {}),
    "input_masking": ({"input_masking": 0.5}, {}),
    "input_magnitude": ({"input_magnitude": 0.5}, {}),
    "initialisation": ({"initialisation": "he"}, {}),
    "zero_biases": ({"zero_biases": True}, {}),
    "sampling": ({"sampling": "under"}, {}),
    "half_life": ({"half_life": 50.0}, {}),
    "uniqueness": ({"uniqueness": True}, {}),
    "freeze": ({"freeze": ["hidden"]}, {}),
    "networks": ({"networks": 2}, {}),
    "seed": ({"seed": 1}, {}),
    "precision": ({"precision": "bf16"}, {}),
}
UNSEEN_IN_ONE_PROCESS = {"device", "devices", "machines"}  # test_ddp.py sees them


def made(**weighting: Any) -> Samples:
    definition = dl.Definition(
        "mixed",
        [dl.Input("RSI(14)", depth=3), dl.Input("ROC(5)", depth=2)],
        [
            dl.Output("ROC(5)", look_ahead=5),
            dl.Output("ROC(1)", look_ahead=1, classes=[-0.5, 0.55], drop="middle"),
        ],
        dl.MLP(hidden=[6]),
    )
    dataset = small_dataset().subset(
        ["IBM"]
    )  # samples of one symbol overlap less at the ends: uneven uniqueness
    return build_samples(definition, dataset, dl.resolve_split(dataset, dl.Split()), **weighting)


def traces(options: dict[str, Any]) -> str:
    """A digest of all that a training leaves: history but for the seconds, kept weights, epochs of the save point."""
    chosen = dl.TrainingOptions(**(PLAIN | options))
    notes = Notes()
    samples = made(half_life=chosen.half_life, uniqueness=chosen.uniqueness)
    result = fit(samples, chosen, notes, console=Console(file=io.StringIO()))
    digest = hashlib.sha256(repr([[*row[:4], *row[5:]] for row in notes.rows]).encode())
    digest.update(repr((result.epochs, result.save_point.epochs.tolist())).encode())
    for name, value in sorted(result.save_point.weights.items()):
        digest.update(name.encode() + np.ascontiguousarray(value).tobytes())
    return digest.hexdigest()


def test_every_option_is_among_those_that_are_tried() -> None:
    assert set(CHANGES) | UNSEEN_IN_ONE_PROCESS == {field.name for field in fields(dl.TrainingOptions)}


@pytest.mark.parametrize(
    "option",
    [
        pytest.param(option, marks=() if place % 5 == 0 else pytest.mark.slow)
        for place, option in enumerate(CHANGES)
    ],
)
def test_an_option_changes_the_training(option: str) -> None:
    changed, beside = CHANGES[option]
    assert set(changed) == {option}
    assert traces(beside | changed) != traces(beside)


def test_the_same_options_leave_the_same_traces() -> None:
    assert traces({}) == traces({})
