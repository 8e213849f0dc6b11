"""Whether anything of the past changes when only later bars do: inputs, predictions, and live beside batch."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlplugin.errors import DLPluginError
from dlplugin.evaluation.audit.result import Check
from dlplugin.evaluation.audit.subject import History, Subject, silent
from dlplugin.indicators.causality import altered_bars
from dlplugin.indicators.times import instants
from dlplugin.samples.features import input_values

__all__ = ["input_checks", "live_check", "prediction_checks"]

FloatArray = NDArray[np.float64]

ROUNDING = 1e-9  # of the column's spread: what another order of additions may change
LIVE_BARS = 300  # beyond the warm-up
HOW = {"cut": "cut off", "altered": "altered"}


@dataclass
class _Seen:
    """What became of one way of changing the future."""

    cuts: int = 0
    failed: int = 0
    largest: float = 0.0  # change that is rounding, in spreads
    leak: str = ""


def input_checks(subject: Subject) -> list[Check]:
    """Inputs with later bars cut off, and with later bars altered."""
    definition = subject.definition
    names = [item.name for item in definition.inputs]

    def compute(history: History) -> FloatArray:
        return input_values(definition, history.bars, history.others, history.symbol)

    return _checks(subject, "inputs", names, compute, subject.options.cuts)


def prediction_checks(subject: Subject) -> list[Check]:
    """Predictions likewise."""
    predictor = subject.predictor
    if predictor is None:
        return [Check(f"predictions, bars {how}", None, "not trained") for how in HOW]

    def compute(history: History) -> FloatArray:
        return predictor.predict(history.bars, history.symbol, history.others)

    return _checks(
        subject, "predictions", list(predictor.columns), compute, max(1, subject.options.cuts // 2)
    )


def live_check(subject: Subject) -> Check:
    """Bars fed one by one give the predictions of the whole history, to the bit."""
    name = "live and batch agree"
    predictor, symbol = subject.predictor, subject.chosen[0]
    if predictor is None:
        return Check(name, None, "not trained")
    whole = subject.history(symbol)
    history = whole.until(min(len(whole.bars), subject.definition.bars_needed + LIVE_BARS) - 1)
    with silent():
        batch = predictor.predict(whole.bars, symbol, whole.others)
        given = list(_fed(subject, history))
    count, live = len(given), np.array(given).reshape(len(given), batch.shape[1])
    differs = _bits(live) != _bits(batch[:count])
    known = int(np.isfinite(batch[:count]).all(axis=1).sum())
    if differs.any():
        bar, column = map(int, np.argwhere(differs)[0])
        return Check(
            name,
            False,
            f"{predictor.columns[column]} of {symbol} at {history.bars.index[bar]:%Y-%m-%d} is {live[bar, column]:.6g} "
            f"live, but {batch[bar, column]:.6g} on the whole history",
            "equal bits",
        )
    if not known:
        return Check(name, None, f"no prediction within the {count} bars of {symbol} that were replayed")
    return Check(
        name, True, f"{symbol} bar by bar: {known:,} predictions have the bits of batch", "equal bits"
    )


def _fed(subject: Subject, history: History) -> Iterator[FloatArray]:
    """The predictions of a feed, each other symbol's bars given before the own bar that may know them."""
    assert subject.predictor is not None
    live = subject.predictor.live(history.symbol)
    end = time.monotonic() + subject.options.seconds
    feeds = [
        (name, instants(bars.index).tolist(), bars.to_dict("records"), list(bars.index))
        for name, bars in history.others.items()
        if name in subject.definition.input_others
    ]
    given = dict.fromkeys(history.others, 0)
    nows = instants(history.bars.index).tolist()
    for now, moment, values in zip(nows, history.bars.index, history.bars.to_dict("records"), strict=True):
        if time.monotonic() > end:
            return
        for name, times, records, index in feeds:
            while given[name] < len(times) and times[given[name]] <= now:
                live.update_other(name, _numbers(records[given[name]]), index[given[name]])
                given[name] += 1
        yield live.update(_numbers(values), moment)


def _numbers(record: Mapping[Any, Any]) -> dict[str, float]:
    return {str(column): float(value) for column, value in record.items()}


