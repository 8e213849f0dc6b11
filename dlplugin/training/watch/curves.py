"""What the curves of a training tell: the troubles that its history shows. NumPy and pandas only.

Losses have no common unit: they are compared with themselves, as shares of an earlier value.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dlplugin.training.watch.finding import Finding

__all__ = ["FEWEST_EPOCHS", "Curves", "curve_findings"]

FloatArray = NDArray[np.float64]

FEWEST_EPOCHS = 10  # fewer show no course of things
NEIGHBOURS = 5  # epochs of the median that takes single outliers out of a curve
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


@dataclass(frozen=True)
class Curves:
    """The epochs of a history up to the first loss that is not finite.

    Attributes:
        epochs: (n,) their numbers.
        inside: (n,) in-sample loss.
        outside: (n,) out-of-sample loss; None where there is no such span.
        accuracy: (n,) in-sample accuracy, 0 to 1; None without classes.
        monitored: (n,) the value that picks the save point, its sign turned so that lower is better.
        sign: −1 where it was turned, else 1.
    """

    epochs: NDArray[np.int64]
    inside: FloatArray
    outside: FloatArray | None
    accuracy: FloatArray | None
    monitored: FloatArray | None
    sign: float

    @classmethod
    def of(cls, history: pd.DataFrame, monitor: str) -> Self:
        """The curves of a run's history."""

        def known(name: str) -> FloatArray | None:
            values = history[name].to_numpy(np.float64) if name in history else np.empty(0)
            return values if np.isfinite(values).any() else None

        inside, outside = history["in_sample_loss"].to_numpy(np.float64), known("out_of_sample_loss")
        good = np.isfinite(inside) & (True if outside is None else np.isfinite(outside))
        count = len(good) if good.all() else int(good.argmin())
        accuracy, monitored = known("in_sample_accuracy"), known(f"out_of_sample_{monitor}")
        sign = 1.0 if monitor == "loss" else -1.0
        return cls(
            history["epoch"].to_numpy(np.int64)[:count],
            inside[:count],
            None if outside is None else outside[:count],
            None if accuracy is None else accuracy[:count],
            None if monitored is None else sign * monitored[:count],
            sign,
        )

    @property
    def judged(self) -> FloatArray:
        """(n,) the out-of-sample loss where there is one, else the in-sample loss."""
        return self.inside if self.outside is None else self.outside

    @property
    def judged_name(self) -> str:
        """What `judged` is called."""
        return "in-sample" if self.outside is None else "out-of-sample"


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
    rate = float(options.get("learning_rate", math.nan))
    found = [_not_finite(history, curves, rate)]
    if len(curves.epochs) >= FEWEST_EPOCHS:
        still = _stands_still(curves, rate)
        wild = None if still else _rate_too_high(curves, rate, plain_loss)
        found += [still, wild, _jump(curves, rate), None if still else _accuracy_stands_still(curves)]
        if not still and not wild:
            overfit, first = _overfits(curves), _best_is_first(curves, rate)
            early = None if running or overfit else _still_falling(curves, rate)
            noise = None if overfit or first or early else _noisy(curves)
            found += [overfit, first, early, noise]
    return [finding for finding in found if finding]


def _not_finite(history: pd.DataFrame, curves: Curves, rate: float) -> Finding | None:
    done = len(curves.epochs)
    if done == len(history):
        return None
    row = history.iloc[done]
    before = f"; in epoch {curves.epochs[-1]} it was {curves.inside[-1]:.4g}" if done else ""
    return Finding(
        "a loss is not finite",
        f"in epoch {row['epoch']:.0f} the in-sample loss is {row['in_sample_loss']:g}, the out-of-sample loss "
        f"{row['out_of_sample_loss']:g}{before}",
        f"a learning_rate below {rate:g}, clip_norm=1, clip= on inputs with extreme values, loss='huber'",
    )


def _stands_still(curves: Curves, rate: float) -> Finding | None:
    first = curves.inside[0]
    moved = max(abs(1 - np.array([smooth.min(), smooth.max()]) / first).max() for smooth in _both(curves))
    if moved >= STILL:
        return None
    return Finding(
        "the loss stands still from the start",
        f"it was {first:.6g} in epoch {curves.epochs[0]}, and has moved by {_percent(moved)} at most in "
        f"{len(curves.epochs)} epochs",
        f"a learning_rate above {rate:g}, another initialisation or activation, no freeze, less l1, l2 and "
        "weight_decay; if nothing moves it, the inputs say nothing about the outputs",
    )


def _both(curves: Curves) -> list[FloatArray]:
    """The smooth losses; the out-of-sample one raised or lowered to begin where the in-sample one does."""
    inside = _smooth(curves.inside)
    if curves.outside is None:
        return [inside]
    outside = _smooth(curves.outside)
    return [inside, outside * (curves.inside[0] / outside[0])]


def _accuracy_stands_still(curves: Curves) -> Finding | None:
    if curves.accuracy is None or len(curves.epochs) < 2 * FEWEST_EPOCHS:
        return None
    low, high = curves.accuracy.min(), curves.accuracy.max()
    if high - low > STILL_ACCURACY:
        return None
    return Finding(
        "the accuracy stands still",
        f"in-sample it lies between {_percent(low)} and {_percent(high)} in all {len(curves.epochs)} epochs",
        "class_weights='balanced' or sampling='over', a higher learning_rate, thresholds that make classes of "
        "more equal size",
    )


