"""What an audit found: one check a line, each with its verdict, the evidence and the threshold."""

import textwrap
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any, Literal

from dlplugin.evaluation.text import Line, plain, rich_text

if TYPE_CHECKING:
    from rich.text import Text

__all__ = ["UNSEEN", "Audit", "Check"]

WIDTH = 100  # characters of a line
NAME, VERDICT = 23, 9  # characters of the first two columns
STYLES = {"passed": "green", "leak": "bold red", "alarm": "bold yellow", "not done": "dim"}
UNSEEN = (
    "not looked for: later values under much noise, later volatility, figures dated before they were published, and "
    "what is wrong in the prices and volumes themselves"
)
COLOURS = {"passed": "#2e7d32", "leak": "#c62828", "alarm": "#b26a00", "not done": "#666"}


@dataclass(frozen=True)
class Check:
    """One thing that was looked at.

    Attributes:
        name: What.
        passed: Whether nothing is wrong; None where it does not apply or could not be done.
        evidence: What was seen, or why it was not looked at.
        threshold: Beyond what it would not have passed.
        kind: What it is when it did not pass: "leak" (proven) or "alarm" (suspicious).
    """

    name: str
    passed: bool | None
    evidence: str
    threshold: str = ""
    kind: Literal["leak", "alarm"] = "leak"

    @property
    def verdict(self) -> str:
        """One of "passed", "leak", "alarm" and "not done"."""
        if self.passed is None:
            return "not done"
        return "passed" if self.passed else self.kind

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it."""
        return {
            "name": self.name,
            "verdict": self.verdict,
            "evidence": self.evidence,
            "threshold": self.threshold,
        }


@dataclass(frozen=True, repr=False)
class Audit:
    """All checks of one model on one DataSet.

    Attributes:
        model: Its reference.
        dataset: The DataSet's name.
        checks: In the order in which they were done.
        seconds: How long it took.
    """

    model: str
    dataset: str
    checks: tuple[Check, ...]
    seconds: float

    @property
    def passed(self) -> bool:
        """Whether there is no leak and no alarm; what was not done does not count."""
        return not any(check.passed is False for check in self.checks)

    @property
    def found(self) -> str:
        """How many leaks and alarms there are: "1 leak and 2 alarms"; empty for none."""
        counts = {word: sum(check.verdict == word for check in self.checks) for word in ("leak", "alarm")}
        return " and ".join(_counted(many, word) for word, many in counts.items() if many)

    @property
    def verdict(self) -> str:
        """The outcome in a sentence."""
        count = {word: sum(check.verdict == word for check in self.checks) for word in STYLES}
        said = self.found or "no leak and no alarm"
        skipped = f", {count['not done']} not done" if count["not done"] else ""
        return (
            f"{self.model} on {self.dataset}: {said}; {count['passed']} of {len(self.checks)} checks passed{skipped} "
            f"({self.seconds:.1f} s)"
        )

    def __getitem__(self, name: str) -> Check:
        """The check of that name.

        Raises:
            KeyError: There is none.
        """
        for check in self.checks:
            if check.name == name:
                return check
        raise KeyError(f"no check {name!r}; there are: {', '.join(check.name for check in self.checks)}")

    def __repr__(self) -> str:
        return f"<Audit: {self.verdict}>"

    def __str__(self) -> str:
        return plain(self._lines())

    def __rich__(self) -> "Text":
        return rich_text(self._lines())

    def _repr_html_(self) -> str:
        cell = "text-align:left;vertical-align:top;padding:0.15em 0.8em 0.15em 0"
        rows = "".join(
            f'<tr><td style="{cell}">{escape(check.name)}</td>'
            f'<td style="{cell};color:{COLOURS[check.verdict]}"><b>{check.verdict}</b></td>'
            f'<td style="{cell}">{escape(check.evidence)}</td><td style="{cell}">{escape(check.threshold)}</td></tr>'
            for check in self.checks
        )
        heads = ("check", "verdict", "evidence", "threshold")
        head = "".join(f'<th style="{cell}">{name}</th>' for name in heads)
        return (
            f"<p>{escape(self.verdict)}</p><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
        )

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it."""
        return {
            "model": self.model,
            "dataset": self.dataset,
            "passed": self.passed,
            "verdict": self.verdict,
            "seconds": self.seconds,
            "checks": [check.to_dict() for check in self.checks],
        }

    def _lines(self) -> list[Line]:
        lines: list[Line] = [[(line, "bold")] for line in _wrapped(self.verdict, WIDTH)]
        lines += [[("", "")], [("check".ljust(NAME) + "verdict".ljust(VERDICT) + "evidence", "dim")]]
        for check in self.checks:
            lines += _check_lines(check)
        return [*lines, [("", "")], *([(line, "dim")] for line in _wrapped(UNSEEN, WIDTH))]


def _check_lines(check: Check) -> list[Line]:
    room = WIDTH - NAME - VERDICT
    evidence = [(text, "") for text in _wrapped(check.evidence, room)]
    if check.threshold:
        evidence += [(text, "dim") for text in _wrapped(f"threshold: {check.threshold}", room)]
    names = _wrapped(check.name, NAME - 1)
    lines: list[Line] = []
    for row in range(max(len(evidence), len(names))):
        name = names[row] if row < len(names) else ""
        text, style = evidence[row] if row < len(evidence) else ("", "")
        verdict = check.verdict if row == 0 else ""
        lines.append([(name.ljust(NAME), ""), (verdict.ljust(VERDICT), STYLES[check.verdict]), (text, style)])
    return lines


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, width, break_on_hyphens=False) or [""]


def _counted(count: int, word: str) -> str:
    return f"{count} {word}{'' if count == 1 else 's'}"
