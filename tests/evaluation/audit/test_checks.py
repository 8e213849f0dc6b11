"""Each check of the audit by itself: what it lets pass, and what it does not."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import dlplugin as dl
from dlplugin.errors import DefinitionError
from dlplugin.evaluation.audit import (
    Audit,
    Check,
    Subject,
    boundary_check,
    column_checks,
    drift_check,
    fingerprint_check,
    input_checks,
    live_check,
    moved_checks,
    prediction_checks,
    scaling_check,
    selection_check,
    single_input_check,
    suspects,
    too_good_checks,
)
from dlplugin.indicators import plugins
from dlplugin.model.auditing import subject_of
from dlplugin.samples import Samples, build_samples
from tests.evaluation.audit.definitions import (
    CHEATS,
    QUICK,
    centred,
    filled,
    standardised,
    three_stocks,
    walks,
    with_column,
)

OUTPUTS = [dl.Output("ROC(5)", look_ahead=5)]


@pytest.fixture(scope="module")
def subject(locked: dl.Model, two_stocks: dl.DataSet) -> Subject:
    trained = locked._source().read_trained()
    return subject_of(locked.definition, two_stocks, None, trained, locked.predictor, QUICK)


@pytest.fixture
def own(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[pd.DataFrame], pd.Series]], Subject]:
    """Makes a draft that reads a function of one's own, which does not stay."""
    monkeypatch.setattr(plugins, "_registered", dict(plugins._registered))

    def make(function: Callable[[pd.DataFrame], pd.Series]) -> Subject:
        dl.indicator(name="mine", check=False)(function)
        return draft(["RSI(14)", "mine()"], dl.DataSet.from_frames("plain", three_stocks(330)))

    return make


def draft(inputs: list[str], dataset: dl.DataSet) -> Subject:
    definition = dl.Definition("draft", inputs, OUTPUTS)
    return subject_of(definition, dataset, None, None, None, QUICK)


def of_column(compute: Callable[[pd.DataFrame], pd.Series]) -> list[Check]:
    made = draft(["RSI(14)", "extra"], with_column(three_stocks(330), compute))
    found = suspects(made)
    return [*column_checks(made, found), single_input_check(made, found)]


def wrong(checks: list[Check]) -> list[str]:
    return [check.name for check in checks if check.passed is False]


class Knows:
    """Predicts what came, from the samples themselves, with as much noise as wanted."""

    columns = ("ROC(5)", "ROC(1)")
    first = (0, 1)

    def __init__(self, samples: object, noise: float) -> None:
        self._samples, self._noise = samples, noise

    def predict_rows(self, matrix: object, rows: np.ndarray, symbol: str | None) -> np.ndarray:
        came = self._samples.actual[rows]  # type: ignore[attr-defined]
        return came + self._noise * np.random.default_rng(1).standard_normal(came.shape)


def test_an_honest_model_passes_every_check(locked: dl.Model, two_stocks: dl.DataSet) -> None:
    audit = locked.audit(two_stocks, options=QUICK)
    assert audit.passed
    assert isinstance(audit, dl.Audit)
    assert [check.name for check in audit.checks if check.passed is None] == [
        "columns: later returns",
        "columns: whole series",
        "columns: back-filled",
        "too good: one input",
    ]
    assert [check.name for check in audit.checks if check.passed] == [
        "inputs, bars cut",
        "inputs, bars altered",
        "predictions, bars cut",
        "predictions, bars altered",
        "live and batch agree",
        "scaling",
        "samples",
        "save point",
        "boundaries",
        "outputs",
        "shuffled outputs",
        "shifted outputs",
        "warm-up drift",
        "too good: fit",
        "too good: hits",
        "too good: unseen days",
    ]
    assert max(map(len, str(audit).splitlines())) <= 100
    assert str(audit).startswith(
        "locked@1 on us-stocks (2 of 11): no leak and no alarm; 16 of 20 checks passed"
    )
    assert audit.to_dict()["checks"][5] == audit["scaling"].to_dict()
    assert audit["scaling"].threshold == "equal bits"


