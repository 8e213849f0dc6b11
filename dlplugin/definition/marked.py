"""YAML and JSON as plain values, with the line where each stands.

Words mean what YAML 1.2 says: only true and false are booleans, so that ON and NO are symbols, 1e-3 is a
number, and a date is text. Nothing in a file runs.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from dlplugin.errors import DefinitionError

__all__ = ["Marked", "read_marked"]

Path = tuple[str | int, ...]

MOST_VALUES = 100_000
TOO_DEEP = "this is not a definition: it is nested too deeply"

_SCALARS = {
    "null": re.compile(r"(?:~|null|Null|NULL|)$"),
    "bool": re.compile(r"(?:true|True|TRUE|false|False|FALSE)$"),
    "int": re.compile(r"[-+]?[0-9]+$"),
    "float": re.compile(
        r"(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$"
    ),
}


class _Loader(yaml.SafeLoader):
    """PyYAML with the words of YAML 1.2."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - as PyYAML declares it


for _tag, _pattern in _SCALARS.items():
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", _pattern, None)


@dataclass(frozen=True)
class Marked:
    """What a file holds.

    Attributes:
        plain: Mappings, lists, text, numbers, booleans, None.
        lines: Path of a value, such as ("inputs", 0, "depth"), to the line of its key, from 1; none for
            JSON.
    """

    plain: Any
    lines: Mapping[Path, int] = field(default_factory=dict)


def read_marked(text: str, is_json: bool) -> Marked:
    """Reads a file's text.

    Args:
        text: YAML or JSON.
        is_json: Which of them.

    Raises:
        DefinitionError: It is not what it should be, or a key stands there twice.
    """
    if is_json:
        try:
            return Marked(json.loads(text, object_pairs_hook=_unique))
        except json.JSONDecodeError as error:
            raise DefinitionError(f"line {error.lineno}: this is not JSON: {error.msg}") from None
        except RecursionError:
            raise DefinitionError(TOO_DEEP) from None
        except ValueError:  # Python reads no integer of more than some thousand digits
            raise DefinitionError("this is not a definition: a number in it is too long") from None
    try:
        node = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        raise DefinitionError(f"{line}this is not YAML: {error.problem or error.context}") from None
    except yaml.YAMLError as error:
        raise DefinitionError(f"this is not YAML: {' '.join(str(error).split())}") from None
    except RecursionError:
        raise DefinitionError(TOO_DEEP) from None
    lines: dict[Path, int] = {}
    try:
        return Marked(None if node is None else _plain(node, (), lines), lines)
    except RecursionError:
        raise DefinitionError("this is not a definition: it holds itself") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise DefinitionError(f"{twice!r} is there twice")
    return made


def _plain(node: yaml.Node, path: Path, lines: dict[Path, int]) -> Any:
    if len(lines) > MOST_VALUES:  # a few aliases of aliases are millions
        raise DefinitionError(f"this is not a definition: it holds more than {MOST_VALUES:,} values")
    if isinstance(node, yaml.MappingNode):
        made: dict[Any, Any] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            key = _plain(key_node, (), {})
            if isinstance(key, dict | list):
                raise DefinitionError(f"line {line}: a key must be text")
            if key in made:
                raise DefinitionError(f"line {line}: {key!r} is there twice")
            lines[*path, key] = line
            made[key] = _plain(value_node, (*path, key), lines)
        return made
    if isinstance(node, yaml.SequenceNode):
        for index, each in enumerate(node.value):
            lines[*path, index] = each.start_mark.line + 1
        return [_plain(each, (*path, index), lines) for index, each in enumerate(node.value)]
    return _scalar(node)


def _scalar(node: yaml.Node) -> Any:
    kind, text = node.tag.removeprefix("tag:yaml.org,2002:"), str(node.value)
    if kind == "null":
        return None
    if kind == "bool":
        return text.casefold() == "true"
    try:
        if kind == "int":
            return int(text)
        if kind == "float":
            return float(text.casefold().replace(".inf", "inf").replace(".nan", "nan"))
    except ValueError:  # tagged as one, or too long for Python
        shown = text if len(text) <= 40 else f"{text[:40]}…"
        raise DefinitionError(f"line {node.start_mark.line + 1}: {shown!r} is no number") from None
    return text
