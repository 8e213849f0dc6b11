"""What people read of a model: a page with the verdict, pictures, tables and the record; Markdown; JSON."""

from dlplugin.report.data import Importance, ReportData, SpanRecord, Traded
from dlplugin.report.document import render_json
from dlplugin.report.markdown import render_markdown
from dlplugin.report.page import render_report
from dlplugin.report.write import refuse_other_form, write_report

__all__ = [
    "Importance",
    "ReportData",
    "SpanRecord",
    "Traded",
    "refuse_other_form",
    "render_json",
    "render_markdown",
    "render_report",
    "write_report",
]
