"""dlplugin engines: what there is, and all about one of them."""

import io
import json
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from rich.console import Console

import dlplugin as dl
from dlplugin import actions
from dlplugin.cli import run
from dlplugin.cli.engines import engine_list, engine_text
from dlplugin.definition import EngineSpec, Shapes, engines, linear_weights
from dlplugin.definition import settings as settings_class
from dlplugin.engines.layers import Linear
from dlplugin.errors import DefinitionError
from dlplugin.registry import Entry

NAMES = list(engines)


@settings_class
class Foreign:
    """A network that another package brings,
    told in two lines.

    And a second paragraph.
    """

    size: int = 3

    def weights(self, shapes: Shapes) -> int:
        window, features = shapes.row
        if window < 20:
            raise DefinitionError(f"engine 'foreign' wants 20 bars, but the inputs have a depth of {window}")
        return window * features * shapes.outputs


def build_foreign(options: Foreign, shapes: Shapes) -> torch.nn.Module:
    raise ValueError("no such\nluck")


FOREIGN = EngineSpec("foreign", Foreign, f"{__name__}:build_foreign", layout="window", chunk=8)


@settings_class
class Wide:
    """A perceptron of 1,024 neurons."""

    def weights(self, shapes: Shapes) -> int:
        return sum(linear_weights(a, b) for a, b in pairwise((*shapes.row, 1024, 1024, shapes.outputs)))


def build_wide(options: Wide, shapes: Shapes) -> torch.nn.Module:
    sizes = (*shapes.row, 1024, 1024, shapes.outputs)
    return torch.nn.Sequential(*(Linear(shapes.networks, a, b) for a, b in pairwise(sizes)))


WIDE = EngineSpec("wide", Wide, f"{__name__}:build_wide", layout="flat", chunk=8)


@pytest.fixture
def add(monkeypatch: pytest.MonkeyPatch):
    """Registers an engine as an entry point of the package dlplugin-foreign does: (name, target)."""

    def add(name: str, target: str) -> None:
        entry = Entry(name, target, "from the package dlplugin-foreign", "dlplugin-foreign")
        monkeypatch.setitem(engines._all(), name, entry)

    return add


def lines(text: str) -> dict[str, str]:
    """First word to its line."""
    return {line.split()[0]: " ".join(line.split()) for line in text.splitlines() if line.strip()}


def test_the_list_tells_layout_weights_and_what_each_is(capsys) -> None:
    assert run(["engines"]) == 0
    printed = capsys.readouterr().out
    flat, windows = printed.index("\nwindows: "), printed.index("\nweights are those of 5 inputs of depth 16")
    told = lines(printed)
    assert told["mlp"] == "mlp 3,137 fully connected layers; fast, and hard to beat"
    assert {"linear", "mlp"} <= lines(printed[:flat]).keys()
    assert set(lines(printed[flat:windows])) == {"windows:", *NAMES} - {"linear", "mlp"}
    for name in NAMES:
        row = (80,) if engines[name].layout == "flat" else (16, 5)
        assert told[name].split()[1] == f"{engines[name].options().weights(Shapes(1, row, 1)):,}"
    assert printed.endswith("11 engines; explain one with: dlplugin engines NAME\n")


