"""The engines' options and the list of engines. No torch here: networks are built in `engines/`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal, Protocol

from pydantic import AfterValidator, Field

from dlplugin.definition.settings import settings, to_plain
from dlplugin.errors import DefinitionError, RegistryError
from dlplugin.registry import Entry, Registry

__all__ = ["MLP", "EngineOptions", "EngineSpec", "engine_from_plain", "engine_to_plain", "engines"]

Layout = Literal["flat", "window"]


class EngineOptions(Protocol):
    """The options of one engine: a frozen settings class (see `dlplugin.definition.settings`)."""

    __dataclass_fields__: ClassVar[dict[str, Any]]


@dataclass(frozen=True)
class EngineSpec:
    """What the house knows of an engine without building it.

    Attributes:
        name: What users write: `engine="mlp"`.
        options: The options class.
        build: "module:function" of (options, Shapes) -> network, imported when a network is built.
        layout: "flat": (K, B, D), all inputs with their depths side by side. "window": (K, B, W, F),
            all inputs share depth and increment.
        chunk: Rows in one forward pass of prediction. Every call pads to it, which makes a row's
            result the same to the bit whatever rows stand beside it.
    """

    name: str
    options: type
    build: str
    layout: Layout
    chunk: int


@settings
class MLP:
    """A multi-layer perceptron: fully connected layers on all inputs with their depths side by side."""

    hidden: Annotated[
        Sequence[Annotated[int, Field(ge=1, le=65536)]],
        AfterValidator(tuple),
        Field(description="Neurons of each hidden layer."),
    ] = (32, 16)
    activation: Annotated[
        Literal["relu", "leaky_relu", "gelu", "silu", "tanh", "sigmoid", "elu"],
        Field(description="The non-linear function after each hidden layer."),
    ] = "relu"
    dropout: Annotated[
        float, Field(ge=0, lt=1, description="Share of hidden neurons switched off at each training step.")
    ] = 0.0
    normalisation: Annotated[
        Literal["none", "layer"], Field(description="Normalises each hidden layer's values of a row.")
    ] = "none"


MLP_SPEC = EngineSpec("mlp", MLP, "dlplugin.engines.mlp:build", layout="flat", chunk=256)

engines: Registry[EngineSpec] = Registry(
    "engine",
    [Entry("mlp", "dlplugin.definition.engines:MLP_SPEC", "fully connected layers; fast, and hard to beat")],
    entry_points="dlplugin.engines",
)


def spec_of(options: EngineOptions) -> EngineSpec:
    """The engine that these options belong to.

    Raises:
        DefinitionError: They belong to none that is registered.
    """
    for name in engines:
        try:
            spec = engines[name]
        except RegistryError:  # a broken package must not break the other engines
            continue
        if spec.options is type(options):
            return spec
    raise DefinitionError(
        f"engine is {options!r}, but it must be a name or the options of: {', '.join(engines)}"
    )


def engine_to_plain(options: EngineOptions) -> dict[str, Any]:
    """The engine's name and options, as JSON and YAML hold them."""
    return {"name": spec_of(options).name, **to_plain(options)}


def engine_from_plain(value: object) -> EngineOptions:
    """Options from a name, from {"name": ..., option: value} or from options.

    Raises:
        UnknownNameError: No engine has the name.
        DefinitionError: An option's value is wrong.
    """
    if isinstance(value, str):
        value = {"name": value}
    if not isinstance(value, dict):
        spec_of(value)  # type: ignore[arg-type]  # raises when it is not options
        return value  # type: ignore[return-value]
    given = dict(value)
    name = given.pop("name", None)
    if not isinstance(name, str):
        raise DefinitionError(f"engine has no name; there are: {', '.join(engines)}")
    made: EngineOptions = engines[name].options(**given)
    return made
