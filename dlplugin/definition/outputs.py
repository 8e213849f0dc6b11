"""What a model is asked for, and which columns answer it."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, BeforeValidator, Field

from dlplugin.definition.inputs import (
    CLIP,
    MAX_DEPTH,
    NAME,
    POOLED,
    SCALING,
    ScalingMethod,
    pin,
    plain_numbers,
)
from dlplugin.definition.settings import Later, settings
from dlplugin.errors import DefinitionError

__all__ = ["Head", "Output", "heads_of"]

MOST_CLASSES = 100

FloatArray = NDArray[np.float64]


def _ascending(values: Sequence[float]) -> tuple[float, ...]:
    if not 1 <= len(values) < MOST_CLASSES:
        raise ValueError(f"must hold 1 to {MOST_CLASSES - 1} numbers")
    if any(one >= other for one, other in pairwise(values)):
        raise ValueError("must rise from number to number")
    return tuple(value + 0.0 for value in values)  # -0.0 is 0.0


def _levels(values: Sequence[float]) -> tuple[float, ...]:
    if any(not 0 < value < 1 for value in values):
        raise ValueError("must lie between 0 and 1")
    return _ascending(values)


@settings
class Output:
    """An indicator that the model predicts, some bars ahead.

    `Output("ROC(5)", look_ahead=5)` asks at the close of bar t for the value that ROC(5) will have at
    bar t + 5: the percent change over the next five bars.

    With `classes=[-0.5, 0.55]` it asks which of three classes the value falls into: at most −0.5,
    between them, or at least 0.55. Thresholds below the middle of the list belong to the class below
    them, the others to the class above. `drop="middle"` leaves the samples of one class out for this
    output, as if it had no value there; the others are then numbered from 0, the lowest first.

    With `quantiles=[0.1, 0.5, 0.9]` it asks for values that are exceeded in 90, 50 and 10 of 100
    cases.
    """

    indicator: Annotated[str, Field(description="The expression, such as ROC(5).")]
    look_ahead: Annotated[int, Field(ge=1, le=MAX_DEPTH, description="How many bars in the future.")]
    scaling: Annotated[ScalingMethod, SCALING] = "standard"
    clip: Annotated[float | None, CLIP] = None
    pooled: Annotated[bool, POOLED] = True
    name: Annotated[str, NAME] = ""
    classes: Annotated[
        Annotated[Sequence[float], AfterValidator(_ascending), BeforeValidator(plain_numbers)] | None,
        Field(
            description="Thresholds that make classes of its values, such as [-0.5, 0.55]; none predicts the number."
        ),
        Later(),
    ] = None
    drop: Annotated[
        Literal["middle"] | Annotated[int, Field(ge=0)] | None,
        Field(
            description="A class whose samples are left out for this output: middle, or its number from 0."
        ),
        Later(),
    ] = None
    quantiles: Annotated[
        Annotated[Sequence[float], AfterValidator(_levels), BeforeValidator(plain_numbers)] | None,
        Field(description="Levels to predict instead of the mean, such as [0.1, 0.5, 0.9]."),
        Later(),
    ] = None
    weight: Annotated[
        float, Field(gt=0, description="What its loss counts beside those of the other outputs."), Later()
    ] = 1.0

    def __post_init__(self) -> None:
        pin(self)
        if self.classes is None:
            if self.drop is not None:
                raise DefinitionError(f"{self.name!r} has drop={self.drop!r}, but no classes; give classes=")
            return
        if self.quantiles is not None:
            raise DefinitionError(f"{self.name!r} has classes and quantiles; give one of them")
        for field, default in (("scaling", "standard"), ("clip", None), ("pooled", True)):
            if getattr(self, field) != default:
                raise DefinitionError(
                    f"{self.name!r} has classes, which are not scaled; leave out "
                    f"{field}={getattr(self, field)!r}"
                )
        self._check_drop(len(self.classes) + 1)

    def _check_drop(self, count: int) -> None:
        if self.drop == "middle" and count % 2 == 0:
            raise DefinitionError(
                f"{self.name!r} has {count} classes, and so no middle one to drop; drop a number from 0 to {count - 1}"
            )
        if isinstance(self.drop, int) and self.drop >= count:
            raise DefinitionError(f"drop is {self.drop}, but {self.name!r} has classes 0 to {count - 1}")
        if self.drop is not None and count == 2:
            raise DefinitionError(
                f"{self.name!r} has two classes; with one dropped nothing is left to tell apart"
            )

    @property
    def labels(self) -> tuple[str, ...]:
        """The classes in words, lowest first, without the dropped one; empty where there are none."""
        if self.classes is None:
            return ()
        edges = self.classes
        words = [f"{'≤' if len(edges) > 1 else '<'} {_short(edges[0])}"]
        words += [f"{_short(low)} … {_short(high)}" for low, high in pairwise(edges)]
        words.append(f"≥ {_short(edges[-1])}")
        return tuple(word for index, word in enumerate(words) if index != self._dropped)

    def columns(self, networks: int = 1) -> tuple[str, ...]:
        """What the columns of its predictions are called.

        Args:
            networks: How many predict together.

        Returns:
            NAME first: the number, the middle quantile (the mean of the two in the middle where their
            count is even), or the number of the most probable class. Then `NAME [label]` for each
            class, its probability, or its score where the training's class_loss was hinge; or
            `NAME [q 0.1]` for each quantile. With several networks `NAME spread` is the last: the
            standard deviation over the networks of the number, of the middle quantile, or of the
            probability (the score) of that class.
        """
        details = [f"[{label}]" for label in self.labels]
        details += [f"[q {_short(level)}]" for level in self.quantiles or ()]
        details += ["spread"] if networks > 1 else []
        return (self.name, *(f"{self.name} {detail}" for detail in details))

    def classify(self, values: FloatArray) -> FloatArray:
        """(...) values to the number of their class; NaN where it is the dropped one, or unknown."""
        edges, half = np.array(self.classes), len(self.classes or ()) // 2
        low, high = edges[:half], edges[half:]
        found = np.searchsorted(low, values, side="left") + np.searchsorted(high, values, side="right")
        numbers = found.astype(np.float64)
        if self._dropped is not None:
            numbers = np.where(found == self._dropped, np.nan, numbers - (found > self._dropped))
        return np.where(np.isnan(values), np.nan, numbers)

    @property
    def _dropped(self) -> int | None:
        return len(self.classes or ()) // 2 if self.drop == "middle" else self.drop


def _short(value: float) -> str:
    """A number as people write it, and no two alike."""
    text = f"{value:g}"
    return text if float(text) == value else repr(value)


@dataclass(frozen=True)
class Head:
    """Which columns of a network answer one output.

    Attributes:
        kind: "number", "quantiles" or "classes".
        first: Its first column.
        size: How many: one for a number; one a quantile; one score for two classes, or one a class.
        classes: How many classes there are; 0 for the other kinds.
    """

    kind: Literal["number", "quantiles", "classes"]
    first: int
    size: int
    classes: int

    @property
    def columns(self) -> slice:
        """Its columns in (..., N)."""
        return slice(self.first, self.first + self.size)


def heads_of(outputs: Sequence[Output]) -> tuple[Head, ...]:
    """A head for each output, side by side."""
    heads: list[Head] = []
    first = 0
    for output in outputs:
        count = len(output.labels)
        if count:
            head = Head("classes", first, 1 if count == 2 else count, count)
        elif output.quantiles is not None:
            head = Head("quantiles", first, len(output.quantiles), 0)
        else:
            head = Head("number", first, 1, 0)
        heads.append(head)
        first += head.size
    return tuple(heads)
