"""`dlplugin train`: every option is a flag, a line of a file and a field in Python, and they mean the same."""

import json
from dataclasses import fields
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import yaml
from rich.console import Console

import dlplugin as dl
from dlplugin import actions
from dlplugin.cli import run
from dlplugin.cli.app import app
from dlplugin.definition import help_sentences, to_plain
from dlplugin.errors import TrainingError
from dlplugin.evaluation.plain import to_plain as without_nan

SETS: list[dict[str, Any]] = [
    {
        "epochs": 2, "auto_stop": 7, "min_delta": 0.5, "auto_save": 2, "save_point": "smoothed", "smoothing": 0.5,
        "monitor": "accuracy", "averaging": 0.9, "batch_size": "full", "learning_rate": 0.002,
        "optimizer": "sgd", "momentum": 0.8, "nesterov": True, "schedule": "step", "warm_up": 1,
        "schedule_epochs": 3, "schedule_factor": 0.5, "minimum_rate": 1e-5, "loss": "huber", "huber_delta": 0.5,
        "class_loss": "hinge", "class_weights": "balanced", "l1": 1e-4, "penalty_on": "output",
        "weight_decay": 0.01, "clip_norm": 1.0, "input_noise": 0.1, "initialisation": "he", "zero_biases": True,
        "sampling": "over", "half_life": 250.0, "freeze": ["hidden"], "networks": 2, "seed": 5, "device": "cpu",
    },
    {
        "epochs": 1, "auto_stop": None, "batch_size": 512, "loss": "quantile", "quantile": 0.25,
        "class_weights": [1.0, 2.5], "l2": 1e-4, "clip_value": 0.5, "input_masking": 0.1, "input_magnitude": 0.2,
        "uniqueness": True, "precision": "bf16",
    },
]  # fmt: skip
"""Options that go together, each of them none of the defaults; between them all that there are."""
SHARED: list[dict[str, Any]] = [{"devices": 2, "machines": 3}, {"devices": "all"}]
"""Those that would take other processes."""
SPLITS: list[dict[str, Any]] = [
    {
        "in_sample": 0.5, "out_of_sample": 0.25, "start": "2004-06-01T00:00:00",
        "in_sample_end": "2008-12-31T00:00:00", "holdout_start": "2011-06-01T00:00:00",
        "end": "2012-12-31T00:00:00", "embargo": 3, "held_out": ["IBM"],
    },
    {"random": 0.2, "random_seed": 3},
]  # fmt: skip

CLASSES = """\
name: us-5d
inputs: [RSI(14)]
outputs:
  - {indicator: ROC(1), look_ahead: 1, classes: [0]}
  - {indicator: ROC(5), look_ahead: 5}
engine: {name: mlp, hidden: [4]}
dataset: {bundled: us-stocks, symbols: [AAPL, IBM]}
"""


def flags(values: dict[str, Any]) -> list[str]:
    """As they are typed."""
    typed = []
    for name, value in values.items():
        flag = f"--{name.replace('_', '-')}"
        if isinstance(value, bool):
            typed.append(flag)
        elif isinstance(value, list):
            typed += [flag, *map(str, value)]
        else:
            typed += [flag, "none" if value is None else str(value)]
    return typed


def plain_help() -> str:
    """The help of train as words: no frames, no line breaks."""
    console = Console(file=StringIO(), width=240)
    app.help_print(["train"], console=console)
    return " ".join(console.file.getvalue().replace("│", " ").split())  # type: ignore[attr-defined]


def test_the_values_tried_are_all_fields_and_none_of_the_defaults() -> None:
    for sets, cls in (([*SETS, *SHARED], dl.TrainingOptions), (SPLITS, dl.Split)):
        assert set().union(*sets) == {each.name for each in fields(cls)}
        for values in sets:
            given, default = to_plain(cls(**values)), to_plain(cls())
            assert [name for name in values if given[name] == default[name]] == []


@pytest.mark.parametrize("cls", [dl.TrainingOptions, dl.Split])
def test_every_field_is_a_flag_with_its_sentence(cls: type) -> None:
    shown = plain_help()
    for name, sentence in help_sentences(cls).items():
        assert sentence
        assert f"--{name.replace('_', '-')} " in shown
        assert sentence in shown, name


