"""The error tree is drawn as it is."""

import inspect
import re

from dlplugin import errors


def test_the_drawing_names_every_class_under_its_parent() -> None:
    drawn = {}
    stack: list[tuple[int, str]] = []
    for line in (errors.__doc__ or "").splitlines():
        match = re.match(r"^([\s│├└─]*)(DLPlugin\w*|\w+Error)\b", line)
        if not match or "every" in line:
            continue
        depth = len(match[1])
        while stack and stack[-1][0] >= depth:
            stack.pop()
        drawn[match[2]] = stack[-1][1] if stack else None
        stack.append((depth, match[2]))
    classes = {name: value for name, value in vars(errors).items() if inspect.isclass(value)}
    roots = {"DLPluginError", "DLPluginWarning"}
    assert set(drawn) == set(classes) == set(errors.__all__)
    for name, value in classes.items():
        assert drawn[name] == (None if name in roots else value.__base__.__name__)
