"""The samples on which a trained model is judged, or explained, from whatever DataSet is given."""

from pathlib import Path

from dlplugin.bars import DataSet
from dlplugin.errors import BarsError, DamagedModelError, SamplesError, UnknownModelError
from dlplugin.model.data import training_data
from dlplugin.samples import Loaded, Samples, Spans, judged_samples, read_samples
from dlplugin.store import RunFolder, Trained, VersionFolder

__all__ = ["samples_given", "samples_of"]


def samples_given(
    root: Path,
    source: RunFolder | VersionFolder,
    trained: Trained,
    dataset: DataSet | None,
    validation: DataSet | None,
) -> Samples:
    """Those of the DataSet that is given, or else of the training's own.

    Args:
        root: The store.
        source: What the model predicts with.
        trained: The same, read.
        dataset: As for `samples_of`. None: the samples that its run keeps, or else the
            training's data read again.
        validation: As for `samples_of`.

    Raises:
        BarsError: No dataset is given, and that of the training cannot be read again.
        SamplesError: As `samples_of`.
    """
    if dataset is None:
        stored = _stored(root, source, trained) if validation is None else None
        if stored is not None:
            return stored
        dataset, validation = training_data(trained.record, validation)
    return samples_of(trained, dataset, validation)


def samples_of(trained: Trained, dataset: DataSet, validation: DataSet | None = None) -> Samples:
    """What trained it is in sample, what it had not loaded is out of sample; see `judged_samples`.

    Args:
        trained: The weights, with their scaling and record.
        dataset: Symbols and bars, those of the training or others.
        validation: The other DataSet whose samples were out of sample, if there was one.

    Raises:
        SamplesError: What `judged_samples` says, or the DataSet has no in-sample samples, and those of the
            training cannot be read again.
    """
    record = trained.record

    def trained_on() -> DataSet:
        try:
            return training_data({name: record[name] for name in ("model", "dataset")})[0]
        except BarsError as error:
            why = str(error).partition("; ")[0]
            raise SamplesError(
                f"DataSet {dataset.name!r} has no in-sample samples, which trivial rules are fitted on, and they "
                f"cannot be read again: {why}; add its bars with dl.DataSet.union"
            ) from error

    return judged_samples(
        trained.definition,
        dataset,
        Spans.from_dict(record["spans"]),
        (trained.input_scaling, trained.output_scaling),
        Loaded.of(record),
        validation,
        trained_on,
    )


def _stored(root: Path, source: RunFolder | VersionFolder, trained: Trained) -> Samples | None:
    """Those that its run keeps while its model predicts with it; None where a run of that name has others."""
    try:
        run = source if isinstance(source, RunFolder) else RunFolder.open(root, source.run or "")
        same = run.facts["samples_fingerprint"] == trained.record["samples_fingerprint"]
        return read_samples(run.samples_file, trained.definition) if same else None
    except (UnknownModelError, DamagedModelError, KeyError):
        return None
