"""Training: against plain PyTorch, seeds, save point, auto-stop, history, Ctrl-C."""

import io
import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
import torch
from rich.console import Console
from safetensors.numpy import load_file

import dlplugin as dl
from dlplugin.engines import RowReader, build_network, seed_networks
from dlplugin.errors import TrainingError
from dlplugin.evaluation import trained
from dlplugin.samples import Samples, build_samples
from dlplugin.training.fit import fit
from tests.training.notes import Notes


def samples_of(model: dl.Model, dataset: dl.DataSet, split: dl.Split | None = None) -> Samples:
    return build_samples(model.definition, dataset, dl.resolve_split(dataset, split or dl.Split()))


def fitted(samples: Samples, **options: object):
    notes = Notes()
    result = fit(samples, dl.TrainingOptions(**options), notes, console=Console(file=io.StringIO()))  # type: ignore[arg-type]
    return result, notes.rows


def bare_loop(
    samples: Samples, options: dl.TrainingOptions
) -> tuple[dict[str, np.ndarray], list[float], list[float]]:
    """The same training in plain PyTorch with its default AdamW, one minibatch after another."""
    network = build_network(samples.definition, 1, options.seed)
    reader = RowReader(samples.layout, samples.matrix.shape[1])
    matrix, targets = torch.from_numpy(samples.matrix), torch.from_numpy(samples.targets)
    rows, seen = torch.from_numpy(samples.rows["in-sample"]), torch.from_numpy(samples.rows["out-of-sample"])
    adam = torch.optim.AdamW(
        network.parameters(), lr=options.learning_rate, weight_decay=options.weight_decay
    )
    in_sample, out_of_sample = [], []
    for epoch in range(1, (options.epochs or 0) + 1):
        order = seed_networks(network, options.seed, epoch, len(rows))[0]
        total = 0.0
        for part in order.split(options.batch_size):
            batch = rows[part]
            loss = torch.nn.functional.mse_loss(
                network(reader(matrix, batch).unsqueeze(0))[0], targets[batch]
            )
            adam.zero_grad()
            loss.backward()
            adam.step()
            total += loss.item() * len(part)
        network.eval()
        with torch.no_grad():
            out = torch.nn.functional.mse_loss(network(reader(matrix, seen).unsqueeze(0))[0], targets[seen])
        network.train()
        in_sample.append(total / len(rows))
        out_of_sample.append(out.item())
    return (
        {name: value.detach().numpy() for name, value in network.state_dict().items()},
        in_sample,
        out_of_sample,
    )


@pytest.mark.parametrize("batch_size", [64, 5000])
def test_weights_and_losses_are_those_of_a_bare_loop(
    model: dl.Model, two_stocks: dl.DataSet, batch_size: int
) -> None:
    samples = samples_of(model, two_stocks)
    options = dl.TrainingOptions(
        epochs=3, batch_size=batch_size, learning_rate=0.01, weight_decay=0.1, save_point="last", seed=4
    )
    result, rows = fitted(samples, **{name: getattr(options, name) for name in options.__dataclass_fields__})
    weights, in_sample, out_of_sample = bare_loop(samples, options)
    for name, value in weights.items():
        np.testing.assert_allclose(result.save_point.weights[name], value, atol=2e-5)
    np.testing.assert_allclose([float(row[1]) for row in rows], in_sample, rtol=1e-5)
    np.testing.assert_allclose([float(row[2]) for row in rows], out_of_sample, rtol=1e-5)


def test_steps_are_counted_by_lightning_in_chunks_of_any_length(monkeypatch, model, two_stocks) -> None:
    samples = samples_of(model, two_stocks)
    whole, rows = fitted(samples, epochs=2, batch_size=32, save_point="last")
    monkeypatch.setattr("dlplugin.training.module.MINIBATCHES_A_STEP", 3)
    monkeypatch.setattr("dlplugin.training.module.CELLS_AT_ONCE", 1)
    cut, cut_rows = fitted(samples, epochs=2, batch_size=32, save_point="last")
    for row, cut_row in zip(rows, cut_rows, strict=True):
        assert float(cut_row[2]) == pytest.approx(float(row[2]), rel=1e-6), "all out-of-sample samples count"
    for name, value in whole.save_point.weights.items():
        np.testing.assert_array_equal(cut.save_point.weights[name], value)


