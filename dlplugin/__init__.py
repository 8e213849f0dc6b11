"""dlplugin: a Deep Learning model type for backtrader.

Indicators in, indicators out; trained with an honest out-of-sample view; locked for production; then
an indicator like any other. Names are imported when they are first used, so that importing dlplugin
loads neither torch nor Lightning nor backtrader.
"""

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

from dlplugin.errors import DLPluginError, DLPluginWarning

if TYPE_CHECKING:
    from dlplugin.bars import DataSet
    from dlplugin.definition import (
        ALSTM,
        GRU,
        LSTM,
        MLP,
        TCN,
        Definition,
        DLinear,
        Input,
        Linear,
        NLinear,
        Output,
        PatchTST,
        Split,
        TrainingOptions,
        TrainingPlan,
        Transformer,
        TSMixer,
    )
    from dlplugin.evaluation import Evaluation
    from dlplugin.evaluation.audit import Audit, AuditOptions
    from dlplugin.indicators import Indicator
    from dlplugin.indicators.plugins import indicator, load_plugins
    from dlplugin.model import Model, load, load_run, model_types, models, openings, trials
    from dlplugin.samples import resolve_split
    from dlplugin.trading import Backtest, DLPredictor, backtest, feed, register
    from dlplugin.training import Run, runs

__version__ = "0.1.0"

_HOMES = {
    "dlplugin.bars": ["DataSet"],
    "dlplugin.definition": [
        "ALSTM",
        "GRU",
        "LSTM",
        "MLP",
        "TCN",
        "DLinear",
        "Linear",
        "NLinear",
        "PatchTST",
        "TSMixer",
        "Transformer",
        "Definition",
        "Input",
        "Output",
        "Split",
        "TrainingOptions",
        "TrainingPlan",
    ],
    "dlplugin.evaluation": ["Evaluation"],
    "dlplugin.evaluation.audit": ["Audit", "AuditOptions"],
    "dlplugin.indicators": ["Indicator"],
    "dlplugin.indicators.plugins": ["indicator", "load_plugins"],
    "dlplugin.samples": ["resolve_split"],
    "dlplugin.model": ["Model", "load", "load_run", "model_types", "models", "openings", "trials"],
    "dlplugin.trading": ["Backtest", "DLPredictor", "backtest", "feed", "register"],
    "dlplugin.training": ["Run", "runs"],
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "ALSTM",
    "GRU",
    "LSTM",
    "MLP",
    "TCN",
    "Audit",
    "AuditOptions",
    "Backtest",
    "DLPluginError",
    "DLPluginWarning",
    "DLPredictor",
    "DLinear",
    "DataSet",
    "Definition",
    "Evaluation",
    "Indicator",
    "Input",
    "Linear",
    "Model",
    "NLinear",
    "Output",
    "PatchTST",
    "Run",
    "Split",
    "TSMixer",
    "TrainingOptions",
    "TrainingPlan",
    "Transformer",
    "backtest",
    "feed",
    "indicator",
    "load",
    "load_plugins",
    "load_run",
    "model_types",
    "models",
    "openings",
    "register",
    "resolve_split",
    "runs",
    "trials",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'dlplugin' has no attribute {name!r}")
    value = getattr(import_module(_HOME_OF[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOME_OF])


if "backtrader" in sys.modules:
    __getattr__("register")()
