"""What the house knows of an engine without building it. No torch here: networks are built in `engines/`."""

from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Protocol

from dlplugin.errors import DefinitionError

__all__ = ["EngineOptions", "EngineSpec", "Layout", "Shapes", "linear_weights", "window_of"]

Layout = Literal["flat", "window"]


@dataclass(frozen=True)
class Shapes:
    """The sizes a network is built for.

    Attributes:
        networks: K.
        row: (D,) or (W, F), as the engine's layout says, with embedded categories in their vectors'
            sizes.
        outputs: N, the columns that answer the outputs: one for a number, more for quantiles and
            classes; see `Definition.heads`.
    """

    networks: int
    row: tuple[int, ...]
    outputs: int


class EngineOptions(Protocol):
    """The options of one engine: a frozen settings class (see `dlplugin.definition.settings`)."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    def weights(self, shapes: Shapes) -> int:
        """How many numbers each of the K networks learns.

        Raises:
            DefinitionError: A row of this shape does not suit the options; in one line, with the fix.
        """


@dataclass(frozen=True)
class EngineSpec:
    """An engine, as others announce theirs in the entry point group `dlplugin.engines`.

    Attributes:
        name: What users write: `engine="mlp"`.
        options: The options class.
        build: "module:function" of (options, Shapes) -> network, imported when a network is built.
        layout: "flat": (K, B, D), all inputs with their depths side by side. "window": (K, B, W, F),
            oldest bar first; all inputs share depth and increment.
        chunk: Rows in one forward pass of prediction. Every call pads to it, which makes a row's
            result the same to the bit whatever rows stand beside it.
        good_for: When one would choose it, in a sentence or two.
        cost: How its time and its weights grow, in a sentence or two.
        sources: Who proposed it: author, year, title.
        sees_level: Whether it sees how high inputs are, and not only how they change in a window. One
            that does not cannot tell symbols apart, and is given none.
    """

    name: str
    options: type
    build: str
    layout: Layout
    chunk: int
    good_for: str = ""
    cost: str = ""
    sources: tuple[str, ...] = ()
    sees_level: bool = True


def linear_weights(inputs: int, outputs: int) -> int:
    """Numbers in a linear map with biases."""
    return (inputs + 1) * outputs


def window_of(engine: str, shapes: Shapes, least: int = 2) -> tuple[int, int]:
    """(W, F) of a row that is a window.

    Args:
        engine: Its name, for the message.
        shapes: Of the network.
        least: Bars that make sense of its order.

    Raises:
        DefinitionError: The window is shorter.
    """
    window, features = shapes.row
    if window < least:
        bars = "bar" if window == 1 else "bars"
        raise DefinitionError(
            f"engine {engine!r} reads windows of {least} bars or more, but the inputs have a depth of {window} {bars}; "
            "give each a greater depth, such as dl.Input('RSI(14)', depth=16)"
        )
    return window, features
