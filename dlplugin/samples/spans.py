"""Spans of dates, and which sample belongs to which: the purge is derived here."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dlplugin.definition import Split
from dlplugin.errors import SamplesError
from dlplugin.samples.validation import BY_DATES, Validation

__all__ = ["EMBARGOED", "OUTSIDE", "PURGED", "SPAN_NAMES", "Span", "Spans", "assign", "resolve", "standing"]

SPAN_NAMES = ("in-sample", "out-of-sample", "holdout")
OUTSIDE, PURGED, EMBARGOED = -1, -2, -3

Times = NDArray[np.datetime64]


@dataclass(frozen=True)
class Span:
    """Dates from start to end, both included."""

    name: str
    start: pd.Timestamp
    end: pd.Timestamp

    def __str__(self) -> str:
        return f"{_date(self.start)} … {_date(self.end)}"


@dataclass(frozen=True)
class Spans:
    """The resolved dates of a run; a resume and every report use them.

    Attributes:
        spans: In order, without gaps between them: in-sample, then out-of-sample and holdout where
            there are any. In-sample and out-of-sample may have the same dates, when `validation` tells
            their samples apart.
        embargo_until: For each span, the first date whose samples are let in again after the
            embargo: the span's start when there is none, a moment after its end when all are kept out.
        validation: What tells out-of-sample samples from in-sample ones beside the dates.
    """

    spans: tuple[Span, ...]
    embargo_until: tuple[pd.Timestamp, ...]
    validation: Validation = BY_DATES

    def __getitem__(self, name: str) -> Span:
        for span in self.spans:
            if span.name == name:
                return span
        there = ", ".join(span.name for span in self.spans)
        raise SamplesError(f"there is no span {name!r}; there are: {there}")

    def __contains__(self, name: object) -> bool:
        return any(span.name == name for span in self.spans)

    @property
    def note(self) -> str:
        """What to know of the out-of-sample samples, as a clause; empty when they are by dates."""
        return self.told("the out-of-sample samples")

    def told(self, which: str) -> str:
        """The same of those out-of-sample samples that the training had, called so."""
        by = self.validation
        if by.kind == "random":
            return (
                f"{which} are a random {by.share * 100:g} % and share bars with in-sample ones "
                "(no purge parts them)"
            )
        if by.kind == "dates":
            return ""
        whose = f"DataSet {by.dataset!r}: " if by.kind == "dataset" else "held-out symbols: "
        text = f"{which} are those of {whose}{', '.join(by.symbols)}"
        return text + (", on the days that trained the weights" if self.shared_dates else "")

    @property
    def shared_dates(self) -> bool:
        """Whether out-of-sample samples have the dates of in-sample ones."""
        return "out-of-sample" in self and self["out-of-sample"].start <= self["in-sample"].end

    def to_dict(self) -> dict[str, dict[str, Any]]:
        """Names to ISO dates, and under "validation" what there is beside dates."""
        beside = {} if self.validation == BY_DATES else {"validation": self.validation.to_dict()}
        return beside | {
            span.name: {
                "start": span.start.isoformat(),
                "end": span.end.isoformat(),
                "embargo_until": until.isoformat(),
            }
            for span, until in zip(self.spans, self.embargo_until, strict=True)
        }

    @classmethod
    def from_dict(cls, plain: Mapping[str, Mapping[str, Any]]) -> "Spans":
        """The spans that `to_dict` wrote."""
        named = [(name, plain[name]) for name in SPAN_NAMES if name in plain]
        return cls(
            tuple(Span(name, pd.Timestamp(d["start"]), pd.Timestamp(d["end"])) for name, d in named),
            tuple(pd.Timestamp(d["embargo_until"]) for _, d in named),
            Validation.from_dict(plain["validation"]) if "validation" in plain else BY_DATES,
        )


def resolve(split: Split, timestamps: Times, validation: Validation = BY_DATES) -> Spans:
    """Fractions and dates to spans of dates.

    Args:
        split: Its fractions are of the timestamps between its start and end.
        timestamps: (N,) the sorted union of all symbols' timestamps.
        validation: What the split asks for beside dates. Drawn samples come from the dates of in-sample
            and out-of-sample together, which become those of both; where no dates are out of sample, other
            symbols' samples are so on the in-sample dates.

    Raises:
        SamplesError: A span that was asked for has no dates.
    """
    used = timestamps
    if split.start is not None:
        used = used[used >= np.datetime64(split.start, "ns")]
    if split.end is not None:
        used = used[used <= _last_moment(split.end)]
    total = len(used)
    if not total:
        raise SamplesError(_why_none(split, timestamps))
    first = int(total * split.in_sample + 1e-9)
    second = int(total * (split.in_sample + split.out_of_sample) + 1e-9)
    if split.in_sample_end is not None:
        first = int(np.searchsorted(used, _last_moment(split.in_sample_end), side="right"))
        second = max(first, second) if split.out_of_sample else first
    if split.holdout_start is not None:
        second = int(np.searchsorted(used, np.datetime64(split.holdout_start, "ns"), side="left"))
        first = first if split.out_of_sample or split.in_sample_end else second
    _refuse_empty(split, used, first, second)
    bounds = [(0, first), (first, second), (second, total)]
    if validation.kind == "random":
        bounds[:2] = [(0, second), (0, second)]
    elif validation.kind != "dates" and first == second:
        bounds[1] = (0, first)
    spans, untils = [], []
    for name, (begin, end) in zip(SPAN_NAMES, bounds, strict=True):
        if begin < end:
            spans.append(Span(name, pd.Timestamp(used[begin]), pd.Timestamp(used[end - 1])))
            again = begin + (split.embargo if begin else 0)
            after = pd.Timestamp(used[end - 1]) + pd.Timedelta(nanoseconds=1)
            untils.append(pd.Timestamp(used[again]) if again < end else after)
    return Spans(tuple(spans), tuple(untils), validation)


def standing(
    spans: Spans, symbol: str, times: Times, look_ahead: int, other: bool
) -> dict[str, NDArray[np.int8]]:
    """How the samples of one symbol stand to each span.

    Args:
        spans: The resolved dates, and what there is beside them.
        symbol: Whose samples.
        times: (T,) of its bars, sorted.
        look_ahead: The largest of the outputs, in bars.
        other: Whether it is a symbol of the other DataSet.

    Returns:
        Span name to (T,), as `assign` gives it where there is no other span; `OUTSIDE` for samples that the
        span cannot hold whatever their dates.
    """
    return {
        span.name: np.where(
            spans.validation.holds(span.name, symbol, times, other),
            assign(Spans((span,), (until,)), times, look_ahead),
            np.int8(OUTSIDE),
        )
        for span, until in zip(spans.spans, spans.embargo_until, strict=True)
    }


def assign(spans: Spans, times: Times, look_ahead: int) -> NDArray[np.int8]:
    """The span of each sample of one symbol.

    A sample at bar t belongs to the span that holds all of bars t + 1 … t + look_ahead.

    Args:
        spans: The resolved dates, no two spans with the same.
        times: (T,) of one symbol, sorted.
        look_ahead: The largest of the outputs, in bars.

    Returns:
        (T,) index into `SPAN_NAMES`; `PURGED` when the bars reach across a boundary or over the last
        date; `EMBARGOED` when bar t + 1 lies in the embargo after a boundary; `OUTSIDE` when bar
        t + 1 lies in no span, or bar t + look_ahead is not there.
    """
    span_of_bar = np.full(len(times), OUTSIDE, dtype=np.int8)
    embargo = np.zeros(len(times), dtype=bool)
    for span, until in zip(spans.spans, spans.embargo_until, strict=True):
        inside = (times >= span.start.to_datetime64()) & (times <= span.end.to_datetime64())
        span_of_bar[inside] = SPAN_NAMES.index(span.name)
        embargo |= inside & (times < until.to_datetime64())
    result = np.full(len(times), OUTSIDE, dtype=np.int8)
    count = len(times) - look_ahead
    if count <= 0:
        return result
    first = span_of_bar[1 : 1 + count]
    last = span_of_bar[look_ahead : look_ahead + count]
    result[:count] = np.where(
        first == OUTSIDE,
        OUTSIDE,
        np.where(first != last, PURGED, np.where(embargo[1 : 1 + count], EMBARGOED, first)),
    )
    return result


def _why_none(split: Split, timestamps: Times) -> str:
    """Which date of the split leaves nothing, and which dates there are."""
    if not len(timestamps):
        return "there are no bars"
    days = [pd.Timestamp(timestamps[0]), pd.Timestamp(timestamps[-1])]
    there = f"there are {len(timestamps)} dates, {_date(days[0])} … {_date(days[1])}"
    if split.start is not None and split.start > days[1]:
        return f"start is {_date(pd.Timestamp(split.start))}, after the last bar; {there}"
    if split.end is not None and split.end < days[0]:
        return f"end is {_date(pd.Timestamp(split.end))}, before the first bar; {there}"
    return f"no bars lie between start {split.start} and end {split.end}; {there}"


def _refuse_empty(split: Split, used: Times, first: int, second: int) -> None:
    dates = f"{_date(pd.Timestamp(used[0]))} … {_date(pd.Timestamp(used[-1]))}"
    if first <= 0 and split.in_sample_end is not None:
        raise SamplesError(
            f"the in-sample span is empty: in_sample_end is {_date(pd.Timestamp(split.in_sample_end))}, before the "
            f"first of {len(used)} dates ({dates})"
        )
    if first <= 0:
        raise SamplesError(f"the in-sample span is empty: of {len(used)} dates ({dates}) none lies in it")
    asked = split.out_of_sample > 0 or (split.in_sample_end and split.holdout_start)
    if second < first or (asked and second == first):
        hint = "; give holdout_start, too" if split.in_sample_end and not split.holdout_start else ""
        raise SamplesError(
            f"the out-of-sample span is empty: of {len(used)} dates ({dates}) none lies in it{hint}"
        )


def _last_moment(end: datetime) -> np.datetime64:
    """A date without a time of day includes its whole day."""
    moment = pd.Timestamp(end)
    if moment == moment.normalize():
        moment += pd.Timedelta(days=1) - pd.Timedelta(nanoseconds=1)
    return moment.as_unit("ns").to_datetime64()


def _date(time: pd.Timestamp) -> str:
    return f"{time:%Y-%m-%d}" if time == time.normalize() else f"{time:%Y-%m-%d %H:%M}"
