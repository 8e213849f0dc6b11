"""The page people read: one HTML file with the verdict, the curves, the tables and the trades."""

from dlplugin.report.data import ReportData, SpanRecord
from dlplugin.report.page import render_report, write_report

__all__ = ["ReportData", "SpanRecord", "render_report", "write_report"]
