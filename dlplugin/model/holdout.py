"""Scores of a trained model: in and out of sample whenever asked for, on the holdout only when that is recorded."""

from pathlib import Path

import numpy as np

from dlplugin.bars import DataSet
from dlplugin.errors import DefinitionError, SamplesError
from dlplugin.evaluation import Evaluation
from dlplugin.model.judging import samples_given
from dlplugin.samples import Spans
from dlplugin.store import Opening, RunFolder, VersionFolder, now, record_opening, shown_symbols
from dlplugin.training import evaluation_of

__all__ = ["evaluate_on", "open_holdout"]


def evaluate_on(
    root: Path,
    source: RunFolder | VersionFolder,
    dataset: DataSet | None,
    validation: DataSet | None,
) -> Evaluation:
    """How it does on in-sample and out-of-sample samples; see `Model.evaluate`."""
    trained = source.read_trained()
    samples = samples_given(root, source, trained, dataset, validation)
    return evaluation_of(samples, trained, boosting=True)


def open_holdout(
    root: Path,
    reference: str,
    source: RunFolder | VersionFolder,
    reason: str,
    dataset: DataSet | None,
    validation: DataSet | None,
) -> Evaluation:
    """How it does on the holdout; see `Model.open_holdout`.

    Args:
        root: The store.
        reference: What messages call the model.
        source: What it predicts with.
        reason: The user's words.
        dataset: Bars of the holdout's days; by default the stored samples.
        validation: The other DataSet whose samples were out of sample.
    """
    if not isinstance(reason, str) or not reason.strip():
        raise DefinitionError(
            f"reason is {reason!r}, but must say why the holdout is opened: open_holdout(reason='final check')"
        )
    trained = source.read_trained()
    spans = Spans.from_dict(trained.record["spans"])
    if "holdout" not in spans:
        raise SamplesError(
            f"model {reference!r} was trained without a holdout; leave a share of the dates to it and train again: "
            "split=dl.Split(0.6, 0.2)"
        )
    samples = samples_given(root, source, trained, dataset, validation)
    rows = samples.rows["holdout"]
    if not len(rows):
        raise SamplesError(
            f"there are no samples in the holdout of model {reference!r}, {spans['holdout']}; give a dataset with "
            "bars of those days"
        )
    definition = trained.definition
    symbols = {samples.symbols[index] for index in np.unique(samples.owner[rows])}
    opening = Opening(
        definition=definition.hash,
        model=definition.name,
        dataset=trained.record["dataset"]["name"] if dataset is None else dataset.name,
        symbols=tuple(sorted(symbols.union(definition.output_others))),
        trained=shown_symbols(definition, trained.record),
        start=f"{spans['holdout'].start:%Y-%m-%d}",
        end=f"{spans['holdout'].end:%Y-%m-%d}",
        purpose="score",
        reason=reason.strip(),
        time=now(),
    )
    record_opening(root, opening)  # before there is a score: whoever is killed in between has opened it
    return evaluation_of(samples, trained, span="holdout", boosting=True)
