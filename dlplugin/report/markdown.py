"""The report in GitHub's Markdown: the same sentences and tables, and the figures behind the charts as tables."""

import re

from dlplugin.report.blocks import Block, Chart, Facts, Heading, Section, Table, Words
from dlplugin.report.data import ReportData
from dlplugin.report.overview import chips, key_figures
from dlplugin.report.sections import sections
from dlplugin.report.words import clean, split_sentence

__all__ = ["render_markdown"]

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~$!&])")


def render_markdown(data: ReportData) -> str:
    """The report as text; the same data give the same text."""
    headline, more = split_sentence(data.verdict)
    lines = [f"# {_safe(headline)}", "", f"{_safe(data.model)}: {_safe(data.subtitle)}", ""]
    lines += [_safe(more), ""] if more else []
    lines += [
        f"- **{_safe(chip.text)}**{f': {_safe(chip.meaning)}' if chip.meaning else ''}"
        for chip in chips(data)
    ]
    for group in key_figures(data):
        rows = [[tile.name, f"{tile.value} {tile.error}".strip(), tile.beside] for tile in group.tiles]
        lines += [
            "",
            f"**{_safe(group.title)}**, {_safe(group.span)}",
            "",
            *_table(["figure", "value", "beside"], rows),
        ]
    lines += ["", "± is half of a 95 % interval throughout."]
    for section in sections(data):
        lines += ["", f"## {_safe(section.title)}", *_section(section)]
    return "\n".join(lines) + "\n"


def _section(section: Section) -> list[str]:
    written = [_block(block) for block in section.blocks]
    return [line for lines in written if lines for line in ("", *lines)]


def _block(block: Block) -> list[str]:
    if isinstance(block, Words):
        return [_safe(block.text)]
    if isinstance(block, Heading):
        return [f"### {_safe(block.text)}, {_safe(block.beside)}"]
    if isinstance(block, Facts):
        return _table(["fact", "value"], [[name, value] for name, value in block.facts.items()])
    table = block.table if isinstance(block, Chart) else block
    return [] if table is None else _whole(table)


def _whole(table: Table) -> list[str]:
    titles = _titles(table)
    shown = [i for i, column in enumerate(table.columns) if "bars" not in column.class_]
    rows = [[each.cells[i].words for i in shown] for each in table.rows]
    lines = [f"#### {_safe(table.title)}", ""]
    lines += _table([titles[i] for i in shown], rows) if rows else [_safe(table.nothing)]
    return [*lines, "", _safe(table.caption)] if table.caption else lines


def _titles(table: Table) -> list[str]:
    """The columns' heads, each with the group that it stands in."""
    groups = [group.title for group in table.groups for _ in range(group.columns)]
    groups += [""] * (len(table.columns) - len(groups))
    return [f"{group} {column.title}".strip() for group, column in zip(groups, table.columns, strict=True)]


def _table(heads: list[str], rows: list[list[str]]) -> list[str]:
    rule = [":--", *["--:"] * (len(heads) - 1)]
    cells = [[_safe(cell) or " " for cell in each] for each in [heads, *rows]]
    return [_line(cells[0]), _line(rule), *map(_line, cells[1:])]


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _safe(text: str) -> str:
    """The text with nothing that Markdown or HTML would read as more than text, in one line."""
    return _SPECIAL.sub(r"\\\1", " ".join(clean(text).split()))
