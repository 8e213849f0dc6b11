"""Definitions: validation, hash, JSON and YAML both ways."""

import dataclasses
import inspect
import re
from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dlplugin as dl
from dlplugin.definition import Definition, help_sentences
from dlplugin.errors import DefinitionError, DLPluginError, UnknownNameError

ENGINES = "alstm, dlinear, gru, linear, lstm, mlp, nlinear, patchtst, tcn, transformer, tsmixer"
INPUTS = (
    "RSI(14)",
    "ROC(5)",
    "close / SMA(20) - 1",
    "BBANDS(20).upper / close",
    "lag(volume, 2)",
    "day_of_week",
)


def definition(**changes: object) -> Definition:
    values: dict[str, object] = {
        "name": "us-5d",
        "inputs": [dl.Input("RSI(14)", depth=3), "ROC(5)"],
        "outputs": [dl.Output("ROC(5)", look_ahead=5)],
        "engine": dl.MLP(hidden=[32, 16], dropout=0.1),
    }
    return Definition(**(values | changes))  # type: ignore[arg-type]


@st.composite
def definitions(draw: st.DrawFn) -> Definition:
    scaling = st.sampled_from(["standard", "robust", "min-max", "none"])
    clip = st.none() | st.floats(0.5, 10)
    inputs = draw(
        st.lists(
            st.builds(
                dl.Input,
                st.sampled_from(INPUTS),
                st.integers(1, 1000),
                st.integers(1, 20),
                scaling,
                clip,
                st.booleans(),
            ),
            min_size=1,
            max_size=4,
        )
    )
    aheads = draw(st.lists(st.integers(1, 60), min_size=1, max_size=3))
    inputs += draw(
        st.lists(
            st.builds(
                dl.Input,
                st.sampled_from(["day_of_week", "month"]),
                st.integers(1, 1000),
                categories=st.lists(st.integers(0, 12) | st.floats(-9, 9), min_size=1, unique=True),
                embedding=st.none() | st.integers(1, 1024),
            ),
            max_size=2,
        )
    )
    outputs = [dl.Output("ROC(5)", ahead, draw(scaling), name=f"out {i}") for i, ahead in enumerate(aheads)]
    hidden = draw(st.lists(st.integers(1, 64), max_size=3))
    engine = dl.MLP(hidden, draw(st.sampled_from(["relu", "gelu", "tanh"])), draw(st.floats(0, 0.9)))
    return Definition(
        draw(st.from_regex(r"[a-z0-9][a-z0-9._-]{0,20}", fullmatch=True)), inputs, outputs, engine
    )


@given(definitions())
@settings(max_examples=50, deadline=None)
def test_json_and_yaml_give_the_same_definition_back(made: Definition) -> None:
    assert Definition.from_json(made.to_json()) == made
    assert Definition.from_yaml(made.to_yaml()) == made
    assert Definition.from_json(made.to_json()).hash == made.hash


def test_expressions_are_spelled_out_and_labelled_as_they_were_typed() -> None:
    item = dl.Input("RSI( 14 )")
    assert item.indicator == "RSI(close, timeperiod=14)"
    assert item.name == "RSI( 14 )"


def test_labels_do_not_change_the_hash_and_all_else_does() -> None:
    base = definition()
    assert (
        definition(name="other", inputs=[dl.Input("RSI(close, 14)", 3, name="x"), "ROC(5)"]).hash == base.hash
    )
    changed = [
        definition(inputs=[dl.Input("RSI(15)", depth=3), "ROC(5)"]),
        definition(inputs=[dl.Input("RSI(14)", depth=2), "ROC(5)"]),
        definition(inputs=[dl.Input("RSI(14)", depth=3, increment=2), "ROC(5)"]),
        definition(inputs=[dl.Input("RSI(14)", depth=3, clip=3.0), "ROC(5)"]),
        definition(inputs=["ROC(5)", dl.Input("RSI(14)", depth=3)]),
        definition(outputs=[dl.Output("ROC(5)", look_ahead=4)]),
        definition(outputs=[dl.Output("ROC(5)", look_ahead=5, scaling="robust")]),
        definition(engine=dl.MLP(hidden=[32, 16])),
    ]
    hashes = {item.hash for item in changed}
    assert len(hashes) == len(changed)
    assert base.hash not in hashes


