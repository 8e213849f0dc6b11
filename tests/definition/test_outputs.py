"""Outputs in classes and quantiles: their words, their columns, and what they leave as it was."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dlplugin as dl
from dlplugin.definition import Definition
from dlplugin.errors import DefinitionError


def output(**changes: object) -> dl.Output:
    return dl.Output(**({"indicator": "ROC(1)", "look_ahead": 1} | changes))  # type: ignore[arg-type]


def definition(*outputs: dl.Output) -> Definition:
    return Definition("mixed", ["RSI(14)"], outputs)


def test_thresholds_are_closed_away_from_the_middle() -> None:
    three = output(classes=[-0.5, 0.55])
    assert three.labels == ("≤ -0.5", "-0.5 … 0.55", "≥ 0.55")
    values = np.array([-9, -0.5, -0.4999, 0.0, 0.5499, 0.55, 9, np.nan])
    np.testing.assert_array_equal(three.classify(values), [0, 0, 1, 1, 1, 2, 2, np.nan])
    two = output(classes=[0])
    assert two.labels == ("< 0", "≥ 0")
    np.testing.assert_array_equal(two.classify(np.array([-1e-9, 0.0, 1e-9])), [0, 1, 1])


@given(st.lists(st.integers(-50, 50), min_size=1, max_size=7, unique=True).map(sorted), st.data())
def test_each_value_is_in_the_class_that_its_thresholds_say(edges: list[int], data: st.DataObject) -> None:
    dropped = data.draw(st.none() | st.integers(0, len(edges))) if len(edges) > 1 else None
    made = output(classes=edges, drop=dropped)
    values = np.array(
        data.draw(st.lists(st.sampled_from(edges) | st.floats(-60, 60), min_size=1)), dtype=float
    )
    half = len(edges) // 2
    for value, found in zip(values, made.classify(values), strict=True):
        number = sum(value > edge for edge in edges[:half]) + sum(value >= edge for edge in edges[half:])
        if number == dropped:
            assert np.isnan(found)
        else:
            assert found == number - (dropped is not None and number > dropped)
            assert 0 <= found < len(made.labels)
    assert len(made.labels) == len(edges) + 1 - (dropped is not None)


def test_a_dropped_class_has_no_label_and_no_number() -> None:
    made = output(classes=[-2, -1, 1, 2], drop="middle")
    assert made.labels == ("≤ -2", "-2 … -1", "1 … 2", "≥ 2")
    np.testing.assert_array_equal(made.classify(np.array([-3, -1.5, 0.0, 1.5, 3])), [0, 1, np.nan, 2, 3])


def test_columns_are_named_after_the_output_its_classes_its_quantiles_and_the_spread() -> None:
    mixed = definition(
        output(),
        output(name="way", classes=[-0.5, 0.55], drop="middle"),
        output(name="range", quantiles=[0.05, 0.5]),
    )
    assert mixed.columns() == (
        "ROC(1)", "way", "way [≤ -0.5]", "way [≥ 0.55]", "range", "range [q 0.05]", "range [q 0.5]",
    )  # fmt: skip
    assert mixed.columns(networks=3) == (
        "ROC(1)", "ROC(1) spread", "way", "way [≤ -0.5]", "way [≥ 0.55]", "way spread",
        "range", "range [q 0.05]", "range [q 0.5]", "range spread",
    )  # fmt: skip


def test_no_two_labels_are_alike_however_close_the_thresholds() -> None:
    close = output(classes=[0.12345678, 0.12345679], quantiles=None)
    assert len(set(close.labels)) == 3
    assert close.labels[0] == "≤ 0.12345678"
    definition(output(quantiles=[0.1234567, 0.12345671]))


def test_outputs_whose_columns_would_be_called_alike_are_refused() -> None:
    with pytest.raises(DefinitionError) as error:
        definition(output(name="up", quantiles=[0.5]), output(name="up [q 0.5]"))
    assert str(error.value) == (
        "two columns of predictions would be called 'up [q 0.5]'; give the outputs other names with name="
    )


def test_outputs_of_numbers_keep_the_text_and_the_hash_that_they_had_before_there_were_others() -> None:
    plain = Definition(
        "two",
        [dl.Input("RSI(14)", depth=3), "ROC(5)"],
        [dl.Output("ROC(5)", look_ahead=5, clip=4.0), dl.Output("ROC(1)", look_ahead=1, pooled=False)],
    )
    assert plain.hash == "fe0cd89dfb97df3130f59e2893d2d3e87ed33537c8ce2525847388a1ebcf1d32"
    assert list(plain.to_dict()["outputs"][0]) == (
        ["indicator", "look_ahead", "scaling", "clip", "pooled", "name"]
    )


def test_each_field_of_an_output_is_kept_in_json_and_yaml_and_changes_the_hash() -> None:
    given = [
        output(),
        output(weight=2.5),
        output(classes=[0]),
        output(classes=[-1, 1]),
        output(classes=[-1, 1], drop="middle"),
        output(classes=[-1, 1], drop=2),
        output(quantiles=[0.1, 0.9]),
        output(quantiles=[0.1, 0.8], weight=0.1),
    ]
    hashes = set()
    for one in given:
        made = definition(one)
        assert Definition.from_json(made.to_json()) == made
        assert Definition.from_yaml(made.to_yaml()) == made
        hashes.add(made.hash)
    assert len(hashes) == len(given)
