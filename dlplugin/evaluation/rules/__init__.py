"""Rules that cost nothing, and that a model has to beat."""

from dlplugin.evaluation.rules.numbers import RULES, rule_predictions
from dlplugin.evaluation.rules.ridge import Ridge, fit_ridge

__all__ = ["RULES", "Ridge", "fit_ridge", "rule_predictions"]
