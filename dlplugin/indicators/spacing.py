"""How far apart the first bars are, judged once and alike in batch and live."""

import numpy as np

from dlplugin.indicators.times import DAY, IntArray

__all__ = ["FIRST_BARS", "FirstBars", "coarser", "interval_text", "usual_spacing"]

FIRST_BARS = 21
"""Bars after which the spacing is taken as known; with fewer nothing is judged."""


def usual_spacing(instants: IntArray) -> int | None:
    """The most common distance of the first bars in nanoseconds; None while there are too few."""
    if len(instants) < FIRST_BARS:
        return None
    lengths, counts = np.unique(np.diff(instants[:FIRST_BARS]), return_counts=True)
    return int(lengths[counts.argmax()])


def coarser(theirs: int | None, own: int | None) -> bool:
    """Whether bars are clearly further apart than others; a month more or less long is not."""
    return theirs is not None and own is not None and 2 * theirs > 3 * own


def interval_text(spacing: int) -> str:
    """A spacing in words: "2 days", "1 hour"."""
    units = (("day", DAY), ("hour", DAY // 24), ("minute", DAY // 1440), ("second", DAY // 86400))
    for name, length in units:
        if spacing % length == 0 and spacing:
            count = spacing // length
            return f"{count} {name}" if count == 1 else f"{count} {name}s"
    return f"{spacing / 1e9:g} seconds"


class FirstBars:
    """The instants of the first bars of a stream."""

    def __init__(self, seen: tuple[int, ...] = ()) -> None:
        self._seen = list(seen)

    @property
    def full(self) -> bool:
        """Whether enough are known; later ones do not count."""
        return len(self._seen) == FIRST_BARS

    @property
    def spacing(self) -> int | None:
        """See `usual_spacing`."""
        return usual_spacing(np.array(self._seen, dtype=np.int64))

    def take(self, instant: int) -> None:
        """Remembers the instant of one more bar."""
        if not self.full:
            self._seen.append(instant)

    def copy(self) -> "FirstBars":
        """An independent memory of the same bars."""
        return FirstBars(tuple(self._seen))
