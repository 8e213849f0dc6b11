"""What a run shows of itself: table, picture, graph, diagnosis, words before it begins."""

import io
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

import dlplugin as dl
from dlplugin.store import RunFolder
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
    assert f"run {one.name} (finished) is set aside and kept\n" in second.getvalue()
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
