"""One thing that is wrong with a training, and what to change."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

__all__ = ["Finding", "Remedy", "Trouble", "advised", "less", "less_rate", "settled"]


class Trouble(StrEnum):
    """All there are, in words."""

    PENALTY_TOO_STRONG = "the penalty is too strong: it leaves the weights nothing to say"
    RATE_FAR_TOO_HIGH = "the learning rate is far too high"
    NOT_FINITE = "a loss is not finite"
    STANDS_STILL = "the loss stands still from the start"
    THROWN = "the learning rate is too high: the weights were thrown far off"
    GROWS = "the learning rate is too high: the loss grows"
    LEAPS = "the learning rate is too high: the loss leaps about"
    JUMPS = "the loss jumps"
    ACCURACY_STILL = "the accuracy stands still"
    OVERFITTING = "the out-of-sample loss rises while the in-sample loss falls (overfitting)"
    FIRST_IS_BEST = "the first epoch is the best"
    TOO_SLOW = "the learning rate is too low"
    TOO_SHORT = "the training ended too early"
    NOISY = "the out-of-sample loss is noisier than it improves"
    DEAD = "hidden units are dead"
    COLLAPSED = "the output has collapsed to its mean"
    ONE_CLASS = "nearly all predictions are of one class"
    TOO_LARGE = "the network is large for its samples"


@dataclass(frozen=True)
class Remedy:
    """One change to try.

    Attributes:
        text: The change in words, with the name of the option.
        of: What there would be more or less of; empty where there is no amount. All that holds weights
            back is "restraint".
        more: Whether there would be more of it, or less.
    """

    text: str
    of: str = ""
    more: bool = False


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong with a training.

    Attributes:
        trouble: What it is.
        evidence: The numbers that show it.
        remedies: What to try.
        remark: What else to know of them; a clause.
    """

    trouble: str
    evidence: str
    remedies: tuple[Remedy, ...]
    remark: str = ""

    @property
    def advice(self) -> str:
        """What to try, with the names of the options."""
        tried = ", ".join(remedy.text for remedy in self.remedies)
        return "; ".join(filter(None, (tried, self.remark)))


def advised(*remedies: str | Remedy) -> tuple[Remedy, ...]:
    """Remedies; a text is one without an amount."""
    return tuple(Remedy(each) if isinstance(each, str) else each for each in remedies)


RESTRAINTS = ("l1", "l2", "weight_decay", "dropout", "input_noise", "input_masking")


def less(options: Mapping[str, Any], *names: str) -> tuple[Remedy, ...]:
    """Less of what holds the weights back; only of what there is some.

    >>> [remedy.text for remedy in less({"l1": 0.0, "l2": 3.0})]
    ['less l2 (it is 3)']
    """
    there = [(name, options.get(name) or 0.0) for name in names or RESTRAINTS]
    return tuple(Remedy(f"less {name} (it is {value:g})", "restraint") for name, value in there if value)


def less_rate(options: Mapping[str, Any]) -> tuple[Remedy, ...]:
    """What makes steps smaller or surer; only what is not set already."""
    rate = Remedy(f"a learning_rate below {options.get('learning_rate', 0):g}", "learning_rate")
    batch = Remedy("a larger batch_size", "batch_size", more=True)
    return (rate,) if options.get("batch_size") == "full" else (rate, batch)


def settled(findings: Iterable[Finding]) -> list[Finding]:
    """The findings without remedies that go against what an earlier one, which is graver, advises."""
    ways: dict[str, bool] = {}
    kept = []
    for finding in findings:
        agreed = tuple(each for each in finding.remedies if ways.get(each.of, each.more) == each.more)
        ways |= {each.of: each.more for each in agreed if each.of}
        if finding.remedies and not agreed:
            agreed = advised("what is said above")
        kept.append(replace(finding, remedies=agreed))
    return kept
