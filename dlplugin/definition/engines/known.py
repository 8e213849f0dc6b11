"""The engines that there are, built in and from installed packages, and their options as plain text."""

from typing import Any

from dlplugin.definition.engines.spec import EngineOptions, EngineSpec
from dlplugin.definition.settings import to_plain
from dlplugin.errors import DefinitionError, RegistryError
from dlplugin.registry import Entry, Registry

__all__ = ["engine_from_plain", "engine_to_plain", "engines", "spec_of"]

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
    made: EngineOptions = engines[name].options(**{str(option): value for option, value in given.items()})
    return made
