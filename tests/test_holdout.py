"""The sealed holdout: a score of it only through an opening, and openings and trials that outlive everything."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import dlplugin as dl
from dlplugin.errors import BarsError, DefinitionError, PredictionError, SamplesError, StoreError
from dlplugin.model import holdout
from dlplugin.store import RunFolder, Scope, shown_symbols, trials
from tests.training.trainings import QUIET, describe, small_dataset, stop_at

OPTIONS = dl.TrainingOptions(epochs=1, batch_size=128)
NO_HOLDOUT = dl.Split(0.7, 0.3)


@pytest.fixture(scope="module")
def trained_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with model "m", trained on two stocks."""
    store = tmp_path_factory.mktemp("holdout") / "models"
    describe(store, "m").train(small_dataset(), options=OPTIONS, console=QUIET)
    return store


@pytest.fixture
def model(trained_store: Path, tmp_path: Path) -> dl.Model:
    """It, in a store of the test's own."""
    shutil.copytree(trained_store, tmp_path / "models")
    return describe(tmp_path / "models", "m")


def refused(kind: type[Exception], ask: Callable[[], object]) -> str:
    with pytest.raises(kind) as error:
        ask()
    assert type(error.value) is kind
    return str(error.value)


def days(model: dl.Model, span: str = "holdout") -> list[pd.Timestamp]:
    return [model.spans[span].start, model.spans[span].end]


def other_inputs(store: Path, name: str) -> dl.Model:
    """Another definition for the same stocks."""
    return dl.Model(
        name, inputs=["ROC(3)"], outputs=[dl.Output("ROC(5)", look_ahead=5)], engine=dl.MLP([4]), store=store
    )


def test_an_opening_shows_the_holdout_and_is_recorded(model: dl.Model) -> None:
    assert model.openings.empty
    evaluation = model.open_holdout(reason=" the last look ")
    assert [scores.span for scores in evaluation.scores()] == ["in-sample", "holdout"]
    start, end = days(model)
    shown = evaluation.scores()[1]
    assert start - pd.Timedelta(days=5) <= shown.start <= shown.end <= end
    assert shown.start > model.evaluation.scores()[1].start

    (row,) = model.openings.to_dict("records")
    assert row.pop("time") > pd.Timestamp("2025-01-01", tz="UTC")
    assert row == {
        "model": "m",
        "purpose": "score",
        "symbols": ("AAPL", "IBM"),
        "start": start,
        "end": end,
        "reason": "the last look",
        "dataset": "small",
        "definition": model.definition.hash,
    }


def test_a_second_opening_shows_the_same_and_adds_nothing(model: dl.Model) -> None:
    first = model.open_holdout(reason="one")
    again = model.open_holdout(reason="two")
    given = model.open_holdout(reason="three", dataset=small_dataset())
    assert first.to_json() == again.to_json() == given.to_json()
    assert list(model.openings["reason"]) == ["one"]
    version = model.lock()
    assert version.open_holdout(reason="four").to_json() == first.to_json()
    assert len(version.openings) == len(model.openings) == 1


def test_the_score_is_of_the_predictions_on_the_holdouts_days(model: dl.Model) -> None:
    dataset, came, predicted = small_dataset(), [], []
    for symbol in dataset:
        bars = dataset[symbol]
        change = (bars["close"].shift(-5) / bars["close"] - 1) * 100
        inside = bars.index.to_series().shift(-1).ge(days(model)[0]) & change.notna()
        came.append(change[inside])
        predicted.append(model.predict(bars).iloc[:, 0][inside])
    actual, told = np.concatenate(came), np.concatenate(predicted)
    scores = model.open_holdout(reason="check").scores()[1]
    assert scores.samples == len(actual)
    correlation = np.corrcoef(actual, told)[0, 1]
    assert scores.by_rule["model"].correlation == pytest.approx(correlation, abs=1e-6)


