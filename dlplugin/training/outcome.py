"""How a run ended, or how far it is, as its facts tell it."""

from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["best_epoch", "best_epoch_so_far", "epochs_text"]

MOST_LISTED = 4


def best_epoch(facts: Mapping[str, Any]) -> int:
    """The epoch of the kept weights; with several networks that of the best monitored value."""
    kept = facts["save_point"]
    values = kept.get("values") or kept["losses"]
    return int(kept["epochs"][values.index(min(values))] if values else kept["epochs"][0])


def best_epoch_so_far(facts: Mapping[str, Any], saved: Sequence[int]) -> int:
    """The best epoch as far as it is known: of a run under way, or cut off, where its save point moved last.

    Args:
        facts: The run's; those of a run that went on tell of its last stop.
        saved: The epochs at which the save point moved.

    Returns:
        The epoch; 0 while there is none.
    """
    newest = saved[-1] if saved else 0
    kept = max((facts.get("save_point") or {}).get("epochs", [0]))
    return best_epoch(facts) if kept and kept >= newest else newest


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
