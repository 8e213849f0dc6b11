"""Results as text for a terminal, and as plain values for JSON."""

from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dlplugin.indicators import Entry

__all__ = ["indicator_facts", "indicator_list", "indicator_text"]


def indicator_list(entries: "Sequence[Entry]") -> str:
    """One line an indicator, under the headings of the groups."""
    width = max(len(entry.name) for entry in entries)
    lines = []
    for group, members in groupby(entries, key=lambda entry: entry.group):
        lines += ["", group]
        lines += [f"  {entry.name:{width}}  {entry.description}" for entry in members]
    return "\n".join(
        [*lines[1:], "", f"{len(entries)} indicators; explain one with: dlplugin indicators NAME"]
    )


def indicator_text(entry: "Entry", chart: "Sequence[str]" = ()) -> str:
    """One indicator in full, with the lines of its chart."""
    rows = [("written", entry.usage)]
    for parameter in entry.parameters:
        default = (
            "" if parameter.default is None else f"; {parameter.value_text(parameter.default)} by default"
        )
        rows.append((parameter.name, f"{parameter.meaning}, {parameter.allowed}{default}"))
    if entry.outputs:
        named = {name: [alias for alias, of in entry.aliases.items() if of == name] for name in entry.outputs}
        texts = [name + (f" (or {', '.join(aliases)})" if aliases else "") for name, aliases in named.items()]
        rows.append(("outputs", f"{'; '.join(texts)}; write {entry.name}(...).{entry.outputs[0]}"))
    if entry.warm_up is not None:
        rows.append(("warm-up", f"{entry.warm_up} bars without a value, as written above"))
    if entry.unstable:
        rows.append(("steady", "bars before the warm-up fade, but are never quite forgotten"))
    if entry.start_dependent:
        accepted = f"as an input, write {entry.accepted_as}" if entry.accepted_as else "it cannot be an input"
        rows.append(("start", f"its value depends on where the history starts; {accepted}"))
    if not entry.checked:
        rows.append(("unchecked", "it was let in with check=False, and may look ahead"))
    rows.append(("group", entry.group))
    width = max(len(label) for label, _ in rows)
    return "\n".join(
        [
            f"{entry.name}: {entry.description}",
            "",
            *(f"  {label:{width}}  {text}" for label, text in rows),
            *([""] if chart else []),
            *(f"  {line}" for line in chart),
        ]
    )


def indicator_facts(entry: "Entry") -> dict[str, Any]:
    """One indicator as JSON holds it."""
    return {
        "name": entry.name,
        "group": entry.group,
        "description": entry.description,
        "usage": entry.usage,
        "inputs": list(entry.inputs),
        "parameters": [
            {"name": parameter.name, "default": parameter.default, "meaning": parameter.meaning}
            for parameter in entry.parameters
        ],
        "outputs": list(entry.outputs),
        "warm_up": entry.warm_up,
        "unstable": entry.unstable,
        "start_dependent": entry.start_dependent,
    }