def test_the_opening_is_recorded_before_there_is_a_score(
    model: dl.Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(*given: object, **more: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(holdout, "evaluation_of", dies)
    with pytest.raises(KeyboardInterrupt):
        model.open_holdout(reason="cut off")
    assert list(model.openings["reason"]) == ["cut off"]


def test_without_a_record_there_is_no_score(model: dl.Model, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.rmtree(model.store / ".records")
    (model.store / ".records").write_text("not a folder")
    monkeypatch.setattr(holdout, "evaluation_of", lambda *given, **more: pytest.fail("scored"))
    path = model.store / ".records" / "openings.jsonl"
    assert refused(dl.errors.DamagedModelError, lambda: model.open_holdout(reason="x")) == (
        f"{path} cannot be read: Not a directory"
    )


def test_what_is_in_the_way_of_an_opening_is_said_in_one_line(model: dl.Model, tmp_path: Path) -> None:
    for reason in ("", " \n", None, 3):
        assert refused(DefinitionError, lambda reason=reason: model.open_holdout(reason)) == (
            f"reason is {reason!r}, but must say why the holdout is opened: open_holdout(reason='final check')"
        )
    early = dl.DataSet.from_frames("early", {"IBM": small_dataset()["IBM"].iloc[:300]})
    assert refused(SamplesError, lambda: model.open_holdout(reason="x", dataset=early)) == (
        f"there are no samples in the holdout of model 'm', {model.spans['holdout']}; give a dataset with bars of "
        "those days"
    )
    shutil.rmtree(model.run.path)
    assert (
        refused(PredictionError, lambda: describe(tmp_path, "new").open_holdout(reason="x"))
        == "model 'new' is a draft; train it first"
    )
    assert model.openings.empty


@pytest.mark.slow
def test_a_model_without_a_holdout_has_none_to_open(tmp_path: Path) -> None:
    model = describe(tmp_path, "m")
    model.train(small_dataset(), NO_HOLDOUT, OPTIONS, console=QUIET)
    assert refused(SamplesError, lambda: model.open_holdout(reason="x")) == (
        "model 'm' was trained without a holdout; leave a share of the dates to it and train again: "
        "split=dl.Split(0.6, 0.2)"
    )
    assert model.openings.empty


IN_MEMORY = "model 'm' was trained on 'small', frames in memory; give dataset="


def test_a_version_whose_run_is_gone_asks_for_frames_in_memory(model: dl.Model) -> None:
    version = model.lock()
    stored = version.open_holdout(reason="while it is there")
    shutil.rmtree(model.store / ".runs")
    assert refused(BarsError, lambda: version.open_holdout(reason="x")) == IN_MEMORY
    assert version.open_holdout(reason="x", dataset=small_dataset()).to_json() == stored.to_json()
    assert len(version.openings) == 1


def test_other_data_are_read_again_where_the_run_is_gone(locked: dl.Model, tmp_path: Path) -> None:
    shutil.copytree(locked.store, tmp_path / "models", ignore=shutil.ignore_patterns(".records"))
    version = dl.load("locked@1", tmp_path / "models")
    stored = version.open_holdout(reason="x")
    for path in (tmp_path / "models" / ".runs").glob("*/samples.safetensors"):
        path.write_bytes(path.read_bytes()[:-1])
    assert version.open_holdout(reason="x").to_json() == stored.to_json()
    shutil.rmtree(tmp_path / "models" / ".runs")
    assert version.open_holdout(reason="x").to_json() == stored.to_json()
    assert len(version.openings) == 1


@pytest.mark.slow
def test_a_run_of_the_same_name_with_other_samples_is_not_taken_for_it(model: dl.Model) -> None:
    version = model.lock()
    (run,) = (model.store / ".runs").iterdir()
    other = describe(model.store, "other")
    other.train(small_dataset(), dl.Split(0.5, 0.2), OPTIONS, console=QUIET)
    shutil.rmtree(run)
    other.run.path.rename(run)
    assert refused(BarsError, lambda: version.open_holdout(reason="x")) == IN_MEMORY


def test_days_of_other_symbols_are_newly_shown(model: dl.Model, us_stocks: dl.DataSet) -> None:
    model.open_holdout(reason="its own")
    more = {name: us_stocks[name].iloc[:500] for name in ("IBM", "MSFT")}
    model.open_holdout(reason="others", dataset=dl.DataSet.from_frames("more", more))
    assert list(model.openings["symbols"]) == [("AAPL", "IBM"), ("MSFT",)]


def test_openings_survive_the_deletion_of_models_and_runs(model: dl.Model) -> None:
    model.open_holdout(reason="one")
    wanted = model.openings
    shutil.rmtree(model.run.path)
    pd.testing.assert_frame_equal(model.openings, wanted)
    model.delete()
    assert model.status == "draft"
    pd.testing.assert_frame_equal(model.openings, wanted)
    pd.testing.assert_frame_equal(dl.openings(model.store), wanted)
    pd.testing.assert_frame_equal(describe(model.store, "renamed").openings, wanted)
    shutil.rmtree(model.store / ".runs")
    model.train(small_dataset(), options=OPTIONS, console=QUIET)
    model.open_holdout(reason="again, by the same definition")
    pd.testing.assert_frame_equal(model.openings, wanted)


@pytest.mark.slow
def test_openings_by_another_model_on_the_same_days_count_and_on_other_days_or_symbols_do_not(
    model: dl.Model, us_stocks: dl.DataSet
) -> None:
    model.open_holdout(reason="mine")
    other = other_inputs(model.store, "other")
    other.train(small_dataset(), dl.Split(0.7, 0.2), OPTIONS, console=QUIET)
    assert list(other.openings["model"]) == ["m"]
    other.open_holdout(reason="theirs")
    purposes = [("m", "score"), ("other", "out-of-sample score"), ("other", "score")]
    assert list(model.openings[["model", "purpose"]].itertuples(index=False, name=None)) == purposes

    apart = other_inputs(model.store, "apart")
    strangers = {"MSFT": us_stocks["MSFT"].iloc[:500]}
    apart.train(dl.DataSet.from_frames("strangers", strangers), options=OPTIONS, console=QUIET)
    assert apart.openings.empty
    later = other_inputs(model.store, "later")
    frames = {"IBM": us_stocks["IBM"].iloc[600:1100]}
    later.train(dl.DataSet.from_frames("later", frames), options=OPTIONS, console=QUIET)
    assert later.openings.empty
    for stranger in (apart, later):
        stranger.open_holdout(reason="elsewhere")
    assert len(model.openings) == len(purposes)
    assert list(dl.openings(model.store)["model"]) == ["m", "other", "apart", "later"]


def test_days_of_the_holdout_that_another_split_has_out_of_sample_are_shown(model: dl.Model) -> None:
    assert model.openings.empty
    other = describe(model.store, "other")
    other.train(small_dataset(), dl.Split(0.8, 0.2), OPTIONS, console=QUIET)
    (shown,) = model.openings.to_dict("records")
    assert (shown["model"], shown["purpose"], shown["reason"]) == (
        "other",
        "out-of-sample score",
        other.run.name,
    )
    assert [shown["start"], shown["end"]] == days(other, "out-of-sample")
    assert dl.openings(model.store).empty
    other.delete()
    assert len(model.openings) == 1


def test_a_score_speaks_of_the_symbols_that_outputs_read_and_not_of_those_that_inputs_read(
    tmp_path: Path,
) -> None:
    def reads(symbol_in: str, symbol_out: str) -> dl.Model:
        outputs = [dl.Output(f"of('{symbol_out}', ROC(5))", look_ahead=5)]
        return dl.Model("reads", [f"of('{symbol_in}', ROC(5))"], outputs, store=tmp_path)

    facts = {"dataset": {"symbols": {"B": {}}}, "validation": {"symbols": {"A": {}}}}
    assert shown_symbols(reads("SPY", "IBM").definition, facts) == ("A", "B", "IBM")
    spans = {"in-sample": {"start": "2012-01-03", "end": "2012-02-03", "embargo_until": "2012-01-03"}}
    scope = Scope.of(reads("SPY", "IBM").definition, facts | {"spans": spans})
    assert scope.symbols == {"A", "B", "IBM", "SPY"}
    assert scope.spans == {"in-sample": ("2012-01-03", "2012-02-03")}


def test_predicting_and_evaluating_record_nothing(model: dl.Model) -> None:
    dataset = small_dataset()
    assert model.predict(dataset["IBM"]).loc[days(model)[0] :].notna().to_numpy().all()
    model.evaluate(dataset)
    model.evaluation  # noqa: B018
    model.predictor  # noqa: B018
    assert dl.openings(model.store).empty
    assert not (model.store / ".records" / "openings.jsonl").exists()


def test_an_evaluation_never_shows_days_of_the_holdout(model: dl.Model) -> None:
    def noisy(first: pd.Timestamp) -> dl.DataSet:
        frames = {}
        for symbol in small_dataset():
            bars = small_dataset()[symbol].copy()
            later = bars.index >= first
            bars.loc[later] *= np.random.default_rng(1).uniform(0.9, 1.1, (int(later.sum()), 1))
            frames[symbol] = bars
        return dl.DataSet.from_frames("small", frames)

    plain = model.evaluate(small_dataset()).to_json()
    start = days(model)[0]
    assert model.evaluate(noisy(start)).to_json() == plain
    last = days(model, "out-of-sample")[1]
    assert model.evaluate(noisy(last)).to_json() != plain, "a day earlier it would show"
    scores = model.evaluate(small_dataset()).scores()
    assert [one.span for one in scores] == ["in-sample", "out-of-sample"]


def test_each_run_is_a_trial_and_going_on_with_one_is_not(tmp_path: Path) -> None:
    model = describe(tmp_path, "m")
    assert model.trials.empty
    stop_at(1)
    run = model.train(small_dataset(), options=dl.TrainingOptions(epochs=2, batch_size=128), console=QUIET)
    assert run.status == "stopped"
    (row,) = model.trials.to_dict("records")
    assert row.pop("time") >= pd.Timestamp(run.facts["started"])
    spans = {
        f"{name.replace('-', '_')}_{edge}": day
        for name in ("in-sample", "out-of-sample", "holdout")
        for edge, day in zip(("start", "end"), days(model, name), strict=True)
    }
    assert row == spans | {
        "model": "m",
        "run": run.name,
        "symbols": ("AAPL", "IBM"),
        "dataset": "small",
        "definition": model.definition.hash,
    }
    assert run.resume(console=QUIET).status == "finished"
    assert len(model.trials) == 1
    model.train(small_dataset(), options=OPTIONS, console=QUIET)
    assert len(model.trials) == len(dl.trials(tmp_path)) == 2


def test_trials_survive_the_deletion_of_models_and_runs(model: dl.Model) -> None:
    model.train(small_dataset(), options=OPTIONS, console=QUIET)
    wanted = model.trials
    assert len(wanted) == 2
    shutil.rmtree(model.store / ".runs")
    pd.testing.assert_frame_equal(model.trials, wanted)
    model.delete()
    pd.testing.assert_frame_equal(model.trials, wanted)
    pd.testing.assert_frame_equal(dl.trials(model.store), wanted)


@pytest.mark.slow
def test_trials_of_other_models_on_the_same_days_count_and_others_do_not(
    model: dl.Model, us_stocks: dl.DataSet
) -> None:
    other = other_inputs(model.store, "other")
    other.train(small_dataset(), dl.Split(0.65, 0.2), OPTIONS, console=QUIET)
    apart = other_inputs(model.store, "apart")
    strangers = {"MSFT": us_stocks["MSFT"].iloc[:500]}
    apart.train(dl.DataSet.from_frames("strangers", strangers), options=OPTIONS, console=QUIET)
    earlier = other_inputs(model.store, "earlier")
    earlier.train(small_dataset(), dl.Split(0.3, 0.2), OPTIONS, console=QUIET)
    assert list(model.trials["model"]) == ["m", "other"]
    assert list(apart.trials["model"]) == ["apart"]
    assert list(earlier.trials["model"]) == ["earlier"]
    assert list(dl.trials(model.store)["model"]) == ["m", "other", "apart", "earlier"]


@pytest.mark.slow
def test_a_training_without_out_of_sample_days_is_a_trial_of_its_in_sample_days(tmp_path: Path) -> None:
    model = describe(tmp_path, "m")
    options = dl.TrainingOptions(epochs=1, batch_size=128, auto_stop=None)
    model.train(small_dataset(), dl.Split(1.0, 0.0), options, console=QUIET)
    (row,) = model.trials.to_dict("records")
    assert row["in_sample_end"] == days(model, "in-sample")[1]
    assert pd.isna(row["out_of_sample_start"])
    assert pd.isna(row["holdout_end"])


def test_a_run_that_cannot_begin_is_no_trial(tmp_path: Path, us_stocks: dl.DataSet) -> None:
    model = describe(tmp_path, "m")
    tiny = dl.DataSet.from_frames("tiny", {"IBM": us_stocks["IBM"].iloc[:20]})
    with pytest.raises(SamplesError):
        model.train(tiny, options=OPTIONS, console=QUIET)
    assert dl.trials(tmp_path).empty


def test_a_run_begins_only_once_its_trial_is_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    note = RunFolder.note

    def then_look(folder: RunFolder, event: str, **details: object) -> None:
        if not folder.events:
            seen.append(len(trials(tmp_path).read()))
        note(folder, event, **details)

    monkeypatch.setattr(RunFolder, "note", then_look)
    describe(tmp_path, "m").train(small_dataset(), options=OPTIONS, console=QUIET)
    assert seen == [1]


def test_a_training_whose_trial_cannot_be_recorded_does_not_begin(tmp_path: Path) -> None:
    (tmp_path / ".records").write_text("not a folder")
    model = describe(tmp_path, "m")
    path = tmp_path / ".records" / "trials.jsonl"
    with pytest.raises(StoreError) as error:
        model.train(small_dataset(), options=OPTIONS, console=QUIET)
    assert str(error.value) == f"{path} cannot be read: Not a directory"
    (folder,) = (tmp_path / ".runs").iterdir()
    run = dl.load_run(folder.name, tmp_path)
    assert (run.status, run.stop_reason, len(run.history)) == ("failed", str(error.value), 0)
    (tmp_path / ".records").unlink()
    assert run.resume(console=QUIET).status == "finished"
    assert list(model.trials["run"]) == [run.name]


@pytest.mark.slow
def test_a_trial_that_was_lost_is_recorded_when_its_run_goes_on(tmp_path: Path) -> None:
    model = describe(tmp_path, "m")
    stop_at(1)
    run = model.train(small_dataset(), options=dl.TrainingOptions(epochs=2, batch_size=128), console=QUIET)
    shutil.rmtree(tmp_path / ".records")
    run.resume(console=QUIET)
    assert list(model.trials["run"]) == [run.name]


def test_a_damaged_line_counts_for_every_model_and_is_told(model: dl.Model) -> None:
    model.open_holdout(reason="one")
    for name in ("openings", "trials"):
        path = model.store / ".records" / f"{name}.jsonl"
        path.write_bytes(b'{"model":"m"\n' + path.read_bytes())
        with pytest.warns(dl.DLPluginWarning) as caught:
            table = getattr(model, name)
        assert [str(one.message) for one in caught] == [
            f"1 line of {path} cannot be read; it counts for every model"
        ]
        assert caught[0].filename == __file__
        assert list(table["model"]) == ["damaged", "m"]
        assert pd.isna(table["time"][0])
        path.write_bytes(b"x\n" + path.read_bytes())
        with pytest.warns(dl.DLPluginWarning) as caught:
            assert len(getattr(dl, name)(model.store)) == 3
        assert [str(one.message) for one in caught] == [
            f"2 lines of {path} cannot be read; they count for every model"
        ]


def test_tables_of_nothing_have_the_columns_and_types_of_others(model: dl.Model, tmp_path: Path) -> None:
    model.open_holdout(reason="one")
    for full, empty in (
        (dl.openings(model.store), dl.openings(tmp_path / "none")),
        (dl.trials(model.store), dl.trials(tmp_path / "none")),
    ):
        assert list(full.dtypes.index) == list(empty.dtypes.index)
        times = [name for name in full if name == "time" or name.endswith(("start", "end"))]
        assert list(full[times].dtypes) == list(empty[times].dtypes)
    assert not (tmp_path / "none").exists()
