import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlplugin.definition import Split
from dlplugin.samples.later import Loaded, later_standing, touches
from dlplugin.samples.spans import EMBARGOED, OUTSIDE, PURGED, resolve, standing
from dlplugin.samples.validation import BY_DATES, Validation

DAYS = np.datetime64("2001-01-01", "ns") + np.arange(60) * np.timedelta64(1, "D")
KINDS = [
    BY_DATES,
    Validation("symbols", ("B",)),
    Validation("dataset", ("B",), "other"),
    Validation("random", share=0.3, seed=1),
]
splits = st.sampled_from(
    [
        Split(0.5, 0.2),
        Split(0.5, 0.5),
        Split(0.5, 0.0),
        Split(1.0, 0.0),
        Split(0.5, 0.2, embargo=3),
        Split(0.4, 0.4, start="2001-01-08", end="2001-02-10"),
    ]
)


def slow(spans, symbol, times, look_ahead, other, loaded):
    """The out-of-sample standing of samples that touch bars that were not loaded, one by one; None for others."""
    found = []
    named = {span.name: span for span in spans.spans}
    holdout, judged, inside = (named.get(name) for name in ("holdout", "out-of-sample", "in-sample"))
    held = spans.validation.holds("out-of-sample", symbol, times, other)
    until = dict(zip([span.name for span in spans.spans], spans.embargo_until, strict=True)).get(
        "out-of-sample"
    )

    def sealed(bar):
        return holdout is not None and holdout.start <= pd.Timestamp(times[bar]) <= holdout.end

    def free(bar):
        day = pd.Timestamp(times[bar])
        chosen = (
            spans.validation.kind != "random" and judged is not None and judged.start <= day <= judged.end
        )
        return not sealed(bar) and (not loaded[bar] or bool(chosen and held[bar]))

    def zone(bar):
        day = pd.Timestamp(times[bar])
        where = "before" if day < inside.start else "inside" if day <= inside.end else "after"
        return where, holdout is not None and day > holdout.end

    for bar in range(len(times)):
        window = range(bar + 1, bar + look_ahead + 1)
        if window[-1] >= len(times) or loaded[list(window)].all():
            found.append(None)
        elif not free(window[0]):
            found.append(OUTSIDE)
        elif (
            sealed(bar) or not all(free(each) for each in window) or len({zone(each) for each in window}) > 1
        ):
            found.append(PURGED)
        else:
            first = pd.Timestamp(times[window[0]])
            kept_out = judged is not None and not spans.shared_dates and judged.start <= first < until
            found.append(EMBARGOED if kept_out else 1)
    return found


@given(
    splits,
    st.sampled_from(KINDS),
    st.sampled_from([("A", False), ("B", False), ("B", True)]),
    st.integers(1, 6),
    st.integers(0, 45),
    st.integers(1, 45),
    st.sets(st.integers(0, 59), max_size=20),
)
def test_every_sample_stands_as_a_slow_reading_of_the_rule_says(
    split, kind, whose, ahead, first, bars, missing
):
    spans = resolve(split, DAYS[5:45], kind)
    times = np.delete(DAYS, sorted(missing))
    loaded = (times >= DAYS[first]) & (times <= DAYS[min(first + bars, 59)])
    found = later_standing(spans, whose[0], times, ahead, whose[1], loaded)
    plain = standing(spans, whose[0], times, ahead, whose[1])
    expected = slow(spans, whose[0], times, ahead, whose[1], loaded)
    before = plain.get("out-of-sample", np.full(len(times), OUTSIDE))
    assert found["out-of-sample"].tolist() == [
        b if e is None else e for e, b in zip(expected, before, strict=True)
    ]
    for bar, touching in enumerate(touches(~loaded, ahead)):
        assert found["in-sample"][bar] == (OUTSIDE if touching else plain["in-sample"][bar])
    if "holdout" in spans:
        inside = (times >= spans["holdout"].start.to_datetime64()) & (
            times <= spans["holdout"].end.to_datetime64()
        )
        new = touches(~loaded, ahead) & (found["out-of-sample"] >= 0)
        assert not (new & inside).any()
        assert not (new & touches(inside, ahead)).any()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("whose", [("A", False), ("B", False), ("B", True)])
def test_what_was_loaded_stands_as_it_stood(kind, whose):
    spans = resolve(Split(0.5, 0.2, embargo=2), DAYS, kind)
    found = later_standing(spans, whose[0], DAYS, 3, whose[1], np.ones(60, dtype=bool))
    for name, stands in standing(spans, whose[0], DAYS, 3, whose[1]).items():
        np.testing.assert_array_equal(found[name], stands)


def test_bars_after_a_span_that_is_not_sealed_go_on_with_it():
    spans = resolve(Split(0.5, 0.5), DAYS[:40])
    loaded = np.arange(60) < 40
    found = later_standing(spans, "A", DAYS, 5, False, loaded)["out-of-sample"]
    assert np.flatnonzero(found == 1).tolist() == list(range(19, 55))
    sealed = resolve(Split(0.5, 0.25), DAYS[:40])
    found = later_standing(sealed, "A", DAYS, 5, False, loaded)["out-of-sample"]
    assert np.flatnonzero(found == 1).tolist() == [*range(19, 25), *range(40, 55)]


def test_what_a_training_had_is_between_its_first_and_last_bars():
    record = {
        "dataset": {
            "symbols": {
                "A": {"first": "2001-01-03T00:00:00", "last": "2001-01-05T00:00:00", "fingerprint": "x"}
            }
        },
        "validation": {
            "symbols": {
                "A": {"first": "2001-01-01T00:00:00", "last": "2001-01-02T00:00:00", "fingerprint": "y"}
            }
        },
    }
    loaded = Loaded.of(record)
    assert np.flatnonzero(loaded.bars("A", DAYS, other=False)).tolist() == [2, 3, 4]
    assert np.flatnonzero(loaded.bars("A", DAYS, other=True)).tolist() == [0, 1, 2, 3, 4]
    assert not loaded.bars("B", DAYS, other=False).any()
    assert Loaded.of({"dataset": record["dataset"]}).validation == {}