def test_a_leak_and_an_alarm_are_told_apart() -> None:
    checks = (
        Check("one", False, "a < b", "0"),
        Check("two", False, "seen", "1", "alarm"),
        Check("three", None, "why"),
        Check("four", True, "fine"),
    )
    audit = Audit("m", "d", checks, 1.25)
    assert not audit.passed
    assert [check.verdict for check in checks] == ["leak", "alarm", "not done", "passed"]
    assert audit.verdict == "m on d: 1 leak and 1 alarm; 1 of 4 checks passed, 1 not done (1.2 s)"
    assert str(audit).splitlines()[3:6] == [
        "one                    leak     a < b",
        "                                threshold: 0",
        "two                    alarm    seen",
    ]
    assert "a &lt; b" in audit._repr_html_()
    with pytest.raises(KeyError, match="no check 'five'; there are: one, two, three, four"):
        audit["five"]


def test_options_that_are_none_are_named(two_stocks: dl.DataSet, tmp_path: Path) -> None:
    draft = dl.Model("draft", ["ROC(5)"], [dl.Output("ROC(1)", look_ahead=1)], store=tmp_path)
    with pytest.raises(DefinitionError) as refused:
        draft.audit(two_stocks, options=3)  # type: ignore[arg-type]
    assert str(refused.value) == "options is 3; give dl.AuditOptions(...)"


def test_a_draft_is_audited_as_far_as_it_can_be(two_stocks: dl.DataSet) -> None:
    made = draft(["RSI(14)"], two_stocks)
    checks = [*prediction_checks(made), live_check(made), scaling_check(made), fingerprint_check(made)]
    checks += [selection_check(made), drift_check(made), *too_good_checks(made)]
    assert {(check.passed, check.evidence) for check in checks} == {(None, "not trained")}
    assert [check.passed for check in input_checks(made)] == [True, True]
    assert boundary_check(made).passed


def test_on_other_bars_the_scaling_is_not_judged(locked: dl.Model, us_stocks: dl.DataSet) -> None:
    trained = locked._source().read_trained()
    other = subject_of(locked.definition, us_stocks.subset(["DELL"]), None, trained, locked.predictor, QUICK)
    why = "the DataSet has other bars than the training"
    assert scaling_check(other) == Check("scaling", None, why)
    assert fingerprint_check(other) == Check("samples", None, why)
    assert selection_check(other).evidence.endswith("; its loss cannot be computed anew from other bars")


@pytest.mark.parametrize("cheat", CHEATS)
def test_a_cheat_in_an_own_indicator_is_seen_when_bars_are_cut_or_altered(cheat: str, own) -> None:
    cut, altered = input_checks(own(CHEATS[cheat]))
    assert (cut.verdict, altered.verdict) == ("leak", "leak")
    assert cut.evidence.startswith("mine() of AAPL at bar ")


def test_a_filled_warm_up_is_seen_only_where_the_cut_is_inside_it(own) -> None:
    made = own(filled)
    cut, _ = input_checks(replace(made, options=replace(QUICK, cuts=0)))
    assert " at bar 0 " in cut.evidence


def test_what_hangs_on_later_values_alone_is_seen_when_they_are_altered(own) -> None:
    def whole(bars: pd.DataFrame) -> pd.Series:
        """Volumes of the real bars are whole numbers, however many of them are cut off."""
        return bars["close"] * float((bars["volume"] % 1 == 0).all())

    cut, altered = input_checks(own(whole))
    assert (cut.verdict, altered.verdict) == ("passed", "leak")


def test_an_honest_own_indicator_passes(own) -> None:
    made = own(lambda bars: bars["close"].rolling(10).mean() / bars["close"])
    assert [check.passed for check in input_checks(made)] == [True, True]


@pytest.mark.parametrize(
    ("compute", "found"),
    [
        (CHEATS["a shifted column"], "columns: later returns"),
        (CHEATS["a whole-series z-score"], "columns: whole series"),
        (centred, "columns: later returns"),
        (filled, "columns: back-filled"),
        (lambda b: b["close"].rolling(20).mean().shift(-1), "columns: later returns"),
        (lambda b: b["volume"].shift(-1), "columns: later returns"),
        (lambda b: (b["close"] - b["close"].min()) / (b["close"].max() - b["close"].min()), "columns: whole series"),
        (lambda b: b["close"].rank(pct=True), "columns: whole series"),
        (lambda b: 50 + 10 * standardised(b), "columns: whole series"),
        (lambda b: standardised(b).round(4), "columns: whole series"),
        (lambda b: robust(b), "columns: whole series"),
        (lambda b: 100 * (b["close"] - b["close"].min()) / (b["close"].max() - b["close"].min()), "columns: whole series"),
    ],
)  # fmt: skip
def test_a_trace_of_the_future_in_a_column_is_found(compute, found: str) -> None:
    assert found in wrong(of_column(compute))


