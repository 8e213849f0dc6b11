"""What a model sees."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import AfterValidator, BeforeValidator, Field

from dlplugin.definition.settings import Later, settings
from dlplugin.errors import DefinitionError
from dlplugin.indicators import Indicator

__all__ = [
    "CLIP",
    "MAX_DEPTH",
    "NAME",
    "POOLED",
    "SCALING",
    "SYMBOL",
    "Input",
    "ScalingMethod",
    "pin",
    "plain_numbers",
]

MAX_DEPTH = 1000
MAX_EMBEDDING = 1024
SYMBOL = "symbol"  # no expression: which symbol a row is of

ScalingMethod = Literal["standard", "robust", "min-max", "none"]

SCALING = Field(
    description="How values are scaled, from in-sample rows only: standard (mean, standard deviation), "
    "robust (median, interquartile range), min-max (to 0 … 1) or none."
)
CLIP = Field(gt=0, description="Scaled values beyond ± this are set to it; none leaves them as they are.")
POOLED = Field(description="One scaling for all symbols; otherwise one for each symbol of the DataSet.")
NAME = Field(max_length=120, description="Label in tables and charts; the expression when empty.")
_CATEGORIES = Field(
    description="The values it can take, such as [0, 1, 2, 3, 4]; the model sees a 0/1 column for each instead of "
    "the number, and zeros only where the value is none of them. Those of symbol are text: dataset.symbols."
)
_EMBEDDING = Field(
    ge=1,
    le=MAX_EMBEDDING,
    description="Numbers of a learned vector that stands for each category at every depth; none shows the 0/1 "
    "columns themselves.",
)


def plain_numbers(values: object) -> object:
    """NumPy's numbers and arrays, and ranges, as a tuple of Python's own."""
    if not isinstance(values, list | tuple | range | np.ndarray):
        raise ValueError("must be a list of numbers")
    return tuple(value.item() if isinstance(value, np.generic) else value for value in values)


def _plain_categories(values: object) -> object:
    """As `plain_numbers`, of symbols, too."""
    try:
        return plain_numbers(values)
    except ValueError:
        raise ValueError("must be a list, such as [0, 1, 2] or dataset.symbols") from None


def _categories(values: Sequence[float | str]) -> tuple[float | str, ...]:
    if not values:
        raise ValueError("must hold at least one value")
    for value in values:
        if values.count(value) > 1:
            shown = repr(value) if isinstance(value, str) else f"{value:.15g}"
            raise ValueError(f"must hold {shown} once only")
    return tuple(value if isinstance(value, str) else value + 0.0 for value in values)  # -0.0 is 0.0


@settings
class Input:
    """An indicator that the model sees, with a depth.

    Its values of bar t are known at the close of bar t. `depth=3, increment=2` gives the model the
    values of bars t, t − 2 and t − 4.

    With `categories` the values are labels, not amounts: a value is compared with each category
    exactly, is never scaled, and NaN stays unknown.

    `symbol` is no expression, and always means the symbol that a row is of, also where bars have a
    column of that name: `Input("symbol", categories=dataset.symbols, embedding=4)`. It is the same on
    every bar, and so stands once in a flat row, and in every bar of a window. Symbols that are none of
    its categories, and those that trained no weights, are all zeros.
    """

    indicator: Annotated[
        str,
        Field(
            description="The expression, such as RSI(14) or close / SMA(20) - 1; or symbol, the row's own."
        ),
    ]
    depth: Annotated[int, Field(ge=1, le=MAX_DEPTH, description="How many bars of it the model sees.")] = 1
    increment: Annotated[
        int, Field(ge=1, le=MAX_DEPTH, description="How many bars lie between one of them and the next.")
    ] = 1
    scaling: Annotated[ScalingMethod, SCALING] = "standard"
    clip: Annotated[float | None, CLIP] = None
    pooled: Annotated[bool, POOLED] = True
    name: Annotated[str, NAME] = ""
    categories: Annotated[
        Annotated[Sequence[float | str], AfterValidator(_categories), BeforeValidator(_plain_categories)]
        | None,
        _CATEGORIES,
        Later(),
    ] = None
    embedding: Annotated[int | None, _EMBEDDING, Later()] = None

    def __post_init__(self) -> None:
        if self.indicator.strip() == SYMBOL:
            object.__setattr__(self, "name", self.name or SYMBOL)
            object.__setattr__(self, "indicator", SYMBOL)
            self._check_symbol()
        else:
            pin(self)
            self._check_values()
        if self.categories is None:
            if self.embedding is not None:
                raise DefinitionError(
                    f"{self.name!r} has embedding={self.embedding}, but no categories; give categories=, such as "
                    "categories=[0, 1, 2, 3, 4]"
                )
            return
        unused = {"scaling": self.scaling, "clip": self.clip, "pooled": self.pooled}
        for field, default in (("scaling", "standard"), ("clip", None), ("pooled", True)):
            if unused[field] != default:
                raise DefinitionError(
                    f"{self.name!r} has categories, which are not scaled; leave out {field}={unused[field]!r}"
                )

    def _check_symbol(self) -> None:
        if self.categories is None:
            raise DefinitionError(
                f"{self.name!r} needs the symbols that it can be; give categories=, such as categories=dataset.symbols"
            )
        for value in self.categories:
            if not isinstance(value, str):
                raise DefinitionError(
                    f"{self.name!r} has the category {value:.15g}, but symbols are text; put each in quotes, "
                    f"such as '{value:.15g}'"
                )
        for field in ("depth", "increment"):
            if (value := getattr(self, field)) != 1:
                raise DefinitionError(
                    f"{self.name!r} has {field}={value}, but a symbol is the same on every bar; leave out {field}="
                )

    def _check_values(self) -> None:
        for value in self.categories or ():
            if isinstance(value, str):
                raise DefinitionError(
                    f"{self.name!r} has the category {value!r}, but its values are numbers; only those of "
                    "dl.Input('symbol') are text"
                )

    @property
    def is_symbol(self) -> bool:
        """Whether it is the row's own symbol, and no indicator."""
        return self.indicator == SYMBOL

    @property
    def labels(self) -> tuple[float, ...]:
        """The values that its categories are known by: themselves, or the places of symbols; none without."""
        given = self.categories or ()
        return tuple(float(place) if isinstance(value, str) else value for place, value in enumerate(given))

    @property
    def columns(self) -> int:
        """How many columns of the matrix it has: one, or one for each category."""
        return 1 if self.categories is None else len(self.categories)

    @property
    def reach(self) -> int:
        """How many bars before t its oldest value lies."""
        return (self.depth - 1) * self.increment


def pin(item: Any) -> None:
    """Spells every parameter of the expression out; as it was typed, it is the label."""
    object.__setattr__(item, "name", item.name or " ".join(item.indicator.split())[:120])
    object.__setattr__(item, "indicator", Indicator(item.indicator).text)
