"""Trainings that really go wrong are found out, and healthy ones raise no alarm."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import dlplugin as dl
from dlplugin.errors import DLPluginError
from dlplugin.samples import build_samples
from dlplugin.store import RunFolder
from dlplugin.training.watch.behaviour import ClassBehaviour, NumberBehaviour, Probe
from dlplugin.training.watch.diagnosis import Diagnosis, diagnose
from dlplugin.training.watch.finding import Finding, Remedy, settled
from dlplugin.training.watch.probe import probe

PREDICTABLE = dl.Output("RSI(14)", look_ahead=1)
"""Tomorrow's RSI is today's and a little more: 88 % of its variance can be learned from these inputs."""

HARDLY = dl.Output("ROC(5)", look_ahead=5)
INPUTS = (dl.Input("RSI(14)", depth=3), dl.Input("ROC(5)", depth=3))

GROWS = "the learning rate is too high: the loss grows"
LEAPS = "the learning rate is too high: the loss leaps about"
THROWN = "the learning rate is too high: the weights were thrown far off"
STRONG = "the penalty is too strong: it leaves the weights nothing to say"
OVERFITTING = "the out-of-sample loss rises while the in-sample loss falls (overfitting)"
COLLAPSED = "the output has collapsed to its mean"
DEAD = "hidden units are dead"
LARGE = "the network is large for its samples"
NOISY = "the out-of-sample loss is noisier than it improves"
EARLY = "the training ended too early"
SLOW = "the learning rate is too low"

Trained = Callable[..., Diagnosis]


@pytest.fixture
def trained(tmp_path: Path, two_stocks: dl.DataSet) -> Trained:
    """Trains a small network with these options and diagnoses it."""

    def train(
        output: dl.Output = PREDICTABLE,
        hidden: tuple[int, ...] = (8,),
        split: dl.Split | None = None,
        **options: Any,
    ) -> Diagnosis:
        model = dl.Model(
            "m", inputs=INPUTS, outputs=[output], engine=dl.MLP(hidden=hidden), store=tmp_path / "models"
        )
        settings = dl.TrainingOptions(auto_stop=None, **options)
        try:
            run = model.train(two_stocks, split=split or dl.Split(), options=settings)
        except DLPluginError:  # no loss was finite
            return dl.load_run(dl.runs(model.store)["run"].iloc[0], model.store).diagnosis()
        weights = RunFolder.open(model.store, run.name).read_trained().weights
        samples = build_samples(model.definition, two_stocks, run.spans)
        return diagnose(run.history, run.facts, probe(model.definition, weights, samples))

    return train


def troubles(diagnosis: Diagnosis) -> list[str]:
    return [finding.trouble for finding in diagnosis]


@pytest.mark.parametrize("seed", range(3))
def test_a_healthy_training_raises_no_alarm(trained: Trained, seed: int) -> None:
    diagnosis = trained(epochs=40, learning_rate=0.003, seed=seed)
    assert str(diagnosis) == "nothing wrong was found in 40 epochs"
    assert len(diagnosis) == 0


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3, 33))
def test_no_healthy_training_raises_an_alarm(trained: Trained, seed: int) -> None:
    assert troubles(trained(epochs=40, learning_rate=0.003, seed=seed)) == []


def test_a_healthy_training_without_out_of_sample_or_of_several_networks_raises_none(
    trained: Trained,
) -> None:
    assert troubles(trained(epochs=40, learning_rate=0.003, split=dl.Split(0.8, 0.0))) == []
    assert troubles(trained(epochs=40, learning_rate=0.003, networks=3)) == []


def test_a_learning_rate_next_to_nothing_stands_still(trained: Trained) -> None:
    diagnosis = trained(epochs=10, learning_rate=1e-9)
    assert troubles(diagnosis) == ["the loss stands still from the start"]
    assert "a learning_rate above 1e-09" in diagnosis.findings[0].advice


def test_a_low_learning_rate_falls_steadily_to_the_end(trained: Trained) -> None:
    diagnosis = trained(epochs=25, learning_rate=1e-5)
    assert troubles(diagnosis) == [SLOW]
    assert "the best epoch is 25" in diagnosis.findings[0].evidence
    assert diagnosis.findings[0].advice == "a learning_rate of 3e-05 in place of 1e-05, or more epochs"


def test_a_learning_rate_far_too_high_throws_the_weights_off_and_kills_units(trained: Trained) -> None:
    diagnosis = trained(epochs=20, learning_rate=3)
    assert troubles(diagnosis) == [THROWN, DEAD]
    assert diagnosis.findings[0].advice == "a learning_rate of 0.001 in place of 3"


def test_a_loss_that_is_not_finite_is_named_with_its_epoch(trained: Trained) -> None:
    diagnosis = trained(epochs=12, learning_rate=0.01, weight_decay=400)
    assert troubles(diagnosis)[:2] == [STRONG, "a loss is not finite"]
    evidence = diagnosis.findings[1].evidence
    assert evidence.startswith(
        "in epoch 2 the in-sample loss is inf, the out-of-sample loss inf; in epoch 1 it was"
    )
    assert str(diagnosis).splitlines()[-1] == "fewer than 10 epochs show little"


def test_a_run_that_failed_in_its_first_epoch_can_be_diagnosed(
    tmp_path: Path, two_stocks: dl.DataSet
) -> None:
    model = dl.Model("m", inputs=INPUTS, outputs=[PREDICTABLE], store=tmp_path)
    with pytest.raises(DLPluginError):
        model.train(two_stocks, options=dl.TrainingOptions(epochs=3, learning_rate=1e30))
    (folder,) = (tmp_path / ".runs").iterdir()
    run = RunFolder.open(tmp_path, folder.name)
    diagnosis = diagnose(run.history, run.facts)
    assert troubles(diagnosis) == ["the learning rate is far too high for adamw", "a loss is not finite"]
    assert "the network itself was not looked at" in str(diagnosis)


def test_a_large_network_on_few_samples_of_noise_overfits(trained: Trained) -> None:
    diagnosis = trained(HARDLY, (128, 128), epochs=60, learning_rate=0.003)
    assert troubles(diagnosis) == [OVERFITTING, LARGE]
    assert diagnosis.findings[0].evidence.startswith("from epoch ")
    assert "while in-sample fell by" in diagnosis.findings[0].evidence
    assert "the network has 17,537 weights for" in diagnosis.findings[1].evidence


def test_weight_decay_that_lets_nothing_stay_collapses_the_output(trained: Trained) -> None:
    diagnosis = trained(epochs=12, learning_rate=0.01, weight_decay=90)
    assert troubles(diagnosis) == [STRONG, COLLAPSED]
    assert diagnosis.findings[0].advice == "less weight_decay (it is 90); 0.0001 to 0.01 is usual"
    assert "the targets by 1 around 0" in diagnosis.findings[1].evidence


def test_small_batches_and_large_steps_make_more_noise_than_progress(trained: Trained) -> None:
    assert NOISY in troubles(trained(HARDLY, epochs=25, learning_rate=0.03, batch_size=32))


MORE = re.compile(r"\b(higher|more|larger|above|longer)\b")
LESS = re.compile(r"\b(lower|less|smaller|below|shorter)\b")
AMOUNTS = ("learning_rate", "epochs", "network", "weight_decay", "batch_size", "auto_stop", "l1", "l2")


def ways(advice: str) -> set[tuple[str, str]]:
    """What an advice wants more or less of, read from its words."""
    found = set()
    for part in re.split(r"[,;]", advice):
        names = {name for name in AMOUNTS if re.search(rf"\b{name}\b", part)}
        if numbers := re.search(r"of (\S+) in place of (\S+)", part):
            way = "more" if float(numbers[1]) > float(numbers[2]) else "less"
        else:
            way = "more" if MORE.search(part) else "less" if LESS.search(part) else ""
        found |= {(name, way) for name in names if way}
    return found


def assert_at_one(diagnosis: Diagnosis) -> None:
    """No two advices want more and less of the same."""
    wanted = set().union(*(ways(finding.advice) for finding in diagnosis))
    assert len({name for name, _ in wanted}) == len(wanted), str(diagnosis)


RATE_10: dict[str, Any] = {"learning_rate": 10.0}
RATE_1: dict[str, Any] = {"learning_rate": 1.0}
SGD: dict[str, Any] = {"optimizer": "sgd", "learning_rate": 1.0, "momentum": 0.9}
L1: dict[str, Any] = {"l1": 10.0}
DECAY: dict[str, Any] = {"weight_decay": 100.0}
WAYS = dl.Output("ROC(1)", look_ahead=1, classes=[0.0])


@pytest.mark.parametrize("output", [HARDLY, PREDICTABLE, WAYS], ids=["hardly", "predictable", "classes"])
@pytest.mark.parametrize("hidden", [(8,), (32, 16)], ids=["small", "large"])
@pytest.mark.parametrize(
    ("options", "trouble", "named"),
    [
        (RATE_10, "learning rate", "a learning_rate of 0.001 in place of 10"),
        (RATE_1, "learning rate", "a learning_rate of 0.001 in place of 1"),
        (SGD, "learning rate", "a learning_rate of 0.01 in place of 1"),
        (L1, STRONG, "less l1 (it is 10)"),
        (DECAY, STRONG, "less weight_decay (it is 100)"),
    ],
    ids=["rate 10", "rate 1", "sgd", "l1", "weight_decay"],
)
def test_an_extreme_option_is_named_first_and_no_two_advices_contradict(
    trained: Trained,
    output: dl.Output,
    hidden: tuple[int, ...],
    options: dict[str, Any],
    trouble: str,
    named: str,
) -> None:
    diagnosis = trained(output, hidden, epochs=20, **options)
    first, *others = diagnosis
    assert trouble in first.trouble
    assert first.advice.startswith(named)
    assert_at_one(diagnosis)
    for finding in others:
        assert "learning_rate" not in finding.advice, str(diagnosis)
        assert not re.search(r"\bless (l1|l2|weight_decay|dropout)", finding.advice), str(diagnosis)


def test_advices_can_contradict_and_that_would_be_seen() -> None:
    findings = (
        Finding("a", "", (Remedy("a learning_rate of 0.1 in place of 1"),)),
        Finding("b", "", (Remedy("a higher learning_rate"), Remedy("more epochs"))),
    )
    with pytest.raises(AssertionError):
        assert_at_one(Diagnosis(findings, 9, True))
    assert_at_one(Diagnosis(findings[1:], 9, True))


def test_a_remedy_that_goes_against_a_graver_one_is_left_out() -> None:
    lower, higher = Remedy("lower", "rate"), Remedy("higher", "rate", more=True)
    first, second, third = settled(
        [Finding("a", "", (lower,)), Finding("b", "", (higher, Remedy("c"))), Finding("d", "", (higher,))]
    )
    assert (first.advice, second.advice, third.advice) == ("lower", "c", "what is said above")


def test_less_is_advised_only_of_what_there_is() -> None:
    flat = Probe(100, (), (NumberBehaviour("x", 0.0, 0.0, 0.0, 1.0),), ())
    history = history_of(falling(30), falling(30))
    facts = {"options": {"l1": 0.0, "l2": 0.5}, "definition": {"engine": {"dropout": 0.6}}}
    (finding,) = diagnose(history, facts, flat)
    assert finding.advice.startswith("less l2 (it is 0.5), less dropout (it is 0.6), a higher learning_rate")
    (finding,) = diagnose(history, {}, flat)
    assert "less" not in finding.advice


def test_a_diagnosis_that_wants_a_smaller_network_wants_no_larger_one() -> None:
    rising = falling(80) + 0.01 * np.maximum(np.arange(80) - 30, 0)
    flat = Probe(100, (), (NumberBehaviour("x", 0.0, 0.0, 0.0, 1.0),), ())
    diagnosis = diagnose(history_of(falling(80), rising), {"options": {"l2": 0.5}}, flat)
    assert troubles(diagnosis) == [OVERFITTING, COLLAPSED]
    assert "a smaller network" in diagnosis.findings[0].advice
    assert "a larger network" not in diagnosis.findings[1].advice
    assert_at_one(diagnosis)


def test_a_high_rate_under_which_nothing_goes_wrong_is_none() -> None:
    history = history_of(falling(30), falling(30))
    assert not diagnose(history, {"options": {"learning_rate": 1.0}})
    early = history_of(falling(60, constants=1.2), falling(60, constants=1.2))
    assert troubles(diagnose(early, {"options": {"learning_rate": 1.0}})) == [EARLY]


def history_of(inside: Any, outside: Any = np.nan, **columns: Any) -> pd.DataFrame:
    count = len(inside)
    frame = {"epoch": np.arange(1, count + 1), "in_sample_loss": inside, "out_of_sample_loss": outside}
    return pd.DataFrame(frame | {"learning_rate": 0.01, "seconds": 0.1} | columns)


def found(history: pd.DataFrame, **facts: Any) -> list[str]:
    return troubles(diagnose(history, {"options": {"learning_rate": 0.01}} | facts))


def falling(epochs: int, constants: float = 5.0, noise: float = 0.0, seed: int = 0) -> np.ndarray:
    """An exponential fall from 1 to 0.5 in so many time constants."""
    fall = np.exp(-np.linspace(0, constants, epochs))
    return 0.5 + 0.5 * fall + np.random.default_rng(seed).normal(0, noise, epochs)


@pytest.mark.parametrize("noise", [0, 1e-4, 3e-3])
@pytest.mark.parametrize("epochs", [10, 30, 300, 3000])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_curve_that_falls_and_settles_is_no_trouble(epochs: int, noise: float, seed: int) -> None:
    inside, outside = (
        falling(epochs, noise=noise, seed=seed),
        0.1 + falling(epochs, noise=noise, seed=seed + 9),
    )
    assert found(history_of(inside, outside)) == []
    assert found(history_of(inside)) == []
    deep = (inside - 0.5 + 1e-5) ** 2  # to a millionth, where the same noise is many times the loss
    assert found(history_of(deep, 2 * deep)) == []


def test_a_loss_that_grows_or_leaps_about_says_the_learning_rate_is_too_high() -> None:
    assert found(history_of(np.concatenate([falling(20), np.linspace(0.5, 0.7, 20)]))) == [GROWS]
    leaping = 1 + 0.2 * np.random.default_rng(0).uniform(-1, 1, 40)
    assert found(history_of(leaping, leaping)) == [LEAPS]


@pytest.mark.parametrize("name", ["in_sample_loss", "out_of_sample_loss"])
def test_a_sudden_jump_is_found_with_its_epoch(name: str) -> None:
    history = history_of(falling(60), falling(60))
    history.loc[41, name] = 3.0
    (finding,) = diagnose(history, {"options": {"learning_rate": 0.01}})
    assert finding.trouble == "the loss jumps"
    value = history["in_sample_loss"][36:41].median()
    assert finding.evidence.startswith(f"in epoch 42 the {name[:-5].replace('_', '-')} loss is 3, ")
    assert value == pytest.approx(0.5, abs=0.1)


def test_a_first_epoch_that_stays_the_best_is_found_for_whatever_is_monitored() -> None:
    first = history_of(falling(30), 0.9 + np.linspace(0, 0.01, 30))
    assert found(first) == ["the first epoch is the best"]
    accuracy = history_of(falling(30), falling(30), out_of_sample_accuracy=np.linspace(0.6, 0.5, 30))
    assert found(accuracy) == []
    monitored = {"learning_rate": 0.01, "monitor": "accuracy"}
    (finding,) = diagnose(accuracy, {"options": monitored})
    assert finding.evidence == "out of sample 0.6 in epoch 1, and since then 0.5966 at best, in epoch 2"


def test_what_is_still_falling_has_ended_too_early_unless_it_still_runs() -> None:
    history = history_of(falling(60, constants=1.2), falling(60, constants=1.2))
    assert found(history) == [EARLY]
    assert found(history, status="running") == []
    assert found(history_of(falling(60, constants=0.2))) == [SLOW]


def test_overfitting_needs_a_rise_beyond_the_noise() -> None:
    inside, rising = falling(80), 0.004 * np.maximum(np.arange(80) - 30, 0)
    for seed in range(20):
        out = falling(80, noise=0.02, seed=seed)
        assert found(history_of(inside, out + rising)) == [OVERFITTING]
        assert OVERFITTING not in found(history_of(inside, out))


def test_an_accuracy_that_stands_still_is_found() -> None:
    still = np.full(30, 0.541)
    history = history_of(falling(30), falling(30), in_sample_accuracy=still)
    assert found(history) == ["the accuracy stands still"]
    assert found(history.assign(in_sample_accuracy=still + np.linspace(0, 0.01, 30))) == []


def test_a_network_with_more_weights_than_effective_samples_is_large() -> None:
    history = history_of(falling(30), falling(30))
    assert found(history, weights=866, effective_samples=865.4) == [LARGE]
    assert found(history, weights=865, effective_samples=865.4) == []
    assert found(history, weights=900, counts={"in-sample": {"samples": 899}}) == [LARGE]
    assert found(history, weights=900) == []


def probed(shares: tuple[float, ...], target_shares: tuple[float, ...]) -> Probe:
    return Probe(100, (), (), (ClassBehaviour("trend", ("≤ 0", "> 0"), shares, target_shares),))


def test_predictions_of_one_class_are_found_unless_the_targets_are_of_one_as_well() -> None:
    history = history_of(falling(30), falling(30))
    (finding,) = diagnose(history, {}, probed((0.0, 1.0), (0.46, 0.54)))
    assert finding.trouble == "nearly all predictions are of one class"
    assert finding.evidence == "100 % of those of 'trend' are '> 0', as are 54 % of the targets"
    assert not diagnose(history, {}, probed((0.02, 0.98), (0.46, 0.54)))
    assert not diagnose(history, {}, probed((0.0, 1.0), (0.04, 0.96)))


def test_an_empty_or_short_history_says_so() -> None:
    assert str(diagnose(history_of([]), {})).splitlines()[0] == "nothing wrong was found in 0 epochs"
    assert "fewer than 10 epochs show little" in str(diagnose(history_of([1.0]), {}))


def test_a_diagnosis_reads_as_text() -> None:
    history = history_of(falling(60), falling(60))
    history.loc[41, "in_sample_loss"] = 3.0
    text = str(diagnose(history, {"options": {"learning_rate": 0.01}}, Probe(9, (), (), ())))
    lines = text.splitlines()
    assert lines[:3] == ["1 wrong in 60 epochs:", "", "the loss jumps"]
    assert lines[3].startswith("  seen  in epoch 42 the in-sample loss is 3")
    assert lines[4].startswith("  try   a learning_rate below 0.01, clip_norm=1")
    assert max(map(len, lines)) <= 100
