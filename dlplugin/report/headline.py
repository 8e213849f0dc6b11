"""What is read first: the verdict's sentences, and whether days that were traded are those of the holdout."""

from typing import TYPE_CHECKING

import pandas as pd

from dlplugin.report.data import ReportData
from dlplugin.report.words import plain_index, split_sentence

if TYPE_CHECKING:
    from dlplugin.evaluation.account import Backtest

__all__ = ["headlines", "traded_where"]


def headlines(data: ReportData) -> tuple[list[str], str]:
    """What is read first, a sentence for each output, and the sentences that follow.

    A leak comes before everything else, and the holdout before days that chose the weights.
    """
    said, more = _first_sentences(data.verdict, len(data.evaluation.outputs))
    if data.holdout is not None:
        held, _ = _first_sentences(data.holdout.verdict, len(data.holdout.outputs))
        said, more = held, _joined(*said, more)
    if data.audit is None or data.audit.passed:
        return said, more
    if any(check.verdict == "leak" for check in data.audit.checks):
        told = f"The audit found {data.audit.found}: these figures are not to be believed."
        return [told], _joined(*said, more)
    told = f"The audit raised {data.audit.found}, to be explained before these figures are believed."
    return said, _joined(told, more)


def _first_sentences(text: str, outputs: int) -> tuple[list[str], str]:
    said, rest = [], text
    for _ in range(outputs if text.startswith("For ") else 1):
        first, rest = split_sentence(rest)
        said.append(first)
    return said, rest


def _joined(*parts: str) -> str:
    return " ".join(part for part in parts if part)


def traded_where(data: ReportData, backtest: "Backtest") -> str:
    """Whether the days that were traded are those of the holdout, in words."""
    held = next((each for each in data.spans if each.name == "holdout"), None)
    if held is None:
        return "Traded; there is no holdout"
    first, last, start, end = (
        plain_index(pd.DatetimeIndex([each]))[0]
        for each in (backtest.start, backtest.end, held.start, held.end)
    )
    if first >= start:
        return "Traded on the holdout" if first <= end else "Traded after the holdout"
    part = "" if last < start else "in part "
    return f"Traded {part}on days that the training has seen"
