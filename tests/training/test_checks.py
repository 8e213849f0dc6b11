"""Options that a definition cannot use are refused in one line, before anything is written."""

from typing import Any

import pytest

import dlplugin as dl
from dlplugin.errors import DefinitionError
from dlplugin.samples import Samples
from dlplugin.training.checks import check_options
from dlplugin.training.module import TrainingModule

NUMBER = dl.Output("ROC(5)", look_ahead=5, name="number")
TWO = dl.Output("ROC(1)", look_ahead=1, classes=[0.0], name="two")
THREE = dl.Output("ROC(1)", look_ahead=1, classes=[-0.5, 0.55], name="three")
LEVELS = dl.Output("ROC(1)", look_ahead=1, quantiles=[0.1, 0.9], name="levels")
WEEK = dl.Input("day_of_week", categories=range(5))

CASES: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    (
        {"outputs": [NUMBER]},
        {"monitor": "accuracy"},
        "monitor is 'accuracy', but 'small' has no output with classes; use monitor='loss' or 'correlation'",
    ),
    (
        {"outputs": [TWO]},
        {"monitor": "correlation"},
        "monitor is 'correlation', but 'small' has classes only; use monitor='loss' or 'accuracy'",
    ),
    (
        {"outputs": [TWO, LEVELS]},
        {"loss": "huber"},
        "loss is 'huber', but 'small' has no output that uses it; give an output that is a number",
    ),
    (
        {"outputs": [NUMBER]},
        {"class_loss": "hinge"},
        "class_loss is 'hinge', but 'small' has no output that uses it; give an output with classes=",
    ),
    (
        {"outputs": [NUMBER]},
        {"class_weights": "balanced"},
        "class_weights is 'balanced', but 'small' has no output that uses it; give an output with classes=",
    ),
    (
        {"outputs": [TWO, THREE]},
        {"class_weights": [1.0, 2.0]},
        "class_weights is [1.0, 2.0], but 'three' has 3 classes: ≤ -0.5, -0.5 … 0.55, ≥ 0.55; give a number for each",
    ),
    (
        {"outputs": [NUMBER]},
        {"sampling": "over"},
        "sampling evens out the classes of one output, but 'small' has none with classes; use sampling='none'",
    ),
    (
        {"outputs": [TWO, NUMBER, THREE]},
        {"sampling": "under"},
        "sampling evens out the classes of one output, but 'small' has 2 with classes: 'two', 'three'; use "
        "sampling='none'",
    ),
    (
        {"inputs": [WEEK]},
        {"input_noise": 0.1},
        "input_noise is 0.1, but all inputs of 'small' are categories, which it leaves as they are; use input_noise=0",
    ),
    (
        {},
        {"schedule": "warm-restarts"},
        "schedule 'warm-restarts' must know its length; give schedule_epochs, such as schedule_epochs=50",
    ),
    (
        {},
        {"schedule": "cosine", "epochs": 5, "warm_up": 5},
        "warm_up is 5 epochs of 5, which leaves none at the full rate; give more epochs or a shorter warm_up",
    ),
    (
        {},
        {"freeze": ["hiden"]},
        "freeze has 'hiden', but there is no such layer; there are: hidden.0, output",
    ),
]


@pytest.mark.parametrize(("changes", "options", "message"), CASES)
def test_what_a_definition_cannot_use_is_refused(
    describe, changes: dict[str, Any], options: dict[str, Any], message: str
) -> None:
    with pytest.raises(DefinitionError) as error:
        check_options(describe("unused", **changes).definition, dl.TrainingOptions(**options))
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("changes", "options"),
    [
        ({"outputs": [NUMBER, TWO]}, {"monitor": "accuracy", "loss": "absolute", "class_loss": "hinge"}),
        ({"outputs": [LEVELS]}, {"monitor": "correlation"}),
        ({"outputs": [THREE, NUMBER]}, {"class_weights": [1.0, 2.0, 3.0], "sampling": "over"}),
        ({"inputs": [WEEK, "ROC(5)"]}, {"input_masking": 0.1}),
        ({}, {"schedule": "step", "schedule_epochs": 2, "freeze": ["hidden"], "warm_up": 3, "epochs": None}),
        ({}, {"warm_up": 3, "epochs": 4}),
    ],
)
def test_what_it_can_use_passes(describe, changes: dict[str, Any], options: dict[str, Any]) -> None:
    check_options(describe("unused", **changes).definition, dl.TrainingOptions(**options))


def test_a_plateau_needs_samples_to_follow(numbers: Samples) -> None:
    options = dl.TrainingOptions(schedule="on-plateau")
    check_options(numbers.definition, options)
    with pytest.raises(DefinitionError) as error:
        check_options(numbers.definition, options, out_of_sample=False)
    assert str(error.value) == (
        "schedule 'on-plateau' follows the out-of-sample samples, but there are none; use another schedule"
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"monitor": "correlation"},
            "monitor is 'correlation', but there are no out-of-sample samples; leave it out, or give out_of_sample=",
        ),
        (
            {"save_point": "smoothed"},
            "save_point is 'smoothed', but there are no out-of-sample samples; leave it out, or give out_of_sample=",
        ),
        (
            {"min_delta": 0.1},
            "min_delta is 0.1, but there are no out-of-sample samples; leave it out, or give out_of_sample=",
        ),
    ],
)
def test_what_looks_at_out_of_sample_samples_needs_some(
    numbers: Samples, options: dict[str, Any], message: str
) -> None:
    check_options(numbers.definition, dl.TrainingOptions(**options))
    check_options(numbers.definition, dl.TrainingOptions(save_point="last"), out_of_sample=False)
    with pytest.raises(DefinitionError) as error:
        check_options(numbers.definition, dl.TrainingOptions(**options), out_of_sample=False)
    assert str(error.value) == message


def test_a_training_module_refuses_them_too(numbers: Samples) -> None:
    with pytest.raises(DefinitionError, match="monitor is 'accuracy'"):
        TrainingModule(numbers, dl.TrainingOptions(monitor="accuracy"))
