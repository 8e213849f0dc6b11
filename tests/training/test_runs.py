"""What a run shows of itself: table, picture, graph, diagnosis, words before it begins."""

import io
from pathlib import Path

import numpy as np
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
        "run", "model", "engine", "status", "started", "epochs", "batch_size", "best_epoch", "in_sample_loss",
        "out_of_sample_loss", "stop_reason",
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
    assert dl.runs(store / "nowhere").empty


def test_a_damaged_run_does_not_hide_the_others(tmp_path: Path) -> None:
    describe(tmp_path, "m").train(small_dataset(), options=dl.TrainingOptions(epochs=1), console=QUIET)
    broken = RunFolder.create(tmp_path, {}, {})
    table = dl.runs(tmp_path).set_index("run")
    assert len(table) == 2
    assert table.loc[broken.name, "status"] == "damaged"


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
