"""The report as one HTML file that needs nothing else and asks nothing of the network."""

import base64
import functools
import hashlib
from importlib import resources
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from dlplugin.report.blocks import Chart, Section
from dlplugin.report.charts import Figure
from dlplugin.report.data import ReportData
from dlplugin.report.overview import chips, key_figures
from dlplugin.report.sections import sections
from dlplugin.report.words import clean, split_sentence

__all__ = ["render_report"]


def render_report(data: ReportData) -> str:
    """The report as text; the same data give the same text."""
    style, script = _shipped("report.css"), _shipped("report.js")
    headline, more = split_sentence(data.verdict)
    found = sections(data)
    return (
        _environment()
        .get_template("report.html.jinja")
        .render(
            data=data,
            policy=_policy(style, script),
            style=Markup(style),
            script=Markup(script),
            headline=headline,
            more=more,
            chips=chips(data),
            key_figures=key_figures(data),
            sections=found,
            readings=_readings(_figures(found)),
        )
    )


def _figures(found: list[Section]) -> dict[str, Figure]:
    charts = [block for section in found for block in section.blocks if isinstance(block, Chart)]
    return {chart.name: chart.figure for chart in charts}


def _readings(figures: dict[str, Figure]) -> dict[str, Any]:
    """What hovering reads out: per group its positions and labels, per figure its columns; NaN is null."""
    groups: dict[str, Any] = {}
    for name, figure in figures.items():
        if not figure.group:
            continue
        x = [round(float(x), 1) for x in figure.x]
        group = groups.setdefault(figure.group, {"x": x, "labels": list(figure.labels), "figures": {}})
        group["figures"][name] = [
            {
                "name": column.name,
                "decimals": column.decimals,
                "unit": column.unit,
                "values": [
                    round(v, column.decimals) if np.isfinite(v) else None for v in column.values.tolist()
                ],
            }
            for column in figure.columns
        ]
    return groups


def _policy(style: str, script: str) -> str:
    """Allows this style and this script and nothing else: no request, no frame, no other code."""
    return (
        f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode('utf-8')).digest()).decode('ascii')}"


def _shipped(name: str) -> str:
    return resources.files("dlplugin.report").joinpath(name).read_text(encoding="utf-8")


@functools.cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("dlplugin.report", ""),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=lambda value: clean(value) if type(value) is str else value,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.policies["json.dumps_kwargs"] = {"separators": (",", ":"), "allow_nan": False}
    return environment
