"""One stretch of a training, from its lock to its end: in this process, or in one of its own."""

import json
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.console import Console

from dlplugin.definition import Definition, TrainingOptions
from dlplugin.errors import DLPluginError, StoreError, TrainingError
from dlplugin.evaluation import Evaluation, evaluate_samples
from dlplugin.samples import Samples, read_samples
from dlplugin.store import ModelFolder, RunFolder, Trained, Trial, hold, now, record_trial
from dlplugin.training.control import Control, StoppedBeforeItBeganError, signals
from dlplugin.training.devices.found import Devices, choose_devices
from dlplugin.training.devices.share import ALONE, Share
from dlplugin.training.watch.estimate import estimate, too_large_warning

if TYPE_CHECKING:
    from dlplugin.training.fit import Fitted

__all__ = ["evaluation_of", "execute"]


def execute(folder: RunFolder, console: Console | None = None, samples: Samples | None = None) -> Control:
    """Trains a run, from its last state on, until it ends or is asked to stop; then evaluates it.

    Args:
        folder: A new run, or one that was stopped, was interrupted or has failed.
        console: Where progress is shown; standard error when not given.
        samples: Those of the run, where they are at hand; read from its folder otherwise.

    Returns:
        What asked it to stop, if anything did.

    Raises:
        LockedModelError: The model has been locked.
        StoreError: The run, or another one of the model, is being trained already; or writing failed.
        TrainingError: There is nothing to keep, or it is finished.
    """
    busy = f"run {folder.name} is being trained already"
    with hold(folder.root, folder.lock_name, busy, wait=0.5):
        facts = folder.facts
        if facts["status"] == "finished":  # another process has brought it to its end meanwhile
            raise TrainingError(f"run {folder.name} is finished: {facts['stop_reason']}")
        definition = Definition.from_dict(facts["definition"])
        model = ModelFolder(folder.root, definition.name)
        before = model.state().run if model.exists else None
        model.begin_training(definition, folder.name)
        control = Control(lambda: folder.stop_requested)
        try:
            with signals(control):
                _train(folder, facts, definition, control, console, samples)
            with suppress(DLPluginError):
                _drop_samples(model, {before, folder.name})
        except StoppedBeforeItBeganError as error:
            facts.setdefault("epochs", 0)
            _mark(folder, facts, error, control)
        except BaseException as error:
            _mark(folder, facts, error, control)
            raise
    return control


def evaluation_of(
    samples: Samples, trained: Trained, span: str = "out-of-sample", boosting: bool = False
) -> Evaluation:
    """How a save point does on the in-sample rows of its training and on those of another span.

    Args:
        samples: Of its training, or others of which those are in sample that trained it.
        trained: The save point.
        span: The judged one: "out-of-sample" or "holdout".
        boosting: Whether gradient boosting is among the rules: a second that not every training should cost.
    """
    from dlplugin.prediction import Predictor  # torch: 1 s that only predicting should pay

    predictor = Predictor(
        trained.definition,
        trained.input_scaling,
        trained.output_scaling,
        trained.weights,
        trained.class_loss,
    )
    options = trained.record["options"]
    chosen = options["save_point"] != "last" or options["auto_stop"] is not None
    selected = chosen or options["schedule"] == "on-plateau"  # which follows the out-of-sample samples
    selected = selected and span == "out-of-sample"
    return evaluate_samples(samples, predictor, selected, span, boosting)


def _train(
    folder: RunFolder,
    facts: dict[str, Any],
    definition: Definition,
    control: Control,
    console: Console | None,
    samples: Samples | None,
) -> None:
    samples = samples or read_samples(folder.samples_file, definition)
    state = folder.read_state() or folder.read_initial()
    done = state.epoch if state else 0
    folder.sweep()
    folder.history_file.cut(done)
    folder.clear_progress()
    folder.write_failure("")
    for outcome in ("stop_reason", "ended"):
        facts.pop(outcome, None)
    facts["status"] = "running"
    folder.write_facts(facts)
    record_trial(folder.root, Trial.of(folder.name, definition, facts))  # before it counts as begun
    folder.note("goes on" if folder.events else "begins", epoch=done)
    from dlplugin.training.fit import fit  # Lightning: 2 s that only a training should pay
    from dlplugin.training.journal import RunJournal
    from dlplugin.training.watch.probe import probe

    options, console = TrainingOptions(**facts["options"]), console or Console(stderr=True)
    if "estimate" not in facts:
        facts |= _look_ahead(samples, options)
        folder.write_facts(facts)
    _announce(folder, facts, done, console)
    devices = choose_devices(options)
    with _processes(folder, facts, devices, control, console) as share:
        fitted = fit(
            samples,
            options,
            RunJournal(folder, done),
            control,
            console,
            state,
            share,
            lambda: _tell_devices(folder, facts, devices, console),
        )
    folder.history_file.cut(fitted.epochs)
    folder.clear_progress()
    facts |= _outcome(fitted)
    if fitted.save_point.weights:
        facts["probe"] = probe(definition, fitted.save_point.weights, samples).to_dict()
        trained = Trained(
            definition, samples.input_scaling, samples.output_scaling, fitted.save_point.weights, facts
        )
        folder.write_save_point(trained)
        ModelFolder(folder.root, definition.name).end_training(definition, folder.name)
        folder.write_evaluation(json.loads(evaluation_of(samples, trained).to_json()))
    _end(folder, facts)