def test_a_definition_without_categories_keeps_the_text_and_the_hash_that_it_had_before_there_were_any() -> (
    None
):
    readme = definition(
        inputs=[
            dl.Input("RSI(14)", depth=3),
            dl.Input("ROC(5)", depth=3),
            dl.Input("close / SMA(20) - 1", depth=3),
        ]
    )
    assert readme.hash == "2b44497ad677a7c7eb20b4b1b8c6e24653a334cd4ed7f6e11f7dd9e894ec7d0c"
    assert list(readme.to_dict()["inputs"][0]) == (
        ["indicator", "depth", "increment", "scaling", "clip", "pooled", "name"]
    )


def test_categories_are_numbers_of_every_kind_and_change_the_hash() -> None:
    inputs = [
        dl.Input("day_of_week", categories=values)
        for values in ([0, 1, 2], range(3), np.arange(3), (np.int64(0), 1.0, np.float32(2)), [-0.0, 1, 2])
    ]
    assert {item.categories for item in inputs} == {(0.0, 1.0, 2.0)}
    hashes = [
        definition(inputs=[item]).hash
        for item in (
            *inputs,
            dl.Input("day_of_week"),
            dl.Input("day_of_week", categories=[1, 0, 2]),
            dl.Input("day_of_week", categories=[0, 1, 2], embedding=2),
            dl.Input("day_of_week", categories=[0, 1, 2], embedding=3),
        )
    ]
    assert len(set(hashes[:5])) == 1
    assert len(set(hashes)) == 5


def test_the_width_of_a_row_counts_each_category_at_each_depth() -> None:
    week = dl.Input("day_of_week", depth=3, categories=range(5), embedding=2)
    assert definition(inputs=["ROC(5)", week]).width == 1 + 3 * 5


def test_a_definition_is_immutable() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        definition().name = "x"  # type: ignore[misc]
    with pytest.raises(dataclasses.FrozenInstanceError):
        definition().inputs[0].depth = 5  # type: ignore[misc]


