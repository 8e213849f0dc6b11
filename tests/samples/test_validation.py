"""Which samples each kind of validation takes, against those that dates alone choose; and what is refused."""

import json
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

import dlplugin as dl
from dlplugin.errors import DefinitionError, DLPluginWarning, PredictionError, SamplesError
from dlplugin.samples import Samples, Spans, Validation, build_samples, read_samples, samples_file

Describe = Callable[..., dl.Model]
Found = set[tuple[str, pd.Timestamp]]

KINDS = {
    "dates": dl.Split(),
    "symbols": dl.Split(held_out=["IBM", "MMM"]),
    "symbols on the same dates": dl.Split(0.6, 0.0, held_out=["IBM", "MMM"]),
    "dataset": dl.Split(),
    "dataset on the same dates": dl.Split(0.6, 0.0),
    "random": dl.Split(random=0.2, random_seed=3),
}

leaks = pytest.mark.filterwarnings("ignore:the out-of-sample samples are:dlplugin.DLPluginWarning")


@pytest.fixture(scope="module")
def stocks(us_stocks: dl.DataSet) -> dl.DataSet:
    return us_stocks.subset(["AAPL", "IBM", "MMM", "MSFT"])


@pytest.fixture(scope="module")
def others(us_stocks: dl.DataSet) -> dl.DataSet:
    """One symbol of its own and one that is also among `stocks`, from its hundredth bar on."""
    return dl.DataSet.from_frames(
        "others", {"AAPL": us_stocks["AAPL"].iloc[100:], "INTC": us_stocks["INTC"].iloc[300:]}
    )


def build(
    describe: Describe,
    dataset: dl.DataSet,
    split: dl.Split,
    other: dl.DataSet | None = None,
    **changes: object,
) -> Samples:
    spans = dl.resolve_split(dataset, split, other)
    return build_samples(describe(".", **changes).definition, dataset, spans, validation=other)


def kind(name: str, others: dl.DataSet) -> tuple[dl.Split, dl.DataSet | None]:
    if name == "dataset on the same dates":
        return KINDS[name], others.subset(["INTC"])
    return KINDS[name], others if name == "dataset" else None


def found(samples: Samples, span: str) -> Found:
    rows = samples.rows[span]
    pairs = [(samples.symbols[samples.owner[row]], pd.Timestamp(samples.times[row])) for row in rows.tolist()]
    assert len(set(pairs)) == len(pairs) == samples.counts[span].samples
    return set(pairs)


def of(pairs: Found, symbols: set[str]) -> Found:
    return {(symbol, time) for symbol, time in pairs if symbol in symbols}


def test_held_out_symbols_are_out_of_sample_on_its_dates_and_train_nothing(
    stocks: dl.DataSet, describe: Describe
) -> None:
    plain = build(describe, stocks, dl.Split())
    samples = build(describe, stocks, dl.Split(held_out=["MMM", "IBM"]))
    assert found(samples, "in-sample") == of(found(plain, "in-sample"), {"AAPL", "MSFT"})
    assert found(samples, "out-of-sample") == of(found(plain, "out-of-sample"), {"IBM", "MMM"})
    assert found(samples, "holdout") == found(plain, "holdout")
    assert [samples.counts[name].purged for name in samples.counts] == [8, 8, 0]
    assert [str(span) for span in samples.spans.spans] == [str(span) for span in plain.spans.spans]


def test_without_out_of_sample_dates_held_out_symbols_have_the_in_sample_dates_and_a_warning_says_so(
    stocks: dl.DataSet, describe: Describe
) -> None:
    plain = build(describe, stocks, dl.Split(0.6, 0.0))
    with pytest.warns(DLPluginWarning) as caught:
        samples = build(describe, stocks, dl.Split(0.6, 0.0, held_out=["IBM"]))
    assert [str(warning.message) for warning in caught] == [
        "the out-of-sample samples are those of held-out symbols: IBM, on the days that trained the weights, and "
        "symbols move together on the same days, so their loss flatters the model; "
        "give out_of_sample= a share of the dates"
    ]
    assert found(samples, "in-sample") == of(found(plain, "in-sample"), {"AAPL", "MMM", "MSFT"})
    assert found(samples, "out-of-sample") == of(found(plain, "in-sample"), {"IBM"})
    assert found(samples, "holdout") == found(plain, "holdout")
    assert str(samples.spans["out-of-sample"]) == str(samples.spans["in-sample"])


