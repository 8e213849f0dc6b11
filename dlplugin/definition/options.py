"""How a model is trained: which dates are for what, and the training options."""

from datetime import date, datetime
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from dlplugin.definition.settings import settings
from dlplugin.errors import DefinitionError

__all__ = ["Split", "TrainingOptions"]


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


@settings
class TrainingOptions:
    """How the weights are found."""

    epochs: Annotated[
        int | None,
        Field(ge=1, description="Passes over all in-sample samples; none trains until it is stopped."),
    ] = 300
    auto_stop: Annotated[
        int | None,
        Field(
            ge=1,
            description="Stops after so many epochs without a lower out-of-sample loss; none never does.",
        ),
    ] = 50
    save_point: Annotated[
        Literal["best", "last"],
        Field(description="Which weights are kept: those of the lowest out-of-sample loss, or the last."),
    ] = "best"
    batch_size: Annotated[int, Field(ge=1, description="Samples for each step of the weights.")] = 256
    learning_rate: Annotated[float, Field(gt=0, description="Size of each step of the weights (Adam).")] = (
        0.001
    )
    weight_decay: Annotated[
        float,
        Field(ge=0, description="Pulls all weights towards zero at each step (decoupled, as in AdamW)."),
    ] = 0.0
    networks: Annotated[
        int,
        Field(ge=1, le=4096, description="Networks trained with different seeds; the mean of them predicts."),
    ] = 1
    seed: Annotated[
        int, Field(ge=0, lt=2**32, description="The same seed gives the same weights on the same machine.")
    ] = 0
    device: Annotated[
        Literal["auto", "cpu", "gpu"],
        Field(description="Where it trains: a GPU when there is one, or the CPU."),
    ] = "auto"
