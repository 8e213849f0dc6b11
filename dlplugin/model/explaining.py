"""The samples on which the inputs of a trained model are looked at."""

from pathlib import Path

from dlplugin.bars import DataSet
from dlplugin.definition import Definition
from dlplugin.errors import SamplesError, UnknownModelError
from dlplugin.evaluation.inputs.blocks import input_labels
from dlplugin.model.data import training_data
from dlplugin.samples import Samples, Spans, build_samples, read_samples
from dlplugin.store import RunFolder, VersionFolder

__all__ = ["samples_to_explain"]


def samples_to_explain(
    root: Path,
    definition: Definition,
    source: RunFolder | VersionFolder,
    dataset: DataSet | None,
    validation: DataSet | None,
) -> Samples:
    """Samples of the dates of a training, scaled as it scaled them.

    Args:
        root: The store.
        definition: The model's.
        source: The run or the version that it predicts with.
        dataset: What it was trained on, or other bars of those dates. None: the samples that an unfinished
            run has stored, or else the training's data read again.
        validation: The other DataSet whose samples were out of sample, if there was one.

    Raises:
        BarsError: The data cannot be read again.
        SamplesError: It was validated on another DataSet, and none is given, or the other way about; or an
            input stands where the dataset does.
    """
    given: object = dataset
    if isinstance(given, str) and given in input_labels(definition):
        raise SamplesError(f"the dataset is {given!r}, an input; give it by its name: input={given!r}")
    trained = source.read_trained()
    if dataset is None:
        stored = _stored(root, definition, source)
        if stored is not None:
            return stored
        dataset, validation = training_data(trained.record, validation)
    spans = Spans.from_dict(trained.record["spans"])
    scaling = (trained.input_scaling, trained.output_scaling)
    return build_samples(definition, dataset, spans, scaling, validation=validation)


def _stored(root: Path, definition: Definition, source: RunFolder | VersionFolder) -> Samples | None:
    """What the run keeps of its samples until it is finished."""
    name = source.name if isinstance(source, RunFolder) else source.run
    try:
        run = None if name is None else RunFolder.open(root, name)
    except UnknownModelError:
        return None
    if run is None or not run.samples_file.is_file():
        return None
    return read_samples(run.samples_file, definition)
