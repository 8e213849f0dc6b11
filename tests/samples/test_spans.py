"""Spans and purge against a slow, obvious reading of their definition."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dlplugin as dl
from dlplugin.errors import SamplesError
from dlplugin.samples.spans import EMBARGOED, OUTSIDE, PURGED, SPAN_NAMES, Span, Spans, assign, resolve

DAYS = pd.date_range("2020-01-01", periods=400, freq="D").to_numpy(dtype="datetime64[ns]")


def obvious_span_of_bar(spans: Spans, time: pd.Timestamp) -> str:
    for span in spans.spans:
        if span.start <= time <= span.end:
            return span.name
    return "none"


def obvious_assignment(spans: Spans, times: list[pd.Timestamp], look_ahead: int) -> list[int]:
    """For each bar, looks at each of the bars that its outputs span, one by one."""
    result = []
    for t in range(len(times)):
        if t + look_ahead >= len(times):
            result.append(OUTSIDE)
            continue
        holding = [obvious_span_of_bar(spans, times[t + step]) for step in range(1, look_ahead + 1)]
        if holding[0] == "none":
            result.append(OUTSIDE)
        elif len(set(holding)) > 1:
            result.append(PURGED)
        else:
            until = dict(zip([span.name for span in spans.spans], spans.embargo_until, strict=True))[
                holding[0]
            ]
            result.append(EMBARGOED if times[t + 1] < until else SPAN_NAMES.index(holding[0]))
    return result


@st.composite
def cases(draw: st.DrawFn) -> tuple[dl.Split, np.ndarray, np.ndarray, int]:
    """A split, the dates of all symbols, those of one of them with gaps, and a look ahead."""
    union = DAYS[np.sort(draw(st.lists(st.integers(0, 399), min_size=12, max_size=120, unique=True)))]
    mine = union[
        np.array(draw(st.lists(st.booleans(), min_size=len(union), max_size=len(union))), dtype=bool)
    ]
    in_sample = draw(st.floats(0.2, 0.7))
    out_of_sample = draw(st.sampled_from([0.0, 0.15, 1 - in_sample, 0.25]))
    start = draw(st.none() | st.just(pd.Timestamp(union[2])))
    end = draw(st.none() | st.just(pd.Timestamp(union[-2])))
    split = dl.Split(in_sample, out_of_sample, start=start, end=end, embargo=draw(st.integers(0, 4)))
    return split, union, mine, draw(st.integers(1, 15))


@given(cases())
@settings(max_examples=300, deadline=None)
def test_each_sample_belongs_where_the_slow_reading_says(
    case: tuple[dl.Split, np.ndarray, np.ndarray, int],
) -> None:
    split, union, mine, look_ahead = case
    try:
        spans = resolve(split, union)
    except SamplesError:
        return
    assert assign(spans, mine, look_ahead).tolist() == obvious_assignment(
        spans, list(pd.DatetimeIndex(mine)), look_ahead
    )


@given(cases())
@settings(max_examples=100, deadline=None)
def test_spans_follow_each_other_without_a_gap_and_hold_their_share(
    case: tuple[dl.Split, np.ndarray, np.ndarray, int],
) -> None:
    split, union, _, _ = case
    try:
        spans = resolve(split, union)
    except SamplesError:
        return
    used = [t for t in pd.DatetimeIndex(union) if (split.start or t) <= t <= (split.end or t)]
    held = [[t for t in used if span.start <= t <= span.end] for span in spans.spans]
    assert [t for part in held for t in part] == used
    assert abs(len(held[0]) - split.in_sample * len(used)) < 1 + 1e-6
    assert Spans.from_dict(spans.to_dict()) == spans


def test_the_default_is_sixty_twenty_and_a_holdout_of_the_rest() -> None:
    spans = resolve(dl.Split(), DAYS[:100])
    assert [str(span) for span in spans.spans] == [
        "2020-01-01 … 2020-02-29",
        "2020-03-01 … 2020-03-20",
        "2020-03-21 … 2020-04-09",
    ]


def test_a_date_wins_over_the_fraction_of_its_boundary() -> None:
    split = dl.Split(
        start="2020-01-11", in_sample_end="2020-03-31", holdout_start="2020-05-01", end="2020-06-30"
    )
    assert [str(span) for span in resolve(split, DAYS).spans] == [
        "2020-01-11 … 2020-03-31",
        "2020-04-01 … 2020-04-30",
        "2020-05-01 … 2020-06-30",
    ]


def test_an_end_date_includes_its_whole_day_of_hourly_bars() -> None:
    hours = pd.date_range("2020-01-01", periods=96, freq="h").to_numpy(dtype="datetime64[ns]")
    spans = resolve(dl.Split(in_sample_end="2020-01-02", holdout_start="2020-01-04"), hours)
    assert spans["in-sample"].end == pd.Timestamp("2020-01-02 23:00")
    assert str(spans["holdout"]) == "2020-01-04 … 2020-01-04 23:00"


def test_no_out_of_sample_and_no_holdout_are_possible() -> None:
    assert [span.name for span in resolve(dl.Split(0.8, 0.2), DAYS).spans] == ["in-sample", "out-of-sample"]
    assert [span.name for span in resolve(dl.Split(0.7, 0.0), DAYS).spans] == ["in-sample", "holdout"]
    assert [span.name for span in resolve(dl.Split(1.0, 0.0), DAYS).spans] == ["in-sample"]


@pytest.mark.parametrize(
    ("split", "message"),
    [
        (dl.Split(in_sample_end="2019-01-01"), "the in-sample span is empty: in_sample_end is 2019-01-01, before "
         "the first of 400 dates (2020-01-01 … 2021-02-03)"),
        (dl.Split(0.001, 0.2), "the in-sample span is empty: of 400 dates (2020-01-01 … 2021-02-03) none lies in it"),
        (dl.Split(in_sample_end="2020-02-01", holdout_start="2020-02-02"), "the out-of-sample span is empty: of 400 "
         "dates (2020-01-01 … 2021-02-03) none lies in it"),
        (dl.Split(in_sample_end="2021-01-01"), "the out-of-sample span is empty: of 400 dates (2020-01-01 … 2021-02-03) "
         "none lies in it; give holdout_start, too"),
        (dl.Split(start="2030-01-01"), "start is 2030-01-01, after the last bar; there are 400 dates, "
         "2020-01-01 … 2021-02-03"),
        (dl.Split(end="2019-01-01"), "end is 2019-01-01, before the first bar; there are 400 dates, "
         "2020-01-01 … 2021-02-03"),
        (dl.Split(start="2020-03-01 01:00", end="2020-03-01 02:00"), "no bars lie between start 2020-03-01 01:00:00 "
         "and end 2020-03-01 02:00:00; there are 400 dates, 2020-01-01 … 2021-02-03"),
    ],
)  # fmt: skip
def test_an_empty_span_is_refused(split: dl.Split, message: str) -> None:
    with pytest.raises(SamplesError) as error:
        resolve(split, DAYS)
    assert str(error.value) == message


def test_with_a_look_ahead_of_one_nothing_is_purged() -> None:
    spans = Spans((Span("in-sample", pd.Timestamp(DAYS[0]), pd.Timestamp(DAYS[9])),
                   Span("out-of-sample", pd.Timestamp(DAYS[10]), pd.Timestamp(DAYS[19]))),
                  (pd.Timestamp(DAYS[0]), pd.Timestamp(DAYS[10])))  # fmt: skip
    assert assign(spans, DAYS[:20], 1).tolist() == [0] * 9 + [1] * 10 + [OUTSIDE]
    assert assign(spans, DAYS[:20], 5).tolist() == [0] * 5 + [PURGED] * 4 + [1] * 6 + [OUTSIDE] * 5
