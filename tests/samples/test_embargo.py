"""The embargo after a boundary, counted bar by bar, and the end of a split in intraday bars."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import dlplugin as dl
from dlplugin.samples import build_samples
from dlplugin.samples.spans import EMBARGOED, SPAN_NAMES, Spans, assign, resolve

DAYS = pd.date_range("2020-01-01", periods=120, freq="D").to_numpy(dtype="datetime64[ns]")


@given(
    st.integers(0, 6),
    st.integers(1, 8),
    st.sampled_from([0.0, 0.2]),
    st.lists(st.booleans(), min_size=120, max_size=120),
)
@settings(max_examples=200, deadline=None)
def test_the_first_dates_of_a_later_span_are_left_out_and_no_other(
    embargo: int, look_ahead: int, out_of_sample: float, listed: list[bool]
) -> None:
    mine = DAYS[np.array(listed)]
    assume(len(mine) > look_ahead)
    split = dl.Split(0.5, out_of_sample, embargo=embargo)
    edges = [0, 60, 84, 120] if out_of_sample else [0, 60, 120]
    names = SPAN_NAMES if out_of_sample else ("in-sample", "holdout")
    found = assign(resolve(split, DAYS), mine, look_ahead)
    for name, begin, end in zip(names, edges, edges[1:], strict=False):
        inside = DAYS[begin:end]
        left_out = set(inside[:embargo].tolist()) if begin else set()
        for t in range(len(mine) - look_ahead):
            if mine[t + 1] in inside and mine[t + look_ahead] in inside:
                wanted = EMBARGOED if mine[t + 1].item() in left_out else SPAN_NAMES.index(name)
                assert found[t] == wanted, (name, mine[t])


def test_an_embargo_of_three_costs_each_later_span_three_samples() -> None:
    plain, waiting = (assign(resolve(dl.Split(embargo=bars), DAYS), DAYS, 5) for bars in (0, 3))
    assert [int((plain == code).sum() - (waiting == code).sum()) for code in range(3)] == [0, 3, 3]
    assert np.flatnonzero(waiting == EMBARGOED).tolist() == [71, 72, 73, 95, 96, 97]


@pytest.mark.parametrize(
    ("end", "last"),
    [("2020-01-03", "2020-01-03 23:00"), ("2020-01-03 12:00", "2020-01-03 12:00")],
)
def test_an_end_given_as_a_date_includes_its_whole_day_and_a_moment_only_itself(end: str, last: str) -> None:
    hours = pd.date_range("2020-01-01", periods=96, freq="h").to_numpy(dtype="datetime64[ns]")
    spans = resolve(dl.Split(0.6, 0.2, end=end), hours)
    assert spans["holdout"].end == pd.Timestamp(last)


def test_an_embargo_as_long_as_the_span_lets_nothing_in() -> None:
    days = pd.date_range("2020-01-01", periods=20, freq="D").to_numpy(dtype="datetime64[ns]")
    for embargo, left in ((3, 1), (4, 0), (9, 0)):
        spans = resolve(dl.Split(0.6, 0.2, embargo=embargo), days)
        assert (assign(spans, days, 1) == 1).sum() == left
        assert Spans.from_dict(spans.to_dict()) == spans


def test_samples_left_out_by_embargo_and_by_a_dropped_class_are_counted() -> None:
    rng = np.random.default_rng(1)
    returns = rng.choice([-1.0, 0.1, 1.0], 120)
    close = 100 * np.cumprod(1 + returns / 100)
    frame = pd.DataFrame(
        {"open": close, "high": close, "low": close, "close": close, "volume": 1.0},
        index=pd.DatetimeIndex(DAYS),
    )
    dataset = dl.DataSet.from_frames("steps", {"A": frame})
    output = dl.Output("ROC(1)", look_ahead=1, classes=[-0.5, 0.5], drop="middle")
    definition = dl.Definition("m", ["ROC(1)"], [output])
    spans = dl.resolve_split(dataset, dl.Split(0.5, 0.2, embargo=3))
    samples = build_samples(definition, dataset, spans)
    calm = np.abs(returns) < 0.5
    begins = {"in-sample": (2, 60), "out-of-sample": (63, 84), "holdout": (87, 120)}  # of bar t + 1
    for name, (first, end) in begins.items():
        count, embargo = samples.counts[name], slice(first - 3, first) if name != "in-sample" else slice(0, 0)
        assert count.dropped == calm[first:end].sum() > 0
        assert count.samples == (~calm)[first:end].sum()
        assert count.embargoed == (~calm)[embargo].sum()
        assert count.samples + count.dropped == end - first
    assert sum(samples.counts[name].embargoed for name in begins) > 0