def _rate_too_high(curves: Curves, rate: float, plain_loss: float | None) -> Finding | None:
    inside, smooth = curves.inside, _smooth(curves.inside)
    begun = inside[:NEIGHBOURS].min()
    lowest, end = smooth.min(), smooth[-1]
    advice = (
        f"a learning_rate of {rate / 10:g} in place of {rate:g}, warm_up, clip_norm=1, a larger batch_size"
    )
    if plain_loss is not None and inside.max() >= THROWN * plain_loss > 0:
        return Finding(
            "the learning rate is too high: the weights were thrown far off",
            f"the in-sample loss was {inside.max():.4g} in epoch {curves.epochs[inside.argmax()]}; a network that "
            f"always says 0 has about {plain_loss:.3g}",
            advice,
        )
    if end >= DIVERGED * lowest and end - lowest >= max(UNRULY * begun, 3 * _noise(inside)):
        return Finding(
            "the learning rate is too high: the loss grows",
            f"the in-sample loss was {lowest:.4g} near epoch {curves.epochs[smooth.argmin()]}, and is "
            f"{end:.4g} at the end",
            advice,
        )
    half = inside[len(inside) // 2 :]
    steps, middle = np.diff(half), np.median(half)
    size = np.median(np.abs(steps)) / max(middle, np.finfo(float).tiny)
    if size >= UNRULY and np.mean(steps > 0) >= 0.3 and middle >= begun / 2:
        return Finding(
            "the learning rate is too high: the loss leaps about",
            f"in the last {len(half)} epochs the in-sample loss changes by {_percent(size)} from one to the next "
            f"and rises in {np.sum(steps > 0)} of them; its median there is {middle:.4g}, and {begun:.4g} was "
            f"reached in the first {NEIGHBOURS} epochs",
            advice,
        )
    return None


def _jump(curves: Curves, rate: float) -> Finding | None:
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
        "the loss jumps",
        f"in epoch {epoch} the {name} loss is {high:.4g}, {worst:.3g} times the {low:.4g} of the epochs before",
        f"clip_norm=1, a learning_rate below {rate:g}, clip= on inputs with extreme values, loss='huber'",
    )


def _overfits(curves: Curves) -> Finding | None:
    if curves.outside is None:
        return None
    outside, inside = _smooth(curves.outside), _smooth(curves.inside)
    best = int(outside.argmin())
    rise, fall = outside[-1] / max(outside[best], 1e-300) - 1, 1 - inside[-1] / max(inside[best], 1e-300)
    too_short = len(outside) - 1 - best < FEWEST_EPOCHS
    if too_short or rise < OVERFIT or fall <= 0 or outside[-1] - outside[best] < 3 * _noise(curves.outside):
        return None
    return Finding(
        "the out-of-sample loss rises while the in-sample loss falls (overfitting)",
        f"from epoch {curves.epochs[best]} on it rose by {_percent(rise)}, from {outside[best]:.4g} to "
        f"{outside[-1]:.4g}, while in-sample fell by {_percent(fall)}, from {inside[best]:.4g} to {inside[-1]:.4g}",
        "a smaller network, dropout in the engine, weight_decay or l2, input_noise, averaging, more samples, a "
        "shorter auto_stop; the save point of the best epoch is kept unless save_point='last'",
    )


def _best_is_first(curves: Curves, rate: float) -> Finding | None:
    values = curves.monitored
    if values is None or int(np.argmin(values)) != 0:
        return None
    later = int(np.argmin(values[1:])) + 1
    return Finding(
        "the first epoch is the best",
        f"out of sample {curves.sign * values[0]:.4g} in epoch {curves.epochs[0]}, and since then "
        f"{curves.sign * values[later]:.4g} at best, in epoch {curves.epochs[later]}",
        f"a learning_rate below {rate:g}, a larger batch_size, more weight_decay; inputs that tell more about the "
        "outputs",
    )


def _still_falling(curves: Curves, rate: float) -> Finding | None:
    smooth, count = _smooth(curves.judged), len(curves.epochs)
    fall = smooth[0] - smooth[-1]
    late, second_half = smooth[-1 - max(2, count // 5)] - smooth[-1], smooth[count // 2] - smooth[-1]
    if fall < STILL * smooth[0] or late < max(FALLING * fall, 3 * _noise(curves.judged)):
        return None
    slow = second_half >= STRAIGHT * fall
    return Finding(
        "the learning rate is too low" if slow else "the training ended too early",
        f"the {curves.judged_name} loss was still falling at the end: from {smooth[0]:.4g} to {smooth[-1]:.4g} in "
        f"{count} epochs, {_percent(late / fall)} of it in the last fifth; the best epoch is "
        f"{curves.epochs[int(np.argmin(curves.judged))]}",
        f"a learning_rate of {3 * rate:g} in place of {rate:g}, or more epochs"
        if slow
        else "more epochs, or epochs=None with auto_stop",
    )


def _noisy(curves: Curves) -> Finding | None:
    if curves.outside is None or len(curves.epochs) < 2 * FEWEST_EPOCHS:
        return None
    smooth, noise = _smooth(curves.outside), _noise(curves.outside)
    gain = smooth[0] - smooth.min()
    if noise < NOISE_SHARE * smooth.min() or gain >= 2 * noise:
        return None
    return Finding(
        "the out-of-sample loss is noisier than it improves",
        f"it improved by {gain:.3g}, and changes by {noise:.3g} by chance from epoch to epoch (standard deviation)",
        "save_point='smoothed', averaging, a lower learning_rate, a larger batch_size, a longer out-of-sample span",
    )


def _smooth(values: FloatArray) -> FloatArray:
    """(n,) running median: of the neighbours on both sides, of fewer at the ends."""
    smooth: FloatArray = pd.Series(values).rolling(NEIGHBOURS, center=True, min_periods=1).median().to_numpy()
    return smooth


def _noise(values: FloatArray) -> float:
    """Standard deviation of what is no trend: from the median of the second differences, which a line has not."""
    return float(1.4826 * np.median(np.abs(np.diff(values, n=2))) / math.sqrt(6))


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"