def test_the_save_point_holds_the_weights_of_the_lowest_out_of_sample_loss(model, two_stocks) -> None:
    samples = samples_of(model, two_stocks)
    result, rows = fitted(samples, epochs=25, learning_rate=0.05, auto_stop=None)
    losses = [float(row[2]) for row in rows]
    best = int(np.argmin(losses)) + 1
    assert 1 <= best < 25
    assert result.save_point.epochs.tolist() == [best]
    until_best, _ = fitted(samples, epochs=best, learning_rate=0.05, auto_stop=None, save_point="last")
    for name, value in until_best.save_point.weights.items():
        np.testing.assert_array_equal(result.save_point.weights[name], value)


def test_auto_stop_ends_it_after_so_many_epochs_without_a_lower_loss(model, two_stocks) -> None:
    result, rows = fitted(samples_of(model, two_stocks), epochs=500, learning_rate=0.05, auto_stop=4)
    losses = [float(row[2]) for row in rows]
    assert len(rows) == int(np.argmin(losses)) + 1 + 4
    assert result.stop_reason == "no lower out-of-sample loss for 4 epochs"


def test_without_an_out_of_sample_span_the_last_weights_are_kept_and_nothing_stops_early(
    model, two_stocks
) -> None:
    samples = samples_of(model, two_stocks, dl.Split(0.8, 0.0))
    result, rows = fitted(samples, epochs=6, auto_stop=1)
    assert result.stop_reason == "all 6 epochs done"
    assert [row[2] for row in rows] == [""] * 6
    assert result.save_point.epochs.tolist() == [6]


def test_each_of_several_networks_trains_and_saves_as_if_alone(model, two_stocks) -> None:
    samples = samples_of(model, two_stocks)
    one, _ = fitted(samples, epochs=8, learning_rate=0.03, auto_stop=None)
    three, rows = fitted(samples, epochs=8, learning_rate=0.03, auto_stop=None, networks=3)
    assert three.save_point.epochs[0] == one.save_point.epochs[0]
    for name, value in one.save_point.weights.items():
        np.testing.assert_allclose(three.save_point.weights[name][0], value[0], atol=1e-5)
        assert not np.allclose(three.save_point.weights[name][1], value[0], atol=1e-2)
    assert len(rows) == 8


def test_a_loss_that_is_not_finite_stops_the_training(model, two_stocks) -> None:
    samples = samples_of(model, two_stocks)
    samples.targets[samples.rows["in-sample"][5]] = np.inf
    with pytest.raises(TrainingError) as error:
        fitted(samples, epochs=3)
    assert str(error.value) == (
        "the loss is not finite in epoch 1; try a lower learning_rate than 0.001, or clip= on inputs with extreme values"
    )


def test_the_run_tells_history_counts_dates_and_why_it_stopped(
    model: dl.Model, two_stocks: dl.DataSet
) -> None:
    run = model.train(two_stocks, options=dl.TrainingOptions(epochs=3))
    history = run.history
    assert list(history.columns) == [
        "epoch",
        "in_sample_loss",
        "out_of_sample_loss",
        "learning_rate",
        "seconds",
    ]
    assert history["epoch"].tolist() == [1, 2, 3]
    assert (history["seconds"] > 0).all()
    assert (history["learning_rate"] == 0.001).all()
    assert run.stop_reason == "all 3 epochs done"
    assert run.best_epoch == int(history["out_of_sample_loss"].argmin()) + 1
    assert run.counts["in-sample"].purged == 8
    assert run.spans == dl.resolve_split(two_stocks, dl.Split())
    assert run.facts["dataset"]["symbols"]["IBM"]["fingerprint"] == two_stocks.fingerprint["IBM"]
    assert run.facts["samples_fingerprint"] == samples_of(model, two_stocks).fingerprint
    assert dl.load_run(run.name, model.store).history.equals(history)


def test_a_failed_training_is_marked_and_leaves_the_trained_model_as_it_was(
    monkeypatch, model, two_stocks
) -> None:
    first = model.train(two_stocks, options=dl.TrainingOptions(epochs=1))

    def broken(*_: object) -> None:
        raise TrainingError("it broke")

    monkeypatch.setattr("dlplugin.training.fit.fit", broken)
    with pytest.raises(TrainingError):
        model.train(two_stocks)
    runs = sorted(path.name for path in (model.store / ".runs").iterdir())
    failed = next(name for name in runs if name != first.name)
    assert dl.load_run(failed, model.store).status == "failed"
    assert dl.load_run(failed, model.store).stop_reason == "it broke"
    assert model.status == "trained"
    assert model._source().path == first.path


def press_ctrl_c_after(rows: int, seen: list[object]):
    def append(self, row: object) -> None:
        seen.append(row)
        if len(seen) == rows:
            os.kill(os.getpid(), signal.SIGINT)

    return append