def _checks(
    subject: Subject, what: str, columns: list[str], compute: Callable[[History], FloatArray], cuts: int
) -> list[Check]:
    seen = {how: _Seen() for how in HOW}
    rng, end, done = subject.generator(1), time.monotonic() + subject.options.seconds, 0
    with silent():
        for history in subject.histories():
            if time.monotonic() > end or any(each.leak for each in seen.values()):
                break
            done += 1
            whole = compute(history)
            for cut in _places(subject, history, cuts, rng):
                if time.monotonic() > end:
                    break
                for how, each in seen.items():
                    if not each.leak:
                        _look(history, how, cut, (whole, compute), columns, each, rng)
    return [_told(subject, what, how, seen[how], done) for how in HOW]


def _places(subject: Subject, history: History, cuts: int, rng: np.random.Generator) -> list[int]:
    """Bars from which on the future is changed: inside the warm-up, at the spans' ends, and anywhere."""
    length, warm = len(history.bars), subject.definition.bars_needed
    inside = {max(2, warm // 2), warm - 1, warm + 1, warm + 5}
    ends = np.searchsorted(
        history.bars.index.to_numpy(dtype="datetime64[ns]"),
        [span.end.to_datetime64() for span in subject.spans.spans],
        side="right",
    )
    anywhere = rng.integers(1, max(length, 2), size=cuts)
    places = {*inside, *map(int, ends), *map(int, anywhere)}
    return [int(place) for place in rng.permutation(sorted(place for place in places if 1 <= place < length))]


def _look(
    history: History,
    how: str,
    cut: int,
    whole: tuple[FloatArray, Callable[[History], FloatArray]],
    columns: list[str],
    seen: _Seen,
    rng: np.random.Generator,
) -> None:
    """Computes anew with the bars from the cut on changed, and notes what is different before it."""
    values, compute = whole
    before = history.until(cut - 1)
    changed = before if how == "cut" else _altered(history, before, rng)
    try:
        again = compute(changed)[:cut]
    except DLPluginError:  # too few bars for a function of the user's own
        seen.failed += 1
        return
    seen.cuts += 1
    differs = _bits(values[:cut]) != _bits(again)
    if not differs.any():
        return
    spread = np.nanstd(np.where(np.isfinite(values), values, np.nan), axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        change = np.abs(values[:cut] - again) / np.where(spread > 0, spread, 1.0)
    change = np.where(differs & ~np.isfinite(change), np.inf, np.where(differs, change, 0.0))
    if change.max() <= ROUNDING:
        seen.largest = max(seen.largest, float(change.max()))
        return
    bar, column = map(int, np.argwhere(change > ROUNDING)[0])
    seen.leak = (
        f"{columns[column]} of {history.symbol} at bar {bar} ({history.bars.index[bar]:%Y-%m-%d}) was "
        f"{_shown(values[bar, column])} and became {_shown(again[bar, column])} when the bars from {cut} on were "
        f"{HOW[how]}"
    )


def _altered(history: History, before: History, rng: np.random.Generator) -> History:
    """The same past with another future, of all symbols."""
    bars = altered_bars(history.bars, len(before.bars), rng)
    others = {
        name: bars if name == history.symbol else altered_bars(given, len(before.others[name]), rng)
        for name, given in history.others.items()
    }
    return History(history.symbol, bars, others)


def _told(subject: Subject, what: str, how: str, seen: _Seen, done: int) -> Check:
    name, limit = f"{what}, bars {how}", f"a change above {ROUNDING:g} of the column's spread"
    if seen.leak:
        return Check(name, False, seen.leak, limit)
    if not seen.cuts:
        return Check(name, None, f"no cut could be computed on {subject.which}", limit)
    whose = subject.which if done == len(subject.chosen) else f"{done} symbols, as far as there was time"
    later = "without the later bars" if how == "cut" else "with other later bars"
    bits = (
        f"no change beyond rounding ({seen.largest:.0e} of the spread)"
        if seen.largest
        else "every bit the same"
    )
    failed = f"; {seen.failed} cuts left too few bars to compute" if seen.failed else ""
    return Check(name, True, f"{seen.cuts} cuts of {whose}, computed {later}: {bits}{failed}", limit)


def _bits(values: FloatArray) -> NDArray[np.int64]:
    """One pattern for every NaN, so that only real changes count."""
    return np.where(np.isnan(values), np.nan, values).view(np.int64)


def _shown(value: float) -> str:
    return "no value" if np.isnan(value) else f"{value:.6g}"
