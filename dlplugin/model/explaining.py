"""The samples on which the inputs of a trained model are looked at."""

from pathlib import Path

from dlplugin.bars import DataSet
from dlplugin.errors import SamplesError
from dlplugin.evaluation.inputs.blocks import input_labels
from dlplugin.model.judging import samples_given
from dlplugin.samples import Samples
from dlplugin.store import RunFolder, VersionFolder

__all__ = ["samples_to_explain"]


def samples_to_explain(
    root: Path, source: RunFolder | VersionFolder, dataset: DataSet | None, validation: DataSet | None
) -> Samples:
    """Those that are judged; see `samples_given`.

    Raises:
        SamplesError: An input stands where the dataset does, or as `samples_given`.
    """
    trained = source.read_trained()
    given: object = dataset
    if isinstance(given, str) and given in input_labels(trained.definition):
        raise SamplesError(f"the dataset is {given!r}, an input; give it by its name: input={given!r}")
    return samples_given(root, source, trained, dataset, validation)