def test_ctrl_c_keeps_what_there_is_then_ends_the_script(monkeypatch, model, two_stocks) -> None:
    before = signal.getsignal(signal.SIGINT)
    monkeypatch.setattr("dlplugin.store.RunFolder.append_history", press_ctrl_c_after(2, []))
    with pytest.raises(KeyboardInterrupt):
        model.train(two_stocks, options=dl.TrainingOptions(epochs=1000, auto_stop=None))
    assert signal.getsignal(signal.SIGINT) is before
    assert model.status == "trained"
    assert (model.record["status"], model.record["stop_reason"]) == ("stopped", "stopped by Ctrl-C")


def test_ctrl_c_ends_a_training_without_a_number_of_epochs_normally(monkeypatch, model, two_stocks) -> None:
    monkeypatch.setattr("dlplugin.store.RunFolder.append_history", press_ctrl_c_after(3, []))
    run = model.train(two_stocks, options=dl.TrainingOptions(epochs=None, auto_stop=None))
    assert run.status == "stopped"
    assert run.facts["epochs"] == 3


def test_it_trains_off_the_main_thread_too(model: dl.Model, two_stocks: dl.DataSet) -> None:
    thread = threading.Thread(target=lambda: model.train(two_stocks, options=dl.TrainingOptions(epochs=1)))
    thread.start()
    thread.join()
    assert model.status == "trained"


TRAIN = """
import sys, dlplugin as dl
dataset = dl.DataSet.bundled("us-stocks").subset(["AAPL", "IBM"])
model = dl.Model("m", ["RSI(14)", dl.Input("ROC(5)", depth=4)], [dl.Output("ROC(5)", look_ahead=5)],
                 dl.MLP(hidden=[16, 8], dropout=0.2), store=sys.argv[1])
run = model.train(dataset, options=dl.TrainingOptions(epochs=4, networks=2, seed=11))
print(run.path)
"""


@pytest.mark.slow
def test_the_same_seed_gives_the_same_weights_byte_for_byte_in_two_processes(tmp_path: Path) -> None:
    started = [
        subprocess.Popen([sys.executable, "-c", TRAIN, str(tmp_path / name)], stdout=subprocess.PIPE, text=True,
                         stderr=subprocess.PIPE)
        for name in "ab"
    ]  # fmt: skip
    files = []
    for process in started:
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
        assert re.fullmatch(
            r"[a-z]+-[a-z]+-\d+: about .* effective samples\nfound .*; trains on .*\n", err
        ), "no Lightning"
        files.append(Path(out.strip()) / "save-point" / "weights.safetensors")
    assert files[0].read_bytes() == files[1].read_bytes()
    assert all(np.isfinite(value).all() for value in load_file(files[0]).values())


def test_progress_shows_both_losses_the_best_epoch_and_the_time_left(model, two_stocks) -> None:
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=160, color_system=None)
    notes = Notes()
    options = dl.TrainingOptions(epochs=4, auto_stop=None)
    fit(samples_of(model, two_stocks), options, notes, console=console)
    rows = notes.rows
    last = next(line for line in reversed(screen.getvalue().splitlines()) if "small" in line)
    best = min(rows, key=lambda row: float(row[2]))
    assert "4/4" in last
    assert f"in-sample {float(rows[-1][1]):.4f}" in last
    assert f"out-of-sample {float(rows[-1][2]):.4f}" in last
    assert f"best {float(best[2]):.4f} in {best[0]}" in last
    assert "0:00 left" in last


def test_progress_fits_a_terminal_of_eighty_columns(model, two_stocks) -> None:
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=80, color_system=None)
    fit(
        samples_of(model, two_stocks),
        dl.TrainingOptions(epochs=200, auto_stop=None),
        Notes(),
        console=console,
    )
    last = next(line for line in reversed(screen.getvalue().splitlines()) if "small" in line)
    assert "200/200 in 0." in last
    assert "0:00 left" in last
    assert "…" not in last


def test_in_a_pipe_progress_is_plain_lines(monkeypatch, model, two_stocks) -> None:
    monkeypatch.setattr("dlplugin.training.progress.SECONDS_BETWEEN_LINES", 0.0)
    pipe = io.StringIO()
    fit(samples_of(model, two_stocks), dl.TrainingOptions(epochs=2), Notes(), console=Console(file=pipe))
    lines = pipe.getvalue().splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("small: epoch 1/2, in-sample ")


