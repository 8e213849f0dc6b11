"""The engine in docs/engines.md, as its reader would make it: the files, the package, and what it is used for."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import dlplugin as dl
from dlplugin.definition import engines, spec_named
from dlplugin.registry import Entry
from dlplugin.testing.engine import CHECKS

PAGE = Path(dl.__file__).parent.parent / "docs" / "engines.md"
FILES = ["pyproject.toml", "dlplugin_pattern/__init__.py", "dlplugin_pattern/network.py", "test_pattern.py"]


def files() -> dict[str, str]:
    """Each file that the page names, with the block that follows."""
    found = re.findall(
        r"^`([\w./]+)`[^\n]*\n\n```\w+\n(.*?)```", PAGE.read_text(), flags=re.DOTALL | re.MULTILINE
    )
    return dict(found)


def use() -> str:
    """The block that trains and predicts with it."""
    return re.findall(r"```python\n(.*?)```", PAGE.read_text(), flags=re.DOTALL)[-1]


def write(folder: Path) -> None:
    for name, text in files().items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def test_the_page_has_the_four_files_of_a_package() -> None:
    assert list(files()) == FILES


def test_the_code_shown_first_describes_two_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    first = re.findall(r"```python\n(.*?)```", PAGE.read_text(), flags=re.DOTALL)[0]
    names: dict[str, dl.Model] = {}
    exec(first, names)
    assert [names[name].definition.spec.name for name in ("small", "large")] == ["gru", "gru"]


def test_the_page_has_all_engines_and_how_they_read() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \|", PAGE.read_text(), flags=re.MULTILINE)
    reads = {"flat": "values", "window": "windows"}
    own = [name for name in engines if not engines.entry(name).package]
    assert sorted(rows) == [(name, reads[spec_named(name).layout]) for name in own]


def test_the_page_explains_every_check_in_its_order() -> None:
    assert re.findall(r"^- \*\*(\w+)\*\*", PAGE.read_text(), flags=re.MULTILINE) == list(CHECKS)


def test_the_engine_shown_passes_its_own_tests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(
        engines._entries, "pattern", Entry("pattern", "dlplugin_pattern:SPEC", "", "dlplugin-pattern")
    )
    tests: dict[str, object] = {}
    exec(files()["test_pattern.py"], tests)
    for name in [name for name in tests if name.startswith("test_")]:
        tests[name]()  # type: ignore[operator]


@pytest.mark.slow
def test_it_installs_and_then_trains_and_predicts(tmp_path: Path) -> None:
    write(tmp_path / "project")
    site = tmp_path / "site"
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "install"]
    offline = ["--no-deps", "--no-build-isolation", "--no-index", "--target", str(site)]
    subprocess.run([*pip, *offline, str(tmp_path / "project")], check=True)
    (tmp_path / "use.py").write_text(
        "import runpy, sys\n"
        f"tests = runpy.run_path({str(tmp_path / 'project' / 'test_pattern.py')!r})\n"
        "for name in [name for name in tests if name.startswith('test_')]: tests[name]()\n"
        "import dlplugin_pattern\n"
        f"assert dlplugin_pattern.__file__.startswith({str(site)!r})\n" + use()
    )
    done = subprocess.run(
        [sys.executable, str(tmp_path / "use.py")],
        cwd=tmp_path,
        env={"PYTHONPATH": f"{site}:{Path(dl.__file__).parent.parent}", "PATH": "", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.strip().splitlines()
    assert len(lines) == 4 + lines[1].startswith("date")
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d +-?\d+\.\d+", line) for line in lines[-3:]), lines
