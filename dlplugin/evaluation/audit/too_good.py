"""Results that are better than honest ones are: each alarm with its threshold."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dlplugin.evaluation.audit.columns import Suspect
from dlplugin.evaluation.audit.reference import Reference, r_squared, reference_of
from dlplugin.evaluation.audit.result import Check
from dlplugin.evaluation.audit.subject import Subject
from dlplugin.evaluation.uncertainty import mean_with_error
from dlplugin.evaluation.values import days_overlapped

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["single_input_check", "too_good_checks"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

BEYOND = 0.25  # of R², above the best causal regression
MORE_RIGHT = 0.15  # of the accuracy, above the best causal regression
HIT_RATE = 0.65
MORE_HITS = 0.10  # above the best causal regression
FEWEST_DAYS = 100
PARTIAL = 0.4  # correlation of one input with an output, given what could be known
ERRORS = 5.0  # standard errors
MOST = 20_000  # samples of a span
FEWEST = 100
SAMPLES_A_FEATURE = 5  # that do not overlap


@dataclass(frozen=True)
class _Score:
    """How model and the best causal regression do on one output of one span: R², or the accuracy."""

    model: float
    best: float
    hits: float
    best_hits: float
    days: int


def too_good_checks(subject: Subject) -> list[Check]:
    """Out of sample beside causal regressions, hit rates, and out of sample beside in-sample."""
    names = ("too good: fit", "too good: hits", "too good: unseen days")
    if subject.predictor is None:
        return [Check(name, None, "not trained") for name in names]
    if "out-of-sample" not in subject.seen or not len(subject.samples.rows["in-sample"]):
        return [Check(name, None, "no out-of-sample samples of these dates") for name in names]
    scores = {
        output.name: {name: _score(subject, index, name) for name in ("in-sample", "out-of-sample")}
        for index, output in enumerate(subject.definition.outputs)
    }
    classes = {output.name: bool(output.labels) for output in subject.definition.outputs}
    return [_fit(names[0], scores, classes), _hits(names[1], scores), _unseen(names[2], scores, classes)]


def single_input_check(subject: Subject, found: "Sequence[Suspect]") -> Check:
    """How far one input that cannot be computed again tells an output, given what could be known."""
    name = "too good: one input"
    limit = f"a partial correlation above {PARTIAL:g} in-sample, by {ERRORS:g} standard errors"
    if not found:
        return Check(name, None, "no column beside the prices, and no function of your own")
    rows = _thinned(subject.samples.rows["in-sample"])
    if len(rows) < FEWEST:
        return Check(name, None, f"{len(rows)} in-sample samples are too few")
    strongest, said, wrong = -1.0, "", False
    for index, output in enumerate(subject.definition.outputs):
        reference = reference_of(subject, index, rows)
        for suspect in found:
            share, errors = _partial(subject, suspect, reference, rows, index)
            high = share > PARTIAL and errors > ERRORS
            if np.isfinite(share) and (high, share) > (wrong, strongest):
                strongest, wrong = share, high
                said = f"{suspect.name} and {output.name}: {share:.2f} ({errors:.1f} standard errors), given prices"
    if not said:
        return Check(name, None, "too few samples have a value", limit)
    return Check(name, not wrong, said, limit, "alarm")


def _fit(name: str, scores: dict[str, dict[str, _Score]], classes: dict[str, bool]) -> Check:
    limit = f"R² {BEYOND:g}, or accuracy {MORE_RIGHT:g}, above the best causal regression"
    wrong, told = False, []
    for output, spans in scores.items():
        one = spans["out-of-sample"]
        wrong |= one.model - one.best > (MORE_RIGHT if classes[output] else BEYOND)
        what = "accuracy" if classes[output] else "R²"
        told.append(f"{output} {what} {one.model:.3f} out of sample, causal regressions {one.best:.3f}")
    return Check(name, not wrong, "; ".join(told), limit, "alarm")


def _hits(name: str, scores: dict[str, dict[str, _Score]]) -> Check:
    rates = f"{100 * HIT_RATE:g} %, and {100 * MORE_HITS:g} % above causal regressions"
    limit = f"{rates}, on {FEWEST_DAYS} days or more"
    wrong, told = False, []
    for output, spans in scores.items():
        one = spans["out-of-sample"]
        if not np.isfinite(one.hits) or one.days < FEWEST_DAYS:
            continue
        wrong |= one.hits > HIT_RATE and one.hits - one.best_hits > MORE_HITS
        best = f"causal regressions {100 * one.best_hits:.1f} %"
        told.append(f"{output} {100 * one.hits:.1f} % on {one.days} days, {best}")
    if not told:
        return Check(name, None, f"no output takes both signs on {FEWEST_DAYS} days", limit)
    return Check(name, not wrong, "; ".join(told), limit, "alarm")


def _unseen(name: str, scores: dict[str, dict[str, _Score]], classes: dict[str, bool]) -> Check:
    limit = (
        f"better than in-sample by R² {BEYOND:g}, or accuracy {MORE_RIGHT:g}, more than causal regressions"
    )
    wrong, told = False, []
    for output, spans in scores.items():
        here, there = spans["in-sample"], spans["out-of-sample"]
        gain, usual = there.model - here.model, max(there.best - here.best, 0.0)
        wrong |= gain - usual > (MORE_RIGHT if classes[output] else BEYOND)
        told.append(f"{output} {gain:+.3f}, causal regressions {there.best - here.best:+.3f}")
    return Check(name, not wrong, "; ".join(told), limit, "alarm")


def _score(subject: Subject, index: int, span: str) -> _Score:
    """The model and the regressions on the samples of one span; the regressions are fitted in-sample."""
    samples, output, predictor = subject.samples, subject.definition.outputs[index], subject.predictor
    assert predictor is not None
    source = samples.targets if output.labels else samples.actual
    fitted, judged = (
        _thinned(samples.rows[name][np.isfinite(source[samples.rows[name], index])])
        for name in ("in-sample", span)
    )
    nan = float("nan")
    nothing = _Score(nan, nan, nan, nan, 0)
    if min(len(fitted), len(judged)) < FEWEST:
        return nothing
    before, came = (source[rows, index].astype(np.float64) for rows in (fitted, judged))
    own = np.empty(len(judged))
    for place, symbol in enumerate(samples.symbols):
        mine = samples.owner[judged] == place
        if mine.any():
            own[mine] = predictor.predict_rows(samples.matrix, judged[mine], symbol)[
                :, predictor.first[index]
            ]
    reference = reference_of(subject, index, np.union1d(fitted, judged))
    days = len(np.unique(samples.times[judged].astype("datetime64[D]")))
    if output.labels:
        targets = np.eye(len(output.labels))[before.astype(np.int64)]
        right = [
            float((each.argmax(axis=1) == came).mean())
            for each in reference.predictions(fitted, targets, judged)
        ]
        return _Score(float((own == came).mean()), max(right), float("nan"), float("nan"), days)
    mean = float(before.mean())
    given = [each[:, 0] for each in reference.predictions(fitted, before[:, None], judged)]
    best = max(r_squared(each, came, mean) for each in given)
    signed = min(float((came > 0).mean()), float((came < 0).mean())) > 0.05
    hits = [
        float((np.sign(each) == np.sign(came)).mean()) if signed else float("nan") for each in (own, *given)
    ]
    return _Score(r_squared(own, came, mean), best, hits[0], max(hits[1:]), days)


def _partial(
    subject: Subject, suspect: Suspect, reference: Reference, rows: IntArray, output: int
) -> tuple[float, float]:
    """The correlation of what causal features leave of an input and of an output, and its standard errors."""
    samples, starts = subject.samples, np.cumsum([0, *(len(part.times) for part in subject.parts)])
    came, column = samples.actual[rows, output], np.full(len(rows), np.nan)
    for place, part in enumerate(subject.parts[: len(subject.dataset.symbols)]):
        mine = (rows >= starts[place]) & (rows < starts[place + 1])
        if part.symbol in suspect.values and mine.any():
            column[mine] = suspect.values[part.symbol][rows[mine] - starts[place]]
    known = np.isfinite(column) & np.isfinite(came)
    times, owner = samples.times[rows[known]], samples.owner[rows[known]]
    overlap = days_overlapped(times, owner, subject.definition.outputs[output].look_ahead)
    apart = int(known.sum()) // subject.definition.outputs[output].look_ahead  # do not overlap
    groups = [group for group in reference.groups if len(group) <= apart // SAMPLES_A_FEATURE]
    if not groups:
        return float("nan"), float("nan")
    features = np.column_stack([np.ones(int(known.sum())), reference.of(rows[known])[:, groups[-1]]])
    both = np.column_stack([column[known], came[known]])
    left = both - features @ np.linalg.lstsq(features, both, rcond=None)[0]
    sizes = np.sqrt(np.square(left).mean(axis=0))
    if (sizes <= 1e-9 * both.std(axis=0)).any():
        return 0.0, 0.0
    share, error = mean_with_error(left.prod(axis=1) / sizes.prod(), times, overlap)
    return abs(share), abs(share) / error if error > 0 else 0.0


def _thinned(rows: IntArray) -> IntArray:
    return rows if len(rows) <= MOST else rows[np.linspace(0, len(rows) - 1, MOST).round().astype(int)]
