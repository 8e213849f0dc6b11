"""The error tree. Every error a user can cause is one of these, with a one-line message.

A message says what is wrong with its value, what would be right, and the next command where there
is one.

    DLPluginError
    ├── BarsError            bars, files or a DataSet that cannot be used
    ├── ExpressionError      text that is not an indicator expression
    │   └── UnknownNameError     a name that nothing goes by (did you mean ...?)
    ├── DefinitionError      an input, output, engine, split or option with a wrong value
    ├── SamplesError         bars and definition that give too few samples
    ├── TrainingError        a training that cannot go on
    ├── PredictionError      bars that a model cannot predict on
    ├── StoreError           the store cannot do what was asked
    │   ├── UnknownModelError    no model or run of that name
    │   ├── LockedModelError     a locked model was to be changed
    │   └── DamagedModelError    a file of the store is missing or not what it should be
    ├── RegistryError        a registered engine or model type that cannot be imported
    ├── EngineError          an engine that does not keep what engines promise
    └── TradingError         feeds or strategies that backtrader would run wrongly

    DLPluginWarning          something works, but perhaps not as meant
"""

import sys

__all__ = [
    "BarsError",
    "DLPluginError",
    "DLPluginWarning",
    "DamagedModelError",
    "DefinitionError",
    "EngineError",
    "ExpressionError",
    "LockedModelError",
    "PredictionError",
    "RegistryError",
    "SamplesError",
    "StoreError",
    "TradingError",
    "TrainingError",
    "UnknownModelError",
    "UnknownNameError",
]


class DLPluginError(Exception):
    """The root: catch it to catch everything dlplugin raises on purpose."""


class BarsError(DLPluginError):
    """Bars, a file of bars or a DataSet that cannot be used."""


class ExpressionError(DLPluginError):
    """Text that is not an indicator expression."""


class UnknownNameError(ExpressionError):
    """A name that nothing registered goes by."""


class DefinitionError(DLPluginError):
    """An input, output, engine, split or training option with a wrong value."""


class RegistryError(DLPluginError):
    """A registered engine, model type or indicator that cannot be imported."""


class EngineError(DLPluginError):
    """An engine that does not keep what every engine promises; see docs/engines.md."""


class SamplesError(DLPluginError):
    """Bars and a definition that together give too few samples."""


class TrainingError(DLPluginError):
    """A training that cannot go on."""


class PredictionError(DLPluginError):
    """Bars that a model cannot predict on."""


class StoreError(DLPluginError):
    """The store cannot do what was asked."""


class UnknownModelError(StoreError):
    """No model, version or run of that name is stored."""


class LockedModelError(StoreError):
    """A locked model was to be changed, trained, overwritten or deleted."""


class DamagedModelError(StoreError):
    """A file of the store is missing, unreadable or not what it should be."""


class TradingError(DLPluginError):
    """Feeds or strategies that backtrader would run wrongly."""


class DLPluginWarning(UserWarning):
    """Something works, but perhaps not as it was meant."""


def users_level() -> int:
    """How far up the stack the user's own line is, for a warning: behind dlplugin and backtrader's metaclasses."""
    frame, level = sys._getframe(1), 1
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith(
        ("dlplugin.", "backtrader.")
    ):
        frame, level = frame.f_back, level + 1
    return level
