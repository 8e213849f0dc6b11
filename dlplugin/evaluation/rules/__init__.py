"""Rules that cost nothing, and that a model has to beat."""

from dlplugin.evaluation.rules.classes import class_rule_predictions
from dlplugin.evaluation.rules.direction import directions
from dlplugin.evaluation.rules.names import (
    BOOSTING,
    CLASS_RULES,
    CONSTANTS,
    DIRECTIONS,
    FREQUENT,
    LAST,
    MEAN,
    OWN_AVERAGE,
    RIDGE,
    RULES,
    ZERO,
    in_order,
)
from dlplugin.evaluation.rules.numbers import rule_predictions
from dlplugin.evaluation.rules.ridge import Ridge, fit_ridge

__all__ = [
    "BOOSTING",
    "CLASS_RULES",
    "CONSTANTS",
    "DIRECTIONS",
    "FREQUENT",
    "LAST",
    "MEAN",
    "OWN_AVERAGE",
    "RIDGE",
    "RULES",
    "ZERO",
    "Ridge",
    "class_rule_predictions",
    "directions",
    "fit_ridge",
    "in_order",
    "rule_predictions",
]
