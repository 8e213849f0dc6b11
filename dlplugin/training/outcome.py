"""How a run ended, as its facts tell it."""

from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["best_epoch", "epochs_text"]

MOST_LISTED = 4


def best_epoch(facts: Mapping[str, Any]) -> int:
    """The epoch of the kept weights; with several networks that of the best monitored value."""
    kept = facts["save_point"]
    values = kept.get("values") or kept["losses"]
    return int(kept["epochs"][values.index(min(values))] if values else kept["epochs"][0])


def epochs_text(epochs: Sequence[int]) -> str:
    """The epochs of several networks in words, in the order of the networks where they are few.

    >>> epochs_text([40, 40, 40]), epochs_text([40, 8, 1]), epochs_text([5, 4, 3, 2, 1])
    ('40', '40, 8, 1', '1 … 5')
    """
    if len(set(epochs)) == 1:
        return str(epochs[0])
    if len(epochs) <= MOST_LISTED:
        return ", ".join(map(str, epochs))
    return f"{min(epochs)} … {max(epochs)}"