@pytest.mark.parametrize(
    "compute",
    [
        lambda b: pd.Series(np.random.default_rng(len(b)).standard_normal(len(b)), index=b.index),
        lambda b: b["close"].expanding().rank(pct=True),
        lambda b: b["close"].pct_change().rolling(20).std().fillna(0.0),
        lambda b: b["close"].resample("QE").transform("first").shift(70),
        lambda b: (b["close"] - b["low"].rolling(9).min()) / (b["high"] - b["low"]).rolling(9).max(),
    ],
)  # fmt: skip
def test_an_honest_column_shows_no_trace(compute) -> None:
    assert wrong(of_column(compute)) == []


def robust(bars: pd.DataFrame) -> pd.Series:
    level = np.log(bars["volume"])
    return (level - level.median()) / (level.quantile(0.75) - level.quantile(0.25))


def test_a_quarter_that_is_filled_back_over_itself_shows_in_its_steps() -> None:
    def check(filled_back: bool) -> Check:
        def column(bars: pd.DataFrame) -> pd.Series:
            ends = bars["close"].where(np.arange(len(bars)) % 30 == 29)
            return (ends.bfill() if filled_back else ends).ffill().fillna(10.0)

        made = draft(["extra"], with_column(three_stocks(800), column))
        return column_checks(made, suspects(made))[0]

    found = check(filled_back=True)
    assert found.passed is False
    assert "until its next step explain" in found.evidence
    assert check(filled_back=False).passed is True


def test_a_leak_in_one_symbol_of_many_is_found() -> None:
    us = dl.DataSet.bundled("us-stocks")
    frames = {}
    for number, symbol in enumerate(("AAPL", "AMD", "COST", "DELL", "IBM")):
        bars = us[symbol].iloc[-500:]
        returns = bars["close"].pct_change()
        noise = np.random.default_rng(number).standard_normal(len(bars)) * returns.std()
        frames[symbol] = bars.assign(extra=returns.shift(-1) if symbol == "DELL" else noise)
    definition = dl.Definition("draft", ["extra"], OUTPUTS)
    made = subject_of(definition, dl.DataSet.from_frames("one", frames), None, None, None, dl.AuditOptions())

    check = column_checks(made, suspects(made))[0]

    assert check.passed is False
    assert "unexplained in extra of DELL" in check.evidence


@pytest.mark.parametrize("ddof", [0, 1, None])
def test_what_is_standardised_across_the_symbols_of_a_day_shows_no_trace(ddof: int | None) -> None:
    frames = three_stocks(331)  # half of the rows ends inside a day
    returns = pd.DataFrame({symbol: bars["close"].pct_change() for symbol, bars in frames.items()})
    level = returns.sub(returns.mean(axis=1), axis=0)
    level = (level if ddof is None else level.div(returns.std(axis=1, ddof=ddof), axis=0)).fillna(0.0)
    dataset = dl.DataSet.from_frames("days", {s: b.assign(extra=level[s]) for s, b in frames.items()})
    definition = dl.Definition("draft", ["extra"], OUTPUTS)
    made = subject_of(definition, dataset, None, None, None, dl.AuditOptions())

    assert wrong(column_checks(made, suspects(made))) == []


def test_an_oscillator_that_reached_both_its_ends_once_shows_no_trace() -> None:
    def swings(bars: pd.DataFrame) -> pd.Series:
        values = 0.5 + 0.499 * np.sin(np.arange(len(bars)) / 3)
        values[[100, 200]] = 0.0, 1.0
        return pd.Series(values, index=bars.index)

    assert "columns: whole series" not in wrong(of_column(swings))


def test_a_scaling_of_other_rows_is_a_leak(subject: Subject) -> None:
    spans = dl.resolve_split(subject.dataset, dl.Split(1.0, 0.0))
    everything = build_samples(subject.definition, subject.dataset, spans)
    assert subject.trained is not None
    changed = replace(
        subject.trained,
        input_scaling=everything.input_scaling,
        output_scaling=everything.output_scaling,
    )
    check = scaling_check(replace(subject, trained=changed))
    assert check.verdict == "leak"
    assert check.evidence.startswith(
        "the stored scaling is not that of the in-sample rows: the center of RSI(14) is "
    )