def test_the_samples_of_another_dataset_are_out_of_sample_also_of_a_symbol_that_trains(
    stocks: dl.DataSet, others: dl.DataSet, describe: Describe
) -> None:
    plain = build(describe, stocks, dl.Split(0.6, 0.2))
    samples = build(describe, stocks, dl.Split(0.6, 0.2), others)
    alone = build_samples(samples.definition, others, plain.spans)
    assert samples.symbols == ("AAPL", "IBM", "MMM", "MSFT", "AAPL", "INTC")
    assert found(samples, "in-sample") == found(plain, "in-sample")
    assert found(samples, "out-of-sample") == found(alone, "out-of-sample")
    assert samples.owner[samples.rows["out-of-sample"]].min() == 4
    assert found(samples, "holdout") == found(plain, "holdout")
    assert samples.input_scaling.to_dict() == plain.input_scaling.to_dict()


def test_another_dataset_on_the_same_dates_is_warned_of(stocks: dl.DataSet, others: dl.DataSet) -> None:
    with pytest.warns(DLPluginWarning, match="those of DataSet '.*': INTC, on the days that trained"):
        dl.resolve_split(stocks, dl.Split(0.6, 0.0), others.subset(["INTC"]))


def test_the_samples_that_train_do_not_validate(stocks: dl.DataSet, others: dl.DataSet) -> None:
    with pytest.raises(SamplesError) as error:
        dl.resolve_split(stocks, dl.Split(0.8, 0.0), others)
    assert str(error.value) == (
        "DataSet 'others' is to validate on the days that train the weights, but AAPL trains them, too; give "
        "out_of_sample= a share of the dates, or other symbols"
    )
    renamed = dl.DataSet.from_frames("renamed", {"A": stocks["IBM"], "B": stocks["MSFT"]})
    with pytest.raises(SamplesError, match="but A, B train them, too"):
        dl.resolve_split(stocks, dl.Split(0.8, 0.0), renamed)


def test_random_samples_share_the_dates_before_the_holdout_and_a_warning_says_why_that_leaks(
    stocks: dl.DataSet, describe: Describe
) -> None:
    plain = build(describe, stocks, dl.Split(0.8, 0.0))
    with pytest.warns(DLPluginWarning) as caught:
        samples = build(describe, stocks, dl.Split(0.6, 0.2, random=0.3, embargo=7))
    assert [str(warning.message) for warning in caught] == [
        "the out-of-sample samples are a random 30 % and share bars with in-sample ones (no purge parts them), "
        "so their loss flatters the model; leave random= out to choose by dates"
    ]
    inside, outside = found(samples, "in-sample"), found(samples, "out-of-sample")
    assert inside | outside == found(plain, "in-sample")
    assert not inside & outside
    total = len(inside) + len(outside)
    assert len(outside) == pytest.approx(0.3 * total, abs=4 * (0.21 * total) ** 0.5)
    purged = [samples.counts[name].purged for name in samples.counts]
    assert sum(purged[:2]) == plain.counts["in-sample"].purged == 16
    assert str(samples.spans["in-sample"]) == str(samples.spans["out-of-sample"])
    assert str(samples.spans["in-sample"]) == str(plain.spans["in-sample"])
    # the embargo, of 7 bars after the boundary to the holdout, is the only one
    assert len(found(plain, "holdout") - found(samples, "holdout")) == 7 * 4


@leaks
def test_a_drawn_sample_stays_drawn_when_symbols_leave_and_bars_come(
    stocks: dl.DataSet, describe: Describe
) -> None:
    samples = build(describe, stocks, KINDS["random"])
    fewer = build_samples(samples.definition, stocks.subset(["MMM"]), samples.spans)
    assert found(fewer, "out-of-sample") == of(found(samples, "out-of-sample"), {"MMM"})
    shorter = dl.DataSet.from_frames("s", {symbol: stocks[symbol].iloc[500:] for symbol in stocks.symbols})
    later = found(build_samples(samples.definition, shorter, samples.spans), "out-of-sample")
    assert len(later) > 500
    assert later <= found(samples, "out-of-sample")
    other = build(describe, stocks, dl.Split(random=0.2, random_seed=4))
    overlap = len(found(other, "out-of-sample") & found(samples, "out-of-sample"))
    assert overlap == pytest.approx(0.2 * len(found(samples, "out-of-sample")), rel=0.3)


def test_the_draw_is_the_same_for_ever() -> None:
    times = pd.date_range("2020-01-01", periods=40).to_numpy()
    drawn = Validation("random", share=0.2, seed=3).holds("out-of-sample", "AAPL", times, False)
    assert np.flatnonzero(drawn).tolist() == [9, 14, 15, 16, 26, 39]
    coarse = times.astype("datetime64[s]")
    again = Validation("random", share=0.2, seed=3).holds("out-of-sample", "AAPL", coarse, False)
    assert again.tolist() == drawn.tolist()


