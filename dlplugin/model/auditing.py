"""The audit of a model: what there is of it is brought together, and every check is asked."""

import time
from io import StringIO
from typing import TYPE_CHECKING

from dlplugin.bars import DataSet
from dlplugin.definition import Definition, Split, TrainingOptions
from dlplugin.errors import DefinitionError
from dlplugin.evaluation.audit import (
    Audit,
    AuditOptions,
    Subject,
    boundary_check,
    column_checks,
    drift_check,
    fingerprint_check,
    input_checks,
    live_check,
    moved_checks,
    output_check,
    prediction_checks,
    scaling_check,
    selection_check,
    single_input_check,
    suspects,
    too_good_checks,
)
from dlplugin.samples import Samples, Spans, build_samples, resolve_split
from dlplugin.store import Trained, TrainingState
from dlplugin.training.control import Control
from dlplugin.training.save_point import SavePoint

if TYPE_CHECKING:
    from dlplugin.prediction import Predictor

__all__ = ["audit", "subject_of"]

KEPT = (
    "batch_size learning_rate optimizer momentum nesterov loss huber_delta quantile class_loss l1 l2 penalty_on "
    "weight_decay clip_norm clip_value initialisation zero_biases seed"
).split()
"""Options of the run that a training on moved outputs takes over; the others would only make it longer."""


def audit(
    reference: str,
    definition: Definition,
    dataset: DataSet,
    validation: DataSet | None = None,
    trained: Trained | None = None,
    predictor: "Predictor | None" = None,
    options: AuditOptions | None = None,
) -> Audit:
    """Asks every check.

    Args:
        reference: What the model is called.
        definition: The model's.
        dataset: The bars.
        validation: Another DataSet whose samples were out of sample.
        trained: What it predicts with; None for a draft.
        predictor: The same, ready to predict.
        options: How much work is done.

    Raises:
        DefinitionError: The options are none.
        SamplesError: The DataSet lacks a symbol that is read, or the model was validated on another one.
    """
    if not isinstance(options, AuditOptions | None):
        raise DefinitionError(f"options is {options!r}; give dl.AuditOptions(...)")
    begun = time.perf_counter()
    subject = subject_of(definition, dataset, validation, trained, predictor, options or AuditOptions())
    found = suspects(subject)
    checks = [
        *input_checks(subject),
        *prediction_checks(subject),
        live_check(subject),
        scaling_check(subject),
        fingerprint_check(subject),
        selection_check(subject),
        boundary_check(subject),
        output_check(subject),
        *column_checks(subject, found),
        *moved_checks(subject, _Training(subject)),
        drift_check(subject),
        single_input_check(subject, found),
        *too_good_checks(subject),
    ]
    return Audit(reference, dataset.name, tuple(checks), time.perf_counter() - begun)


def subject_of(
    definition: Definition,
    dataset: DataSet,
    validation: DataSet | None,
    trained: Trained | None,
    predictor: "Predictor | None",
    options: AuditOptions,
) -> Subject:
    """What the checks look at: the samples, scaled as the training did, and the weights; see `audit`."""
    if trained is None:
        spans = resolve_split(dataset, Split(), validation)
        samples = build_samples(definition, dataset, spans, validation=validation)
        return Subject(definition, dataset, validation, spans, samples, None, None, True, options)
    spans = Spans.from_dict(trained.record["spans"])
    scaling = (trained.input_scaling, trained.output_scaling)
    samples = build_samples(definition, dataset, spans, scaling, validation=validation)
    same = _same(trained.record["dataset"], dataset)
    if validation is not None:
        same = same and _same(trained.record.get("validation", {"symbols": {}}), validation)
    return Subject(definition, dataset, validation, spans, samples, predictor, trained, same, options)


def _same(recorded: "dict[str, dict[str, dict[str, str]]]", dataset: DataSet) -> bool:
    written = {symbol: each["fingerprint"] for symbol, each in recorded["symbols"].items()}
    return written == dataset.fingerprint


class _Training:
    """Trains on samples in memory, for a bounded time, with the options of the run; the last state counts."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        record = {} if subject.trained is None else subject.trained.record["options"]
        kept = {name: record[name] for name in KEPT if name in record}
        how = subject.options
        self._options = TrainingOptions(
            **kept, epochs=how.epochs, auto_stop=None, save_point="last", device="cpu"
        )

    def __call__(self, samples: Samples) -> "Predictor | None":
        """What predicts after the training; None where no epoch came to its end."""
        from rich.console import Console

        from dlplugin.prediction import Predictor
        from dlplugin.training.fit import fit  # Lightning: 2 s that only a training should pay

        end = time.monotonic() + self._subject.options.training_seconds
        control = Control(lambda: time.monotonic() > end)
        fitted = fit(samples, self._options, _Nothing(), control, Console(file=StringIO()))
        weights = fitted.save_point.weights
        if not weights:
            return None
        return Predictor(
            self._subject.definition,
            samples.input_scaling,
            samples.output_scaling,
            weights,
            self._options.class_loss,
        )


class _Nothing:
    """A journal that writes nothing."""

    wants_state = True

    def __init__(self) -> None:
        self.kept_epoch = 0

    def add_epoch(self, row: "tuple[float | int | str, ...]") -> None:
        """Nothing is shown."""

    def keep(self, state: TrainingState, save_point: SavePoint) -> None:
        """Nothing is written; the save point itself is what counts."""
        self.kept_epoch = state.epoch

    def show(self, epoch: int, done: float, loss: float) -> None:
        """Nothing is shown."""

    def close(self) -> None:
        """Nothing is under way."""