def _drop_samples(model: ModelFolder, runs: set[str | None]) -> None:
    """Of finished runs only the one that the model predicts with keeps its samples: its holdout may be opened."""
    predicts = model.state().run
    for run in (RunFolder(model.root, name) for name in runs if name):
        if run.name != predicts or "holdout" not in run.facts["spans"]:
            run.drop_samples()


def _look_ahead(samples: Samples, options: TrainingOptions) -> dict[str, Any]:
    """What is known before the first epoch: how long it will take, how much memory, how large it is."""
    expected = estimate(samples, options)
    shared = options.devices != 1 or options.machines > 1
    return {
        "estimate": f"{expected}{'; timed on one process alone' if shared else ''}",
        "weights": expected.weights,
        "warning": too_large_warning(expected.weights, expected.effective_samples),
    }


def _announce(folder: RunFolder, facts: Mapping[str, Any], done: int, console: Console) -> None:
    """What a training says before it begins, or goes on."""
    if done:
        lines = [f"{folder.name} goes on after epoch {done}"]
        other = ModelFolder(folder.root, facts["model"]).state().run
        if other not in (None, folder.name):
            lines.append(f"{facts['model']} will predict with it, and no more with run {other}")
    else:
        lines = [f"{folder.name}: {facts['estimate']}"]
        lines += [facts[word] for word in ("sets_aside", "starts") if facts.get(word)]
        lines += facts["labels"]
        lines += [f"warning: {facts['warning']}"] if facts["warning"] else []
    for line in lines:
        _say(console, line)


def _processes(
    folder: RunFolder, facts: dict[str, Any], devices: Devices, control: Control, console: Console
) -> AbstractContextManager[Share]:
    """The other processes of the training, while there are any."""
    facts.pop("join", None)
    if devices.processes == 1:
        return nullcontext(ALONE)
    from dlplugin.training.devices.first import with_others  # torch

    def tell(line: str) -> None:
        facts["join"] = [*facts.get("join", []), line]
        folder.write_facts(facts)
        _say(console, line)

    return with_others(folder, devices, control, tell)


def _tell_devices(folder: RunFolder, facts: dict[str, Any], devices: Devices, console: Console) -> None:
    """What was found to train on, and what is used; all processes are there."""
    import torch

    facts.pop("join", None)
    facts["devices"] = devices.text(torch.get_num_threads())
    folder.write_facts(facts)
    _say(console, facts["devices"])


def _say(console: Console, line: str) -> None:
    console.print(line, soft_wrap=True, highlight=False, markup=False)


def _outcome(fitted: "Fitted") -> dict[str, Any]:
    kept = fitted.save_point
    known = np.isfinite(kept.losses).all()
    return {
        "status": "finished" if fitted.finished else "stopped",
        "stop_reason": fitted.stop_reason,
        "ended": now(),
        "epochs": fitted.epochs,
        "device": fitted.device,
        "save_point": {
            "epochs": kept.epochs.tolist(),
            "losses": kept.losses.tolist() if known else [],
            "values": kept.values.tolist() if np.isfinite(kept.values).all() else [],
            "ended": kept.ended.tolist(),
        },
    }


def _end(folder: RunFolder, facts: dict[str, Any]) -> None:
    folder.write_facts(facts)
    folder.note(facts["status"], epoch=facts["epochs"], reason=facts["stop_reason"])


def _mark(folder: RunFolder, facts: dict[str, Any], error: BaseException, control: Control) -> None:
    """Leaves the reason in the run, as well as that can be done."""
    status = "failed"
    reason = str(error) if isinstance(error, DLPluginError) else f"{type(error).__name__}: {error}"
    if isinstance(error, KeyboardInterrupt | StoppedBeforeItBeganError):
        status, reason = "stopped", control.reason or "stopped by Ctrl-C"
    folder.clear_progress()
    try:
        folder.write_facts(facts | {"status": status, "stop_reason": reason, "ended": now()})
        folder.note(status, reason=reason)
    except StoreError:
        folder.write_failure(reason)
