"""Where scaling, samples, boundaries and the save point come from: all computed again, in another way."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dlplugin.definition import TrainingOptions
from dlplugin.errors import SamplesError
from dlplugin.evaluation.audit.result import Check
from dlplugin.evaluation.audit.subject import Subject, listed
from dlplugin.samples import Scaling, build_samples, matrix_columns
from dlplugin.samples.scaling import fit_scaling
from dlplugin.samples.spans import Span

__all__ = ["boundary_check", "fingerprint_check", "output_check", "scaling_check", "selection_check"]

BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]
CLOSE = 1e-3  # of a loss: training and prediction run on different devices


def scaling_check(subject: Subject) -> Check:
    """The stored scaling is the one that the in-sample rows give, to the bit."""
    name, limit = "scaling", "equal bits"
    trained = subject.trained
    if trained is None:
        return Check(name, None, "not trained")
    if not subject.same_data:
        return Check(name, None, "the DataSet has other bars than the training")
    rows = subject.samples.rows["in-sample"]
    own = _fitted(subject, rows)
    if own == _plain(trained.input_scaling, trained.output_scaling):
        span = subject.spans["in-sample"]
        return Check(
            name, True, f"fitted anew on the {len(rows):,} in-sample rows ({span}): the same bits", limit
        )
    everything = np.concatenate([subject.samples.rows[each] for each in subject.samples.rows])
    guess = (
        "; it is that of all samples, the later ones included"
        if _plain(trained.input_scaling, trained.output_scaling) == _fitted(subject, np.unique(everything))
        else ""
    )
    return Check(
        name,
        False,
        f"the stored scaling is not that of the in-sample rows: {_first_apart(subject, own)}{guess}",
        limit,
    )


def fingerprint_check(subject: Subject) -> Check:
    """The numbers that trained are those which the DataSet gives."""
    name = "samples"
    if subject.trained is None:
        return Check(name, None, "not trained")
    record = subject.trained.record
    if not subject.same_data:
        return Check(name, None, "the DataSet has other bars than the training")
    options = TrainingOptions(**record["options"])
    samples = build_samples(
        subject.definition,
        subject.dataset,
        subject.spans,
        half_life=options.half_life,
        uniqueness=options.uniqueness,
        validation=subject.validation,
    )
    written = str(record["samples_fingerprint"])
    if samples.fingerprint == written:
        return Check(name, True, f"built anew: the same numbers as trained ({written[:12]})", "equal SHA-256")
    here, there = _machine(), record.get("versions", {}).get("machine")
    if here != there:
        return Check(name, None, f"trained on {there}, and the last bits may differ on {here}")
    return Check(
        name,
        False,
        f"built anew they are {samples.fingerprint[:12]}, but the training read {written[:12]}",
        "equal SHA-256",
    )


def selection_check(subject: Subject) -> Check:
    """The save point was picked by out-of-sample days and nothing else."""
    name = "save point"
    if subject.trained is None:
        return Check(name, None, "not trained")
    record = subject.trained.record
    options, kept = TrainingOptions(**record["options"]), record.get("save_point", {})
    epochs, losses = kept.get("epochs", []), kept.get("losses", [])
    if "out-of-sample" not in subject.spans:
        return Check(
            name, True, f"no out-of-sample span: the last state, epoch {listed(list(map(str, epochs)))}"
        )
    span = subject.spans["out-of-sample"]
    if "holdout" in subject.spans and subject.spans["holdout"].start <= span.end:
        return Check(name, False, f"the out-of-sample span ({span}) reaches into the holdout", "dates")
    told = f"epoch {listed(list(map(str, epochs)))} by the {options.monitor} of {span}"
    if options.save_point == "last":
        told = f"the last state, epoch {listed(list(map(str, epochs)))}; {span} picked nothing"
    again = _loss_again(subject, options)
    if again is None or not losses:
        whose = "for these outputs and options" if subject.same_data else "from other bars"
        return Check(name, True, f"{told}; its loss cannot be computed anew {whose}")
    mean = float(np.mean(losses))
    same = abs(again - mean) <= CLOSE * max(abs(mean), 1e-12)
    said = f"{told}: its loss {mean:.5g} is {again:.5g} on those days' samples alone"
    return Check(name, same, said, f"a difference above {CLOSE:g} of the loss")


def boundary_check(subject: Subject) -> Check:
    """No output reaches out of its span: every sample's output bars, one by one, by their dates."""
    name, limit = "boundaries", "one sample"
    samples, ahead = subject.samples, subject.definition.look_ahead
    purged, start = {span.name: 0 for span in subject.spans.spans}, 0
    by_dates = subject.spans.validation.kind == "dates"
    for part in subject.parts:
        rows = np.arange(start, start + len(part.times))
        start += len(part.times)
        for span, until in zip(subject.spans.spans, subject.spans.embargo_until, strict=True):
            inside = _outputs_inside(part.times, span, ahead)
            mine, whole = np.isin(rows, samples.rows[span.name]), inside.all(axis=1)
            purged[span.name] += int((part.known & inside[:, 0] & ~whole & _there(part.times, ahead)).sum())
            wrong = mine & ~whole
            if by_dates:
                after = np.r_[part.times[1:], part.times[-1:]] >= until.to_datetime64()
                wrong = mine != (whole & part.known & after)
            if wrong.any():
                moment = pd.Timestamp(part.times[wrong.argmax()])
                does = (
                    "has output bars outside"
                    if (mine & ~whole)[wrong.argmax()]
                    else "is not as its dates say in"
                )
                said = f"the {span.name} sample of {part.symbol} at {moment:%Y-%m-%d} {does} {span}"
                return Check(name, False, said, limit)
    if subject.spans.validation.kind == "random":
        limit = "no out-of-sample bar is an in-sample one"
        return Check(name, False, subject.spans.note, limit, kind="alarm")
    counts = samples.counts
    if by_dates and {each: counts[each].purged for each in counts} != purged:
        return Check(name, False, f"purged by dates are {purged}, but the samples tell {counts}", limit)
    found = sum(count.samples for count in counts.values())
    dropped = ", ".join(f"{count.purged} at the end of {each}" for each, count in counts.items())
    bars, lie = ("the output bar", "lies") if ahead == 1 else (f"all {ahead} output bars", "lie")
    note = f"; {subject.spans.note}" if subject.spans.note else ""
    said = f"{bars} of each of {found:,} samples {lie} in its span, by date; purged: {dropped}{note}"
    return Check(name, True, said, limit)


