"""Trainings on outputs that were moved away from their inputs: there is nothing left to find."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dlplugin.evaluation.audit.reference import reference_of
from dlplugin.evaluation.audit.result import Check
from dlplugin.evaluation.audit.subject import Subject
from dlplugin.evaluation.uncertainty import mean_with_error
from dlplugin.evaluation.values import days_overlapped
from dlplugin.samples import Samples

if TYPE_CHECKING:
    from dlplugin.prediction import Predictor

__all__ = ["moved_checks"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

ERRORS = 3.5  # standard errors
MARGIN = 0.1  # of R², or of the accuracy, beyond the best causal regression on the shifted outputs
YEAR = 252  # bars
FEWEST = 100  # samples to train on, and to judge by
JUDGED = 0.3  # of the in-sample dates, where there are no others


@dataclass(frozen=True)
class _Moved:
    """Samples with other outputs, and which of them train and judge."""

    samples: Samples
    fitted: IntArray
    judged: IntArray
    overlap: int


def moved_checks(subject: Subject, train: "Callable[[Samples], Predictor | None]") -> list[Check]:
    """Shuffled and shifted outputs.

    Args:
        subject: What is audited.
        train: Trains anew on the in-sample rows of the samples it is given; None where it came to no end
            of an epoch.
    """
    return [_check(subject, train, "shuffled outputs"), _check(subject, train, "shifted outputs")]


def _check(subject: Subject, train: "Callable[[Samples], Predictor | None]", name: str) -> Check:
    shuffled = name.startswith("shuffled")
    limit = f"better out of sample than any mean by {ERRORS:g} standard errors, twice"
    if not shuffled:
        limit = f"R² or accuracy {MARGIN:g} above causal regressions', by {ERRORS:g} standard errors, twice"
    if not subject.seen:
        return Check(name, None, "no samples of the training's dates", limit)
    said = ""
    for attempt in range(2):
        moved = _shuffled(subject, attempt) if shuffled else _shifted(subject, attempt)
        if min(len(moved.fitted), len(moved.judged)) < FEWEST:
            return Check(
                name, None, f"{len(moved.fitted)} and {len(moved.judged)} samples are too few", limit
            )
        predictor = train(moved.samples)
        if predictor is None:
            return Check(name, None, "no epoch came to its end in the time there is", limit)
        strongest, said = _judge(subject, moved, predictor, shuffled)
        if not np.isfinite(strongest):
            return Check(name, None, f"{len(moved.judged)} samples tell too little", limit)
        said = f"trained on {len(moved.fitted):,} samples whose outputs are {_how(shuffled, attempt)}: {said}"
        if strongest <= ERRORS:
            return Check(name, True, said, limit, "alarm")
    return Check(name, False, said, limit, "alarm")


def _how(shuffled: bool, attempt: int) -> str:
    if shuffled:
        return "shuffled among all bars, jointly for all symbols"
    return f"those of {'a year' if attempt == 0 else 'a year and a half'} later, around the end"


def _pool(subject: Subject) -> IntArray:
    """(S,) rows of the spans that may be looked at, of some of the symbols."""
    samples, most = subject.samples, subject.options.symbols
    there = np.unique(np.concatenate([samples.owner[samples.rows[name]] for name in subject.seen]))
    rows = np.sort(np.unique(np.concatenate([samples.rows[name] for name in subject.seen])))
    if len(there) > most:
        there = there[np.linspace(0, len(there) - 1, most).round().astype(int)]
    kept: IntArray = rows[np.isin(samples.owner[rows], there)]
    return kept


def _shuffled(subject: Subject, attempt: int) -> _Moved:
    """Every timestamp has the outputs of another one, all symbols alike."""
    samples, rows = subject.samples, _pool(subject)
    moments, place = np.unique(samples.times[rows], return_inverse=True)
    other = subject.generator(70 + attempt).permutation(len(moments))
    keys = samples.owner[rows] * len(moments) + place
    order = np.argsort(keys, kind="stable")
    wanted = samples.owner[rows] * len(moments) + other[place]
    found = np.minimum(np.searchsorted(keys, wanted, sorter=order), len(rows) - 1)
    there = keys[order][found] == wanted
    return _with(subject, rows[there], rows[order][found][there], overlap=1)


def _shifted(subject: Subject, attempt: int) -> _Moved:
    """Every bar has the output that the symbol has a year later; the last ones those of the first."""
    samples, rows = subject.samples, _pool(subject)
    sources = np.empty_like(rows)
    for owner in np.unique(samples.owner[rows]):
        mine = np.flatnonzero(samples.owner[rows] == owner)
        bars = min(YEAR, len(mine) // 3)
        sources[mine] = np.roll(rows[mine], -(bars if attempt == 0 else bars * 3 // 2))
    overlap = days_overlapped(samples.times[rows], samples.owner[rows], subject.definition.look_ahead)
    return _with(subject, rows, sources, overlap)


def _with(subject: Subject, rows: IntArray, sources: IntArray, overlap: int) -> _Moved:
    samples, most = subject.samples, subject.options.training_samples
    targets, actual = samples.targets.copy(), samples.actual.copy()
    targets[rows], actual[rows] = samples.targets[sources], samples.actual[sources]
    if "out-of-sample" in subject.seen:
        fitted, judged = (rows[np.isin(rows, samples.rows[name])] for name in ("in-sample", "out-of-sample"))
    else:
        late = samples.times[rows] >= np.sort(samples.times[rows])[int(len(rows) * (1 - JUDGED))]
        fitted, judged = rows[~late], rows[late]
    fitted, judged = _thinned(fitted, most), _thinned(judged, most)
    made = replace(
        samples,
        targets=targets,
        actual=actual,
        weights=None,
        rows={"in-sample": fitted, "out-of-sample": judged},
    )
    return _Moved(made, fitted, judged, overlap)


def _thinned(rows: IntArray, most: int) -> IntArray:
    if len(rows) <= most:
        return rows
    kept: IntArray = rows[np.linspace(0, len(rows) - 1, most).round().astype(int)]
    return kept


def _judge(subject: Subject, moved: _Moved, predictor: "Predictor", shuffled: bool) -> tuple[float, str]:
    """Standard errors by which the output that is found best beats the best rule, and what to say of it."""
    samples, found = moved.samples, []
    predicted = np.empty((len(moved.judged), len(predictor.columns)))
    for place, symbol in enumerate(samples.symbols):
        mine = samples.owner[moved.judged] == place
        if mine.any():
            predicted[mine] = predictor.predict_rows(samples.matrix, moved.judged[mine], symbol)
    for index, output in enumerate(subject.definition.outputs):
        source, labels = (samples.targets if output.labels else samples.actual)[:, index], len(output.labels)
        fitted = moved.fitted[np.isfinite(source[moved.fitted])]
        known = np.isfinite(source[moved.judged])
        judged = moved.judged[known]
        if min(len(fitted), len(judged)) < FEWEST:
            continue
        came, before = (source[rows].astype(np.float64) for rows in (judged, fitted))
        rules = _means(samples, fitted, before, judged, came, labels)
        if not shuffled:
            rules += _regressions(subject, index, fitted, before, judged, labels)
        own = predicted[known, predictor.first[index]]
        gains = [_gain(values, came, labels) for values in (own, *rules)]
        best = max(range(1, len(gains)), key=lambda each: float(gains[each].mean()))
        mean, error = mean_with_error(gains[0] - gains[best], samples.times[judged], moved.overlap)
        errors = apart = mean / error if error > 0 else 0.0 * error
        scores = [_score(gains[each], came, float(before.mean()), labels) for each in (0, best)]
        if not shuffled and scores[0] - scores[1] <= MARGIN:
            errors = min(errors, 0.0)
        what = f"{output.name} {'accuracy' if labels else 'R²'} {scores[0]:.3f} out of sample"
        found.append((errors, f"{what}, the best rule {scores[1]:.3f} ({apart:+.1f} standard errors)"))
    return max(found, default=(float("nan"), ""))


def _gain(predicted: FloatArray, came: FloatArray, labels: int) -> FloatArray:
    """(S,) what a rule is better the more of: 1 where the class is right, or less squared error."""
    return (predicted == came).astype(np.float64) if labels else -np.square(predicted - came)


def _score(gain: FloatArray, came: FloatArray, mean: float, labels: int) -> float:
    """The accuracy; or R² against the in-sample mean."""
    total = float(np.square(came - mean).mean())
    return float(gain.mean()) if labels else 1.0 + float(gain.mean()) / (total or 1.0)


def _means(
    samples: Samples, fitted: IntArray, before: FloatArray, judged: IntArray, came: FloatArray, labels: int
) -> list[FloatArray]:
    """The mean (the most frequent class) of all, of each symbol, and between both.

    A symbol that trains nothing has the mean of what came: its inputs may tell how large its outputs are.
    """

    def middle(values: FloatArray) -> float:
        if labels:
            return float(np.bincount(values.astype(np.int64), minlength=labels).argmax())
        return float(values.mean())

    pooled = middle(before)
    own = np.full(len(judged), pooled)
    for place in np.unique(samples.owner[judged]):
        mine, asked = samples.owner[fitted] == place, samples.owner[judged] == place
        own[asked] = middle(before[mine] if mine.any() else came[asked])
    rules = [np.full(len(judged), pooled), own]
    return rules if labels else [*rules, (own + pooled) / 2]


def _regressions(
    subject: Subject, output: int, fitted: IntArray, before: FloatArray, judged: IntArray, labels: int
) -> list[FloatArray]:
    reference = reference_of(subject, output, np.concatenate([fitted, judged]))
    targets = np.eye(labels)[before.astype(np.int64)] if labels else before[:, None]
    found = reference.predictions(fitted, targets, judged)
    return [each.argmax(axis=1).astype(np.float64) if labels else each[:, 0] for each in found]
