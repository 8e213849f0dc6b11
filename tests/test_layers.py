"""Imports point one way: a file imports only what stands above it in the house."""

import ast
import shutil
from pathlib import Path

import dlplugin

PACKAGE = Path(dlplugin.__file__).parent
HOUSE = (
    "errors registry resources bars indicators definition samples engines prediction store evaluation "
    "training production report model trading jobs testing actions cli studio __main__"
).split()
ALLOWED_HOSTS = {
    "torch": {"engines", "prediction", "training", "testing"},
    "lightning": {"training"},
    "backtrader": {"trading"},
}


def files(package: Path) -> list[Path]:
    return sorted(path for path in package.rglob("*.py") if path != package / "__init__.py")


def room(package: Path, path: Path) -> str:
    return path.relative_to(package).parts[0].removesuffix(".py")


def imported(path: Path, types_too: bool = True) -> list[str]:
    """Every module that a file names, at its top or inside a function, and for type checkers or not."""
    names = []
    tree = ast.parse(path.read_text())
    if not types_too:
        tree.body = [
            node
            for node in tree.body
            if not (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test))
        ]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name} imports relatively"
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return names


def violations(package: Path) -> list[str]:
    found = []
    for path in files(package):
        own = room(package, path)
        for name in imported(path):
            parts = name.split(".")
            if parts[0] in ALLOWED_HOSTS and own not in ALLOWED_HOSTS[parts[0]]:
                found.append(f"{path.relative_to(package)} imports {parts[0]}")
            if parts[0] != "dlplugin" or len(parts) < 2 or parts[1] not in HOUSE:
                continue
            if HOUSE.index(parts[1]) > HOUSE.index(own):
                found.append(f"{path.relative_to(package)} imports dlplugin.{parts[1]}")
    return found


def cycles(package: Path) -> list[str]:
    """Files of one room that import each other in a circle."""
    modules = {
        ".".join(("dlplugin", *path.relative_to(package).with_suffix("").parts)): path
        for path in files(package)
    }
    graph = {
        name: {
            target
            for text in imported(path)
            for target in (text, text.rpartition(".")[0])
            if target in modules
        }
        for name, path in modules.items()
        if path.name != "__init__.py"
    }
    found: list[str] = []

    def walk(name: str, trail: tuple[str, ...]) -> None:
        if name in trail:
            found.append(" -> ".join((*trail[trail.index(name) :], name)))
            return
        for target in graph.get(name, ()):
            walk(target, (*trail, name))

    for name in graph:
        walk(name, ())
    return found


def test_every_room_of_the_package_stands_in_the_house() -> None:
    assert {room(PACKAGE, path) for path in files(PACKAGE)} <= set(HOUSE)


def test_every_import_points_upwards_in_the_house() -> None:
    assert violations(PACKAGE) == []


def test_no_files_import_each_other_in_a_circle() -> None:
    assert cycles(PACKAGE) == []


def test_an_import_from_below_is_caught_also_inside_a_function(tmp_path: Path) -> None:
    copy = tmp_path / "dlplugin"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    spans = copy / "samples" / "spans.py"
    spans.write_text(
        spans.read_text()
        + "\n\ndef cheat() -> object:\n    from dlplugin.model import Model\n    return Model\n"
    )
    mlp = copy / "definition" / "options.py"
    mlp.write_text("import torch\n" + mlp.read_text())

    assert violations(copy) == [
        "definition/options.py imports torch",
        "samples/spans.py imports dlplugin.model",
    ]


def test_a_circle_is_caught(tmp_path: Path) -> None:
    copy = tmp_path / "dlplugin"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    features = copy / "samples" / "features.py"
    features.write_text("from dlplugin.samples.samples import Samples\n" + features.read_text())

    assert "dlplugin.samples.features -> dlplugin.samples.samples -> dlplugin.samples.features" in cycles(
        copy
    )