def test_samples_that_were_not_trained_on_are_a_leak(subject: Subject) -> None:
    assert subject.trained is not None
    record = {**subject.trained.record, "samples_fingerprint": "0" * 64}
    check = fingerprint_check(replace(subject, trained=replace(subject.trained, record=record)))
    assert (check.verdict, check.evidence[-12:]) == ("leak", "0" * 12)


def test_a_save_point_that_other_days_picked_is_a_leak(subject: Subject) -> None:
    samples = subject.samples
    rows = dict(samples.rows) | {"out-of-sample": samples.rows["holdout"]}
    check = selection_check(replace(subject, samples=replace(samples, rows=rows)))
    assert check.verdict == "leak"
    assert selection_check(subject).passed


@pytest.mark.parametrize("step", [1, -1])
def test_an_output_that_reaches_over_a_boundary_is_a_leak(subject: Subject, step: int) -> None:
    samples = subject.samples
    last = int(samples.rows["in-sample"][samples.owner[samples.rows["in-sample"]] == 0][-1])
    kept = samples.rows["in-sample"]
    kept = np.sort(np.append(kept, last + 1)) if step > 0 else kept[kept != last]
    check = boundary_check(
        replace(subject, samples=replace(samples, rows={**samples.rows, "in-sample": kept}))
    )
    says = "has output bars outside" if step > 0 else "is not as its dates say in"
    assert check.verdict == "leak"
    assert says in check.evidence


def test_one_output_bar_lies_in_its_span(two_stocks: dl.DataSet) -> None:
    definition = dl.Definition("draft", ["RSI(14)"], [dl.Output("ROC(1)", look_ahead=1)])
    check = boundary_check(subject_of(definition, two_stocks, None, None, None, QUICK))
    assert re.match(r"the output bar of each of [\d,]+ samples lies in its span, by date; ", check.evidence)


def test_a_purge_that_was_miscounted_is_a_leak(subject: Subject) -> None:
    counts = subject.samples.counts
    other = counts | {"in-sample": replace(counts["in-sample"], purged=3)}
    check = boundary_check(replace(subject, samples=replace(subject.samples, counts=other)))
    assert check.evidence.startswith("purged by dates are {'in-sample': 8, ")


def test_a_random_choice_of_samples_is_an_alarm(two_stocks: dl.DataSet) -> None:
    definition = dl.Definition("draft", ["RSI(14)"], OUTPUTS)
    made = subject_of(definition, two_stocks, None, None, None, QUICK)
    with pytest.warns(dl.DLPluginWarning):
        spans = dl.resolve_split(two_stocks, dl.Split(random=0.2))
    random = replace(made, spans=spans, samples=build_samples(definition, two_stocks, spans))
    assert boundary_check(random).verdict == "alarm"


def test_a_training_that_finds_moved_outputs_is_an_alarm_when_it_does_so_twice(subject: Subject) -> None:
    trainings = []

    def train(samples: object, knows: Callable[[int], bool] = lambda number: True) -> Knows:
        trainings.append(samples)
        return Knows(samples, 0.5 if knows(len(trainings)) else 100.0)

    assert [check.verdict for check in moved_checks(subject, train)] == ["alarm", "alarm"]  # type: ignore[arg-type]
    assert len(trainings) == 4
    trainings.clear()
    once = [
        check.verdict for check in moved_checks(subject, lambda samples: train(samples, lambda n: n == 1))
    ]  # type: ignore[arg-type,return-value]
    assert (once, len(trainings)) == (["passed", "passed"], 3)
    assert [check.verdict for check in moved_checks(subject, lambda samples: None)] == [
        "not done",
        "not done",
    ]


def test_shuffled_outputs_are_those_of_one_other_moment_for_all_symbols(subject: Subject) -> None:
    given = []
    moved_checks(subject, given.append)  # type: ignore[arg-type]
    shuffled, original = given[0], subject.samples
    rows = np.concatenate([shuffled.rows["in-sample"], shuffled.rows["out-of-sample"]])
    assert not np.isin(rows, original.rows["holdout"]).any()
    sources = {
        int(owner): dict(zip(original.actual[mine, 0], original.times[mine], strict=True))
        for owner in (0, 1)
        for mine in [np.flatnonzero(original.owner == owner)]
    }  # fmt: skip
    came: dict[np.datetime64, set[np.datetime64]] = {}
    for row in rows:
        moment = sources[int(original.owner[row])][shuffled.actual[row, 0]]
        came.setdefault(original.times[row], set()).add(moment)
    assert {len(moments) for moments in came.values()} == {1}