def test_a_device_that_is_not_there_is_refused(model: dl.Model, two_stocks: dl.DataSet) -> None:
    if torch.cuda.is_available() or torch.backends.mps.is_available():
        pytest.skip("there is a GPU")
    with pytest.raises(TrainingError) as error:
        model.train(two_stocks, options=dl.TrainingOptions(device="gpu"))
    assert str(error.value) == "device is 'gpu', but there is none that torch can use; use device='auto'"


def test_what_is_not_a_dataset_is_refused(model: dl.Model, two_stocks: dl.DataSet) -> None:
    with pytest.raises(dl.DLPluginError) as error:
        model.train(two_stocks["IBM"])  # type: ignore[arg-type]
    assert str(error.value) == (
        "the dataset is a DataFrame; give a dl.DataSet, such as dl.DataSet.from_frames('mine', {'AAPL': frame})"
    )


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("us-stocks", "the dataset is 'us-stocks', a name; give dl.DataSet.bundled('us-stocks')"),
        ("prices", "the dataset is 'prices'; give a dl.DataSet, such as dl.DataSet.from_folder('prices')"),
    ],
)
def test_a_name_is_no_dataset_but_says_which_is_meant(model: dl.Model, name: str, message: str) -> None:
    with pytest.raises(dl.DLPluginError) as error:
        model.train(name)  # type: ignore[arg-type]
    assert str(error.value) == message


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_trains_what_the_cpu_trains_and_the_cpu_predicts_it(
    model: dl.Model, two_stocks: dl.DataSet
) -> None:
    samples = samples_of(model, two_stocks)
    found = {}
    for device in ("cpu", "gpu"):
        result, _ = fitted(samples, epochs=2, batch_size=512, save_point="last", device=device)
        found[device] = result.save_point.weights
        assert ("cuda" in result.device) == (device == "gpu")
    for name, value in found["cpu"].items():
        assert isinstance(found["gpu"][name], np.ndarray)
        assert found["gpu"][name].shape == value.shape
    run = model.train(two_stocks, options=dl.TrainingOptions(epochs=2))
    assert "cuda" in run.facts["device"]
    assert np.isfinite(model.predict(two_stocks["IBM"]).iloc[300:]).all().all()


NOTEBOOK = """
import dlplugin as dl
dataset = dl.DataSet.bundled("us-stocks").subset(["IBM"])
model = dl.Model("m", ["RSI(14)"], [dl.Output("ROC(5)", look_ahead=5)], store={store!r})
run = model.train(dataset, options=dl.TrainingOptions(epochs=3))
"""


@pytest.mark.slow
def test_in_a_notebook_progress_is_one_line_under_the_cell(tmp_path: Path) -> None:
    import nbformat
    from nbclient import NotebookClient

    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(NOTEBOOK.format(store=str(tmp_path)))])
    NotebookClient(book, timeout=120, kernel_name="python3").execute()
    said, warned, device, output = book.cells[0].outputs  # what it will take, before it begins
    assert said["data"]["text/plain"].endswith(" weights for 274 effective samples\n")
    assert warned["data"]["text/plain"].startswith("warning: the network has 609 weights for 274 effective")
    assert device["data"]["text/plain"].startswith("found ")
    assert output["output_type"] == "display_data"
    assert output["data"]["text/plain"].startswith("m: epoch 3/3, in-sample ")
    assert "best" in output["data"]["text/plain"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"split": dl.TrainingOptions(epochs=1)}, "split is a TrainingOptions; give it as options=..."),
        ({"options": dl.Split()}, "options is a Split; give it as split=..."),
        ({"options": {"epochs": 3}}, "options is {'epochs': 3}, but must be a dl.TrainingOptions(...)"),
        ({"split": dl.Split(0.6, 0.001)}, "the out-of-sample span 2009-07-01 … 2009-07-02 has no samples at look ahead "
         "5: all reach across its end or lie in the embargo; make it longer, or use out_of_sample=0"),
    ],
)  # fmt: skip
def test_what_cannot_be_trained_is_refused_before_anything_is_written(
    model, two_stocks, arguments, message
) -> None:
    with pytest.raises(dl.DLPluginError) as error:
        model.train(two_stocks, **arguments)
    assert str(error.value).startswith(message)
    assert not model.store.exists()


