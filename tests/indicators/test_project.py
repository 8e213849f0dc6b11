"""The project file's plugins: found in other processes, and what is wrong with them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import dlplugin as dl
from dlplugin.errors import ExpressionError
from dlplugin.indicators import catalogue, describe, plugins, project

MODULE = """
import dlplugin as dl

@dl.indicator(lookback=1)
def of_the_project(bars):
    "The middle."
    return (bars["high"] + bars["low"]) / 2
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, registry) -> Path:
    """Where the project file of the current folder belongs."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(project, "_begun", set())
    monkeypatch.setattr(sys, "path", [*sys.path])
    for name in [name for name in sys.modules if name.startswith("project_")]:
        monkeypatch.delitem(sys.modules, name)
    return tmp_path / "dlplugin.yaml"


def refused(text: str, file: Path) -> str:
    file.write_text(text)
    with pytest.raises(ExpressionError) as refusal:
        describe("of_the_project")
    return str(refusal.value)


def test_a_project_of_the_current_folder_or_a_named_one_works_from_another_process(tmp_path: Path) -> None:
    home, away = tmp_path / "home", tmp_path / "away"
    (home / "project_parts").mkdir(parents=True)
    away.mkdir()
    (home / "dlplugin.yaml").write_text("name: mine\nplugins: [project_parts.indicators]\n")
    (home / "project_parts" / "indicators.py").write_text(MODULE)
    package = str(Path(dl.__file__).parent.parent)
    code = f"import sys; sys.path.insert(0, {package!r}); import dlplugin as dl; print(dl.Indicator('of_the_project()'))"
    for folder, named in ((home, None), (away, home), (away, home / "dlplugin.yaml"), (away, None)):
        environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        if named:
            environment["DLPLUGIN_PROJECT"] = str(named)
        done = subprocess.run(
            [sys.executable, "-I", "-c", code], cwd=folder, env=environment, capture_output=True, text=True
        )
        if folder == away and named is None:
            assert "unknown indicator 'of_the_project'" in done.stderr
        else:
            assert (done.stdout, done.stderr) == ("of_the_project()\n", "")


def test_the_catalogue_lists_it_and_names_of_tablib_do_not_read_the_file(file: Path) -> None:
    file.write_text("plugins: [project_one]\n")
    (file.parent / "project_one.py").write_text(MODULE)
    assert dl.Indicator("RSI(14)").warm_up == 14
    assert "project_one" not in sys.modules
    assert "of_the_project" in catalogue()
    assert describe("of_the_project").description == "The middle."
    assert sys.path[-1] == str(file.parent)
    file.write_text("[no longer YAML")  # it was read, and is not read again
    assert "of_the_project" in catalogue()


def test_a_plugin_that_asks_for_the_indicators_of_another_finds_them(file: Path) -> None:
    file.write_text("plugins: [project_one, project_two]\n")
    (file.parent / "project_one.py").write_text(MODULE)
    (file.parent / "project_two.py").write_text(
        "import dlplugin as dl\nfound = dl.Indicator('SMA(of_the_project(), 3)')\n"
    )
    assert "of_the_project" in plugins.own_functions()
    assert sys.modules["project_two"].found.warm_up == 2


@pytest.mark.parametrize("text", ["", "plugins:\n", "plugins: []\n", "other: 1\n"])
def test_a_file_without_plugins_is_fine(file: Path, text: str) -> None:
    assert refused(text, file).startswith("unknown indicator 'of_the_project'")


def test_what_is_wrong_is_one_line_with_the_files_name_each_time(file: Path) -> None:
    for _ in range(2):
        assert refused("plugins: [project_none]", file) == (
            f"{file}: plugin 'project_none' cannot be imported: ModuleNotFoundError: No module named 'project_none'"
        )
    assert refused("plugins: project_one", file) == (
        f"{file}: plugins is 'project_one'; give a list of modules such as [my_indicators]"
    )
    assert refused("plugins: [1]", file) == (
        f"{file}: plugins is [1]; give a list of modules such as [my_indicators]"
    )
    assert refused("- project_one", file) == (
        f"{file} holds a list; write names and values, such as plugins: [my_indicators]"
    )
    message = refused("plugins: [a", file)
    assert message.startswith(f"{file} is not YAML: while parsing a flow sequence in ")
    assert "\n" not in message
    (file.parent / "project_bad.py").write_text(MODULE.replace("of_the_project", "RSI"))
    assert refused("plugins: [project_bad]", file) == (
        f"{file}: plugin 'project_bad': 'RSI' is one of the built-in indicators; give yours another name with name="
    )
    (file.parent / "project_good.py").write_text(MODULE)
    file.write_text("plugins: [project_good]")
    assert dl.Indicator("of_the_project()").text == "of_the_project()"


def test_a_project_that_is_named_must_be_there(file: Path, monkeypatch) -> None:
    monkeypatch.setenv("DLPLUGIN_PROJECT", "nowhere")
    with pytest.raises(ExpressionError) as refusal:
        describe("of_the_project")
    assert str(refusal.value) == (
        f"DLPLUGIN_PROJECT is 'nowhere', but there is no file {file.parent / 'nowhere'}; name a project file or "
        "its folder"
    )