def test_predictions_that_hang_on_the_first_bar_are_an_alarm(subject: Subject) -> None:
    def predict(bars: pd.DataFrame, symbol: str, others: object) -> np.ndarray:
        return np.log(bars["close"] / bars["close"].iloc[0]).to_numpy()[:, None]

    check = drift_check(replace(subject, predictor=SimpleNamespace(predict=predict)))  # type: ignore[arg-type]
    assert check.verdict == "alarm"
    assert drift_check(subject).passed


def test_live_values_that_are_not_those_of_batch_are_a_leak(subject: Subject) -> None:
    real = subject.predictor
    assert real is not None

    class Other:
        columns = real.columns
        predict = staticmethod(lambda *given: real.predict(*given) + 1e-12)
        live = staticmethod(real.live)

    check = live_check(replace(subject, predictor=Other()))  # type: ignore[arg-type]
    assert check.verdict == "leak"
    assert check.evidence.startswith("ROC(5) of AAPL at 2004-")


@pytest.mark.parametrize(("noise", "found"), [(1.0, ["too good: fit", "too good: hits"]), (100.0, [])])
def test_predictions_that_are_too_good_are_an_alarm(subject: Subject, noise: float, found: list[str]) -> None:
    assert wrong(too_good_checks(replace(subject, predictor=Knows(subject.samples, noise)))) == found  # type: ignore[arg-type]


def test_a_model_that_is_far_better_on_unseen_days_is_an_alarm(subject: Subject) -> None:
    samples = subject.samples
    actual = samples.actual.copy()
    actual[samples.rows["in-sample"]] = 0.0
    knows = Knows(replace(samples, actual=actual), 0.0)
    found = wrong(too_good_checks(replace(subject, predictor=knows)))  # type: ignore[arg-type]
    assert "too good: unseen days" in found


def test_no_check_scores_the_holdout(subject: Subject) -> None:
    samples = subject.samples
    actual, targets = samples.actual.copy(), samples.targets.copy()
    actual[samples.rows["holdout"]], targets[samples.rows["holdout"]] = 1e9, 1e9
    sealed = replace(subject, samples=replace(samples, actual=actual, targets=targets))
    assert too_good_checks(sealed) == too_good_checks(subject)
    assert selection_check(sealed) == selection_check(subject)
    given: list[Samples] = []
    moved_checks(sealed, given.append)  # type: ignore[arg-type]
    for moved in given:
        rows = np.concatenate(list(moved.rows.values()))
        assert moved.actual[rows].max() < 1e9


def test_data_of_other_dates_are_audited_as_far_as_they_can_be(locked: dl.Model) -> None:
    dataset = dl.DataSet.from_frames("later", walks(3))
    audit = locked.audit(dataset, options=QUICK)
    assert audit.passed
    assert audit["shuffled outputs"].evidence == "no samples of the training's dates"
    assert audit["too good: fit"].evidence == "no out-of-sample samples of these dates"


def test_held_out_symbols_raise_no_alarm(us_stocks: dl.DataSet) -> None:
    dataset = us_stocks.subset(["AMD", "IBM", "MMM"])
    definition = dl.Definition(
        "draft", ["STDDEV(ROC(1), 20)"], [dl.Output("STDDEV(ROC(1), 20)", look_ahead=5)]
    )
    made = subject_of(definition, dataset, None, None, None, QUICK)
    spans = dl.resolve_split(dataset, dl.Split(held_out=["AMD"]))
    held = replace(made, spans=spans, samples=build_samples(definition, dataset, spans))
    assert boundary_check(held).passed

    def level(samples: Samples) -> SimpleNamespace:
        """Knows how large the outputs of the symbol are, as its inputs tell, and nothing of the moment."""
        means = {
            symbol: samples.actual[samples.owner == place, 0] for place, symbol in enumerate(samples.symbols)
        }
        return SimpleNamespace(
            columns=("",),
            first=(0,),
            predict_rows=lambda matrix, rows, symbol: np.full((len(rows), 1), np.nanmean(means[symbol])),
        )

    assert wrong(moved_checks(held, level)) == []  # type: ignore[arg-type]


def test_the_store_is_left_as_it_is(tmp_path: Path, two_stocks: dl.DataSet) -> None:
    model = dl.Model("draft", ["RSI(14)"], OUTPUTS, store=tmp_path / "models")
    audit = model.audit(two_stocks, options=QUICK)
    assert audit.passed
    assert list(tmp_path.iterdir()) == []
