"""A new run of a model: what stands in its way, what it sets aside, and what it begins with."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dlplugin.bars import DataSet
from dlplugin.definition import Definition, Split, TrainingOptions
from dlplugin.errors import DamagedModelError, DefinitionError, PredictionError
from dlplugin.samples import Samples
from dlplugin.store import ModelFolder, RunFolder, Trained, split_name, stored_runs
from dlplugin.training.prepare import prepare
from dlplugin.training.warm_start import warm_start

__all__ = ["begin_run", "leaving_nothing"]


def begin_run(
    root: Path,
    definition: Definition,
    dataset: DataSet,
    split: Split,
    options: TrainingOptions,
    validation: DataSet | None,
    start_from: str | None,
) -> tuple[RunFolder, Samples]:
    """Makes a new run of a model, which trains in this process or in another.

    Args:
        root: The store.
        definition: The model's.
        dataset: On what.
        split: Which dates are for what.
        options: How.
        validation: Another DataSet, whose samples are the out-of-sample ones.
        start_from: A model, a locked version or a run, whose weights it begins with where they fit.

    Raises:
        DefinitionError: An option does not suit the definition, or no layer fits.
        LockedModelError: The model is locked.
        SamplesError: A span has no samples.
        StoreError: The model is being trained already, or the store cannot be written.
    """
    for value, kind, name in ((split, Split, "split"), (options, TrainingOptions, "options")):
        if isinstance(value, Split | TrainingOptions) and not isinstance(value, kind):
            place = "options" if name == "split" else "split"
            raise DefinitionError(f"{name} is a {type(value).__name__}; give it as {place}=...")
        if not isinstance(value, kind):
            raise DefinitionError(f"{name} is {value!r}, but must be a dl.{kind.__name__}(...)")
    model = ModelFolder(root, definition.name)
    model.refuse_training()
    about, initial = _sets_aside(model), None
    if start_from is None and options.freeze:
        raise DefinitionError(
            f"freeze is {list(options.freeze)}, but nothing was trained before; give start_from, whose layers it keeps"
        )
    if start_from is not None:
        if not isinstance(start_from, str):
            raise DefinitionError(
                f"start_from is {start_from!r}, but must be a model's or a run's name, such as 'us-5d'"
            )
        initial, layers = warm_start(definition, options, start_from, _trained(root, start_from))
        about["starts"] = str(layers)
    return prepare(root, definition, dataset, split, options, validation, initial, about)


def _sets_aside(model: ModelFolder) -> dict[str, str]:
    """The run that the model predicts with, or that could go on: a new one takes its place."""
    state = model.state() if model.exists else None
    names = [] if state is None else [name for name in dict.fromkeys((state.run, state.newest)) if name]
    there = [name for name in names if name in stored_runs(model.root)]
    words = " and ".join(f"run {name} ({_status(model.root, name)})" for name in there)
    if not words:
        return {}
    usable = state is not None and state.run in there and _status(model.root, there[0]) != "damaged"
    again = f"; dl.load_run({there[0]!r}).use() predicts with it again"
    verb = "is" if len(there) == 1 else "are"
    return {"sets_aside": f"{words} {verb} set aside and kept{again if usable else ''}"}


def _status(root: Path, name: str) -> str:
    try:
        return RunFolder.open(root, name).status
    except DamagedModelError:
        return "damaged"


@contextmanager
def leaving_nothing(run: RunFolder) -> Iterator[None]:
    """Removes a new run that could not even begin."""
    try:
        yield
    except BaseException:
        if not run.events:
            shutil.rmtree(run.path, ignore_errors=True)
        raise


def _trained(root: Path, source: str) -> Trained:
    """What a run has kept, or what a model or a locked version predicts with."""
    if source in stored_runs(root):
        return RunFolder.open(root, source).read_trained()
    name, version = split_name(source)
    folder = ModelFolder(root, name)
    definition = folder.state().definition
    kept = folder.source(definition) if version is None else folder.version(version)
    if kept is None:
        raise PredictionError(folder.why_not(definition))
    return kept.read_trained()
