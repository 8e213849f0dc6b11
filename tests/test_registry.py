"""Names, descriptions, and what is imported when."""

import pytest

from dlplugin.errors import RegistryError, UnknownNameError
from dlplugin.registry import Entry, Registry, did_you_mean


def shapes() -> Registry[type]:
    entries = [
        Entry("dict", "builtins:dict", "a mapping"),
        Entry("broken", "no.such.module:x", "is not there"),
    ]
    return Registry("container", entries, entry_points="dlplugin.test-containers")


def test_an_entry_is_imported_only_when_it_is_used() -> None:
    registry = shapes()
    assert list(registry) == ["broken", "dict"]
    assert registry["dict"] is dict
    with pytest.raises(RegistryError) as error:
        registry["broken"]
    assert str(error.value) == "container 'broken' cannot be loaded: No module named 'no'"


def test_an_unknown_name_is_answered_with_the_closest_and_all_known_names() -> None:
    with pytest.raises(UnknownNameError) as error:
        shapes()["dcit"]
    assert str(error.value) == "unknown container 'dcit'; did you mean 'dict'? there are: broken, dict"
    with pytest.raises(UnknownNameError) as error:
        shapes()["xyz"]
    assert str(error.value) == "unknown container 'xyz'; there are: broken, dict"


def test_nothing_close_is_no_suggestion() -> None:
    assert did_you_mean("qqq", ["RSI"]) == ""
