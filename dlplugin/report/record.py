"""The record: spans with what was left out of them, openings of the holdout, trials, and all other facts."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from dlplugin.report.blocks import Block, Chart, Column, Facts, Row, Table, Words, row
from dlplugin.report.data import ReportData, SpanRecord
from dlplugin.report.overview import symbols_of
from dlplugin.report.training import span_strip
from dlplugin.report.words import MISSING, count, date, is_intraday, listed, number, sentences

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["openings_block", "record_blocks", "spans_table"]

MOST_TRIALS = 10
MOST_OPENINGS = 20


def record_blocks(data: ReportData) -> list[Block]:
    """Spans on a line of time and in a table, trials, openings, facts."""
    blocks: list[Block] = [
        Chart("spans", "The spans of dates", span_strip(data.spans)),
        spans_table(data),
        openings_block(data, "openings"),
    ]
    if data.trials is not None:
        blocks.append(_trials(data.trials))
    return [*blocks, Facts(data.record)]


def spans_table(data: ReportData) -> Table:
    """First and last bar of every span, its samples, and those that were left out."""
    names = {each.name for each in data.spans}
    missing = [name for name in ("out-of-sample", "holdout") if name not in names]
    titles = ("first bar", "last bar", "samples", "purged", "embargoed", "dropped class")
    return Table(
        name="spans",
        title="Samples of each span, and those that no span uses",
        columns=[Column("span", "name"), *map(Column, titles)],
        rows=_span_rows(data.spans),
        caption=sentences(
            symbols_of(data),
            "purged samples reach across the end of their span, embargoed ones begin too soon after a boundary, and "
            "those of the dropped class have all outputs in a class that is left out",
            f"there is no {' and no '.join(missing)} span" if missing else "",
        ),
    )


def _span_rows(spans: Sequence[SpanRecord]) -> list[Row]:
    intraday = is_intraday([moment for each in spans for moment in (each.start, each.end)])
    return [
        row(
            each.name,
            date(each.start, intraday=intraday),
            date(each.end, intraday=intraday),
            *(number(held, 0) for held in (each.samples, each.purged, each.embargoed, each.dropped)),
        )
        for each in spans
    ]


def openings_block(data: ReportData, name: str) -> Table | Words:
    """Every opening of the holdout, or that it was never opened, and how to."""
    if not any(each.name == "holdout" for each in data.spans):
        return Words("There is no holdout: no days are unseen.")
    if data.openings is None:
        return Words("How often the holdout was opened is not recorded in this store.")
    if data.openings.empty:
        return Words(
            "The holdout was never opened: no score and no trading result of its days was shown. It is opened by "
            "model.open_holdout(reason=…), which is recorded for good."
        )
    return Table(
        name=name,
        title=f"The holdout was opened {count(len(data.openings), 'time')}",
        columns=[
            Column(title, "name")
            for title in ("when, UTC", "by model", "symbols", "days", "what was shown", "reason")
        ],
        rows=[_opening(each) for each in _records(data.openings.tail(MOST_OPENINGS))],
        caption=sentences(
            "every score and every trading result of these symbols on these days counts, those of other models and of "
            "deleted ones too; predicting alone does not",
            f"the last {MOST_OPENINGS} are here, all of them in model.openings"
            if len(data.openings) > MOST_OPENINGS
            else "",
        ),
    )


def _opening(each: "Mapping[str, Any]") -> Row:
    days = f"{_day(each.get('start'))} – {_day(each.get('end'))}"
    symbols = each.get("symbols")
    named = listed(list(symbols), 4) if isinstance(symbols, list | tuple) else MISSING
    return row(
        _moment(each.get("time")),
        _text(each.get("model")),
        named,
        days,
        *(_text(each.get(name)) for name in ("purpose", "reason")),
    )


def _trials(trials: pd.DataFrame) -> Table:
    last = _records(trials.tail(MOST_TRIALS))
    shown = f", the last {MOST_TRIALS} of them here" if len(trials) > MOST_TRIALS else ""
    return Table(
        name="trials",
        title=f"{count(len(trials), 'trial')} judged on these days",
        columns=[Column(title, "name") for title in ("begun, UTC", "model", "run", "data")],
        rows=[
            row(_moment(each.get("time")), *(_text(each.get(name)) for name in ("model", "run", "dataset")))
            for each in last
        ],
        caption=(
            f"Every run counts, deleted ones too{shown}: the more there are, the better the best of them looks by luck."
        ),
        nothing="No run is recorded.",
    )


def _records(frame: pd.DataFrame) -> "list[Mapping[str, Any]]":
    return [{str(key): value for key, value in each.items()} for each in frame.to_dict("records")]


def _text(value: Any) -> str:
    return MISSING if value is None or value != value else str(value)


def _day(moment: Any) -> str:
    return date(moment)


def _moment(moment: Any) -> str:
    return MISSING if moment is None or pd.isna(moment) else f"{pd.Timestamp(moment):%Y-%m-%d %H:%M}"
