"""How far predictions depend on where the history begins."""

import numpy as np
from numpy.typing import NDArray

from dlplugin.errors import DLPluginError
from dlplugin.evaluation.audit.result import Check
from dlplugin.evaluation.audit.subject import Subject, silent

__all__ = ["drift_check"]

FloatArray = NDArray[np.float64]

ENDS = 8  # histories of each length, that end at different bars of a symbol
MOST_SYMBOLS = 3
DRIFT = 0.25  # spreads of the predictions, root mean square
FLAT = 1e-3  # of the outputs' own spread: predictions that vary less count as varying so much


def drift_check(subject: Subject) -> Check:
    """Predictions at the end of short histories beside those of the full one."""
    name = "warm-up drift"
    definition, predictor = subject.definition, subject.predictor
    limit = f"{DRIFT:g} spreads of the predictions (root mean square) on {definition.steady_bars:,} bars"
    if predictor is None:
        return Check(name, None, "not trained")
    needed, steady = definition.bars_needed, definition.steady_bars
    lengths = sorted({needed, 2 * needed, max(steady, 2 * needed)})
    apart: dict[int, list[FloatArray]] = {length: [] for length in lengths}
    with silent():
        for symbol in subject.chosen[:MOST_SYMBOLS]:
            history = subject.history(symbol)
            whole = predictor.predict(history.bars, symbol, history.others)
            known = np.flatnonzero(np.isfinite(whole).all(axis=1))
            if not len(known):
                continue
            spread = np.maximum(whole[known].std(axis=0), FLAT * _output_spread(subject, whole[known]))
            for length, found in apart.items():
                for end in _ends(known, length):
                    short = history.until(end).since(end - length + 1)
                    try:
                        last = predictor.predict(short.bars, symbol, short.others)[-1]
                    except DLPluginError:
                        continue
                    found.append(np.abs(last - whole[end]) / spread)
    told = {length: _typical(found) for length, found in apart.items()}
    longest = told[lengths[-1]]
    said = ", ".join(
        f"{told[length]:.2g} on {length:,} bars" for length in lengths if np.isfinite(told[length])
    )
    if not np.isfinite(longest):
        why = f"histories are too short to begin later: steady inputs need {lengths[-1]:,} bars"
        return Check(name, None, f"{why}; {said}" if said else why, limit)
    return Check(
        name,
        bool(longest <= DRIFT),
        f"predictions differ from those of the full history by {said}",
        limit,
        "alarm",
    )


def _ends(known: NDArray[np.int64], length: int) -> NDArray[np.int64]:
    """Bars at which a history of that length ends that begins later than the full one."""
    able = known[known >= length]
    if not len(able):
        return able
    return np.unique(able[np.linspace(0, len(able) - 1, ENDS).round().astype(int)])


def _typical(found: list[FloatArray]) -> float:
    """Of the column that differs most; infinite where a value is missing, NaN where there is none."""
    if not found:
        return float("nan")
    apart = np.array(found)
    apart = np.where(np.isfinite(apart), apart, np.inf)
    return float(np.sqrt(np.square(apart).mean(axis=0)).max())


def _output_spread(subject: Subject, predicted: FloatArray) -> float:
    scale = subject.samples.output_scaling.scale
    return float(np.mean(np.abs(scale))) if predicted.size else 1.0