@pytest.mark.filterwarnings("ignore::dlplugin.DLPluginWarning")  # a random split leaks, and says so
@pytest.mark.parametrize(("options", "split"), [*zip(SETS, SPLITS, strict=True)])
def test_a_value_is_the_same_by_flag_by_file_and_in_python(options, split, file, capsys) -> None:
    def trained(more: str, *arguments: str) -> dict[str, Any]:
        Path(file()).write_text(CLASSES + more)
        assert run(["train", "us-5d.yaml", *arguments, "--json"]) == 0
        found: dict[str, Any] = json.loads(capsys.readouterr().out)
        return found

    trained("", "--epochs", "1")  # what is frozen was trained before
    by_flag = trained("", *flags(options), *flags(split), "--start-from", "us-5d")
    by_file = trained(yaml.safe_dump({"options": options, "split": split, "start_from": "us-5d"}))
    plan = dl.TrainingPlan.read("us-5d.yaml")
    in_python = (
        dl.Model.of(plan.definition)
        .train(plan.dataset, dl.Split(**split), dl.TrainingOptions(**options), start_from="us-5d")
        .facts
    )
    for facts in (by_flag, by_file, in_python):
        assert facts["options"] == to_plain(dl.TrainingOptions(**options))
        assert facts["split"] == to_plain(dl.Split(**split))
    assert by_flag["spans"] == by_file["spans"] == in_python["spans"]


def test_accuracy_and_hits_of_classes_are_shown(file, capsys) -> None:
    Path(file()).write_text(CLASSES)
    assert run(["train", "us-5d.yaml", "--epochs", "1"]) == 0
    accuracy = dl.load("us-5d").history.loc[0, "out_of_sample_accuracy"]
    assert f", out-of-sample accuracy {accuracy:.4f}\n" in capsys.readouterr().out
    (row,) = actions.plain_rows(actions.runs())
    scores: Any = dl.load("us-5d").evaluation.scores()[-1]
    assert (row["hits"], row["correlation"]) == (scores.accuracy, without_nan(scores.correlation))
    assert row["hits"] == pytest.approx(accuracy, abs=1e-6)


def test_flags_win_over_the_file_and_leave_the_rest(file) -> None:
    more = (
        "options: {epochs: 9, seed: 4, nesterov: true, optimizer: sgd, momentum: 0.9}\nsplit: {embargo: 2}\n"
    )
    plan = actions.training_plan(file(more)).changed(
        {"in_sample": "0.5"}, {"epochs": "none", "nesterov": False}
    )
    assert plan.options == dl.TrainingOptions(epochs=None, seed=4, optimizer="sgd", momentum=0.9)
    assert plan.split == dl.Split(0.5, embargo=2)


def test_it_trains_the_file_and_says_how_it_ended_and_what_comes_next(file, capsys) -> None:
    assert run(["train", file(), "--epochs", "3"]) == 0
    printed = capsys.readouterr().out
    trained = dl.load("us-5d")
    name = dl.runs().loc[0, "run"]
    best = trained.history.iloc[trained.best_epoch - 1]
    assert printed == (
        f"run {name} of us-5d: finished, all 3 epochs done\n"
        f"best epoch {trained.best_epoch} of 3: in-sample loss {best['in_sample_loss']:.4f}, "
        f"out-of-sample loss {best['out_of_sample_loss']:.4f}\n"
        f"{trained.evaluation.headline}\n"
        f"look at it with: dlplugin runs show {name}\n"
        "in Python: dl.load('us-5d').evaluation shows how it does, .lock() makes it final\n"
    )


def test_without_out_of_sample_samples_it_says_that_nothing_is_known(file, capsys) -> None:
    assert run(["train", file(), "--epochs", "1", "--out-of-sample", "0", "--auto-stop", "none"]) == 0
    assert capsys.readouterr().out.splitlines()[2] == (
        "There is no out-of-sample span, so whether the model beats anything is not known: in-sample figures only "
        "say how well it remembers."
    )


