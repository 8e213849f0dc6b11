"""How a run ended, as its facts tell it."""

from collections.abc import Mapping
from typing import Any

__all__ = ["best_epoch"]


def best_epoch(facts: Mapping[str, Any]) -> int:
    """The epoch of the kept weights; with several networks that of the lowest loss."""
    kept = facts["save_point"]
    losses = kept["losses"]
    return int(kept["epochs"][losses.index(min(losses))] if losses else kept["epochs"][0])
