"""What was found in bars: plain objects that say it, and many of them in one line."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

__all__ = ["Finding", "Grade", "few", "summary"]

Grade = Literal["mended", "warned", "refused"]

SHOWN = 3
"""How many texts a warning shows of each grade."""


@dataclass(frozen=True)
class Finding:
    """One trouble found in a symbol's bars.

    Attributes:
        symbol: Whose bars.
        grade: "mended", "warned" or "refused".
        trouble: Its name in the table of grades.
        count: How many bars have it; 0 where it is no single bar's.
        dates: The dates of the first 100 of these bars, as bars have them.
        value: What is wrong at the first: a price, a ratio, a number of bars; None where there is none.
        text: All this in a line.
    """

    symbol: str
    grade: Grade
    trouble: str
    count: int
    dates: tuple[pd.Timestamp, ...]
    value: float | str | None
    text: str

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it; dates as ISO text, a value that is not finite as text."""
        finite = not isinstance(self.value, float) or abs(self.value) < float("inf")
        return {
            **vars(self),
            "dates": [date.isoformat() for date in self.dates],
            "value": self.value if finite else str(self.value),
        }


def summary(findings: Iterable[Finding], left_out: Mapping[str, str]) -> str:
    """Findings in one line: every symbol that is left out by name, and the first few explained.

    Args:
        findings: Of any number of symbols.
        left_out: Symbol to reason.
    """
    texts: dict[str, dict[str, str]] = {"mended": {}, "warned": {}}
    for finding in findings:
        if finding.symbol not in left_out and finding.grade in texts:
            texts[finding.grade].setdefault(finding.symbol, finding.text)
    parts = []
    if left_out:
        parts.append(f"left out {', '.join(left_out)} ({few(list(left_out.values()))})")
    if texts["mended"]:
        parts.append(f"mended {_symbols(texts['mended'])} ({few(list(texts['mended'].values()))})")
    if texts["warned"]:
        parts.append(f"look at {_symbols(texts['warned'])} ({few(list(texts['warned'].values()))})")
    return "; ".join(parts)


def few(texts: Sequence[str]) -> str:
    """The first few texts, and how many more there are."""
    shown = " | ".join(texts[:SHOWN])
    return shown + (f" | and {len(texts) - SHOWN} more" if len(texts) > SHOWN else "")


def _symbols(texts: Mapping[str, str]) -> str:
    return "1 symbol" if len(texts) == 1 else f"{len(texts)} symbols"
