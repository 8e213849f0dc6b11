"""A training as a file describes it."""

import json
from itertools import pairwise
from pathlib import Path

import pytest

import dlplugin as dl
from dlplugin.definition import engines, to_plain

TEXT = """\
name: us-5d
inputs:
  - {indicator: RSI(14), depth: 3}
  - close / SMA(20) - 1
outputs:
  - {indicator: ROC(5), look_ahead: 5}
engine: {name: mlp, hidden: [32, 16], dropout: 1e-1}
dataset: {bundled: us-stocks, symbols: [AAPL, IBM]}
validation: sp500
split:
  in_sample: 0.7
  in_sample_end: 2009-12-31
options:
  learning_rate: 1e-3
  auto_stop: none
  class_weights: [1, 2.5]
  freeze: [hidden]
  nesterov: true
  optimizer: sgd
  momentum: .9
start_from: other
"""
SMALL = """\
name: small
inputs: [RSI(14)]
outputs:
  - {indicator: ROC(5), look_ahead: 5}
"""


@pytest.fixture
def write(tmp_path: Path):
    def write(text: str, name: str = "us-5d.yaml") -> Path:
        path = tmp_path / name
        path.write_text(text)
        return path

    return write


def test_a_file_holds_the_definition_and_how_it_is_trained(write) -> None:
    plan = dl.TrainingPlan.read(write(TEXT))
    assert plan.definition == dl.Definition(
        "us-5d",
        [dl.Input("RSI(14)", depth=3), dl.Input("close / SMA(20) - 1")],
        [dl.Output("ROC(5)", look_ahead=5)],
        dl.MLP(hidden=[32, 16], dropout=0.1),
    )
    assert plan.split == dl.Split(0.7, in_sample_end="2009-12-31")
    assert plan.options == dl.TrainingOptions(
        learning_rate=0.001, auto_stop=None, class_weights=[1, 2.5], freeze=["hidden"], nesterov=True,
        optimizer="sgd", momentum=0.9,
    )  # fmt: skip
    assert plan.start_from == "other"
    assert plan.dataset.symbols == ("AAPL", "IBM")
    assert plan.dataset is plan.dataset
    assert plan.validation is not None
    assert plan.validation.name == "sp500"


def test_only_name_inputs_and_outputs_must_be_there(write) -> None:
    plan = dl.TrainingPlan.read(write(SMALL))
    assert (plan.split, plan.options) == (dl.Split(), dl.TrainingOptions())
    assert (plan.validation, plan.start_from) == (None, None)
    with pytest.raises(dl.DLPluginError) as refused:
        _ = plan.dataset
    assert str(refused.value) == (
        "the training of 'small' names no dataset; add one, such as dataset: us-stocks"
    )


def test_json_and_python_say_the_same_as_yaml(write) -> None:
    from dlplugin.definition.marked import read_marked

    plain = read_marked(TEXT, is_json=False).plain
    read = dl.TrainingPlan.read(write(TEXT))
    assert dl.TrainingPlan.read(write(json.dumps(plain, indent=2), "us-5d.json")) == read
    assert dl.TrainingPlan.from_dict(plain) == read


def test_what_a_model_is_stored_as_can_be_trained(write, model: dl.Model) -> None:
    text = model.definition.to_yaml()
    assert dl.TrainingPlan.read(write(text)).definition == model.definition


def test_folders_are_seen_from_the_file_and_not_from_where_one_stands(
    write, tmp_path: Path, us_stocks: dl.DataSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "prices").mkdir()
    us_stocks["AAPL"].iloc[:99].to_csv(tmp_path / "prices" / "AAPL.csv")
    path = write(SMALL + "dataset: prices\n")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    assert dl.TrainingPlan.read(path).dataset.symbols == ("AAPL",)


def test_fields_can_be_changed_with_values_or_text(write) -> None:
    plan = dl.TrainingPlan.read(write(TEXT))
    changed = plan.changed({"out_of_sample": "0.1"}, {"epochs": "none", "momentum": 0.5}, "third")
    assert changed.split == dl.Split(0.7, 0.1, in_sample_end="2009-12-31")
    assert (changed.options.epochs, changed.options.momentum, changed.options.learning_rate) == (
        None,
        0.5,
        0.001,
    )
    assert (changed.start_from, plan.start_from) == ("third", "other")
    assert plan.changed() == plan
    with pytest.raises(dl.DLPluginError, match="TrainingOptions has no field 'epoch'; did you mean 'epochs'"):
        plan.changed(options={"epoch": 3})


