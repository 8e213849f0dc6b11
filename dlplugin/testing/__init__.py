"""Conformance checks for what others write: indicators and engines.

Each is imported when it is first used: checking an indicator loads no torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dlplugin.testing.engine import check_engine
    from dlplugin.testing.indicator import check_indicator

_HOMES = {"check_engine": "engine", "check_indicator": "indicator"}

__all__ = ["check_engine", "check_indicator"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
