"""The samples on which a trained model is judged, from whatever DataSet is given."""

from dlplugin.bars import DataSet
from dlplugin.errors import BarsError, SamplesError
from dlplugin.model.data import training_data
from dlplugin.samples import Loaded, Samples, Spans, judged_samples
from dlplugin.store import Trained

__all__ = ["samples_of"]


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
