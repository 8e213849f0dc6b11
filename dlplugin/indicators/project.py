"""The project file: `dlplugin.yaml` in the current folder, or what `DLPLUGIN_PROJECT` names.

Its list `plugins` names modules with indicators of one's own, such as

    plugins: [my_project.indicators]

They are imported from where Python finds them, and last from the file's own folder.
"""

import importlib
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from dlplugin.errors import DLPluginError, ExpressionError

__all__ = ["FILE", "load_project"]

FILE = "dlplugin.yaml"
_begun: set[Path] = set()


def load_project(load: Callable[[Sequence[str]], None]) -> None:
    """Imports the plugins of the project file, once; does nothing where there is no such file.

    Args:
        load: Imports modules.

    Raises:
        ExpressionError: The file cannot be used, or a module cannot be imported.
    """
    file = _file()
    if file is None or file in _begun:
        return
    _begun.add(file)  # before: what it imports may look names up itself
    try:
        modules = _plugins(file)
        if modules and str(file.parent) not in sys.path:
            sys.path.append(str(file.parent))
            importlib.invalidate_caches()
        for module in modules:
            try:
                load([module])
            except DLPluginError as error:
                named = str(error) if repr(module) in str(error) else f"plugin {module!r}: {error}"
                raise ExpressionError(f"{file}: {named}") from error
    except BaseException:
        _begun.discard(file)  # it is tried again when it is asked for again
        raise


def _file() -> Path | None:
    given = os.environ.get("DLPLUGIN_PROJECT")
    if not given:
        file = Path.cwd() / FILE
        return file if file.is_file() else None
    file = Path(given).expanduser().resolve()
    file = file / FILE if file.is_dir() else file
    if not file.is_file():
        raise ExpressionError(
            f"DLPLUGIN_PROJECT is {given!r}, but there is no file {file}; name a project file or its folder"
        )
    return file


def _plugins(file: Path) -> list[str]:
    import yaml

    try:
        plain = yaml.safe_load(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ExpressionError(f"cannot read {file}: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ExpressionError(f"{file} is not YAML: {' '.join(str(error).split())}") from error
    if plain is None:
        return []
    if not isinstance(plain, dict):
        raise ExpressionError(
            f"{file} holds a {type(plain).__name__}; write names and values, such as plugins: [my_indicators]"
        )
    modules = plain.get("plugins")
    if modules is None:
        return []
    if not isinstance(modules, list) or not all(isinstance(each, str) and each for each in modules):
        raise ExpressionError(
            f"{file}: plugins is {modules!r}; give a list of modules such as [my_indicators]"
        )
    return modules
