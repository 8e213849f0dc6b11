"""Which dates are for what."""

from datetime import date, datetime
from itertools import pairwise
from typing import Annotated

from pydantic import BeforeValidator, Field

from dlplugin.definition.settings import settings
from dlplugin.errors import DefinitionError

__all__ = ["Split"]


def _date(value: object) -> object:
    """Dates as ISO text, dates or datetimes."""
    if value is None or isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day)
    try:
        if isinstance(value, str) and len(value) >= len("2009-12-31"):
            return datetime.fromisoformat(value)
    except ValueError:
        pass
    raise ValueError("dates are written 2009-12-31")


Date = Annotated[datetime | None, BeforeValidator(_date)]


@settings
class Split:
    """Three spans of dates, the same for all symbols: in-sample, out-of-sample, holdout.

    Fractions are of the sorted union of all timestamps; a date wins over the fraction of the same
    boundary. What in-sample and out-of-sample leave is the holdout.
    """

    in_sample: Annotated[
        float, Field(gt=0, le=1, description="Share of the dates that trains the weights.")
    ] = 0.6
    out_of_sample: Annotated[
        float, Field(ge=0, lt=1, description="Share of the dates that picks the save point; 0 for none.")
    ] = 0.2
    start: Annotated[Date, Field(description="First date that is used.")] = None
    in_sample_end: Annotated[Date, Field(description="Last date of the in-sample span.")] = None
    holdout_start: Annotated[Date, Field(description="First date of the holdout.")] = None
    end: Annotated[Date, Field(description="Last date that is used.")] = None
    embargo: Annotated[
        int, Field(ge=0, description="Extra bars to leave out after each boundary; the purge needs none.")
    ] = 0

    def __post_init__(self) -> None:
        if self.in_sample + self.out_of_sample > 1 + 1e-9:
            total = self.in_sample + self.out_of_sample
            raise DefinitionError(
                f"in_sample and out_of_sample are {total:g} together, but at most 1 is there"
            )
        named = [(name, getattr(self, name)) for name in ("start", "in_sample_end", "holdout_start", "end")]
        given = [(name, moment) for name, moment in named if moment is not None]
        for name, moment in given:
            if moment.tzinfo is not None:
                raise DefinitionError(
                    f"{name} is {moment}, but dates are without a time zone, in the bars' own time"
                )
        for (one, earlier), (other, later) in pairwise(given):
            if earlier >= later:
                raise DefinitionError(
                    f"{one} is {earlier:%Y-%m-%d}, but must lie before {other} {later:%Y-%m-%d}"
                )