@leaks
@pytest.mark.parametrize("name", KINDS)
def test_scaling_is_that_of_the_in_sample_rows_in_every_kind(
    stocks: dl.DataSet, others: dl.DataSet, describe: Describe, name: str
) -> None:
    samples = build(describe, stocks, *kind(name, others))
    rows = samples.rows["in-sample"]
    actual = samples.actual[rows]
    np.testing.assert_allclose(samples.output_scaling.center[0], actual.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(samples.output_scaling.scale[0], actual.std(axis=0), rtol=1e-12)
    inputs = samples.matrix[rows][:, :2].astype(np.float64)  # the third is clipped
    np.testing.assert_allclose(inputs.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(inputs.std(axis=0), 1, atol=1e-5)
    either = np.concatenate([rows, samples.rows["out-of-sample"]])
    assert (np.abs(samples.actual[either].mean(axis=0) / samples.output_scaling.center[0] - 1) > 1e-4).all()


@leaks
@pytest.mark.parametrize("name", KINDS)
def test_stored_spans_give_the_same_samples_again(
    stocks: dl.DataSet, others: dl.DataSet, describe: Describe, name: str
) -> None:
    split, other = kind(name, others)
    samples = build(describe, stocks, split, other)
    spans = Spans.from_dict(json.loads(json.dumps(samples.spans.to_dict())))
    assert spans == samples.spans
    scaling = (samples.input_scaling, samples.output_scaling)
    again = build_samples(samples.definition, stocks, spans, scaling, validation=other)
    assert again.fingerprint == samples.fingerprint
    assert {key: rows.tolist() for key, rows in again.rows.items()} == {
        key: rows.tolist() for key, rows in samples.rows.items()
    }
    read = read_samples(samples_file(samples), samples.definition)
    assert (read.spans, read.fingerprint) == (samples.spans, samples.fingerprint)


@leaks
def test_each_kind_says_what_it_is(stocks: dl.DataSet, others: dl.DataSet) -> None:
    spans = {name: dl.resolve_split(stocks, *kind(name, others)) for name in KINDS}
    assert [str(each.validation) for each in spans.values()] == [
        "by dates",
        "by held-out symbols: IBM, MMM",
        "by held-out symbols: IBM, MMM",
        "by DataSet 'others': AAPL, INTC",
        "by DataSet 'others (1 of 2)': INTC",
        "random: 20 %, seed 3",
    ]
    assert [each.note for each in spans.values()] == [
        "",
        "the out-of-sample samples are those of held-out symbols: IBM, MMM",
        "the out-of-sample samples are those of held-out symbols: IBM, MMM, on the days that trained the weights",
        "the out-of-sample samples are those of DataSet 'others': AAPL, INTC",
        "the out-of-sample samples are those of DataSet 'others (1 of 2)': INTC, on the days that trained the weights",
        "the out-of-sample samples are a random 20 % and share bars with in-sample ones (no purge parts them)",
    ]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"random": 0.2, "held_out": ["IBM"]}, "random is 0.2 and held_out ['IBM']; give one of them"),
        ({"random_seed": 3}, "random_seed is 3, but random is None; give random="),
        ({"random": 1.0}, "Split: random is 1.0, but should be less than 1"),
        ({"held_out": ["MMM", "MMM"]}, "Split: held_out is ['MMM', 'MMM'], but must name MMM once"),
        ({"held_out": "MMM"}, "Split: held_out is 'MMM', but must be a list of symbols, such as ['MMM']"),
    ],
)
def test_splits_that_cannot_be_are_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(DefinitionError) as error:
        dl.Split(**settings)  # type: ignore[arg-type]
    assert str(error.value) == message


def test_symbols_that_cannot_be_held_out_are_refused(stocks: dl.DataSet) -> None:
    def message(*held_out: str) -> str:
        with pytest.raises(SamplesError) as error:
            dl.resolve_split(stocks, dl.Split(held_out=held_out))
        return str(error.value)

    name = stocks.name
    assert message("IBN") == (
        f"held_out has 'IBN', which DataSet {name!r} does not have; did you mean 'IBM'?"
    )
    assert message("QQQ-Z") == (
        f"held_out has 'QQQ-Z', which DataSet {name!r} does not have; there are: AAPL, IBM, MMM, MSFT"
    )
    assert message("MSFT", "AAPL", "MMM", "IBM") == (
        f"held_out has all symbols of DataSet {name!r}: AAPL, IBM, MMM, MSFT; leave one to train on"
    )