def test_the_list_as_json(capsys) -> None:
    assert run(["engines", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert [fact["name"] for fact in facts] == NAMES
    assert facts[NAMES.index("mlp")] == {
        "name": "mlp", "description": "fully connected layers; fast, and hard to beat", "package": "",
        "layout": "flat", "weights": 3137, "trouble": "",
    }  # fmt: skip


def test_the_list_loads_neither_torch_nor_pandas() -> None:
    code = (
        "import sys; from dlplugin.cli import run; assert run(['engines']) == 0\n"
        "print([m for m in ('torch', 'lightning', 'pandas') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_foreign_engines_stand_among_the_others_with_their_package(add, capsys) -> None:
    add("foreign", f"{__name__}:FOREIGN")
    assert run(["engines"]) == 0
    told = lines(capsys.readouterr().out)
    assert told["foreign"] == (
        "foreign – A network that another package brings, told in two lines.; engine 'foreign' wants 20 bars, but "
        "the inputs have a depth of 16 (package dlplugin-foreign)"
    )
    assert "mlp" in told


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("no.such.module:SPEC", "engine 'broken' cannot be loaded: No module named 'no'"),
        (
            "broken_engine_package:SPEC",
            "engine 'broken' cannot be loaded: RuntimeError: no driver was found",
        ),
        (
            "builtins:dict",
            "engine 'broken' cannot be loaded: builtins:dict is <class 'dict'>, but must be an instance of EngineSpec",
        ),
    ],
)
def test_what_cannot_be_loaded_says_why_and_breaks_nothing(
    target: str, reason: str, add, capsys, tmp_path, monkeypatch
) -> None:
    (tmp_path / "broken_engine_package.py").write_text('raise RuntimeError("no driver\\nwas found")\n')
    monkeypatch.syspath_prepend(tmp_path)
    add("broken", target)
    assert run(["engines"]) == 0
    printed = capsys.readouterr().out
    told = lines(printed[printed.index("\ncannot be used\n") :])
    assert told["broken"] == f"broken {reason} (package dlplugin-foreign)"
    assert "mlp" in lines(printed)
    assert run(["engines", "broken"]) == 2
    assert capsys.readouterr().err == f"dlplugin: {reason}\n"
    assert dl.Definition("m", ["RSI(14)"], [dl.Output("ROC(5)", look_ahead=5)], dl.MLP()).spec.name == "mlp"


def test_one_is_explained_with_its_options_and_timed_beside_the_mlp(capsys) -> None:
    assert run(["engines", "mlp"]) == 0
    printed = capsys.readouterr().out
    spec = engines["mlp"]
    for text in (spec.good_for, spec.cost, *spec.sources, "3,137 for 5 inputs of depth 16 and one output"):
        assert f"  {text}\n" in printed
    assert (
        "  hidden         a list of whole numbers from 1 to 65,536; [32, 16] by default. Neurons of each hidden layer.\n"
        in printed
    )
    assert (
        "\nA multi-layer perceptron: fully connected layers on all inputs with their depths side by side.\n"
        in printed
    )
    assert "Args:" not in printed
    assert "  time      one step of 256 samples: " in printed
    assert " ms here (on one thread)\n" in printed


def test_one_without_options_is_explained_with_no_word_of_arguments(capsys) -> None:
    assert run(["engines", "linear"]) == 0
    printed = capsys.readouterr().out
    assert "linear or logistic regression.\n\n  good for" in printed
    assert "\n\nit has no options\n\n" in printed


def test_one_as_json(capsys) -> None:
    assert run(["engines", "mlp", "--json"]) == 0
    fact = json.loads(capsys.readouterr().out)
    assert (fact["name"], fact["weights"], fact["least_depth"]) == ("mlp", 3137, None)
    assert fact["step"]["seconds"] > 0
    assert fact["step"]["of_mlp"] == 1
    assert fact["options"][0]["default"] == [32, 16]
    assert [option["name"] for option in fact["options"]][:2] == ["hidden", "activation"]


def test_a_step_takes_longer_the_more_there_is_to_do(add) -> None:
    add("wide", f"{__name__}:WIDE")
    explained = actions.engine("wide", seconds=0.05)
    assert explained.step is not None
    assert explained.step.of_mlp > 2
    assert " times the MLP's (on one thread)" in engine_text(explained)


def test_what_cannot_be_timed_says_why(add) -> None:
    add("foreign", f"{__name__}:FOREIGN")
    explained = actions.engine("foreign", seconds=0)
    assert explained.step is None
    assert explained.least_depth == 20
    text = engine_text(explained)
    assert (
        "  time     not measured: engine 'foreign' wants 20 bars, but the inputs have a depth of 16\n" in text
    )
    assert text.startswith(
        "foreign: A network that another package brings, told in two lines.\n\nAnd a second"
    )
    assert f"from {__name__} import Foreign\n" in text
    assert "  engine=Foreign(size=3),\n" in text
    assert 'dl.Input("RSI(14)", depth=32)' in text


@pytest.mark.parametrize("name", NAMES)
def test_both_examples_are_complete_and_the_same_model(name: str, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("dlplugin.actions.networks._measured", lambda *_: (None, "not now"))
    explained = actions.engine(name)
    written: dict[str, dl.Model] = {}
    exec(explained.python, written)
    (tmp_path / "model.yaml").write_text(explained.file)
    plan = dl.TrainingPlan.read(tmp_path / "model.yaml")
    assert plan.definition == written["model"].definition
    assert plan.definition.engine == engines[name].options()
    assert plan.dataset.name == "us-stocks"


def test_the_least_depth_is_what_the_engine_refuses_less_than(monkeypatch) -> None:
    monkeypatch.setattr("dlplugin.actions.networks._measured", lambda *_: (None, "not now"))
    for name in NAMES:
        spec = engines[name]
        least = actions.engine(name).least_depth
        if spec.layout == "flat":
            assert least is None
            continue
        spec.options().weights(Shapes(1, (least, 5), 1))
        with pytest.raises(dl.DLPluginError):
            spec.options().weights(Shapes(1, (least - 1, 5), 1))


@pytest.mark.parametrize("width", [40, 60])
def test_narrow_terminals_get_short_lines_and_whole_examples(width: int, monkeypatch) -> None:
    monkeypatch.setattr("dlplugin.actions.networks._measured", lambda *_: (None, "not now"))
    explained = actions.engine("patchtst")
    text = engine_text(explained, width)
    told, examples = text.split("\nin Python\n")
    assert max(map(len, told.splitlines())) <= width
    assert all(f"  {line}".rstrip() in examples.splitlines() for line in explained.python.splitlines())
    assert max(map(len, engine_list(actions.engines(), width).splitlines())) <= width


def test_a_terminal_s_width_is_kept_and_a_pipe_gets_whole_lines(monkeypatch, capsys) -> None:
    run(["engines"])
    whole = capsys.readouterr().out
    terminal = Console(file=io.StringIO(), force_terminal=True, width=50)
    monkeypatch.setattr("rich.console.Console", lambda: terminal)
    run(["engines"])
    narrow = capsys.readouterr().out
    assert max(map(len, narrow.splitlines())) <= 50 < max(map(len, whole.splitlines()))
    assert narrow.split() == whole.split()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["engines", "lstn"], "unknown engine 'lstn'; did you mean 'lstm'? there are: alstm, dlinear, gru, "),
        (["engines", "mlp", "gru"], "dlplugin engines takes no 'gru'; see: dlplugin engines --help"),
    ],
)
def test_wrong_use_is_one_line_and_exit_code_two(arguments: list[str], message: str, capsys) -> None:
    assert run(arguments) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"dlplugin: {message}")
    assert said.count("\n") == 1
