"""A run: one training of one definition, as its folder tells it."""

import platform
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import pandas as pd
from rich.console import Console

from dlplugin.bars import DataSet
from dlplugin.definition import Definition, Split, TrainingOptions, to_plain
from dlplugin.errors import DLPluginError, SamplesError
from dlplugin.samples import Samples, SpanCount, Spans, build_samples, resolve_split
from dlplugin.store import RunFolder, Trained, hold

__all__ = ["Run", "best_epoch", "train"]


class Run:
    """One training of one definition on one DataSet with one split and one set of options."""

    def __init__(self, folder: RunFolder) -> None:
        self._folder = folder

    def __repr__(self) -> str:
        return f"<Run {self.name} of {self.facts['model']}: {self.status}>"

    @property
    def name(self) -> str:
        """Its memorable name."""
        return self._folder.name

    @property
    def path(self) -> Path:
        """Its folder in the store."""
        return self._folder.path

    @property
    def facts(self) -> dict[str, Any]:
        """All that is recorded of it: definition, options, data, dates, counts, versions."""
        return self._folder.facts

    @property
    def status(self) -> str:
        """One of "running", "finished", "stopped", "failed", or "interrupted" when its process died."""
        status = str(self.facts["status"])
        if status == "running" and not self._folder.alive:
            return "interrupted"
        return status

    @property
    def history(self) -> pd.DataFrame:
        """A row an epoch: epoch, in_sample_loss, out_of_sample_loss, learning_rate, seconds.

        Losses are mean squared errors of the scaled outputs; in-sample as met while the weights
        moved. Without an out-of-sample span its column is NaN.
        """
        return self._folder.history

    @property
    def stop_reason(self) -> str:
        """Why it ended, in words; empty while it runs."""
        return str(self.facts.get("stop_reason", ""))

    @property
    def best_epoch(self) -> int:
        """The epoch whose weights predict; with several networks that of the lowest loss."""
        return best_epoch(self.facts)

    @property
    def spans(self) -> Spans:
        """The resolved dates."""
        return Spans.from_dict(self.facts["spans"])

    @property
    def counts(self) -> dict[str, SpanCount]:
        """Samples and purged samples of each span."""
        return {name: SpanCount(**count) for name, count in self.facts["counts"].items()}


def best_epoch(facts: Mapping[str, Any]) -> int:
    """The epoch of the kept weights; with several networks that of the lowest loss."""
    kept = facts["save_point"]
    losses = kept["losses"]
    return int(kept["epochs"][losses.index(min(losses))] if losses else kept["epochs"][0])


def train(
    root: Path,
    definition: Definition,
    dataset: DataSet,
    split: Split,
    options: TrainingOptions,
    console: Console | None,
    begin: Callable[[str], None],
) -> tuple[Run, Samples, bool]:
    """Trains one run to its end and keeps its save point.

    Args:
        root: The store.
        definition: What to train.
        dataset: On what.
        split: Resolved here, once and for all.
        options: How.
        console: Where progress is shown.
        begin: Called with the run's name when its lock is held and it is about to train.

    Returns:
        The run, the samples it read, and whether Ctrl-C ended it.

    Raises:
        SamplesError: A span has no samples.
        TrainingError: There is nothing to keep.
    """
    spans = resolve_split(dataset, split)
    samples = build_samples(definition, dataset, spans)
    _refuse_unseen(samples)
    facts = _facts(definition, dataset, options, samples)
    folder = RunFolder.create(root, facts)
    with hold(root, folder.lock_name, f"run {folder.name} is being trained already", wait=2):
        from dlplugin.training.fit import fit  # Lightning: 2 s that only a training should pay

        try:
            begin(folder.name)
            fitted = fit(samples, options, folder.append_history, console)
        except BaseException as error:
            reason = str(error) if isinstance(error, DLPluginError) else type(error).__name__
            folder.write_facts(facts | {"status": "failed", "stop_reason": reason, "ended": _now()})
            raise
        kept = fitted.save_point
        facts |= {
            "status": "finished" if fitted.finished else "stopped",
            "stop_reason": fitted.stop_reason,
            "ended": _now(),
            "epochs": fitted.epochs,
            "device": fitted.device,
            "save_point": {
                "epochs": kept.epochs.tolist(),
                "losses": kept.kept_losses.tolist() if "out-of-sample" in spans else [],
            },
            "weights": sum(value[0].size for value in kept.weights.values()),
        }
        trained = Trained(definition, samples.input_scaling, samples.output_scaling, kept.weights, facts)
        folder.write_save_point(trained)
        folder.write_facts(facts)
    return Run(folder), samples, fitted.interrupted


def _refuse_unseen(samples: Samples) -> None:
    """An out-of-sample span that holds no sample could choose nothing."""
    if "out-of-sample" in samples.rows and not len(samples.rows["out-of-sample"]):
        span = samples.spans["out-of-sample"]
        raise SamplesError(
            f"the out-of-sample span {span} has no samples at look ahead {samples.definition.look_ahead}: all "
            "reach across its end or lie in the embargo; make it longer, or use out_of_sample=0"
        )


def _facts(
    definition: Definition, dataset: DataSet, options: TrainingOptions, samples: Samples
) -> dict[str, Any]:
    symbols = {}
    for symbol in dataset.symbols:
        index = dataset[symbol].index
        symbols[symbol] = {
            "fingerprint": dataset.fingerprint[symbol],
            "bars": len(index),
            "first": index[0].isoformat(),
            "last": index[-1].isoformat(),
        }
    return {
        "model": definition.name,
        "definition": definition.to_dict(),
        "definition_hash": definition.hash,
        "options": to_plain(options),
        "dataset": {"name": dataset.name, "interval": dataset.interval, "symbols": symbols},
        "spans": samples.spans.to_dict(),
        "counts": {
            name: {"samples": count.samples, "purged": count.purged} for name, count in samples.counts.items()
        },
        "samples_fingerprint": samples.fingerprint,
        "versions": _versions(),
        "started": _now(),
        "status": "running",
    }


def _versions() -> dict[str, str]:
    packages = ("dlplugin", "torch", "lightning", "TA-Lib", "numpy", "pandas")
    found = {"python": platform.python_version(), "machine": f"{sys.platform} {platform.machine()}"}
    return found | {package: metadata.version(package) for package in packages}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