@pytest.mark.parametrize("options", SHARED)
def test_devices_and_machines_are_the_same_by_flag_by_file_and_in_python(
    monkeypatch: pytest.MonkeyPatch, file, capsys, options: dict[str, Any]
) -> None:
    heard: list[dl.TrainingPlan] = []

    def not_now(plan: dl.TrainingPlan, *more: object) -> None:
        heard.append(plan)
        raise TrainingError("not now")

    monkeypatch.setattr("dlplugin.actions.train", not_now)
    assert run(["train", file(), *flags(options)]) == 2
    path = Path(file())
    path.write_text(path.read_text() + yaml.safe_dump({"options": options}))
    assert run(["train", str(path)]) == 2
    assert capsys.readouterr().err == "dlplugin: not now\n" * 2
    for plan in heard:
        assert {name: getattr(plan.options, name) for name in options} == options


@pytest.mark.filterwarnings("always::dlplugin.DLPluginWarning")
def test_a_warning_is_one_line(file, capsys) -> None:
    assert run(["train", file(), "--epochs", "1", "--random", "0.2"]) == 0
    lines = capsys.readouterr().err.splitlines()
    assert "\n".join(
        line for line in lines if "weights for" not in line and not line.startswith("found ")
    ) == (
        "warning: the out-of-sample samples are a random 20 % and share bars with in-sample ones (no purge parts "
        "them), so their loss flatters the model; leave random= out to choose by dates"
    )


