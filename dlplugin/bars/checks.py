"""What bars must be, and the checks that hold them to it.

Bars are a DataFrame with one row a bar, oldest first:

- index: a DatetimeIndex named "date", in nanoseconds, without a time zone, each date once; a bar's
  date is the vendor's label of it, and its values are known at its close;
- float64 columns open, high, low, close (prices, above 0) and volume (0 or more), then any extra
  columns in the order of their names. Extras may be NaN where nothing is known; the five may not.

`dlplugin.bars.grades` is the table of what may be wrong, and of what is done about it. A DataSet
mends what can be mended. `check_bars`, through which a frame goes that is predicted or traded on,
mends nothing: a dropped last bar would make yesterday's prediction look like today's, and dropped or
sorted rows would no longer stand beside the caller's own.
"""

import warnings
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from dlplugin.bars.findings import Finding, Grade, few
from dlplugin.bars.form import Zone, tidy
from dlplugin.bars.grades import FEWEST_BARS, TIME_ZONE, TOO_FEW, TROUBLES, UNREADABLE, Trouble
from dlplugin.errors import BarsError, DLPluginWarning

__all__ = ["Examined", "check_bars", "examine_bars", "refused"]

MOST_DATES = 100
"""How many of the offending dates a finding lists."""
MOST_SINGLE = 10
"""More offending bars of one trouble than this are one finding."""


class Examined(NamedTuple):
    """A symbol's bars and what was found in them.

    Attributes:
        bars: (T, columns), mended; None where something is refused.
        findings: In the order of the table.
    """

    bars: pd.DataFrame | None
    findings: tuple[Finding, ...]

    @property
    def reason(self) -> str:
        """The first thing that is refused, as an error says it; empty where nothing is."""
        return next((finding.text for finding in self.findings if finding.grade == "refused"), "")


def check_bars(frame: pd.DataFrame, symbol: str, date_format: str | None = None) -> pd.DataFrame:
    """Bars in their one form, or an error that names symbol, date and value; nothing is mended.

    Accepted: column names in any case ("Close", "Adj Close" becomes adj_close), dates as index or as
    a column (date, datetime, timestamp, time ...; see `dates`), numbers of any type.

    Args:
        frame: (T, columns) bars; never changed.
        symbol: Whose bars they are, for messages.
        date_format: How dates that are text are written, as in `datetime.strptime`; None reads ISO
            dates.

    Returns:
        (T, columns) bars as this module describes them. A frame that has passed before passes again
        without its values being copied. What the table only warns about comes as one
        `DLPluginWarning`.

    Raises:
        BarsError: The first thing that is wrong, with the fix.
    """
    examined = examine_bars(frame, symbol, date_format, strict=True)
    if examined.bars is None:
        raise BarsError(examined.reason)
    if examined.findings:
        said = few([finding.text for finding in examined.findings])
        warnings.warn(said, DLPluginWarning, stacklevel=3)
    return examined.bars


def examine_bars(
    frame: object, symbol: str, date_format: str | None = None, strict: bool = False
) -> Examined:
    """Bars mended by the table of grades, and everything that was found.

    Args:
        frame: (T, columns) bars in any form that `check_bars` accepts; never changed.
        symbol: Whose bars they are.
        date_format: As in `check_bars`.
        strict: Refuse what would be mended, and look no further than the first refusal.
    """
    try:
        bars, zone = tidy(frame, symbol, date_format)
    except BarsError as error:
        return Examined(None, (refused(UNREADABLE, symbol, str(error)),))
    findings: list[Finding] = []
    if zone is not None:
        findings.append(_zone_finding(zone, frame, symbol, strict))
    for trouble in TROUBLES:
        lost = any(finding.grade == "refused" for finding in findings)
        if lost and (strict or not trouble.values):
            break
        if len(bars) < FEWEST_BARS:
            break
        rows = trouble.offends(bars)
        if rows.any():
            grade: Grade = "refused" if strict and trouble.grade == "mended" else trouble.grade
            findings += _findings(trouble, grade, bars, rows, symbol)
            if grade == "mended":
                bars = bars[~rows] if trouble.drops else bars.sort_index(kind="stable")
    if len(bars) < FEWEST_BARS and not (strict and findings):
        says = f"{symbol} has fewer than {FEWEST_BARS} bars ({len(bars)}); {TOO_FEW.remedy}"
        findings.append(refused(TOO_FEW, symbol, says, len(bars)))
    if any(finding.grade == "refused" for finding in findings):
        return Examined(None, tuple(findings))
    return Examined(bars.copy(deep=False), tuple(findings))


def refused(trouble: Trouble, symbol: str, text: str, value: float | str | None = None) -> Finding:
    """A refusal that is no single bar's."""
    return Finding(symbol, "refused", trouble.name, 0, (), value, text)


def _zone_finding(zone: Zone, frame: object, symbol: str, strict: bool) -> Finding:
    says = f"{symbol} has dates in the time zone {zone.name}"
    plain, how = (
        ("days", "tz_localize(None)") if zone.whole_days else ("UTC", "tz_convert('UTC').tz_localize(None)")
    )
    if not strict:
        text = f"{says}; {'days kept' if zone.whole_days else 'turned into UTC'}"
    elif isinstance(frame, pd.DataFrame) and isinstance(frame.index, pd.DatetimeIndex):
        text = f"{says}; make them plain {plain}: frame.index = frame.index.{how}"
    else:
        text = f"{says}; write plain {plain}, without the zone"
    return Finding(
        symbol, "refused" if strict else "mended", TIME_ZONE.name, 0, (zone.first,), zone.name, text
    )


def _findings(
    trouble: Trouble, grade: Grade, bars: pd.DataFrame, rows: npt.NDArray[np.bool_], symbol: str
) -> list[Finding]:
    offending = np.flatnonzero(rows)
    end = trouble.remedy if grade == "refused" else trouble.done
    groups = [offending[i : i + 1] for i in range(len(offending))]
    if not trouble.each or len(offending) > MOST_SINGLE:
        groups = [offending]
    found = []
    for group in groups:
        says, value = trouble.spot(bars, int(group[0]))
        among = f" (the first of {len(group)})" if len(group) > 1 else ""
        text = f"{symbol} has {says}{among}; {end}"
        dates = tuple(bars.index[group[:MOST_DATES]])
        found.append(Finding(symbol, grade, trouble.name, len(group), dates, value, text))
    return found
