"""What the trained network itself tells: units that do nothing, outputs that say nothing. No torch here."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from dlplugin.training.watch.finding import Finding, Remedy, Trouble, advised, less, less_rate

__all__ = ["ClassBehaviour", "Layer", "NumberBehaviour", "Probe", "behaviour_findings"]

DEAD_SHARE = (
    1 / 3
)  # of a layer; a few units of a small rectified layer are dead from their initial weights on
COLLAPSED = 0.01  # of the targets' spread; predictions that explain 0.01 % of the variance have as much
ONE_CLASS = 0.999  # of the predictions; a class with nearly so large a share of the targets is no trouble
COMMON_CLASS = 0.95
BEFORE_OUTPUT = "before the output"


@dataclass(frozen=True)
class Layer:
    """A hidden layer's activations.

    Attributes:
        name: Its number, from 1; "before the output" for what the output layer is given.
        units: How many it has; over a window, those of every bar.
        dead: Share of its units that have the same activation on all rows; of several networks the
            largest.
    """

    name: str
    units: int
    dead: float


@dataclass(frozen=True)
class NumberBehaviour:
    """Predictions of an output that is a number, or of the middle one of its quantiles; all scaled.

    Attributes:
        name: The output's.
        mean: Of the predictions.
        spread: Their standard deviation; of several networks the mean of theirs.
        target_mean: Of the targets.
        target_spread: Their standard deviation.
    """

    name: str
    mean: float
    spread: float
    target_mean: float
    target_spread: float


@dataclass(frozen=True)
class ClassBehaviour:
    """Predictions of an output in classes.

    Attributes:
        name: The output's.
        labels: Its classes in words.
        shares: Share of the predictions that are of each class, over all networks.
        target_shares: Share of the targets that are.
    """

    name: str
    labels: tuple[str, ...]
    shares: tuple[float, ...]
    target_shares: tuple[float, ...]


@dataclass(frozen=True)
class Probe:
    """What the network of the save point does on in-sample rows; small, so that a run can keep it.

    Attributes:
        rows: How many rows it was asked for.
        layers: Its hidden layers, the first one first.
        numbers: Its outputs that are numbers.
        classes: Its outputs in classes.
    """

    rows: int
    layers: tuple[Layer, ...]
    numbers: tuple[NumberBehaviour, ...]
    classes: tuple[ClassBehaviour, ...]

    @property
    def plain_loss(self) -> float | None:
        """The loss of always predicting 0 (scaled), squared or absolute, whichever is more; None with classes."""
        if self.classes or not self.numbers:
            return None
        squares = [one.target_mean**2 + one.target_spread**2 for one in self.numbers]
        return max(max(square, math.sqrt(square)) for square in squares)

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it."""
        return asdict(self)

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Self:
        """Back from JSON."""
        return cls(
            plain["rows"],
            tuple(Layer(**one) for one in plain["layers"]),
            tuple(NumberBehaviour(**one) for one in plain["numbers"]),
            tuple(
                ClassBehaviour(
                    one["name"], tuple(one["labels"]), tuple(one["shares"]), tuple(one["target_shares"])
                )
                for one in plain["classes"]
            ),
        )


def behaviour_findings(probe: Probe, options: Mapping[str, Any] | None = None) -> list[Finding]:
    """The troubles that activations and predictions show.

    Args:
        probe: What the network does.
        options: The training's, and those of its engine.
    """
    options = options or {}
    found = [_dead_units(probe, options)]
    if not _nothing_passes(probe):  # which explains outputs that stand still
        found += [_collapsed(one, options) for one in probe.numbers]
        found += [_one_class(one) for one in probe.classes]
    return [finding for finding in found if finding]


def _dead_units(probe: Probe, options: Mapping[str, Any]) -> Finding | None:
    dead = [layer for layer in probe.layers if layer.dead >= DEAD_SHARE]
    if not dead:
        return None
    listed = ", ".join(
        f"{round(one.dead * one.units):,} of {one.units:,} in "
        + ("the layer before the output" if one.name == BEFORE_OUTPUT else f"layer {one.name}")
        for one in dead
    )
    # an engine has only some of these options, and no advice is of one that it lacks
    other = ("activation='leaky_relu' or 'gelu'",) if options.get("activation") == "relu" else ()
    layer = ("normalisation='layer'",) if options.get("normalisation") == "none" else ()
    begin = ("initialisation='he' with zero_biases",) if "activation" in options else ()
    remedies = less_rate(options)[:1] + advised(*other, *layer, *begin)
    return Finding(
        Trouble.DEAD,
        f"units with the same activation on all of {probe.rows:,} in-sample rows: {listed}"
        + ("; so every prediction is the same" if _nothing_passes(probe) else ""),
        remedies + less(options, "l1", "l2", "weight_decay"),
    )


def _nothing_passes(probe: Probe) -> bool:
    """Whether a layer is dead as a whole and nothing goes round it, as it does in residual blocks."""
    still = all(one.spread < COLLAPSED * one.target_spread for one in probe.numbers)
    one_class = all(max(one.shares) >= ONE_CLASS for one in probe.classes)
    return any(layer.dead == 1 for layer in probe.layers) and still and one_class


def _collapsed(output: NumberBehaviour, options: Mapping[str, Any]) -> Finding | None:
    if output.spread >= COLLAPSED * output.target_spread:
        return None
    return Finding(
        Trouble.COLLAPSED,
        f"predictions of {output.name!r} spread by {output.spread:.2g} around {_plain(output.mean)} (standard "
        f"deviation, scaled), the targets by {output.target_spread:.2g} around {_plain(output.target_mean)}",
        (
            *less(options),
            Remedy("a higher learning_rate", "learning_rate", more=True),
            Remedy("more epochs", "epochs", more=True),
            Remedy("a larger network", "network", more=True),
        ),
        "inputs that tell more about the output",
    )


def _one_class(output: ClassBehaviour) -> Finding | None:
    share = max(output.shares)
    common = output.shares.index(share)
    target_share = output.target_shares[common]
    if share < ONE_CLASS or target_share >= COMMON_CLASS:
        return None
    return Finding(
        Trouble.ONE_CLASS,
        f"{100 * share:.4g} % of those of {output.name!r} are '{output.labels[common]}', as are "
        f"{100 * target_share:.3g} % of the targets",
        advised(
            "class_weights='balanced'",
            "sampling='over' or 'under'",
            "thresholds that make classes of more equal size",
        ),
    )


def _plain(value: float) -> str:
    return f"{round(value, 3) + 0.0:g}"
