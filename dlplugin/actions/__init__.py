"""The verbs, as plain functions with plain results; the command line and other faces only call them."""

from dlplugin.actions.audit import audit
from dlplugin.actions.library import indicator, indicator_chart, indicators, models, summary, unlock
from dlplugin.actions.machines import join
from dlplugin.actions.networks import (
    TYPICAL,
    EngineEntry,
    EngineOption,
    ExplainedEngine,
    StepTime,
    engine,
    engines,
)
from dlplugin.actions.prices import (
    CacheResult,
    CheckResult,
    FetchedPrices,
    cache,
    check_data,
    clear_cache,
    fetch_prices,
)
from dlplugin.actions.report import report
from dlplugin.actions.runs import (
    headline,
    plain_rows,
    resume,
    run_facts,
    run_of,
    runs,
    stop,
    train,
    training_plan,
    use,
)
from dlplugin.actions.story import DemoResult, demo

__all__ = [
    "TYPICAL",
    "CacheResult",
    "CheckResult",
    "DemoResult",
    "EngineEntry",
    "EngineOption",
    "ExplainedEngine",
    "FetchedPrices",
    "StepTime",
    "audit",
    "cache",
    "check_data",
    "clear_cache",
    "demo",
    "engine",
    "engines",
    "fetch_prices",
    "headline",
    "indicator",
    "indicator_chart",
    "indicators",
    "join",
    "models",
    "plain_rows",
    "report",
    "resume",
    "run_facts",
    "run_of",
    "runs",
    "stop",
    "summary",
    "train",
    "training_plan",
    "unlock",
    "use",
]
