"""What a model sees (inputs) and what it is asked for (outputs)."""

from typing import Annotated, Literal

from pydantic import Field

from dlplugin.definition.settings import settings
from dlplugin.indicators import Indicator

__all__ = ["MAX_DEPTH", "Input", "Output", "ScalingMethod"]

MAX_DEPTH = 1000

ScalingMethod = Literal["standard", "robust", "min-max", "none"]

_SCALING = Field(
    description="How values are scaled, from in-sample rows only: standard (mean, standard deviation), "
    "robust (median, interquartile range), min-max (to 0 … 1) or none."
)
_CLIP = Field(gt=0, description="Scaled values beyond ± this are set to it; none leaves them as they are.")
_POOLED = Field(description="One scaling for all symbols; otherwise one for each symbol of the DataSet.")
_NAME = Field(max_length=120, description="Label in tables and charts; the expression when empty.")


@settings
class Input:
    """An indicator that the model sees, with a depth.

    Its values of bar t are known at the close of bar t. `depth=3, increment=2` gives the model the
    values of bars t, t − 2 and t − 4.
    """

    indicator: Annotated[str, Field(description="The expression, such as RSI(14) or close / SMA(20) - 1.")]
    depth: Annotated[int, Field(ge=1, le=MAX_DEPTH, description="How many bars of it the model sees.")] = 1
    increment: Annotated[
        int, Field(ge=1, le=MAX_DEPTH, description="How many bars lie between one of them and the next.")
    ] = 1
    scaling: Annotated[ScalingMethod, _SCALING] = "standard"
    clip: Annotated[float | None, _CLIP] = None
    pooled: Annotated[bool, _POOLED] = True
    name: Annotated[str, _NAME] = ""

    def __post_init__(self) -> None:
        _pin(self)

    @property
    def reach(self) -> int:
        """How many bars before t its oldest value lies."""
        return (self.depth - 1) * self.increment


@settings
class Output:
    """An indicator that the model predicts, some bars ahead.

    `Output("ROC(5)", look_ahead=5)` asks at the close of bar t for the value that ROC(5) will have at
    bar t + 5: the percent change over the next five bars.
    """

    indicator: Annotated[str, Field(description="The expression, such as ROC(5).")]
    look_ahead: Annotated[int, Field(ge=1, le=MAX_DEPTH, description="How many bars in the future.")]
    scaling: Annotated[ScalingMethod, _SCALING] = "standard"
    clip: Annotated[float | None, _CLIP] = None
    pooled: Annotated[bool, _POOLED] = True
    name: Annotated[str, _NAME] = ""

    def __post_init__(self) -> None:
        _pin(self)


def _pin(item: Input | Output) -> None:
    """Spells every parameter of the expression out; as it was typed, it is the label."""
    object.__setattr__(item, "name", item.name or " ".join(item.indicator.split())[:120])
    object.__setattr__(item, "indicator", Indicator(item.indicator).text)
