"""The command about engines: dlplugin engines [NAME]."""

import json as json_module
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from dlplugin.cli.lines import fitted, hanging, typed

if TYPE_CHECKING:
    from dlplugin.actions import EngineEntry, ExplainedEngine

__all__ = ["engine_list", "engine_text", "engines"]

LAYOUTS = {
    "flat": "flat rows: all inputs with their depths side by side; depths may differ",
    "window": "windows: bar by bar, the oldest first; all inputs share one depth and increment",
}


def engines(
    name: Annotated[
        str | None, Parameter(help="One to explain; all are listed when it is not given.")
    ] = None,
    /,
    *,
    json: Annotated[bool, Parameter(help="Print as JSON.", negative="")] = False,
) -> None:
    """List the engines, families of networks that a model can have, or explain one and time it here."""
    from rich.console import Console

    from dlplugin import actions

    console = Console()
    width = console.width if console.is_terminal else None
    if name is None:
        entries = actions.engines()
        plain: object = [asdict(entry) for entry in entries]
        text = "" if json else engine_list(entries, width)
    else:
        explained = actions.engine(name)
        plain = explained.to_dict()
        text = "" if json else engine_text(explained, width)
    print(json_module.dumps(plain, indent=2, ensure_ascii=False) if json else text)


def engine_list(entries: "Sequence[EngineEntry]", width: int | None = None) -> str:
    """A line an engine under the headings of the layouts, the fewest weights first.

    Args:
        entries: The engines.
        width: Characters of a terminal's line. None: lines as long as they come.
    """
    from dlplugin.actions import TYPICAL

    names = max(len(entry.name) for entry in entries)
    counts = max(len(_count(entry.weights)) for entry in entries)
    lines = []
    for layout, heading in LAYOUTS.items():
        members = [entry for entry in entries if entry.layout == layout]
        if members:
            lines += ["", *fitted(heading, width)]
        for entry in sorted(members, key=lambda entry: (entry.weights is None, entry.weights, entry.name)):
            head = f"  {entry.name:{names}}  {_count(entry.weights):>{counts}}  "
            lines += hanging(head, _described(entry), width)
    broken = [entry for entry in entries if entry.layout is None]
    if broken:
        lines += ["", "cannot be used"]
        for entry in broken:
            lines += hanging(f"  {entry.name:{names}}  ", _described(entry), width)
    told = f"weights are those of {TYPICAL}, with the default options"
    count = f"{len(entries)} engines; explain one with: dlplugin engines NAME"
    return "\n".join([*lines[1:], "", *fitted(told, width), *fitted(count, width)])


def engine_text(engine: "ExplainedEngine", width: int | None = None) -> str:
    """One engine in full; examples are not broken, so that they can be copied.

    Args:
        engine: Which.
        width: Characters of a terminal's line. None: lines as long as they come.
    """
    entry = engine.entry
    lines = fitted(f"{entry.name}: {entry.description}", width)
    for paragraph in engine.about if not entry.package else engine.about[1:]:
        lines += ["", *fitted(paragraph, width, 0)]
    rows = _facts(engine)
    labels = max(len(label) for label, _ in rows)
    lines.append("")
    for label, text in rows:
        lines += hanging(f"  {label:{labels}}  ", text, width)
    lines += ["", "options" if engine.options else "it has no options"]
    labels = max((len(option.name) for option in engine.options), default=0)
    for option in engine.options:
        text = f"{option.allowed}; {typed(option.default)} by default. {option.sentence}"
        lines += hanging(f"  {option.name:{labels}}  ", text, width)
    for heading, example in (
        ("in Python", engine.python),
        ("in a file for: dlplugin train FILE", engine.file),
    ):
        lines += ["", heading, *(f"  {line}".rstrip() for line in example.splitlines())]
    return "\n".join(lines)


def _facts(engine: "ExplainedEngine") -> list[tuple[str, str]]:
    from dlplugin.actions import TYPICAL

    entry = engine.entry
    reads = LAYOUTS[entry.layout or "flat"]
    if engine.least_depth is not None:
        reads += f"; {engine.least_depth} bars or more with the default options"
    weights = entry.trouble if entry.weights is None else f"{entry.weights:,} for {TYPICAL}"
    rows = [
        ("good for", engine.good_for),
        ("reads", reads),
        ("weights", weights),
        ("cost", engine.cost),
        ("time", _time(engine)),
        *(("sources" if not place else "", source) for place, source in enumerate(engine.sources)),
        ("package", entry.package),
    ]
    return [(label, text) for label, text in rows if text]


def _time(engine: "ExplainedEngine") -> str:
    if engine.step is None:
        return f"not measured: {engine.not_measured}"
    here = f"one step of 256 samples: {1000 * engine.step.seconds:.2g} ms here"
    beside = "" if engine.entry.name == "mlp" else f", {engine.step.of_mlp:.2g} times the MLP's"
    return f"{here}{beside} (on one thread)"


def _described(entry: "EngineEntry") -> str:
    """What it is, or why it cannot be used, and whose it is."""
    text = "; ".join(part for part in (entry.description, entry.trouble) if part)
    if entry.layout is None:
        text = entry.trouble
    return f"{text} (package {entry.package})" if entry.package else text


def _count(weights: int | None) -> str:
    return "–" if weights is None else f"{weights:,}"