def test_bars_needed_are_warm_up_depth_and_the_bar_itself() -> None:
    assert definition().bars_needed == 14 + 2 + 1
    assert definition(inputs=[dl.Input("SMA(20)", depth=4, increment=5)]).bars_needed == 19 + 15 + 1
    assert definition().width == 4
    outputs = [dl.Output("ROC(1)", look_ahead=1), dl.Output("ROC(7)", look_ahead=7)]
    assert definition(outputs=outputs).look_ahead == 7


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: definition(name="a@1"), "name is 'a@1', but must be 1 to 64 letters, digits, '.', '-' or '_', "
         "and begin with one of the first two"),
        (lambda: definition(inputs=[]), "us-5d has no inputs; give at least one"),
        (lambda: definition(outputs=[]), "us-5d has no outputs; give at least one"),
        (lambda: definition(inputs="RSI(14)"), "inputs and outputs are lists, such as inputs=['RSI(14)']"),
        (lambda: definition(inputs=[3]), "an input is 3, but must be an expression or dl.Input(...)"),
        (lambda: definition(outputs=["ROC(5)"]),
         "an output is 'ROC(5)', but must be dl.Output(expression, look_ahead=...)"),
        (lambda: definition(outputs=[dl.Output("ROC(5)", 5), dl.Output("ROC(5)", 3)]),
         "two outputs are called 'ROC(5)'; give each a name of its own with name="),
        (lambda: dl.Output("ROC(5)", look_ahead=0),
         "Output: look_ahead is 0, but should be greater than or equal to 1"),
        (lambda: dl.Input("RSI(14)", depth=1001), "Input: depth is 1001, but should be less than or equal to 1000"),
        (lambda: dl.Output("ROC(5)"), "Output: look_ahead is missing"),
        (lambda: dl.Input("RSI(14)", dept=3), "Input has no field 'dept'; did you mean 'depth'?"),
        (lambda: dl.Input("RSI(14)", scaling="standart"),
         "Input: scaling is 'standart', but should be 'standard', 'robust', 'min-max' or 'none'"),
        (lambda: dl.MLP(hidden=[0]), "MLP: hidden is 0, but should be greater than or equal to 1"),
        (lambda: dl.MLP(dropout=1.0), "MLP: dropout is 1.0, but should be less than 1"),
        (lambda: dl.Split(60, 20), "Split: in_sample is 60, but should be less than or equal to 1"),
        (lambda: dl.Output("ROC(5)", True), "Output: look_ahead is True, but should be a valid integer"),
        (lambda: dl.Input("ROC(5)", pooled="no"), "Input: pooled is 'no', but should be a valid boolean"),
        (lambda: dl.Input("ROC(5)", clip=float("inf")), "Input: clip is inf, but should be a finite number"),
        (lambda: dl.Input("month", categories=[]), "Input: categories is (), but must hold at least one value"),
        (lambda: dl.Input("month", categories=[1, 2, 1.0]),
         "Input: categories is (1, 2, 1.0), but must hold 1 once only"),
        (lambda: dl.Input("month", categories="12"),
         "Input: categories is '12', but must be a list, such as [0, 1, 2] or dataset.symbols"),
        (lambda: dl.Input("month", categories=[1, float("nan")]),
         "Input: categories is nan, but should be a finite number"),
        (lambda: dl.Input("month", categories=[True]), "Input: categories is True, but should be a valid number"),
        (lambda: dl.Input("month", categories=[1, 2], embedding=0),
         "Input: embedding is 0, but should be greater than or equal to 1"),
        (lambda: dl.Input("month", embedding=2), "'month' has embedding=2, but no categories; give categories=, "
         "such as categories=[0, 1, 2, 3, 4]"),
        (lambda: dl.Input("month", scaling="robust", categories=[1, 2]),
         "'month' has categories, which are not scaled; leave out scaling='robust'"),
        (lambda: dl.Input("month", clip=3.0, categories=[1, 2]),
         "'month' has categories, which are not scaled; leave out clip=3.0"),
        (lambda: dl.Input("month", pooled=False, categories=[1, 2]),
         "'month' has categories, which are not scaled; leave out pooled=False"),
        (lambda: dl.Input(None), "Input: indicator is None, but should be a valid string"),
        (lambda: dl.MLP([8], "relu", 0.1, "none", "plain", 5),
         "MLP: takes 5 values at most: hidden, activation, dropout, normalisation, blocks"),
        (lambda: dl.Split(start="31.12.2009"), "Split: start is '31.12.2009', but dates are written 2009-12-31"),
        (lambda: dl.Split(start=2009), "Split: start is 2009, but dates are written 2009-12-31"),
        (lambda: dl.Split(start="2009-01-01T00:00Z"),
         "start is 2009-01-01 00:00:00+00:00, but dates are without a time zone, in the bars' own time"),
        (lambda: dl.Split(0.9, 0.2), "in_sample and out_of_sample are 1.1 together, but at most 1 is there"),
        (lambda: dl.Split(start="2010-01-01", end="2009-01-01"),
         "start is 2010-01-01, but must lie before end 2009-01-01"),
        (lambda: dl.TrainingOptions(epochs=0),
         "TrainingOptions: epochs is 0, but should be greater than or equal to 1"),
        (lambda: dl.TrainingOptions(class_weights=[0, 0]),
         "TrainingOptions: class_weights is [0, 0], but must not all be 0"),
        (lambda: dl.TrainingOptions(class_weights=[-1, 2]),
         "TrainingOptions: class_weights is -1, but should be greater than or equal to 0"),
        (lambda: dl.TrainingOptions(class_weights="even"),
         "TrainingOptions: class_weights is 'even', but should be 'none' or 'balanced'"),
        (lambda: dl.TrainingOptions(batch_size="all"),
         "TrainingOptions: batch_size is 'all', but should be 'full' or a valid integer"),
        (lambda: dl.TrainingOptions(batch_size=None),
         "TrainingOptions: batch_size is None, but should be 'full' or a valid integer"),
        (lambda: dl.TrainingOptions(batch_size=0),
         "TrainingOptions: batch_size is 0, but should be greater than or equal to 1"),
        (lambda: dl.Output("ROC(1)", 1, classes=[-1, 1], drop="midle"),
         "Output: drop is 'midle', but should be 'middle' or a valid integer"),
        (lambda: dl.TrainingOptions(freeze=3), "TrainingOptions: freeze is 3, but must be a list"),
        (lambda: dl.MLP(None), "MLP: hidden is None, but must be a list"),
        (lambda: dl.TrainingOptions(seed=None), "TrainingOptions: seed is None, but should be a valid integer"),
        (lambda: dl.Output("ROC(1)", 1, classes=[-1, 1], drop=-1),
         "Output: drop is -1, but should be greater than or equal to 0"),
        (lambda: dl.TrainingOptions(freeze="output"),
         "TrainingOptions: freeze is 'output', but must be a list of names, such as ['hidden']"),
        (lambda: Definition.from_json("{"), "the definition is not JSON: Expecting property name enclosed in double "
         "quotes: line 1 column 2 (char 1)"),
        (lambda: Definition.from_dict({"name": "x", "inputs": ["RSI(14)"]}),
         "a definition needs 'outputs', but it is missing"),
        (lambda: Definition.from_dict({"name": "x", "imputs": []}),
         "a definition has no 'imputs'; did you mean 'inputs'?"),
        (lambda: Definition.from_dict({"name": "x", "inputs": 3, "outputs": []}), "inputs is 3, but must be a list"),
        (lambda: Definition.from_yaml("[1]"), "a definition is a mapping with name, inputs, outputs, engine, not list"),
        (lambda: definition(engine=dl.LSTM), "engine is the class LSTM, but must be its options; write engine=LSTM()"),
        (lambda: definition(engine=object), f"engine is <class 'object'>, but it must be a name or the options of: {ENGINES}"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_value_and_the_fix(make: object, message: str) -> None:
    with pytest.raises(DefinitionError) as error:
        make()  # type: ignore[operator]
    assert str(error.value) == message


def test_an_unknown_engine_is_answered_with_those_there_are() -> None:
    with pytest.raises(UnknownNameError) as error:
        definition(engine="mpl")
    assert str(error.value) == f"unknown engine 'mpl'; did you mean 'mlp'? there are: {ENGINES}"


def test_a_wrong_expression_is_refused_where_it_is_written() -> None:
    with pytest.raises(DLPluginError, match="RSJ"):
        dl.Input("RSJ(14)")


def test_every_field_has_a_help_sentence() -> None:
    for cls in (dl.Input, dl.Output, dl.Split, dl.TrainingOptions, dl.MLP):
        sentences = help_sentences(cls)
        assert list(sentences) == [field.name for field in dataclasses.fields(cls)]
        for sentence in sentences.values():
            assert sentence.endswith(".")
            assert sentence[0].isupper()


def test_numpy_numbers_and_dates_of_every_kind_are_taken() -> None:
    assert dl.Input("ROC(5)", depth=np.int64(3)) == dl.Input("ROC(5)", depth=3)
    assert dl.Split(np.float64(0.5), start=date(2009, 1, 2)) == dl.Split(0.5, start="2009-01-02")
    assert dl.Split(start=pd.Timestamp("2009-01-02 10:00")) == dl.Split(start="2009-01-02 10:00")
    assert dl.MLP(hidden=[4, 2]) == dl.MLP(hidden=(4, 2))


def test_none_is_no_list_and_the_word_none() -> None:
    options = dl.TrainingOptions(class_weights=None, sampling=None, freeze=None)  # type: ignore[arg-type]
    assert options == dl.TrainingOptions()
    assert dl.Split(held_out=None) == dl.Split()  # type: ignore[arg-type]
    assert dl.MLP(normalisation=None) == dl.MLP()  # type: ignore[arg-type]
    assert dl.Output("ROC(5)", 5, None).scaling == "none"  # type: ignore[arg-type]


SETTINGS = (dl.Input, dl.Output, dl.Split, dl.TrainingOptions, dl.MLP)


@pytest.mark.parametrize("cls", SETTINGS)
def test_help_explains_every_field_with_its_default(cls: type) -> None:
    text = inspect.getdoc(cls)
    assert text is not None
    _, arguments = text.split("\n\nArgs:\n")
    said = " ".join(arguments.split())
    for field in dataclasses.fields(cls):
        sentence = f"{field.name}: {help_sentences(cls)[field.name]}"
        if field.default is not dataclasses.MISSING:
            default = list(field.default) if isinstance(field.default, tuple) else field.default
            sentence += f" By default {default!r}."
        assert sentence in said
    assert max(map(len, text.splitlines())) <= 100
    first = text.splitlines()[0]
    assert first.endswith(".")
    assert "Args" not in first


@pytest.mark.parametrize("cls", SETTINGS)
def test_a_signature_has_types_only_at_any_depth(cls: type) -> None:
    assert not re.search("Annotated|FieldInfo|function", str(inspect.signature(cls)))


def test_help_shows_types_and_defaults_without_the_machinery() -> None:
    assert str(inspect.signature(dl.Output)).startswith("(indicator: str, look_ahead: int, scaling: Literal[")
    assert "Annotated" not in str(inspect.signature(dl.Split))


@pytest.mark.parametrize(
    "make",
    [
        lambda: dl.MLP([8, 1], normalisation="layer"),
        lambda: dl.LSTM(1, normalisation="layer"),
        lambda: dl.GRU(1, normalisation="layer"),
        lambda: dl.TCN([1], normalisation="layer"),
    ],
)
def test_a_layer_of_one_number_cannot_be_normalised(make) -> None:
    with pytest.raises(
        dl.DLPluginError, match=r"normalisation is 'layer', but a layer of (hidden|channels) 1 would"
    ):
        make()
