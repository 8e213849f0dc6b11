"""What a run shows of itself: table, picture, graph, diagnosis, words before it begins."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

import dlplugin as dl
from dlplugin.store import RunFolder
from dlplugin.training import best_epoch
from tests.training.trainings import QUIET, describe, small_dataset


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    store = tmp_path_factory.mktemp("store")
    model, dataset = describe(store, "m"), small_dataset()
    model.train(dataset, options=dl.TrainingOptions(epochs=4), console=QUIET)
    model.train(dataset, options=dl.TrainingOptions(epochs=3, batch_size="full", networks=2), console=QUIET)
    return store


def test_the_table_tells_the_runs_apart_and_the_newest_comes_first(store: Path) -> None:
    table = dl.runs(store)
    assert table.columns.tolist() == [
        "run", "model", "engine", "data", "validation", "status", "predicts", "started", "epochs", "batch_size",
        "best_epoch", "in_sample_loss", "out_of_sample_loss", "correlation", "hits", "stop_reason",
    ]  # fmt: skip
    assert sorted(table["epochs"]) == [3, 4]
    assert sorted(map(str, table["batch_size"])) == ["256", "full"]
    for _, row in table.iterrows():
        run = dl.load_run(row["run"], store)
        assert (row["model"], row["engine"], row["status"]) == ("m", "mlp", "finished")
        assert row["best_epoch"] == run.best_epoch
        best = run.history.set_index("epoch").loc[run.best_epoch]
        assert (row["in_sample_loss"], row["out_of_sample_loss"]) == (
            best["in_sample_loss"],
            best["out_of_sample_loss"],
        )
        assert row["stop_reason"] == run.stop_reason
        assert row["started"] == pd.Timestamp(run.facts["started"])
        assert (row["data"], row["validation"]) == ("small", "dates")
        stored = (run.path / "evaluation.json").read_text()
        figures: Any = dl.Evaluation.from_json(stored).scores()[-1]
        figures = figures.by_rule["model"]
        assert (row["correlation"], row["hits"]) == (figures.correlation, figures.hit_rate)
    assert table["predicts"].tolist() == [True, False], "the model predicts with the newest"
    assert (table["predicts"].dtype, str(table["started"].dtype.tz)) == (bool, "UTC")  # type: ignore[union-attr]
    nowhere = dl.runs(store / "nowhere")
    assert nowhere.empty
    assert nowhere.dtypes[["predicts", "started"]].equals(table.dtypes[["predicts", "started"]])


@pytest.mark.filterwarnings("ignore:the out-of-sample samples are:dlplugin.DLPluginWarning")
@pytest.mark.parametrize(
    ("split", "other", "validation"),
    [
        (dl.Split(held_out=["IBM"]), False, "held-out"),
        (dl.Split(random=0.2), False, "random"),
        (dl.Split(), True, "other set"),
        (dl.Split(1.0, 0.0), False, None),
    ],
)
def test_the_table_tells_losses_apart_that_cannot_be_compared(
    split: dl.Split, other: bool, validation: str | None, tmp_path: Path
) -> None:
    dataset = small_dataset()
    more = {"validation": dl.DataSet.from_frames("others", {"MSFT": dataset["IBM"]})} if other else {}
    options = dl.TrainingOptions(epochs=1, auto_stop=20 if validation else None)
    describe(tmp_path, "m").train(dataset, split, options, QUIET, **more)
    (row,) = dl.runs(tmp_path).to_dict("records")
    assert row["data"] == "small"
    assert (row["validation"] == validation) if validation else pd.isna(row["validation"])
    assert np.isnan(row["hits"]) == (validation is None)


def test_a_run_that_was_cut_off_is_listed_with_the_best_epoch_that_it_had(tmp_path: Path) -> None:
    run = describe(tmp_path, "m").train(small_dataset(), options=dl.TrainingOptions(epochs=4), console=QUIET)
    folder, best = RunFolder.open(tmp_path, run.name), run.best_epoch
    facts = folder.facts | {"status": "running"}  # and nobody trains it
    older = facts["save_point"] | {"epochs": [1], "losses": [9.0]}
    for known in ({"save_point": older} if best > 1 else {}, {"save_point": None}):
        folder.write_facts(facts | known)
        (row,) = dl.runs(tmp_path).to_dict("records")
        assert (row["status"], row["best_epoch"], row["predicts"]) == ("interrupted", best, True)
        assert row["out_of_sample_loss"] == run.history.set_index("epoch").loc[best, "out_of_sample_loss"]
    assert str(run.diagnosis()).endswith(
        "nothing wrong was found in 4 epochs\n\nfewer than 10 epochs show little"
    )
    folder.write_facts({name: value for name, value in facts.items() if name != "probe"})
    assert str(run.diagnosis()).endswith(
        "the network itself was not looked at: the run was cut off before its end"
    )


def test_a_name_that_is_no_runs_is_told_what_was_meant(store: Path, tmp_path: Path) -> None:
    def said(name: object, where: Path = store) -> str:
        with pytest.raises(dl.DLPluginError) as error:
            dl.load_run(name, where)  # type: ignore[arg-type]
        return str(error.value)

    newest = dl.runs(store)["run"].iloc[0]
    at = store / ".runs"
    assert said("m") == (
        f"no run 'm' in {at}: 'm' is a model; its newest run is {newest}: dl.load_run({newest!r}, store={str(store)!r})"
    )
    assert said(f"{newest}0") == f"no run '{newest}0' in {at}; did you mean {newest!r}?"
    assert said("zzz") == f"no run 'zzz' in {at}; list them with dl.runs()"
    assert said(7) == f"no run 7 in {at}; a run is loaded by its name"
    describe(tmp_path, "draft").save()
    at = tmp_path / ".runs"
    assert (
        said("draft", tmp_path) == f"no run 'draft' in {at}: 'draft' is a model without runs; train it first"
    )
    assert said("zzz", tmp_path) == f"no run 'zzz' in {at}; there are no runs yet"


def test_one_epoch_is_told_as_one(tmp_path: Path) -> None:
    model = describe(tmp_path, "m")
    one = model.train(small_dataset(), options=dl.TrainingOptions(epochs=1), console=QUIET)
    assert one.stop_reason == "its 1 epoch is done"
    patience = dl.TrainingOptions(epochs=500, auto_stop=1)
    assert model.train(small_dataset(), options=patience, console=QUIET).stop_reason == (
        "no lower out-of-sample loss for 1 epoch"
    )


def test_a_damaged_run_does_not_hide_the_others(tmp_path: Path) -> None:
    describe(tmp_path, "m").train(small_dataset(), options=dl.TrainingOptions(epochs=1), console=QUIET)
    broken = RunFolder.create(tmp_path, {}, {})
    table = dl.runs(tmp_path).set_index("run")
    assert len(table) == 2
    assert table.loc[broken.name, "status"] == "damaged"
    assert table["predicts"].to_dict() == {name: name != broken.name for name in table.index}
    assert table.index[1] == broken.name, "without a date it comes last"


def test_a_run_draws_itself_graphs_itself_and_names_its_troubles(store: Path, tmp_path: Path) -> None:
    run = dl.load_run(dl.runs(store)["run"].iloc[0], store)
    run.plot(tmp_path / "run.png")
    assert (tmp_path / "run.png").read_bytes().startswith(b"\x89PNG")
    assert run.graph.every["epoch"].tolist() == run.history["epoch"].tolist()
    run.graph.prune(1)
    assert run.graph.every["epoch"].tolist() == run.history["epoch"].tolist()[1:], "it is one graph"
    assert "probe" in run.facts
    assert f"{len(run.history)} epochs" in str(run.diagnosis())
    assert run.save_points[-1] <= len(run.history)


def test_before_it_begins_it_tells_time_memory_and_size_and_what_it_sets_aside(tmp_path: Path) -> None:
    model = describe(tmp_path, "m")
    first, second = io.StringIO(), io.StringIO()
    options = dl.TrainingOptions(epochs=2)
    one = model.train(small_dataset(), options=options, console=Console(file=first, width=200))
    two = model.train(small_dataset(), options=options, console=Console(file=second, width=200))
    line = first.getvalue().splitlines()[0]
    assert line.startswith(f"{one.name}: about ")
    assert "up to 2 epochs of" in line
    assert line.endswith("37 weights for 114 effective samples")
    assert "aside" not in first.getvalue()
    assert f"run {one.name} (finished) is set aside and kept; " in second.getvalue()
    assert [run.facts["weights"] for run in (one, two)] == [37, 37]


def test_more_weights_than_effective_samples_are_warned_of(tmp_path: Path) -> None:
    model = dl.Model(
        "large", ["RSI(14)"], [dl.Output("ROC(5)", look_ahead=5)], dl.MLP(hidden=[100]), store=tmp_path
    )
    screen = io.StringIO()
    run = model.train(
        small_dataset(), options=dl.TrainingOptions(epochs=1), console=Console(file=screen, width=200)
    )
    assert "warning: the network has 301 weights for 114 effective samples" in screen.getvalue()
    assert run.facts["warning"].startswith("the network has 301 weights")


def test_the_recorded_effective_samples_count_overlapping_look_aheads(store: Path) -> None:
    run = dl.load_run(dl.runs(store)["run"].iloc[0], store)
    samples = run.counts["in-sample"].samples
    assert run.facts["effective_samples"] == pytest.approx(samples / 5, rel=0.02)
    assert np.isfinite(run.facts["effective_samples"])


@pytest.mark.usefixtures("without_boosting")
def test_a_model_names_the_run_it_predicts_with_and_can_go_back_to_an_earlier_one(tmp_path: Path) -> None:
    model, bars = describe(tmp_path, "m"), small_dataset()["IBM"]
    screen = io.StringIO()
    one = model.train(small_dataset(), options=dl.TrainingOptions(epochs=2), console=QUIET)
    first = model.predict(bars)
    two = model.train(
        small_dataset(),
        options=dl.TrainingOptions(epochs=2, seed=1),
        console=Console(file=screen, width=200),
    )
    assert (model.run.name, model.record["run"]) == (two.name, two.name)
    assert not model.predict(bars).equals(first)
    assert (
        f"run {one.name} (finished) is set aside and kept; dl.load_run('{one.name}').use() predicts with it again\n"
        in (screen.getvalue())
    )
    one.use()
    assert (model.run.name, model.status) == (one.name, "trained")
    assert model.predict(bars).equals(first)
    assert model.evaluation.to_json() == model.evaluate(small_dataset()).to_json()
    locked = model.lock()
    assert locked.run.name == one.name
    with pytest.raises(dl.DLPluginError) as error:
        two.use()
    assert str(error.value).startswith("model 'm' is locked since ")
    assert "; choose a run under a new name, or: dlplugin unlock m" in str(error.value)


def test_a_run_without_weights_cannot_be_used(tmp_path: Path) -> None:
    run = RunFolder.create(tmp_path, dl.load_run(trained(tmp_path).name, tmp_path).facts, {})
    with pytest.raises(dl.DLPluginError) as error:
        dl.load_run(run.name, tmp_path).use()
    assert str(error.value) == f"run {run.name} has no evaluated weights to predict with; it is finished"


def test_going_on_with_an_older_run_says_which_one_predicts_no_more(tmp_path: Path) -> None:
    model = describe(tmp_path, "m")
    append = RunFolder.append_history

    def stop_after_one(folder: RunFolder, row: tuple[float | int | str, ...]) -> None:
        append(folder, row)
        if row[0] == 1:
            folder.request_stop()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RunFolder, "append_history", stop_after_one)
        older = model.train(small_dataset(), options=dl.TrainingOptions(epochs=3), console=QUIET)
    newer = model.train(small_dataset(), options=dl.TrainingOptions(epochs=1), console=QUIET)
    screen = io.StringIO()
    older.resume(console=Console(file=screen, width=200))
    assert f"m will predict with it, and no more with run {newer.name}\n" in screen.getvalue()
    assert model.run.name == older.name


def test_the_best_epoch_of_several_networks_is_that_of_the_best_monitored_value() -> None:
    kept = {"epochs": [4, 9, 2], "losses": [0.3, 0.4, 0.2], "values": [-0.1, -0.5, -0.2]}
    assert best_epoch({"save_point": kept}) == 9
    assert best_epoch({"save_point": kept | {"values": []}}) == 2
    assert best_epoch({"save_point": {"epochs": [7], "losses": []}}) == 7


def trained(store: Path) -> dl.Run:
    return describe(store, "m").train(small_dataset(), options=dl.TrainingOptions(epochs=1), console=QUIET)
