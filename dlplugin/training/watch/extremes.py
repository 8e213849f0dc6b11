"""Options whose values alone explain why a training goes wrong."""

from collections.abc import Mapping, Sequence
from typing import Any

from dlplugin.training.watch.finding import Finding, Remedy, Trouble, advised, less

__all__ = ["extreme_penalties", "extreme_rate", "usual_rate", "without_explained"]

STRONGEST = {"l1": 1.0, "l2": 10.0, "weight_decay": 10.0}
"""On scaled inputs and outputs a loss of about 1 changes by about 1 when a weight does, at most. A slope of l1
above that takes every weight to 0; l2 w or weight_decay w is as much where w is a tenth."""

HIGHEST_RATE = {"sgd": 2.0, "adagrad": 3.0, "adadelta": 100.0, "rprop": 1.0}
HIGHEST_ADAPTIVE_RATE = 0.3  # adaptive steps are as long as the rate, and weights begin below 1
USUAL_RATE = {"sgd": 0.01, "adagrad": 0.01, "adadelta": 1.0, "rprop": 0.01}
USUAL_ADAPTIVE_RATE = 0.001

RATE_TROUBLES = (Trouble.THROWN, Trouble.GROWS, Trouble.LEAPS)
FOLLOW = (
    Trouble.JUMPS,
    Trouble.ACCURACY_STILL,
    Trouble.FIRST_IS_BEST,
    Trouble.NOISY,
    Trouble.TOO_SHORT,
    Trouble.TOO_SLOW,
)
"""Courses of the loss that say nothing more where the weights are thrown about or held down."""

HARMLESS_AT_A_HIGH_RATE = (Trouble.OVERFITTING, Trouble.TOO_SHORT, Trouble.TOO_SLOW)

STATES = (
    Trouble.NOT_FINITE,
    Trouble.STANDS_STILL,
    Trouble.DEAD,
    Trouble.COLLAPSED,
    Trouble.ONE_CLASS,
)
"""What has become of the network then."""


def extreme_penalties(options: Mapping[str, Any]) -> list[Finding]:
    """One finding of all penalties that let no weight grow; none where there is no such."""
    strong = [name for name, most in STRONGEST.items() if (options.get(name) or 0.0) >= most]
    if not strong:
        return []
    listed = " and ".join(f"{name}={options[name]:g}" for name in strong)
    limits = " and ".join(f"{name} of {STRONGEST[name]:g}" for name in strong)
    return [
        Finding(
            Trouble.PENALTY_TOO_STRONG,
            f"{listed}; with scaled inputs and outputs an {limits} outweighs already what fitting can gain",
            less(options, *strong),
            "0.0001 to 0.01 is usual",
        )
    ]


def extreme_rate(options: Mapping[str, Any]) -> list[Finding]:
    """One finding where the steps are far longer than the optimizer can bear."""
    optimizer, rate = options.get("optimizer", "adamw"), float(options.get("learning_rate") or 0.0)
    momentum = float(options.get("momentum") or 0.0)
    reach = rate / (1 - momentum)
    if reach < HIGHEST_RATE.get(optimizer, HIGHEST_ADAPTIVE_RATE):
        return []
    with_momentum = f" with momentum={momentum:g}, whose steps add up to {reach:g}" if momentum else ""
    usual = usual_rate(optimizer)
    clip = ("clip_norm=1",) if optimizer == "sgd" and not options.get("clip_norm") else ()
    return [
        Finding(
            f"{Trouble.RATE_FAR_TOO_HIGH} for {optimizer}",
            f"learning_rate={rate:g}{with_momentum}; about {usual:g} is usual",
            advised(Remedy(f"a learning_rate of {usual:g} in place of {rate:g}", "learning_rate"), *clip),
        )
    ]


def usual_rate(optimizer: str) -> float:
    """A learning rate that an optimizer commonly begins with."""
    return USUAL_RATE.get(optimizer, USUAL_ADAPTIVE_RATE)


def without_explained(options: Mapping[str, Any], found: Sequence[Finding]) -> list[Finding]:
    """Causes first; what they explain is left out, or left without advice of its own.

    Args:
        options: The training's, and those of its engine.
        found: What the curves and the network show, the gravest first.
    """
    symptoms = [finding for finding in found if finding.trouble not in HARMLESS_AT_A_HIGH_RATE]
    penalties, rate = extreme_penalties(options), extreme_rate(options) if symptoms else []
    seen = [finding for finding in found if finding.trouble in RATE_TROUBLES]
    if seen and rate:  # what it did is the better evidence; what is usual is the better advice
        rate = [Finding(seen[0].trouble, f"{seen[0].evidence}; {rate[0].evidence}", rate[0].remedies)]
    elif not penalties:
        rate = rate or seen
    causes = [*penalties, *rate]
    if not causes:
        return list(found)
    others = [finding for finding in found if finding.trouble not in (*RATE_TROUBLES, *FOLLOW)]
    return [*causes, *(_follows(finding) if finding.trouble in STATES else finding for finding in others)]


def _follows(finding: Finding) -> Finding:
    return Finding(finding.trouble, finding.evidence, advised("what is said above; this follows from it"))
