"""The samples on which the inputs of a trained model are looked at."""

from pathlib import Path

from dlplugin.bars import DataSet
from dlplugin.definition import Definition
from dlplugin.errors import SamplesError, UnknownModelError
from dlplugin.samples import Samples, Spans, build_samples, read_samples
from dlplugin.store import RunFolder, VersionFolder

__all__ = ["samples_to_explain"]


def samples_to_explain(
    root: Path,
    definition: Definition,
    source: RunFolder | VersionFolder,
    dataset: DataSet | None,
    validation: DataSet | None,
    call: str,
) -> Samples:
    """Samples of the dates of a training, scaled as it scaled them.

    Args:
        root: The store.
        definition: The model's.
        source: The run or the version that it predicts with.
        dataset: What it was trained on, or other bars of those dates; None for what the run has stored.
        validation: The other DataSet whose samples were out of sample, if there was one.
        call: The method that was called, for messages.

    Raises:
        SamplesError: No DataSet is given, and the run keeps no samples, or is gone; or it was validated on
            another DataSet, and none is given, or the other way about.
    """
    if dataset is None:
        return _stored(root, definition, source, call)
    trained = source.read_trained()
    spans = Spans.from_dict(trained.record["spans"])
    scaling = (trained.input_scaling, trained.output_scaling)
    return build_samples(definition, dataset, spans, scaling, validation=validation)


def _stored(root: Path, definition: Definition, source: RunFolder | VersionFolder, call: str) -> Samples:
    name = source.name if isinstance(source, RunFolder) else source.run
    give = f"give the bars it was trained on: {call}(dataset)"
    try:
        if name is None:
            raise SamplesError(f"the version does not tell which run it is of; {give}")
        run = RunFolder.open(root, name)
    except UnknownModelError:
        raise SamplesError(
            f"run {name} is not stored any more, and its samples went with it; {give}"
        ) from None
    if not run.samples_file.is_file():
        raise SamplesError(f"run {name} is {run.status} and keeps no samples; {give}")
    return read_samples(run.samples_file, definition)