def test_a_stored_model_is_trained_as_in_its_newest_run(file, capsys) -> None:
    assert run(["train", file(), "--epochs", "2", "--embargo", "2", "--json"]) == 0
    first = json.loads(capsys.readouterr().out)
    assert run(["train", "us-5d", "--seed", "3", "--json"]) == 0
    second = json.loads(capsys.readouterr().out)
    assert second["run"] != first["run"]
    assert second["options"] == to_plain(dl.TrainingOptions(epochs=2, seed=3))
    for same in ("definition", "dataset", "spans", "split"):
        assert second[same] == first[same]
    assert run(["train", "us-5d", "--data", "us-stocks", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["dataset"]["symbols"]) == 11


def test_a_model_trained_on_a_folder_finds_it_again(
    file, tmp_path: Path, us_stocks: dl.DataSet, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    folder = tmp_path / "us-stocks"  # the name of a bundled set, but other bars
    folder.mkdir()
    us_stocks["AAPL"].iloc[:600].to_csv(folder / "AAPL.csv")
    assert run(["train", file(), "--data", "./us-stocks", "--epochs", "1"]) == 0
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    store = ["--store", str(tmp_path / "models")]
    us_stocks["AAPL"].iloc[:700].to_csv(folder / "AAPL.csv")
    capsys.readouterr()
    assert run(["train", "us-5d", *store, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["dataset"]["symbols"]["AAPL"]["bars"] == 700
    folder.rename(tmp_path / "moved")
    assert run(["train", "us-5d", *store]) == 2
    assert capsys.readouterr().err == (
        f"dlplugin: the newest run of 'us-5d' read 'us-stocks', but there is no folder {str(folder)!r}; name its "
        "data with --data\n"
    )
    assert run(["train", "us-5d", *store, "--data", "../moved"]) == 0


def test_data_of_a_model_trained_on_frames_need_to_be_named(file, us_stocks: dl.DataSet, capsys) -> None:
    mine = dl.DataSet.from_frames("mine", {"AAPL": us_stocks["AAPL"]})
    model = dl.Model.of(dl.TrainingPlan.read(file()).definition)
    model.train(us_stocks.subset("IBM"), options=dl.TrainingOptions(epochs=1), validation=mine)
    capsys.readouterr()
    assert run(["train", "us-5d"]) == 2
    assert capsys.readouterr().err == (
        "dlplugin: the newest run of 'us-5d' read 'mine', frames in memory; name its data with --validation\n"
    )


def test_a_draft_has_no_data_of_its_own(file, capsys) -> None:
    dl.Model.of(dl.TrainingPlan.read(file()).definition).save()
    assert run(["train", "us-5d"]) == 2
    assert capsys.readouterr().err == (
        "dlplugin: model 'us-5d' has no run to take its data from; name them with --data us-stocks\n"
    )
    assert run(["train", "us-5d", "--data", "us-stocks", "--epochs", "1"]) == 0


def test_models_go_into_the_store_that_is_named(file, tmp_path: Path, capsys) -> None:
    at = tmp_path / "my store"
    assert run(["train", file(), "--epochs", "1", "--store", str(at)]) == 0
    printed = capsys.readouterr().out
    name = dl.runs(at).loc[0, "run"]
    assert f"dlplugin runs show {name} --store '{at}'\n" in printed
    assert f"dl.load('us-5d', store={str(at)!r}).evaluation" in printed
    assert not (tmp_path / "models").exists()


@pytest.mark.parametrize(
    ("more", "arguments", "message"),
    [
        ("", ["--epochs", "many"], "--epochs is 'many', but should be a valid integer"),
        ("", ["--auto-stop", "0"], "--auto-stop is 0, but should be greater than or equal to 1"),
        ("", ["--batch-size", "fill"], "--batch-size is 'fill', but should be 'full' or a valid integer"),
        ("", ["--start", "yesterday"], "--start is 'yesterday', but dates are written 2009-12-31"),
        (
            "",
            ["--momentum", "0.9"],
            "momentum is 0.9, but optimizer 'adamw' does not use it; use optimizer='sgd' or 'rmsprop'",
        ),
        (
            "",
            ["--loss", "mean"],
            'Invalid value "mean" for --loss. Choose from: "squared", "absolute", "huber", "log-cosh", "quantile".',
        ),
        ("", ["--epoch", "3"], "Unknown option: --epoch. Did you mean --epochs?"),
        ("", ["--class-weights", "-1", "1"], "--class-weights is -1, but should be greater than or equal to 0"),
        (
            "",
            ["--held-out", "IBM,MSFT"],
            "--held-out is 'IBM,MSFT', but values are parted by spaces: --held-out IBM MSFT",
        ),
        (
            "",
            ["--class-weights", "1,", "2.5"],
            "--class-weights is '1, 2.5', but values are parted by spaces: --class-weights 1 2.5",
        ),
        (
            "options: {epochs: 0}\n",
            [],
            "us-5d.yaml, line 8: TrainingOptions: epochs is 0, but should be greater than or equal to 1",
        ),
        ("split: {in_smple: 1}\n", [], "us-5d.yaml, line 8: Split has no field 'in_smple'; did you mean 'in_sample'?"),
        (
            "",
            ["--data", "us-stoks"],
            "there is no folder 'us-stoks' and no bundled DataSet of that name; did you mean 'us-stocks'? there are: "
            "us-stocks, sp500, eurusd-1h",
        ),
    ],
)  # fmt: skip
def test_wrong_use_is_one_line_and_exit_code_two(
    more: str, arguments: list[str], message: str, file, capsys
) -> None:
    assert run(["train", file(more), *arguments]) == 2
    assert capsys.readouterr().err == f"dlplugin: {message}\n"
    assert not Path("models").exists()


def test_a_name_that_is_neither_file_nor_model_is_told_both(file, capsys) -> None:
    at = Path("models").absolute()
    assert run(["train", "us-5d"]) == 2
    assert capsys.readouterr().err == (
        f"dlplugin: there is no file 'us-5d' and no model of that name in {at}; write a definition file, such as "
        "us-5d.yaml\n"
    )
    dl.Model.of(dl.TrainingPlan.read(file()).definition).save()
    assert run(["train", "us-6d"]) == 2
    assert capsys.readouterr().err == (
        f"dlplugin: there is no file 'us-6d' and no model of that name in {at}; did you mean 'us-5d'?\n"
    )
    assert run(["train", "us-6d.yaml"]) == 2
    assert capsys.readouterr().err == "dlplugin: cannot read us-6d.yaml: No such file or directory\n"
    text = Path("us-5d.yaml").read_text()
    Path("bare.yml").write_text(text[: text.index("dataset")])
    assert run(["train", "bare.yml"]) == 2
    assert capsys.readouterr().err == (
        "dlplugin: bare.yml names no dataset; add one, or name it with --data us-stocks\n"
    )
