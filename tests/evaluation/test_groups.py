import math
import re
from io import StringIO

import numpy as np
import pytest
from rich.console import Console
from sklearn.metrics import accuracy_score, matthews_corrcoef

from dlplugin.errors import DefinitionError, UnknownNameError
from dlplugin.evaluation import Evaluation, GroupTable, OutputSamples, evaluate
from dlplugin.evaluation.groups import class_group_scores, group_scores, volatility_thresholds
from dlplugin.evaluation.metrics import correlation, hit_rate, r_squared, score_errors
from dlplugin.evaluation.uncertainty import mean_with_error


def panel_samples(seed=1, days=500, symbols=3, overlap=1, classes=0, span="in-sample"):
    random = np.random.default_rng(seed)
    S = days * symbols
    times = np.repeat(np.datetime64("2001-06-01", "ns") + np.arange(days) * np.timedelta64(1, "D"), symbols)
    actual = random.standard_normal(S)
    predicted = 0.3 * actual + random.standard_normal(S)
    if classes:
        actual, predicted = (
            np.digitize(each, np.linspace(-1, 1, classes - 1)) + 0.0 for each in (actual, predicted)
        )
    names = np.tile([f"S{i}" for i in range(symbols)], days)
    volatility = random.gamma(2, 1, S) * np.tile(10.0 ** np.arange(symbols), days)
    rules = {} if classes else {"in-sample mean": np.full(S, 0.1)}
    return OutputSamples(span, times, names, predicted, actual, rules, volatility, overlap)


def chosen(samples, mask, **changes):
    parts = {
        name: getattr(samples, name)[mask]
        for name in ("times", "symbols", "predicted", "actual", "volatility")
    }
    rules = {rule: values[mask] for rule, values in samples.by_rule.items()}
    return OutputSamples(
        **{"span": samples.span, "overlap": samples.overlap, "by_rule": rules} | parts | changes
    )


def test_each_group_has_the_figures_and_errors_of_its_samples_alone():
    samples = panel_samples(overlap=3)
    scale = np.linspace(1, 2, len(samples))
    found = group_scores(samples, scale, volatility_thresholds(samples))
    assert [(each.kind, each.name) for each in found] == [
        *(("symbol", f"S{i}") for i in range(3)),
        *(("year", "2001"), ("year", "2002")),
        *(("volatility", name) for name in ("calm", "middle", "wild")),
    ]
    masks = [samples.symbols == f"S{i}" for i in range(3)]
    first = samples.times < np.datetime64("2002-01-01")
    for group, mask in zip(found, [*masks, first, ~first], strict=False):
        predicted, actual, mean = samples.predicted[mask], samples.actual[mask], np.full(mask.sum(), 0.1)
        assert group.samples == mask.sum()
        assert group.days == len(np.unique(samples.times[mask]))
        assert group.figures == {
            "gain": r_squared(predicted, actual, mean, scale[mask]),
            "correlation": correlation(predicted, actual),
            "hit_rate": hit_rate(predicted, actual),
        }
        errors = score_errors(predicted, actual, scale[mask], mean, samples.times[mask], 3)
        assert [*group.errors.values()] == pytest.approx(
            [errors.r_squared, errors.correlation, errors.hit_rate]
        )
    for kind in ("symbol", "year", "volatility"):
        assert sum(each.samples for each in found if each.kind == kind) == len(samples)


def test_regimes_are_the_thirds_of_each_symbols_own_in_sample_volatility():
    inside, judged = panel_samples(1), panel_samples(2)
    thresholds = volatility_thresholds(inside)
    for symbol in ("S0", "S1", "S2"):
        mine = inside.volatility[inside.symbols == symbol]
        assert thresholds.by_symbol[symbol] == pytest.approx(np.quantile(mine, [1 / 3, 2 / 3]))
    regimes = {each.name: each for each in group_scores(inside, 1.0, thresholds) if each.kind == "volatility"}
    assert all(abs(each.samples - 500) <= 3 for each in regimes.values())
    calm = np.array(
        [v < thresholds.by_symbol[s][0] for v, s in zip(judged.volatility, judged.symbols, strict=True)]
    )
    found = {each.name: each for each in group_scores(judged, 1.0, thresholds)}
    assert found["calm"].samples == calm.sum()


def test_a_symbol_that_trained_little_has_the_thresholds_of_all():
    inside = panel_samples()
    few = (inside.symbols != "S2") | (np.arange(len(inside)) < 3 * 29)
    thresholds = volatility_thresholds(chosen(inside, few))
    assert sorted(thresholds.by_symbol) == ["S0", "S1"]
    assert thresholds.pooled == pytest.approx(np.quantile(inside.volatility[few], [1 / 3, 2 / 3]))
    stranger = chosen(inside, inside.symbols == "S2")
    wild = {each.name: each.samples for each in group_scores(stranger, 1.0, thresholds)}["wild"]
    assert wild == (stranger.volatility >= thresholds.pooled[1]).sum()


def test_unknown_volatility_is_a_group_of_its_own_and_without_any_there_are_no_regimes():
    samples = panel_samples()
    volatility = samples.volatility.copy()
    volatility[:40] = np.nan
    thresholds = volatility_thresholds(samples)
    every = np.ones(len(samples), dtype=bool)
    found = group_scores(chosen(samples, every, volatility=volatility), 1.0, thresholds)
    assert (found[-1].name, found[-1].samples) == ("unknown", 40)
    nothing = chosen(samples, every, volatility=np.full(len(samples), np.nan))
    assert {each.kind for each in group_scores(nothing, 1.0, volatility_thresholds(nothing))} == {
        "symbol",
        "year",
    }