def test_another_dataset_that_does_not_fit_is_refused(
    stocks: dl.DataSet, others: dl.DataSet, describe: Describe
) -> None:
    hours = others["INTC"].iloc[:300].set_axis(pd.date_range("2009-01-01", periods=300, freq="h"))
    hourly = dl.DataSet.from_frames("hourly", {"INTC": hours})
    by_dates, by_others = dl.resolve_split(stocks, dl.Split()), dl.resolve_split(stocks, dl.Split(), others)
    definition = describe(".").definition
    cases: list[tuple[Callable[[], object], str]] = [
        (
            lambda: dl.resolve_split(stocks, dl.Split(), hourly),
            f"DataSet 'hourly' has bars of 1h, but {stocks.name!r} of 1d; validate on bars of the same interval",
        ),
        (
            lambda: build_samples(definition, stocks, by_others, validation=hourly),
            f"DataSet 'hourly' has bars of 1h, but {stocks.name!r} of 1d; validate on bars of the same interval",
        ),
        (
            lambda: dl.resolve_split(stocks, dl.Split(), "others"),  # type: ignore[arg-type]
            "validation is a str; give a dl.DataSet",
        ),
        (
            lambda: dl.resolve_split(stocks, dl.Split(held_out=["MMM"]), others),
            "validation is DataSet 'others', and the split has held_out=('MMM',); give one of them",
        ),
        (
            lambda: dl.resolve_split(stocks, dl.Split(random=0.2), others),
            "validation is DataSet 'others', and the split has random=0.2; give one of them",
        ),
        (
            lambda: build_samples(definition, stocks, by_others),
            "the out-of-sample samples are those of DataSet 'others' (AAPL, INTC); give it as validation=",
        ),
        (
            lambda: build_samples(definition, stocks, by_dates, validation=others),
            "validation is DataSet 'others', but out-of-sample samples were chosen by dates; leave it out",
        ),
    ]
    for call, message in cases:
        with pytest.raises(SamplesError) as error:
            call()
        assert str(error.value) == message


@pytest.mark.parametrize("part", ["inputs", "outputs"])
def test_what_is_scaled_by_symbol_cannot_be_validated_on_symbols_without_a_scaling(
    stocks: dl.DataSet, others: dl.DataSet, describe: Describe, part: str
) -> None:
    made = {"inputs": dl.Input("ROC(5)", pooled=False), "outputs": dl.Output("ROC(5)", 5, pooled=False)}
    changes = {part: [made[part]]}
    for split, other, symbol in ((dl.Split(held_out=["MMM"]), None, "MMM"), (dl.Split(), others, "INTC")):
        with pytest.raises(SamplesError) as error:
            build(describe, stocks, split, other, **changes)
        assert str(error.value) == (
            f"'ROC(5)' is scaled by symbol (pooled=False), but {symbol} is out of sample only, and so has no "
            "scaling; use pooled=True"
        )
    known = build(describe, stocks, dl.Split(), others.subset(["AAPL"]), **changes)
    assert known.counts["out-of-sample"].samples > 100
    with pytest.raises(PredictionError, match="trained on AAPL, IBM, MMM, MSFT, not on 'INTC'"):
        build_samples(
            known.definition,
            stocks,
            dl.resolve_split(stocks, dl.Split(), others),
            (known.input_scaling, known.output_scaling),
            validation=others,
        )


def test_another_dataset_reads_other_symbols_of_its_own_or_else_of_the_one_that_trains(
    us_stocks: dl.DataSet, stocks: dl.DataSet, describe: Describe
) -> None:
    changes = {"inputs": [dl.Input('of("MMM", ROC(5))')]}
    other = us_stocks.subset(["INTC"])
    borrowed = build(describe, stocks, dl.Split(), other, **changes)
    assert borrowed.counts["out-of-sample"].samples > 100
    tripled = us_stocks["MMM"].copy()
    tripled[["open", "high", "low", "close"]] **= 3
    own = dl.DataSet.from_frames("own", {"INTC": us_stocks["INTC"], "MMM": tripled})
    kept = build(describe, stocks, dl.Split(), own, **changes)
    intc = [samples.matrix[samples.owner == samples.symbols.index("INTC")] for samples in (borrowed, kept)]
    assert np.nanmax(np.abs(intc[1])) > 2 * np.nanmax(np.abs(intc[0]))
    with pytest.raises(SamplesError, match="reads GOOG, which DataSet"):
        build(describe, stocks, dl.Split(), other, inputs=[dl.Input('of("GOOG", ROC(5))')])


@leaks
def test_recency_counts_the_dates_of_the_dataset_that_trains(stocks: dl.DataSet, describe: Describe) -> None:
    """Bars of the other DataSet at other times of the day do not age the samples."""
    shifted = stocks["MMM"].set_axis(stocks["MMM"].index + pd.Timedelta(hours=12))
    other = dl.DataSet.from_frames("noon", {"MMM": shifted})
    definition = describe(".").definition
    alone = build_samples(definition, stocks, dl.resolve_split(stocks, dl.Split()), half_life=100.0)
    spans = dl.resolve_split(stocks, dl.Split(), other)
    beside = build_samples(definition, stocks, spans, half_life=100.0, validation=other)
    np.testing.assert_array_equal(alone.weights, beside.weights)
    assert beside.effective == alone.effective
