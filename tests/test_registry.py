"""Names, descriptions, and what is imported when."""

import sys
from pathlib import Path

import pytest

from dlplugin.errors import DLPluginWarning, RegistryError, UnknownNameError
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


def test_whatever_goes_wrong_while_importing_is_a_reason_and_so_is_the_wrong_kind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "no_driver.py").write_text("raise RuntimeError('no driver\\nwas found')\n")
    monkeypatch.syspath_prepend(tmp_path)
    entries = [Entry("driver", "no_driver:x", "fails"), Entry("name", "sys:platform", "is a text")]
    registry: Registry[type] = Registry("container", entries, "dlplugin.test-containers", holds=type)
    with pytest.raises(RegistryError) as error:
        registry["driver"]
    assert str(error.value) == "container 'driver' cannot be loaded: RuntimeError: no driver was found"
    with pytest.raises(RegistryError) as error:
        registry["name"]
    assert str(error.value) == (
        f"container 'name' cannot be loaded: sys:platform is {sys.platform!r}, but must be an instance of type"
    )


def test_an_unknown_name_is_answered_with_the_closest_and_all_known_names() -> None:
    with pytest.raises(UnknownNameError) as error:
        shapes()["dcit"]
    assert str(error.value) == "unknown container 'dcit'; did you mean 'dict'? there are: broken, dict"
    with pytest.raises(UnknownNameError) as error:
        shapes()["xyz"]
    assert str(error.value) == "unknown container 'xyz'; there are: broken, dict"


def test_nothing_close_is_no_suggestion() -> None:
    assert did_you_mean("qqq", ["RSI"]) == ""


def test_a_package_whose_name_is_taken_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for package, points in (
        ("boxes", "dict = boxes:Box\nbag = builtins:set\n"),
        ("bags", "bag = bags:Bag\n"),
    ):
        folder = tmp_path / f"{package}-1.0.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        (folder / "entry_points.txt").write_text(f"[dlplugin.test-containers]\n{points}")
    monkeypatch.syspath_prepend(tmp_path)
    registry = shapes()
    with pytest.warns(DLPluginWarning) as told:
        assert list(registry) == ["bag", "broken", "dict"]
    messages = sorted(str(each.message) for each in told)
    assert len(messages) == 2
    assert messages[1] == (
        "container 'dict' of the package boxes is left out: dlplugin has one of that name; announce it under another"
    )
    assert messages[0].startswith("container 'bag' of the package ")
    assert registry["dict"] is dict
