"""The engines that there are, built in and from installed packages, and their options as plain text."""

from dataclasses import is_dataclass
from typing import Any, cast

from dlplugin.definition.engines.spec import EngineOptions, EngineSpec, Shapes
from dlplugin.definition.settings import to_plain
from dlplugin.errors import DefinitionError, DLPluginError, EngineError, RegistryError
from dlplugin.registry import Entry, Registry

__all__ = [
    "engine_from_plain",
    "engine_title",
    "engine_to_plain",
    "engines",
    "spec_named",
    "spec_of",
    "weights_of",
]

_HOME = "dlplugin.definition.engines"

engines: Registry[EngineSpec] = Registry(
    "engine",
    [
        Entry("linear", f"{_HOME}.linear:LINEAR_SPEC", "one linear map; the yardstick"),
        Entry(
            "nlinear", f"{_HOME}.linear:NLINEAR_SPEC", "one linear map of the differences from the newest bar"
        ),
        Entry("dlinear", f"{_HOME}.linear:DLINEAR_SPEC", "a linear map of the trend, and one of the rest"),
        Entry("mlp", f"{_HOME}.mlp:MLP_SPEC", "fully connected layers; fast, and hard to beat"),
        Entry("lstm", f"{_HOME}.recurrent:LSTM_SPEC", "reads the window bar by bar and can keep and forget"),
        Entry("gru", f"{_HOME}.recurrent:GRU_SPEC", "like an LSTM, with fewer weights"),
        Entry("alstm", f"{_HOME}.recurrent:ALSTM_SPEC", "an LSTM that looks back at all its states"),
        Entry("tcn", f"{_HOME}.tcn:TCN_SPEC", "causal convolutions that reach ever further back"),
        Entry("transformer", f"{_HOME}.transformer:TRANSFORMER_SPEC", "every bar looks at every other one"),
        Entry("patchtst", f"{_HOME}.transformer:PATCHTST_SPEC", "a transformer over patches of the window"),
        Entry("tsmixer", f"{_HOME}.mixer:TSMIXER_SPEC", "maps across bars and across inputs in turn"),
    ],
    entry_points="dlplugin.engines",
    holds=EngineSpec,
)


def engine_title(name: str) -> str:
    """An engine and the package it is from, as messages name it: "engine 'mlp'"."""
    package = engines.entry(name).package
    return f"engine {name!r}" + (f" of the package {package}" if package else "")


def spec_named(name: str) -> EngineSpec:
    """The engine of a name.

    Raises:
        UnknownNameError: No engine has the name.
        RegistryError: It cannot be imported, or is no EngineSpec.
        EngineError: Its EngineSpec does not fit together.
    """
    spec = engines[name]
    wrong = _wrong(name, spec)
    if wrong:
        raise EngineError(f"{engine_title(name)} {wrong}")
    return spec


def _wrong(name: str, spec: EngineSpec) -> str:
    """What does not fit in a spec; empty where all does."""
    if spec.name != name:
        return f"calls itself {spec.name!r} in its EngineSpec; use one name for both"
    if not _is_settings(spec.options):
        return (
            f"has options {spec.options!r}; write a class and decorate it with @dlplugin.definition.settings"
        )
    if not callable(getattr(spec.options, "weights", None)):
        return f"has options {spec.options.__name__} without weights; add: def weights(self, shapes: Shapes) -> int"
    if spec.layout not in ("flat", "window"):
        return f"has layout {spec.layout!r}, but must be 'flat' or 'window'"
    if type(spec.chunk) is not int or spec.chunk < 1:
        return f"has chunk {spec.chunk!r}, but must be a number of rows, such as 64"
    if not isinstance(spec.build, str) or not all(spec.build.partition(":")):
        return f"has build {spec.build!r}, but must be 'module:function'"
    return ""


def _is_settings(options: object) -> bool:
    """Whether it is a class that `settings` made: frozen, with described fields."""
    frozen = is_dataclass(options) and cast(Any, options).__dataclass_params__.frozen
    return isinstance(options, type) and frozen and hasattr(options, "__pydantic_fields__")


def spec_of(options: EngineOptions) -> EngineSpec:
    """The engine that these options belong to.

    Raises:
        DefinitionError: They belong to none that is registered.
        EngineError: They belong to one whose EngineSpec is wrong.
    """
    for name in engines:
        try:
            spec = engines[name]
        except RegistryError:  # a broken package must not break the other engines
            continue
        if spec.options is type(options):
            return spec_named(name)
        given: object = options
        if given is spec.options:
            kind = spec.options.__name__
            raise DefinitionError(
                f"engine is the class {kind}, but must be its options; write engine={kind}()"
            )
    raise DefinitionError(
        f"engine is {options!r}, but it must be a name or the options of: {', '.join(engines)}"
    )


def weights_of(options: EngineOptions, shapes: Shapes) -> int:
    """How many numbers each network of these options learns.

    Raises:
        DefinitionError: A row of this shape does not suit the options.
        EngineError: The options fail at the question.
    """
    title, kind = engine_title(spec_of(options).name), type(options).__name__
    try:
        weights: object = options.weights(shapes)
    except DLPluginError:
        raise
    except Exception as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise EngineError(f"{title}: {kind}.weights fails for {shapes}: {reason}") from error
    if type(weights) is not int or weights < 0:
        raise EngineError(
            f"{title}: {kind}.weights gives {weights!r} for {shapes}, but must give a whole number"
        )
    return weights


def engine_to_plain(options: EngineOptions) -> dict[str, Any]:
    """The engine's name and options, as JSON and YAML hold them."""
    return {"name": spec_of(options).name, **to_plain(options)}


def engine_from_plain(value: object) -> EngineOptions:
    """Options from a name, from {"name": ..., option: value} or from options.

    Raises:
        UnknownNameError: No engine has the name.
        DefinitionError: An option's value is wrong.
        EngineError: What a package announces under the name does not fit together.
    """
    if isinstance(value, str):
        value = {"name": value}
    if not isinstance(value, dict):
        spec_of(value)  # type: ignore[arg-type]  # raises when it is not options
        return value  # type: ignore[return-value]
    given = dict(value)
    name = given.pop("name", None)
    if not isinstance(name, str):
        known = ", ".join(engines)
        raise DefinitionError(f'engine has no name; give one, such as {{"name": "lstm"}}; there are: {known}')
    made: EngineOptions = spec_named(name).options(**{str(option): value for option, value in given.items()})
    return made