def test_a_group_of_few_days_has_no_errors_and_a_failed_prediction_no_figures():
    samples = panel_samples()
    few = chosen(samples, np.arange(len(samples)) < 27)
    for group in group_scores(few, 1.0, volatility_thresholds(few))[:4]:
        assert all(math.isnan(error) for error in group.errors.values())
        assert not any(math.isnan(figure) for figure in group.figures.values())
    samples.predicted[0] = math.nan
    first, second, *_ = group_scores(samples, 1.0, volatility_thresholds(samples))
    assert all(math.isnan(figure) for figure in (*first.figures.values(), *first.errors.values()))
    assert not any(math.isnan(figure) for figure in second.figures.values())


@pytest.mark.parametrize("classes", [2, 4])
def test_classes_have_accuracy_and_matthews_correlation_with_errors(classes):
    samples = panel_samples(classes=classes, overlap=2, days=60)
    found = class_group_scores(samples, classes, volatility_thresholds(samples))
    assert len(found) == 7
    for group, symbol in zip(found, ("S0", "S1", "S2"), strict=False):
        mask = samples.symbols == symbol
        predicted, actual = samples.predicted[mask], samples.actual[mask]
        assert group.figures["accuracy"] == pytest.approx(accuracy_score(actual, predicted))
        assert group.figures["correlation"] == pytest.approx(matthews_corrcoef(actual, predicted))
        hits = (predicted == actual) + 0.0
        assert group.errors["accuracy"] == pytest.approx(mean_with_error(hits, samples.times[mask], 2)[1])
        heavier = np.ones((mask.sum(), mask.sum())) + 1e-4 * np.eye(mask.sum())
        moved = np.array([matthews_corrcoef(actual, predicted, sample_weight=each) for each in heavier])
        influence = mask.sum() * (moved - group.figures["correlation"]) / 1e-4
        error = mean_with_error(influence, samples.times[mask], 2, fitted=2)[1]
        assert group.errors["correlation"] == pytest.approx(error, rel=1e-3)


def test_one_class_alone_has_an_accuracy_and_no_correlation():
    samples = panel_samples(classes=2)
    one = chosen(samples, samples.actual >= 0, predicted=np.ones(len(samples)))
    found = class_group_scores(one, 2, volatility_thresholds(one))[0]
    assert found.figures["accuracy"] == pytest.approx((one.actual[one.symbols == "S0"] == 1).mean())
    assert math.isnan(found.figures["correlation"])
    failed = chosen(samples, samples.actual >= 0, predicted=np.full(len(samples), math.nan))
    assert math.isnan(class_group_scores(failed, 2, volatility_thresholds(one))[0].figures["accuracy"])


@pytest.fixture
def found(panel):
    made = panel(1, look_ahead=5, days=(300, 100), symbols=3)
    return evaluate(made.outputs, made.scale, made.in_sample, made.out_of_sample)


def test_groups_are_shown_by_symbol_and_year_fresh_and_stored(found):
    table = found.by("symbol")
    assert isinstance(table, GroupTable)
    assert table.frame.index.names == ["span", "symbol"]
    assert table.frame.loc[("out-of-sample", "S01"), "samples"] == 95
    group = found.scores()[1].groups[1]
    row = table.frame.loc[("out-of-sample", "S01")]
    assert row["gain"] == group.figures["gain"]
    assert row["gain_error"] == 1.96 * group.errors["gain"]
    lines = str(table).splitlines()
    assert lines[0] == "predicted ROC(5) by symbol"
    assert lines[2].split() == ["symbol", "samples", "days", *"gain on the mean correlation hits".split()]
    assert lines[3].startswith("S00                        295       295")
    assert lines[-2:] == [
        "± is the 95 % interval; without one there are too few days to tell",
        "gain on the mean: how much of the in-sample mean's squared error is gone",
    ]
    assert max(map(len, lines)) <= 100
    assert found.by("year").frame.index.tolist() == [
        ("in-sample", "2001"),
        ("out-of-sample", "2001"),
        ("out-of-sample", "2002"),
    ]
    assert found.by("volatility").frame.empty
    assert str(found.by("volatility")).splitlines()[-1] == (
        "calm, middle, wild: by the last 20 bars' volatility, thirds of each symbol's own in-sample samples"
    )
    stored = Evaluation.from_json(found.to_json())
    assert str(stored.by("symbol")) == str(table)
    assert stored.by("symbol")._repr_html_() == table._repr_html_()
    console = Console(file=StringIO(), width=100, force_terminal=False)
    console.print(table)
    assert [line.rstrip() for line in console.file.getvalue().splitlines()] == lines
    with pytest.raises(UnknownNameError, match=re.escape("unknown kind 'symbols'; did you mean 'symbol'?")):
        found.by("symbols")


def test_all_samples_are_given_for_statistics_of_ones_own(found, panel):
    frame = found.frame("ROC(5)")
    assert list(frame)[:6] == ["span", "time", "symbol", "predicted", "actual", "in-sample mean"]
    assert {"zero", "ridge"} <= set(frame)
    judged = frame[frame["span"] == "out-of-sample"]
    made = panel(1, look_ahead=5, days=(300, 100), symbols=3).out_of_sample
    assert len(frame) == sum(scores.samples for scores in found.scores())
    np.testing.assert_array_equal(judged["predicted"], made.predicted[:, 0])
    np.testing.assert_array_equal(judged["time"], made.times)
    assert judged["symbol"].tolist() == made.symbols.tolist()
    stored = Evaluation.from_json(found.to_json())
    with pytest.raises(DefinitionError) as refused:
        stored.frame()
    assert str(refused.value) == "a stored evaluation has no samples; give model.evaluate(dataset).frame()"
