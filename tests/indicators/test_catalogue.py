import numpy as np
import pytest
import talib
from talib import abstract

from dlplugin.errors import UnknownNameError
from dlplugin.indicators import Indicator, catalogue, compute_columns, describe
from dlplugin.indicators.catalogue import BUILT_IN_GROUP, OTHER_GROUP
from dlplugin.indicators.descriptions import ALIASES, DESCRIPTIONS
from dlplugin.indicators.signature import LONGEST

BUILT_INS = {
    *("lag", "diff", "pct_change", "log", "abs", "sign", "min", "max", "zscore", "rank"),
    *("day_of_week", "month"),
}
FORMS = {"of", "on", "delayed"}


def test_every_function_of_ta_lib_is_reachable_by_its_name(usages):
    groups = talib.get_function_groups()
    assert {name for names in groups.values() for name in names} <= set(catalogue())
    for group, names in groups.items():
        for name in names:
            assert describe(name).group == group
            for text in usages[name]:
                assert f"{name}(" in Indicator(text).text
    assert len(DESCRIPTIONS) == 201


def test_the_catalogue_holds_ta_lib_and_the_built_in_functions_and_nothing_else():
    assert set(catalogue()) == set(talib.get_functions()) | BUILT_INS | FORMS
    assert {name for name, entry in catalogue().items() if entry.group == BUILT_IN_GROUP} == BUILT_INS
    assert {name for name, entry in catalogue().items() if entry.group == OTHER_GROUP} == FORMS


def test_every_entry_is_described_in_one_sentence_of_its_own():
    sentences = [entry.description for entry in catalogue().values()]
    assert all(len(sentence) >= 20 and sentence.endswith(".") for sentence in sentences)
    assert all(sentence[0].isupper() or sentence[0].isdigit() for sentence in sentences)
    assert len(set(sentences)) == len(sentences)
    assert set(DESCRIPTIONS) == set(talib.get_functions())


def test_every_parameter_has_a_meaning_and_allowed_values():
    for entry in catalogue().values():
        for parameter in entry.parameters:
            assert parameter.meaning, (entry.name, parameter.name)
            assert parameter.least < parameter.most
            assert parameter.default is None or parameter.least <= parameter.default <= parameter.most


def test_parameters_inputs_and_outputs_are_those_of_ta_lib():
    for name in talib.get_functions():
        info, entry = abstract.Function(name).info, describe(name)
        assert {each.name: each.default for each in entry.parameters} == dict(info["parameters"])
        assert list(entry.outputs or info["output_names"]) == info["output_names"]
        assert set(entry.aliases.values()) <= set(entry.outputs)


def test_aliases_never_hide_an_output():
    assert set(ALIASES) <= {name for name, entry in catalogue().items() if entry.outputs}
    for name in ALIASES:
        assert not set(describe(name).aliases) & set(describe(name).outputs)
    assert Indicator("BBANDS(20).lower") == Indicator("BBANDS(20).lowerband")
    assert Indicator("MACD().signal") == Indicator("MACD().macdsignal")
    assert Indicator("STOCH().k") == Indicator("STOCH().slowk")
    assert Indicator("STOCHRSI().d") == Indicator("STOCHRSI().fastd")
    assert Indicator("AROON(14).up") == Indicator("AROON(14).aroonup")


def test_the_bounds_of_parameters_are_those_ta_lib_enforces():
    for name in talib.get_functions():
        for parameter in describe(name).parameters:
            for value, allowed in _edges(parameter):
                function = abstract.Function(name)
                function.parameters = {parameter.name: value}
                if name == "MAVP" and parameter.name == "minperiod":
                    function.parameters = {"maxperiod": LONGEST}
                assert (function.lookback >= 0) is allowed, (name, parameter.name, value)


def _edges(parameter):
    if parameter.kind == "real":
        step = 1e-9 if parameter.most < 1000 else 1e36
        return [
            (parameter.least, True),
            (parameter.most, True),
            (parameter.least - (1e-9 if parameter.least > -1 else step), False),
            (parameter.most + step, False),
        ]
    least, most = int(parameter.least), int(parameter.most)
    return [(least, True), (most, True), (least - 1, False), (most + 1, False)]


@pytest.mark.parametrize("bars", ["stock", "currency"])
def test_warm_up_is_the_number_of_leading_nan_on_real_bars(bars, usages, request):
    bars = request.getfixturevalue(bars).iloc[:400]
    for text in (text for texts in usages.values() for text in texts):
        indicator = Indicator(text)
        values = indicator.compute(bars)
        assert np.flatnonzero(~np.isnan(values))[0] == indicator.warm_up, text
        assert np.isnan(values).sum() == indicator.warm_up, text


def test_the_warm_up_of_an_entry_is_that_of_its_defaults(usages):
    for name, entry in catalogue().items():
        if entry.warm_up is not None and not entry.start_dependent:
            assert Indicator(usages[name][0]).warm_up == entry.warm_up, name


def test_usage_is_an_expression_for_everything_that_has_defaults():
    for name, entry in catalogue().items():
        if entry.signature.defaults and not entry.start_dependent:
            text = entry.usage + (f".{entry.outputs[0]}" if entry.outputs else "")
            assert Indicator(text).text == text, name
    assert describe("lag").usage == "lag(x, n=1)"
    assert describe("zscore").usage == "zscore(x, n)"
    assert describe("month").usage == "month"


def test_start_dependent_entries_name_the_form_that_is_accepted():
    marked = {name: entry.accepted_as for name, entry in catalogue().items() if entry.start_dependent}
    assert marked.pop("VWAP") == ""
    assert marked["OBV"] == "diff(OBV(close, volume), n)"
    assert marked["NVI"] == "pct_change(NVI(close, volume), n)"
    for form in marked.values():
        assert Indicator(form.replace(", n)", ", 5)"))


def test_entries_flagged_unstable_include_all_that_ta_lib_flags():
    for name in talib.get_functions():
        flagged = "Function has an unstable period" in abstract.Function(name).function_flags
        assert describe(name).unstable >= flagged, name
    assert not describe("SMA").unstable
    assert describe("MACD").unstable


def test_an_unknown_entry_is_answered_with_the_nearest():
    with pytest.raises(UnknownNameError) as refusal:
        describe("MACDD")
    assert str(refusal.value) == (
        "unknown indicator 'MACDD'; did you mean 'MACD'? list them with: dlplugin indicators"
    )


def test_every_function_agrees_with_ta_libs_own_choice_of_inputs(stock):
    columns = {name: stock[name].to_numpy() for name in stock}
    names = [name for name in talib.get_functions() if describe(name).signature.defaults]
    names = [name for name in names if not describe(name).start_dependent]
    for name in names:
        entry = describe(name)
        texts = [f"{name}().{output}" for output in entry.outputs] or [f"{name}()"]
        ours = compute_columns([Indicator(text) for text in texts], stock).T
        theirs = abstract.Function(name)(columns)
        for mine, other in zip(ours, theirs if entry.outputs else [theirs], strict=True):
            other = np.where(np.isfinite(other) & (np.abs(other) <= 1e100), other, np.nan)
            np.testing.assert_array_equal(mine[entry.warm_up :], other[entry.warm_up :], err_msg=name)
            assert np.isnan(mine[: entry.warm_up]).all()