def output_check(subject: Subject) -> Check:
    """What is exempt: outputs read later bars by construction, and are no inputs."""
    said = "; ".join(
        f"{output.name}: read at bar t + {output.look_ahead}" for output in subject.definition.outputs
    )
    return Check("outputs", True, f"exempt: outputs are what comes later, and never inputs ({said})")


def _outputs_inside(times: NDArray[np.datetime64], span: Span, ahead: int) -> BoolArray:
    """(T, look_ahead) whether each output bar of each bar is there and dated inside the span."""
    inside = np.zeros((len(times), ahead), dtype=bool)
    for step in range(1, ahead + 1):
        later = times[step:]
        inside[: len(later), step - 1] = (later >= span.start.to_datetime64()) & (
            later <= span.end.to_datetime64()
        )
    return inside


def _there(times: NDArray[np.datetime64], ahead: int) -> BoolArray:
    return np.arange(len(times)) + ahead < len(times)


def _fitted(subject: Subject, rows: IntArray) -> tuple[Any, Any]:
    """The scaling of chosen rows, fitted from the raw columns."""
    parts = subject.parts
    starts = np.cumsum([0, *(len(part.times) for part in parts)])
    columns = [subject.definition.inputs[index] for index in matrix_columns(subject.definition).input]
    chosen = {
        part.symbol: rows[(rows >= start) & (rows < start + len(part.times))] - start
        for part, start in zip(parts, starts, strict=False)
        if part.trains
    }
    raw = {part.symbol: part for part in parts if part.trains}
    try:
        return _plain(
            fit_scaling(columns, {symbol: raw[symbol].inputs[own] for symbol, own in chosen.items()}),
            fit_scaling(
                subject.definition.outputs,
                {symbol: raw[symbol].outputs[own] for symbol, own in chosen.items()},
            ),
        )
    except SamplesError:  # a symbol without rows has no scaling of its own
        return {}, {}


def _plain(inputs: Scaling, outputs: Scaling) -> tuple[Any, Any]:
    return inputs.to_dict(), outputs.to_dict()


def _first_apart(subject: Subject, own: tuple[Any, Any]) -> str:
    assert subject.trained is not None
    stored = _plain(subject.trained.input_scaling, subject.trained.output_scaling)
    definition = subject.definition
    names = (
        [definition.inputs[index].name for index in matrix_columns(definition).input],
        [output.name for output in definition.outputs],
    )
    for kind in (0, 1):
        for what in ("center", "scale"):
            one, other = np.array(stored[kind].get(what)), np.array(own[kind].get(what))
            if one.shape == other.shape and (one != other).any():
                group, column = map(int, np.argwhere(one != other)[0])
                said = f"{one[group, column]:.6g}, not {other[group, column]:.6g}"
                return f"the {what} of {names[kind][column]} is {said}"
    return "symbols or clips differ"


def _loss_again(subject: Subject, options: TrainingOptions) -> float | None:
    """The mean over the networks of the squared loss out of sample; None where it is another loss."""
    samples, predictor = subject.samples, subject.predictor
    definition = subject.definition
    plain = all(head.kind == "number" for head in definition.heads) and options.loss == "squared"
    if predictor is None or not plain or not subject.same_data or options.precision != "fp32":
        return None
    rows = samples.rows["out-of-sample"]
    if not len(rows):
        return None
    predicted = predictor.predict_scaled(samples.matrix, rows)  # (K, S, O)
    weights = np.array([output.weight for output in definition.outputs])
    errors = np.square(predicted - samples.targets[rows]).mean(axis=1)  # (K, O)
    return float((errors @ (weights / weights.sum())).mean())


def _machine() -> str:
    import platform
    import sys

    return f"{sys.platform} {platform.machine()}"
