"""What a run is made of before it trains: samples, resolved dates, and a folder that holds them."""

import platform
import sys
from collections.abc import Mapping
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import Any

from dlplugin.bars import DataSet
from dlplugin.definition import Definition, Split, TrainingOptions, to_plain
from dlplugin.errors import SamplesError, TrainingError
from dlplugin.samples import Samples, balance_lines, build_samples, read_samples, resolve_split, samples_file
from dlplugin.store import HistoryFile, RunFolder, Trained, TrainingState, now, trained_files
from dlplugin.training.checks import check_options
from dlplugin.training.metrics import metric_columns

__all__ = ["matching_samples", "prepare"]


def prepare(
    root: Path,
    definition: Definition,
    dataset: DataSet,
    split: Split,
    options: TrainingOptions,
    validation: DataSet | None = None,
    initial: TrainingState | None = None,
    about: Mapping[str, Any] | None = None,
) -> tuple[RunFolder, Samples]:
    """Makes the folder of a new run, with all that it needs to begin, now or days later.

    Args:
        root: The store.
        definition: What to train.
        dataset: On what.
        split: Resolved here, once and for all.
        options: How.
        validation: Another DataSet, whose samples are the out-of-sample ones.
        initial: The weights to begin with, where they come from another model.
        about: What else run.json shall hold.

    Raises:
        SamplesError: A span has no samples.
        DefinitionError: An option does not suit the definition.
        StoreError: The store cannot be written.
    """
    spans = resolve_split(dataset, split, validation)
    samples = build_samples(
        definition,
        dataset,
        spans,
        half_life=options.half_life,
        uniqueness=options.uniqueness,
        validation=validation,
    )
    _refuse_unseen(samples)
    check_options(definition, options, out_of_sample="out-of-sample" in samples.rows)
    if options.monitor == "accuracy":
        _refuse_unjudged(samples)
    facts = _facts(definition, dataset, split, options, samples) | dict(about or {})
    if validation is not None:
        facts["validation"] = _data(validation)
    files = {
        "samples.safetensors": samples_file(samples),
        "history.csv": HistoryFile.head(metric_columns(definition, options)),
    }
    nothing = Trained(definition, samples.input_scaling, samples.output_scaling, {}, facts)
    kept = trained_files(nothing)
    del kept["weights.safetensors"]
    files |= {f"save-point/{name}": content for name, content in kept.items()}
    if initial is not None:
        files["initial.safetensors"] = initial.to_bytes()
    return RunFolder.create(root, facts, files), samples


def matching_samples(folder: RunFolder, definition: Definition, dataset: DataSet | None) -> Samples:
    """The samples that a run trains on: those it has stored.

    Args:
        folder: The run's.
        definition: The run's.
        dataset: Compared with what the run has recorded, when it is given.

    Raises:
        TrainingError: The DataSet's bars are not those of the run.
        DamagedModelError: The samples are not stored any more, or damaged.
    """
    if dataset is not None:
        _refuse_other(folder, dataset)
    return read_samples(folder.samples_file, definition)


def _refuse_other(folder: RunFolder, dataset: DataSet) -> None:
    recorded = folder.facts["dataset"]["symbols"]
    if set(recorded) != set(dataset.symbols):
        raise TrainingError(
            f"run {folder.name} was trained on {_listed(recorded)}, but DataSet {dataset.name!r} has "
            f"{_listed(dataset.symbols)}; a run goes on with its own data: resume() without a dataset"
        )
    other = [name for name in recorded if recorded[name]["fingerprint"] != dataset.fingerprint[name]]
    if other:
        raise TrainingError(
            f"the bars of {_listed(other)} are not those that run {folder.name} was begun with; a run goes on with "
            "its own data: resume() without a dataset"
        )


def _listed(names: Any, most: int = 5) -> str:
    names = list(names)
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"


def _refuse_unseen(samples: Samples) -> None:
    """An out-of-sample span that holds no sample could choose nothing."""
    if "out-of-sample" in samples.rows and not len(samples.rows["out-of-sample"]):
        span = samples.spans["out-of-sample"]
        if samples.spans.note:
            raise SamplesError(
                f"{samples.spans.note}, but they have none from {span}; give them more bars, or choose others"
            )
        dropped = all(output.drop is not None for output in samples.definition.outputs)
        raise SamplesError(
            f"the out-of-sample span {span} has no samples at look ahead {samples.definition.look_ahead}: all "
            f"reach across its end{',' if dropped else ' or'} lie in the embargo"
            f"{' or in the dropped class' if dropped else ''}; make it longer, or use out_of_sample=0"
        )


def _refuse_unjudged(samples: Samples) -> None:
    """An accuracy of no samples is never better."""
    balance = samples.balance
    if "out_of_sample" in balance and not balance["out_of_sample"].any():
        names = ", ".join(repr(name) for name in balance.index.unique("output"))
        raise SamplesError(
            f"monitor is 'accuracy', but all out-of-sample samples are in the dropped class of {names}; move the "
            "thresholds, or use monitor='loss'"
        )


def _facts(
    definition: Definition, dataset: DataSet, split: Split, options: TrainingOptions, samples: Samples
) -> dict[str, Any]:
    return {
        "model": definition.name,
        "definition": definition.to_dict(),
        "definition_hash": definition.hash,
        "options": to_plain(options),
        "split": to_plain(split),
        "dataset": _data(dataset),
        "spans": samples.spans.to_dict(),
        "counts": {name: asdict(count) for name, count in samples.counts.items()},
        "labels": balance_lines(samples.balance),
        "samples_fingerprint": samples.fingerprint,
        "effective_samples": samples.effective,
        "versions": _versions(),
        "started": now(),
        "status": "running",
    }


def _data(dataset: DataSet) -> dict[str, Any]:
    symbols = {}
    for symbol in dataset.symbols:
        index = dataset[symbol].index
        symbols[symbol] = {
            "fingerprint": dataset.fingerprint[symbol],
            "bars": len(index),
            "first": index[0].isoformat(),
            "last": index[-1].isoformat(),
        }
    origin = {} if dataset.origin is None else {"origin": dataset.origin}
    return {"name": dataset.name, "interval": dataset.interval, "symbols": symbols, **origin}


def _versions() -> dict[str, str]:
    packages = ("dlplugin", "torch", "lightning", "TA-Lib", "numpy", "pandas")
    found = {"python": platform.python_version(), "machine": f"{sys.platform} {platform.machine()}"}
    return found | {package: metadata.version(package) for package in packages}