def test_out_of_sample_samples_that_are_all_dropped_can_judge_nothing(
    describe, tmp_path: Path, two_stocks
) -> None:
    def refused(outputs: list[dl.Output], **options: object) -> str:
        with pytest.raises(dl.DLPluginError) as error:
            describe(tmp_path / "models", outputs=outputs).train(
                two_stocks, dl.Split(0.6, 0.004), dl.TrainingOptions(epochs=2, **options)
            )
        assert not (tmp_path / "models").exists()
        return str(error.value)

    extreme = dl.Output("ROC(1)", look_ahead=1, classes=[-4, 4], drop="middle", name="extreme")
    assert refused([extreme]).endswith(
        "has no samples at look ahead 1: all reach across its end, lie in the embargo or in the dropped class; make "
        "it longer, or use out_of_sample=0"
    )
    assert refused([extreme, dl.Output("ROC(1)", look_ahead=1)], monitor="accuracy") == (
        "monitor is 'accuracy', but all out-of-sample samples are in the dropped class of 'extreme'; move the "
        "thresholds, or use monitor='loss'"
    )


def test_an_input_without_any_value_is_the_expressions_fault(describe, tmp_path: Path, two_stocks) -> None:
    with pytest.raises(dl.DLPluginError) as error:
        describe(tmp_path / "models", inputs=["close / (close - close)"]).train(two_stocks)
    assert (
        str(error.value)
        == "'close / (close - close)' has no value on any bar of AAPL, IBM; check the expression"
    )
    assert not (tmp_path / "models").exists()


def test_with_the_last_weights_kept_the_recorded_loss_is_theirs(
    model: dl.Model, two_stocks: dl.DataSet
) -> None:
    options = dl.TrainingOptions(epochs=20, learning_rate=0.05, save_point="last", auto_stop=None)
    run = model.train(two_stocks, options=options)
    losses = run.history["out_of_sample_loss"]
    assert losses.argmin() != 19
    assert run.facts["save_point"] == {
        "epochs": [20],
        "losses": [losses.iloc[-1]],
        "values": [losses.iloc[-1]],
        "ended": [0],
    }


def test_a_rate_that_followed_the_out_of_sample_samples_is_a_reason_for_caution(
    model: dl.Model, two_stocks: dl.DataSet
) -> None:
    for schedule, cautious in (("constant", False), ("on-plateau", True)):
        options = dl.TrainingOptions(epochs=1, schedule=schedule, save_point="last", auto_stop=None)
        model.train(two_stocks, options=options)
        assert ("these figures flatter the model" in model.evaluation.verdict) == cautious


def test_a_model_is_trained_before_it_is_evaluated(
    monkeypatch, model: dl.Model, two_stocks: dl.DataSet
) -> None:
    def full(*_: object) -> None:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr("dlplugin.training.stretch.evaluate_samples", full)
        with pytest.raises(MemoryError):
            model.train(two_stocks, options=dl.TrainingOptions(epochs=1))
    assert model.status == "trained"
    assert model.predict(two_stocks["IBM"]).notna().to_numpy().any()
    assert model.resume().status == "finished"
    assert model.evaluation.results


def test_without_a_holdout_the_verdict_says_so(model: dl.Model, two_stocks: dl.DataSet) -> None:
    model.train(two_stocks, split=dl.Split(0.7, 0.3), options=dl.TrainingOptions(epochs=1))
    assert model.evaluation.verdict.endswith("there is no holdout, so no days are unseen.")
    with pytest.raises(dl.DLPluginError) as error:
        model.spans["holdout"]
    assert str(error.value) == "there is no span 'holdout'; there are: in-sample, out-of-sample"


def test_ridge_sees_the_newest_of_very_many_inputs(
    monkeypatch, model: dl.Model, two_stocks: dl.DataSet
) -> None:
    seen = []
    monkeypatch.setattr("dlplugin.evaluation.trained.MOST_RIDGE_INPUTS", 4)
    original = trained.evaluate
    monkeypatch.setattr(
        "dlplugin.evaluation.trained.evaluate",
        lambda *a, **more: (seen.append(a[2].inputs), original(*a, **more))[1],
    )
    model.train(two_stocks, options=dl.TrainingOptions(epochs=1))
    samples = samples_of(model, two_stocks)
    rows = samples.rows["in-sample"]
    rows = rows[np.lexsort((samples.owner[rows], samples.times[rows]))]
    newest = [(0, 0), (1, 0), (0, 1), (0, 2)]  # bars back, input: of RSI × 3, ROC × 2 (3 apart), ratio × 1
    wanted = np.column_stack(
        [samples.matrix[rows - back, column] for back, column in sorted(newest, key=lambda c: c[::-1])]
    )
    np.testing.assert_array_equal(np.sort(seen[0], axis=1), np.sort(wanted, axis=1))
