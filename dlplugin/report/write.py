"""Writing a report: the file's suffix says in which form."""

import os
from collections.abc import Callable
from pathlib import Path

from dlplugin.errors import DefinitionError
from dlplugin.report.data import ReportData
from dlplugin.report.document import render_json
from dlplugin.report.markdown import render_markdown
from dlplugin.report.page import render_report

__all__ = ["FORMS", "refuse_other_form", "write_report"]

FORMS: dict[str, Callable[[ReportData], str]] = {
    ".html": render_report,
    ".md": render_markdown,
    ".json": render_json,
}


def refuse_other_form(path: Path) -> None:
    """A report's name ends in .html, .md or .json.

    Raises:
        DefinitionError: It does not.
    """
    if Path(path).suffix.lower() not in FORMS:
        raise DefinitionError(
            f"the report is to be {Path(path).name!r}; a page ends in .html, Markdown in .md, data in .json"
        )


def write_report(data: ReportData, path: Path) -> Path:
    """Writes the report; whoever opens `path` finds the old file or the whole new one, never a part.

    Args:
        data: What to show.
        path: The file, .html, .md or .json; its folder is created.

    Returns:
        `path`.

    Raises:
        DefinitionError: It has another suffix.
    """
    path = Path(path)
    refuse_other_form(path)
    page = FORMS[path.suffix.lower()](data).encode("utf-8")
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with beside.open("wb") as file:
            file.write(page)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
    return path
