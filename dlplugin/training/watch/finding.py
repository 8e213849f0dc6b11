"""One thing that is wrong with a training."""

from dataclasses import dataclass

__all__ = ["Finding"]


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong with a training.

    Attributes:
        trouble: What it is.
        evidence: The numbers that show it.
        advice: What to try, with the names of the options.
    """

    trouble: str
    evidence: str
    advice: str
