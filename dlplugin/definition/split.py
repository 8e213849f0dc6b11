"""Which dates are for what."""

from collections.abc import Sequence
from datetime import date, datetime
from itertools import pairwise
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

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


def _listed(symbols: object) -> object:
    """One symbol is refused, and not read letter by letter."""
    if isinstance(symbols, str):
        raise ValueError(f"must be a list of symbols, such as [{symbols!r}]")
    return symbols


def _symbols(symbols: Sequence[str]) -> tuple[str, ...]:
    twice = [symbol for index, symbol in enumerate(symbols) if symbol in symbols[:index]]
    if twice:
        raise ValueError(f"must name {twice[0]} once")
    return tuple(symbols)


Date = Annotated[datetime | None, BeforeValidator(_date)]


@settings
class Split:
    """Three spans of dates, the same for all symbols: in-sample, out-of-sample, holdout.

    Fractions are of the sorted union of all timestamps; a date wins over the fraction of the same
    boundary. What in-sample and out-of-sample leave is the holdout. Dates are text such as
    "2009-12-31", dates or datetimes.

    Out of sample are the samples of the out-of-sample dates; with `held_out` those of other symbols
    than train the weights; with `random` some that are drawn from the dates of both spans. The holdout
    is by dates always.
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
    held_out: Annotated[
        Sequence[str],
        AfterValidator(_symbols),
        BeforeValidator(_listed),
        Field(
            description="Symbols that are out of sample only, on the out-of-sample dates; on the in-sample ones "
            "where there are no others."
        ),
    ] = ()
    random: Annotated[
        float | None,
        Field(
            gt=0,
            lt=1,
            description="Share of the samples before the holdout to draw as out-of-sample; it leaks in time series.",
        ),
    ] = None
    random_seed: Annotated[int, Field(ge=0, description="Seed of that draw.")] = 0

    def __post_init__(self) -> None:
        if self.in_sample + self.out_of_sample > 1 + 1e-9:
            total = self.in_sample + self.out_of_sample
            raise DefinitionError(
                f"in_sample and out_of_sample are {total:g} together, but at most 1 is there"
            )
        if self.random is not None and self.held_out:
            raise DefinitionError(
                f"random is {self.random} and held_out {list(self.held_out)}; give one of them"
            )
        if self.random is None and self.random_seed:
            raise DefinitionError(f"random_seed is {self.random_seed}, but random is None; give random=")
        self._check_dates()

    def _check_dates(self) -> None:
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
