"""Sample weights against slow, obvious readings of their definitions, on hand-made rows and real prices."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dlplugin as dl
from dlplugin.samples import Samples, build_samples
from dlplugin.samples.weights import average_uniqueness, effective_size, recency, sample_weights


def obvious_uniqueness(rows: list[int], owner: list[int], look_ahead: int) -> list[float]:
    """Sample by sample and bar by bar: who else looks at this bar of this symbol?"""
    averages = []
    for t in rows:
        shares = []
        for bar in range(t + 1, t + look_ahead + 1):
            looking = [s for s in rows if owner[s] == owner[t] and s + 1 <= bar <= s + look_ahead]
            shares.append(1 / len(looking))
        averages.append(sum(shares) / look_ahead)
    return averages


@given(data=st.data())
def test_uniqueness_is_what_counting_bar_by_bar_gives(data: st.DataObject) -> None:
    look_ahead = data.draw(st.integers(1, 7))
    lengths = data.draw(st.lists(st.integers(0, 25), min_size=1, max_size=3))
    owner = [symbol for symbol, length in enumerate(lengths) for _ in range(length)]
    starts = np.cumsum([0, *lengths])
    possible = [
        int(start) + t
        for start, length in zip(starts, lengths, strict=False)
        for t in range(length - look_ahead)
    ]
    rows = sorted(data.draw(st.sets(st.sampled_from(possible)))) if possible else []
    found = average_uniqueness(np.array(rows, dtype=np.int64), len(owner), look_ahead)
    assert found == pytest.approx(obvious_uniqueness(rows, owner, look_ahead), rel=1e-12)


def test_a_sample_alone_is_unique_and_one_among_all_bars_is_worth_one_of_its_look_ahead() -> None:
    assert average_uniqueness(np.array([0, 5, 10]), 16, 5).tolist() == pytest.approx([1, 1, 1])
    every = average_uniqueness(np.arange(100), 105, 5)
    assert every[50] == pytest.approx(1 / 5)
    # the last looks at bars that 5, 4, 3, 2 and 1 samples look at
    assert every[-1] == pytest.approx((1 / 5 + 1 / 4 + 1 / 3 + 1 / 2 + 1) / 5)


def test_recency_halves_with_each_half_life_of_dates_and_not_of_calendar_days() -> None:
    dates = pd.bdate_range("2020-01-01", periods=9).to_numpy()
    chosen = dates[[0, 2, 3, 5]]
    assert recency(chosen, dates, 2.0).tolist() == pytest.approx([2**-2.5, 2**-1.5, 0.5, 1])


def test_of_a_very_short_half_life_only_the_newest_date_is_left() -> None:
    dates = pd.date_range("2020-01-01", periods=2_000).to_numpy()
    found = sample_weights(np.ones(2_000), dates, dates, 0.001, False)
    assert found is not None
    assert found[-1] == 2_000
    assert not found[:-1].any()


@pytest.fixture(scope="module")
def late(us_stocks: dl.DataSet) -> dl.DataSet:
    """IBM begins 700 bars later and pauses, so that positions in it are not dates of the union."""
    bars = us_stocks["IBM"].iloc[700:]
    return dl.DataSet.from_frames(
        "late", {"AAPL": us_stocks["AAPL"], "IBM": pd.concat([bars.iloc[:100], bars.iloc[160:]])}
    )


def built(dataset: dl.DataSet, describe, half_life: float | None, uniqueness: bool) -> Samples:
    spans = dl.resolve_split(dataset, dl.Split())
    return build_samples(describe(".").definition, dataset, spans, half_life=half_life, uniqueness=uniqueness)


@pytest.mark.filterwarnings("ignore::dlplugin.DLPluginWarning")
@pytest.mark.parametrize(("half_life", "uniqueness"), [(250.0, False), (None, True), (60.5, True)])
def test_weights_of_samples_are_recency_times_uniqueness_with_mean_one(
    late: dl.DataSet, describe, half_life: float | None, uniqueness: bool
) -> None:
    samples = built(late, describe, half_life, uniqueness)
    dates = sorted(set(late["AAPL"].index) | set(late["IBM"].index))
    rows = samples.rows["in-sample"]
    position = {date: index for index, date in enumerate(dates)}
    at = np.array([position[pd.Timestamp(time)] for time in samples.times[rows]])
    expected = np.ones(len(rows))
    if half_life is not None:
        expected *= 0.5 ** ((at.max() - at) / half_life)
    if uniqueness:
        own = [rows[samples.owner[rows] == symbol].tolist() for symbol in (0, 1)]
        expected *= np.concatenate([quick_uniqueness(each, 5) for each in own])
    assert samples.weights is not None
    assert samples.weights.dtype == np.float32
    assert samples.weights == pytest.approx(expected / expected.mean(), rel=1e-6)
    assert samples.weights.astype(np.float64).mean() == pytest.approx(1, abs=1e-6)


def quick_uniqueness(rows: list[int], look_ahead: int) -> list[float]:
    """As `obvious_uniqueness` for one symbol, with the counts of bars in a dictionary."""
    counts: dict[int, int] = {}
    for t in rows:
        for bar in range(t + 1, t + look_ahead + 1):
            counts[bar] = counts.get(bar, 0) + 1
    return [sum(1 / counts[t + step] for step in range(1, look_ahead + 1)) / look_ahead for t in rows]


def test_samples_without_options_have_no_weights_and_are_worth_about_one_in_a_look_ahead(
    two_stocks: dl.DataSet, describe
) -> None:
    samples = built(two_stocks, describe, None, False)
    assert samples.weights is None
    count = len(samples.rows["in-sample"])
    assert count / 5 < samples.effective < count / 5 + 5


def test_effective_size_falls_with_unequal_weights_as_kish_says(two_stocks: dl.DataSet, describe) -> None:
    alike, weighted = (built(two_stocks, describe, life, False) for life in (None, 100.0))
    assert weighted.weights is not None
    w = [float(value) for value in weighted.weights]
    kish = sum(w) ** 2 / (len(w) * sum(value * value for value in w))
    assert weighted.effective == pytest.approx(alike.effective * kish, rel=1e-9)
    assert kish < 0.5
    # half of the samples with weight 0 leave half of what there is
    halves = np.array([0, 2] * 50, dtype=np.float32)
    assert effective_size(np.full(100, 0.2), halves) == pytest.approx(10)


def test_the_fingerprint_covers_the_weights(two_stocks: dl.DataSet, describe) -> None:
    plain, weighted = built(two_stocks, describe, None, False), built(two_stocks, describe, 100.0, False)
    other = built(two_stocks, describe, 101.0, False)
    assert len({each.fingerprint for each in (plain, weighted, other)}) == 3
    assert replace(weighted, weights=None).fingerprint == plain.fingerprint


def test_a_dataset_without_in_sample_samples_has_no_effective_ones(
    two_stocks: dl.DataSet, us_stocks: dl.DataSet, describe
) -> None:
    samples = built(two_stocks, describe, None, False)
    later = dl.DataSet.from_frames(
        "later", {"AAPL": us_stocks["AAPL"].loc[samples.spans["out-of-sample"].start :]}
    )
    scaling = (samples.input_scaling, samples.output_scaling)
    again = build_samples(samples.definition, later, samples.spans, scaling, half_life=10.0, uniqueness=True)
    assert again.weights is not None
    assert (len(again.weights), again.effective) == (0, 0.0)
