"""What is wrong with a training, why one can say so, and what to try."""

import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from dlplugin.training.watch.behaviour import Probe, behaviour_findings
from dlplugin.training.watch.courses import FEWEST_EPOCHS, curve_findings
from dlplugin.training.watch.estimate import recorded_effective, too_large_warning
from dlplugin.training.watch.extremes import without_explained
from dlplugin.training.watch.finding import Finding, Remedy, Trouble, advised, settled

__all__ = ["Diagnosis", "diagnose"]

WIDTH = 100  # characters of a line
NOT_PROBED = {
    "running": "the run still runs",
    "interrupted": "the run was cut off before its end",
    "": "there is no save point, or no samples",
}
"""Status of a run to why its network was not looked at."""
FOR_TOO_LARGE = advised(
    Remedy("a smaller network", "network"),
    "fewer inputs or less depth",
    "more symbols",
    "a longer history",
    Remedy("weight_decay", "restraint", more=True),
    Remedy("dropout", "restraint", more=True),
)


@dataclass(frozen=True, repr=False)
class Diagnosis:
    """What was found; its text is what it prints.

    Attributes:
        findings: The gravest first; empty when all is well.
        epochs: Over so many epochs.
        probed: Whether the network's activations and predictions were looked at as well.
        status: The run's, where it tells why they were not.
    """

    findings: tuple[Finding, ...]
    epochs: int
    probed: bool
    status: str = ""

    def __len__(self) -> int:
        return len(self.findings)

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.findings)

    def __str__(self) -> str:
        return self.text()

    def text(self, width: int = WIDTH) -> str:
        """What it prints, in lines of at most so many characters; a longer word is not broken."""
        over = f"{self.epochs:,} epoch{'' if self.epochs == 1 else 's'}"
        lines = [f"{len(self.findings) or 'nothing'} wrong in {over}:"]
        if not self.findings:
            lines = [f"nothing wrong was found in {over}"]
        for finding in self.findings:
            lines += ["", finding.trouble]
            for label, text in (("seen", finding.evidence), ("try", finding.advice)):
                head, indent = f"  {label:<6}", " " * 8
                lines += textwrap.wrap(
                    text,
                    width,
                    initial_indent=head,
                    subsequent_indent=indent,
                    break_long_words=False,
                    break_on_hyphens=False,
                )
        if self.epochs < FEWEST_EPOCHS:
            lines += ["", f"fewer than {FEWEST_EPOCHS} epochs show little"]
        if not self.probed:
            why = NOT_PROBED.get(self.status, NOT_PROBED[""])
            lines += ["", f"the network itself was not looked at: {why}"]
        return "\n".join(lines)

    __repr__ = __str__


def diagnose(history: pd.DataFrame, facts: Mapping[str, Any], probe: Probe | None = None) -> Diagnosis:
    """Looks for the typical troubles of a training: causes first, and no two that advise opposite changes.

    Args:
        history: A row an epoch, as `Run.history` gives it.
        facts: The run's: its status and options, and with weights and effective_samples the size of
            the network and of the data.
        probe: What the network does, if it could be asked; see `dlplugin.training.watch.probe`.
    """
    engine = facts.get("definition", {}).get("engine", {})
    options = {**engine, **facts.get("options", {})}
    plain_loss = None if probe is None else probe.plain_loss
    status = str(facts.get("status", ""))
    found = curve_findings(history, options, status == "running", plain_loss)
    if probe is not None:
        found += behaviour_findings(probe, options)
    found = without_explained(options, found)
    large = too_large_warning(facts.get("weights"), recorded_effective(facts))
    if large is not None:
        found.append(Finding(Trouble.TOO_LARGE, large, FOR_TOO_LARGE))
    return Diagnosis(tuple(settled(found)), len(history), probe is not None, status)