def test_words_are_those_of_yaml_1_2(write) -> None:
    text = SMALL.replace("RSI(14)", "RSI(14), no, on") + "options: {learning_rate: 1E-4, l1: +.5, l2: 1.}\n"
    plain = dl.TrainingPlan.read(write(text.replace(", no, on", ""))).options
    assert (plain.learning_rate, plain.l1, plain.l2) == (1e-4, 0.5, 1.0)
    from dlplugin.definition.marked import read_marked

    words = read_marked("[no, on, ON, yes, true, FALSE, ~, null, 12:30, 2009-12-31, 0x1F, '5', 1_000]", False)
    assert words.plain == [
        "no", "on", "ON", "yes", True, False, None, None, "12:30", "2009-12-31", "0x1F", "5", "1_000",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (SMALL + "optoins: {}\n", ", line 5: a training has no 'optoins'; did you mean 'options'?"),
        (
            SMALL + "colour: red\n",
            ", line 5: a training has no 'colour'; there are: name, inputs, outputs, engine, dataset, validation, "
            "split, options, start_from",
        ),
        (
            SMALL + "options:\n  seed: 1\n  epoch: 3\n",
            ", line 7: TrainingOptions has no field 'epoch'; did you mean 'epochs'?",
        ),
        (
            SMALL + "options:\n  seed: 1\n  learning_rate: fast\n",
            ", line 7: TrainingOptions: learning_rate is 'fast', but should be a valid number",
        ),
        (
            SMALL + "options:\n  optimizer: adam\n  momentum: 0.9\n",
            ", line 6: momentum is 0.9, but optimizer 'adam' does not use it; use optimizer='sgd' or 'rmsprop'",
        ),
        (
            SMALL + "split:\n  in_sample: 0.9\n  out_of_sample: 0.2\n",
            ", line 6: in_sample and out_of_sample are 1.1 together, but at most 1 is there",
        ),
        (SMALL + "split: 0.6\n", ", line 5: split is 0.6, but must be a mapping of names and values"),
        (
            SMALL + "dataset:\n  bundled: us-stocks\n  symbls: [AAPL]\n",
            ", line 7: a dataset from bundled has no 'symbls'; did you mean 'symbols'?",
        ),
        (SMALL + "start_from: 3\n", ", line 5: start_from is 3, but must be a model's name"),
        (
            SMALL + "engine: {name: mpl}\n",
            ", line 5: unknown engine 'mpl'; did you mean 'mlp'? there are: alstm, dlinear, ",
        ),
        (
            SMALL + "engine:\n  name: mlp\n  dropout: 2\n",
            ", line 7: MLP: dropout is 2, but should be less than 1",
        ),
        (
            SMALL + "engine: {hidden: 3}\n",
            ', line 5: engine has no name; give one, such as {"name": "lstm"}; there are: alstm, dlinear, ',
        ),
        (SMALL + "engine: 5\n", ", line 5: engine is 5, but it must be a name or the options of: alstm, dlinear, "),
        (SMALL + "engine: {name: lstm, hiden: 3}\n", ", line 5: LSTM has no field 'hiden'; did you mean 'hidden'?"),
        (SMALL + "engine:\n  name: gru\n  layer: 3\n", ", line 7: GRU has no field 'layer'; did you mean 'layers'?"),
        (SMALL + "engine: {name: linear, hidden: 3}\n", ", line 5: Linear has no field 'hidden'; it has none"),
        (SMALL + "engine:\n  name: lstm\n  1: 3\n", ", line 7: LSTM has no field '1'; there are: hidden, layers, "),
        (SMALL + "engine:\n  name: lstm\n  self: 3\n", ", line 7: LSTM has no field 'self'; there are: hidden, "),
        (
            SMALL + "engine:\n  name: tsmixer\n  activation: rel\n",
            ", line 7: TSMixer: activation is 'rel', but should be 'relu', 'leaky_relu', ",
        ),
        (
            SMALL + "engine:\n  name: transformer\n  width: 30\n",
            ", line 7: width is 30, which 4 heads cannot share evenly; use a multiple",
        ),
        (
            SMALL + "engine:\n  name: patchtst\n  stride: 9\n",
            ", line 7: stride is 9, but a patch has 8 bars, so that some would be seen by none; use stride=8 at most",
        ),
        (
            SMALL + "engine: lstm\n",
            ", line 2: engine 'lstm' reads windows of 2 bars or more, but the inputs have a depth of 1 bar; give each a "
            "greater depth, such as dl.Input('RSI(14)', depth=16)",
        ),
        (
            SMALL.replace("[RSI(14)]", "\n  - {indicator: RSI(14), depth: 4}") + "engine: tcn\n",
            ", line 2: engine 'tcn' with kernel 3 and 3 blocks sees 9 to 29 bars, but the inputs have a depth of 4; give "
            "them one of these, or fewer channels=, one for each block",
        ),
        (
            SMALL.replace("[RSI(14)]", "\n  - {indicator: RSI(14), depth: 4}\n  - ROC(5)") + "engine: gru\n",
            ", line 2: engine 'gru' reads windows, but 'RSI(14)' has depth 4 and increment 1, and 'ROC(5)' depth "
            "1 and increment 1; give all inputs the same, or use engine='mlp'",
        ),
        (
            SMALL.replace("[RSI(14)]", "\n  - RSI(14)\n  - {indicator: ROC(5), deph: 3}"),
            ", line 4: Input has no field 'deph'; did you mean 'depth'?",
        ),
        (
            SMALL.replace("[RSI(14)]", "\n  - RSI(14)\n  - RSJ(14)"),
            ", line 4: unknown indicator 'RSJ'; did you mean 'RSI'? list them with: dlplugin indicators",
        ),
        (
            SMALL.replace("{indicator: ROC(5), look_ahead: 5}", "ROC(5)"),
            ", line 4: one of the outputs is 'ROC(5)', but must be a mapping such as {indicator: ROC(5), "
            "look_ahead: 5}",
        ),
        ("inputs: [RSI(14)]\n", ": a definition needs 'name', but it is missing"),
        (SMALL.replace("small", "1e5"), ", line 1: name is 100000.0, but must be 1 to 64 letters, digits, '.', '-'"),
        ("", ": it holds nothing, but must be a mapping with name, inputs, outputs, engine, dataset, "),
        ("- a\n", ": it holds a list, but must be a mapping with name, inputs, outputs, engine, dataset, "),
        (SMALL + "name: again\n", ", line 5: 'name' is there twice"),
        (SMALL + "options: {epochs: 3\n", ", line 6: this is not YAML: expected ',' or '}', but got '<stream end>'"),
        ("a: &b [*b]\n", ": this is not a definition: it holds itself"),
        ("a: " + "[" * 5000, ": this is not a definition: it is nested too deeply"),
        (
            "a: &a [0, 0, 0, 0, 0, 0, 0, 0, 0, 0]\n"
            + "".join(f"{b}: &{b} [{', '.join([f'*{a}'] * 10)}]\n" for a, b in pairwise("abcdefgh")),
            ": this is not a definition: it holds more than 100,000 values",
        ),
        (SMALL + "options: {seed: !!int one}\n", ", line 5: 'one' is no number"),
        (SMALL + f"options:\n  seed: {'9' * 5000}\n", f", line 6: '{'9' * 40}…' is no number"),
        ("? [a]\n: 1\n", ", line 1: a key must be text"),
        ("a: 1\n--- \nb: 2\n", ", line 2: this is not YAML: but found another document"),
        ("a: \x07\n", ": this is not YAML: unacceptable character #x0007: special characters are not allowed"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_the_file_and_the_line(text: str, message: str, write) -> None:
    path = write(text)
    with pytest.raises(dl.DLPluginError) as refused:
        dl.TrainingPlan.read(path)
    assert str(refused.value).startswith(f"{path}{message}")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("name", list(engines))
def test_every_engine_can_be_named_with_all_of_its_options(name: str, write) -> None:
    deep = SMALL.replace("[RSI(14)]", "\n  - {indicator: RSI(14), depth: 16}")
    default = engines[name].options()
    assert dl.TrainingPlan.read(write(f"{deep}engine: {name}\n")).definition.engine == default
    options = json.dumps({"name": name} | to_plain(default))
    assert dl.TrainingPlan.read(write(f"{deep}engine: {options}\n")).definition.engine == default
    for option in to_plain(default):
        path = write(f"{deep}engine:\n  name: {name}\n  {option}x: 1\n")
        with pytest.raises(dl.DLPluginError) as refused:
            dl.TrainingPlan.read(path)
        kind = type(default).__name__
        assert str(refused.value) == (
            f"{path}, line 8: {kind} has no field '{option}x'; did you mean {option!r}?"
        )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            '{\n"name": "a",\n}',
            ", line 3: this is not JSON: Expecting property name enclosed in double quotes",
        ),
        ('{"name": "a", "name": "b"}', ": 'name' is there twice"),
        ("[" * 100_000, ": this is not a definition: it is nested too deeply"),
        (f'{{"name": {"9" * 5000}}}', ": this is not a definition: a number in it is too long"),
        (
            '{"name": "a", "inputs": [], "output": []}',
            ": a training has no 'output'; did you mean 'outputs'?",
        ),
    ],
)
def test_json_has_lines_only_where_it_is_no_json(text: str, message: str, write) -> None:
    path = write(text, "a.json")
    with pytest.raises(dl.DLPluginError) as refused:
        dl.TrainingPlan.read(path)
    assert str(refused.value).startswith(f"{path}{message}")


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(dl.DLPluginError) as refused:
        dl.TrainingPlan.read(tmp_path / "none.yaml")
    assert str(refused.value) == f"cannot read {tmp_path / 'none.yaml'}: No such file or directory"
    (tmp_path / "latin.yaml").write_bytes("name: ä".encode("latin-1"))
    with pytest.raises(dl.DLPluginError) as refused:
        dl.TrainingPlan.read(tmp_path / "latin.yaml")
    assert str(refused.value) == f"cannot read {tmp_path / 'latin.yaml'}: it is not text in UTF-8"
    with pytest.raises(dl.DLPluginError, match=r"cannot read .*: Is a directory"):
        dl.TrainingPlan.read(tmp_path)


def test_python_values_are_refused_without_a_file() -> None:
    with pytest.raises(dl.DLPluginError) as refused:
        dl.TrainingPlan.from_dict({"nam": "a"})
    assert str(refused.value) == "a training has no 'nam'; did you mean 'name'?"
