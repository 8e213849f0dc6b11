"""What the courses of a training's curves tell: the troubles that its history shows. NumPy and pandas only.

Losses have no common unit: they are compared with themselves, as shares of an earlier value.
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from dlplugin.training.watch.curves import NEIGHBOURS, Curves, FloatArray, noise, smooth
from dlplugin.training.watch.finding import Finding, Remedy, Trouble, advised, less, less_rate

__all__ = ["FEWEST_EPOCHS", "curve_findings"]

FEWEST_EPOCHS = 10  # fewer show no course of things
STILL = 0.001  # a fall by less is none: even outputs that can hardly be predicted give more from scaled data
STILL_ACCURACY = 0.0005  # of an accuracy over thousands of samples, which moves by more when weights move
JUMP = 2.0  # times the median of the ten epochs before; noise does not double a mean over a whole span
UNRULY = (
    0.05  # share by which a mean over all in-sample samples does not change from epoch to epoch in good order
)
THROWN = 10.0  # times the loss of always saying 0; initial weights give one or two times that
DIVERGED = 1.1  # times the lowest value; overfitting and noise do not raise the *in-sample* loss
OVERFIT = 0.02  # share by which the out-of-sample loss may rise after its best epoch
NOISE_SHARE = 0.002  # noise that is less of the out-of-sample loss misleads nobody
FALLING = 0.1  # share of the whole fall in the last fifth; two time constants of an exponential leave 0.08
STRAIGHT = 0.4  # share of the whole fall in the second half; a straight line has 0.5, two time constants 0.27


def curve_findings(
    history: pd.DataFrame, options: Mapping[str, Any], running: bool = False, plain_loss: float | None = None
) -> list[Finding]:
    """The troubles that a history shows, the gravest first; what another one explains is left out.

    Args:
        history: A row an epoch, as `Run.history` gives it.
        options: The training's options, by name.
        running: Whether it goes on; then its end is none.
        plain_loss: What always predicting 0 would give, about; None where that is not known.
    """
    curves = Curves.of(history, options.get("monitor", "loss"))
    found = [_not_finite(history, curves, options)]
    if len(curves.epochs) >= FEWEST_EPOCHS:
        still = _stands_still(curves, options)
        wild = None if still else _rate_too_high(curves, options, plain_loss)
        found += [still, wild, _jump(curves, options), None if still else _accuracy_stands_still(curves)]
        if not still and not wild:
            overfit, first = _overfits(curves), _best_is_first(curves, options)
            early = None if running or overfit else _still_falling(curves, options)
            noisy = None if overfit or first or early else _noisy(curves, options)
            found += [overfit, first, early, noisy]
    return [finding for finding in found if finding]


def _not_finite(history: pd.DataFrame, curves: Curves, options: Mapping[str, Any]) -> Finding | None:
    done = len(curves.epochs)
    if done == len(history):
        return None
    row = history.iloc[done]
    before = f"; in epoch {curves.epochs[-1]} it was {curves.inside[-1]:.4g}" if done else ""
    return Finding(
        Trouble.NOT_FINITE,
        f"in epoch {row['epoch']:.0f} the in-sample loss is {row['in_sample_loss']:g}, the out-of-sample loss "
        f"{row['out_of_sample_loss']:g}{before}",
        _tamed(options),
    )


def _stands_still(curves: Curves, options: Mapping[str, Any]) -> Finding | None:
    first = curves.inside[0]
    moved = max(abs(1 - np.array([median.min(), median.max()]) / first).max() for median in _both(curves))
    if moved >= STILL:
        return None
    return Finding(
        Trouble.STANDS_STILL,
        f"it was {first:.6g} in epoch {curves.epochs[0]}, and has moved by {_percent(moved)} at most in "
        f"{len(curves.epochs)} epochs",
        advised(
            Remedy(f"a learning_rate above {_rate(options):g}", "learning_rate", more=True),
            "another initialisation or activation",
            *(("no freeze",) if options.get("freeze") else ()),
            *less(options),
        ),
        "if nothing moves it, the inputs say nothing about the outputs",
    )


def _both(curves: Curves) -> list[FloatArray]:
    """The smooth losses; the out-of-sample one raised or lowered to begin where the in-sample one does."""
    inside = smooth(curves.inside)
    if curves.outside is None:
        return [inside]
    outside = smooth(curves.outside)
    return [inside, outside * (curves.inside[0] / outside[0])]


def _accuracy_stands_still(curves: Curves) -> Finding | None:
    if curves.accuracy is None or len(curves.epochs) < 2 * FEWEST_EPOCHS:
        return None
    low, high = curves.accuracy.min(), curves.accuracy.max()
    if high - low > STILL_ACCURACY:
        return None
    return Finding(
        Trouble.ACCURACY_STILL,
        f"in-sample it lies between {_percent(low)} and {_percent(high)} in all {len(curves.epochs)} epochs",
        advised(
            "class_weights='balanced' or sampling='over'",
            Remedy("a higher learning_rate", "learning_rate", more=True),
            "thresholds that make classes of more equal size",
        ),
    )


def _rate_too_high(curves: Curves, options: Mapping[str, Any], plain_loss: float | None) -> Finding | None:
    inside, median = curves.inside, smooth(curves.inside)
    begun = inside[:NEIGHBOURS].min()
    lowest, end = median.min(), median[-1]
    rate = _rate(options)
    lower = Remedy(f"a learning_rate of {rate / 10:g} in place of {rate:g}", "learning_rate")
    clip = () if options.get("clip_norm") else ("clip_norm=1",)
    remedies = advised(lower, "warm_up", *clip, *less_rate(options)[1:])
    if plain_loss is not None and inside.max() >= THROWN * plain_loss > 0:
        return Finding(
            Trouble.THROWN,
            f"the in-sample loss was {inside.max():.4g} in epoch {curves.epochs[inside.argmax()]}; a network that "
            f"always says 0 has about {plain_loss:.3g}",
            remedies,
        )
    if end >= DIVERGED * lowest and end - lowest >= max(UNRULY * begun, 3 * noise(inside)):
        return Finding(
            Trouble.GROWS,
            f"the in-sample loss was {lowest:.4g} near epoch {curves.epochs[median.argmin()]}, and is "
            f"{end:.4g} at the end",
            remedies,
        )
    half = inside[len(inside) // 2 :]
    steps, middle = np.diff(half), np.median(half)
    size = np.median(np.abs(steps)) / max(middle, np.finfo(float).tiny)
    if size >= UNRULY and np.mean(steps > 0) >= 0.3 and middle >= begun / 2:
        return Finding(
            Trouble.LEAPS,
            f"in the last {len(half)} epochs the in-sample loss changes by {_percent(size)} from one to the next "
            f"and rises in {np.sum(steps > 0)} of them; its median there is {middle:.4g}, and {begun:.4g} was "
            f"reached in the first {NEIGHBOURS} epochs",
            remedies,
        )
    return None


def _jump(curves: Curves, options: Mapping[str, Any]) -> Finding | None:
    worst, where = 0.0, (0, "", 0.0, 0.0)
    for name, values in (("in-sample", curves.inside), ("out-of-sample", curves.outside)):
        if values is None:
            continue
        before = pd.Series(values).rolling(2 * NEIGHBOURS, min_periods=NEIGHBOURS).median().shift().to_numpy()
        with np.errstate(invalid="ignore", divide="ignore"):
            ratio = np.where(values - before >= UNRULY * values[0], values / before, 0)
        at = int(np.nan_to_num(ratio).argmax())
        if ratio[at] >= max(JUMP, worst):
            worst, where = float(ratio[at]), (int(curves.epochs[at]), name, before[at], values[at])
    if not worst:
        return None
    epoch, name, low, high = where
    return Finding(
        Trouble.JUMPS,
        f"in epoch {epoch} the {name} loss is {high:.4g}, {worst:.3g} times the {low:.4g} of the epochs before",
        _tamed(options),
    )


def _overfits(curves: Curves) -> Finding | None:
    if curves.outside is None:
        return None
    outside, inside = smooth(curves.outside), smooth(curves.inside)
    best = int(outside.argmin())
    rise, fall = outside[-1] / max(outside[best], 1e-300) - 1, 1 - inside[-1] / max(inside[best], 1e-300)
    too_short = len(outside) - 1 - best < FEWEST_EPOCHS
    if too_short or rise < OVERFIT or fall <= 0 or outside[-1] - outside[best] < 3 * noise(curves.outside):
        return None
    return Finding(
        Trouble.OVERFITTING,
        f"from epoch {curves.epochs[best]} on it rose by {_percent(rise)}, from {outside[best]:.4g} to "
        f"{outside[-1]:.4g}, while in-sample fell by {_percent(fall)}, from {inside[best]:.4g} to {inside[-1]:.4g}",
        advised(
            Remedy("a smaller network", "network"),
            Remedy("dropout in the engine", "restraint", more=True),
            Remedy("weight_decay or l2", "restraint", more=True),
            Remedy("input_noise", "restraint", more=True),
            "averaging",
            "more samples",
            Remedy("a shorter auto_stop", "epochs"),
        ),
        "the save point of the best epoch is kept unless save_point='last'",
    )


def _best_is_first(curves: Curves, options: Mapping[str, Any]) -> Finding | None:
    values = curves.monitored
    if values is None or int(np.argmin(values)) != 0:
        return None
    later = int(np.argmin(values[1:])) + 1
    return Finding(
        Trouble.FIRST_IS_BEST,
        f"out of sample {curves.sign * values[0]:.4g} in epoch {curves.epochs[0]}, and since then "
        f"{curves.sign * values[later]:.4g} at best, in epoch {curves.epochs[later]}",
        advised(*less_rate(options), Remedy("more weight_decay", "restraint", more=True)),
        "inputs that tell more about the outputs",
    )


def _still_falling(curves: Curves, options: Mapping[str, Any]) -> Finding | None:
    median, count = smooth(curves.judged), len(curves.epochs)
    fall = median[0] - median[-1]
    late, second_half = median[-1 - max(2, count // 5)] - median[-1], median[count // 2] - median[-1]
    if fall < STILL * median[0] or late < max(FALLING * fall, 3 * noise(curves.judged)):
        return None
    slow, rate = second_half >= STRAIGHT * fall, _rate(options)
    faster = Remedy(f"a learning_rate of {3 * rate:g} in place of {rate:g}", "learning_rate", more=True)
    return Finding(
        Trouble.TOO_SLOW if slow else Trouble.TOO_SHORT,
        f"the {curves.judged_name} loss was still falling at the end: from {median[0]:.4g} to {median[-1]:.4g} in "
        f"{count} epochs, {_percent(late / fall)} of it in the last fifth; the best epoch is "
        f"{curves.epochs[int(np.argmin(curves.judged))]}",
        (faster, Remedy("or more epochs", "epochs", more=True))
        if slow
        else (Remedy("more epochs, or epochs=None with auto_stop", "epochs", more=True),),
    )


def _noisy(curves: Curves, options: Mapping[str, Any]) -> Finding | None:
    if curves.outside is None or len(curves.epochs) < 2 * FEWEST_EPOCHS:
        return None
    median, chance = smooth(curves.outside), noise(curves.outside)
    gain = median[0] - median.min()
    if chance < NOISE_SHARE * median.min() or gain >= 2 * chance:
        return None
    return Finding(
        Trouble.NOISY,
        f"it improved by {gain:.3g}, and changes by {chance:.3g} by chance from epoch to epoch (standard deviation)",
        advised("save_point='smoothed'", "averaging", *less_rate(options), "a longer out-of-sample span"),
    )


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"


def _tamed(options: Mapping[str, Any]) -> tuple[Remedy, ...]:
    """What keeps a loss from jumping to where no number is."""
    few = () if options.get("clip_norm") else ("clip_norm=1",)
    lower = less_rate(options)[0]
    return advised(lower, *few, "clip= on inputs with extreme values", "loss='huber'")


def _rate(options: Mapping[str, Any]) -> float:
    return float(options.get("learning_rate", math.nan))
