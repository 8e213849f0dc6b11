"""What there is: indicators and stored models."""

from pathlib import Path
from typing import TYPE_CHECKING

from dlplugin.errors import UnknownNameError

if TYPE_CHECKING:
    import pandas as pd

    from dlplugin.indicators import Entry
    from dlplugin.model.summary import ModelSummary

__all__ = ["indicator", "indicator_chart", "indicators", "models", "summary", "unlock"]


def indicators(group: str | None = None) -> "list[Entry]":
    """The indicators that can be written in expressions: all, or those of groups with that word in their name.

    Raises:
        UnknownNameError: There is no such group.
    """
    from dlplugin.indicators import catalogue

    entries = list(catalogue().values())
    if group is None:
        return entries
    groups = sorted({entry.group for entry in entries})
    chosen = [name for name in groups if group.casefold() in name.casefold()]
    if not chosen:
        raise UnknownNameError(f"unknown group {group!r}; there are: {', '.join(groups)}")
    return [entry for entry in entries if entry.group in chosen]


def indicator(name: str) -> "Entry":
    """One indicator: its parameters, outputs and warm-up.

    Raises:
        UnknownNameError: There is no such indicator.
    """
    from dlplugin.indicators import describe

    return describe(name)


def indicator_chart(entry: "Entry", bars: int = 60) -> list[str]:
    """A small chart for a terminal: the indicator on the last bundled bars of AAPL.

    Args:
        entry: The indicator.
        bars: How many bars.

    Returns:
        A heading and the chart's lines; empty for an indicator that cannot stand alone.
    """
    from dlplugin.bars import DataSet
    from dlplugin.indicators import Indicator
    from dlplugin.indicators.chart import terminal_chart

    if not entry.example:
        return []
    dataset = DataSet.bundled("us-stocks")
    shown = Indicator(entry.example.replace('"SPY"', '"IBM"'))
    history = dataset["AAPL"]
    lines = terminal_chart(shown.compute(history, {"IBM": dataset["IBM"]})[-bars:])
    first, last = history.index[-bars:][[0, -1]]
    return [f"{shown} on AAPL, {first:%Y-%m-%d} … {last:%Y-%m-%d}", *lines] if lines else []


def models(store: Path | None = None) -> "pd.DataFrame":
    """All stored models, a row each."""
    from dlplugin.model import models

    return models(store)


def summary(what: str, data: str | None = None, store: Path | None = None) -> "ModelSummary":
    """A model at a glance; see `Model.summary`.

    Args:
        what: A file that describes a training, whose DataSet counts where it names one; or a stored
            model's name, with a version or without.
        data: A bundled set or a folder whose samples count instead.
        store: The store's folder.

    Raises:
        DLPluginError: There is no such file or model, the file is wrong, or the data cannot be used.
    """
    from dlplugin.actions.runs import file_of, refuse_unknown
    from dlplugin.bars.origin import DataOrigin
    from dlplugin.definition import TrainingPlan
    from dlplugin.model import Model, load

    origin, path = None if data is None else DataOrigin.of(data), file_of(what)
    if path is None:
        refuse_unknown(what, store)
        return load(what, store).summary(None if origin is None else origin.load())
    plan = TrainingPlan.read(path)
    origin = origin or plan.origin
    model = Model.of(plan.definition, store=store)
    if origin is None:
        return model.summary(options=plan.options)
    return model.summary(origin.load(), plan.split, plan.options, validation=plan.validation)


def unlock(name: str, store: Path | None = None) -> str:
    """Makes a locked model a draft again; says what stays.

    Raises:
        StoreError: It is not locked.
    """
    from dlplugin.model import load

    model = load(name, store)
    model.unlock()
    return f"{model.name} is a draft again; its locked versions stay and can be loaded"
